//! Shares on their way through the server, sealed for the one neighbour that may read them.
//!
//! An AEAD under a key from the pair's X25519 secret, as Bonawitz et al. 2017 have it, and not HPKE: both sides' keys are
//! fresh, signed and already there, so that HPKE's ephemeral key would only cost a second multiplication at each end for
//! each neighbour. A key seals one message in one direction of one round, so the nonce is constant.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use zeroize::Zeroizing;

use super::secret::Secret;
use super::share::ShareChecks;

/// Two shares and the tag.
pub(super) const SEALED_LEN: usize = 2 * 32 + 16;

/// Both shares for one neighbour, bound to what the server may check them against.
pub(super) fn seal(key: &Secret, checks: &ShareChecks, shares: [&Secret; 2]) -> [u8; SEALED_LEN] {
    let mut plain = Zeroizing::new([0; 64]);
    plain[..32].copy_from_slice(shares[0].as_bytes());
    plain[32..].copy_from_slice(shares[1].as_bytes());
    let payload = Payload { msg: &*plain, aad: &checks.to_bytes() };
    let sealed = cipher(key).encrypt(&Nonce::default(), payload);
    let sealed = sealed.expect("64 bytes are within the cipher's limits");
    sealed.try_into().expect("the tag has 16 bytes")
}

/// The two shares again, or nothing where anything was changed.
pub(super) fn open(
    key: &Secret,
    checks: &ShareChecks,
    sealed: &[u8; SEALED_LEN],
) -> Option<[Secret; 2]> {
    let payload = Payload { msg: sealed, aad: &checks.to_bytes() };
    let plain = Zeroizing::new(cipher(key).decrypt(&Nonce::default(), payload).ok()?);
    let (seed, key) = plain.split_at_checked(32)?;
    Some([Secret::from_slice(seed)?, Secret::from_slice(key)?])
}

fn cipher(key: &Secret) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(key.as_bytes().into())
}
