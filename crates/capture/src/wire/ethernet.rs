//! Ethernet, VLAN tags and IEEE 802.2.
//!
//! # Reference
//! IEEE 802.3, IEEE 802.1Q; RFC 1042 for IP in 802.2 with SNAP.

use super::{Layers, Walk};
use crate::report::Skip;

/// Largest value of the type field that is a length, and means that IEEE 802.2 follows.
const LENGTH_MAX: u16 = 1_500;

impl Walk<'_> {
    #[inline]
    pub(super) fn ethernet(&mut self, at: usize) -> Result<(), Skip> {
        let kind = self.u16(at + 12).ok_or(Skip::CutInLink)?;
        self.ether_type(kind, at + 14)
    }

    /// What an EtherType announces.
    #[inline]
    pub(super) fn ether_type(&mut self, kind: u16, at: usize) -> Result<(), Skip> {
        match kind {
            0x0800 => self.ipv4(at),
            0x86dd => self.ipv6(at),
            _ => self.rare_ether_type(kind, at),
        }
    }

    fn rare_ether_type(&mut self, kind: u16, at: usize) -> Result<(), Skip> {
        self.enter()?;
        match kind {
            // C-tag, S-tag, and what was used for the latter before it was standardised.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => self.vlan(at),
            0x8847 | 0x8848 => self.mpls(at),
            0x8864 => self.pppoe(at),
            0..=LENGTH_MAX => self.llc(at),
            _ => Err(Skip::EtherType(kind)),
        }
    }

    fn vlan(&mut self, at: usize) -> Result<(), Skip> {
        let [high, low, kind @ ..] = *self.octets::<4>(at).ok_or(Skip::CutInLink)?;
        if self.layers.has(Layers::VLAN) {
            self.layers.add(Layers::QINQ);
        } else {
            self.layers.add(Layers::VLAN);
            self.packet.vlan_plus_one = (u16::from_be_bytes([high, low]) & 0x0fff) + 1;
        }
        self.ether_type(u16::from_be_bytes(kind), at + 4)
    }

    pub(super) fn llc(&mut self, at: usize) -> Result<(), Skip> {
        let header = *self.octets::<3>(at).ok_or(Skip::CutInLink)?;
        match header {
            [0xaa, 0xaa, 0x03] => self.snap(at + 3),
            [0x06, 0x06, 0x03] => self.ip(at + 3),
            [destination, ..] => Err(Skip::Llc(destination)),
        }
    }

    fn snap(&mut self, at: usize) -> Result<(), Skip> {
        match *self.octets::<5>(at).ok_or(Skip::CutInLink)? {
            // RFC 1042, and IEEE 802.1H's for bridged frames.
            [0, 0, 0 | 0xf8, kind @ ..] => self.ether_type(u16::from_be_bytes(kind), at + 5),
            [0, 0, 0x0c, 0x20, 0x00] => Err(Skip::EtherType(0x2000)),
            _ => Err(Skip::Llc(0xaa)),
        }
    }
}
