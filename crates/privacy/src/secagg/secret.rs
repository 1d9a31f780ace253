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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secagg::{Degree, RoundParams, SigningKey};

    fn round(round: u64, run: u8) -> Round {
        let degree = Degree { neighbours: 3, threshold: 2 };
        let (entries, update_bound, noise_bound) = (4, 10, 0);
        let params =
            RoundParams { run: [run; 32], round, entries, update_bound, noise_bound, degree };
        let identity = |client| SigningKey::from_bytes(&[client; 32]).verifying_key();
        params.check((0..4).map(identity).collect()).expect("a round")
    }

    #[test]
    fn keys_differ_between_purposes_directions_pairs_rounds_and_runs() {
        let secret = Secret::from_bytes([5; 32]);
        let (first, second, other) = (round(1, 1), round(2, 1), round(1, 2));
        let derive = |round: &Round, purpose, from, to| {
            *secret.derive(round, purpose, ClientId(from), ClientId(to)).as_bytes()
        };
        let mut keys = vec![
            derive(&first, Purpose::Seal, 0, 1),
            derive(&first, Purpose::Seal, 1, 0),
            derive(&first, Purpose::Seal, 0, 2),
            derive(&first, Purpose::PairMask, 0, 1),
            derive(&first, Purpose::SelfMask, 0, 1),
            derive(&second, Purpose::Seal, 0, 1),
            derive(&other, Purpose::Seal, 0, 1),
        ];
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 7);
    }

    #[test]
    fn both_sides_agree_and_keys_of_low_order_are_refused() {
        let [one, other] = [[1; 32], [2; 32]].map(Secret::from_bytes);
        let [to_one, to_other] = [&one, &other].map(|key| key.public_key().to_bytes());
        let shared = one.agree(&to_other, ClientId(1)).expect("a key");
        let back = other.agree(&to_one, ClientId(0)).expect("a key");
        assert_eq!(shared.as_bytes(), back.as_bytes());
        // 0 and 1 are points of order 2 and 4.
        for low in [0, 1] {
            let mut point = [0; 32];
            point[0] = low;
            let refused = one.agree(&point, ClientId(7)).map(|_| ());
            assert_eq!(refused, Err(Error::WeakKey { client: ClientId(7) }));
        }
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", Secret::from_bytes([171; 32])), "Secret");
    }
}
