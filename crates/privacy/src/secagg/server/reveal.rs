//! The server that takes the masks off the sum, and off nothing else.

use subtle::ConstantTimeEq;

use super::super::error::Error;
use super::super::mask::{Sign, apply, own, pair};
use super::super::message::{Reveal, Revealed};
use super::super::round::ClientId;
use super::super::secret::Secret;
use super::super::share::{Edge, Half, combine, seed_hash};
use super::super::survivors::Survivors;
use super::{Inbound, Known, need_before};

/// A server that has asked its clients to unmask.
#[derive(Debug)]
pub struct Revealing {
    known: Known,
    survivors: Survivors,
    /// Who confirmed, and may reveal.
    asked: Survivors,
    sum: Vec<u32>,
    answered: Inbound<()>,
    /// By owner: the places of shares and the shares, no more than the threshold.
    revealed: Vec<Vec<(usize, Secret)>>,
}

/// The sum of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The survivors' updates, added. `[n_entries]`, in steps.
    pub entries: Vec<i64>,
    /// Whose updates are in it, in ascending order.
    pub clients: Vec<ClientId>,
}

impl Revealing {
    pub(super) fn new(known: Known, survivors: Survivors, asked: Survivors, sum: Vec<u32>) -> Self {
        let answered = Inbound::new(&known.round);
        let revealed = vec![Vec::new(); known.round.cohort()];
        Self { known, survivors, asked, sum, answered, revealed }
    }

    /// Takes one client's shares of its neighbours' secrets.
    ///
    /// # Errors
    /// [`Error::WrongShare`] for a share that is not the one handed out; [`Error::Unexpected`] where the client has no part
    /// in this step, or reveals what nobody asked for. Nothing of a refused message is used.
    pub fn receive(&mut self, reveal: &Reveal) -> Result<(), Error> {
        let holder = reveal.client;
        need_before(self.asked.contains(holder), holder)?;
        self.answered.need_first(holder)?;
        let mut before: Option<ClientId> = None;
        let mut places = Vec::with_capacity(reveal.shares.len());
        for revealed in &reveal.shares {
            if before.is_some_and(|before| before >= revealed.owner) {
                let reason = "it reveals shares twice or in disorder";
                return Err(Error::Unexpected { client: holder, reason });
            }
            before = Some(revealed.owner);
            places.push(self.check_share(holder, revealed)?);
        }
        for (place, Revealed { owner, share, .. }) in places.into_iter().zip(&reveal.shares) {
            let shares = &mut self.revealed[owner.place()];
            if shares.len() < self.known.round.threshold() {
                shares.push((place, share.clone()));
            }
        }
        self.answered.put(holder, ());
        Ok(())
    }

    /// The place of a revealed share among its owner's, when it is the right one.
    fn check_share(&self, holder: ClientId, revealed: &Revealed) -> Result<usize, Error> {
        let &Revealed { owner, half, ref share } = revealed;
        let unasked =
            || Error::Unexpected { client: holder, reason: "it reveals what nobody asked for" };
        let handed_out = self.known.shares.get(owner).ok_or_else(unasked)?;
        let place = self.known.graph.place(owner, holder).ok_or_else(unasked)?;
        if half != self.half(owner) {
            return Err(unasked());
        }
        let checks = &handed_out.shares[place].checks;
        if !checks.fits(&self.known.round, Edge { owner, holder }, half, share) {
            return Err(Error::WrongShare { holder, owner });
        }
        Ok(place)
    }

    /// Which half of a client's secrets the sum needs.
    fn half(&self, owner: ClientId) -> Half {
        if self.survivors.contains(owner) { Half::Seed } else { Half::Key }
    }

    /// The sum of the survivors' updates.
    ///
    /// # Errors
    /// [`Error::BelowThreshold`] where too few shares of some client's secret were revealed, [`Error::Reconstruction`] where
    /// they do not give it. The sum stays masked then, for ever.
    pub fn close(self) -> Result<Sum, Error> {
        let mut sum = self.sum.clone();
        for owner in self.known.shares.clients() {
            let secret = self.reconstruct(owner)?;
            match self.half(owner) {
                Half::Seed => self.unmask_survivor(owner, &secret, &mut sum)?,
                Half::Key => self.unmask_lost(owner, &secret, &mut sum)?,
            }
        }
        let ring = self.known.round.ring();
        let entries = sum.into_iter().map(|element| ring.decode(ring.reduce(element))).collect();
        Ok(Sum { entries, clients: self.survivors.iter().collect() })
    }

    fn reconstruct(&self, owner: ClientId) -> Result<Secret, Error> {
        let (shares, threshold) = (&self.revealed[owner.place()], self.known.round.threshold());
        if shares.len() < threshold {
            let left = shares.len();
            return Err(Error::BelowThreshold {
                client: owner,
                step: "unmasking",
                left,
                threshold,
            });
        }
        let shares: Vec<_> = shares.iter().map(|(place, share)| (*place, share)).collect();
        combine(&shares).ok_or(Error::Reconstruction { owner, what: "secret" })
    }

    /// Takes off a survivor's own mask; its pair masks are met by those of other survivors and of the lost.
    fn unmask_survivor(
        &self,
        owner: ClientId,
        seed: &Secret,
        sum: &mut [u32],
    ) -> Result<(), Error> {
        let round = &self.known.round;
        let advert = self.known.adverts.get(owner);
        let hash = seed_hash(round, owner, seed);
        if !advert.is_some_and(|advert| hash.ct_eq(&advert.seed_hash).into()) {
            return Err(Error::Reconstruction { owner, what: "seed" });
        }
        apply(&own(round, seed, owner), Sign::Minus, sum);
        Ok(())
    }

    /// Takes off the masks that a lost client's surviving neighbours put on for it.
    fn unmask_lost(&self, owner: ClientId, key: &Secret, sum: &mut [u32]) -> Result<(), Error> {
        let round = &self.known.round;
        let public = key.public_key().to_bytes();
        let advert = self.known.adverts.get(owner);
        if !advert.is_some_and(|advert| public.ct_eq(&advert.mask_key).into()) {
            return Err(Error::Reconstruction { owner, what: "mask key" });
        }
        for &neighbour in self.known.graph.neighbours(owner) {
            let Some(advert) = self.known.adverts.get(neighbour) else { continue };
            if self.survivors.contains(neighbour) {
                let shared = key.agree(&advert.mask_key, neighbour)?;
                let (key, sign) = pair(round, &shared, neighbour, owner);
                apply(&key, sign.opposite(), sum);
            }
        }
        Ok(())
    }
}
