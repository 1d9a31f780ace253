//! Whether one model is better than another, when their trials share training rows.

use serde::{Deserialize, Serialize};

/// A paired comparison of two models over the same trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// Mean of first minus second.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// The chance of a difference at least as large, either way, were there none.
    pub p_value: f64,
    /// Degrees of freedom: trials − 1.
    pub degrees: u32,
}

/// The corrected resampled t-test of `ours` against `theirs`, trial by trial; none for fewer than two trials or unequal numbers.
///
/// The trials of a cross-validation share most of their training rows, so the plain paired t-test sees differences that are not there.
/// The variance of the mean is therefore taken as (1/J + `test_per_train`) of the variance over the J trials.
///
/// # Reference
/// Nadeau and Bengio, *Inference for the Generalization Error*, Machine Learning 52, 2003, section 3, eq. 9; for repeated
/// cross-validation Bouckaert and Frank, PAKDD 2004.
#[must_use]
pub fn compare(ours: &[f64], theirs: &[f64], test_per_train: f64) -> Option<PairedTest> {
    let trials = ours.len();
    if trials < 2 || trials != theirs.len() {
        return None;
    }
    let differences: Vec<f64> =
        ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect();
    let count = trials as f64;
    let difference = differences.iter().sum::<f64>() / count;
    let variance =
        differences.iter().map(|d| (d - difference).powi(2)).sum::<f64>() / (count - 1.0);
    let error = ((1.0 / count + test_per_train) * variance).sqrt();
    let degrees = u32::try_from(trials - 1).ok()?;
    let half = error * student_quantile_95(degrees);
    let p_value = match (error > 0.0, difference == 0.0) {
        (true, _) => 1.0 - student_within(difference.abs() / error, degrees),
        // Every trial differs by the same: nothing at all, or something beyond doubt.
        (false, true) => 1.0,
        (false, false) => 0.0,
    };
    difference.is_finite().then_some(PairedTest {
        difference,
        low: difference - half,
        high: difference + half,
        p_value: p_value.clamp(0.0, 1.0),
        degrees,
    })
}

/// The chance that Student's t lies within ±`t`, for a whole number of degrees of freedom.
///
/// # Reference
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.7.3 (odd) and 26.7.4 (even).
fn student_within(t: f64, degrees: u32) -> f64 {
    let theta = (t / f64::from(degrees).sqrt()).atan();
    let (sin, cos) = theta.sin_cos();
    let odd = degrees % 2 == 1;
    let (mut term, mut sum) = if odd { (cos, cos) } else { (1.0, 1.0) };
    // The j-th factor is 2/3, 4/5, … for odd and 1/2, 3/4, … for even degrees.
    let terms = if odd { degrees.saturating_sub(1) / 2 } else { degrees / 2 };
    for j in 1..terms {
        let j = f64::from(2 * j);
        term *= cos * cos * if odd { j / (j + 1.0) } else { (j - 1.0) / j };
        sum += term;
    }
    match (odd, degrees) {
        (true, 1) => theta * std::f64::consts::FRAC_2_PI,
        (true, _) => (theta + sin * sum) * std::f64::consts::FRAC_2_PI,
        (false, _) => sin * sum,
    }
}

/// The t within which 95 % lies, found by halving.
fn student_quantile_95(degrees: u32) -> f64 {
    let (mut low, mut high) = (1.0, 16.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if student_within(middle, degrees) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(ours: f64, theirs: f64, tolerance: f64) {
        assert!((ours - theirs).abs() < tolerance, "{ours} {theirs}");
    }

    #[test]
    fn student_is_the_printed_table() {
        // Two-sided 5 % points, Abramowitz and Stegun table 26.10.
        let table = [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (9, 2.262),
            (24, 2.064),
            (30, 2.042),
            (120, 1.980),
        ];
        for (degrees, t) in table {
            near(student_quantile_95(degrees), t, 6e-4);
        }
        // Two-sided 1 % and 0.1 %.
        near(student_within(2.797, 24), 0.99, 1e-5);
        near(student_within(4.587, 10), 0.999, 1e-5);
        assert_eq!(student_within(0.0, 7), 0.0);
    }

    #[test]
    fn the_correction_widens_the_plain_test() {
        let ours = [0.80, 0.82, 0.79, 0.85, 0.81];
        let theirs = [0.78, 0.79, 0.80, 0.80, 0.79];
        // d = 0.02, 0.03, −0.01, 0.05, 0.02; mean 0.022; variance 0.00047.
        let plain = compare(&ours, &theirs, 0.0).unwrap();
        near(plain.difference, 0.022, 1e-12);
        // t = 0.022 / √(0.00047 / 5) = 2.26913; with 4 degrees, θ = atan(t / 2): p = 1 − sin θ (1 + cos² θ / 2) = 0.08581.
        near(plain.p_value, 0.085_81, 1e-5);
        let corrected = compare(&ours, &theirs, 0.25).unwrap();
        // The error grows by √(1 + 5 · 0.25) = 1.5.
        near((corrected.high - corrected.low) / (plain.high - plain.low), 1.5, 1e-9);
        assert!(corrected.p_value > plain.p_value);
        assert!(plain.low < 0.0 && plain.high > 0.0);
    }

    #[test]
    fn no_difference_and_no_doubt() {
        let even = compare(&[0.5, 0.6], &[0.5, 0.6], 0.25).unwrap();
        assert_eq!((even.difference, even.p_value), (0.0, 1.0));
        let sure = compare(&[0.75, 1.0], &[0.5, 0.75], 0.25).unwrap();
        assert_eq!((sure.difference, sure.low, sure.high, sure.p_value), (0.25, 0.25, 0.25, 0.0));
        assert_eq!(compare(&[0.5], &[0.4], 0.25), None);
        assert_eq!(compare(&[0.5, 0.6], &[0.4], 0.25), None);
    }
}
