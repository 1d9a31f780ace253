//! Rényi divergence of the Gaussian over a cohort of fixed size, drawn without putting back.

use crate::account::special::{ln_add, ln_exp_minus_one, ln_one_plus_exp, ln_sum};
use std::f64::consts::{LN_2, PI};

/// The highest order whose bound uses differences of moments; above it only the moments themselves.
const DIFFERENCES_MAX: u32 = 256;
const LN_4: f64 = 2.0 * LN_2;

/// Theorem 27 of Wang, Balle, Kasiviswanathan 2019 for one sampling ratio `gamma` and noise multiplier `z`.
pub struct Bound {
    ln_gamma: f64,
    z: f64,
    /// `ln` of the forward difference of order 2 l of the moments at order 0, at place l.
    ln_differences: Vec<f64>,
}

impl Bound {
    pub fn new(gamma: f64, z: f64) -> Self {
        let evens = (0..=DIFFERENCES_MAX).step_by(2);
        let ln_differences = evens.map(|l| ln_difference(l, z)).collect();
        Self { ln_gamma: gamma.ln(), z, ln_differences }
    }

    /// The divergence at order `alpha`: between whole orders `ln A` is convex, so a chord lies above it (Corollary 10).
    pub fn divergence(&self, alpha: f64) -> f64 {
        let low = alpha.floor();
        let t = alpha - low;
        let mut ln_a = (1.0 - t) * self.ln_a(low as u32);
        if t > 0.0 {
            ln_a += t * self.ln_a(low as u32 + 1);
        }
        ln_a / (alpha - 1.0)
    }

    fn ln_a(&self, alpha: u32) -> f64 {
        let mut ln_binomial = 0.0;
        let mut terms = Vec::with_capacity(alpha as usize);
        for j in 0..=alpha {
            if j >= 2 {
                terms.push(ln_binomial + f64::from(j) * self.ln_gamma + self.ln_term(j, alpha));
            }
            ln_binomial += (f64::from(alpha - j) / f64::from(j + 1)).ln();
        }
        ln_one_plus_exp(ln_sum(&terms))
    }

    /// The `j`-th term without its binomial and its power of the ratio.
    fn ln_term(&self, j: u32, alpha: u32) -> f64 {
        let ln_moment = LN_2 + ln_moment(j, self.z);
        if j == 2 {
            return ln_moment.min(LN_4 + ln_exp_minus_one(1.0 / (self.z * self.z)));
        }
        if alpha > DIFFERENCES_MAX {
            return ln_moment;
        }
        let (below, above) = (j as usize / 2, j.div_ceil(2) as usize);
        let mean = (self.ln_differences[below] + self.ln_differences[above]) / 2.0;
        ln_moment.min(LN_4 + mean)
    }
}

/// `ln` of the `j`-th moment of the likelihood ratio: `(j − 1)` times the Gaussian's divergence at order `j`.
fn ln_moment(j: u32, z: f64) -> f64 {
    f64::from(j) * f64::from(j - 1) / (2.0 * z * z)
}

/// `ln` of the `l`-th forward difference of the moments at order 0, for even `l`.
///
/// Taken as a difference it would lose every digit (hundreds of them at order 256). But the moment of order `k` is the
/// mean of `L^k`, so the difference is the mean of `(L − 1)^l`, which is an integral over positive values: with
/// the trapezoid rule it is exact to rounding.
fn ln_difference(l: u32, z: f64) -> f64 {
    const STEP: f64 = 1.0 / 16.0;
    const REACH: f64 = 14.0;
    let power = f64::from(l);
    let steps = ((2.0 * REACH + power / z) / STEP) as u64;
    let mut sum = f64::NEG_INFINITY;
    for step in 0..=steps {
        let x = step as f64 * STEP - REACH;
        let loss = x / z - 1.0 / (2.0 * z * z);
        let value = -x * x / 2.0 + if l == 0 { 0.0 } else { power * ln_distance_from_one(loss) };
        if value > sum - 50.0 {
            sum = ln_add(sum, value);
        }
    }
    sum + STEP.ln() - (2.0 * PI).sqrt().ln()
}

/// `ln |e^loss − 1|`.
fn ln_distance_from_one(loss: f64) -> f64 {
    if loss > 0.0 { ln_exp_minus_one(loss) } else { (-loss.exp_m1()).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_moments_are_what_subtraction_gives_where_it_can() {
        let z = 1.0;
        let m: Vec<f64> = [0.0, 0.0, 1.0, 3.0, 6.0].iter().map(|c: &f64| c.exp()).collect();
        let second = m[2] - 2.0 * m[1] + m[0];
        let fourth = m[4] - 4.0 * m[3] + 6.0 * m[2] - 4.0 * m[1] + m[0];
        assert!(ln_difference(0, z).abs() < 1e-13);
        assert!((ln_difference(2, z) - second.ln()).abs() < 1e-12);
        assert!((ln_difference(4, z) - fourth.ln()).abs() < 1e-12);
    }
}
