//! IPv4.
//!
//! # Reference
//! RFC 791.

use super::Walk;
use super::transport::{Above, Piece};
use crate::packet::{Address, Protocol};
use crate::report::Skip;

impl Walk<'_> {
    #[inline]
    pub(super) fn ipv4(&mut self, at: usize) -> Result<(), Skip> {
        self.enter()?;
        let header = self.octets::<20>(at).ok_or(Skip::CutInIp)?;
        if header[0] >> 4 != 4 {
            return Err(Skip::IpVersion);
        }
        let header_octets = u16::from(header[0] & 0x0f) * 4;
        let total = match u16::from_be_bytes([header[2], header[3]]) {
            // Segmentation offload: the card cuts the packet after the capture saw it, and fills in the length then.
            0 => self.wire_octets_from(at),
            total => total,
        };
        if header_octets < 20 || total < header_octets {
            return Err(Skip::Ipv4HeaderLength);
        }
        let flags_offset = u16::from_be_bytes([header[6], header[7]]);
        let id = u32::from(u16::from_be_bytes([header[4], header[5]]));
        let piece = Piece::new(flags_offset & 0x1fff != 0, flags_offset & 0x2000 != 0, id);
        let packet = &mut self.packet;
        packet.ttl = header[8];
        packet.protocol = Protocol(header[9]);
        packet.source = Address::v4([header[12], header[13], header[14], header[15]]);
        packet.destination = Address::v4([header[16], header[17], header[18], header[19]]);
        packet.ip_octets = total;
        packet.ip_header_octets = header_octets;
        let above = Above {
            at: at + usize::from(header_octets),
            octets: total - header_octets,
            protocol: Protocol(header[9]),
            piece,
        };
        if above.protocol == Protocol::TCP || above.protocol == Protocol::UDP {
            return self.above_ip(above);
        }
        let above = self.authentication(above)?;
        self.above_ip(above)
    }

    /// Octets of the frame on the wire from a position on, as far as an IP length can tell.
    pub(super) fn wire_octets_from(&self, at: usize) -> u16 {
        let octets = self.frame.original.max(self.frame.bytes.len()).saturating_sub(at);
        u16::try_from(octets).unwrap_or(u16::MAX)
    }
}
