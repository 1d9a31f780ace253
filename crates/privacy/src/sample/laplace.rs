//! The discrete Laplace distribution: integers whose chance falls by a constant factor with each step from 0.

use rand::CryptoRng;

use super::bernoulli::{below, bernoulli_exp};
use crate::error::Error;

/// Integers `x` with chance proportional to `e^(−|x| s/t)`.
///
/// # Reference
/// Canonne, Kamath, Steinke 2020, Algorithm 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscreteLaplace {
    t: u64,
    s: u64,
}

impl DiscreteLaplace {
    /// The distribution of scale `t/s`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when either is 0 or above 2^40.
    pub fn new(t: u64, s: u64) -> Result<Self, Error> {
        for (name, value) in [("scale's numerator", t), ("scale's denominator", s)] {
            if value == 0 || value > 1 << 40 {
                let must = "from 1 to 2^40";
                return Err(Error::Parameter { name, value: value as f64, must });
            }
        }
        Ok(Self { t, s })
    }

    /// One draw.
    pub fn sample<R: CryptoRng>(&self, rng: &mut R) -> i64 {
        loop {
            let size = self.geometric(rng) / self.s;
            let negative = below(2, rng) == 1;
            // 0 has one sign only.
            if !(negative && size == 0) {
                let size = size as i64;
                return if negative { -size } else { size };
            }
        }
    }

    /// A number from 0 on with chance proportional to `e^(−x/t)`.
    fn geometric<R: CryptoRng>(&self, rng: &mut R) -> u64 {
        let within = loop {
            let within = below(u128::from(self.t), rng);
            if bernoulli_exp(within, u128::from(self.t), rng) {
                break within as u64;
            }
        };
        let mut whole = 0;
        while bernoulli_exp(1, 1, rng) {
            whole += 1;
        }
        within + self.t * whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::fit::{check_fit, generator};

    #[test]
    fn draws_fit_the_exact_masses() {
        for (seed, (t, s)) in [(1, 1), (7, 2), (3, 1), (1, 2)].into_iter().enumerate() {
            let laplace = DiscreteLaplace::new(t, s).expect("a scale");
            let rng = &mut generator(seed as u64);
            let draws: Vec<i64> = (0..30_000).map(|_| laplace.sample(rng)).collect();
            check_fit(&draws, |x| (-(x.abs() as f64) * s as f64 / t as f64).exp());
        }
    }

    #[test]
    fn scales_that_mean_nothing_are_refused() {
        assert!(DiscreteLaplace::new(0, 1).is_err());
        assert!(DiscreteLaplace::new(1, 0).is_err());
        assert!(DiscreteLaplace::new((1 << 40) + 1, 1).is_err());
        assert!(DiscreteLaplace::new(1 << 40, 1 << 40).is_ok());
    }
}
