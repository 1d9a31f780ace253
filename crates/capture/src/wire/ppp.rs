//! PPP, alone and over Ethernet, and Cisco's HDLC.
//!
//! # Reference
//! RFC 1661, RFC 1662, RFC 2516; for Cisco HDLC RFC 1547, section 4.3.1.

use super::{Layers, Walk};
use crate::report::Skip;

impl Walk<'_> {
    /// Captures of PPP links also hold Cisco's framing; its unicast and broadcast addresses tell it.
    pub(super) fn ppp_or_hdlc(&mut self, at: usize) -> Result<(), Skip> {
        match self.frame.bytes.get(at) {
            Some(0x0f | 0x8f) => self.hdlc(at),
            _ => self.ppp(at),
        }
    }

    pub(super) fn hdlc(&mut self, at: usize) -> Result<(), Skip> {
        let kind = self.u16(at + 2).ok_or(Skip::CutInLink)?;
        self.ether_type(kind, at + 4)
    }

    pub(super) fn ppp(&mut self, at: usize) -> Result<(), Skip> {
        self.enter()?;
        // Address and control may be compressed away.
        let at = if self.octets::<2>(at) == Some(&[0xff, 0x03]) { at + 2 } else { at };
        let first = *self.frame.bytes.get(at).ok_or(Skip::CutInLink)?;
        // Protocol numbers end in an odd octet, so an odd first octet is a compressed one (RFC 1661, section 6.5).
        let (protocol, next) = if first & 1 == 1 {
            (u16::from(first), at + 1)
        } else {
            (self.u16(at).ok_or(Skip::CutInLink)?, at + 2)
        };
        match protocol {
            0x0021 => self.ipv4(next),
            0x0057 => self.ipv6(next),
            0x0281 | 0x0283 => self.mpls(next),
            _ => Err(Skip::Ppp(protocol)),
        }
    }

    /// A session frame.
    pub(super) fn pppoe(&mut self, at: usize) -> Result<(), Skip> {
        let [version_type, code, ..] = *self.octets::<6>(at).ok_or(Skip::CutInLink)?;
        if version_type != 0x11 || code != 0 {
            return Err(Skip::EtherType(0x8864));
        }
        self.layers.add(Layers::PPPOE);
        self.ppp(at + 6)
    }
}
