//! The server that adds masked updates up without being able to read one.

use super::super::error::Error;
use super::super::message::MaskedUpdate;
use super::super::survivors::Survivors;
use super::agree::Agreeing;
use super::{Inbound, Known, need_before};

/// A server whose clients hold each other's shares.
#[derive(Debug)]
pub struct Summing {
    known: Known,
    arrived: Inbound<()>,
    /// Modulo 2^32.
    sum: Vec<u32>,
}

impl Summing {
    pub(super) fn new(known: Known) -> Self {
        let (arrived, sum) = (Inbound::new(&known.round), vec![0; known.round.entries()]);
        Self { known, arrived, sum }
    }

    /// Adds one client's masked update.
    ///
    /// # Errors
    /// [`Error::Unexpected`] where the client has no part in this step.
    pub fn receive(&mut self, update: &MaskedUpdate) -> Result<(), Error> {
        let client = update.client;
        need_before(self.known.shares.has(client), client)?;
        self.arrived.need_first(client)?;
        if update.elements.len() != self.sum.len() {
            let reason = "its update belongs to another round";
            return Err(Error::Unexpected { client, reason });
        }
        for (sum, element) in self.sum.iter_mut().zip(&update.elements) {
            *sum = sum.wrapping_add(*element);
        }
        self.arrived.put(client, ());
        Ok(())
    }

    /// Says who survived; every survivor is told the same.
    ///
    /// # Errors
    /// [`Error::BelowThreshold`] where some client has too few surviving neighbours, so that its masks could not be taken
    /// off: the round is abandoned before anything is revealed.
    pub fn close(self) -> Result<(Agreeing, Survivors), Error> {
        let Self { known, arrived, sum } = self;
        known.need_threshold("masking", |client| arrived.has(client))?;
        let survivors = Survivors::of(&known.round, arrived.clients());
        Ok((Agreeing::new(known, survivors.clone(), sum), survivors))
    }
}
