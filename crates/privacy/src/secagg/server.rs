//! The server's side of a round: five steps, each of which takes messages until it is closed.
//!
//! A message that is refused leaves the step as it was, and the round goes on; its sender counts as lost unless a right one
//! comes. Who has not sent one when a step is closed is lost. When to close is for the caller to say: there is no clock here.

mod agree;
mod enrol;
mod relay;
mod reveal;
mod sum;

pub use agree::Agreeing;
pub use enrol::Enrolling;
pub use relay::Relaying;
pub use reveal::{Revealing, Sum};
pub use sum::Summing;

use super::error::Error;
use super::graph::Graph;
use super::message::{Advert, Shares};
use super::round::{ClientId, Round};

/// What the server knows once shares are handed out.
#[derive(Debug)]
struct Known {
    round: Round,
    graph: Graph,
    adverts: Inbound<Advert>,
    shares: Inbound<Shares>,
}

/// One step's messages, by the client that sent them.
#[derive(Debug)]
struct Inbound<T> {
    messages: Vec<Option<T>>,
}

impl<T> Inbound<T> {
    fn new(round: &Round) -> Self {
        Self { messages: (0..round.cohort()).map(|_| None).collect() }
    }

    fn get(&self, client: ClientId) -> Option<&T> {
        self.messages.get(client.place())?.as_ref()
    }

    fn has(&self, client: ClientId) -> bool {
        self.get(client).is_some()
    }

    /// Who sent one, in ascending order.
    fn clients(&self) -> impl Iterator<Item = ClientId> {
        let places = (0u32..).map(ClientId).zip(&self.messages);
        places.filter(|(_, message)| message.is_some()).map(|(client, _)| client)
    }

    /// # Errors
    /// [`Error::Unexpected`] for a second message.
    fn need_first(&self, client: ClientId) -> Result<(), Error> {
        if self.has(client) {
            return Err(Error::Unexpected { client, reason: "it has already sent this message" });
        }
        Ok(())
    }

    fn put(&mut self, client: ClientId, message: T) {
        self.messages[client.place()] = Some(message);
    }
}

/// # Errors
/// [`Error::Unexpected`] for a client that did not take the step before.
fn need_before(took_step_before: bool, client: ClientId) -> Result<(), Error> {
    if !took_step_before {
        return Err(Error::Unexpected { client, reason: "it did not take the step before" });
    }
    Ok(())
}

impl Known {
    /// # Errors
    /// [`Error::BelowThreshold`] for the first of those who shared too few of whose neighbours took a step, or where nobody
    /// did.
    fn need_threshold(
        &self,
        step: &'static str,
        took: impl Fn(ClientId) -> bool,
    ) -> Result<(), Error> {
        let threshold = self.round.threshold();
        let below = |client, left| Err(Error::BelowThreshold { client, step, left, threshold });
        let mut anybody = false;
        for client in self.shares.clients() {
            let neighbours = self.graph.neighbours(client).iter();
            let left = neighbours.filter(|&&neighbour| took(neighbour)).count();
            if left < threshold {
                return below(client, left);
            }
            anybody = true;
        }
        if anybody { Ok(()) } else { below(ClientId(0), 0) }
    }
}
