//! What makes two packets belong to one flow: both endpoints and the protocol, whichever sent.

use std::hash::{BuildHasher, Hasher};

use flowgait_capture::{Address, Packet, Protocol};
use foldhash::quality::FixedState;

use crate::record::Endpoint;

/// Shards of a meter, whatever the number of threads, so that no figure depends on threads.
pub(crate) const SHARDS: usize = 16;

/// The seed is fixed: the shard of a flow must be the same in every run.
const HASH_SEED: u64 = 0x666c_6f77_6761_6974;

/// Both endpoints in ascending order, and the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlowKey {
    pub low: Endpoint,
    pub high: Endpoint,
    pub protocol: Protocol,
}

/// Which of a key's two endpoints sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Low,
    High,
}

impl Sender {
    /// As an index into a pair.
    pub fn index(self) -> usize {
        self as usize
    }

    pub fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

impl FlowKey {
    /// The key of a packet and who sent it.
    pub fn of(packet: &Packet) -> (Self, Sender) {
        let source = Endpoint { address: packet.source, port: packet.source_port };
        let destination = Endpoint { address: packet.destination, port: packet.destination_port };
        if (source.address.0, source.port) <= (destination.address.0, destination.port) {
            (Self { low: source, high: destination, protocol: packet.protocol }, Sender::Low)
        } else {
            (Self { low: destination, high: source, protocol: packet.protocol }, Sender::High)
        }
    }

    pub fn endpoint(&self, sender: Sender) -> Endpoint {
        match sender {
            Sender::Low => self.low,
            Sender::High => self.high,
        }
    }

    pub fn hash(&self) -> u64 {
        let mut hasher = FixedState::with_seed(HASH_SEED).build_hasher();
        hasher.write_u128(self.low.address.0);
        hasher.write_u128(self.high.address.0);
        hasher.write_u64(
            u64::from(self.low.port) << 32
                | u64::from(self.high.port) << 16
                | u64::from(self.protocol.0),
        );
        hasher.finish()
    }
}

/// The shard that keeps all flows with this hash.
pub(crate) fn shard_of(hash: u64) -> usize {
    (hash >> 60) as usize
}

/// The pair of addresses under which DNS answers are known.
pub(crate) type Pair = (Address, Address);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_have_one_key() {
        let there = Packet {
            source: Address::v4([10, 0, 0, 9]),
            destination: Address::v4([10, 0, 0, 1]),
            source_port: 5,
            destination_port: 443,
            protocol: Protocol::TCP,
            ..Packet::default()
        };
        let back = Packet {
            source: there.destination,
            destination: there.source,
            source_port: there.destination_port,
            destination_port: there.source_port,
            ..there
        };
        let ((a, from_a), (b, from_b)) = (FlowKey::of(&there), FlowKey::of(&back));
        assert_eq!(a, b);
        assert_eq!(a.hash(), b.hash());
        assert_eq!(from_a, from_b.other());
        assert_eq!(a.endpoint(from_a).port, 5);
    }

    #[test]
    fn shards_fill_evenly() {
        let mut count = [0_u32; SHARDS];
        for client in 0..16_000_u32 {
            let packet = Packet {
                source: Address::v4(client.to_be_bytes()),
                source_port: 1_024,
                destination_port: 443,
                ..Packet::default()
            };
            count[shard_of(FlowKey::of(&packet).0.hash())] += 1;
        }
        assert!(count.iter().all(|n| (800..1_200).contains(n)), "{count:?}");
    }
}
