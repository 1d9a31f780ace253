//! Draws that are the same on every machine, whatever a library of chance may change.

use rand_chacha::rand_core::Rng;

/// A number below `limit`, by multiplication; its bias is below `limit` / 2^32.
pub(crate) fn below(rng: &mut impl Rng, limit: usize) -> usize {
    ((u64::from(rng.next_u32()) * limit as u64) >> 32) as usize
}

/// Puts things into any order.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for at in (1..items.len()).rev() {
        items.swap(at, below(rng, at + 1));
    }
}

/// A number from 0 up to, but not including, 1, in steps of 2⁻²⁴.
pub(crate) fn unit(rng: &mut impl Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1_u32 << 24) as f32
}
