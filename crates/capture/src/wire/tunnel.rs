//! Looks into tunnels: the inner packet is the one that counts, the outermost tunnel is noted.
//!
//! When the inside cannot be decoded, the outer packet stands. Tunnels over UDP are told by their port, so each must also look like one: its header
//! is right, and the inner packet fits into it.
//!
//! # Reference
//! RFC 2003, RFC 2473, RFC 4213 (IP in IP); RFC 2784, RFC 2890, RFC 2637 (GRE); RFC 7348 (VXLAN); 3GPP TS 29.281, section 5 (GTP-U).

use super::Walk;
use super::transport::{Above, Piece};
use crate::packet::{Packet, Protocol, Tunnel};
use crate::report::Skip;

const IPV4: Protocol = Protocol(4);
const IPV6: Protocol = Protocol(41);
const GRE: Protocol = Protocol(47);

const GTPU_PORT: u16 = 2_152;
const VXLAN_PORT: u16 = 4_789;
/// What Linux used before the port was assigned.
const VXLAN_PORT_OLD: u16 = 8_472;
const CAPWAP_DATA_PORT: u16 = 5_247;

impl Walk<'_> {
    /// Replaces the packet by the one inside of it, if it is a tunnel's and can be decoded.
    #[inline]
    pub(super) fn tunnel(&mut self, above: Above) {
        match above.protocol {
            Protocol::TCP => {}
            Protocol::UDP => {
                // Both ends of GTP-U and CAPWAP answer from the port; VXLAN's source port is only entropy.
                let ports = [self.packet.source_port, self.packet.destination_port];
                match ports {
                    [_, VXLAN_PORT | VXLAN_PORT_OLD] => {
                        self.inside(Tunnel::Vxlan, above, Self::vxlan)
                    }
                    [GTPU_PORT, _] | [_, GTPU_PORT] => self.inside(Tunnel::Gtpu, above, Self::gtpu),
                    [CAPWAP_DATA_PORT, _] | [_, CAPWAP_DATA_PORT] => {
                        self.inside(Tunnel::Capwap, above, Self::capwap);
                    }
                    _ => {}
                }
            }
            IPV4 => self.inside(Tunnel::IpInIp, above, |walk, above| walk.ipv4(above.at)),
            IPV6 => self.inside(Tunnel::IpInIp, above, |walk, above| walk.ipv6(above.at)),
            GRE => self.inside(Tunnel::Gre, above, Self::gre),
            _ => {}
        }
    }

    fn inside(
        &mut self,
        tunnel: Tunnel,
        above: Above,
        reading: fn(&mut Self, Above) -> Result<(), Skip>,
    ) {
        let outer = self.packet;
        let outcome = self.attempt(|walk| {
            walk.packet = Packet {
                time: outer.time,
                number: outer.number,
                vlan_plus_one: outer.vlan_plus_one,
                ..Packet::default()
            };
            reading(walk, above)?;
            // A first fragment is the one place where the inner packet may be the longer one.
            if above.piece == Piece::Whole && walk.packet.ip_octets > above.octets {
                return Err(Skip::Ipv4HeaderLength);
            }
            Ok(())
        });
        if outcome.is_ok() {
            self.packet.tunnel = tunnel;
        }
    }

    fn gre(&mut self, Above { at, .. }: Above) -> Result<(), Skip> {
        let [f0, f1, k0, k1] = *self.octets::<4>(at).ok_or(Skip::CutInTransport)?;
        let (flags, kind) = (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([k0, k1]));
        let field = |bit: u16| if flags & bit != 0 { 4 } else { 0 };
        let (checksum, routing) = (field(0x8000), flags & 0x4000 != 0);
        let (key, sequence, acknowledgement) = (field(0x2000), field(0x1000), field(0x0080));
        match flags & 0x0007 {
            0 if !routing => {
                let next = at + 4 + checksum + key + sequence;
                match kind {
                    0x6558 => self.ethernet(next),
                    0x880b => self.ppp(next),
                    // Mirrored traffic, ERSPAN: type II has a sequence number and a header of 8 octets, type I neither.
                    0x88be => self.ethernet(if sequence == 0 { next } else { next + 8 }),
                    kind => self.ether_type(kind, next),
                }
            }
            1 if kind == 0x880b => self.ppp(at + 4 + key + sequence + acknowledgement),
            _ => Err(Skip::TransportLength),
        }
    }

    fn vxlan(&mut self, Above { at, .. }: Above) -> Result<(), Skip> {
        let header = *self.octets::<8>(at + 8).ok_or(Skip::CutInTransport)?;
        // The I flag alone and reserved fields of zero, or with it the G flag of the group policy extension, which uses two of them.
        match header {
            [0x08, 0, 0, 0, _, _, _, 0] | [0x88, _, _, _, _, _, _, 0] => self.ethernet(at + 16),
            _ => Err(Skip::TransportLength),
        }
    }

    fn gtpu(&mut self, Above { at, octets, piece, .. }: Above) -> Result<(), Skip> {
        let [flags, kind, l0, l1, ..] = *self.octets::<8>(at + 8).ok_or(Skip::CutInTransport)?;
        let stated = usize::from(u16::from_be_bytes([l0, l1]));
        let is_packet = flags & 0xf0 == 0x30 && kind == 0xff;
        if !is_packet || (piece == Piece::Whole && stated + 16 > usize::from(octets)) {
            return Err(Skip::TransportLength);
        }
        let mut next = at + 16;
        if flags & 0x07 != 0 {
            let [_, _, _, mut extension] = *self.octets::<4>(next).ok_or(Skip::CutInTransport)?;
            next += 4;
            while flags & 0x04 != 0 && extension != 0 {
                self.enter()?;
                let length = self.frame.bytes.get(next).ok_or(Skip::CutInTransport)?;
                if *length == 0 {
                    return Err(Skip::TransportLength);
                }
                next += usize::from(*length) * 4;
                extension = *self.frame.bytes.get(next - 1).ok_or(Skip::CutInTransport)?;
            }
        }
        self.ip(next)
    }
}
