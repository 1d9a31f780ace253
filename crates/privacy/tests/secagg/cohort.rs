//! A whole round in one process: every message goes to bytes and back, and clients are lost where a test says.

use ed25519_dalek::SigningKey;
use flowgait_privacy::secagg::client::{Confirming, Joining, Masking, Sharing, Unmasking};
use flowgait_privacy::secagg::server::{Agreeing, Enrolling, Relaying, Revealing, Sum, Summing};
use flowgait_privacy::secagg::{
    ClientId, Confirmations, Degree, Error, Inbox, Message, Neighbourhood, Round, RoundParams,
    Survivors,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// The last step that a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Last {
    Nothing,
    Advertises,
    Shares,
    Masks,
    Confirms,
    Reveals,
}

pub fn identity(client: u32) -> SigningKey {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&client.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

pub fn params(neighbours: u32, threshold: u32, entries: u32) -> RoundParams {
    RoundParams {
        run: [3; 32],
        round: 5,
        entries,
        update_bound: 1000,
        noise_bound: 24,
        degree: Degree { neighbours, threshold },
    }
}

pub fn round_of(cohort: u32, params: RoundParams) -> Round {
    let roster = (0..cohort).map(|client| identity(client).verifying_key());
    params.check(roster.collect()).expect("a round")
}

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Over the wire.
pub fn sent<M: Message>(round: &Round, message: &M) -> M {
    let bytes = message.to_bytes();
    assert_eq!(bytes.len(), message.encoded_len());
    let read = M::from_bytes(round, &bytes).expect("our own bytes");
    assert_eq!(read.to_bytes(), bytes);
    read
}

/// A step's clients, each with what the server said to it.
pub type To<C, M> = Vec<(ClientId, C, M)>;

/// A round between two steps, so that a test may step in.
pub struct Cohort {
    pub round: Round,
    pub last: Vec<Last>,
    pub rng: ChaCha20Rng,
}

impl Cohort {
    pub fn new(round: &Round, last: &[Last], seed: u64) -> Self {
        Self { round: round.clone(), last: last.to_vec(), rng: rng(seed) }
    }

    /// Everybody stays.
    pub fn whole(round: &Round, seed: u64) -> Self {
        Self::new(round, &vec![Last::Reveals; round.cohort()], seed)
    }

    fn takes(&self, client: ClientId, step: Last) -> bool {
        self.last[client.0 as usize] >= step
    }

    pub fn advertise(&mut self) -> Result<(Relaying, To<Sharing, Neighbourhood>), Error> {
        let mut server = Enrolling::new(&self.round);
        let mut clients = Vec::new();
        for client in (0..self.round.cohort() as u32).map(ClientId) {
            if self.takes(client, Last::Advertises) {
                let joining = Joining::new(&self.round, client, identity(client.0))?;
                let (sharing, advert) = joining.advertise(&mut self.rng);
                server.receive(sent(&self.round, &advert))?;
                clients.push((client, sharing));
            }
        }
        let (server, messages) = server.close(&mut self.rng)?;
        Ok((server, self.deliver(clients, &messages)))
    }

    pub fn share(
        &mut self,
        mut server: Relaying,
        clients: To<Sharing, Neighbourhood>,
    ) -> Result<(Summing, To<Masking, Inbox>), Error> {
        let mut masking = Vec::new();
        for (client, sharing, message) in clients {
            if self.takes(client, Last::Shares) {
                let (next, shares) = sharing.share(&message, &mut self.rng)?;
                server.receive(sent(&self.round, &shares))?;
                masking.push((client, next));
            }
        }
        let (server, messages) = server.close()?;
        Ok((server, self.deliver(masking, &messages)))
    }

    pub fn mask(
        &mut self,
        mut server: Summing,
        clients: To<Masking, Inbox>,
        updates: &[Vec<i64>],
    ) -> Result<(Agreeing, To<Confirming, Survivors>), Error> {
        let mut confirming = Vec::new();
        for (client, masking, inbox) in clients {
            if self.takes(client, Last::Masks) {
                let (next, masked) = masking.mask(&inbox, &updates[client.0 as usize])?;
                server.receive(&sent(&self.round, &masked))?;
                confirming.push((client, next));
            }
        }
        let (server, survivors) = server.close()?;
        let all = (0..self.round.cohort() as u32).map(ClientId);
        let messages: Vec<_> = all.map(|client| (client, survivors.clone())).collect();
        Ok((server, self.deliver(confirming, &messages)))
    }

    pub fn confirm(
        &mut self,
        mut server: Agreeing,
        clients: To<Confirming, Survivors>,
    ) -> Result<(Revealing, To<Unmasking, Confirmations>), Error> {
        let mut unmasking = Vec::new();
        for (client, confirming, survivors) in clients {
            if self.takes(client, Last::Confirms) {
                let (next, confirmation) = confirming.confirm(&survivors)?;
                server.receive(sent(&self.round, &confirmation))?;
                unmasking.push((client, next));
            }
        }
        let (server, messages) = server.close()?;
        Ok((server, self.deliver(unmasking, &messages)))
    }

    pub fn unmask(
        &mut self,
        mut server: Revealing,
        clients: To<Unmasking, Confirmations>,
    ) -> Result<Sum, Error> {
        for (client, unmasking, confirmations) in clients {
            if self.takes(client, Last::Reveals) {
                let reveal = unmasking.unmask(&confirmations)?;
                server.receive(&sent(&self.round, &reveal))?;
            }
        }
        server.close()
    }

    /// All steps.
    pub fn run(&mut self, updates: &[Vec<i64>]) -> Result<Sum, Error> {
        let (server, clients) = self.advertise()?;
        let (server, clients) = self.share(server, clients)?;
        let (server, clients) = self.mask(server, clients, updates)?;
        let (server, clients) = self.confirm(server, clients)?;
        self.unmask(server, clients)
    }

    fn deliver<C, M: Message>(
        &self,
        clients: Vec<(ClientId, C)>,
        messages: &[(ClientId, M)],
    ) -> To<C, M> {
        let message = |client| {
            let found = messages.iter().find(|(to, _)| *to == client);
            sent(&self.round, &found.expect("every client is answered").1)
        };
        clients.into_iter().map(|(client, state)| (client, state, message(client))).collect()
    }
}
