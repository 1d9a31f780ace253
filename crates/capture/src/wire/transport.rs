//! What lies above IP: the ports and flags of a flow's packets.
//!
//! # Reference
//! RFC 9293 (TCP), RFC 768 (UDP), RFC 9260 (SCTP), RFC 4340 (DCCP), RFC 3828 (UDP-Lite).

use super::fragment::{FragmentKey, Origin};
use super::{Layers, Walk};
use crate::packet::{Protocol, TcpFlags};
use crate::report::Skip;

const DCCP: Protocol = Protocol(33);
const SCTP: Protocol = Protocol(132);
const UDP_LITE: Protocol = Protocol(136);

/// Which part of a datagram a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Whole,
    First { id: u32 },
    Later { id: u32 },
}

impl Piece {
    #[inline]
    pub(super) fn new(has_offset: bool, has_more: bool, id: u32) -> Self {
        match (has_offset, has_more) {
            (true, _) => Self::Later { id },
            (false, true) => Self::First { id },
            (false, false) => Self::Whole,
        }
    }
}

/// What an IP header says about that which follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Above {
    pub(super) at: usize,
    pub(super) octets: u16,
    pub(super) protocol: Protocol,
    pub(super) piece: Piece,
}

impl Walk<'_> {
    #[inline]
    pub(super) fn above_ip(&mut self, above: Above) -> Result<(), Skip> {
        if above.piece != Piece::Whole {
            return self.fragment(above);
        }
        self.transport(above)?;
        self.tunnel(above);
        Ok(())
    }

    fn fragment(&mut self, above: Above) -> Result<(), Skip> {
        let key = |id| FragmentKey {
            source: self.packet.source,
            destination: self.packet.destination,
            protocol: above.protocol,
            id,
        };
        match above.piece {
            Piece::Later { id } => {
                let origin = self.fragments.origin(&key(id), self.packet.time);
                self.layers.add(match origin {
                    Some(_) => Layers::FRAGMENT_LATER,
                    None => Layers::FRAGMENT_UNATTRIBUTED,
                });
                let origin = origin.unwrap_or(Origin {
                    protocol: above.protocol,
                    source_port: 0,
                    destination_port: 0,
                });
                self.packet.fragment = true;
                self.packet.protocol = origin.protocol;
                self.packet.source_port = origin.source_port;
                self.packet.destination_port = origin.destination_port;
                self.payload(above.at, above.octets);
                Ok(())
            }
            Piece::First { id } => {
                let key = key(id);
                self.transport(above)?;
                self.layers.add(Layers::FRAGMENT_FIRST);
                let origin = Origin {
                    protocol: self.packet.protocol,
                    source_port: self.packet.source_port,
                    destination_port: self.packet.destination_port,
                };
                self.fragments.remember(key, origin, self.packet.time);
                self.tunnel(above);
                Ok(())
            }
            Piece::Whole => self.transport(above),
        }
    }

    #[inline]
    fn transport(&mut self, above: Above) -> Result<(), Skip> {
        match above.protocol {
            Protocol::TCP => self.tcp(above),
            Protocol::UDP => self.udp(above),
            SCTP | DCCP | UDP_LITE => {
                self.ports(above);
                Ok(())
            }
            _ => {
                self.payload(above.at, above.octets);
                Ok(())
            }
        }
    }

    #[inline]
    fn tcp(&mut self, Above { at, octets, .. }: Above) -> Result<(), Skip> {
        if octets < 20 {
            return Err(Skip::TransportLength);
        }
        // Up to the flags; of a capture cut behind them only the window is unknown.
        let header = self.octets::<14>(at).ok_or(Skip::CutInTransport)?;
        let header_octets = u16::from(header[12] >> 4) * 4;
        if header_octets < 20 || header_octets > octets {
            return Err(Skip::TransportLength);
        }
        let packet = &mut self.packet;
        packet.source_port = u16::from_be_bytes([header[0], header[1]]);
        packet.destination_port = u16::from_be_bytes([header[2], header[3]]);
        packet.tcp_sequence = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        packet.tcp_flags = TcpFlags(header[13]);
        self.packet.tcp_window = self.u16(at + 14).unwrap_or(0);
        self.payload(at + usize::from(header_octets), octets - header_octets);
        Ok(())
    }

    #[inline]
    fn udp(&mut self, Above { at, octets, .. }: Above) -> Result<(), Skip> {
        if octets < 8 {
            return Err(Skip::TransportLength);
        }
        let ports = *self.octets::<4>(at).ok_or(Skip::CutInTransport)?;
        let packet = &mut self.packet;
        packet.source_port = u16::from_be_bytes([ports[0], ports[1]]);
        packet.destination_port = u16::from_be_bytes([ports[2], ports[3]]);
        // UDP's own length may end before IP's (what lies between is no payload), or lie behind it in a first fragment; 0 comes from segmentation
        // offload and jumbograms.
        let stated = match self.u16(at + 4) {
            Some(stated @ 8..) => stated.min(octets),
            _ => octets,
        };
        self.payload(at + 8, stated - 8);
        Ok(())
    }

    /// Ports only; the rest counts as payload. A packet too short for them has none.
    fn ports(&mut self, Above { at, octets, .. }: Above) {
        if let Some(&[s0, s1, d0, d1]) = self.octets::<4>(at).filter(|_| octets >= 4) {
            self.packet.source_port = u16::from_be_bytes([s0, s1]);
            self.packet.destination_port = u16::from_be_bytes([d0, d1]);
        }
        self.payload(at, octets);
    }

    #[inline]
    fn payload(&mut self, at: usize, octets: u16) {
        let captured = self.captured_from(at).min(usize::from(octets));
        // A block never reaches 4 GiB, and `captured` is at most `octets`.
        self.packet.payload_start = u32::try_from(self.frame.start + at).unwrap_or(0);
        self.packet.payload_octets = octets;
        self.packet.payload_captured = u16::try_from(captured).unwrap_or(octets);
    }
}
