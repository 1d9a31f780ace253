//! Shamir's shares of a secret, and hashes by which a wrong one is known.
//!
//! The field is GF(2^8), byte by byte, from `vsss-rs`: no table lookups, coefficients over the whole field, and at most
//! 255 shares. It was audited in 2026, and the findings (biased coefficients) are fixed in the version used here. Combining
//! knows no threshold and gives nonsense below it, so that everything combined here is held against a hash or a public key.

use rand::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use vsss_rs::Gf256;
use zeroize::Zeroizing;

use super::round::{ClientId, Round};
use super::secret::Secret;

/// Shares that there can be of one secret.
pub(super) const SHARES_MAX: usize = 255;

/// Which of a client's two secrets a share is of. Whoever knew both would know the client's update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// The seed of the mask of its own: revealed when the client survived.
    Seed,
    /// The private key of the pair masks: revealed when it was lost.
    Key,
}

/// A secret in `holders` shares, any `threshold` of which give it back; the share at place `i` is that at `x = i + 1`.
pub(super) fn split<R: CryptoRng>(
    secret: &Secret,
    threshold: usize,
    holders: usize,
    rng: &mut R,
) -> Vec<Secret> {
    let shares = Gf256::split_bytes(threshold, holders, secret.as_bytes(), rng)
        .expect("2 <= threshold <= holders <= 255");
    let shares = shares.into_iter().map(Zeroizing::new);
    let value = |share: Zeroizing<Vec<u8>>| Secret::from_slice(&share[1..]);
    shares.map(|share| value(share).expect("a share has a place and 32 bytes")).collect()
}

/// The secret from shares and their places, which must be distinct.
pub(super) fn combine(shares: &[(usize, &Secret)]) -> Option<Secret> {
    let numbered = |&(place, share): &(usize, &Secret)| {
        let x = u8::try_from(place + 1).ok()?;
        Some([&[x][..], share.as_bytes()].concat())
    };
    let shares: Zeroizing<Vec<Vec<u8>>> =
        Zeroizing::new(shares.iter().map(numbered).collect::<Option<_>>()?);
    let secret = Zeroizing::new(Gf256::combine_bytes(shares.as_slice()).ok()?);
    Secret::from_slice(&secret)
}

/// Hashes of one holder's two shares, which the server sees. A share is as hard to guess as a key, so they tell nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShareChecks {
    pub(super) seed: [u8; 32],
    pub(super) key: [u8; 32],
}

impl ShareChecks {
    pub(super) fn of(round: &Round, edge: Edge, shares: [&Secret; 2]) -> Self {
        Self {
            seed: share_hash(round, edge, Half::Seed, shares[0]),
            key: share_hash(round, edge, Half::Key, shares[1]),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.seed);
        bytes[32..].copy_from_slice(&self.key);
        bytes
    }

    /// Whether a share is the one that was handed out.
    pub(super) fn fits(&self, round: &Round, edge: Edge, half: Half, share: &Secret) -> bool {
        let expected = match half {
            Half::Seed => &self.seed,
            Half::Key => &self.key,
        };
        share_hash(round, edge, half, share).ct_eq(expected).into()
    }
}

/// Whose secret, and who holds the share of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) owner: ClientId,
    pub(super) holder: ClientId,
}

fn share_hash(round: &Round, edge: Edge, half: Half, share: &Secret) -> [u8; 32] {
    let half: &[u8] = match half {
        Half::Seed => b"flowgait secagg seed share",
        Half::Key => b"flowgait secagg key share",
    };
    let hash = Sha256::new_with_prefix(half).chain_update(round.context());
    let hash =
        hash.chain_update(edge.owner.0.to_le_bytes()).chain_update(edge.holder.0.to_le_bytes());
    hash.chain_update(share.as_bytes()).finalize().into()
}

/// A hash of a seed, by which the server knows whether shares gave the right one.
pub(super) fn seed_hash(round: &Round, owner: ClientId, seed: &Secret) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(b"flowgait secagg seed").chain_update(round.context());
    hash.chain_update(owner.0.to_le_bytes()).chain_update(seed.as_bytes()).finalize().into()
}
