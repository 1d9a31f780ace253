//! The whole numbers below a power of two, in which sums are taken, and how many bits they need.

use crate::distributed::Noise;
use crate::error::Error;

/// Whole numbers modulo `2^bits`. Those from `2^(bits − 1)` on stand for negative ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    bits: u32,
}

/// What is summed in a ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// The most clients.
    pub clients: u32,
    /// The length of each one's vector before rounding, in steps.
    pub steps: u32,
    /// Entries of a rotated vector.
    pub n_padded: usize,
    /// What each one adds.
    pub noise: Noise,
    /// With which chance any entry of the sum may leave the ring.
    pub wrap_chance: f64,
}

impl Ring {
    /// The most bits: sums of that size still fit signed 64-bit numbers.
    pub const BITS_MAX: u32 = 62;

    /// The smallest ring for a load.
    pub(super) fn for_load(load: &Load, bits_max: u32) -> Result<Self, Error> {
        let reach = load.reach().ceil();
        // 2^(bits − 1) must be above the reach on both sides.
        let bits = (reach + 1.0).log2().ceil().max(1.0) as u32 + 1;
        let most = bits_max.min(Self::BITS_MAX);
        if bits > most {
            return Err(Error::Wraps { bits, most });
        }
        Ok(Self { bits })
    }

    /// Bits of a number in it.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The number in the ring that stands for a count.
    #[must_use]
    pub fn wrap(&self, count: i64) -> u64 {
        count as u64 & (u64::MAX >> (64 - self.bits))
    }

    /// The sum of two numbers in the ring.
    #[must_use]
    pub fn add(&self, a: u64, b: u64) -> u64 {
        self.wrap(a.wrapping_add(b) as i64)
    }

    /// The count from `−2^(bits − 1)` on that a number in the ring stands for.
    #[must_use]
    pub fn unwrap(&self, number: u64) -> i64 {
        let unused = 64 - self.bits;
        (number << unused) as i64 >> unused
    }

    /// The counts of a whole sum.
    pub(super) fn unwrap_all(&self, sum: &[u64]) -> Result<Vec<i64>, Error> {
        let bits = self.bits;
        if let Some((at, &value)) = sum.iter().enumerate().find(|&(_, &n)| n >> bits != 0) {
            return Err(Error::NotInRing { at, value, bits });
        }
        Ok(sum.iter().map(|&number| self.unwrap(number)).collect())
    }
}

impl Load {
    /// How far from 0 no entry of the sum is, but with the chance of a wrap-around: a Chernoff bound over the signs of
    /// the rotation and over the noise, for all entries and both sides at once.
    ///
    /// Rotated, an entry of the sum of `n` vectors is as narrow as a Gaussian of variance `(n c)²/d` (Kairouz, Liu,
    /// Steinke 2021, Lemma 29 with `rho = 1`). Where the paper counts rounding as noise, which a kept try distorts by
    /// `(1 − beta)^(−n)`, we count its worst case, one step a client: no distortion, and at most `n` steps more.
    fn reach(&self) -> f64 {
        let (n, c, d) = (f64::from(self.clients), f64::from(self.steps), self.n_padded as f64);
        let rotated = (n * c).powi(2) / d;
        let entries = (2.0 * d / self.wrap_chance).ln();
        // Every t proves its reach, so a search that stops early is still valid.
        let reach = |t: f64| (entries + rotated * t * t / 2.0 + n * self.noise.ln_moment(t)) / t;
        let wide = rotated + n * self.noise.variance().get();
        let near = (2.0 * entries / wide).sqrt();
        let tries = (-200..=40).map(|step| reach(near * 2f64.powf(f64::from(step) / 20.0)));
        let chance = tries.fold(f64::INFINITY, f64::min);
        n + chance * (1.0 + 1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Variance;
    use proptest::prelude::*;

    fn load(clients: u32, deviation: u64) -> Load {
        let variance = Variance::new(deviation * deviation, 1).expect("a variance");
        let noise = Noise::DiscreteGaussian(variance);
        Load { clients, steps: 100, n_padded: 1 << 14, noise, wrap_chance: 1e-6 }
    }

    #[test]
    fn the_reach_is_the_gaussians_where_there_is_a_closed_form() {
        let load = load(50, 20);
        let variance = (50.0f64 * 100.0).powi(2) / 16384.0 + 50.0 * 400.0;
        let expected = 50.0 + (2.0 * variance * (2.0 * 16384.0 / 1e-6f64).ln()).sqrt();
        assert!((load.reach() / expected - 1.0).abs() < 1e-3, "{} {expected}", load.reach());
        assert!(load.reach() >= expected);
    }

    #[test]
    fn more_clients_or_noise_need_more_bits_until_none_suffice() {
        let bits =
            |clients, deviation| Ring::for_load(&load(clients, deviation), 62).map(|r| r.bits());
        // 50 + 1 033 steps and their sign.
        assert_eq!(bits(50, 20), Ok(12));
        assert_eq!(bits(5000, 20), Ok(17));
        // 50 + 984 000 steps.
        assert_eq!(bits(50, 20_000), Ok(21));
        let refused = Ring::for_load(&load(5000, 20), 16);
        assert_eq!(refused, Err(Error::Wraps { bits: 17, most: 16 }));
        let far =
            Load { steps: 1 << 20, n_padded: 1, wrap_chance: 1e-300, ..load(1 << 20, 4 << 20) };
        assert!(Ring::for_load(&far, 62).is_ok_and(|ring| ring.bits() < 62));
    }

    #[test]
    fn numbers_outside_the_ring_are_refused() {
        let ring = Ring { bits: 4 };
        assert_eq!(ring.unwrap_all(&[0, 7, 8, 15]), Ok(vec![0, 7, -8, -1]));
        let refused = ring.unwrap_all(&[3, 16]);
        assert_eq!(refused, Err(Error::NotInRing { at: 1, value: 16, bits: 4 }));
    }

    proptest! {
        #[test]
        fn sums_within_the_ring_are_sums(a in -1000i64..1000, b in -1000i64..1000) {
            let ring = Ring { bits: 12 };
            prop_assert_eq!(ring.unwrap(ring.add(ring.wrap(a), ring.wrap(b))), a + b);
        }
    }
}
