//! Weights of the discrete Gaussian with any number of digits, as lower bounds.

use super::Variance;
use crate::sample::inversion::{Cumulative, Weights, add, product, scale, subtract};

/// The largest variance with a table: it has 40 000 entries then.
const VARIANCE_MAX: u64 = 1 << 20;

impl Variance {
    /// Whether it is wide enough for the bounds below to hold, and narrow enough for a table.
    pub(super) fn has_weights(self) -> bool {
        let (a, b) = self.fraction();
        4 * a >= b && a <= VARIANCE_MAX * b
    }
}

/// The integers in the order 0, 1, −1, 2, −2, …, in which weights fall.
pub fn signed(place: u64) -> i64 {
    let size = place.div_ceil(2) as i64;
    if place % 2 == 1 { size } else { -size }
}

impl Weights for Variance {
    /// With `q = e^(−1/(2 sigma²))` the weight of `k` is `q^(k²)`: each follows from the last times `q^(2k + 1)`, which
    /// follows from its last times `q²`. All are at most 1, so the errors of two factors add up in their product, and
    /// cutting it adds 1.
    fn cumulative(&self, limbs: usize) -> Cumulative {
        let (q, error_q) = exponential(*self, limbs);
        let square = times(&q, &q);
        let error_square = 2 * error_q + 1;
        let mut weight = vec![0; limbs];
        weight[limbs - 1] = 1;
        let mut sum = weight.clone();
        let mut sums = sum.clone();
        let (mut ratio, mut k) = (q, 0u64);
        loop {
            weight = times(&weight, &ratio);
            ratio = times(&ratio, &square);
            k += 1;
            if weight.iter().all(|&limb| limb == 0) {
                break;
            }
            for _sign in [1, -1] {
                add(&mut sum, &weight);
                sums.extend_from_slice(&sum);
            }
        }
        let error_ratio = error_q + k * (error_square + 1);
        let error_weight = k * (error_ratio + 1);
        // From k on, far above sigma, weights fall by e^(−1/sigma) at least: all together they are at most sigma + 1
        // times the first, which is below its error.
        let (a, b) = self.fraction();
        let tail = (a / b).isqrt() + 2;
        Cumulative { first: 0, limbs, sums, error: 2 * error_weight * (k + tail) }
    }
}

/// The product of two numbers of which `2^(64 (limbs − 1))` stands for 1, cut.
fn times(a: &[u64], b: &[u64]) -> Vec<u64> {
    let limbs = a.len();
    product(a, b)[limbs - 1..2 * limbs - 1].to_vec()
}

/// `e^(−x)` with `x = 1/(2 sigma²)` of at most 2, and how much it may be too low: by its series. A term is too low by
/// less than 3: its error is that of the last, times `x/j`, and 1 for rounding. Where terms round to 0 they at least
/// halve, so what is left of them is below 6.
fn exponential(variance: Variance, limbs: usize) -> (Vec<u64>, u64) {
    let (a, b) = variance.fraction();
    let mut term = vec![0; limbs];
    term[limbs - 1] = 1;
    let (mut even, mut odd) = (term.clone(), vec![0; limbs]);
    let mut j = 0;
    while term.iter().any(|&limb| limb != 0) {
        j += 1;
        scale(&mut term, b, 2 * a * j);
        add(if j % 2 == 0 { &mut even } else { &mut odd }, &term);
    }
    let doubt = 3 * j + 6;
    subtract(&mut even, &odd);
    let mut lowered = vec![0; limbs];
    lowered[0] = doubt;
    subtract(&mut even, &lowered);
    (even, 2 * doubt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::DiscreteGaussian;

    fn variance(numerator: u64, denominator: u64) -> Variance {
        Variance::new(numerator, denominator).expect("a variance")
    }

    #[test]
    fn the_exponential_is_below_and_within_its_error() {
        for (a, b) in [(1, 4), (1, 1), (5, 3), (1000, 1), (1 << 20, 1)] {
            let (q, error) = exponential(variance(a, b), 3);
            let found = q[1] as f64 / 2f64.powi(64) + q[2] as f64;
            assert!((found - (-(b as f64) / (2.0 * a as f64)).exp()).abs() < 1e-15);
            let (more, error_more) = exponential(variance(a, b), 6);
            let [low, high] =
                [&q[..], &more[3..]].map(|limbs| u128::from(limbs[1]) << 64 | u128::from(limbs[0]));
            assert!(high.abs_diff(low) <= u128::from(error) && error_more < 600);
        }
    }

    #[test]
    fn places_are_integers_once_each() {
        let found: Vec<i64> = (0..7).map(signed).collect();
        assert_eq!(found, [0, 1, -1, 2, -2, 3, -3]);
    }

    #[test]
    fn tables_are_made_where_they_are_small() {
        assert!(variance(1, 4).has_weights() && variance(1 << 20, 1).has_weights());
        assert!(!variance(1, 5).has_weights() && !variance((1 << 20) + 1, 1).has_weights());
        let narrow = DiscreteGaussian::new(variance(1, 5));
        assert!(narrow.table.is_none());
    }
}
