//! TCP: opening, segments, acknowledgements, retransmissions, closing (RFC 9293).
//!
//! Messages of a connection follow one another, so both sides' numbers are right at each packet without simulating
//! the two hosts event by event; within a message, segments and acknowledgements interleave as the path lets them.

use super::path::{Cargo, Clocks, Path, Segment, Sender, Trip};
use super::stream::Stream;
use super::tls::{self, RECORD_MOST, Security};
use super::wire::segment_option_octets;
use super::{ACK, Endpoints, FIN, Flow, PSH, Packet, RST, SYN, Source, TcpFields, Transport};
use crate::draw::Chance;
use crate::process::{Direction, Due, MILLISECOND, Message, Nanos, SECOND};

/// What a host's TCP does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Window in its SYN.
    pub window: u16,
    /// Window scale (RFC 7323).
    pub scale: u8,
    /// Most octets it lets be under way.
    pub window_most: u32,
    /// Whether it asks for timestamps (RFC 7323).
    pub timestamps: bool,
    /// In which order its SYN carries options.
    pub order: OptionOrder,
    /// It acknowledges each so many full segments.
    pub acknowledge_each: u32,
    /// Or after so long.
    pub acknowledge_delay: Nanos,
    /// Time to live of packets it sends.
    pub ttl: u8,
}

/// Order of options in a SYN, by which systems differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptionOrder {
    /// MSS, SACK permitted, timestamps, no-op, scale.
    #[default]
    One,
    /// MSS, no-op, scale, no-op, no-op, SACK permitted.
    Two,
    /// MSS, no-op, scale, no-op, no-op, timestamps, SACK permitted, end.
    Three,
}

/// The options of a SYN.
#[derive(Clone, Copy, Debug, Default)]
pub struct SynOptions {
    mss: u16,
    scale: u8,
    order: OptionOrder,
}

impl SynOptions {
    /// Writes the options, timestamps only where `timestamps` is not both zero, and tells their octets.
    pub(super) fn write(&self, timestamps: (u32, u32), out: &mut [u8; 40]) -> usize {
        let mut n = 0;
        let mut put = |octets: &[u8]| {
            out[n..n + octets.len()].copy_from_slice(octets);
            n += octets.len();
        };
        let [high, low] = self.mss.to_be_bytes();
        put(&[2, 4, high, low]);
        let stamp = |put: &mut dyn FnMut(&[u8])| {
            put(&[8, 10]);
            put(&timestamps.0.to_be_bytes());
            put(&timestamps.1.to_be_bytes());
        };
        let with_stamps = timestamps != (0, 0);
        match self.order {
            OptionOrder::One => {
                put(&[4, 2]);
                if with_stamps {
                    stamp(&mut put);
                } else {
                    put(&[1, 1]);
                }
                put(&[1, 3, 3, self.scale]);
            }
            OptionOrder::Two | OptionOrder::Three => {
                put(&[1, 3, 3, self.scale, 1, 1]);
                if with_stamps {
                    stamp(&mut put);
                }
                put(&[4, 2]);
                if with_stamps {
                    put(&[0, 0]);
                }
            }
        }
        while n % 4 != 0 {
            out[n] = 0;
            n += 1;
        }
        n
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// One side sends FIN, the other answers.
    Fin(Direction),
    /// The client resets.
    Reset,
    /// Nobody closes it.
    Left,
}

/// A connection to be made.
#[derive(Debug)]
pub struct Connection<'a> {
    /// Who talks to whom.
    pub endpoints: Endpoints,
    /// The path between them.
    pub path: Path,
    /// What the client's TCP does.
    pub client: Habits,
    /// What the server's does.
    pub server: Habits,
    /// How it is secured; messages go as they are when it is not.
    pub security: Option<Security<'a>>,
    /// What is said.
    pub messages: &'a [Message],
    /// How it ends.
    pub closing: Closing,
    /// How long it stays open after the last message.
    pub linger: Nanos,
    /// Most packets; the client resets the connection then.
    pub limit: usize,
}

/// Makes the connection.
#[must_use]
pub fn flow(connection: &Connection<'_>, chance: &mut Chance) -> Flow {
    let key = chance.bits();
    let mut run = Run::new(connection, key, chance);
    if let Some(opened) = run.open() {
        run.talk(opened);
    }
    run.finish(key)
}

/// What a side still owes.
#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    segments: u32,
    due: Option<Nanos>,
}

struct Run<'a, 'b> {
    connection: &'b Connection<'a>,
    chance: &'b mut Chance,
    packets: Vec<Packet>,
    clocks: Clocks,
    senders: [Sender; 2],
    streams: [Stream; 2],
    first_sequence: [u32; 2],
    said: [u64; 2],
    heard: [u64; 2],
    closed: [bool; 2],
    owed: [Owed; 2],
    clock_base: [u32; 2],
    peer_sent: [Nanos; 2],
    timestamps: bool,
    segment: u32,
}

impl<'a, 'b> Run<'a, 'b> {
    fn new(connection: &'b Connection<'a>, key: u64, chance: &'b mut Chance) -> Self {
        let timestamps = connection.client.timestamps && connection.server.timestamps;
        let segment = u32::from(mss(connection)) - segment_option_octets(timestamps);
        Self {
            first_sequence: [chance.bits() as u32, chance.bits() as u32],
            clock_base: [chance.bits() as u32 | 1, chance.bits() as u32 | 1],
            connection,
            chance,
            packets: Vec::new(),
            clocks: Clocks::default(),
            senders: Default::default(),
            streams: [Stream::new(key), Stream::new(key ^ 0x5555_5555_5555_5555)],
            said: [0; 2],
            heard: [0; 2],
            closed: [false; 2],
            owed: Default::default(),
            peer_sent: [0; 2],
            timestamps,
            segment,
        }
    }

    /// The three-way handshake; tells when the client may speak, or nothing when nobody ever answered.
    fn open(&mut self) -> Option<Nanos> {
        let mut at = 0;
        // A SYN is sent again after 1, 2, 4, … seconds (RFC 6298, 5).
        for attempt in 0..6 {
            let wait = SECOND << attempt;
            let trip = self.control(Direction::Up, at, SYN);
            let Some(asked) = trip.arrived else {
                at += wait;
                continue;
            };
            self.peer_sent[1] = at;
            let thought = self.chance.below(200_000);
            let trip = self.control(Direction::Down, asked + thought, SYN | ACK);
            let Some(answered) = trip.arrived else {
                at += wait;
                continue;
            };
            self.peer_sent[0] = asked;
            self.control(Direction::Up, answered + 20_000, ACK);
            return Some(answered + 60_000 + self.chance.below(MILLISECOND));
        }
        None
    }

    fn talk(&mut self, opened: Nanos) {
        let (base, mut pending) = self.secure(opened);
        let mut whole = base;
        let connection = self.connection;
        for message in connection.messages {
            let mut start = match message.due {
                Due::At(at) => (base + at).max(whole),
                Due::After(wait) => whole + wait,
            };
            if let Some((at, octets)) = pending.take_if(|(at, _)| *at < start) {
                start = self.say(Direction::Down, octets, at).unwrap_or(start).max(start);
            }
            let octets = self.write(message.direction, message.octets);
            match self.say(message.direction, octets, start) {
                Some(done) => whole = done,
                None => return self.reset(),
            }
        }
        self.close(whole + connection.linger);
    }

    /// The TLS handshake: when the client may send data, and what the server still says about tickets, and when.
    fn secure(&mut self, opened: Nanos) -> (Nanos, Option<(Nanos, u32)>) {
        let Some(security) = &self.connection.security else {
            return (opened, None);
        };
        let flights = tls::handshake(security, &mut self.streams, self.chance);
        let mut at = opened;
        let mut base = opened;
        for (turn, (direction, octets)) in flights.into_iter().enumerate() {
            if turn == 3 && security.version == tls::Version::Tls13 {
                // The client does not wait for tickets.
                return (base, Some((at, octets)));
            }
            let sent = at;
            at = self.say(direction, octets, at).unwrap_or(at);
            at += match direction {
                // A server signs and verifies; a client verifies.
                Direction::Up => 300_000 + (self.chance.exponential(1.5e6) as Nanos),
                Direction::Down => 200_000 + (self.chance.exponential(0.8e6) as Nanos),
            };
            base = if turn == 2 { sent + 100_000 + self.chance.below(2 * MILLISECOND) } else { at };
        }
        (base, None)
    }

    /// Adds a message to its stream and tells how many octets it is there.
    fn write(&mut self, direction: Direction, octets: u32) -> u32 {
        let stream = &mut self.streams[direction.index()];
        match &self.connection.security {
            Some(security) => {
                let record = match direction {
                    Direction::Up => RECORD_MOST,
                    Direction::Down => security.record,
                };
                tls::message(stream, security.version, octets, record)
            }
            None => {
                stream.mumble(octets.into());
                octets
            }
        }
    }

    /// Sends so many octets; tells when they are whole, or nothing when the packet limit was reached.
    fn say(&mut self, direction: Direction, octets: u32, start: Nanos) -> Option<Nanos> {
        let d = direction.index();
        self.settle(direction, start);
        let left = self.connection.limit.saturating_sub(self.packets.len());
        let cargo = Cargo {
            direction,
            start,
            octets,
            segment: self.segment,
            headers: 54 + segment_option_octets(self.timestamps),
            limit: left * 2 / 3,
        };
        let segments = self.senders[d].send(cargo, &self.connection.path, &mut self.clocks, self.chance);
        let from = self.said[d];
        for s in &segments {
            let end = s.offset + s.octets;
            self.said[d] = self.said[d].max(from + u64::from(end));
            let flags = if end == octets { ACK | PSH } else { ACK };
            let tcp = self.fields(direction, from + u64::from(s.offset), flags, s.sent);
            self.push(direction, s.trip, s.octets as u16, Source::Stream(from + u64::from(s.offset)), tcp);
        }
        let whole = self.receive(direction.reverse(), from, &segments);
        (self.said[d] == from + u64::from(octets) && self.heard[1 - d] == self.said[d]).then_some(whole)
    }

    /// The receiver's side of a flight: acknowledgements. Tells when the last octet arrived.
    fn receive(&mut self, side: Direction, from: u64, segments: &[Segment]) -> Nanos {
        let habits = self.habits(side);
        let r = side.index();
        let mut held: Vec<(u64, u64)> = Vec::new();
        let mut whole = 0;
        for s in segments {
            let Some(at) = s.trip.arrived else { continue };
            self.settle_before(side, at);
            self.peer_sent[r] = s.sent;
            whole = at;
            let start = from + u64::from(s.offset);
            let end = start + u64::from(s.octets);
            if start > self.heard[r] {
                held.push((start, end));
                let ahead = |o: u64| (o - self.heard[r]) as u32;
                let sack = (ahead(start), ahead(end));
                self.acknowledge(side, at, sack);
                continue;
            }
            self.heard[r] = end;
            let filled = !held.is_empty();
            held.retain(|(s, e)| {
                let next = *s == self.heard[r];
                if next {
                    self.heard[r] = *e;
                }
                !next
            });
            self.owed[r].segments += 1;
            let push = s.octets < self.segment;
            if filled || self.owed[r].segments >= habits.acknowledge_each {
                self.acknowledge(side, at + 5_000, (0, 0));
            } else {
                // A short segment often ends a message: some systems hurry then.
                let delay = if push { habits.acknowledge_delay / 2 } else { habits.acknowledge_delay };
                self.owed[r].due = Some(at + delay);
            }
        }
        whole
    }

    fn acknowledge(&mut self, side: Direction, at: Nanos, sack: (u32, u32)) {
        self.owed[side.index()] = Owed::default();
        let mut tcp = self.fields(side, self.said[side.index()], ACK, at);
        tcp.sack = sack;
        let trip = self.connection.path.travel(&mut self.clocks, side, at, self.chance);
        self.push(side, trip, 0, Source::Stream(0), tcp);
    }

    /// Sends an acknowledgement whose time came.
    fn settle_before(&mut self, side: Direction, now: Nanos) {
        if let Some(due) = self.owed[side.index()].due.filter(|due| *due <= now) {
            self.acknowledge(side, due, (0, 0));
        }
    }

    /// Before a side speaks at `now`: what it owed is sent if its time came, and rides along if not.
    fn settle(&mut self, side: Direction, now: Nanos) {
        self.settle_before(side, now);
        self.owed[side.index()] = Owed::default();
        self.settle_before(side.reverse(), now);
    }

    fn close(&mut self, at: Nanos) {
        self.settle_before(Direction::Up, at);
        self.settle_before(Direction::Down, at);
        let first = match self.connection.closing {
            Closing::Left => return self.settle_all(),
            Closing::Reset => return self.reset_at(at),
            Closing::Fin(first) => first,
        };
        let mut at = at;
        if let Some(security) = &self.connection.security {
            // Well-behaved libraries say goodbye first (RFC 8446, 6.1).
            if self.chance.happens(0.7) {
                let octets = tls::close_notify(&mut self.streams[first.index()], security.version);
                let sent = at;
                self.say(first, octets, at);
                at = sent + 50_000;
            }
        }
        self.owed = Default::default();
        let trip = self.control(first, at, FIN | ACK);
        self.closed[first.index()] = true;
        let there = trip.arrived.unwrap_or(at + self.connection.path.timeout());
        let back = there + self.chance.below(3 * MILLISECOND);
        let trip = self.control(first.reverse(), back, FIN | ACK);
        self.closed[first.reverse().index()] = true;
        if let Some(seen) = trip.arrived {
            self.control(first, seen + 30_000, ACK);
        }
    }

    fn settle_all(&mut self) {
        self.settle_before(Direction::Up, Nanos::MAX);
        self.settle_before(Direction::Down, Nanos::MAX);
    }

    fn reset(&mut self) {
        let last = self.packets.iter().map(|p| p.time).max().unwrap_or(0);
        self.reset_at(last + self.connection.path.near + 100_000);
    }

    fn reset_at(&mut self, at: Nanos) {
        self.control(Direction::Up, at, RST | ACK);
    }

    /// A segment without data, which uses up one number when it carries SYN or FIN.
    fn control(&mut self, direction: Direction, at: Nanos, flags: u8) -> Trip {
        let tcp = self.fields(direction, self.said[direction.index()], flags, at);
        let trip = self.connection.path.travel(&mut self.clocks, direction, at, self.chance);
        self.push(direction, trip, 0, Source::Stream(0), tcp);
        trip
    }

    fn fields(&self, direction: Direction, offset: u64, flags: u8, sent: Nanos) -> TcpFields {
        let d = direction.index();
        let opening = flags & SYN != 0;
        let number = |side: usize, offset: u64| self.first_sequence[side].wrapping_add(offset as u32);
        let past_syn = u64::from(!opening) + u64::from(self.closed[d]);
        let peer_past = 1 + u64::from(self.closed[1 - d]);
        let acknowledgement =
            if flags & ACK == 0 { 0 } else { number(1 - d, self.heard[d] + peer_past) };
        let habits = self.habits(direction);
        let window = if opening {
            habits.window
        } else {
            let most = habits.window_most.min(u32::from(u16::MAX) << habits.scale);
            let grown = u64::from(habits.window) + 2 * self.heard[d];
            (grown.min(most.into()) >> habits.scale) as u16
        };
        let clock = |side: usize, at: Nanos| self.clock_base[side].wrapping_add((at / MILLISECOND) as u32);
        let timestamps = if !self.timestamps && !(opening && habits.timestamps && flags & ACK == 0) {
            (0, 0)
        } else if flags & ACK == 0 {
            (clock(d, sent), 0)
        } else {
            (clock(d, sent), clock(1 - d, self.peer_sent[d]))
        };
        TcpFields {
            sequence: number(d, offset + past_syn),
            acknowledgement,
            flags,
            window,
            timestamps,
            sack: (0, 0),
        }
    }

    fn habits(&self, side: Direction) -> Habits {
        match side {
            Direction::Up => self.connection.client,
            Direction::Down => self.connection.server,
        }
    }

    fn push(&mut self, direction: Direction, trip: Trip, payload: u16, source: Source, tcp: TcpFields) {
        if let Some(time) = trip.seen {
            self.packets.push(Packet { time, direction, payload, source, tcp });
        }
    }

    fn finish(mut self, key: u64) -> Flow {
        self.packets.sort_by_key(|p| p.time);
        let options = |habits: &Habits, most: u16| SynOptions { mss: most, scale: habits.scale, order: habits.order };
        let header = header_octets(self.connection);
        Flow {
            transport: Transport::Tcp,
            endpoints: self.connection.endpoints,
            packets: self.packets,
            streams: self.streams,
            store: Vec::new(),
            syn_options: [
                options(&self.connection.client, self.connection.path.mtu - header),
                options(&self.connection.server, 1_500 - header),
            ],
            key,
        }
    }
}

fn header_octets(connection: &Connection<'_>) -> u16 {
    if connection.endpoints.client.address.is_ipv4() { 40 } else { 60 }
}

fn mss(connection: &Connection<'_>) -> u16 {
    connection.path.mtu.min(1_500) - header_octets(connection)
}
