//! The server that carries sealed shares from neighbour to neighbour.

use super::super::error::Error;
use super::super::graph::Graph;
use super::super::message::{Advert, Inbox, InboxShare, Shares};
use super::super::round::{ClientId, Round};
use super::sum::Summing;
use super::{Inbound, Known, need_before};

/// A server whose clients know their neighbours.
#[derive(Debug)]
pub struct Relaying {
    known: Known,
}

impl Relaying {
    pub(super) fn new(round: Round, graph: Graph, adverts: Inbound<Advert>) -> Self {
        let shares = Inbound::new(&round);
        Self { known: Known { round, graph, adverts, shares } }
    }

    /// Takes one client's shares.
    ///
    /// # Errors
    /// [`Error::Unexpected`] where the client has no part in this step, or the shares are not for its neighbours.
    pub fn receive(&mut self, shares: Shares) -> Result<(), Error> {
        let client = shares.client;
        need_before(self.known.adverts.has(client), client)?;
        self.known.shares.need_first(client)?;
        let receivers = shares.shares.iter().map(|share| share.to);
        if !receivers.eq(self.known.graph.neighbours(client).iter().copied()) {
            let reason = "its shares are not for its neighbours in ascending order";
            return Err(Error::Unexpected { client, reason });
        }
        self.known.shares.put(client, shares);
        Ok(())
    }

    /// Hands each client that shared the shares of its neighbours.
    ///
    /// # Errors
    /// [`Error::BelowThreshold`] where some client has too few neighbours that shared.
    pub fn close(self) -> Result<(Summing, Vec<(ClientId, Inbox)>), Error> {
        let known = self.known;
        let shared = |client| known.shares.has(client);
        known.need_threshold("sharing", shared)?;
        let inbox = |holder| {
            let neighbours = known.graph.neighbours(holder).iter();
            let shares = neighbours.filter_map(|&from| {
                let share = &known.shares.get(from)?.shares[known.graph.place(from, holder)?];
                Some(InboxShare { from, checks: share.checks, sealed: share.sealed })
            });
            (holder, Inbox { shares: shares.collect() })
        };
        let messages = known.shares.clients().map(inbox).collect();
        Ok((Summing::new(known), messages))
    }
}
