//! Walks down the headers of one captured frame to the innermost IP packet.
//!
//! Every step takes a position in the frame and either finishes the packet or names the reason why it cannot. Nothing is copied but the header
//! fields themselves, and no step trusts a length that a header states before it was compared with what was captured.

mod capwap;
mod ethernet;
mod fragment;
mod ipv4;
mod ipv6;
mod link;
mod mpls;
mod ppp;
mod transport;
mod tunnel;

use crate::packet::{Packet, Timestamp};
use crate::report::{LinkType, Skip};
use fragment::Fragments;

/// How many headers are followed in one frame, wrong guesses included.
const HEADERS_MAX: u8 = 48;

/// One frame as captured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// What was captured.
    pub(crate) bytes: &'a [u8],
    /// Where it starts in its block.
    pub(crate) start: usize,
    /// How long it was on the wire.
    pub(crate) original: usize,
}

/// What was met on the way down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layers(u8);

impl Layers {
    pub(crate) const VLAN: Self = Self(1);
    pub(crate) const QINQ: Self = Self(2);
    pub(crate) const MPLS: Self = Self(4);
    pub(crate) const PPPOE: Self = Self(8);
    pub(crate) const FRAGMENT_FIRST: Self = Self(16);
    pub(crate) const FRAGMENT_LATER: Self = Self(32);
    pub(crate) const FRAGMENT_UNATTRIBUTED: Self = Self(64);

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, layer: Self) -> bool {
        self.0 & layer.0 != 0
    }

    fn add(&mut self, layer: Self) {
        self.0 |= layer.0;
    }
}

/// Decodes frames; remembers nothing but first fragments.
#[derive(Debug)]
pub(crate) struct Decoder {
    fragments: Fragments,
}

impl Decoder {
    pub(crate) fn new(fragment_limit: usize) -> Self {
        Self { fragments: Fragments::new(fragment_limit) }
    }

    /// The innermost IP packet of a frame, or why there is none.
    #[inline]
    pub(crate) fn decode(
        &mut self,
        link: LinkType,
        time: Timestamp,
        number: u64,
        frame: &Frame<'_>,
    ) -> Result<(Packet, Layers), (Skip, Layers)> {
        let mut walk = Walk {
            frame: *frame,
            packet: Packet { time, number, ..Packet::default() },
            layers: Layers::default(),
            headers: 0,
            fragments: &mut self.fragments,
        };
        match walk.link(link) {
            Ok(()) => Ok((walk.packet, walk.layers)),
            Err(skip) => Err((skip, walk.layers)),
        }
    }
}

/// The way down through one frame.
struct Walk<'a> {
    frame: Frame<'a>,
    packet: Packet,
    layers: Layers,
    headers: u8,
    fragments: &'a mut Fragments,
}

impl<'a> Walk<'a> {
    /// Counts one more header, so that no frame can keep us busy.
    #[inline]
    fn enter(&mut self) -> Result<(), Skip> {
        self.headers += 1;
        if self.headers > HEADERS_MAX { Err(Skip::TooDeep) } else { Ok(()) }
    }

    /// The `N` octets at a position, if they were captured.
    #[inline]
    fn octets<const N: usize>(&self, at: usize) -> Option<&'a [u8; N]> {
        self.frame.bytes.get(at..)?.first_chunk::<N>()
    }

    #[inline]
    fn u16(&self, at: usize) -> Option<u16> {
        self.octets::<2>(at).map(|octets| u16::from_be_bytes(*octets))
    }

    /// How many octets of the frame were captured from a position on.
    #[inline]
    fn captured_from(&self, at: usize) -> usize {
        self.frame.bytes.len().saturating_sub(at)
    }

    /// Tries one reading of what follows; when it does not hold, nothing has changed.
    fn attempt(&mut self, reading: impl FnOnce(&mut Self) -> Result<(), Skip>) -> Result<(), Skip> {
        let before = (self.packet, self.layers);
        let outcome = reading(self);
        if outcome.is_err() {
            (self.packet, self.layers) = before;
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
