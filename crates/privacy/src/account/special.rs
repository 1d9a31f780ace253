//! Special functions that keep their precision in the tails.

use std::f64::consts::{PI, SQRT_2};

/// The standard normal distribution below `x`, with relative precision in the lower tail.
pub fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// The standard normal mass between two ends, taken from the tail that is nearer so that no digits cancel there.
pub fn normal_between(low: f64, high: f64) -> f64 {
    if low > 0.0 {
        return normal_below(-low) - normal_below(-high);
    }
    normal_below(high) - normal_below(low)
}

/// `ln erfc(x)`, also where `erfc(x)` is below the smallest number.
pub fn ln_erfc(x: f64) -> f64 {
    // The asymptotic series is good to 1e-13 from here on; `erfc` itself fails above 26.
    const FAR: f64 = 20.0;
    if x < FAR {
        return libm::erfc(x).ln();
    }
    let y = 1.0 / (2.0 * x * x);
    let series = 1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y)));
    -x * x - (x * PI.sqrt()).ln() + series.ln()
}

/// `ln (e^a + e^b)`.
pub fn ln_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

/// `ln Σ e^term`.
pub fn ln_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()
}

/// `ln (1 + e^x)`.
pub fn ln_one_plus_exp(x: f64) -> f64 {
    ln_add(0.0, x)
}

/// `ln (e^x − 1)` for `x > 0`.
pub fn ln_exp_minus_one(x: f64) -> f64 {
    if x > 1.0 { x + (-(-x).exp()).ln_1p() } else { x.exp_m1().ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
            "{found} is not {expected}"
        );
    }

    #[test]
    fn ln_erfc_has_no_step_where_the_series_begins() {
        near(ln_erfc(0.0), 0.0);
        // erfc(-x) = 2 - erfc(x), and erfc(3) stands in every table.
        near(ln_erfc(-3.0), (2.0 - 2.209_049_699_858_544e-5f64).ln());
        let slope = (ln_erfc(20.000_001) - ln_erfc(19.999_999)) / 2e-6;
        assert!((slope + 40.05).abs() < 1e-3, "{slope}");
        near(ln_erfc(20.0), libm::erfc(20.0).ln());
        near(ln_erfc(25.0), libm::erfc(25.0).ln());
    }

    #[test]
    fn sums_in_log_space_neither_overflow_nor_vanish() {
        near(ln_add(1000.0, 1000.0), 1000.0 + 2f64.ln());
        near(ln_sum(&[-2000.0, -2000.0, f64::NEG_INFINITY]), -2000.0 + 2f64.ln());
        near(ln_exp_minus_one(1e-9), (1e-9f64).ln() + 5e-10);
        near(ln_exp_minus_one(800.0), 800.0);
        near(ln_one_plus_exp(-1000.0), 0.0);
        assert_eq!(ln_sum(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn normal_mass_keeps_its_digits_in_both_tails() {
        near(normal_between(-1.0, 1.0), 0.682_689_492_137_085_9);
        let (left, right) = (normal_between(-9.0, -8.0), normal_between(8.0, 9.0));
        assert!((left / right - 1.0).abs() < 1e-12 && left > 6.0e-16);
    }
}
