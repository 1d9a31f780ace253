//! Making the stated confidence true: one number that sharpens or blunts all probabilities.
//!
//! Trees that average their votes are too modest, margins may be anything. Probabilities are raised to a power and made to sum to 1
//! again; the power is the one under which the squared error on rows that were not learnt from is least (Brier's score). No answer changes, only
//! its confidence.
//!
//! # Reference
//! C. Guo, G. Pleiss, Y. Sun, K. Weinberger, *On calibration of modern neural networks*, ICML 2017, section 4.2; the power is one
//! over their temperature.

mod early;

use crate::error::Error;
use crate::training::Probabilities;

pub use early::EarlySharpness;

/// No probability is taken to be less than this: an estimator that never saw a class must not make a row impossible.
const LEAST: f32 = 1e-4;
/// Powers of two between which the power is looked for.
const EXPONENTS: std::ops::RangeInclusive<i32> = -4..=7;
/// Steps of the refinement, each of which leaves 0.62 of the interval.
const STEPS: usize = 18;

/// How much probabilities are sharpened (above 1) or blunted (below 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharpness(f32);

impl Sharpness {
    /// Probabilities as they are.
    pub const NONE: Self = Self(1.0);

    /// The sharpness under which some rows' squared error is least; 1 without rows.
    ///
    /// # Shapes
    /// `truth[i]` is the class of row i of `said`, which the estimator had not learnt from.
    /// # Errors
    /// [`Error::Length`] when they differ in number, [`Error::OutOfRange`] for a class that is none.
    pub fn fit(truth: &[u32], said: &Probabilities) -> Result<Self, Error> {
        if truth.len() != said.rows() {
            let (expected, got) = (said.rows(), truth.len());
            return Err(Error::Length { what: "true classes", expected, got });
        }
        crate::metrics::check_codes(truth, said.classes)?;
        if truth.is_empty() {
            return Ok(Self::NONE);
        }
        // By Brier's score: under the logarithm, the few rows whose class got no vote at all would decide, and forests stay too modest.
        let loss = |power: f32| -> f64 {
            let mut row = Vec::with_capacity(said.classes);
            let mut sum = 0.0;
            for (at, &class) in truth.iter().enumerate() {
                row.clear();
                row.extend_from_slice(said.row(at));
                raise(&mut row, power.exp2());
                let squares: f64 = row.iter().map(|p| f64::from(*p).powi(2)).sum();
                sum += squares - 2.0 * f64::from(row[class as usize]);
            }
            sum
        };
        Ok(Self(least(loss).exp2()))
    }

    /// A sharpness that was kept; none where it is not above 0 or is infinite.
    #[must_use]
    pub fn new(power: f32) -> Option<Self> {
        (power > 0.0 && power.is_finite()).then_some(Self(power))
    }

    /// The power.
    #[must_use]
    pub fn power(self) -> f32 {
        self.0
    }

    /// Sharpens all rows; 1 leaves them untouched.
    pub fn apply(self, said: &mut Probabilities) {
        if self != Self::NONE {
            said.values.chunks_mut(said.classes.max(1)).for_each(|row| raise(row, self.0));
        }
    }
}

/// Raises a row to a power and makes it sum to 1 again.
fn raise(row: &mut [f32], power: f32) {
    // From logarithms less the greatest, so that no power overflows.
    row.iter_mut().for_each(|p| *p = p.max(LEAST).ln());
    let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|p| *p = (power * (*p - greatest)).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
}

/// Where a function with one valley is least: a grid, then golden sections.
pub(crate) fn least(loss: impl Fn(f32) -> f64) -> f32 {
    let at = |exponent: i32| loss(exponent as f32);
    let coarse = EXPONENTS.min_by(|&a, &b| at(a).total_cmp(&at(b)));
    let coarse = coarse.expect("some exponents are tried") as f32;
    let golden = (5.0_f32.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (coarse - 1.0, coarse + 1.0);
    for _ in 0..STEPS {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modest_answers_are_sharpened_to_their_share() {
        // Of ten rows said to be 60 : 40, nine are right: odds of 1.5 to the power are odds of 9.
        let said = Probabilities { classes: 2, values: [0.6, 0.4].repeat(10) };
        let truth = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let sharpness = Sharpness::fit(&truth, &said).unwrap();
        assert!((sharpness.power() - 9.0_f32.ln() / 1.5_f32.ln()).abs() < 0.02, "{sharpness:?}");
        let mut sharpened = said;
        sharpness.apply(&mut sharpened);
        assert!((sharpened.row(0)[0] - 0.9).abs() < 0.001);
    }

    #[test]
    fn boasts_are_blunted_and_no_answer_changes() {
        let said = Probabilities { classes: 3, values: vec![1.0, 0.0, 0.0, 0.0, 0.9, 0.1] };
        let sharpness = Sharpness::fit(&[1, 1], &said).unwrap();
        assert!(sharpness.power() < 1.0);
        let mut blunted = said.clone();
        sharpness.apply(&mut blunted);
        for row in 0..2 {
            assert_eq!(blunted.best(row), said.best(row));
            assert!((blunted.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        assert!(Sharpness::fit(&[0], &said).is_err() && Sharpness::fit(&[0, 3], &said).is_err());
        assert!(Sharpness::new(0.0).is_none() && Sharpness::new(f32::NAN).is_none());
    }
}
