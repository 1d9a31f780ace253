//! The client that holds its neighbours' shares and masks its update.

use super::super::error::Error;
use super::super::mask::{Sign, apply, own as own_mask, pair};
use super::super::message::{Inbox, InboxShare, MaskedUpdate};
use super::super::round::{ClientId, Round};
use super::super::seal::open;
use super::super::secret::Secret;
use super::super::share::{Edge, Half};
use super::Own;
use super::confirm::{Confirming, Held};

/// A client whose shares are with its neighbours.
#[derive(Debug)]
pub struct Masking {
    pub(super) own: Own,
    pub(super) mask: Secret,
    pub(super) seed: Secret,
    /// In ascending order.
    pub(super) neighbours: Vec<Neighbour>,
}

/// What a client keeps of a neighbour until its shares come.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) client: ClientId,
    pub(super) mask_key: [u8; 32],
    /// The key under which the neighbour's shares come.
    pub(super) opens: Secret,
}

impl Masking {
    /// The update under the client's own mask and one for each neighbour that is still there.
    ///
    /// A neighbour whose shares cannot be opened, or are not what it told the server, is masked with all the same: the
    /// client merely cannot help to unmask it, and says so in [`Confirming::unopened`]. Otherwise one forger could end
    /// everybody's round.
    ///
    /// # Shapes
    /// `update` is `[n_entries]`, in steps.
    /// # Errors
    /// [`Error::Entries`] and [`Error::EntryOutOfRange`] for an update that does not fit the round,
    /// [`Error::Unexpected`] for shares from somebody who is no neighbour, [`Error::BelowThreshold`] for too few.
    pub fn mask(self, inbox: &Inbox, update: &[i64]) -> Result<(Confirming, MaskedUpdate), Error> {
        let Self { own, mask, seed, neighbours } = self;
        let (entries, expected) = (update.len(), own.round.entries());
        if entries != expected {
            return Err(Error::Entries { entries, expected });
        }
        let ring = own.round.ring();
        let mut elements = ring.encode(update)?;
        own.need_threshold("sharing", inbox.shares.len())?;
        apply(&own_mask(&own.round, &seed, own.client), Sign::Plus, &mut elements);
        let mut held: Vec<Held> = Vec::with_capacity(inbox.shares.len());
        for share in &inbox.shares {
            let client = share.from;
            let found = neighbours.binary_search_by_key(&client, |neighbour| neighbour.client);
            let again = held.last().is_some_and(|before| before.owner >= client);
            let (Ok(place), false) = (found, again) else {
                let reason = "shares come from neighbours, each once, in ascending order";
                return Err(Error::Unexpected { client, reason });
            };
            let neighbour = &neighbours[place];
            let shared = mask.agree(&neighbour.mask_key, client)?;
            let (key, sign) = pair(&own.round, &shared, own.client, client);
            apply(&key, sign, &mut elements);
            let shares = open_checked(&own.round, own.client, neighbour, share);
            held.push(Held { owner: client, shares });
        }
        for element in &mut elements {
            *element = ring.reduce(*element);
        }
        let message = MaskedUpdate { client: own.client, bits: ring.bits(), elements };
        Ok((Confirming { own, held }, message))
    }
}

fn open_checked(
    round: &Round,
    holder: ClientId,
    neighbour: &Neighbour,
    share: &InboxShare,
) -> Option<[Secret; 2]> {
    let opened = open(&neighbour.opens, &share.checks, &share.sealed)?;
    let edge = Edge { owner: neighbour.client, holder };
    let fits = |half, of| share.checks.fits(round, edge, half, of);
    (fits(Half::Seed, &opened[0]) && fits(Half::Key, &opened[1])).then_some(opened)
}
