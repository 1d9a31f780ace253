//! MPLS label stacks, whose content has to be guessed.
//!
//! # Reference
//! RFC 3032; RFC 4385 and RFC 4448 for Ethernet with a control word; RFC 4928, section 3, on guessing.

use super::{Layers, Walk};
use crate::report::Skip;

impl Walk<'_> {
    pub(super) fn mpls(&mut self, at: usize) -> Result<(), Skip> {
        self.layers.add(Layers::MPLS);
        let mut at = at;
        loop {
            self.enter()?;
            let label = self.octets::<4>(at).ok_or(Skip::CutInLink)?;
            at += 4;
            if label[2] & 1 == 1 {
                break;
            }
        }
        let first = *self.frame.bytes.get(at).ok_or(Skip::CutInLink)?;
        let as_ethernet = |walk: &mut Self, at| walk.attempt(|walk| walk.ethernet(at));
        let guessed = match first >> 4 {
            // An Ethernet address may begin like IP, but an IP packet hardly ever goes on like an Ethernet frame with a good packet in it.
            4 | 6 => as_ethernet(self, at).or_else(|_| self.attempt(|walk| walk.ip(at))),
            // A control word begins with four zero bits; a frame without one may, too.
            0 => as_ethernet(self, at + 4).or_else(|_| as_ethernet(self, at)),
            _ => as_ethernet(self, at),
        };
        guessed.map_err(|_| Skip::MplsPayload)
    }
}
