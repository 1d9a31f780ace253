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
        let guessed = match first >> 4 {
            4 | 6 => self.attempt(|walk| walk.ip(at)),
            // A control word begins with four zero bits.
            0 => self.attempt(|walk| walk.ethernet(at + 4)),
            _ => Err(Skip::MplsPayload),
        };
        // An Ethernet frame without a control word may begin with any bits.
        guessed.or_else(|_| self.attempt(|walk| walk.ethernet(at))).map_err(|_| Skip::MplsPayload)
    }
}
