//! QUIC version 1: Initial packets that are really protected (RFC 9001), then packets of the right form and size.
//!
//! Whoever watches can derive the Initial keys from the client's first connection id and read the ClientHello, as on
//! a real network; Handshake and 1-RTT packets are noise behind true headers, which is all that anybody else ever sees.

use ring::aead::quic::{AES_128 as HEADER_AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;

use super::hello::{self, ClientHello};
use super::path::{Cargo, Clocks, Path, Segment, Sender, Trip};
use super::{Endpoints, Flow, Packet, Source, TcpFields, Transport};
use crate::draw::Chance;
use crate::process::{Direction, Due, MILLISECOND, Message, Nanos};

/// The salt of QUIC version 1 (RFC 9001, 5.2).
pub const SALT_V1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f,
    0x0a,
];
const VERSION: u32 = 1;
const TAG: usize = 16;
/// Least octets of a datagram with a client's Initial (RFC 9000, 14.1).
const INITIAL_LEAST: usize = 1_200;
/// Octets on a 1-RTT packet beside its connection id and the stream's octets: first octet, number, stream frame, tag.
const SHORT_OVERHEAD: u32 = 1 + 2 + 7 + 16;
/// Octets of an acknowledgement alone, beside the connection id.
const ACKNOWLEDGEMENT: u16 = 1 + 2 + 16 + 6;

/// How an endpoint's QUIC behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Octets of the client's own connection id.
    pub client_id: u8,
    /// Octets of the server's connection id.
    pub server_id: u8,
    /// Octets of a full datagram's payload, each way, as far as the path bears them.
    pub datagram: [u16; 2],
    /// Whether the client scatters its ClientHello over many CRYPTO frames out of order.
    pub scatter: bool,
    /// The client acknowledges each so many packets once it has received a hundred.
    pub acknowledge_each: u32,
    /// Or after so long.
    pub acknowledge_delay: Nanos,
}

/// A connection to be made.
#[derive(Debug)]
pub struct Connection<'a> {
    /// Who talks to whom.
    pub endpoints: Endpoints,
    /// The path between them.
    pub path: Path,
    /// How both behave.
    pub habits: Habits,
    /// What the client says first; its transport parameters are filled in.
    pub hello: ClientHello<'a>,
    /// Octets of the certificate chain.
    pub chain: u32,
    /// What is said.
    pub messages: &'a [Message],
    /// Whether the client says goodbye at the end.
    pub goodbye: Goodbye,
    /// How long it stays open after the last message.
    pub linger: Nanos,
    /// Most packets.
    pub limit: usize,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goodbye {
    /// The client sends CONNECTION_CLOSE.
    Close,
    /// It falls silent, and the idle timeout ends it.
    Silence,
}

/// Keys of one side's Initial packets.
pub struct InitialKeys {
    packet: LessSafeKey,
    iv: [u8; 12],
    header: HeaderProtectionKey,
}

struct Octets(usize);

impl hkdf::KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446, 7.1).
fn expand<const N: usize>(secret: &hkdf::Prk, label: &str) -> [u8; N] {
    let mut info = vec![0, N as u8, 6 + label.len() as u8];
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label.as_bytes());
    info.push(0);
    let mut out = [0; N];
    secret
        .expand(&[&info], Octets(N))
        .and_then(|okm| okm.fill(&mut out))
        .expect("all lengths here are far below 255 hashes");
    out
}

impl InitialKeys {
    /// The keys with which `sender` protects Initials to or from a client that chose this destination id first.
    #[must_use]
    pub fn new(destination: &[u8], sender: Direction) -> Self {
        let initial = hkdf::Salt::new(hkdf::HKDF_SHA256, &SALT_V1).extract(destination);
        let label = match sender {
            Direction::Up => "client in",
            Direction::Down => "server in",
        };
        let secret = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &expand::<32>(&initial, label));
        let key: [u8; 16] = expand(&secret, "quic key");
        let header: [u8; 16] = expand(&secret, "quic hp");
        Self {
            packet: LessSafeKey::new(
                UnboundKey::new(&AES_128_GCM, &key).expect("16 octets are AES-128's key"),
            ),
            iv: expand(&secret, "quic iv"),
            header: HeaderProtectionKey::new(&HEADER_AES_128, &header)
                .expect("16 octets are AES-128's key"),
        }
    }

    /// Seals a packet: `header` up to and with its number of four octets, and the frames.
    fn seal(&self, header: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
        let mut sealed = frames.to_vec();
        let mut nonce = self.iv;
        nonce[8..].iter_mut().zip(number.to_be_bytes()).for_each(|(n, o)| *n ^= o);
        self.packet
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut sealed)
            .expect("a datagram is far shorter than AES-GCM's limit");
        let mask = self.header.new_mask(&sealed[..16]).expect("a sample has 16 octets");
        let mut out = header.to_vec();
        out[0] ^= mask[0] & 0x0f;
        let at = header.len() - 4;
        out[at..].iter_mut().zip(&mask[1..]).for_each(|(o, m)| *o ^= m);
        out.extend_from_slice(&sealed);
        out
    }
}

/// Makes the connection.
#[must_use]
pub fn flow(connection: &Connection<'_>, chance: &mut Chance) -> Flow {
    let key = chance.bits();
    let mut run = Run::new(connection, chance);
    let base = run.open();
    run.talk(base);
    let mut packets = run.packets;
    packets.sort_by_key(|p| p.time);
    Flow {
        transport: Transport::Udp,
        endpoints: connection.endpoints,
        packets,
        streams: Default::default(),
        store: run.store,
        syn_options: Default::default(),
        key,
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    packets: u32,
    due: Option<Nanos>,
}

struct Run<'a, 'b> {
    connection: &'b Connection<'a>,
    chance: &'b mut Chance,
    packets: Vec<Packet>,
    store: Vec<u8>,
    clocks: Clocks,
    senders: [Sender; 2],
    /// Connection ids that packets of each direction carry as destination.
    ids: [Vec<u8>; 2],
    first_id: Vec<u8>,
    /// Whether the client has learned the server's own id.
    answered: bool,
    owed: [Owed; 2],
    received: [u32; 2],
    most: [u32; 2],
}

impl<'a, 'b> Run<'a, 'b> {
    fn new(connection: &'b Connection<'a>, chance: &'b mut Chance) -> Self {
        let mut id = |octets: usize| {
            let mut id = vec![0; octets];
            chance.fill(&mut id);
            id
        };
        let first_id = id(8);
        let ids = [id(connection.habits.server_id.into()), id(connection.habits.client_id.into())];
        let headers = if connection.endpoints.client.address.is_ipv4() { 28 } else { 48 };
        let most = connection.habits.datagram.map(|m| u32::from(m.min(connection.path.mtu - headers)));
        Self {
            connection,
            chance,
            packets: Vec::new(),
            store: Vec::new(),
            clocks: Clocks::default(),
            senders: Default::default(),
            ids,
            first_id,
            answered: false,
            owed: Default::default(),
            received: [0; 2],
            most,
        }
    }

    /// The handshake; tells when the client may send data.
    fn open(&mut self) -> Nanos {
        let parameters = self.transport_parameters();
        let hello = ClientHello { quic: Some(&parameters), ..self.connection.hello }.write(self.chance);
        let mut at = 0;
        let mut asked = None;
        // Lost Initials are sent again after the probe timeout, doubled each time (RFC 9002, 6.2).
        for attempt in 0..5 {
            let whole = self.client_initials(&hello.message, at, attempt * 2);
            if whole.is_some() {
                asked = whole;
                break;
            }
            at += (self.connection.path.timeout() * 3 / 2) << attempt;
        }
        let Some(asked) = asked else { return at };
        let thought = 300_000 + self.chance.exponential(1.5e6) as Nanos;
        let answered = self.server_flight(asked + thought, &hello.session);
        // Initial and Handshake acknowledgements, then Finished: the Initial makes the datagram full.
        let ready = answered + 200_000 + self.chance.exponential(0.8e6) as Nanos;
        self.answered = true;
        let finished = self.long_packet(0xe0, Direction::Up, 36 + 4 + 8);
        let mut datagram = self.initial_padded(Direction::Up, 17, &ack_frame(1), INITIAL_LEAST - finished.len());
        datagram.extend_from_slice(&finished);
        self.datagram(Direction::Up, ready, &datagram);
        ready + 100_000 + self.chance.below(2 * MILLISECOND)
    }

    fn client_initials(&mut self, hello: &[u8], at: Nanos, number: u32) -> Option<Nanos> {
        let full = (self.most[0] as usize).max(INITIAL_LEAST);
        // Long header, lengths, tag and a few frame headers.
        let room = full - (70 + self.ids[1].len() + 8);
        let mut whole = Some(0);
        for (k, part) in hello.chunks(room).enumerate() {
            let frames = self.crypto_frames(part, k * room);
            let padded = self.initial_padded(Direction::Up, number + k as u32, &frames, full);
            let trip = self.datagram(Direction::Up, at + k as Nanos * 30_000, &padded);
            whole = whole.zip(trip.arrived).map(|(a, b)| a.max(b));
        }
        whole
    }

    /// CRYPTO frames that carry `part` of the ClientHello, in order or scattered with pings between.
    fn crypto_frames(&mut self, part: &[u8], offset: usize) -> Vec<u8> {
        let mut pieces: Vec<(usize, &[u8])> = Vec::new();
        if self.connection.habits.scatter && part.len() > 200 {
            let mut rest = part;
            let mut at = offset;
            for _ in 0..self.chance.between(1, 3) {
                let cut = self.chance.between(40, rest.len() as u64 / 2) as usize;
                let (a, b) = rest.split_at(cut);
                pieces.push((at, a));
                at += cut;
                rest = b;
            }
            pieces.push((at, rest));
            self.chance.shuffle(&mut pieces);
        } else {
            pieces.push((offset, part));
        }
        let mut out = Vec::with_capacity(part.len() + 32);
        for (at, piece) in pieces {
            if self.connection.habits.scatter && self.chance.happens(0.4) {
                out.push(0x01);
            }
            out.push(0x06);
            push_varint(at as u64, &mut out);
            push_varint(piece.len() as u64, &mut out);
            out.extend_from_slice(piece);
        }
        out
    }

    /// ServerHello in an Initial, and the rest of the flight in Handshake packets, no more than three times what the
    /// client sent before it proves its address (RFC 9000, 8.1).
    fn server_flight(&mut self, at: Nanos, session: &[u8]) -> Nanos {
        let group = self.connection.hello.manner.shares.first().copied().unwrap_or(hello::X25519);
        let resumed = self.connection.hello.ticket.is_some();
        let hello = super::tls::server_hello13_for(group, session, resumed, self.chance);
        let mut frames = ack_frame(0);
        frames.push(0x06);
        push_varint(0, &mut frames);
        push_varint(hello.len() as u64, &mut frames);
        frames.extend_from_slice(&hello);
        let full = self.most[1].max(INITIAL_LEAST as u32);
        let chain = if resumed { 0 } else { self.connection.chain + 79 };
        let mut left = chain + 36 + 110;
        let mut first = if frames.len() + 80 > full as usize {
            // A hybrid key share leaves no room beside it.
            let cut = frames.len() / 2;
            self.server_split(&hello, cut, at);
            Vec::new()
        } else {
            // Datagrams with a server's Initial are full too (RFC 9000, 14.1); a resumed handshake leaves room.
            self.initial_padded(Direction::Down, 0, &frames, INITIAL_LEAST.saturating_sub(left as usize + 50))
        };
        let mut time = at;
        let mut done = at + self.connection.path.round_trip() / 2;
        let mut count = 0;
        while left > 0 || !first.is_empty() {
            if count == 3 {
                // The rest waits for the client's first acknowledgement.
                self.answered = true;
                let ack = self.initial_padded(Direction::Up, 16, &ack_frame(0), INITIAL_LEAST);
                let trip = self.datagram(Direction::Up, done + 50_000, &ack);
                time = trip.arrived.unwrap_or(done + self.connection.path.timeout()) + 50_000;
            }
            let room = full.saturating_sub(first.len() as u32 + 50);
            let part = left.min(room);
            left -= part;
            let mut datagram = std::mem::take(&mut first);
            if part > 0 {
                let packet = self.long_packet(0xe0, Direction::Down, part + 5);
                datagram.extend_from_slice(&packet);
            }
            let trip = self.datagram(Direction::Down, time, &datagram);
            done = match trip.arrived {
                Some(arrived) => arrived,
                None => {
                    // Lost: it comes again after the probe timeout.
                    let again = time + self.connection.path.timeout();
                    let trip = self.datagram(Direction::Down, again, &datagram);
                    trip.arrived.unwrap_or(again + self.connection.path.timeout())
                }
            }
            .max(done);
            time += self.connection.path.serialise(Direction::Down, full + 42);
            count += 1;
        }
        done
    }

    /// A ServerHello too large for one Initial, in two.
    fn server_split(&mut self, hello: &[u8], cut: usize, at: Nanos) {
        for (number, (offset, part)) in [(0, &hello[..cut]), (cut, &hello[cut..])].into_iter().enumerate() {
            let mut frames = if number == 0 { ack_frame(1) } else { Vec::new() };
            frames.push(0x06);
            push_varint(offset as u64, &mut frames);
            push_varint(part.len() as u64, &mut frames);
            frames.extend_from_slice(part);
            let packet = self.initial_padded(Direction::Down, number as u32, &frames, INITIAL_LEAST);
            self.datagram(Direction::Down, at + number as Nanos * 20_000, &packet);
        }
    }

    fn initial_padded(&mut self, direction: Direction, number: u32, frames: &[u8], full: usize) -> Vec<u8> {
        let bare = self.initial_octets(direction, frames.len());
        let mut frames = frames.to_vec();
        frames.resize(frames.len() + full.saturating_sub(bare), 0);
        self.initial(direction, number, &frames)
    }

    /// Octets of an Initial with so many octets of frames.
    fn initial_octets(&self, direction: Direction, frames: usize) -> usize {
        let (destination, source) = self.initial_ids(direction);
        1 + 4 + 1 + destination.len() + 1 + source.len() + 1 + 2 + 4 + frames + TAG
    }

    fn initial_ids(&self, direction: Direction) -> (&[u8], &[u8]) {
        match direction {
            // Keys stay those of the first id, though the client then uses the one the server chose (RFC 9000, 7.2).
            Direction::Up if self.answered => (&self.ids[0], &self.ids[1]),
            Direction::Up => (&self.first_id, &self.ids[1]),
            Direction::Down => (&self.ids[1], &self.ids[0]),
        }
    }

    /// An Initial packet, sealed.
    fn initial(&self, direction: Direction, number: u32, frames: &[u8]) -> Vec<u8> {
        let (destination, source) = self.initial_ids(direction);
        // Long header, fixed bit, Initial, a packet number of four octets.
        let mut header = vec![0xc3];
        header.extend_from_slice(&VERSION.to_be_bytes());
        header.push(destination.len() as u8);
        header.extend_from_slice(destination);
        header.push(source.len() as u8);
        header.extend_from_slice(source);
        header.push(0);
        let length = 4 + frames.len() + TAG;
        header.extend_from_slice(&(0x4000 | length as u16).to_be_bytes());
        header.extend_from_slice(&number.to_be_bytes());
        InitialKeys::new(&self.first_id, direction).seal(&header, number, frames)
    }

    /// A Handshake packet: a true header, then noise.
    fn long_packet(&mut self, first: u8, direction: Direction, frames: u32) -> Vec<u8> {
        let [up, down] = &self.ids;
        let (destination, source) = match direction {
            Direction::Up => (up, down),
            Direction::Down => (down, up),
        };
        let mut out = vec![first | (self.chance.bits() as u8 & 0x0f)];
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.push(destination.len() as u8);
        out.extend_from_slice(destination);
        out.push(source.len() as u8);
        out.extend_from_slice(source);
        let length = frames as usize + 2 + TAG;
        out.extend_from_slice(&(0x4000 | length as u16).to_be_bytes());
        let at = out.len();
        out.resize(at + length, 0);
        self.chance.fill(&mut out[at..]);
        out
    }

    /// The transport parameters that clients send (RFC 9000, 18.2).
    fn transport_parameters(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |id: u64, value: u64| {
            let mut body = Vec::new();
            push_varint(value, &mut body);
            push_varint(id, &mut out);
            push_varint(body.len() as u64, &mut out);
            out.extend_from_slice(&body);
        };
        put(0x01, 30_000);
        put(0x03, 1_472);
        put(0x04, 15_728_640);
        put(0x05, 6_291_456);
        put(0x06, 6_291_456);
        put(0x07, 6_291_456);
        put(0x08, 100);
        put(0x09, 103);
        // The client's own connection id.
        push_varint(0x0f, &mut out);
        push_varint(self.ids[1].len() as u64, &mut out);
        out.extend_from_slice(&self.ids[1]);
        out
    }

    fn talk(&mut self, base: Nanos) {
        let connection = self.connection;
        let mut whole = base;
        // HANDSHAKE_DONE, tickets and new connection ids, while the first request is under way.
        let mut pending = Some((base + connection.path.round_trip() / 2 + 500_000, self.chance.between(120, 600) as u32));
        for message in connection.messages {
            let mut start = match message.due {
                Due::At(at) => (base + at).max(whole),
                Due::After(wait) => whole + wait,
            };
            if let Some((at, octets)) = pending.take_if(|(at, _)| *at < start) {
                start = self.say(Direction::Down, octets, at).unwrap_or(start).max(start);
            }
            match self.say(message.direction, message.octets, start) {
                Some(done) => whole = done,
                None => break,
            }
        }
        self.close(whole);
    }

    fn close(&mut self, whole: Nanos) {
        self.settle_before(Direction::Up, Nanos::MAX);
        self.settle_before(Direction::Down, Nanos::MAX);
        if self.connection.goodbye == Goodbye::Close {
            let last = self.packets.iter().map(|p| p.time).max().unwrap_or(0);
            let at = (whole + self.connection.linger).max(last);
            let octets = 1 + self.ids[0].len() as u16 + 2 + 16 + self.chance.between(4, 20) as u16;
            self.short(Direction::Up, at, octets);
        }
    }

    fn say(&mut self, direction: Direction, octets: u32, start: Nanos) -> Option<Nanos> {
        let d = direction.index();
        // An acknowledgement that is owed rides along.
        self.settle_before(direction, start);
        self.owed[d] = Owed::default();
        self.settle_before(direction.reverse(), start);
        let overhead = SHORT_OVERHEAD + self.ids[d].len() as u32;
        let left = self.connection.limit.saturating_sub(self.packets.len());
        let cargo = Cargo {
            direction,
            start,
            octets: octets.max(1),
            segment: self.most[d] - overhead,
            headers: overhead + 42,
            limit: left * 3 / 4,
        };
        let segments = self.senders[d].send(cargo, &self.connection.path, &mut self.clocks, self.chance);
        let mut arrived = 0;
        let mut whole = 0;
        for s in &segments {
            self.push_short(direction, s.trip, (s.octets + overhead) as u16);
            if let Some(at) = s.trip.arrived {
                arrived += s.octets;
                whole = at;
            }
        }
        self.receive(direction.reverse(), &segments);
        (arrived == octets.max(1)).then_some(whole)
    }

    fn receive(&mut self, side: Direction, segments: &[Segment]) {
        let r = side.index();
        let habits = self.connection.habits;
        for s in segments {
            let Some(at) = s.trip.arrived else { continue };
            self.settle_before(side, at);
            self.received[r] += 1;
            self.owed[r].packets += 1;
            let each = if side == Direction::Up && self.received[r] > 100 { habits.acknowledge_each } else { 2 };
            if self.owed[r].packets >= each {
                self.acknowledge(side, at + 10_000);
            } else {
                self.owed[r].due.get_or_insert(at + habits.acknowledge_delay);
            }
        }
    }

    fn settle_before(&mut self, side: Direction, now: Nanos) {
        if let Some(due) = self.owed[side.index()].due.filter(|due| *due <= now) {
            self.acknowledge(side, due);
        }
    }

    fn acknowledge(&mut self, side: Direction, at: Nanos) {
        self.owed[side.index()] = Owed::default();
        // One range, or a few.
        let ranges = self.chance.below(4) as u16;
        let octets = ACKNOWLEDGEMENT + self.ids[side.index()].len() as u16 + ranges;
        self.short(side, at, octets);
    }

    /// Sends a 1-RTT packet of so many octets.
    fn short(&mut self, direction: Direction, at: Nanos, octets: u16) {
        let trip = self.connection.path.travel(&mut self.clocks, direction, at, self.chance);
        self.push_short(direction, trip, octets);
    }

    fn push_short(&mut self, direction: Direction, trip: Trip, octets: u16) {
        let start = self.store.len();
        // Short header, fixed bit; the lower five bits are protected or noise anyway.
        self.store.push(0x40 | (self.chance.bits() as u8 & 0x1f));
        self.store.extend_from_slice(&self.ids[direction.index()]);
        let head = (self.store.len() - start) as u16;
        self.push(direction, trip, start as u32, head, octets.max(head + 20));
    }

    /// Sends a datagram.
    fn datagram(&mut self, direction: Direction, at: Nanos, literal: &[u8]) -> Trip {
        let start = self.store.len() as u32;
        self.store.extend_from_slice(literal);
        let trip = self.connection.path.travel(&mut self.clocks, direction, at, self.chance);
        self.push(direction, trip, start, literal.len() as u16, literal.len() as u16);
        trip
    }

    fn push(&mut self, direction: Direction, trip: Trip, start: u32, head: u16, payload: u16) {
        if let Some(time) = trip.seen {
            let salt = self.packets.len() as u32 + 1;
            let source = Source::Datagram { start, octets: head, salt };
            self.packets.push(Packet { time, direction, payload, source, tcp: TcpFields::default() });
        }
    }
}

/// An ACK frame for packets 0 to `largest`.
fn ack_frame(largest: u8) -> Vec<u8> {
    vec![0x02, largest, 0, 0, largest]
}

/// A variable-length integer (RFC 9000, 16).
pub(crate) fn push_varint(value: u64, out: &mut Vec<u8>) {
    match value {
        0..=0x3f => out.push(value as u8),
        0x40..=0x3fff => out.extend_from_slice(&(0x4000 | value as u16).to_be_bytes()),
        0x4000..=0x3fff_ffff => out.extend_from_slice(&(0x8000_0000 | value as u32).to_be_bytes()),
        _ => out.extend_from_slice(&(0xc000_0000_0000_0000 | value).to_be_bytes()),
    }
}
