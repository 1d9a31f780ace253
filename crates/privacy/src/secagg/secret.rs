//! Thirty-two secret bytes, and the keys that are derived from them.

use std::fmt;

use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::error::Error;
use super::round::{ClientId, Round};

/// Thirty-two bytes that are wiped when dropped, and of which `Debug` shows nothing.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    pub(super) fn random<R: CryptoRng>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self(bytes)
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn from_slice(slice: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        if slice.len() != bytes.len() {
            return None;
        }
        bytes.copy_from_slice(slice);
        Some(Self(bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The X25519 public key of these bytes as a private key.
    pub(super) fn public_key(&self) -> PublicKey {
        PublicKey::from(&StaticSecret::from(*self.0))
    }

    /// What these bytes as a private key have in common with another's public key.
    ///
    /// # Errors
    /// [`Error::WeakKey`] when the public key forces a secret that anybody knows.
    /// # Reference
    /// RFC 7748, section 6.1.
    pub(super) fn agree(&self, theirs: &[u8; 32], who: ClientId) -> Result<Self, Error> {
        let shared = StaticSecret::from(*self.0).diffie_hellman(&PublicKey::from(*theirs));
        if !shared.was_contributory() {
            return Err(Error::WeakKey { client: who });
        }
        Ok(Self(Zeroizing::new(*shared.as_bytes())))
    }

    /// A key for one purpose between two clients, in this round and no other: the round is the salt.
    ///
    /// # Reference
    /// RFC 5869.
    pub(super) fn derive(
        &self,
        round: &Round,
        purpose: Purpose,
        from: ClientId,
        to: ClientId,
    ) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(round.context()), self.as_bytes());
        let mut key = Zeroizing::new([0; 32]);
        let (from, to) = (from.0.to_le_bytes(), to.0.to_le_bytes());
        let info = [purpose.label(), &from, &to];
        hkdf.expand_multi_info(&info, &mut *key).expect("a key is shorter than 255 hashes");
        Self(key)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a derived key is for. No key serves two purposes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    PairMask,
    SelfMask,
    Seal,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::PairMask => b"flowgait secagg pair mask",
            Self::SelfMask => b"flowgait secagg self mask",
            Self::Seal => b"flowgait secagg seal",
        }
    }
}
