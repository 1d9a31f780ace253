//! The check of a round's updates, and blocks of their coordinates side by side.

use rayon::prelude::*;

use crate::error::Error;

/// A number that fits 64 bits: updates have 32, the references 64.
pub trait Number: Copy + Into<f64> + Send + Sync {}

impl<T: Copy + Into<f64> + Send + Sync> Number for T {}

/// Coordinates that one task takes at a time: at 100 clients 200 kB in 64 bits, which a core's own cache holds.
const BLOCK: usize = 256;

/// The number of parameters, if there are updates, all of one length, and every entry is finite.
pub fn check<T: Number>(updates: &[&[T]]) -> Result<usize, Error> {
    let expected = updates.first().ok_or(Error::NoUpdates)?.len();
    let wrong = updates.par_iter().enumerate().find_map_first(|(client, update)| {
        if update.len() != expected {
            return Some(Error::UpdateLength { client, found: update.len(), expected });
        }
        let at = update.iter().position(|&value| !value.into().is_finite())?;
        Some(Error::UpdateNotFinite { client, at, value: update[at].into() })
    });
    wrong.map_or(Ok(expected), Err)
}

/// Applies `combine` to all clients' values of each coordinate. It may reorder them, and gets its own each time, so
/// threads share nothing.
///
/// # Shapes
/// `updates` is `[n_clients][n_parameters]`, `combine` sees `[n_clients]`, the result is `[n_parameters]`.
pub fn by_coordinate<T: Number>(
    updates: &[&[T]],
    parameters: usize,
    combine: impl Fn(&mut [f64]) -> f64 + Sync,
) -> Vec<f64> {
    let mut result = vec![0.0; parameters];
    result.par_chunks_mut(BLOCK).enumerate().for_each(|(block, out)| {
        let clients = updates.len();
        let start = block * BLOCK;
        // Transposed, so that a coordinate's values lie together.
        let mut values = vec![0.0; clients * out.len()];
        for (client, update) in updates.iter().enumerate() {
            for (at, &value) in update[start..start + out.len()].iter().enumerate() {
                values[at * clients + client] = value.into();
            }
        }
        for (out, values) in out.iter_mut().zip(values.chunks_mut(clients)) {
            *out = combine(values);
        }
    });
    result
}

/// The middle value; for an even count the mean of the two in the middle. Reorders the values.
///
/// # Panics
/// When there are none.
pub fn middle(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    if !even {
        return upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).expect("an even count has two halves");
    // The sum of two large numbers may not fit.
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_that_is_wrong_is_named() {
        let fine = [1.0f32, 2.0];
        assert_eq!(check::<f32>(&[]), Err(Error::NoUpdates));
        assert_eq!(check(&[&fine, &fine]), Ok(2));
        let short = check(&[&fine, &fine, &fine[..1]]);
        assert_eq!(short, Err(Error::UpdateLength { client: 2, found: 1, expected: 2 }));
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let refused = check(&[&fine, &[0.0, wrong]]);
            assert!(matches!(refused, Err(Error::UpdateNotFinite { client: 1, at: 1, .. })));
        }
        let told = check(&[&[f32::NEG_INFINITY]]).expect_err("an infinite entry").to_string();
        assert_eq!(told, "entry 0 of the update of client 0 is -inf, but must be finite");
    }

    #[test]
    fn the_middle_of_an_even_count_lies_between_two() {
        for (mut values, expected) in [
            (vec![3.0], 3.0),
            (vec![9.0, 1.0], 5.0),
            (vec![5.0, -1.0, 2.0], 2.0),
            (vec![7.0, 1.0, 3.0, 2.0], 2.5),
            (vec![f64::MAX, f64::MAX], f64::MAX),
        ] {
            assert_eq!(middle(&mut values), expected);
        }
    }

    #[test]
    fn every_coordinate_of_every_block_is_seen_once() {
        let wide: Vec<f64> = (0..2 * BLOCK + 7).map(|at| at as f64).collect();
        let found = by_coordinate(&[&wide, &wide, &wide], wide.len(), |values| values.iter().sum());
        assert!(found.iter().zip(&wide).all(|(&found, &at)| found == 3.0 * at));
    }
}
