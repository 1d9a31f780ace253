//! The geometric median: the point with the least sum of distances to all updates.

use rayon::prelude::*;

use crate::error::Error;
use crate::robust::coordinate::median;
use crate::robust::distance::squared_difference;
use crate::robust::updates::{Number, median_of};
use crate::robust::{Combined, RobustRule};

/// Coordinates that one task takes at a time. Each is added up whole by one task.
const BLOCK: usize = 1024;

/// The geometric median by smoothed Weiszfeld steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeometricMedian {
    search: Weiszfeld,
}

impl GeometricMedian {
    /// The geometric median, with a share `smoothing` of the median distance below which distances count as that.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `1e-9 <= smoothing <= 1`.
    pub fn new(smoothing: f64) -> Result<Self, Error> {
        // Updates have 32 bits, so a step below their rounding (6e-8) changes nothing that is given.
        Ok(Self { search: Weiszfeld::new(smoothing, 1e-9, 200)? })
    }
}

impl RobustRule for GeometricMedian {
    fn name(&self) -> &'static str {
        "geometric-median"
    }

    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error> {
        Ok(Combined::of_all(&geometric_median(updates, self.search)?, updates.len()))
    }
}

/// How the search for a geometric median is made. Lengths are shares of the median distance between the updates and
/// where the search starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weiszfeld {
    smoothing: f64,
    step_min: f64,
    steps_max: usize,
}

impl Weiszfeld {
    /// A search in which distances below `smoothing` (`ν`) count as that, so that a step from one of the updates is
    /// possible. It ends with a step no longer than `step_min`, or after `steps_max` steps.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `1e-9 <= smoothing <= 1`.
    pub fn new(smoothing: f64, step_min: f64, steps_max: usize) -> Result<Self, Error> {
        if (1e-9..=1.0).contains(&smoothing) {
            return Ok(Self { smoothing, step_min, steps_max });
        }
        let must = "between 1e-9 and 1";
        Err(Error::Parameter { name: "smoothing", value: smoothing, must })
    }
}

/// The point `z` with the least `Σ |z − x_i|`, or nearly: each step lowers the (smoothed) sum, so a search that ends
/// early gives a point that is better than where it began, which is the coordinate-wise median.
///
/// The published algorithm starts from the mean; a liar can put that as far away as a 32-bit number reaches, and the
/// search would need as many steps as it likes to come back.
///
/// # Shapes
/// `[n_clients][n_parameters]` to `[n_parameters]`.
/// # Errors
/// As [`RobustRule::combine`].
/// # Reference
/// Pillutla, Kakade, Harchaoui, *Robust Aggregation for Federated Learning*, IEEE Transactions on Signal Processing
/// 2022 (arXiv:1912.13445), Algorithm 2, with equal weights `α_i` and ν as a
/// share of the median distance.
pub fn geometric_median<T: Number>(updates: &[&[T]], search: Weiszfeld) -> Result<Vec<f64>, Error> {
    let mut z = median(updates)?;
    let mut lengths = lengths_from(updates, &z);
    let scale = median_of(lengths.clone());
    // At least half of the updates are where the search starts, so that is their geometric median.
    if scale == 0.0 {
        return Ok(z);
    }
    let nu = search.smoothing * scale;
    // The first step away from an update is about as long as the smoothing; it must not end the search.
    let step_min = scale * search.step_min.min(search.smoothing / 100.0);
    for _ in 0..search.steps_max {
        // β_i of the paper, in units of the scale so that nothing overflows.
        let beta: Vec<f64> = lengths.iter().map(|&length| scale / length.max(nu)).collect();
        let step = step(updates, &beta, &mut z);
        if step <= step_min {
            break;
        }
        lengths = lengths_from(updates, &z);
    }
    Ok(z)
}

fn lengths_from<T: Number>(updates: &[&[T]], z: &[f64]) -> Vec<f64> {
    let lengths = updates.par_iter().map(|update| {
        let mut wide = [0.0; BLOCK];
        let blocks = update.chunks(BLOCK).zip(z.chunks(BLOCK));
        let squares = blocks.map(|(update, z)| {
            for (wide, &value) in wide.iter_mut().zip(update) {
                *wide = value.into();
            }
            squared_difference(&wide[..z.len()], z)
        });
        squares.sum::<f64>().sqrt()
    });
    lengths.collect()
}

/// Moves `z` to the mean of the updates under the weights `beta`, and tells how far that was. It is reckoned as a move,
/// so that equal updates leave `z` exactly where it is.
fn step<T: Number>(updates: &[&[T]], beta: &[f64], z: &mut [f64]) -> f64 {
    let total: f64 = beta.iter().sum();
    let squares = z.par_chunks_mut(BLOCK).enumerate().map(|(block, z)| {
        let mut moves = [0.0; BLOCK];
        for (update, &weight) in updates.iter().zip(beta) {
            let update = &update[block * BLOCK..][..z.len()];
            for ((moved, z), &value) in moves.iter_mut().zip(&*z).zip(update) {
                *moved += weight * (value.into() - z);
            }
        }
        let mut square = 0.0;
        for (z, moved) in z.iter_mut().zip(&moves) {
            *z += moved / total;
            square += (moved / total) * (moved / total);
        }
        square
    });
    // Collected first: the order of the sum must not depend on threads.
    squares.collect::<Vec<f64>>().iter().sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(updates: &[&[f64]]) -> Vec<f64> {
        let search = Weiszfeld::new(1e-9, 1e-14, 5_000).expect("a smoothing");
        geometric_median(updates, search).expect("updates")
    }

    #[test]
    fn a_triangle_has_the_point_that_sees_its_sides_under_equal_angles() {
        // Fermat's point of an equilateral triangle is its centre.
        let height = 3f64.sqrt() / 2.0;
        let z = found(&[&[0.0, 0.0], &[1.0, 0.0], &[0.5, height]]);
        assert!((z[0] - 0.5).abs() < 1e-9 && (z[1] - height / 3.0).abs() < 1e-9, "{z:?}");
    }

    #[test]
    fn an_update_may_be_the_median() {
        // Where an angle is 120 degrees or more its corner is the answer; a plain step divides by 0 there.
        let z = found(&[&[0.0, 0.0], &[-1.0, 0.1], &[1.0, 0.1]]);
        assert!(z[0].abs() < 1e-6 && z[1].abs() < 1e-6, "{z:?}");
        let same = found(&[&[0.1, -7.0][..]; 4]);
        assert_eq!(same, [0.1, -7.0]);
        assert_eq!(found(&[&[2.0], &[2.0], &[9.0]]), [2.0]);
    }

    #[test]
    fn a_search_that_starts_on_an_update_leaves_it() {
        // The coordinate-wise median is the first update, the geometric one is not.
        let updates: [&[f64]; 5] =
            [&[0.0, 0.0], &[1.0, -0.1], &[0.1, 1.0], &[-0.1, 1.0], &[-1.0, -1.0]];
        assert_eq!(median(&updates).unwrap(), [0.0, 0.0]);
        for smoothing in [1e-9, 1e-6] {
            let search = Weiszfeld::new(smoothing, 1e-9, 5_000).expect("a smoothing");
            let z = geometric_median(&updates, search).expect("updates");
            // Where the sum of distances is least, the directions to all updates cancel.
            let directions = updates.map(|x| {
                let (x, y) = (x[0] - z[0], x[1] - z[1]);
                (x / x.hypot(y), y / x.hypot(y))
            });
            let sum = directions.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            assert!(f64::hypot(sum.0, sum.1) < 1e-5, "{z:?} {sum:?}");
        }
    }

    #[test]
    fn a_liar_as_far_away_as_numbers_go_is_bounded() {
        let far = [f32::MAX, f32::MIN];
        let rule = GeometricMedian::new(1e-6).expect("a smoothing");
        let combined = rule.combine(&[&[0.0, 1.0], &[1.0, 0.0], &[0.0, 0.0], &far, &[1.0, 1.0]]);
        let update = combined.expect("updates").update;
        assert!(update.iter().all(|value| (-0.5..1.5).contains(value)), "{update:?}");
    }

    #[test]
    fn a_smoothing_is_a_small_share() {
        for wrong in [0.0, -1.0, f64::NAN, 2.0] {
            assert!(GeometricMedian::new(wrong).is_err());
        }
    }
}
