//! Masks: streams of ring elements that two clients, or one, can draw again from a key.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

use super::round::{ClientId, Round};
use super::secret::{Purpose, Secret};

/// Stream that is drawn at a time; it stays in the first cache.
const BLOCK_BYTES: usize = 4096;

/// Whether a mask is put on or taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

impl Sign {
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Plus => Self::Minus,
            Self::Minus => Self::Plus,
        }
    }
}

/// The mask that `client` adds for its neighbour: what one of them adds, the other takes away.
///
/// # Reference
/// Bonawitz et al. 2017: `+ PRG(s_uv)` for `u < v`, `−` for `u > v`.
pub(super) fn pair(
    round: &Round,
    shared: &Secret,
    client: ClientId,
    neighbour: ClientId,
) -> (Secret, Sign) {
    let (low, high) = (client.min(neighbour), client.max(neighbour));
    let sign = if client == low { Sign::Plus } else { Sign::Minus };
    (shared.derive(round, Purpose::PairMask, low, high), sign)
}

/// The key of the mask that only the client itself knows.
pub(super) fn own(round: &Round, seed: &Secret, client: ClientId) -> Secret {
    seed.derive(round, Purpose::SelfMask, client, client)
}

/// Adds or subtracts a key's whole mask, modulo `2^32`.
pub(super) fn apply(key: &Secret, sign: Sign, elements: &mut [u32]) {
    // A key makes one mask, so the nonce has nothing to tell apart.
    let mut stream = ChaCha20::new(key.as_bytes().into(), &[0; 12].into());
    let mut block = Zeroizing::new([0u8; BLOCK_BYTES]);
    for elements in elements.chunks_mut(BLOCK_BYTES / 4) {
        let block = &mut block[..elements.len() * 4];
        stream.write_keystream(block);
        let (words, _) = block.as_chunks::<4>();
        for (element, word) in elements.iter_mut().zip(words) {
            let word = u32::from_le_bytes(*word);
            *element = match sign {
                Sign::Plus => element.wrapping_add(word),
                Sign::Minus => element.wrapping_sub(word),
            };
        }
    }
}
