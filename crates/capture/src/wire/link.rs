//! The lowest header, as the capture file's link type tells it.
//!
//! # Reference
//! <https://www.tcpdump.org/linktypes.html>

use super::Walk;
use crate::report::{LinkType, Skip};

impl Walk<'_> {
    #[inline]
    pub(super) fn link(&mut self, link: LinkType) -> Result<(), Skip> {
        if link.0 == 1 {
            return self.ethernet(0);
        }
        self.rare_link(link)
    }

    fn rare_link(&mut self, link: LinkType) -> Result<(), Skip> {
        match link.0 {
            0 | 108 => self.loopback(),
            9 | 50 => self.ppp_or_hdlc(0),
            12 | 14 | 101 => self.ip(0),
            51 => self.pppoe(0),
            104 => self.hdlc(0),
            113 => self.cooked(14, 16),
            228 => self.ipv4(0),
            229 => self.ipv6(0),
            276 => self.cooked(0, 20),
            _ => Err(Skip::UnsupportedLink(link)),
        }
    }

    /// Linux's pseudo header: a protocol number at one place, and what it announces at another.
    fn cooked(&mut self, protocol_at: usize, next: usize) -> Result<(), Skip> {
        match self.u16(protocol_at).ok_or(Skip::CutInLink)? {
            // 802.3 without and with LLC, by Linux's numbers.
            0x0001 | 0x0004 => self.llc(next),
            kind => self.ether_type(kind, next),
        }
    }

    /// Four octets of address family, in the byte order of whoever captured; OpenBSD's in network order.
    fn loopback(&mut self) -> Result<(), Skip> {
        let octets = *self.octets::<4>(0).ok_or(Skip::CutInLink)?;
        let families = [u32::from_be_bytes(octets), u32::from_le_bytes(octets)];
        // AF_INET is 2 everywhere; AF_INET6 is 10 (Linux), 23 (Windows), 24, 28 or 30 (the BSDs, macOS).
        if families.contains(&2) {
            return self.ipv4(4);
        }
        if families.iter().any(|family| matches!(family, 10 | 23 | 24 | 28 | 30)) {
            return self.ipv6(4);
        }
        Err(Skip::AddressFamily(families[0].min(families[1])))
    }

    /// IP of whichever version its first half octet tells.
    pub(super) fn ip(&mut self, at: usize) -> Result<(), Skip> {
        match self.frame.bytes.get(at).map(|octet| octet >> 4) {
            Some(4) => self.ipv4(at),
            Some(6) => self.ipv6(at),
            Some(_) => Err(Skip::IpVersion),
            None => Err(Skip::CutInIp),
        }
    }
}
