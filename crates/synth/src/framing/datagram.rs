//! Plain UDP: RTP for calls (RFC 3550), and a small header of their own for games.

use super::path::{Clocks, Path};
use super::{Endpoints, Flow, Packet, Source, TcpFields, Transport};
use crate::draw::Chance;
use crate::process::{Direction, Due, Message, Nanos};

/// What stands before each datagram's noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// RTP: payload type, clock ticks a millisecond, octets of the authentication tag behind the payload.
    Rtp {
        /// Payload type.
        kind: u8,
        /// Clock ticks a millisecond.
        ticks: u32,
        /// Octets behind the payload.
        tag: u16,
    },
    /// A game's own: a fixed word, a counter, and so many octets more of noise.
    Counter {
        /// The fixed word.
        magic: [u8; 2],
    },
}

/// Datagrams to be made.
#[derive(Debug)]
pub struct Datagrams<'a> {
    /// Who talks to whom.
    pub endpoints: Endpoints,
    /// The path between them.
    pub path: Path,
    /// What stands before each.
    pub header: Header,
    /// Whether the two ends first find each other with STUN (RFC 8489).
    pub greeting: Greeting,
    /// What is said; all due at a time.
    pub messages: &'a [Message],
    /// Most packets.
    pub limit: usize,
}

/// How two ends find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// They know each other.
    None,
    /// A binding request and its answer each way.
    Stun,
}

struct Run<'a> {
    datagrams: &'a Datagrams<'a>,
    chance: &'a mut Chance,
    clocks: Clocks,
    packets: Vec<Packet>,
    store: Vec<u8>,
    counters: [u16; 2],
    sources: [u32; 2],
}

/// Makes the datagrams.
#[must_use]
pub fn flow(datagrams: &Datagrams<'_>, chance: &mut Chance) -> Flow {
    let key = chance.bits();
    let mut run = Run {
        counters: [chance.bits() as u16, chance.bits() as u16],
        sources: [chance.bits() as u32, chance.bits() as u32],
        datagrams,
        chance,
        clocks: Clocks::default(),
        packets: Vec::new(),
        store: Vec::new(),
    };
    let mut base = 0;
    if datagrams.greeting == Greeting::Stun {
        base = run.stun();
    }
    for message in datagrams.messages {
        if run.packets.len() >= datagrams.limit {
            break;
        }
        run.say(message, base);
    }
    let mut packets = run.packets;
    packets.sort_by_key(|p| p.time);
    Flow {
        transport: Transport::Udp,
        endpoints: datagrams.endpoints,
        packets,
        streams: Default::default(),
        store: run.store,
        syn_options: Default::default(),
        key,
    }
}

impl Run<'_> {
    fn say(&mut self, message: &Message, base: Nanos) {
        let mut at = base
            + match message.due {
                Due::At(at) | Due::After(at) => at,
            };
        let header = self.header_octets();
        let ip = if self.datagrams.endpoints.client.address.is_ipv4() { 28 } else { 48 };
        let most = u32::from(self.datagrams.path.mtu - ip) - header;
        let mut left = message.octets.max(1);
        while left > 0 {
            let part = left.min(most);
            left -= part;
            self.datagram(message.direction, at, part, left == 0);
            at += self.datagrams.path.serialise(message.direction, part + header + 42);
        }
    }

    fn header_octets(&self) -> u32 {
        match self.datagrams.header {
            Header::Rtp { tag, .. } => 12 + u32::from(tag),
            Header::Counter { .. } => 4,
        }
    }

    fn datagram(&mut self, direction: Direction, at: Nanos, octets: u32, last: bool) {
        let d = direction.index();
        let start = self.store.len() as u32;
        let counter = self.counters[d];
        self.counters[d] = counter.wrapping_add(1);
        match self.datagrams.header {
            Header::Rtp { kind, ticks, .. } => {
                let marker = if last && octets > 600 { 0x80 } else { 0 };
                let stamp = (at / 1_000_000) as u32 * ticks;
                self.store.extend_from_slice(&[0x80, kind | marker]);
                self.store.extend_from_slice(&counter.to_be_bytes());
                self.store.extend_from_slice(&stamp.wrapping_add(self.sources[d]).to_be_bytes());
                self.store.extend_from_slice(&self.sources[d].to_be_bytes());
            }
            Header::Counter { magic } => {
                self.store.extend_from_slice(&magic);
                self.store.extend_from_slice(&counter.to_be_bytes());
            }
        }
        let head = (self.store.len() - start as usize) as u16;
        let payload = (octets + self.header_octets()) as u16;
        self.send(direction, at, start, head, payload);
    }

    fn send(&mut self, direction: Direction, at: Nanos, start: u32, head: u16, payload: u16) -> Option<Nanos> {
        let trip = self.datagrams.path.travel(&mut self.clocks, direction, at, self.chance);
        if let Some(time) = trip.seen {
            let salt = self.packets.len() as u32 + 1;
            let source = Source::Datagram { start, octets: head, salt };
            self.packets.push(Packet { time, direction, payload, source, tcp: TcpFields::default() });
        }
        trip.arrived
    }

    /// Both ends ask and answer; tells when media may begin.
    fn stun(&mut self) -> Nanos {
        let mut ready = 0;
        for (asker, at) in [(Direction::Up, 0), (Direction::Down, 4_000_000)] {
            let id = self.chance.octets::<12>();
            let start = self.store.len() as u32;
            let user = self.chance.octets::<8>().map(|o| b'a' + o % 26);
            // A binding request: username (0x0006) of nine characters, padded to twelve.
            self.store.extend_from_slice(&[0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42]);
            self.store.extend_from_slice(&id);
            self.store.extend_from_slice(&[0, 6, 0, 9]);
            self.store.extend_from_slice(&user[..4]);
            self.store.push(b':');
            self.store.extend_from_slice(&user[4..]);
            self.store.extend_from_slice(&[0; 3]);
            let asked = self.send(asker, at, start, 36, 36);
            let Some(asked) = asked else { continue };
            let start = self.store.len() as u32;
            self.store.extend_from_slice(&[1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42]);
            self.store.extend_from_slice(&id);
            // An XOR-mapped IPv4 address.
            self.store.extend_from_slice(&[0, 0x20, 0, 8, 0, 1]);
            self.store.extend_from_slice(&self.chance.octets::<6>());
            let answered = self.send(asker.reverse(), asked + 300_000, start, 32, 32);
            ready = ready.max(answered.unwrap_or(asked));
        }
        ready + 20_000_000
    }
}
