//! Rényi divergence of the Gaussian over a Poisson sample, at whole and at fractional orders.

use std::f64::consts::{LN_2, SQRT_2};

use crate::account::special::{ln_erfc, ln_exp_minus_one, ln_one_plus_exp, ln_sum};

/// A series that has not converged by then is dropped with its order.
const TERMS_MAX: u32 = 200_000;
/// Terms this far below the sum no longer matter (e^-36 is 2e-16).
const NEGLIGIBLE: f64 = -36.0;

/// The divergence at order `alpha` with sampling rate `q` below 1 and noise multiplier `z`; infinite when dropped.
pub fn divergence(alpha: f64, q: f64, z: f64) -> f64 {
    if q == 0.0 {
        return 0.0;
    }
    let ln_a = if alpha.fract() == 0.0 {
        ln_a_whole(alpha as u32, q, z)
    } else {
        ln_a_fractional(alpha, q, z)
    };
    ln_a.max(0.0) / (alpha - 1.0)
}

/// `ln A` at a whole order. The binomial weights add up to 1, so `A − 1` is a sum of positive terms in which no digits
/// cancel, however little a round costs.
fn ln_a_whole(alpha: u32, q: f64, z: f64) -> f64 {
    let mut ln_weight = f64::from(alpha) * (-q).ln_1p();
    let mut terms = Vec::with_capacity(alpha as usize);
    for k in 0..=alpha {
        if k >= 2 {
            let moment = f64::from(k) * f64::from(k - 1) / (2.0 * z * z);
            terms.push(ln_weight + ln_exp_minus_one(moment));
        }
        let ratio = f64::from(alpha - k) / f64::from(k + 1);
        ln_weight += ratio.ln() + q.ln() - (-q).ln_1p();
    }
    ln_one_plus_exp(ln_sum(&terms))
}

/// `ln A` at a fractional order: the integral is cut at `z0`, where both parts of the mixture weigh the same, and
/// each side is a binomial series. Past `alpha` its terms alternate in sign.
fn ln_a_fractional(alpha: f64, q: f64, z: f64) -> f64 {
    let z0 = z * z * (1.0 / q - 1.0).ln() + 0.5;
    let (ln_q, ln_rest) = (q.ln(), (-q).ln_1p());
    let moment = |k: f64| k * (k - 1.0) / (2.0 * z * z);
    let mut series = Series::default();
    let mut ln_binomial = 0.0;
    let mut sign = 1.0;
    for i in 0..TERMS_MAX {
        let k = f64::from(i);
        let j = alpha - k;
        let below = j * ln_rest + k * ln_q + moment(k) + ln_erfc((k - z0) / (SQRT_2 * z));
        let above = k * ln_rest + j * ln_q + moment(j) + ln_erfc((z0 - j) / (SQRT_2 * z));
        series.push(ln_binomial + below - LN_2, sign);
        series.push(ln_binomial + above - LN_2, sign);
        if k > alpha && ln_binomial + below.max(above) < series.largest + NEGLIGIBLE {
            return series.ln_upper();
        }
        ln_binomial += (j.abs() / (k + 1.0)).ln();
        sign *= j.signum();
    }
    f64::INFINITY
}

/// Signed terms given by their logarithms.
struct Series {
    terms: Vec<(f64, f64)>,
    largest: f64,
}

impl Default for Series {
    fn default() -> Self {
        Self { terms: Vec::new(), largest: f64::NEG_INFINITY }
    }
}

impl Series {
    fn push(&mut self, ln_term: f64, sign: f64) {
        self.largest = self.largest.max(ln_term);
        self.terms.push((ln_term, sign));
    }

    /// The sum, and above it what rounding may have taken away: a bound must not fall below the truth.
    fn ln_upper(&self) -> f64 {
        let (mut sum, mut size) = (0.0, 0.0);
        for &(ln_term, sign) in &self.terms {
            let term = (ln_term - self.largest).exp();
            sum += sign * term;
            size += term;
        }
        let rounding = 4.0 * f64::EPSILON * size;
        self.largest + (sum + rounding).max(f64::MIN_POSITIVE).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractional_orders_join_whole_ones() {
        for (q, z) in [(0.01, 1.0), (0.5, 0.7), (0.9, 2.0), (0.004, 8.0)] {
            for alpha in [2.0, 3.0, 7.0, 10.0] {
                let whole = divergence(alpha, q, z);
                let beside = divergence(alpha + 1e-7, q, z);
                let gap = (beside - whole).abs();
                assert!(gap < 1e-5 * whole + 1e-13, "{q} {z} {alpha}: {whole} {beside}");
            }
        }
    }

    #[test]
    fn divergence_rises_with_the_order() {
        for (q, z) in [(0.1, 1.0), (0.5, 4.0), (0.01, 0.5)] {
            let rising: Vec<f64> =
                super::super::orders().iter().map(|&alpha| divergence(alpha, q, z)).collect();
            assert!(rising.is_sorted(), "{q} {z}: {rising:?}");
        }
    }

    #[test]
    fn every_series_converges_even_under_the_least_noise() {
        for q in [1e-6, 0.5, 0.999] {
            let all = super::super::orders().iter().map(|&alpha| divergence(alpha, q, 0.01));
            assert!(all.into_iter().all(|each| each > 0.0 && each.is_finite()), "{q}");
        }
    }
}
