//! Rules that look at one coordinate at a time: the median and the trimmed mean.

use crate::error::Error;
use crate::robust::sorting::by_sorted_coordinate;
use crate::robust::updates::{Number, check, middle};
use crate::robust::{Combined, RobustRule};

/// The median of each coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Median;

impl RobustRule for Median {
    fn name(&self) -> &'static str {
        "median"
    }

    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error> {
        Ok(Combined::of_all(&median(updates)?, updates.len()))
    }
}

/// The mean of each coordinate without its smallest and largest values.
///
/// All clients are said to be kept: which of them are cut differs from coordinate to coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrimmedMean {
    beta: f64,
}

impl TrimmedMean {
    /// The trimmed mean that drops a share of `beta` on each side.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `0 <= beta < 0.5`.
    pub fn new(beta: f64) -> Result<Self, Error> {
        if (0.0..0.5).contains(&beta) {
            return Ok(Self { beta });
        }
        Err(Error::Parameter { name: "beta", value: beta, must: "at least 0 and below 0.5" })
    }
}

impl RobustRule for TrimmedMean {
    fn name(&self) -> &'static str {
        "trimmed-mean"
    }

    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error> {
        Ok(Combined::of_all(&trimmed_mean(updates, *self)?, updates.len()))
    }
}

/// The median of each coordinate; for an even count the mean of the two values in the middle.
///
/// # Shapes
/// `[n_clients][n_parameters]` to `[n_parameters]`.
/// # Errors
/// As [`RobustRule::combine`].
/// # Reference
/// Yin, Chen, Ramchandran, Bartlett, *Byzantine-Robust Distributed Learning*, ICML 2018 (arXiv:1803.01498),
/// Definition 1.
pub fn median<T: Number>(updates: &[&[T]]) -> Result<Vec<f64>, Error> {
    let parameters = check(updates)?;
    Ok(by_sorted_coordinate(updates, parameters, middle))
}

/// The mean of each coordinate without the `k = ⌊beta n⌋` smallest and the `k` largest values.
///
/// # Shapes
/// `[n_clients][n_parameters]` to `[n_parameters]`.
/// # Errors
/// As [`RobustRule::combine`].
/// # Reference
/// Yin et al. 2018, Definition 2.
pub fn trimmed_mean<T: Number>(updates: &[&[T]], rule: TrimmedMean) -> Result<Vec<f64>, Error> {
    let parameters = check(updates)?;
    let k = trimmed(rule.beta, updates.len());
    let within = k..updates.len() - k;
    Ok(by_sorted_coordinate(updates, parameters, |values| mean(&values[within.clone()])))
}

/// `⌊beta n⌋`, where 0.29 of 100 is 29 though the product of the two in binary is a little less. Some value is left.
fn trimmed(beta: f64, n: usize) -> usize {
    let k = (beta * n as f64 + 1e-9).floor() as usize;
    k.min((n - 1) / 2)
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_cut_as_a_person_would_count() {
        for (beta, n, expected) in [
            (0.0, 5, 0),
            (0.1, 9, 0),
            (0.1, 10, 1),
            (0.1, 30, 3),
            (0.29, 100, 29),
            (0.499_999_999_999, 4, 1),
            (0.4, 1, 0),
        ] {
            assert_eq!(trimmed(beta, n), expected, "{beta} of {n}");
        }
    }

    #[test]
    fn half_cannot_be_cut_on_each_side() {
        for wrong in [0.5, -0.1, f64::NAN, 2.0] {
            assert!(TrimmedMean::new(wrong).is_err());
        }
        let told = TrimmedMean::new(0.5).expect_err("a beta of one half").to_string();
        assert_eq!(told, "beta is 0.5, but must be at least 0 and below 0.5");
    }

    #[test]
    fn one_wild_value_in_five_moves_neither() {
        let updates: Vec<[f32; 1]> = vec![[1.0], [2.0], [3.0], [4.0], [1e30]];
        let updates: Vec<&[f32]> = updates.iter().map(|update| update.as_slice()).collect();
        assert_eq!(Median.combine(&updates).expect("updates").update, [3.0]);
        let rule = TrimmedMean::new(0.2).expect("a beta");
        let combined = rule.combine(&updates).expect("updates");
        assert_eq!((combined.update, combined.kept), (vec![3.0], vec![0, 1, 2, 3, 4]));
    }
}
