//! The Poisson distribution: how many of many unlikely things happen.

use rand::CryptoRng;

use super::inversion::{Cumulative, Table, Weights, add, scale};
use crate::error::Error;

/// A mean `lambda`, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mean {
    numerator: u64,
    denominator: u64,
}

impl Mean {
    /// The largest denominator.
    pub const DENOMINATOR_MAX: u64 = 1 << 13;
    /// The largest mean: its table has some 200 000 entries.
    pub const MAX: u64 = 1 << 27;

    /// `numerator/denominator`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when one of them is 0, the denominator is above [`Self::DENOMINATOR_MAX`], or the fraction
    /// is above [`Self::MAX`].
    pub fn new(numerator: u64, denominator: u64) -> Result<Self, Error> {
        if denominator == 0 || denominator > Self::DENOMINATOR_MAX {
            let (name, must) = ("mean's denominator", "from 1 to 8192");
            return Err(Error::Parameter { name, value: denominator as f64, must });
        }
        if numerator == 0 || numerator > Self::MAX * denominator {
            let (value, must) = (numerator as f64 / denominator as f64, "above 0 and at most 2^27");
            return Err(Error::Parameter { name: "mean", value, must });
        }
        Ok(Self { numerator, denominator })
    }

    /// As a number, for people and accounts.
    #[must_use]
    pub fn get(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl Weights for Mean {
    /// Weights are `lambda^k/k!` over that of the mode, which is `2^(64 (limbs − 1))`. Going out from the mode each
    /// follows from the last by a factor of at most 1, so roundings do not grow: after `j` of them a weight is less than
    /// `j + 1` too low.
    fn cumulative(&self, limbs: usize) -> Cumulative {
        let (a, b) = (self.numerator, self.denominator);
        let mode = a / b;
        let mut top = vec![0; limbs];
        top[limbs - 1] = 1;
        let below = descend(&top, (1..=mode).rev().map(|k| (b * k, a)));
        let above = descend(&top, (mode + 1..).map(|k| (a, b * k)));
        let (n_below, n_above) = (below.len() / limbs, above.len() / limbs);

        let mut sums = Vec::with_capacity((n_below + 1 + n_above) * limbs);
        let mut sum = vec![0; limbs];
        let weights = below.chunks_exact(limbs).rev().chain([&top[..]]);
        for weight in weights.chain(above.chunks_exact(limbs)) {
            add(&mut sum, weight);
            sums.extend_from_slice(&sum);
        }
        // Where a weight rounds to 0 it is below its number of steps, and so is each of those further down; further up
        // they fall by at least lambda/(k + 1) each, so that all of them are at most lambda + 1 times as many.
        let (n_below, n_above) = (n_below as u64 + 1, n_above as u64 + 1);
        let error = n_below * (n_below + mode) + n_above * (n_above + mode + 2);
        Cumulative { first: mode + 1 - n_below, limbs, sums, error }
    }
}

/// Weights after the top one, each times the next factor, until they round to 0.
fn descend(top: &[u64], factors: impl Iterator<Item = (u64, u64)>) -> Vec<u64> {
    let mut weight = top.to_vec();
    let mut weights = Vec::new();
    for (factor, divisor) in factors {
        scale(&mut weight, factor, divisor);
        if weight.iter().all(|&limb| limb == 0) {
            break;
        }
        weights.extend_from_slice(&weight);
    }
    weights
}

/// Numbers `k` from 0 on with chance `e^(−lambda) lambda^k/k!`, drawn exactly.
///
/// # Example
/// ```
/// use flowgait_privacy::sample::{Mean, Poisson};
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha20Rng;
///
/// // In use: seeded by the operating system.
/// let mut rng = ChaCha20Rng::seed_from_u64(7);
/// let poisson = Poisson::new(Mean::new(5, 2)?);
/// let draws: Vec<u64> = (0..1000).map(|_| poisson.sample(&mut rng)).collect();
/// let mean = draws.iter().sum::<u64>() as f64 / 1000.0;
/// assert!((mean - 2.5).abs() < 0.3);
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poisson {
    mean: Mean,
    table: Table,
}

impl Poisson {
    /// The distribution with this mean. Its table takes 20 numbers for each standard deviation.
    #[must_use]
    pub fn new(mean: Mean) -> Self {
        Self { mean, table: Table::new(&mean) }
    }

    /// One draw.
    #[inline]
    pub fn sample<R: CryptoRng>(&self, rng: &mut R) -> u64 {
        self.table.sample(&self.mean, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::fit::{check_fit_of, generator};

    fn check(numerator: u64, denominator: u64, seed: u64) {
        let mean = Mean::new(numerator, denominator).expect("a mean");
        let (poisson, rng) = (Poisson::new(mean), &mut generator(seed));
        let draws: Vec<i64> = (0..30_000).map(|_| poisson.sample(rng) as i64).collect();
        let ln = |k: i64| k as f64 * mean.get().ln() - libm::lgamma(k as f64 + 1.0);
        let mode = ln(mean.get() as i64);
        check_fit_of(&draws, mean.get(), |k| if k < 0 { 0.0 } else { (ln(k) - mode).exp() });
    }

    #[test]
    fn draws_fit_the_exact_masses() {
        check(1, 10, 1);
        check(1, 1, 2);
        check(7, 2, 3);
        check(2000, 3, 4);
        check(1500, 1, 5);
    }

    #[test]
    fn sums_are_weights_added_up() {
        // lambda 1: 1 and 1 and 1/2 and 1/6 …, of which 0 and 1 are both as likely as any.
        let cumulative = Mean::new(1, 1).expect("a mean").cumulative(2);
        let rows: Vec<f64> = cumulative
            .sums
            .chunks_exact(2)
            .map(|row| row[0] as f64 / 2f64.powi(64) + row[1] as f64)
            .collect();
        assert_eq!(cumulative.first, 0);
        let expected = [1.0, 2.0, 2.5, 2.5 + 1.0 / 6.0];
        assert!(rows.iter().zip(expected).all(|(row, sum)| (row - sum).abs() < 1e-15));
        assert!((rows[rows.len() - 1] - std::f64::consts::E).abs() < 1e-15);
        assert!(cumulative.error < 2000);
    }

    #[test]
    fn means_that_mean_nothing_are_refused() {
        assert!(Mean::new(0, 1).is_err() && Mean::new(1, 0).is_err());
        assert!(Mean::new(1, 8193).is_err() && Mean::new((1 << 27) + 1, 1).is_err());
        let largest = Poisson::new(Mean::new(1 << 27, 1).expect("the largest"));
        let rng = &mut generator(6);
        let off = |k: u64| (k as f64 - f64::from(1 << 27)) / f64::from(1 << 27).sqrt();
        let mean = (0..2000).map(|_| off(largest.sample(rng))).sum::<f64>() / 2000.0;
        assert!(mean.abs() < 4.5 / 2000f64.sqrt(), "{mean}");
    }
}
