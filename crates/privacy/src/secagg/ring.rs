//! Whole numbers that wrap around at a power of two, wide enough that a sum of updates never does.

mod pack;

pub(super) use pack::{pack, packed_len, unpack};

use super::error::Error;

/// The integers modulo `2^bits`, with a bound on each client's entries under which no sum wraps.
///
/// # Example
/// ```
/// use flowgait_privacy::secagg::{Error, Ring};
///
/// // A hundred clients, each within 2^16 steps of a grid and 2^15 of noise.
/// let ring = Ring::for_sum(100, (1 << 16) + (1 << 15))?;
/// assert_eq!(ring.bits(), 25);
/// // 100 * 98304 < 2^24, half the ring.
/// assert!(matches!(Ring::for_sum(100, 1 << 30), Err(Error::RingTooSmall { bits: 38, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    bits: u32,
    bound: u64,
}

impl Ring {
    /// The smallest ring for the sum of `cohort` entries of at most `bound` in size: `cohort * bound < 2^(bits − 1)`.
    ///
    /// # Errors
    /// [`Error::RingTooSmall`] when that takes more than 32 bits; [`Error::Parameter`] for no clients or a bound of 0.
    pub fn for_sum(cohort: u32, bound: u64) -> Result<Self, Error> {
        let must = || "at least 1".to_owned();
        if cohort == 0 {
            return Err(Error::Parameter { name: "cohort", value: 0.0, must: must() });
        }
        if bound == 0 {
            return Err(Error::Parameter { name: "bound of an entry", value: 0.0, must: must() });
        }
        let largest = u128::from(cohort) * u128::from(bound);
        let bits = u128::BITS - largest.leading_zeros() + 1;
        if bits > u32::BITS {
            return Err(Error::RingTooSmall { cohort, bound, bits });
        }
        Ok(Self { bits, bound })
    }

    /// Bits of each entry on its way to the server.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// How large one client's entry may be.
    #[must_use]
    pub fn bound(self) -> u64 {
        self.bound
    }

    /// Entries as elements, exactly.
    ///
    /// # Errors
    /// [`Error::EntryOutOfRange`] for the first entry beyond the bound.
    pub fn encode(self, entries: &[i64]) -> Result<Vec<u32>, Error> {
        let encode = |(at, &value): (usize, &i64)| {
            if value.unsigned_abs() > self.bound {
                return Err(Error::EntryOutOfRange { at, value, bound: self.bound });
            }
            // The lowest bits of two's complement are the number modulo 2^bits.
            Ok(self.reduce(value as u32))
        };
        entries.iter().enumerate().map(encode).collect()
    }

    /// The number nearest to zero that an element stands for: the sum itself, since it is below half the ring.
    #[must_use]
    pub fn decode(self, element: u32) -> i64 {
        let unused = u32::BITS - self.bits;
        i64::from((element << unused) as i32 >> unused)
    }

    /// A number modulo `2^32` as an element: `2^bits` divides `2^32`, so sums may be reduced at the very end.
    pub(super) fn reduce(self, wide: u32) -> u32 {
        wide & (u32::MAX >> (u32::BITS - self.bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_widest_ring_is_used_to_its_last_bit() {
        // 2^31 - 1 is the largest sum that 32 bits hold with its sign.
        assert_eq!(Ring::for_sum(1, (1 << 31) - 1).map(Ring::bits), Ok(32));
        let refused = Ring::for_sum(1, 1 << 31).expect_err("one too many");
        assert_eq!(refused, Error::RingTooSmall { cohort: 1, bound: 1 << 31, bits: 33 });
        assert!(Ring::for_sum(u32::MAX, u64::MAX).is_err());
        assert!(Ring::for_sum(0, 1).is_err() && Ring::for_sum(1, 0).is_err());
        assert_eq!(Ring::for_sum(1, 1).map(Ring::bits), Ok(2));
    }

    #[test]
    fn an_entry_beyond_the_bound_is_an_error_and_never_wraps() {
        let ring = Ring::for_sum(3, 100).expect("a ring");
        assert!(ring.encode(&[100, -100, 0]).is_ok());
        for value in [101, -101, i64::MIN, i64::MAX, 1 << 32] {
            let refused = ring.encode(&[5, value]).expect_err("out of range");
            assert_eq!(refused, Error::EntryOutOfRange { at: 1, value, bound: 100 });
        }
    }

    proptest! {
        #[test]
        fn a_sum_of_entries_at_the_bound_comes_back(
            cohort in 1u32..2000,
            bound in 1u64..1 << 20,
            signs in prop::collection::vec(any::<bool>(), 1..40),
        ) {
            let ring = Ring::for_sum(cohort, bound).expect("a ring");
            prop_assert!(u64::from(cohort) * bound < 1 << (ring.bits() - 1));
            prop_assert!(u64::from(cohort) * bound >= 1 << (ring.bits() - 2));
            let bound = bound as i64;
            let entries: Vec<i64> = signs.iter().map(|&up| if up { bound } else { -bound }).collect();
            let elements = ring.encode(&entries).expect("entries at the bound");
            for (&element, &entry) in elements.iter().zip(&entries) {
                let sum = ring.reduce(element.wrapping_mul(cohort));
                prop_assert_eq!(ring.decode(sum), entry * i64::from(cohort));
            }
        }
    }
}
