//! Weights of the discrete Gaussian with any number of digits, as lower bounds.

use crate::sample::inversion::{Cumulative, Weights, add, product, scale, subtract};

/// The largest variance with a table: it has 40 000 entries then.
pub const TABLE_MAX: u64 = 1 << 20;
/// The largest variance of a coarse part: its table fits the fastest memory, and nearly all of its draws are kept.
pub const PART_MAX: u64 = 1 << 16;

/// A `sigma²` as a fraction, of a numerator up to 2^56 and a denominator up to 2^40.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rational {
    pub numerator: u64,
    pub denominator: u64,
}

impl Rational {
    /// Below 1/4: the bounds below do not hold.
    pub fn is_narrow(self) -> bool {
        self.numerator < self.denominator.div_ceil(4)
    }

    pub fn is_within(self, most: u64) -> bool {
        u128::from(self.numerator) <= u128::from(most) * u128::from(self.denominator)
    }
}

/// The integers in the order 0, 1, −1, 2, −2, …, in which weights fall.
pub fn signed(place: u64) -> i64 {
    let size = place.div_ceil(2) as i64;
    if place % 2 == 1 { size } else { -size }
}

impl Weights for Rational {
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
        let Self { numerator: a, denominator: b } = *self;
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
/// less than 6: its error is that of the last, times `x/j`, and below 2 for rounding twice. Where terms round to 0 they
/// at least halve, so what is left of them is below 12.
fn exponential(variance: Rational, limbs: usize) -> (Vec<u64>, u64) {
    let Rational { numerator: a, denominator: b } = variance;
    let mut term = vec![0; limbs];
    term[limbs - 1] = 1;
    let (mut even, mut odd) = (term.clone(), vec![0; limbs]);
    let mut j = 0;
    while term.iter().any(|&limb| limb != 0) {
        j += 1;
        scale(&mut term, b, 2 * a);
        scale(&mut term, 1, j);
        add(if j % 2 == 0 { &mut even } else { &mut odd }, &term);
    }
    let doubt = 6 * j + 12;
    subtract(&mut even, &odd);
    let mut lowered = vec![0; limbs];
    lowered[0] = doubt;
    subtract(&mut even, &lowered);
    (even, 2 * doubt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_below_and_within_its_error() {
        for (numerator, denominator) in
            [(1, 4), (1, 1), (5, 3), (1000, 1), (1 << 20, 1), (1 << 56, 1 << 40)]
        {
            let variance = Rational { numerator, denominator };
            let (q, error) = exponential(variance, 3);
            let found = q[1] as f64 / 2f64.powi(64) + q[2] as f64;
            let expected = (-(denominator as f64) / (2.0 * numerator as f64)).exp();
            assert!((found - expected).abs() < 1e-15);
            let (more, error_more) = exponential(variance, 6);
            let last = |limbs: &[u64]| u128::from(limbs[1]) << 64 | u128::from(limbs[0]);
            assert_eq!(q[2], more[5]);
            assert!(last(&more[3..]) >= last(&q) && error_more < 2000);
            assert!(last(&more[3..]) - last(&q) <= u128::from(error));
        }
    }

    #[test]
    fn places_are_integers_once_each() {
        let found: Vec<i64> = (0..7).map(signed).collect();
        assert_eq!(found, [0, 1, -1, 2, -2, 3, -3]);
    }

    #[test]
    fn limits_are_met_exactly() {
        let rational = |numerator, denominator| Rational { numerator, denominator };
        assert!(!rational(1, 4).is_narrow() && rational(1, 5).is_narrow());
        assert!(rational(3, 13).is_narrow() && !rational(1000, 4000).is_narrow());
        assert!(rational(6, 2).is_within(3) && !rational(7, 2).is_within(3));
    }
}
