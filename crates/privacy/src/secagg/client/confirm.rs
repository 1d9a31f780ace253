//! The client that has sent its masked update, and helps once to unmask the sum.

use ed25519_dalek::{Signer, Verifier};

use super::super::error::Error;
use super::super::message::{Confirmation, Confirmations, Reveal, Revealed};
use super::super::round::ClientId;
use super::super::secret::Secret;
use super::super::share::Half;
use super::super::survivors::Survivors;
use super::Own;

/// A client whose masked update is with the server. Its own secrets are wiped; it holds shares of others'.
#[derive(Debug)]
pub struct Confirming {
    pub(super) own: Own,
    /// In ascending order of owners.
    pub(super) held: Vec<Held>,
}

/// What a client holds of a neighbour.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) owner: ClientId,
    /// Seed and key; nothing where they could not be opened.
    pub(super) shares: Option<[Secret; 2]>,
}

impl Confirming {
    /// Neighbours whose shares were forged, by themselves or on the way.
    pub fn unopened(&self) -> impl Iterator<Item = ClientId> {
        self.held.iter().filter(|held| held.shares.is_none()).map(|held| held.owner)
    }

    /// Signs who survived, if this client is among them and enough of its neighbours are.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a set without this client; [`Error::BelowThreshold`] where too few neighbours survived.
    pub fn confirm(self, survivors: &Survivors) -> Result<(Unmasking, Confirmation), Error> {
        let Self { own, held } = self;
        let client = own.client;
        if !survivors.contains(client) {
            let reason = "the server says that it was lost";
            return Err(Error::Unexpected { client, reason });
        }
        let left = held.iter().filter(|held| survivors.contains(held.owner)).count();
        own.need_threshold("masking", left)?;
        let signature = own.identity.sign(&survivors.signed(&own.round));
        let unmasking = Unmasking { own, held, survivors: survivors.clone() };
        Ok((unmasking, Confirmation { client, signature }))
    }
}

/// A client that answers one request to unmask.
///
/// ```
/// use flowgait_privacy::secagg::client::Unmasking;
/// use flowgait_privacy::secagg::{Confirmations, Error};
///
/// fn once(client: Unmasking, one: &Confirmations) -> Result<(), Error> {
///     client.unmask(one)?;
///     Ok(())
/// }
/// ```
///
/// The request uses it up, so that a second one with other survivors, which would give away the other half of somebody's
/// secrets, cannot be answered. Only the second call is wrong here:
///
/// ```compile_fail,E0382
/// use flowgait_privacy::secagg::client::Unmasking;
/// use flowgait_privacy::secagg::{Confirmations, Error};
///
/// fn twice(client: Unmasking, one: &Confirmations, other: &Confirmations) -> Result<(), Error> {
///     client.unmask(one)?;
///     client.unmask(other)?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Unmasking {
    own: Own,
    held: Vec<Held>,
    survivors: Survivors,
}

impl Unmasking {
    /// For each neighbour one share: of the seed if it survived, of the key if it was lost.
    ///
    /// # Errors
    /// [`Error::Signature`] where a neighbour signed other survivors than this client was shown, [`Error::Unexpected`]
    /// for a signature of somebody who is no surviving neighbour, [`Error::BelowThreshold`] for too few signatures.
    pub fn unmask(self, confirmations: &Confirmations) -> Result<Reveal, Error> {
        self.check(confirmations)?;
        let reveal = |held: Held| {
            let [seed, key] = held.shares?;
            let (half, share) = match self.survivors.contains(held.owner) {
                true => (Half::Seed, seed),
                false => (Half::Key, key),
            };
            Some(Revealed { owner: held.owner, half, share })
        };
        let shares = self.held.into_iter().filter_map(reveal).collect();
        Ok(Reveal { client: self.own.client, shares })
    }

    fn check(&self, Confirmations { confirmations }: &Confirmations) -> Result<(), Error> {
        let round = &self.own.round;
        let mut before: Option<ClientId> = None;
        for &Confirmation { client, .. } in confirmations {
            let neighbour = self.held.binary_search_by_key(&client, |held| held.owner).is_ok();
            let again = before.is_some_and(|before| before >= client);
            if !neighbour || again || !self.survivors.contains(client) {
                let reason = "survivors are confirmed by surviving neighbours, each once, in order";
                return Err(Error::Unexpected { client, reason });
            }
            before = Some(client);
        }
        self.own.need_threshold("confirming", confirmations.len())?;
        let signed = self.survivors.signed(round);
        for Confirmation { client, signature } in confirmations {
            let wrong = |_| Error::Signature { client: *client, what: "the survivors" };
            round.identity(*client)?.verify(&signed, signature).map_err(wrong)?;
        }
        Ok(())
    }
}
