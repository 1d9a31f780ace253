//! The check of a round's updates, and their weighted sum.

use rayon::prelude::*;

use crate::error::Error;

/// A number that fits 64 bits: updates have 32, the references 64. Squares are reckoned in 64 bits too, which any
/// 32-bit number's fits; 64-bit ones may be as large as 1e150.
pub trait Number: Copy + Into<f64> + Send + Sync {}

impl<T: Copy + Into<f64> + Send + Sync> Number for T {}

/// Coordinates that one task adds up, alone and in the order of clients.
const BLOCK: usize = 1024;

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

/// `Σ w_i x_i`.
///
/// # Shapes
/// `updates` is `[n_clients][n_parameters]`, `weights` is `[n_clients]`, the result is `[n_parameters]`.
pub fn weighted_sum<T: Number>(updates: &[&[T]], weights: &[f64], parameters: usize) -> Vec<f64> {
    let mut sum = vec![0.0; parameters];
    sum.par_chunks_mut(BLOCK).enumerate().for_each(|(block, sum)| {
        for (update, weight) in updates.iter().zip(weights) {
            for (sum, &value) in sum.iter_mut().zip(&update[block * BLOCK..]) {
                *sum += weight * value.into();
            }
        }
    });
    sum
}

/// The middle one of sorted values; for an even count the mean of the two in the middle.
///
/// # Panics
/// When there are none.
pub fn middle(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    // The sum of two large numbers may not fit, their midpoint does.
    f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2])
}

/// The middle one of values in any order.
pub fn median_of(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    middle(&values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_that_is_wrong_is_named() {
        let fine = [1.0f32, 2.0];
        assert!(matches!(check::<f32>(&[]), Err(Error::NoUpdates)));
        assert_eq!(check(&[&fine, &fine]).unwrap(), 2);
        let short = check(&[&fine, &fine, &fine[..1]]);
        assert!(matches!(short, Err(Error::UpdateLength { client: 2, found: 1, expected: 2 })));
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let refused = check(&[&fine, &[0.0, wrong]]);
            assert!(matches!(refused, Err(Error::UpdateNotFinite { client: 1, at: 1, .. })));
        }
        let told = check(&[&[f32::NEG_INFINITY]]).expect_err("an infinite entry").to_string();
        assert_eq!(told, "entry 0 of the update of client 0 is -inf, but must be finite");
    }

    #[test]
    fn the_middle_of_an_even_count_lies_between_two() {
        for (values, expected) in [
            (vec![3.0], 3.0),
            (vec![9.0, 1.0], 5.0),
            (vec![5.0, -1.0, 2.0], 2.0),
            (vec![7.0, 1.0, 3.0, 2.0], 2.5),
            (vec![f64::MAX, f64::MAX], f64::MAX),
        ] {
            assert_eq!(median_of(values), expected);
        }
    }

    #[test]
    fn every_block_is_added_up() {
        let wide: Vec<f64> = (0..2 * BLOCK + 7).map(|at| at as f64).collect();
        let found = weighted_sum(&[&wide, &wide, &wide], &[1.0, 0.5, 2.0], wide.len());
        assert!(found.iter().zip(&wide).all(|(&found, &at)| found == 3.5 * at));
    }
}
