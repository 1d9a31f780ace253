//! Norm clipping: nobody's update counts as longer than a bound.

use rayon::prelude::*;

use crate::error::Error;
use crate::robust::updates::{Number, check, median_of, weighted_sum};
use crate::robust::{Combined, RobustRule};

/// How long an update may be (L2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NormBound {
    /// As long as the median of the round's norms: no length needs to be known beforehand.
    MedianNorm,
    /// So long.
    Fixed(f64),
}

/// The mean of all updates, each shortened to a bound first.
///
/// It bounds what one liar can do, and no more: many that agree still pull the mean their way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormClipping {
    bound: NormBound,
}

impl NormClipping {
    /// Clipping to a bound.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless a fixed bound is finite and above 0.
    pub fn new(bound: NormBound) -> Result<Self, Error> {
        match bound {
            NormBound::Fixed(value) if !(value > 0.0 && value.is_finite()) => {
                Err(Error::Parameter { name: "norm bound", value, must: "finite and above 0" })
            }
            bound => Ok(Self { bound }),
        }
    }
}

impl RobustRule for NormClipping {
    fn name(&self) -> &'static str {
        "norm-clipping"
    }

    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error> {
        Ok(Combined::of_all(&clip_and_average(updates, *self)?, updates.len()))
    }
}

/// The mean of `x_i · min(1, bound / |x_i|)`.
///
/// # Shapes
/// `[n_clients][n_parameters]` to `[n_parameters]`.
/// # Errors
/// As [`RobustRule::combine`].
/// # Reference
/// Sun, Kairouz, Suresh, McMahan, *Can You Really Backdoor Federated Learning?*, 2019 (arXiv:1911.07963).
pub fn clip_and_average<T: Number>(
    updates: &[&[T]],
    rule: NormClipping,
) -> Result<Vec<f64>, Error> {
    let parameters = check(updates)?;
    let norms: Vec<f64> = updates.par_iter().map(|update| norm(update)).collect();
    let bound = match rule.bound {
        NormBound::MedianNorm => median_of(norms.clone()),
        NormBound::Fixed(bound) => bound,
    };
    let share = 1.0 / updates.len() as f64;
    // A norm of 0 is within any bound, so nothing is divided by it.
    let weight = |norm: f64| if norm <= bound { share } else { share * (bound / norm) };
    let weights: Vec<f64> = norms.into_iter().map(weight).collect();
    Ok(weighted_sum(updates, &weights, parameters))
}

fn norm<T: Number>(update: &[T]) -> f64 {
    let squares = update.iter().map(|&value| {
        let value: f64 = value.into();
        value * value
    });
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clipped(bound: NormBound, updates: &[&[f32]]) -> Vec<f32> {
        let rule = NormClipping::new(bound).expect("a bound");
        rule.combine(updates).expect("updates").update
    }

    #[test]
    fn only_what_is_too_long_is_shortened() {
        let updates: [&[f32]; 2] = [&[3.0, -4.0], &[0.6, 0.8]];
        // In 32 bits (0.6, 0.8) is a little longer than 1.
        let found = clipped(NormBound::Fixed(1.0), &updates);
        assert!((found[0] - 0.6).abs() < 1e-6 && found[1].abs() < 1e-6, "{found:?}");
        assert_eq!(clipped(NormBound::Fixed(9.0), &updates), [1.8, -1.6]);
        let found = clipped(NormBound::Fixed(1.0), &[&[f32::MAX; 4]]);
        assert!(found.iter().all(|value| (value - 0.5).abs() < 1e-6), "{found:?}");
        assert_eq!(clipped(NormBound::MedianNorm, &[&[0.0], &[0.0], &[5.0]]), [0.0]);
    }

    #[test]
    fn the_median_norm_is_a_bound_that_one_liar_does_not_set() {
        let updates: [&[f32]; 3] = [&[1.0, 0.0], &[0.0, 2.0], &[1e30, 0.0]];
        let found = clipped(NormBound::MedianNorm, &updates);
        assert!((found[0] - 1.0).abs() < 1e-6 && (found[1] - 2.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_bound_is_a_length() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(NormClipping::new(NormBound::Fixed(wrong)).is_err());
        }
    }
}
