//! The classic capture file: a header of 24 octets, then records.
//!
//! # Reference
//! draft-ietf-opsawg-pcap.

use super::{ByteOrder, Flaw, PCAP_RECORD_OCTETS, RECORD_OCTETS_MAX, Record, Step};
use crate::packet::Timestamp;
use crate::report::LinkType;

/// Octets of the file header.
pub(super) const FILE_HEADER_OCTETS: usize = 24;

/// What the magic number tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    order: ByteOrder,
    /// Nanoseconds in one unit of the record's fraction.
    unit: i64,
    record_header: usize,
}

impl Kind {
    pub(super) fn of_magic(magic: &[u8]) -> Option<Self> {
        let magic = *magic.first_chunk::<4>()?;
        let known = |magic: u32| match magic {
            0xa1b2_c3d4 => Some((1_000, 16)),
            0xa1b2_3c4d => Some((1, 16)),
            // Kuznetzov's variant, once written by Red Hat's libpcap: eight octets more in each record header.
            0xa1b2_cd34 => Some((1_000, 24)),
            _ => None,
        };
        let (order, (unit, record_header)) = known(u32::from_le_bytes(magic))
            .map(|kind| (ByteOrder::Little, kind))
            .or_else(|| known(u32::from_be_bytes(magic)).map(|kind| (ByteOrder::Big, kind)))?;
        Some(Self { order, unit, record_header })
    }
}

/// The records of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records {
    kind: Kind,
    link: LinkType,
    captured_max: usize,
}

impl Records {
    /// `header` is the file header, whole.
    pub(super) fn new(kind: Kind, header: &[u8]) -> Self {
        let field =
            |at: usize| header[at..].first_chunk::<4>().map_or(0, |octets| kind.order.u32(*octets));
        let snap_length = field(16) as usize;
        // The upper bits tell the length of a frame check sequence, which the IP header's length excludes anyway.
        #[expect(clippy::cast_possible_truncation, reason = "the link type is the low 16 bits")]
        let link = LinkType(field(20) as u16);
        let captured_max = snap_length.clamp(PCAP_RECORD_OCTETS, RECORD_OCTETS_MAX);
        Self { kind, link, captured_max }
    }

    #[inline]
    pub(super) fn step(&self, bytes: &[u8], at: usize) -> Step {
        let header_octets = self.kind.record_header;
        let Some(header) = bytes[at..].first_chunk::<16>() else {
            return Step::More { octets: header_octets };
        };
        let order = self.kind.order;
        let [s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, o0, o1, o2, o3] = *header;
        let captured = order.u32([c0, c1, c2, c3]) as usize;
        if captured > self.captured_max {
            return Step::Bad(Flaw::TooLarge { octets: captured, limit: self.captured_max });
        }
        let octets = header_octets + captured;
        if bytes.len() - at < octets {
            return Step::More { octets };
        }
        let seconds = i64::from(order.u32([s0, s1, s2, s3]));
        let fraction = i64::from(order.u32([f0, f1, f2, f3]));
        let record = Record {
            time: Timestamp(seconds * 1_000_000_000 + fraction * self.kind.unit),
            link: self.link,
            start: at + header_octets,
            captured,
            original: order.u32([o0, o1, o2, o3]) as usize,
        };
        Step::Packet { record, next: at + octets }
    }
}
