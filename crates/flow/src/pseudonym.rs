//! Addresses replaced by pseudonyms under a key: the same address always by the same, and neighbours by neighbours.
//!
//! Two addresses that share their first n bits have pseudonyms that share exactly their first n bits, so that subnets stay
//! visible to whoever studies the table. That is also its weakness: who knows one address behind a pseudonym knows a prefix
//! of its neighbours, and who can send traffic past the meter can learn pseudonyms (docs/THREAT_MODEL.md).

use flowgait_capture::Address;
use hashbrown::HashMap;
use ring::hmac;

use crate::record::FlowRecord;

/// Fewest octets of a key.
pub const KEY_OCTETS_MIN: usize = 32;
/// Pseudonyms kept at hand; past it the table is emptied, since each can be computed again.
const KEPT_MAX: usize = 1 << 16;

/// Gives addresses their pseudonyms.
///
/// # Reference
/// Xu, Fan, Ammar, Moon, *Prefix-Preserving IP Address Anonymization*, ICNP 2002, section 3.1, with HMAC-SHA-256 as the
/// pseudo-random function where they use AES.
#[derive(Debug)]
pub struct Pseudonyms {
    key: hmac::Key,
    known: HashMap<Address, Address>,
}

impl Pseudonyms {
    /// Pseudonyms under `secret`, or `None` when it is shorter than [`KEY_OCTETS_MIN`].
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= KEY_OCTETS_MIN)
            .then(|| Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), known: HashMap::new() })
    }

    /// Replaces both addresses of a flow.
    pub fn apply(&mut self, record: &mut FlowRecord) {
        record.initiator.address = self.of(record.initiator.address);
        record.responder.address = self.of(record.responder.address);
    }

    /// The pseudonym of one address: IPv4 for IPv4, IPv6 for IPv6.
    pub fn of(&mut self, address: Address) -> Address {
        if let Some(&known) = self.known.get(&address) {
            return known;
        }
        let bits = if address.is_v4() { 32 } else { 128 };
        let mut out = address.0;
        for bit in 0..bits {
            if self.flips(address.0, bits, bit) {
                out ^= 1 << (bits - 1 - bit);
            }
        }
        if self.known.len() >= KEPT_MAX {
            self.known.clear();
        }
        self.known.insert(address, Address(out));
        Address(out)
    }

    /// Whether bit `bit` (from the front) flips: a secret function of the bits before it alone.
    fn flips(&self, address: u128, bits: u32, bit: u32) -> bool {
        let before =
            if bit == 0 { 0 } else { address >> (bits - bit) & (u128::MAX >> (128 - bit)) };
        let mut message = [0; 18];
        // Both lengths are at most 128.
        message[0] = bits as u8;
        message[1] = bit as u8;
        message[2..].copy_from_slice(&before.to_be_bytes());
        hmac::sign(&self.key, &message).as_ref()[0] & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pseudonyms(key: u8) -> Pseudonyms {
        Pseudonyms::new(&[key; 32]).unwrap()
    }

    fn shared_prefix(a: u128, b: u128, bits: u32) -> u32 {
        (a ^ b).leading_zeros().saturating_sub(128 - bits).min(bits)
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(Pseudonyms::new(&[1; 31]).is_none());
    }

    proptest! {
        #[test]
        fn prefixes_are_kept_exactly(a: u32, b: u32, c: u128, d: u128) {
            let mut names = pseudonyms(7);
            let (a, b) = (Address::v4(a.to_be_bytes()), Address::v4(b.to_be_bytes()));
            let (pa, pb) = (names.of(a), names.of(b));
            prop_assert!(pa.is_v4() && pb.is_v4());
            prop_assert_eq!(shared_prefix(a.0, b.0, 32), shared_prefix(pa.0, pb.0, 32));
            let (c, d) = (Address(c), Address(d));
            prop_assume!(!c.is_v4() && !d.is_v4());
            prop_assert_eq!(shared_prefix(c.0, d.0, 128), shared_prefix(names.of(c).0, names.of(d).0, 128));
        }

        #[test]
        fn the_key_decides(address: u32) {
            let address = Address::v4(address.to_be_bytes());
            prop_assert_eq!(pseudonyms(1).of(address), pseudonyms(1).of(address));
        }
    }

    #[test]
    fn another_key_gives_other_pseudonyms() {
        let same = (0..1_000_u32)
            .filter(|n| {
                let address = Address::v4(n.wrapping_mul(2_654_435_761).to_be_bytes());
                pseudonyms(1).of(address) == pseudonyms(2).of(address)
            })
            .count();
        assert_eq!(same, 0);
    }
}
