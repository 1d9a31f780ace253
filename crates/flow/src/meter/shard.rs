//! One sixteenth of a meter: the life of the flows whose hash falls here.
//!
//! A shard is a function of the packets it is given and of the stream's clock, so it does not matter which thread runs it.

mod connection;
mod record;
mod watch;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use flowgait_capture::{Packet, Protocol};

use super::names::KnownNames;
use super::params::ValidMeterParams;
use super::report::ShardReport;
use crate::expiry::Queue;
use crate::key::{FlowKey, Sender};
use crate::record::{EndReason, FlowRecord, InitiatorRule};
use crate::samples::{Run, Samples, Step};
use crate::stats::Statistics;
use crate::table::{Hello, Longs, Slab, Slot, Slots, State, Table};

/// A packet and what the reading side knows about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub packet: &'a Packet,
    pub payload: &'a [u8],
    pub key: FlowKey,
    pub sender: Sender,
    pub hash: u64,
    /// The latest time of any packet of the stream so far, microseconds.
    pub clock: i64,
    /// Number of the packet in the stream, over all its captures.
    pub ordinal: u64,
    /// Index of its capture.
    pub capture: u32,
}

/// A capture of the stream.
#[derive(Clone, Debug)]
pub(crate) struct CaptureName {
    pub name: Arc<str>,
    /// Number in the stream of the last packet before it.
    pub before: u64,
}

impl CaptureName {
    /// Whether the captures of a stream are still the ones known.
    pub fn are_same(known: &[Self], captures: &[Self]) -> bool {
        known.len() == captures.len()
            && known.last().zip(captures.last()).is_none_or(|(a, b)| Arc::ptr_eq(&a.name, &b.name))
    }
}

/// Where a record stands in the output: the clock at its last packet, then its first packet.
pub(crate) type Place = (i64, u64);

/// Open flows from which on a shard's memory is worth touching ahead.
const TOUCHED_FLOWS: usize = 512;

/// The flows of one shard.
#[derive(Debug)]
pub(crate) struct Shard {
    params: ValidMeterParams,
    table: Table,
    slots: Slots,
    samples: Samples,
    longs: Longs,
    hellos: Slab<Hello>,
    /// All flows of the table, least recently active first.
    activity: Queue,
    /// Open flows by the start of their record.
    starts: Queue,
    /// Closed flows by their close.
    lingering: Queue,
    /// No deadline comes up before this.
    wake: i64,
    /// Flows in the table.
    open: usize,
    /// Octets held by watches.
    held: usize,
    /// Ended flows that wait for their turn.
    ended: BinaryHeap<Reverse<(i64, u64, u32)>>,
    captures: Vec<CaptureName>,
    report: ShardReport,
}

impl Shard {
    pub fn new(params: &ValidMeterParams) -> Self {
        Self {
            params: params.clone(),
            table: Table::default(),
            slots: Slots::default(),
            samples: Samples::default(),
            longs: Longs::default(),
            hellos: Slab::default(),
            activity: Queue::EMPTY,
            starts: Queue::EMPTY,
            lingering: Queue::EMPTY,
            wake: i64::MAX,
            open: 0,
            held: 0,
            ended: BinaryHeap::new(),
            captures: Vec::new(),
            report: ShardReport::default(),
        }
    }

    /// The captures that the next packets' indices speak of.
    pub fn set_captures(&mut self, captures: &[CaptureName]) {
        if !CaptureName::are_same(&self.captures, captures) {
            self.captures = captures.to_vec();
        }
    }

    pub fn packet(&mut self, arrival: &Arrival<'_>, names: &KnownNames) {
        self.clock(arrival.clock);
        let at = match self.table.find(arrival.hash, &arrival.key, self.slots.all()) {
            Some(at) if self.opens_anew(at, arrival) => {
                self.end(at, EndReason::EndOfFlow);
                self.open(arrival)
            }
            Some(at) => at,
            None => self.open(arrival),
        };
        self.take(at, arrival, names);
    }

    /// Reads what a packet with this hash will need, so that the memory of several packets is waited for at once.
    ///
    /// Without it, a meter of 100,000 flows waits for one cache miss after the other; with few flows all lies in the cache anyway.
    pub fn touch(&self, hash: u64) {
        if self.open >= TOUCHED_FLOWS
            && let Some(at) = self.table.guess(hash)
        {
            let links = self.slots.activity.touch(at);
            std::hint::black_box(links ^ self.samples.touch(self.slots[at].run().tail));
        }
    }

    /// The stream's clock has come this far, whoever's packet moved it.
    pub fn clock(&mut self, clock: i64) {
        if clock >= self.wake {
            self.advance(clock);
        }
    }

    /// Clock at the last packet of the least recently active flow: no record will come that belongs before it.
    pub fn oldest(&self) -> i64 {
        self.activity.first().map_or(i64::MAX, |at| self.slots[at].clock)
    }

    pub fn open_flows(&self) -> usize {
        self.open
    }

    pub fn report(&self) -> ShardReport {
        self.report
    }

    /// The place of the next record to release: one that belongs before the bound, or any when too many wait.
    pub fn next_place(&self, bound: i64) -> Option<Place> {
        let Reverse((clock, first, _)) = *self.ended.peek()?;
        (clock < bound || self.ended.len() > self.params.shard_flows).then_some((clock, first))
    }

    /// Takes out the record that [`Self::next_place`] spoke of.
    pub fn release(&mut self) -> Option<FlowRecord> {
        let Reverse((_, _, at)) = self.ended.pop()?;
        Some(self.record(at))
    }

    /// Ends every flow, because the stream has ended.
    pub fn finish(&mut self) {
        while let Some(at) = self.activity.first() {
            self.end(at, EndReason::ForcedEnd);
        }
        self.wake = i64::MAX;
    }

    /// Lets time pass: deadlines are met in their order, so it does not matter in how many steps.
    fn advance(&mut self, clock: i64) {
        loop {
            let Some((deadline, at, timer)) = self.next_deadline() else {
                self.wake = i64::MAX;
                return;
            };
            if deadline > clock {
                self.wake = deadline;
                return;
            }
            match timer {
                Timer::Linger => self.end(at, EndReason::EndOfFlow),
                Timer::Idle => self.end(at, EndReason::Idle),
                Timer::Active => self.cut(at),
            }
        }
    }

    fn next_deadline(&self) -> Option<(i64, u32, Timer)> {
        let ValidMeterParams { idle_micros, active_micros, linger_micros, .. } = self.params;
        let first = |queue: Queue, of: fn(&Slot) -> i64, timeout: i64, timer| {
            queue.first().map(|at| (of(&self.slots[at]).saturating_add(timeout), at, timer))
        };
        [
            first(self.lingering, |slot| slot.timer_clock, linger_micros, Timer::Linger),
            first(self.activity, |slot| slot.clock, idle_micros, Timer::Idle),
            first(self.starts, |slot| slot.timer_clock, active_micros, Timer::Active),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|&(deadline, _, timer)| (deadline, timer))
    }

    fn open(&mut self, arrival: &Arrival<'_>) -> u32 {
        if self.open >= self.params.shard_flows
            && let Some(oldest) = self.activity.first()
        {
            self.report.evictions += 1;
            self.end(oldest, EndReason::LackOfResources);
        }
        let mut slot = Slot::new(&arrival.key);
        slot.state.set_initiator(arrival.sender, InitiatorRule::FirstPacket);
        slot.state.set(State::EMPTY);
        let at = self.slots.insert(slot);
        self.table.insert(arrival.hash, at);
        self.activity.push(&mut self.slots.activity, at);
        self.open += 1;
        at
    }

    fn take(&mut self, at: u32, arrival: &Arrival<'_>, names: &KnownNames) {
        let &Arrival { packet, sender, clock, .. } = arrival;
        let is_first = self.slots[at].state.is(State::EMPTY);
        if is_first {
            self.begin(at, arrival);
        }
        self.activity.move_to_end(&mut self.slots.activity, at);
        let slot = &mut self.slots[at];
        slot.clock = clock;
        if !slot.state.has_seen(sender) {
            slot.state.set_seen(sender);
            slot.ttl[sender.index()] = packet.ttl;
        }
        let time = packet.time.micros();
        let step = Step {
            sender,
            gap: u64::try_from(time.saturating_sub(slot.end)).unwrap_or(0),
            clamped: time < slot.end,
            octets: packet.ip_octets,
            payload: packet.payload_octets,
            window: packet.tcp_window,
            flags: packet.tcp_flags.0,
        };
        slot.end = slot.end.max(time);
        self.report.strays += u64::from(slot.state.is(State::CLOSED));
        self.report.gaps_clamped += u64::from(step.clamped);
        if slot.listed < self.params.packets {
            let mut run = slot.run();
            self.samples.push(&mut run, &step);
            slot.listed += 1;
            slot.set_run(run);
        } else {
            self.take_long(at, &step);
        }
        let is_told = packet.protocol == Protocol::TCP && self.take_flags(at, arrival);
        if (is_first || is_told) && !names.is_empty() {
            self.name(at, arrival, names);
        }
        if packet.payload_octets > 0 && !packet.fragment {
            self.watch(at, arrival);
        }
    }

    /// The first packet of a record: of a new flow, or after an active cut.
    fn begin(&mut self, at: u32, arrival: &Arrival<'_>) {
        let slot = &mut self.slots[at];
        slot.state.clear(State::EMPTY);
        slot.state.set_first(arrival.sender);
        slot.start = arrival.packet.time.micros();
        slot.end = slot.start;
        slot.timer_clock = arrival.clock;
        slot.first = arrival.ordinal;
        slot.capture = arrival.capture;
        slot.tunnel = arrival.packet.tunnel;
        slot.vlan_plus_one = arrival.packet.vlan_plus_one;
        self.starts.push(&mut self.slots.timer, at);
        let timeout = self.params.idle_micros.min(self.params.active_micros);
        self.wake = self.wake.min(arrival.clock.saturating_add(timeout));
    }

    /// A packet beyond those that are listed: from now on the flow keeps statistics.
    fn take_long(&mut self, at: u32, step: &Step) {
        let slot = &mut self.slots[at];
        let long = slot.long().unwrap_or_else(|| {
            let mut statistics = Box::new(Statistics::new(usize::from(self.params.packets)));
            self.samples.steps(slot.run()).for_each(|step| statistics.push(&step));
            let long = self.longs.insert(statistics);
            slot.set_long(long);
            long
        });
        self.longs.get_mut(long).expect("a long flow has statistics").push(step);
    }

    fn name(&mut self, at: u32, arrival: &Arrival<'_>, names: &KnownNames) {
        let slot = &mut self.slots[at];
        let initiator = slot.state.initiator();
        let pair = (
            arrival.key.endpoint(initiator).address,
            arrival.key.endpoint(initiator.other()).address,
        );
        slot.dns_name = names.find(pair, slot.first, arrival.ordinal);
    }

    /// Ends a record at the active timeout. The flow stays, empty, and keeps its initiator and its handshake.
    fn cut(&mut self, at: u32) {
        self.stop_watch(at);
        self.starts.remove(&mut self.slots.timer, at);
        let mut ended = self.slots[at].clone();
        if let Some(Hello::Found(handshake)) = self.hellos.get(ended.hello) {
            let copy = Hello::Found(handshake.clone());
            ended.hello = self.hellos.insert(copy);
        }
        let slot = &mut self.slots[at];
        slot.set_run(Run::EMPTY);
        slot.listed = 0;
        slot.ttl = [0; 2];
        slot.state.clear(State::LONG);
        slot.state.forget_seen();
        slot.state.set(State::EMPTY);
        slot.dns_name = None;
        let ended = self.slots.insert(ended);
        self.set_ended(ended, EndReason::Active);
    }

    /// Takes a flow out of the table and lets its record wait for its turn.
    fn end(&mut self, at: u32, reason: EndReason) {
        self.stop_watch(at);
        let slot = &self.slots[at];
        let state = slot.state;
        self.table.remove(slot.key().hash(), at);
        self.open -= 1;
        self.activity.remove(&mut self.slots.activity, at);
        if state.is(State::EMPTY) {
            self.hellos.remove(self.slots[at].hello);
            self.slots.free(at);
        } else if state.is(State::CLOSED) {
            self.lingering.remove(&mut self.slots.timer, at);
            self.set_ended(at, EndReason::EndOfFlow);
        } else {
            self.starts.remove(&mut self.slots.timer, at);
            self.set_ended(at, reason);
        }
    }

    fn set_ended(&mut self, at: u32, reason: EndReason) {
        let slot = &mut self.slots[at];
        slot.reason = reason;
        self.ended.push(Reverse((slot.clock, slot.first, at)));
        self.report.ended(reason);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Linger,
    Idle,
    Active,
}
