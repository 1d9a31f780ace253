//! The client that has met its neighbours and gives each a share of its secrets.

use rand::CryptoRng;

use super::super::error::Error;
use super::super::message::{Advert, Neighbourhood, SealedShare, Shares};
use super::super::round::ClientId;
use super::super::seal::seal;
use super::super::secret::Purpose;
use super::super::share::{Edge, ShareChecks, split};
use super::mask::{Masking, Neighbour};
use super::{Own, Secrets};

/// A client whose keys are advertised.
#[derive(Debug)]
pub struct Sharing {
    pub(super) own: Own,
    pub(super) secrets: Secrets,
}

impl Sharing {
    /// Shares of the seed and of the mask key, sealed for each neighbour.
    ///
    /// # Errors
    /// [`Error::Signature`] for keys that are not signed by who they are said to be of, [`Error::WeakKey`],
    /// [`Error::Unexpected`] where the neighbours are not distinct others, [`Error::BelowThreshold`] for too few.
    pub fn share<R: CryptoRng>(
        self,
        neighbourhood: &Neighbourhood,
        rng: &mut R,
    ) -> Result<(Masking, Shares), Error> {
        let Self { own, secrets } = self;
        let adverts = &neighbourhood.adverts;
        check_neighbours(&own, adverts)?;
        let (threshold, holders) = (own.round.threshold(), adverts.len());
        let seeds = split(&secrets.seed, threshold, holders, rng);
        let keys = split(&secrets.mask, threshold, holders, rng);
        let mut neighbours = Vec::with_capacity(adverts.len());
        let mut shares = Vec::with_capacity(adverts.len());
        for (advert, pair) in adverts.iter().zip(seeds.iter().zip(&keys)) {
            let (to, pair) = (advert.client, [pair.0, pair.1]);
            let channel = secrets.seal.agree(&advert.seal_key, to)?;
            let key = |from, to| channel.derive(&own.round, Purpose::Seal, from, to);
            let edge = Edge { owner: own.client, holder: to };
            let checks = ShareChecks::of(&own.round, edge, pair);
            let sealed = seal(&key(own.client, to), &checks, pair);
            shares.push(SealedShare { to, checks, sealed });
            let opens = key(to, own.client);
            neighbours.push(Neighbour { client: to, mask_key: advert.mask_key, opens });
        }
        let message = Shares { client: own.client, shares };
        Ok((Masking { own, mask: secrets.mask, seed: secrets.seed, neighbours }, message))
    }
}

fn check_neighbours(own: &Own, adverts: &[Advert]) -> Result<(), Error> {
    own.need_threshold("advertising", adverts.len())?;
    let mut before: Option<ClientId> = None;
    for advert in adverts {
        let client = advert.client;
        if client == own.client || before.is_some_and(|before| before >= client) {
            let reason = "neighbours are others, each once, in ascending order";
            return Err(Error::Unexpected { client, reason });
        }
        before = Some(client);
    }
    if let Some(advert) = adverts.get(own.round.neighbours()) {
        let (client, reason) = (advert.client, "there are more neighbours than agreed");
        return Err(Error::Unexpected { client, reason });
    }
    adverts.iter().try_for_each(|advert| advert.verify(&own.round))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secagg::client::Joining;
    use crate::secagg::secret::Secret;
    use crate::secagg::server::{Enrolling, Sum};
    use crate::secagg::{Degree, RoundParams, SigningKey};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// A round of four in which client 0 deals shares of other secrets than it advertised, and may be lost.
    fn round_with_a_false_dealer(lost: bool, lie: impl Fn(&mut Secrets)) -> Result<Sum, Error> {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let identity = |client: u8| SigningKey::from_bytes(&[client; 32]);
        let degree = Degree { neighbours: 3, threshold: 2 };
        let (run, round, entries, update_bound, noise_bound) = ([0; 32], 1, 3, 10, 0);
        let params = RoundParams { run, round, entries, update_bound, noise_bound, degree };
        let round =
            params.check((0..4).map(|client| identity(client).verifying_key()).collect())?;
        let mut server = Enrolling::new(&round);
        let mut sharing = Vec::new();
        for client in 0..4 {
            let joining = Joining::new(&round, ClientId(client.into()), identity(client))?;
            let (next, advert) = joining.advertise(rng);
            server.receive(advert)?;
            sharing.push(next);
        }
        lie(&mut sharing[0].secrets);
        let (mut server, messages) = server.close(rng)?;
        let mut masking = Vec::new();
        for (client, (_, neighbourhood)) in sharing.into_iter().zip(&messages) {
            let (next, shares) = client.share(neighbourhood, rng)?;
            server.receive(shares)?;
            masking.push(next);
        }
        let (mut server, messages) = server.close()?;
        let mut confirming = Vec::new();
        for (client, (_, inbox)) in masking.into_iter().zip(&messages).skip(usize::from(lost)) {
            let (next, masked) = client.mask(inbox, &[1, 2, 3])?;
            server.receive(&masked)?;
            confirming.push(next);
        }
        let (mut server, survivors) = server.close()?;
        let mut unmasking = Vec::new();
        for client in confirming {
            let (next, confirmation) = client.confirm(&survivors)?;
            server.receive(confirmation)?;
            unmasking.push(next);
        }
        let (mut server, messages) = server.close()?;
        for (client, (_, confirmations)) in unmasking.into_iter().zip(&messages) {
            server.receive(&client.unmask(confirmations)?)?;
        }
        server.close()
    }

    #[test]
    fn a_client_that_deals_shares_of_another_secret_is_named() {
        let (owner, other) = (ClientId(0), Secret::from_bytes([8; 32]));
        let seed = round_with_a_false_dealer(false, |secrets| secrets.seed = other.clone());
        assert_eq!(seed, Err(Error::Reconstruction { owner, what: "seed" }));
        let key = round_with_a_false_dealer(true, |secrets| secrets.mask = other.clone());
        assert_eq!(key, Err(Error::Reconstruction { owner, what: "mask key" }));
        let honest = round_with_a_false_dealer(true, |_| ()).expect("a sum");
        assert_eq!(honest.entries, [3, 6, 9]);
    }

    #[test]
    fn a_step_shows_no_secret() {
        let honest = round_with_a_false_dealer(false, |secrets| {
            let shown = format!("{secrets:?}");
            assert_eq!(shown, "Secrets { seal: Secret, mask: Secret, seed: Secret }");
        });
        assert!(honest.is_ok());
    }
}
