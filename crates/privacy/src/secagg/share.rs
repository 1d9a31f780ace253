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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn numbered(shares: &[Secret]) -> Vec<(usize, &Secret)> {
        shares.iter().enumerate().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_threshold_of_shares_gives_the_secret_and_one_fewer_another(
            bytes: [u8; 32],
            threshold in 2usize..20,
            more in 0usize..20,
            seed: u64,
            order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let rng = &mut ChaCha20Rng::seed_from_u64(seed);
            let secret = Secret::from_bytes(bytes);
            let shares = split(&secret, threshold, threshold + more, rng);
            let all = numbered(&shares);
            let chosen = order.iter().filter_map(|&place| all.get(place).copied());
            let chosen: Vec<_> = chosen.take(threshold).collect();
            let given = combine(&chosen).expect("distinct shares");
            prop_assert_eq!(given.as_bytes(), &bytes);
            let fewer = combine(&chosen[1..]);
            prop_assert!(fewer.is_none_or(|secret| secret.as_bytes() != &bytes));
            // The last share lies on the same polynomial: all of them agree.
            let given = combine(&all).expect("distinct shares");
            prop_assert_eq!(given.as_bytes(), &bytes);
        }
    }

    #[test]
    fn the_largest_number_of_shares_is_made_and_doubled_places_are_refused() {
        let secret = Secret::from_bytes([9; 32]);
        let shares = split(&secret, 130, SHARES_MAX, &mut ChaCha20Rng::seed_from_u64(1));
        let all = numbered(&shares);
        assert_eq!(combine(&all[125..]).expect("130 shares").as_bytes(), &[9; 32]);
        assert!(combine(&[all[0], all[0]]).is_none());
        assert!(combine(&[all[0], (255, all[1].1)]).is_none());
        assert!(combine(&[]).is_none());
    }

    #[test]
    fn fewer_shares_than_the_threshold_are_spread_alike_whatever_the_secret() {
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        // Of two shares below a threshold of three: each alone, and their sum in the field, over 256 values.
        for secret in [[0u8; 32], [255; 32]].map(Secret::from_bytes) {
            let mut counts = [[0f64; 256]; 3];
            for _ in 0..1000 {
                let shares = split(&secret, 3, 5, rng);
                for (one, other) in shares[1].as_bytes().iter().zip(shares[3].as_bytes()) {
                    for (counts, value) in counts.iter_mut().zip([*one, *other, one ^ other]) {
                        counts[usize::from(value)] += 1.0;
                    }
                }
            }
            for counts in counts {
                let square: f64 = counts.iter().map(|c| (c - 125.0).powi(2) / 125.0).sum();
                // 255 degrees of freedom; five standard deviations.
                assert!((square - 255.0).abs() < 5.0 * 510f64.sqrt(), "{square}");
            }
        }
    }
}
