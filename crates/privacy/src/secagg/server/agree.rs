//! The server that proves to each survivor that its neighbours were shown the same survivors.

use ed25519_dalek::Verifier;

use super::super::error::Error;
use super::super::message::{Confirmation, Confirmations};
use super::super::round::ClientId;
use super::super::survivors::Survivors;
use super::reveal::Revealing;
use super::{Inbound, Known, need_before};

/// A server whose sum is complete.
#[derive(Debug)]
pub struct Agreeing {
    known: Known,
    survivors: Survivors,
    sum: Vec<u32>,
    confirmations: Inbound<Confirmation>,
}

impl Agreeing {
    pub(super) fn new(known: Known, survivors: Survivors, sum: Vec<u32>) -> Self {
        let confirmations = Inbound::new(&known.round);
        Self { known, survivors, sum, confirmations }
    }

    /// Takes one survivor's signature.
    ///
    /// # Errors
    /// [`Error::Unexpected`] where the client has no part in this step, [`Error::Signature`] where it signed something else.
    pub fn receive(&mut self, confirmation: Confirmation) -> Result<(), Error> {
        let client = confirmation.client;
        need_before(self.survivors.contains(client), client)?;
        self.confirmations.need_first(client)?;
        let signed = self.survivors.signed(&self.known.round);
        let wrong = |_| Error::Signature { client, what: "the survivors" };
        let identity = self.known.round.identity(client)?;
        identity.verify(&signed, &confirmation.signature).map_err(wrong)?;
        self.confirmations.put(client, confirmation);
        Ok(())
    }

    /// Hands each client that confirmed the signatures of its neighbours.
    ///
    /// # Errors
    /// [`Error::BelowThreshold`] where some client has too few neighbours that confirmed.
    pub fn close(self) -> Result<(Revealing, Vec<(ClientId, Confirmations)>), Error> {
        let Self { known, survivors, sum, confirmations } = self;
        let confirmed = |client| confirmations.has(client);
        known.need_threshold("confirming", confirmed)?;
        let of_neighbours = |client| {
            let neighbours = known.graph.neighbours(client).iter();
            let signed = neighbours.filter_map(|&other| confirmations.get(other).cloned());
            (client, Confirmations { confirmations: signed.collect() })
        };
        let messages = confirmations.clients().map(of_neighbours).collect();
        let asked = Survivors::of(&known.round, confirmations.clients());
        Ok((Revealing::new(known, survivors, asked, sum), messages))
    }
}
