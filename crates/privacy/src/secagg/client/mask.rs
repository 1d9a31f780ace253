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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secagg::seal::SEALED_LEN;
    use crate::secagg::share::ShareChecks;
    use crate::secagg::{Degree, Message, RoundParams, SigningKey};

    /// Client 2 of four with fixed secrets, and an inbox that it cannot open.
    fn client() -> (Masking, Inbox) {
        let identity = |client| SigningKey::from_bytes(&[client; 32]);
        let (run, round, entries, update_bound, noise_bound) = ([9; 32], 4, 5, 990, 10);
        let degree = Degree { neighbours: 3, threshold: 2 };
        let params = RoundParams { run, round, entries, update_bound, noise_bound, degree };
        let roster = (0..4).map(|client| identity(client).verifying_key()).collect();
        let round = params.check(roster).expect("a round");
        let key = |client: u8| Secret::from_bytes([100 + client; 32]);
        let neighbour = |client| Neighbour {
            client: ClientId(client),
            mask_key: key(client as u8).public_key().to_bytes(),
            opens: key(0),
        };
        let checks = ShareChecks { seed: [0; 32], key: [0; 32] };
        let share = |from| InboxShare { from: ClientId(from), checks, sealed: [0; SEALED_LEN] };
        let own = Own { round, client: ClientId(2), identity: identity(2) };
        let neighbours = [0, 1, 3].map(neighbour).into();
        let masking =
            Masking { own, mask: key(2), seed: Secret::from_bytes([200; 32]), neighbours };
        (masking, Inbox { shares: [0, 1, 3].map(share).into() })
    }

    #[test]
    fn a_masked_update_is_that_of_another_implementation() {
        let (masking, inbox) = client();
        let (confirming, masked) = masking.mask(&inbox, &[1000, -1000, 0, 1, -1]).expect("masked");
        // tests/secagg/masked_update.py: Python with OpenSSL, written from the documentation.
        let expected = [0x5f, 0x14, 0x63, 0x05, 0xd5, 0xc7, 0x4f, 0xf1, 0x01];
        assert_eq!(masked.to_bytes()[5..], expected);
        assert_eq!(confirming.unopened().count(), 3);
    }

    #[test]
    fn an_update_that_does_not_fit_is_refused_and_not_cut() {
        let (masking, inbox) = client();
        let short = masking.mask(&inbox, &[0; 4]).map(|_| ());
        assert_eq!(short, Err(Error::Entries { entries: 4, expected: 5 }));
        let (masking, inbox) = client();
        let large = masking.mask(&inbox, &[0, 0, 1001, 0, 0]).map(|_| ());
        assert_eq!(large, Err(Error::EntryOutOfRange { at: 2, value: 1001, bound: 1000 }));
    }

    #[test]
    fn a_dealer_that_tells_the_server_other_hashes_is_found_out() {
        let (masking, _) = client();
        let (round, neighbour) = (&masking.own.round, &masking.neighbours[0]);
        let [seed, key] = [[1; 32], [2; 32]].map(Secret::from_bytes);
        let edge = Edge { owner: neighbour.client, holder: ClientId(2) };
        let right = ShareChecks::of(round, edge, [&seed, &key]);
        let swapped = ShareChecks { seed: right.key, key: right.seed };
        for (checks, opens) in [(right, true), (swapped, false)] {
            let sealed = crate::secagg::seal::seal(&neighbour.opens, &checks, [&seed, &key]);
            let share = InboxShare { from: neighbour.client, checks, sealed };
            let opened = open_checked(round, ClientId(2), neighbour, &share);
            assert_eq!(opened.is_some(), opens);
        }
    }

    #[test]
    fn shares_from_strangers_or_twice_are_refused() {
        for (at, from) in [(0, 2), (1, 0), (2, 1)] {
            let (masking, mut inbox) = client();
            inbox.shares[at].from = ClientId(from);
            let result = masking.mask(&inbox, &[0; 5]).map(|_| ());
            let refused =
                matches!(result, Err(Error::Unexpected { client: ClientId(id), .. }) if id == from);
            assert!(refused, "{result:?}");
        }
    }
}
