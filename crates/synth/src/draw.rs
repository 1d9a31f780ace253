//! Chance: a seeded stream of draws from the distributions that the sources name.
//!
//! The logarithm and the exponential are our own. The platform's differ in the last digit from one C library to the
//! next, and one digit is enough to move a packet by a nanosecond; with only +, −, ×, ÷ and √, which IEEE 754 defines
//! exactly, a seed gives the same bytes on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of draws is for: streams of different purposes never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Application profiles.
    Profile = 1,
    /// Clients.
    Client = 2,
    /// Which client does what, when.
    Plan = 3,
    /// What a session consists of.
    Session = 4,
    /// The messages of a conversation.
    Messages = 5,
    /// How a conversation is carried.
    Framing = 6,
    /// The four-class table.
    Table = 7,
}

/// A seeded stream of draws.
#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream number `index` for `purpose` under `seed`.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Fills `out` with uniform octets.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    /// `N` uniform octets.
    pub fn octets<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// Uniform in (0, 1), never an end.
    pub fn unit(&mut self) -> f64 {
        let k = (self.bits() >> 11) as f64;
        (k + 0.5) / 9_007_199_254_740_992.0
    }

    /// Whether an event of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // The bias of the multiply-shift is at most n / 2^64.
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// Uniform in `least..=most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Uniform in `low..high`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// One of `choices`.
    ///
    /// # Panics
    /// When `choices` is empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// Puts `items` in random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }

    /// Exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * ln(self.unit())
    }

    /// Normal, by Marsaglia's polar method.
    pub fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        loop {
            let x = 2.0 * self.unit() - 1.0;
            let y = 2.0 * self.unit() - 1.0;
            let s = x * x + y * y;
            if s > 0.0 && s < 1.0 {
                return mean + sd * x * (-2.0 * ln(s) / s).sqrt();
            }
        }
    }

    /// Normal, drawn again until it lies in `low..=high`; the nearer end after 64 misses.
    pub fn normal_within(&mut self, mean: f64, sd: f64, low: f64, high: f64) -> f64 {
        for _ in 0..64 {
            let x = self.normal(mean, sd);
            if x >= low && x <= high {
                return x;
            }
        }
        mean.clamp(low, high)
    }

    /// Lognormal: its logarithm is normal with `mu` and `sigma`.
    pub fn lognormal(&mut self, mu: f64, sigma: f64) -> f64 {
        exp(self.normal(mu, sigma))
    }

    /// Lognormal, drawn again until it lies in `low..=high`; the nearer end after 64 misses.
    pub fn lognormal_within(&mut self, mu: f64, sigma: f64, low: f64, high: f64) -> f64 {
        for _ in 0..64 {
            let x = self.lognormal(mu, sigma);
            if x >= low && x <= high {
                return x;
            }
        }
        exp(mu).clamp(low, high)
    }

    /// Pareto with shape `alpha` from `least`, all that lies above `most` put at `most` (the form of 3GPP2 C.R1002).
    pub fn pareto(&mut self, alpha: f64, least: f64, most: f64) -> f64 {
        (least * exp(-ln(self.unit()) / alpha)).min(most)
    }

    /// Largest extreme value (Gumbel): `a − b ln(−ln u)`, with mean `a + 0.5772 b` and deviation `π b / √6`.
    pub fn extreme(&mut self, a: f64, b: f64) -> f64 {
        a - b * ln(-ln(self.unit()))
    }
}

const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Natural logarithm of a positive, normal number, to about 1e-15 relative.
#[must_use]
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh(s), |s| ≤ 0.1716, so twelve terms leave less than 1e-19.
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let mut sum = 0.0;
    let mut k = 23.0;
    while k > 0.0 {
        sum = sum * s2 + 1.0 / k;
        k -= 2.0;
    }
    let e = exponent as f64;
    e * LN_2_HIGH + (e * LN_2_LOW + 2.0 * s * sum)
}

/// Exponential, to about 1e-15 relative; arguments beyond ±700 are taken as ±700.
#[must_use]
pub fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let k = (x / std::f64::consts::LN_2).round();
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // |r| ≤ 0.3466: sixteen Taylor terms leave less than 1e-18.
    let mut sum = 1.0;
    let mut n = 16.0;
    while n > 0.0 {
        sum = 1.0 + sum * r / n;
        n -= 1.0;
    }
    sum * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

/// A whole number of octets, at least `least`.
#[must_use]
pub fn whole(x: f64, least: u32) -> u32 {
    (x.max(0.0).round() as u32).max(least)
}

#[cfg(test)]
mod tests;
