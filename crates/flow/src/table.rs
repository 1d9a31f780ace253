//! The flows of one shard in memory: found by key, kept in slots of two cache lines.
//!
//! A packet touches: the index (one or two lines), the slot's first line, the line of the flow's latest samples, and the queue's
//! links. Slots are also the compact form in which ended flows wait for their turn to be written.

use std::sync::Arc;

use flowgait_capture::Tunnel;
use hashbrown::HashTable;

use crate::expiry::{Links, NONE};
use crate::handshake::{Handshake, Watch};
use crate::key::{FlowKey, Sender};
use crate::record::{EndReason, InitiatorRule};
use crate::samples::Run;
use crate::stats::Statistics;

/// What is known of a flow beside its samples. The first 64 octets are all that most packets touch.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    low_address: u128,
    high_address: u128,
    /// The stream's clock at the last packet, microseconds.
    pub clock: i64,
    /// Latest packet time, microseconds.
    pub end: i64,
    low_port: u16,
    high_port: u16,
    /// Where the samples end; the index of the [`Statistics`] once these are kept.
    tail: u32,
    pub state: State,
    samples: u16,
    protocol: u8,
    /// Packets among the samples.
    pub listed: u8,
    /// TTL of each side's first packet.
    pub ttl: [u8; 2],
    // The second line: written when the flow opens, read when it is recorded.
    pub start: i64,
    /// The clock at the start of the record; once closed, the clock at the close.
    pub timer_clock: i64,
    /// Number of the first packet in the stream.
    pub first: u64,
    pub dns_name: Option<Arc<str>>,
    /// Sequence number of each side's last SYN.
    pub syn_sequence: [u32; 2],
    head: u32,
    /// Index of the [`Hello`].
    pub hello: u32,
    /// Index of the capture.
    pub capture: u32,
    pub vlan_plus_one: u16,
    pub tunnel: Tunnel,
    pub reason: EndReason,
}

/// Where the search for a handshake stands.
#[derive(Debug)]
pub(crate) enum Hello {
    Watch(Watch),
    Found(Box<Handshake>),
}

/// What has happened in a flow, in bits. Pairs of bits are for the low and the high endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u16);

impl State {
    pub const NEW: Self = Self(Self::ONLY_SYN);
    /// The first packet came from the high endpoint.
    const FIRST_HIGH: u16 = 1;
    const INITIATOR_HIGH: u16 = 1 << 1;
    const RULE_SYN: u16 = 1 << 2;
    const RULE_SYN_ACK: u16 = 1 << 3;
    const FIN: u16 = 1 << 4;
    const SEEN: u16 = 1 << 6;
    const SYN: u16 = 1 << 8;
    /// Closed by FIN or RST, and lingering.
    pub const CLOSED: u16 = 1 << 10;
    /// Cut by the active timeout, and without a packet since.
    pub const EMPTY: u16 = 1 << 11;
    /// Every packet so far had the SYN flag.
    pub const ONLY_SYN: u16 = 1 << 12;
    /// A handshake was looked for, or is; it will not be looked for again.
    pub const WATCHED: u16 = 1 << 13;
    /// Statistics are kept, because there were more packets than samples are kept of.
    pub const LONG: u16 = 1 << 14;
    /// A handshake is looked for.
    pub const WATCHING: u16 = 1 << 15;

    pub fn is(self, flag: u16) -> bool {
        self.0 & flag != 0
    }

    pub fn set(&mut self, flag: u16) {
        self.0 |= flag;
    }

    pub fn clear(&mut self, flag: u16) {
        self.0 &= !flag;
    }

    pub fn first(self) -> Sender {
        if self.is(Self::FIRST_HIGH) { Sender::High } else { Sender::Low }
    }

    pub fn set_first(&mut self, sender: Sender) {
        self.clear(Self::FIRST_HIGH);
        self.set(sender as u16 * Self::FIRST_HIGH);
    }

    pub fn initiator(self) -> Sender {
        if self.is(Self::INITIATOR_HIGH) { Sender::High } else { Sender::Low }
    }

    pub fn rule(self) -> InitiatorRule {
        if self.is(Self::RULE_SYN) {
            InitiatorRule::Syn
        } else if self.is(Self::RULE_SYN_ACK) {
            InitiatorRule::SynAck
        } else {
            InitiatorRule::FirstPacket
        }
    }

    pub fn set_initiator(&mut self, sender: Sender, rule: InitiatorRule) {
        self.clear(Self::INITIATOR_HIGH | Self::RULE_SYN | Self::RULE_SYN_ACK);
        self.set(sender as u16 * Self::INITIATOR_HIGH);
        self.set(match rule {
            InitiatorRule::Syn => Self::RULE_SYN,
            InitiatorRule::SynAck => Self::RULE_SYN_ACK,
            InitiatorRule::FirstPacket => 0,
        });
    }

    /// Whether this side has sent a packet.
    pub fn has_seen(self, sender: Sender) -> bool {
        self.is(Self::SEEN << sender as u16)
    }

    pub fn set_seen(&mut self, sender: Sender) {
        self.set(Self::SEEN << sender as u16);
    }

    pub fn forget_seen(&mut self) {
        self.clear(Self::SEEN | Self::SEEN << 1);
    }

    /// Whether this side has sent a SYN.
    pub fn has_syn(self, sender: Sender) -> bool {
        self.is(Self::SYN << sender as u16)
    }

    pub fn set_syn(&mut self, sender: Sender) {
        self.set(Self::SYN << sender as u16);
    }

    pub fn set_fin(&mut self, sender: Sender) {
        self.set(Self::FIN << sender as u16);
    }

    /// Whether both sides have sent a FIN.
    pub fn has_both_fins(self) -> bool {
        self.0 & (Self::FIN | Self::FIN << 1) == Self::FIN | Self::FIN << 1
    }
}

impl Slot {
    pub fn new(key: &FlowKey) -> Self {
        Self {
            low_address: key.low.address.0,
            high_address: key.high.address.0,
            clock: 0,
            end: 0,
            low_port: key.low.port,
            high_port: key.high.port,
            tail: NONE,
            state: State::NEW,
            samples: 0,
            protocol: key.protocol.0,
            listed: 0,
            ttl: [0; 2],
            start: 0,
            timer_clock: 0,
            first: 0,
            dns_name: None,
            syn_sequence: [0; 2],
            head: NONE,
            hello: NONE,
            capture: 0,
            vlan_plus_one: 0,
            tunnel: Tunnel::None,
            reason: EndReason::ForcedEnd,
        }
    }

    pub fn is_of(&self, key: &FlowKey) -> bool {
        self.low_address == key.low.address.0
            && self.high_address == key.high.address.0
            && self.low_port == key.low.port
            && self.high_port == key.high.port
            && self.protocol == key.protocol.0
    }

    pub fn key(&self) -> FlowKey {
        use crate::record::Endpoint;
        use flowgait_capture::{Address, Protocol};
        FlowKey {
            low: Endpoint { address: Address(self.low_address), port: self.low_port },
            high: Endpoint { address: Address(self.high_address), port: self.high_port },
            protocol: Protocol(self.protocol),
        }
    }

    pub fn run(&self) -> Run {
        Run { head: self.head, tail: self.tail, samples: self.samples }
    }

    pub fn set_run(&mut self, run: Run) {
        self.head = run.head;
        self.tail = run.tail;
        self.samples = run.samples;
    }

    /// Index of the [`Statistics`].
    pub fn long(&self) -> Option<u32> {
        self.state.is(State::LONG).then_some(self.tail)
    }

    /// From now on statistics are kept; nothing will be added to the samples.
    pub fn set_long(&mut self, long: u32) {
        self.state.set(State::LONG);
        self.tail = long;
    }
}

/// Finds the slot of a key.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The hash's low half above, the slot below: most strangers are told without touching their slot.
    index: HashTable<u64>,
}

impl Table {
    pub fn find(&self, hash: u64, key: &FlowKey, slots: &[Slot]) -> Option<u32> {
        self.index
            .find(spread(hash << 32), |&entry| {
                (entry ^ hash << 32) >> 32 == 0 && slots[slot_of(entry) as usize].is_of(key)
            })
            .map(|&entry| slot_of(entry))
    }

    /// A slot that this hash leads to, which is nearly always the right one.
    pub fn guess(&self, hash: u64) -> Option<u32> {
        let found = self.index.find(spread(hash << 32), |&entry| (entry ^ hash << 32) >> 32 == 0);
        found.map(|&entry| slot_of(entry))
    }

    pub fn insert(&mut self, hash: u64, slot: u32) {
        let entry = hash << 32 | u64::from(slot);
        self.index.insert_unique(spread(entry), entry, |&entry| spread(entry));
    }

    pub fn remove(&mut self, hash: u64, slot: u32) {
        let entry = hash << 32 | u64::from(slot);
        if let Ok(found) = self.index.find_entry(spread(entry), |&other| other == entry) {
            found.remove();
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is the slot")]
fn slot_of(entry: u64) -> u32 {
    entry as u32
}

/// A full hash from the half that an entry holds; the table uses its lowest and its highest bits.
fn spread(entry: u64) -> u64 {
    (entry >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Things with an index that stays, and whose place is used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    things: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { things: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub fn insert(&mut self, thing: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.things[at as usize] = Some(thing);
            return at;
        }
        if self.things.len() == self.things.capacity() {
            self.things.reserve_exact(growth(self.things.len()));
        }
        self.things.push(Some(thing));
        u32::try_from(self.things.len() - 1).expect("flow_limit keeps flows below 2^32")
    }

    pub fn get(&self, at: u32) -> Option<&T> {
        self.things.get(at as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.things.get_mut(at as usize)?.as_mut()
    }

    pub fn remove(&mut self, at: u32) -> Option<T> {
        let thing = self.things.get_mut(at as usize)?.take()?;
        self.free.push(at);
        Some(thing)
    }
}

/// The slots with their links.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    /// Links of the queue by last activity.
    pub activity: Links,
    /// Links of the queue by start (open flows) or by close (lingering ones).
    pub timer: Links,
    free: Vec<u32>,
}

impl Slots {
    pub fn insert(&mut self, slot: Slot) -> u32 {
        if let Some(at) = self.free.pop() {
            self.slots[at as usize] = slot;
            return at;
        }
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(growth(self.slots.len()));
        }
        self.slots.push(slot);
        self.activity.grow(self.slots.capacity());
        self.timer.grow(self.slots.capacity());
        u32::try_from(self.slots.len() - 1).expect("flow_limit keeps slots below 2^32")
    }

    pub fn free(&mut self, at: u32) {
        self.slots[at as usize].dns_name = None;
        self.free.push(at);
    }

    pub fn all(&self) -> &[Slot] {
        &self.slots
    }
}

impl std::ops::Index<u32> for Slots {
    type Output = Slot;
    fn index(&self, at: u32) -> &Slot {
        &self.slots[at as usize]
    }
}

impl std::ops::IndexMut<u32> for Slots {
    fn index_mut(&mut self, at: u32) -> &mut Slot {
        &mut self.slots[at as usize]
    }
}

/// Long statistics, boxed so that the slab itself stays small.
pub(crate) type Longs = Slab<Box<Statistics>>;

/// How many places to add when `len` are full: a quarter, so that little stands empty.
pub(crate) fn growth(len: usize) -> usize {
    (len / 4).max(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_two_cache_lines() {
        assert_eq!(size_of::<Slot>(), 128);
        assert_eq!(std::mem::offset_of!(Slot, start), 64);
    }
}
