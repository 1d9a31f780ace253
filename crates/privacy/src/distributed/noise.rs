//! The noise that each client adds for itself.

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::sample::{DiscreteGaussian, Skellam, Variance};

/// One client's share of the noise: its distribution, and how wide it is in steps.
///
/// Which one: sums of discrete Gaussians are accounted within rounding of one Gaussian from a standard deviation of
/// about 3 steps a client on. Sums of Skellam noise are Skellam noise again, however narrow each share is, and pay for
/// it where the whole noise is narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noise {
    /// A discrete Gaussian with this parameter `sigma²`, at least 1/4.
    DiscreteGaussian(Variance),
    /// Skellam noise of this variance `mu`, at most [`Skellam::VARIANCE_MAX`].
    Skellam(Variance),
}

/// A sampler of either.
#[derive(Debug, Clone)]
pub enum Sampler {
    DiscreteGaussian(DiscreteGaussian),
    Skellam(Skellam),
}

impl Noise {
    /// The variance of one share, in steps squared.
    #[must_use]
    pub fn variance(&self) -> Variance {
        match *self {
            Self::DiscreteGaussian(variance) | Self::Skellam(variance) => variance,
        }
    }

    /// The same kind of another variance.
    pub(super) fn of_variance(self, variance: Variance) -> Self {
        match self {
            Self::DiscreteGaussian(_) => Self::DiscreteGaussian(variance),
            Self::Skellam(_) => Self::Skellam(variance),
        }
    }

    /// Checked once where noise enters.
    pub(crate) fn check(self) -> Result<Self, Error> {
        let value = self.variance().get();
        let (is_legal, must) = match self {
            Self::DiscreteGaussian(_) => (value >= 0.25, "at least 1/4"),
            Self::Skellam(_) => (value <= Skellam::VARIANCE_MAX as f64, "at most 2^28"),
        };
        if !is_legal {
            return Err(Error::Parameter { name: "variance of a share", value, must });
        }
        Ok(self)
    }

    /// The logarithm of the mean of `e^(t x)`, or a number above it.
    ///
    /// # Reference
    /// The discrete Gaussian is no wider than the continuous one: Canonne, Kamath, Steinke 2020. Skellam:
    /// `mu (cosh t − 1)`, from the Poisson distribution's.
    pub(super) fn ln_moment(&self, t: f64) -> f64 {
        match self {
            Self::DiscreteGaussian(variance) => variance.get() * t * t / 2.0,
            // cosh t − 1 without the digits that would cancel.
            Self::Skellam(variance) => variance.get() * 2.0 * (t / 2.0).sinh().powi(2),
        }
    }

    pub(super) fn sampler(&self) -> Result<Sampler, Error> {
        Ok(match *self {
            Self::DiscreteGaussian(variance) => {
                Sampler::DiscreteGaussian(DiscreteGaussian::new(variance))
            }
            Self::Skellam(variance) => Sampler::Skellam(Skellam::new(variance)?),
        })
    }
}

impl Sampler {
    /// Adds one draw to each count.
    pub fn add<R: CryptoRng>(&self, counts: &mut [i64], rng: &mut R) {
        match self {
            Self::DiscreteGaussian(noise) => {
                counts.iter_mut().for_each(|count| *count += noise.sample(rng));
            }
            Self::Skellam(noise) => {
                counts.iter_mut().for_each(|count| *count += noise.sample(rng));
            }
        }
    }
}
