//! IPv6 and its extension headers; the authentication header also of IPv4.
//!
//! # Reference
//! RFC 8200; RFC 4302 (authentication), RFC 6275 (mobility), RFC 7401 (host identity), RFC 5533 (shim).

use super::Walk;
use super::transport::{Above, Piece};
use crate::packet::{Address, Protocol};
use crate::report::Skip;

const HOP_BY_HOP: Protocol = Protocol(0);
const ROUTING: Protocol = Protocol(43);
const FRAGMENT: Protocol = Protocol(44);
const AUTHENTICATION: Protocol = Protocol(51);
const NO_NEXT_HEADER: Protocol = Protocol(59);
const DESTINATION: Protocol = Protocol(60);
const MOBILITY: Protocol = Protocol(135);
const HOST_IDENTITY: Protocol = Protocol(139);
const SHIM: Protocol = Protocol(140);

impl Walk<'_> {
    #[inline]
    pub(super) fn ipv6(&mut self, at: usize) -> Result<(), Skip> {
        self.enter()?;
        let header = self.octets::<40>(at).ok_or(Skip::CutInIp)?;
        if header[0] >> 4 != 6 {
            return Err(Skip::IpVersion);
        }
        let protocol = Protocol(header[6]);
        let octets = match u16::from_be_bytes([header[4], header[5]]) {
            // A jumbogram (RFC 2675), or segmentation offload. Other protocols may truly have nothing, and then the rest of the frame is padding.
            0 if matches!(protocol, HOP_BY_HOP | Protocol::TCP | Protocol::UDP) => {
                self.wire_octets_from(at + 40)
            }
            octets => octets,
        };
        let [_, _, _, _, _, _, _, ttl, addresses @ ..] = header;
        let packet = &mut self.packet;
        packet.ttl = *ttl;
        packet.protocol = protocol;
        packet.source = address(addresses, 0);
        packet.destination = address(addresses, 16);
        packet.ip_octets = octets.saturating_add(40);
        packet.ip_header_octets = 40;
        let above = Above { at: at + 40, octets, protocol, piece: Piece::Whole };
        if protocol == Protocol::TCP || protocol == Protocol::UDP {
            return self.above_ip(above);
        }
        let above = self.extensions(above)?;
        self.above_ip(above)
    }

    /// Goes on to the first header that is no extension.
    fn extensions(&mut self, mut above: Above) -> Result<Above, Skip> {
        loop {
            above = match above.protocol {
                HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM => {
                    let [next, length] = *self.octets::<2>(above.at).ok_or(Skip::CutInIp)?;
                    if Protocol(next) == NO_NEXT_HEADER && above.protocol.0 >= MOBILITY.0 {
                        // These are protocols of their own when nothing follows.
                        return Ok(above);
                    }
                    self.past(above, Protocol(next), (u16::from(length) + 1) * 8)?
                }
                AUTHENTICATION => {
                    let next = self.authentication(above)?;
                    if next.protocol == AUTHENTICATION {
                        return Ok(next);
                    }
                    next
                }
                FRAGMENT => {
                    let [next, _, high, low, id @ ..] =
                        *self.octets::<8>(above.at).ok_or(Skip::CutInIp)?;
                    let offset_more = u16::from_be_bytes([high, low]);
                    let id = u32::from_be_bytes(id);
                    let piece = Piece::new(offset_more & 0xfff8 != 0, offset_more & 1 != 0, id);
                    let above = self.past(above, Protocol(next), 8)?;
                    let above = Above { piece, ..above };
                    if let Piece::Later { .. } = piece {
                        return Ok(above);
                    }
                    above
                }
                _ => return Ok(above),
            };
        }
    }

    /// Passes an authentication header, if that is what follows.
    pub(super) fn authentication(&mut self, above: Above) -> Result<Above, Skip> {
        if above.protocol != AUTHENTICATION || matches!(above.piece, Piece::Later { .. }) {
            return Ok(above);
        }
        let [next, length] = *self.octets::<2>(above.at).ok_or(Skip::CutInIp)?;
        self.past(above, Protocol(next), (u16::from(length) + 2) * 4)
    }

    /// Passes one extension header of so many octets.
    fn past(&mut self, above: Above, next: Protocol, header: u16) -> Result<Above, Skip> {
        self.enter()?;
        let octets = above.octets.checked_sub(header).ok_or(Skip::Ipv6Extension)?;
        self.packet.ip_header_octets = self.packet.ip_header_octets.saturating_add(header);
        self.packet.protocol = next;
        Ok(Above { at: above.at + usize::from(header), octets, protocol: next, ..above })
    }
}

#[inline]
fn address(addresses: &[u8], at: usize) -> Address {
    addresses[at..].first_chunk::<16>().map_or(Address::default(), |octets| Address::v6(*octets))
}
