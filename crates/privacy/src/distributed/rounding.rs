//! Rounding by chance to whole steps, drawn again while it makes a vector too long.

use rand::CryptoRng;

use crate::error::Error;

/// Roundings that are tried before one towards zero is taken, which never lengthens. With the largest beta that
/// happens once in 10^45 vectors.
const TRIES_MAX: u32 = 1000;
const BETA_MAX: f64 = 0.9;

/// Rounds each entry up or down so that it is right on average, and no vector becomes longer than a bound.
///
/// # Reference
/// Kairouz, Liu, Steinke 2021, section 4.1: Proposition 22, which is `Δ₂` of Theorem 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    squares_max: u64,
}

impl Rounding {
    /// Rounding of vectors of `n_padded` entries that are no longer than `steps`.
    ///
    /// `beta` is a chance: each try is kept with at least the rest of it. A larger one gives a tighter bound, more
    /// tries, and an average that is a little less right; the paper takes `e^(−1/2)`. With 0 every try is kept.
    ///
    /// # Errors
    /// [`Error::Parameter`] when beta is not from 0 to 0.9.
    pub fn new(steps: u32, n_padded: usize, beta: f64) -> Result<Self, Error> {
        if !(0.0..=BETA_MAX).contains(&beta) {
            let (name, must) = ("beta", "from 0 to 0.9");
            return Err(Error::Parameter { name, value: beta, must });
        }
        // The paper's c/gamma is the number of steps.
        let (c, d) = (f64::from(steps), n_padded as f64);
        let always = (c + d.sqrt()).powi(2);
        let often = c * c + d / 4.0 + (-2.0 * beta.ln()).sqrt() * (c + d.sqrt() / 2.0);
        Ok(Self { squares_max: always.min(often).floor() as u64 })
    }

    /// The squared length (L2) that no rounded vector is above, in steps. The account rests on this number.
    #[must_use]
    pub fn squares_max(&self) -> u64 {
        self.squares_max
    }

    /// A vector in steps, rounded; the bound holds whatever was given.
    #[must_use]
    pub fn round<R: CryptoRng>(&self, vector: &[f64], rng: &mut R) -> Vec<i64> {
        for _ in 0..TRIES_MAX {
            let rounded: Vec<i64> = vector.iter().map(|&value| either(value, rng)).collect();
            if self.is_within(&rounded) {
                return rounded;
            }
        }
        let towards_zero: Vec<i64> = vector.iter().map(|&value| value as i64).collect();
        if self.is_within(&towards_zero) { towards_zero } else { vec![0; vector.len()] }
    }

    /// Checked in integers, so that the sensitivity is a fact and no estimate.
    fn is_within(&self, rounded: &[i64]) -> bool {
        let squares = rounded.iter().map(|&count| u128::from(count.unsigned_abs()).pow(2));
        squares.fold(0u128, u128::saturating_add) <= u128::from(self.squares_max)
    }
}

/// The whole number below or above, the nearer one more often.
fn either<R: CryptoRng>(value: f64, rng: &mut R) -> i64 {
    let below = value.floor();
    let chance = value - below;
    let dice = (rng.next_u64() >> 11) as f64 * 0.5f64.powi(53);
    below as i64 + i64::from(dice < chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn generator(seed: u64) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(seed)
    }

    fn squares(rounded: &[i64]) -> u64 {
        rounded.iter().map(|x| x.unsigned_abs().pow(2)).sum()
    }

    #[test]
    fn bounds_are_the_papers() {
        let bound = |steps, n, beta| Rounding::new(steps, n, beta).expect("a bound").squares_max();
        // (100 + 32)² always; 100² + 1024/4 + 1 (100 + 16) with beta e^(−1/2), of which the root of −2 ln is 1.
        assert_eq!(bound(100, 1024, 0.0), 17_424);
        assert_eq!(bound(100, 1024, (-0.5f64).exp()), 10_372);
        // One entry: only rounding up by one step.
        assert_eq!(bound(100, 1, 0.0), 10_201);
        assert!(Rounding::new(100, 1, 1.0).is_err() && Rounding::new(100, 1, f64::NAN).is_err());
    }

    #[test]
    fn rounding_is_right_on_average() {
        let (rounding, rng) = (Rounding::new(100, 4, 0.0).expect("a bound"), &mut generator(3));
        let vector = [0.25, -7.9, 3.0, -0.5];
        let mut sums = [0i64; 4];
        for _ in 0..40_000 {
            for (sum, count) in sums.iter_mut().zip(rounding.round(&vector, rng)) {
                *sum += count;
            }
        }
        for (sum, value) in sums.iter().zip(vector) {
            // 4.5 standard deviations of at most a half.
            assert!((*sum as f64 / 40_000.0 - value).abs() < 4.5 * 0.5 / 200.0, "{sum} {value}");
        }
        assert_eq!(sums[2], 120_000);
    }

    #[test]
    fn tries_are_kept_as_often_as_promised() {
        // All entries half way: the vector that rounding lengthens most.
        let (beta, n) = ((-0.5f64).exp(), 256);
        let rounding = Rounding::new(8, n, beta).expect("a bound");
        let (vector, rng) = (vec![0.5; n], &mut generator(4));
        let mut kept = 0;
        for _ in 0..2000 {
            let tried: Vec<i64> = vector.iter().map(|&value| either(value, rng)).collect();
            kept += u32::from(rounding.is_within(&tried));
        }
        assert!(f64::from(kept) / 2000.0 >= 1.0 - beta, "{kept}");
        assert!(squares(&rounding.round(&vector, rng)) <= rounding.squares_max());
    }

    #[test]
    fn what_can_not_be_kept_is_rounded_towards_zero() {
        let (rounding, rng) = (Rounding::new(2, 4, 0.0).expect("a bound"), &mut generator(5));
        assert_eq!(rounding.round(&[1e9, 0.0, 0.0, 0.0], rng), [0; 4]);
        assert_eq!(rounding.round(&[f64::NAN, f64::INFINITY, 0.0, 0.0], rng), [0; 4]);
    }

    proptest! {
        #[test]
        fn no_rounded_vector_is_longer_than_the_bound(
            vector in prop::collection::vec(-50f64..50.0, 1..64),
            beta in 0.0f64..0.9,
            seed in 0u64..100,
        ) {
            let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            let rounding = Rounding::new(length.ceil() as u32, vector.len(), beta).expect("a bound");
            let rounded = rounding.round(&vector, &mut generator(seed));
            prop_assert!(squares(&rounded) <= rounding.squares_max());
            let near = |(count, value): (&i64, &f64)| (*count as f64 - value).abs() < 1.0;
            prop_assert!(rounded.iter().zip(&vector).all(near));
        }
    }
}
