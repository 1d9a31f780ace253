//! One stream of chance for each purpose, round and client, so that neither the order of clients nor a restart changes what is drawn.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Purpose {
    Cohort = 1,
    Noise = 2,
    Learning = 3,
    Faults = 4,
    Lies = 5,
    Partition = 6,
    HeldOut = 7,
    Secrets = 8,
    Graph = 9,
    Rotation = 10,
    ClientNoise = 11,
    Packing = 12,
    Speed = 13,
    Beginners = 14,
}

/// The stream of a purpose; `client` is 0 where it is nobody's.
pub(crate) fn stream(seed: u64, purpose: Purpose, round: u64, client: u64) -> ChaCha20Rng {
    let mut key = [0_u8; 32];
    let numbers = [seed, purpose as u64, round, client];
    for (part, number) in key.chunks_exact_mut(8).zip(numbers) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha20Rng::from_seed(key)
}
