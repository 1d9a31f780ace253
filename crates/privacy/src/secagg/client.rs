//! The client's side of a round: four steps, each used up by the next.

mod confirm;
mod mask;
mod share;

pub use confirm::{Confirming, Unmasking};
pub use mask::Masking;
pub use share::Sharing;

use ed25519_dalek::SigningKey;
use rand::CryptoRng;

use super::error::Error;
use super::message::Advert;
use super::round::{ClientId, Round};
use super::secret::Secret;
use super::share::seed_hash;

/// A client before a round. It becomes [`Sharing`], [`Masking`], [`Confirming`] and [`Unmasking`]; a step that fails ends
/// the client's part, and the others see it as lost.
#[derive(Debug)]
pub struct Joining {
    own: Own,
}

/// What stays with a client through all steps.
#[derive(Debug)]
struct Own {
    round: Round,
    client: ClientId,
    identity: SigningKey,
}

/// A client's secrets of this round.
#[derive(Debug)]
struct Secrets {
    /// Private key of the channels to neighbours.
    seal: Secret,
    /// Private key of the pair masks.
    mask: Secret,
    /// Seed of the client's own mask.
    seed: Secret,
}

impl Joining {
    /// The member of the round that signs with `identity`.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for who is not in the roster, or stands there with another identity.
    pub fn new(round: &Round, client: ClientId, identity: SigningKey) -> Result<Self, Error> {
        if *round.identity(client)? != identity.verifying_key() {
            let reason = "the roster has another identity for it";
            return Err(Error::Unexpected { client, reason });
        }
        Ok(Self { own: Own { round: round.clone(), client, identity } })
    }

    /// Draws the secrets of this round and advertises their public sides.
    pub fn advertise<R: CryptoRng>(self, rng: &mut R) -> (Sharing, Advert) {
        let own = self.own;
        let secrets = Secrets {
            seal: Secret::random(rng),
            mask: Secret::random(rng),
            seed: Secret::random(rng),
        };
        let [mask_key, seal_key] =
            [&secrets.mask, &secrets.seal].map(|secret| secret.public_key().to_bytes());
        let public = [mask_key, seal_key, seed_hash(&own.round, own.client, &secrets.seed)];
        let advert = Advert::sign(&own.round, own.client, public, &own.identity);
        (Sharing { own, secrets }, advert)
    }
}

impl Own {
    /// # Errors
    /// [`Error::BelowThreshold`] where too few of this client's neighbours took a step.
    fn need_threshold(&self, step: &'static str, left: usize) -> Result<(), Error> {
        let (client, threshold) = (self.client, self.round.threshold());
        if left < threshold {
            return Err(Error::BelowThreshold { client, step, left, threshold });
        }
        Ok(())
    }
}
