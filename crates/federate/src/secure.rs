//! A round's secure aggregation, with all its parties in this process: whole numbers in, their sum out, and nobody saw a client's.
//!
//! Each step uses up the one before, as the protocol's own types do ([`flowgait_privacy::secagg`]): [`Joined`] clients have handed out
//! their shares, masked updates come in, of [`Survived`] the number is known and can be accounted, and only then is the sum
//! unmasked.

use std::collections::BTreeMap;

use flowgait_privacy::secagg::client::{Confirming, Joining, Masking};
use flowgait_privacy::secagg::server::{Agreeing, Enrolling, Summing};
use flowgait_privacy::secagg::{
    ClientId, Degree, Error as SecureError, Inbox, Message, RoundParams, SigningKey, Survivors,
    degree,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::stream::{Purpose, stream};

/// How far the protocol is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecurePlan {
    /// Share of the clients that may work for the server.
    pub corrupt_share: f64,
    /// Share of the clients that may be lost in a round without the round being lost.
    pub lost_share: f64,
    /// The chance that a client's neighbours give it away nevertheless, as a negative power of two.
    pub security_bits: u32,
}

impl Default for SecurePlan {
    fn default() -> Self {
        Self { corrupt_share: 0.05, lost_share: 0.2, security_bits: 40 }
    }
}

impl SecurePlan {
    /// Neighbours and threshold for a cohort.
    ///
    /// # Errors
    /// [`Error::Secure`] where no threshold can hold.
    pub fn degree(&self, cohort: usize) -> Result<Degree, Error> {
        Ok(degree(cohort as u32, self.corrupt_share, self.lost_share, self.security_bits)?)
    }
}

/// What a round sums up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries {
    /// How many numbers a client gives.
    pub count: usize,
    /// How large one of them may be, either way.
    pub bound: u64,
}

/// Octets that went each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// To clients.
    pub down: u64,
    /// From them.
    pub up: u64,
}

impl std::ops::Add for Traffic {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { down: self.down + other.down, up: self.up + other.up }
    }
}

/// The sum of those who survived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecureSum {
    /// The sum, entry by entry.
    pub entries: Vec<i64>,
    /// Clients that are in it.
    pub clients: usize,
    /// What was sent for it.
    pub traffic: Traffic,
}

/// Clients that have handed out shares of their secrets, and wait to mask.
pub struct Joined {
    /// The place in the roster of each client of the cohort.
    places: BTreeMap<u32, ClientId>,
    masking: BTreeMap<ClientId, (Masking, Inbox)>,
    confirming: Vec<Confirming>,
    server: Summing,
    traffic: Traffic,
}

/// Those who survived are known, and the sum is still masked.
pub struct Survived {
    confirming: Vec<Confirming>,
    server: Agreeing,
    survivors: Survivors,
    traffic: Traffic,
}

impl Joined {
    /// The cohort advertises its keys and shares its secrets; `absent` clients never do.
    ///
    /// # Errors
    /// [`Error::Secure`] when the cohort is too small, the numbers too large, or too few are there.
    pub fn join(
        plan: &SecurePlan,
        entries: Entries,
        cohort: &[u32],
        absent: &[u32],
        round: u64,
        seed: u64,
    ) -> Result<Self, Error> {
        let mut rngs: Vec<_> = cohort
            .iter()
            .map(|&client| stream(seed, Purpose::Secrets, round, client.into()))
            .collect();
        let identities: Vec<SigningKey> = rngs.iter_mut().map(SigningKey::generate).collect();
        let mut run = [0; 32];
        run[..8].copy_from_slice(&seed.to_le_bytes());
        let params = RoundParams {
            run,
            round,
            entries: entries.count as u32,
            update_bound: entries.bound,
            noise_bound: 0,
            degree: plan.degree(cohort.len())?,
        };
        let roster = identities.iter().map(SigningKey::verifying_key).collect();
        let agreed = params.check(roster)?;
        let mut traffic = Traffic::default();
        let places: BTreeMap<u32, ClientId> =
            cohort.iter().copied().zip((0..).map(ClientId)).collect();
        let mut server = Enrolling::new(&agreed);
        let mut sharing = BTreeMap::new();
        for (((&client, &place), identity), mut rng) in places.iter().zip(identities).zip(rngs) {
            if absent.binary_search(&client).is_ok() {
                continue;
            }
            let (step, advert) = Joining::new(&agreed, place, identity)?.advertise(&mut rng);
            traffic.up += advert.encoded_len() as u64;
            server.receive(advert)?;
            sharing.insert(place, (step, rng));
        }
        let mut rng = stream(seed, Purpose::Graph, round, 0);
        let (mut server, neighbourhoods) = server.close(&mut rng)?;
        let tasks: Vec<_> = neighbourhoods
            .iter()
            .filter_map(|(place, neighbourhood)| {
                let (step, rng) = sharing.remove(place)?;
                Some((*place, step, rng, neighbourhood))
            })
            .collect();
        let shared: Result<Vec<_>, SecureError> = tasks
            .into_par_iter()
            .map(|(place, step, mut rng, neighbourhood)| {
                let (step, shares) = step.share(neighbourhood, &mut rng)?;
                Ok((place, step, shares, neighbourhood.encoded_len()))
            })
            .collect();
        let mut masking = BTreeMap::new();
        for (place, step, shares, down) in shared? {
            traffic.down += down as u64;
            traffic.up += shares.encoded_len() as u64;
            server.receive(shares)?;
            masking.insert(place, step);
        }
        let (server, inboxes) = server.close()?;
        let waiting = inboxes.into_iter().filter_map(|(place, inbox)| {
            traffic.down += inbox.encoded_len() as u64;
            Some((place, (masking.remove(&place)?, inbox)))
        });
        let masking = waiting.collect();
        Ok(Self { places, masking, confirming: Vec::new(), server, traffic })
    }

    /// Some clients mask what they give, each `[count]`, and the server adds it up. Gives how many octets that was of each.
    ///
    /// # Errors
    /// [`Error::Secure`] for numbers that are too many or too large.
    pub fn mask(&mut self, given: Vec<(u32, Vec<i64>)>) -> Result<Vec<(u32, u64)>, Error> {
        let tasks: Vec<_> = given
            .into_iter()
            .filter_map(|(client, entries)| {
                let (step, inbox) = self.masking.remove(self.places.get(&client)?)?;
                Some((client, step, inbox, entries))
            })
            .collect();
        let masked: Result<Vec<_>, SecureError> = tasks
            .into_par_iter()
            .map(|(client, step, inbox, entries)| Ok((client, step.mask(&inbox, &entries)?)))
            .collect();
        let mut sent = Vec::new();
        for (client, (step, update)) in masked? {
            let octets = update.encoded_len() as u64;
            self.traffic.up += octets;
            self.server.receive(&update)?;
            self.confirming.push(step);
            sent.push((client, octets));
        }
        Ok(sent)
    }

    /// Closes the sum: who has not masked yet is lost.
    ///
    /// # Errors
    /// [`Error::Secure`] when too few survived for some client's mask to come off.
    pub fn close(self) -> Result<Survived, Error> {
        let (server, survivors) = self.server.close()?;
        Ok(Survived { confirming: self.confirming, server, survivors, traffic: self.traffic })
    }
}

impl Survived {
    /// How many survived.
    #[must_use]
    pub fn survivors(&self) -> usize {
        self.survivors.iter().count()
    }

    /// The survivors agree on who they are and take the masks off the sum.
    ///
    /// # Errors
    /// [`Error::Secure`] when too few are left for that.
    pub fn unmask(self) -> Result<SecureSum, Error> {
        let Self { confirming, mut server, survivors, mut traffic } = self;
        let count = confirming.len() as u64;
        traffic.down += count * survivors.encoded_len() as u64;
        let confirmed: Result<Vec<_>, SecureError> =
            confirming.into_par_iter().map(|step| step.confirm(&survivors)).collect();
        let mut unmasking = Vec::new();
        for (step, confirmation) in confirmed? {
            traffic.up += confirmation.encoded_len() as u64;
            server.receive(confirmation)?;
            unmasking.push(step);
        }
        let (mut server, confirmations) = server.close()?;
        let tasks: Vec<_> = unmasking.into_iter().zip(&confirmations).collect();
        let revealed: Result<Vec<_>, SecureError> = tasks
            .into_par_iter()
            .map(|(step, (_, told))| Ok((step.unmask(told)?, told.encoded_len())))
            .collect();
        for (reveal, down) in revealed? {
            traffic.down += down as u64;
            traffic.up += reveal.encoded_len() as u64;
            server.receive(&reveal)?;
        }
        let sum = server.close()?;
        Ok(SecureSum { entries: sum.entries, clients: sum.clients.len(), traffic })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: Entries = Entries { count: 5, bound: 1_000 };

    fn given(client: u32) -> Vec<i64> {
        (0..5).map(|at| i64::from(client) * 10 - at * 100).collect()
    }

    fn joined(clients: u32, absent: &[u32]) -> Result<Joined, Error> {
        let cohort: Vec<u32> = (0..clients).map(|client| client * 2 + 1).collect();
        Joined::join(&SecurePlan::default(), ENTRIES, &cohort, absent, 3, 9)
    }

    #[test]
    fn the_sum_is_that_of_those_who_masked() {
        // 20 clients with odd numbers; one never comes, two are lost after they shared their keys.
        let mut round = joined(20, &[5]).unwrap();
        let there: Vec<u32> =
            (0..20).map(|at| at * 2 + 1).filter(|at| ![5, 7, 21].contains(at)).collect();
        for wave in there.chunks(6) {
            round.mask(wave.iter().map(|&client| (client, given(client))).collect()).unwrap();
        }
        let survived = round.close().unwrap();
        assert_eq!(survived.survivors(), 17);
        let sum = survived.unmask().unwrap();
        let expected: Vec<i64> =
            (0..5).map(|at| there.iter().map(|&client| given(client)[at]).sum()).collect();
        assert_eq!((sum.entries, sum.clients), (expected, 17));
        assert!(sum.traffic.up > 0 && sum.traffic.down > 0);
    }

    #[test]
    fn too_few_are_an_abandoned_round() {
        assert!(joined(2, &[]).is_err());
        let mut round = joined(20, &[]).unwrap();
        round.mask(vec![(1, given(1)), (3, given(3))]).unwrap();
        let lost = round.close().err().or_else(|| None);
        assert!(lost.is_some_and(|error| error.to_string().contains("threshold")));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let mut round = joined(5, &[]).unwrap();
        let told = round.mask(vec![(1, vec![0, 0, 1_001, 0, 0])]).unwrap_err().to_string();
        assert!(told.contains("entry 2 of the update is 1001"), "{told}");
    }
}
