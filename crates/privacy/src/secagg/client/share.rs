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
