//! A random rotation that spreads a vector evenly over its entries, and the way back.

use std::f64::consts::FRAC_1_SQRT_2;
use std::ops::{Add, Mul, Neg, Sub};

use rand::Rng;

use crate::error::Error;

/// The most entries of a vector, padded.
pub const ENTRIES_MAX: usize = 1 << 26;

/// Numbers that can be rotated: `f32` and `f64`.
pub trait Entry:
    Copy + Default + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// The nearest such number.
    fn nearest(value: f64) -> Self;
}

impl Entry for f32 {
    fn nearest(value: f64) -> Self {
        value as Self
    }
}

impl Entry for f64 {
    fn nearest(value: f64) -> Self {
        value
    }
}

/// Random signs, then a Walsh–Hadamard transform: a rotation after which no entry is much larger than the others.
///
/// It hides nothing and may be public. It must not be chosen before the vectors are, or by whoever chooses them: the
/// bound on wrap-around is a chance over the signs.
///
/// # Shapes
/// Vectors of `n_entries` become vectors of `n_padded`, the next power of two.
/// # Reference
/// Kairouz, Liu, Steinke, *The Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation*,
/// ICML 2021 (arXiv 2102.06387), Algorithm 1 and Lemma 29.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    n_entries: usize,
    n_padded: usize,
    /// A bit an entry: negative where it is set.
    signs: Vec<u64>,
}

impl Rotation {
    /// The rotation of a round. Every client and the server give a generator of the same kind from the same seed.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there are no entries, or more than [`ENTRIES_MAX`].
    pub fn new<R: Rng>(n_entries: usize, rng: &mut R) -> Result<Self, Error> {
        let n_padded = padded(n_entries)?;
        let signs = (0..n_padded.div_ceil(64)).map(|_| rng.next_u64()).collect();
        Ok(Self { n_entries, n_padded, signs })
    }

    /// Entries of a vector that is not rotated.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.n_entries
    }

    /// Entries of a rotated vector.
    #[must_use]
    pub fn n_padded(&self) -> usize {
        self.n_padded
    }

    /// Pads a vector with zeros and rotates it. Its length (L2) stays, to rounding.
    ///
    /// # Errors
    /// [`Error::Length`] when it has not `n_entries`.
    pub fn rotate<T: Entry>(&self, vector: &[T]) -> Result<Vec<T>, Error> {
        is_length(vector.len(), self.n_entries)?;
        let mut rotated = Vec::with_capacity(self.n_padded);
        rotated.extend_from_slice(vector);
        rotated.resize(self.n_padded, T::default());
        self.turn_signs(&mut rotated);
        transform(&mut rotated);
        Ok(rotated)
    }

    /// The vector that was rotated, to rounding.
    ///
    /// # Errors
    /// [`Error::Length`] when it has not `n_padded` entries.
    pub fn unrotate<T: Entry>(&self, mut rotated: Vec<T>) -> Result<Vec<T>, Error> {
        is_length(rotated.len(), self.n_padded)?;
        transform(&mut rotated);
        self.turn_signs(&mut rotated);
        rotated.truncate(self.n_entries);
        Ok(rotated)
    }

    fn turn_signs<T: Entry>(&self, vector: &mut [T]) {
        for (part, &signs) in vector.chunks_mut(64).zip(&self.signs) {
            for (bit, value) in part.iter_mut().enumerate() {
                if signs >> bit & 1 == 1 {
                    *value = -*value;
                }
            }
        }
    }
}

/// How many entries a vector has once it is padded.
pub(crate) fn padded(n_entries: usize) -> Result<usize, Error> {
    if n_entries == 0 || n_entries > ENTRIES_MAX {
        let (name, must) = ("number of entries", "from 1 to 2^26");
        return Err(Error::Parameter { name, value: n_entries as f64, must });
    }
    Ok(n_entries.next_power_of_two())
}

pub(super) fn is_length(found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { expected, found }) }
}

/// The Walsh–Hadamard transform, scaled so that it is its own inverse.
fn transform<T: Entry>(vector: &mut [T]) {
    let mut half = 1;
    while half < vector.len() {
        for pair in vector.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    // A power of two is exact; where the number of doublings is odd, half a power remains.
    let doublings = vector.len().trailing_zeros();
    let rest = if doublings % 2 == 1 { FRAC_1_SQRT_2 } else { 1.0 };
    let scale = T::nearest(rest * 0.5f64.powi((doublings / 2) as i32));
    vector.iter_mut().for_each(|value| *value = *value * scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn rotation(n_entries: usize, seed: u64) -> Rotation {
        Rotation::new(n_entries, &mut ChaCha20Rng::seed_from_u64(seed)).expect("a rotation")
    }

    #[test]
    fn the_transform_is_the_matrix_of_signs() {
        // An entry of the Hadamard matrix is negative where row and column share an odd number of bits.
        for n in [1usize, 2, 8, 32] {
            for column in 0..n {
                let mut unit = vec![0.0f64; n];
                unit[column] = 1.0;
                transform(&mut unit);
                for (row, &found) in unit.iter().enumerate() {
                    let sign = if (row & column).count_ones() % 2 == 1 { -1.0 } else { 1.0 };
                    assert!((found - sign / (n as f64).sqrt()).abs() < 1e-15);
                }
            }
        }
    }

    #[test]
    fn one_large_entry_is_spread_over_all() {
        let mut update = vec![0.0f64; 1000];
        update[17] = 3.0;
        let rotated = rotation(1000, 1).rotate(&update).expect("a vector");
        assert_eq!(rotated.len(), 1024);
        assert!(rotated.iter().all(|value| (value.abs() - 3.0 / 32.0).abs() < 1e-12));
    }

    #[test]
    fn other_seeds_rotate_otherwise_and_lengths_are_checked() {
        assert_eq!(rotation(100, 1), rotation(100, 1));
        assert_ne!(rotation(100, 1), rotation(100, 2));
        let refused = rotation(100, 1).rotate(&[0.0f32; 99]);
        assert_eq!(refused, Err(Error::Length { expected: 100, found: 99 }));
        assert!(rotation(100, 1).unrotate(vec![0.0f32; 100]).is_err());
        assert!(padded(0).is_err() && padded(ENTRIES_MAX + 1).is_err());
        assert_eq!(padded(ENTRIES_MAX), Ok(ENTRIES_MAX));
    }

    proptest! {
        #[test]
        fn unrotating_undoes_and_lengths_stay(
            vector in prop::collection::vec(-1e3f64..1e3, 1..300),
            seed in 0u64..1000,
        ) {
            let rotation = rotation(vector.len(), seed);
            let rotated = rotation.rotate(&vector).expect("a vector");
            let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
            prop_assert!((length(&rotated) - length(&vector)).abs() <= 1e-12 * length(&vector));
            let back = rotation.unrotate(rotated).expect("a vector");
            prop_assert!(back.iter().zip(&vector).all(|(a, b)| (a - b).abs() < 1e-9));
            let small: Vec<f32> = vector.iter().map(|&value| value as f32).collect();
            let back = rotation.unrotate(rotation.rotate(&small).expect("a vector"));
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 0.02;
            prop_assert!(back.expect("a vector").iter().zip(&small).all(near));
        }
    }
}
