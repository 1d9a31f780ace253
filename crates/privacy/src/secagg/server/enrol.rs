//! The server that collects keys and draws who is whose neighbour.

use rand::CryptoRng;

use super::super::error::Error;
use super::super::graph::Graph;
use super::super::message::{Advert, Neighbourhood};
use super::super::round::{ClientId, Round};
use super::super::secret::Secret;
use super::Inbound;
use super::relay::Relaying;

/// A server at the start of a round.
#[derive(Debug)]
pub struct Enrolling {
    round: Round,
    adverts: Inbound<Advert>,
}

impl Enrolling {
    /// A server that has heard of nobody yet.
    #[must_use]
    pub fn new(round: &Round) -> Self {
        Self { round: round.clone(), adverts: Inbound::new(round) }
    }

    /// Takes one client's keys.
    ///
    /// # Errors
    /// [`Error::Signature`], [`Error::WeakKey`], or [`Error::Unexpected`] for a second advert of the same client.
    pub fn receive(&mut self, advert: Advert) -> Result<(), Error> {
        let client = advert.client;
        advert.verify(&self.round)?;
        self.adverts.need_first(client)?;
        // A weak key would end the round of each neighbour. Any private key shows it.
        let any = Secret::from_bytes([1; 32]);
        for key in [&advert.mask_key, &advert.seal_key] {
            any.agree(key, client)?;
        }
        self.adverts.put(client, advert);
        Ok(())
    }

    /// Draws the graph over whoever is there, and says to each who its neighbours are.
    ///
    /// # Errors
    /// [`Error::BelowThreshold`] where there are not enough clients for anybody's threshold.
    pub fn close<R: CryptoRng>(
        self,
        rng: &mut R,
    ) -> Result<(Relaying, Vec<(ClientId, Neighbourhood)>), Error> {
        let Self { round, adverts } = self;
        let members: Vec<ClientId> = adverts.clients().collect();
        let (left, threshold) = (members.len().saturating_sub(1), round.threshold());
        if left < threshold {
            let client = members.first().copied().unwrap_or(ClientId(0));
            return Err(Error::BelowThreshold { client, step: "advertising", left, threshold });
        }
        let graph = Graph::draw(round.cohort(), &members, round.neighbours(), rng);
        let neighbourhood = |&client: &ClientId| {
            let neighbours = graph.neighbours(client).iter();
            let adverts = neighbours.filter_map(|&neighbour| adverts.get(neighbour).cloned());
            (client, Neighbourhood { adverts: adverts.collect() })
        };
        let messages = members.iter().map(neighbourhood).collect();
        Ok((Relaying::new(round, graph, adverts), messages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secagg::{Degree, RoundParams, SigningKey};

    #[test]
    fn a_key_of_low_order_is_refused_at_the_door() {
        let identity = |client| SigningKey::from_bytes(&[client; 32]);
        let (run, round, entries, update_bound, noise_bound) = ([0; 32], 1, 3, 10, 0);
        let degree = Degree { neighbours: 3, threshold: 2 };
        let params = RoundParams { run, round, entries, update_bound, noise_bound, degree };
        let roster = (0..4).map(|client| identity(client).verifying_key()).collect();
        let round = params.check(roster).expect("a round");
        let (mut server, client) = (Enrolling::new(&round), ClientId(1));
        let fine = Secret::from_bytes([2; 32]).public_key().to_bytes();
        let mut receive = |mask_key, seal_key| {
            let keys = [mask_key, seal_key, [0; 32]];
            server.receive(Advert::sign(&round, client, keys, &identity(1)))
        };
        assert_eq!(receive([0; 32], fine), Err(Error::WeakKey { client }));
        assert_eq!(receive(fine, [0; 32]), Err(Error::WeakKey { client }));
        assert_eq!(receive(fine, fine), Ok(()));
    }
}
