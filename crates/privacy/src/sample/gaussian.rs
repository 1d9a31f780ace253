//! The discrete Gaussian: integers as likely as the Gaussian's density is high at them.

pub(super) mod weights;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::bernoulli::bernoulli_exp;
use super::inversion::Table;
use super::laplace::DiscreteLaplace;
use crate::error::Error;
use weights::Rational;

/// A parameter `sigma²` of the discrete Gaussian, as a fraction. The distribution's true variance is never above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fraction")]
pub struct Variance {
    numerator: u64,
    denominator: u64,
}

/// A variance as it stands in a file, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fraction {
    numerator: u64,
    denominator: u64,
}

impl TryFrom<Fraction> for Variance {
    type Error = Error;

    fn try_from(fraction: Fraction) -> Result<Self, Error> {
        Self::new(fraction.numerator, fraction.denominator)
    }
}

impl Variance {
    /// The largest denominator: with it and the largest variance every product of the sampler fits 128 bits.
    pub const DENOMINATOR_MAX: u64 = 1 << 12;
    /// The largest variance, of a standard deviation of four million steps.
    pub const MAX: u64 = 1 << 44;

    /// `numerator/denominator`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when one of them is 0, the denominator is above [`Self::DENOMINATOR_MAX`], or the fraction
    /// is above [`Self::MAX`].
    pub fn new(numerator: u64, denominator: u64) -> Result<Self, Error> {
        if denominator == 0 || denominator > Self::DENOMINATOR_MAX {
            let (name, must) = ("variance's denominator", "from 1 to 4096");
            return Err(Error::Parameter { name, value: denominator as f64, must });
        }
        if numerator == 0 || numerator > Self::MAX * denominator {
            let value = numerator as f64 / denominator as f64;
            return Err(Error::Parameter {
                name: "variance",
                value,
                must: "above 0 and at most 2^44",
            });
        }
        Ok(Self { numerator, denominator })
    }

    /// The least variance of this form whose root is not below a standard deviation: never less noise than was asked.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is no number, not above 0, or above 2^22.
    pub fn at_least(standard_deviation: f64) -> Result<Self, Error> {
        let wrong =
            |must| Error::Parameter { name: "standard deviation", value: standard_deviation, must };
        if !(standard_deviation > 0.0 && standard_deviation <= f64::from(1 << 22)) {
            return Err(wrong("above 0 and at most 2^22"));
        }
        // One unit in the last place more than the square, which may have been rounded down.
        let scaled =
            (standard_deviation * standard_deviation).next_up() * Self::DENOMINATOR_MAX as f64;
        let numerator = (scaled.ceil() as u64).min(Self::MAX * Self::DENOMINATOR_MAX);
        Self::new(numerator, Self::DENOMINATOR_MAX)
    }

    /// Numerator and denominator.
    #[must_use]
    pub fn fraction(self) -> (u64, u64) {
        (self.numerator, self.denominator)
    }

    /// As a number, for people and accounts.
    #[must_use]
    pub fn get(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

/// Integers `x` with chance proportional to `e^(−x²/(2 sigma²))`.
///
/// # Example
/// ```
/// use flowgait_privacy::sample::{DiscreteGaussian, Variance};
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha20Rng;
///
/// // In use: seeded by the operating system.
/// let mut rng = ChaCha20Rng::seed_from_u64(7);
/// let noise = DiscreteGaussian::new(Variance::new(25, 4)?);
/// let draws: Vec<i64> = (0..1000).map(|_| noise.sample(&mut rng)).collect();
/// let mean_square = draws.iter().map(|x| x * x).sum::<i64>() as f64 / 1000.0;
/// assert!((mean_square - 6.25).abs() < 1.5);
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
/// # Reference
/// By inversion up to a standard deviation of 1024, where a table of bounds is small; wider by parts (Ducas, Durmus,
/// Lepoint, Lyubashevsky, *Lattice Signatures and Bimodal Gaussians*, CRYPTO 2013); below 1/2 by Canonne,
/// Kamath, Steinke 2020, Algorithm 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscreteGaussian {
    variance: Variance,
    way: Way,
}

/// How draws are made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// One look into a table.
    Inversion(Table, Rational),
    /// A coarse part from the table of a Gaussian that is `k` times narrower, and a fine part below `k`.
    Parts { k: u64, coarse: Table, rational: Rational },
    /// About two proposals for a draw, at a scale `t`, a whole number just above sigma.
    Proposals { t: u64, laplace: DiscreteLaplace },
}

impl DiscreteGaussian {
    /// The distribution with this `sigma²`.
    #[must_use]
    pub fn new(variance: Variance) -> Self {
        let Variance { numerator, denominator } = variance;
        let whole = Rational { numerator, denominator };
        let way = if whole.is_narrow() {
            Self::by_proposals(variance)
        } else if whole.is_within(weights::TABLE_MAX) {
            Way::Inversion(Table::new(&whole), whole)
        } else {
            Self::by_parts(variance)
        };
        Self { variance, way }
    }

    fn by_parts(variance: Variance) -> Way {
        let Variance { numerator, denominator } = variance;
        let part = |k: u64| Rational { numerator, denominator: denominator * k * k };
        let mut k = 2;
        // At most 2^14, and the denominator at most 2^40.
        while !part(k).is_within(weights::PART_MAX) {
            k *= 2;
        }
        Way::Parts { k, coarse: Table::new(&part(k)), rational: part(k) }
    }

    fn by_proposals(variance: Variance) -> Way {
        let t = (variance.numerator / variance.denominator).isqrt() + 1;
        let laplace = DiscreteLaplace::new(t, 1).expect("the root of 2^44 is a scale");
        Way::Proposals { t, laplace }
    }

    /// One draw.
    #[inline]
    pub fn sample<R: CryptoRng>(&self, rng: &mut R) -> i64 {
        match &self.way {
            Way::Inversion(table, rational) => weights::signed(table.sample(rational, rng)),
            Way::Parts { k, coarse, rational } => loop {
                let part = weights::signed(coarse.sample(rational, rng));
                if let Some(draw) = self.with_fine_part(part, *k, rng) {
                    return draw;
                }
            },
            Way::Proposals { t, laplace } => loop {
                let proposal = laplace.sample(rng);
                if self.accepts(proposal.unsigned_abs(), *t, rng) {
                    return proposal;
                }
            },
        }
    }

    /// A size `z = k x + y` with a sign of its own. Its weight `e^(−z²/(2 sigma²))` is that of the coarse part `x`, from
    /// which it was drawn, times `e^(−y (y + 2 k x)/(2 sigma²))`, with which it is kept: nearly always. Negative coarse
    /// parts are dropped so that 0 counts once among them.
    fn with_fine_part<R: CryptoRng>(&self, coarse: i64, k: u64, rng: &mut R) -> Option<i64> {
        let x = u64::try_from(coarse).ok()?;
        let bits = rng.next_u64();
        let (is_negative, y) = (bits >> 63 == 1, bits % k);
        let size = k * x + y;
        let (a, b) = (u128::from(self.variance.numerator), u128::from(self.variance.denominator));
        let exponent = b * u128::from(y) * u128::from(y + 2 * k * x);
        if (is_negative && size == 0) || !bernoulli_exp(exponent, 2 * a, rng) {
            return None;
        }
        Some(if is_negative { -(size as i64) } else { size as i64 })
    }

    /// With chance `exp(−(|x| − sigma²/t)² / (2 sigma²))`, which over the denominator `b` of `sigma² = a/b` is
    /// `exp(−(|x| b t − a)² / (2 a b t²))`.
    fn accepts<R: CryptoRng>(&self, size: u64, t: u64, rng: &mut R) -> bool {
        let (a, b) = (u128::from(self.variance.numerator), u128::from(self.variance.denominator));
        let t = u128::from(t);
        let distance = (u128::from(size) * b * t).abs_diff(a);
        // Only a proposal beyond 256 sigma overflows, and it would be accepted with a chance below e^-30000.
        let Some(square) = distance.checked_mul(distance) else { return false };
        bernoulli_exp(square, 2 * a * b * t * t, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::fit::{check_fit, generator};

    /// Every way must draw from the same distribution.
    fn check(numerator: u64, denominator: u64, seed: u64) {
        let variance = Variance::new(numerator, denominator).expect("a variance");
        let mut ways =
            vec![DiscreteGaussian::new(variance).way, DiscreteGaussian::by_proposals(variance)];
        if variance.get() >= 16.0 {
            let rational = Rational { numerator, denominator: denominator * 16 };
            ways.push(Way::Parts { k: 4, coarse: Table::new(&rational), rational });
        }
        for way in ways {
            let (gaussian, rng) = (DiscreteGaussian { variance, way }, &mut generator(seed));
            let draws: Vec<i64> = (0..30_000).map(|_| gaussian.sample(rng)).collect();
            check_fit(&draws, |x| (-((x * x) as f64) / (2.0 * variance.get())).exp());
        }
    }

    #[test]
    fn draws_fit_the_exact_masses() {
        check(1, 1, 1);
        check(1, 10, 2);
        check(25, 4, 3);
        check(2000, 3, 4);
        check(20, 1, 5);
        check(40_000, 1, 6);
    }

    #[test]
    fn the_way_follows_from_the_variance() {
        let way = |numerator, denominator| {
            let variance = Variance::new(numerator, denominator).expect("a variance");
            DiscreteGaussian::new(variance).way
        };
        assert!(matches!(way(1, 5), Way::Proposals { t: 1, .. }));
        assert!(matches!(way(1, 4), Way::Inversion(..)));
        assert!(matches!(way(1 << 20, 1), Way::Inversion(..)));
        assert!(matches!(way((1 << 20) + 1, 1), Way::Parts { k: 8, .. }));
        assert!(matches!(way(1 << 56, 1 << 12), Way::Parts { k: 16_384, .. }));
    }

    #[test]
    fn the_largest_variance_is_drawn_from_too() {
        let variance = Variance::at_least(f64::from(1 << 22)).expect("a variance");
        let (gaussian, rng) = (DiscreteGaussian::new(variance), &mut generator(5));
        let square = |x: i64| (x as f64 / f64::from(1 << 22)).powi(2);
        let mean = (0..4000).map(|_| square(gaussian.sample(rng))).sum::<f64>() / 4000.0;
        // 4.5 standard deviations.
        assert!((mean - 1.0).abs() < 4.5 * (2f64 / 4000.0).sqrt(), "{mean}");
    }

    #[test]
    fn a_variance_is_rounded_up_and_never_down() {
        for deviation in [1e-3, 0.1, 1.0, 1.1, 12345.678, 4_194_304.0] {
            let variance = Variance::at_least(deviation).expect("a variance").get();
            assert!(variance >= deviation * deviation);
            assert!(variance <= deviation * deviation * (1.0 + 1e-12) + 2.0 / 4096.0);
        }
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 4_194_305.0] {
            assert!(Variance::at_least(wrong).is_err());
        }
        assert!(Variance::new(0, 1).is_err() && Variance::new(1, 0).is_err());
        assert!(Variance::new(1, 4097).is_err() && Variance::new((1 << 44) + 1, 1).is_err());
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let gaussian = DiscreteGaussian::new(Variance::new(9, 1).expect("a variance"));
        let draw = |seed| -> Vec<i64> {
            let rng = &mut generator(seed);
            (0..50).map(|_| gaussian.sample(rng)).collect()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
