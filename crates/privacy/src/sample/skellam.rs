//! The Skellam distribution: one Poisson number less another.

use rand::CryptoRng;

use super::Variance;
use super::poisson::{Mean, Poisson};
use crate::error::Error;

/// Integers with chance `e^(−mu) I_|x|(mu)`, of variance `mu`. Sums of them are Skellam again, of the variances' sum.
///
/// # Example
/// ```
/// use flowgait_privacy::sample::{Skellam, Variance};
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha20Rng;
///
/// // In use: seeded by the operating system.
/// let mut rng = ChaCha20Rng::seed_from_u64(7);
/// let noise = Skellam::new(Variance::new(25, 4)?)?;
/// let draws: Vec<i64> = (0..1000).map(|_| noise.sample(&mut rng)).collect();
/// let mean_square = draws.iter().map(|x| x * x).sum::<i64>() as f64 / 1000.0;
/// assert!((mean_square - 6.25).abs() < 1.5);
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
/// # Reference
/// Agarwal, Kairouz, Liu, *The Skellam Mechanism for Differentially Private Federated Learning*, NeurIPS 2021.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skellam {
    half: Poisson,
}

impl Skellam {
    /// The largest variance, of a standard deviation of 16 384 steps.
    pub const VARIANCE_MAX: u64 = 2 * Mean::MAX;

    /// The distribution of this variance.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is above [`Self::VARIANCE_MAX`].
    pub fn new(variance: Variance) -> Result<Self, Error> {
        let (numerator, denominator) = variance.fraction();
        if numerator > Self::VARIANCE_MAX * denominator {
            let (name, must) = ("variance of Skellam noise", "at most 2^28");
            return Err(Error::Parameter { name, value: variance.get(), must });
        }
        Ok(Self { half: Poisson::new(Mean::new(numerator, 2 * denominator)?) })
    }

    /// One draw.
    #[inline]
    pub fn sample<R: CryptoRng>(&self, rng: &mut R) -> i64 {
        self.half.sample(rng) as i64 - self.half.sample(rng) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::fit::{check_fit, generator, ln_bessel};

    fn check(numerator: u64, denominator: u64, shares: u64, seed: u64) {
        let variance = Variance::new(numerator, denominator).expect("a variance");
        let (skellam, rng) = (Skellam::new(variance).expect("one"), &mut generator(seed));
        let sum = |_| (0..shares).map(|_| skellam.sample(rng)).sum();
        let draws: Vec<i64> = (0..30_000).map(sum).collect();
        let ln = ln_bessel(variance.get() * shares as f64, 4000);
        check_fit(&draws, |x| ln[x.unsigned_abs() as usize].exp());
    }

    #[test]
    fn draws_fit_the_exact_masses() {
        check(1, 1, 1, 1);
        check(1, 10, 1, 2);
        check(25, 4, 1, 3);
        check(2000, 3, 1, 4);
    }

    #[test]
    fn sums_of_shares_are_skellam_too() {
        check(1, 4, 3, 5);
        check(40, 1, 5, 6);
    }

    #[test]
    fn variances_above_the_limit_are_refused() {
        let new = |numerator| Skellam::new(Variance::new(numerator, 1).expect("a variance"));
        assert!(new(Skellam::VARIANCE_MAX + 1).is_err());
        let (largest, rng) = (new(Skellam::VARIANCE_MAX).expect("one"), &mut generator(7));
        let square = |x: i64| (x as f64).powi(2) / Skellam::VARIANCE_MAX as f64;
        let mean = (0..4000).map(|_| square(largest.sample(rng))).sum::<f64>() / 4000.0;
        assert!((mean - 1.0).abs() < 4.5 * (2f64 / 4000.0).sqrt(), "{mean}");
    }
}
