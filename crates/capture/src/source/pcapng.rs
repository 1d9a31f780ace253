//! The next-generation capture file: sections of blocks, with several interfaces in each.
//!
//! # Reference
//! draft-ietf-opsawg-pcapng.

use super::{ByteOrder, Flaw, RECORD_OCTETS_MAX, Record, Step};
use crate::packet::Timestamp;
use crate::report::{LinkType, Skip};

/// As many octets of the first section header as tell its length.
pub(super) const HEAD_OCTETS: usize = 12;

/// The most interfaces a section may describe; the packet block of old has 16 bits for them.
const INTERFACES_MAX: usize = 1 << 16;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Name resolution, interface statistics, systemd journal, decryption secrets, custom (may and may not be copied).
const METADATA: [u32; 6] = [4, 5, 9, 10, 0x0bad, 0x4000_0bad];

pub(super) fn is_magic(magic: &[u8]) -> bool {
    magic.first_chunk::<4>() == Some(&[0x0a, 0x0d, 0x0d, 0x0a])
}

/// How many octets the section header takes whose first [`HEAD_OCTETS`] are `head`.
pub(super) fn first_section_octets(head: &[u8]) -> Result<usize, Flaw> {
    let order = section_order(head, 0)?;
    let stated = word(order, head, 4);
    checked_length(SECTION_HEADER, stated)
}

/// How an interface writes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// A unit is this many nanoseconds.
    Nanoseconds(u64),
    /// A second is this many units.
    PerSecond(u128),
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    /// Zero when there is no limit.
    snap_length: u32,
    resolution: Resolution,
    offset_seconds: i64,
}

impl Interface {
    #[inline]
    fn time(&self, units: u64) -> Timestamp {
        let nanoseconds = match self.resolution {
            Resolution::Nanoseconds(unit) => i64::try_from(units.saturating_mul(unit)),
            Resolution::PerSecond(units_a_second) => {
                let units = u128::from(units);
                let (seconds, rest) = (units / units_a_second, units % units_a_second);
                // A rest below 10^n or 2^n with n ≤ 63 keeps the product below 2^126.
                i64::try_from(seconds * 1_000_000_000 + rest * 1_000_000_000 / units_a_second)
            }
        };
        let nanoseconds = nanoseconds.unwrap_or(i64::MAX);
        Timestamp(nanoseconds.saturating_add(self.offset_seconds.saturating_mul(1_000_000_000)))
    }
}

/// The current section: its byte order and its interfaces.
#[derive(Debug)]
pub(super) struct Section {
    order: ByteOrder,
    interfaces: Vec<Interface>,
}

impl Default for Section {
    fn default() -> Self {
        Self { order: ByteOrder::Little, interfaces: Vec::new() }
    }
}

impl Section {
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8], at: usize, time_last: Timestamp) -> Step {
        if bytes.len() - at < HEAD_OCTETS {
            return Step::More { octets: HEAD_OCTETS };
        }
        // The same in both byte orders.
        if bytes[at..at + 4] == SECTION_HEADER.to_be_bytes() {
            match section_order(bytes, at) {
                Ok(order) => self.order = order,
                Err(flaw) => return Step::Bad(flaw),
            }
        }
        let kind = word(self.order, bytes, at);
        let stated = word(self.order, bytes, at + 4);
        let octets = match checked_length(kind, stated) {
            Ok(octets) => octets,
            Err(flaw) => return Step::Bad(flaw),
        };
        if bytes.len() - at < octets {
            return Step::More { octets };
        }
        let next = at + octets;
        let behind = word(self.order, bytes, next - 4);
        if behind != stated {
            return Step::Bad(Flaw::BlockLengths { first: stated, second: behind });
        }
        let body = Body { order: self.order, bytes, start: at + 8, end: next - 4 };
        match kind {
            ENHANCED_PACKET => self.enhanced_packet(body, next),
            SIMPLE_PACKET => self.simple_packet(body, next, time_last),
            PACKET => self.packet(body, next),
            SECTION_HEADER => self.section_header(body, next),
            INTERFACE_DESCRIPTION => self.interface_description(body, next),
            kind if METADATA.contains(&kind) => Step::Metadata { next },
            _ => Step::Unknown { next },
        }
    }

    fn section_header(&mut self, body: Body<'_>, next: usize) -> Step {
        self.interfaces.clear();
        match body.u16(4) {
            Some(1) => Step::Metadata { next },
            version => Step::Bad(Flaw::Version(version.unwrap_or(0))),
        }
    }

    fn interface_description(&mut self, body: Body<'_>, next: usize) -> Step {
        if self.interfaces.len() == INTERFACES_MAX {
            return Step::Bad(Flaw::Interfaces(INTERFACES_MAX));
        }
        let (Some(link), Some(snap_length)) = (body.u16(0), body.u32(4)) else {
            return Step::Bad(Flaw::Interface);
        };
        let mut interface = Interface {
            link: LinkType(link),
            snap_length,
            resolution: Resolution::Nanoseconds(1_000),
            offset_seconds: 0,
        };
        body.options(8, |code, value| match (code, value) {
            (9, [exponent, ..]) => {
                if let Some(resolution) = resolution(*exponent) {
                    interface.resolution = resolution;
                }
            }
            (14, value) => {
                if let Some(octets) = value.first_chunk::<8>() {
                    interface.offset_seconds = body.order.u64(*octets).cast_signed();
                }
            }
            _ => {}
        });
        self.interfaces.push(interface);
        Step::Metadata { next }
    }

    #[inline]
    fn enhanced_packet(&self, body: Body<'_>, next: usize) -> Step {
        let Some(&fields) = body.bytes[body.start..body.end].first_chunk::<20>() else {
            return Step::Unusable { skip: Skip::MalformedRecord, original: 0, next };
        };
        let field = |at: usize| {
            self.order.u32([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]])
        };
        let units = u64::from(field(4)) << 32 | u64::from(field(8));
        let stamp = Stamp::Units(units);
        self.place(body, field(0), stamp, Sizes::new(20, field(12), field(16)), next)
    }

    /// The obsolete packet block.
    fn packet(&self, body: Body<'_>, next: usize) -> Step {
        let fields = (body.u16(0), body.u32(4), body.u32(8), body.u32(12), body.u32(16));
        let (Some(interface), Some(high), Some(low), Some(captured), Some(original)) = fields
        else {
            return Step::Unusable { skip: Skip::MalformedRecord, original: 0, next };
        };
        let stamp = Stamp::Units(u64::from(high) << 32 | u64::from(low));
        self.place(body, u32::from(interface), stamp, Sizes::new(20, captured, original), next)
    }

    /// Has no time of its own; the time of the packet before it keeps its flow in order.
    fn simple_packet(&self, body: Body<'_>, next: usize, time_last: Timestamp) -> Step {
        let Some(original) = body.u32(0) else {
            return Step::Unusable { skip: Skip::MalformedRecord, original: 0, next };
        };
        let snap_length = match self.interfaces.first().map_or(0, |interface| interface.snap_length)
        {
            0 => u32::MAX,
            length => length,
        };
        // Captured octets are not stated; the block is padded by up to three octets. The clamp in `place` does not apply, so take the least.
        #[expect(clippy::cast_possible_truncation, reason = "a block is at most 16 MiB")]
        let room = (body.end - body.start - 4) as u32;
        let captured = original.min(snap_length).min(room);
        self.place(body, 0, Stamp::Known(time_last), Sizes::new(4, captured, original), next)
    }

    #[inline]
    fn place(
        &self,
        body: Body<'_>,
        interface: u32,
        stamp: Stamp,
        sizes: Sizes,
        next: usize,
    ) -> Step {
        let Sizes { before, captured, original } = sizes;
        let Some(interface) = self.interfaces.get(interface as usize) else {
            return Step::Unusable { skip: Skip::UnknownInterface, original, next };
        };
        let start = body.start + before;
        if captured > body.end - start {
            return Step::Unusable { skip: Skip::MalformedRecord, original, next };
        }
        let time = match stamp {
            Stamp::Units(units) => interface.time(units),
            Stamp::Known(time) => time,
        };
        let record = Record { time, link: interface.link, start, captured, original };
        Step::Packet { record, next }
    }
}

/// A packet's time, as its block tells it.
#[derive(Clone, Copy)]
enum Stamp {
    Units(u64),
    Known(Timestamp),
}

/// Octets before the packet in the block's body, captured, and on the wire.
#[derive(Clone, Copy)]
struct Sizes {
    before: usize,
    captured: usize,
    original: usize,
}

impl Sizes {
    fn new(before: usize, captured: u32, original: u32) -> Self {
        Self { before, captured: captured as usize, original: original as usize }
    }
}

/// A block without its type and its two lengths.
#[derive(Clone, Copy)]
struct Body<'a> {
    order: ByteOrder,
    bytes: &'a [u8],
    start: usize,
    end: usize,
}

impl<'a> Body<'a> {
    fn u16(&self, at: usize) -> Option<u16> {
        let octets = self.octets(at)?.first_chunk::<2>()?;
        Some(self.order.u16(*octets))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let octets = self.octets(at)?.first_chunk::<4>()?;
        Some(self.order.u32(*octets))
    }

    fn octets(&self, at: usize) -> Option<&'a [u8]> {
        self.bytes[self.start..self.end].get(at..)
    }

    /// Calls `each` with code and value of every whole option from `at` on.
    fn options(&self, mut at: usize, mut each: impl FnMut(u16, &'a [u8])) {
        while let (Some(code), Some(octets)) = (self.u16(at), self.u16(at + 2)) {
            let octets = usize::from(octets);
            let Some(value) = self.octets(at + 4).and_then(|rest| rest.get(..octets)) else {
                return;
            };
            if code == 0 {
                return;
            }
            each(code, value);
            at += 4 + octets.next_multiple_of(4);
        }
    }
}

/// `if_tsresol`: the top bit chooses the base 2 or 10, the rest is the negative exponent.
fn resolution(exponent: u8) -> Option<Resolution> {
    let power = u32::from(exponent & 0x7f);
    if exponent & 0x80 != 0 {
        return (power <= 63).then(|| Resolution::PerSecond(1 << power));
    }
    match power {
        0..=9 => Some(Resolution::Nanoseconds(10_u64.pow(9 - power))),
        10..=19 => Some(Resolution::PerSecond(10_u128.pow(power))),
        _ => None,
    }
}

fn section_order(bytes: &[u8], at: usize) -> Result<ByteOrder, Flaw> {
    match word(ByteOrder::Little, bytes, at + 8) {
        0x1a2b_3c4d => Ok(ByteOrder::Little),
        0x4d3c_2b1a => Ok(ByteOrder::Big),
        other => Err(Flaw::ByteOrder(other)),
    }
}

fn checked_length(kind: u32, stated: u32) -> Result<usize, Flaw> {
    let least = if kind == SECTION_HEADER { 28 } else { 12 };
    if stated < least || !stated.is_multiple_of(4) {
        return Err(Flaw::BlockLength(stated));
    }
    let octets = stated as usize;
    if octets > RECORD_OCTETS_MAX {
        return Err(Flaw::TooLarge { octets, limit: RECORD_OCTETS_MAX });
    }
    Ok(octets)
}

/// The 32 bits at a position that the caller knows to be there; zero otherwise.
#[inline]
fn word(order: ByteOrder, bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |octets| order.u32(*octets))
}
