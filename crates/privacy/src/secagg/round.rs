//! What all parties of a round agree on before it starts.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::degree::Degree;
use super::error::Error;
use super::ring::Ring;
use super::share::SHARES_MAX;

/// A client's place in the roster of its round, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u32);

impl ClientId {
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.0)
    }
}

/// A round as a person says it.
///
/// # Units
/// Bounds are in steps of the [grid](crate::grid::Grid) and hold for each entry of one client's vector: `update_bound` is
/// the grid's number of steps, `noise_bound` what the client may add to it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundParams {
    /// Tells this run of learning from all others.
    pub run: [u8; 32],
    /// Tells this round of the run from all others.
    pub round: u64,
    /// Entries of each update.
    pub entries: u32,
    /// How large an entry of an update may be.
    pub update_bound: u64,
    /// How large a client's own noise on an entry may be; 0 where the noise is added elsewhere.
    pub noise_bound: u64,
    /// Neighbours and threshold, most simply from [`degree`](super::degree).
    pub degree: Degree,
}

impl RoundParams {
    /// The most clients in a round.
    pub const COHORT_MAX: usize = 1 << 16;
    /// The most entries of an update.
    pub const ENTRIES_MAX: u32 = 1 << 26;

    /// The round with its clients, each told by the key with which it signs; a client's place is its [`ClientId`].
    ///
    /// # Errors
    /// [`Error::Parameter`] for a cohort, a degree or a threshold that cannot be; [`Error::Identity`] for a key that is
    /// weak or listed twice; [`Error::RingTooSmall`] when the sum of all entries does not fit 32 bits.
    pub fn check(self, roster: Vec<VerifyingKey>) -> Result<Round, Error> {
        let within = |name, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            let must = format!("from {low} to {high}");
            Err(Error::Parameter { name, value: value as f64, must })
        };
        within("cohort", roster.len() as u64, 3, Self::COHORT_MAX as u64)?;
        within("number of entries", self.entries.into(), 1, Self::ENTRIES_MAX.into())?;
        let (cohort, Degree { neighbours, threshold }) = (roster.len() as u32, self.degree);
        let neighbours_max = (SHARES_MAX as u32).min(cohort - 1);
        within("number of neighbours", neighbours.into(), 2, neighbours_max.into())?;
        if neighbours != cohort - 1 && neighbours % 2 == 1 {
            let must = "even, or everybody else".to_owned();
            let name = "number of neighbours";
            return Err(Error::Parameter { name, value: neighbours.into(), must });
        }
        let more_than_half = u64::from(neighbours / 2 + 1).max(2);
        within("threshold", threshold.into(), more_than_half, neighbours.into())?;
        check_identities(&roster)?;
        let bound = self.update_bound.saturating_add(self.noise_bound);
        let ring = Ring::for_sum(cohort, bound)?;
        let context = self.context(&roster, ring);
        Ok(Round(Arc::new(Agreed { params: self, roster, ring, context })))
    }

    /// A hash of everything that is agreed on. It is in every key and every signature, so that parties who do not agree
    /// understand nothing of each other.
    fn context(&self, roster: &[VerifyingKey], ring: Ring) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"flowgait secagg round 1");
        hash.update(self.run);
        hash.update(self.round.to_le_bytes());
        let cohort = roster.len() as u32;
        let Degree { neighbours, threshold } = self.degree;
        for number in [self.entries, ring.bits(), neighbours, threshold, cohort] {
            hash.update(number.to_le_bytes());
        }
        hash.update(ring.bound().to_le_bytes());
        roster.iter().for_each(|identity| hash.update(identity.as_bytes()));
        hash.finalize().into()
    }
}

fn check_identities(roster: &[VerifyingKey]) -> Result<(), Error> {
    let mut seen = std::collections::HashSet::new();
    for (client, identity) in (0..).map(ClientId).zip(roster) {
        if identity.is_weak() || !seen.insert(identity.as_bytes()) {
            return Err(Error::Identity { client });
        }
    }
    Ok(())
}

/// A round that can be held. Cheap to clone: its parts are shared.
#[derive(Debug, Clone)]
pub struct Round(Arc<Agreed>);

#[derive(Debug)]
struct Agreed {
    params: RoundParams,
    roster: Vec<VerifyingKey>,
    ring: Ring,
    context: [u8; 32],
}

impl Round {
    /// Clients in the roster.
    #[must_use]
    pub fn cohort(&self) -> usize {
        self.0.roster.len()
    }

    /// Entries of each update.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.0.params.entries as usize
    }

    /// The ring in which entries are added.
    #[must_use]
    pub fn ring(&self) -> Ring {
        self.0.ring
    }

    /// Neighbours of each client when all are there.
    #[must_use]
    pub fn neighbours(&self) -> usize {
        self.0.params.degree.neighbours as usize
    }

    /// Neighbours of each client that must take every step.
    #[must_use]
    pub fn threshold(&self) -> usize {
        self.0.params.degree.threshold as usize
    }

    pub(super) fn context(&self) -> &[u8; 32] {
        &self.0.context
    }

    /// A member's key for signatures.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for who is not in the roster.
    pub(super) fn identity(&self, client: ClientId) -> Result<&VerifyingKey, Error> {
        let reason = "it is not in the roster";
        self.0.roster.get(client.place()).ok_or(Error::Unexpected { client, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    fn roster(cohort: u8) -> Vec<VerifyingKey> {
        (0..cohort).map(|seed| SigningKey::from_bytes(&[seed; 32]).verifying_key()).collect()
    }

    fn params(neighbours: u32, threshold: u32) -> RoundParams {
        let degree = Degree { neighbours, threshold };
        RoundParams { run: [1; 32], round: 1, entries: 9, update_bound: 10, noise_bound: 2, degree }
    }

    fn check(cohort: u8, neighbours: u32, threshold: u32, expected: Result<(), &str>) {
        let round = params(neighbours, threshold).check(roster(cohort));
        assert_eq!(round.map(|_| ()).map_err(|e| e.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn settings_that_no_round_can_meet_are_refused_with_reasons() {
        check(4, 3, 2, Ok(()));
        check(9, 4, 3, Ok(()));
        check(4, 3, 4, Err("threshold is 4, but must be from 2 to 3"));
        check(9, 4, 2, Err("threshold is 2, but must be from 3 to 4"));
        check(4, 3, 1, Err("threshold is 1, but must be from 2 to 3"));
        check(4, 4, 3, Err("number of neighbours is 4, but must be from 2 to 3"));
        check(9, 5, 3, Err("number of neighbours is 5, but must be even, or everybody else"));
        check(2, 1, 1, Err("cohort is 2, but must be from 3 to 65536"));
        let wide = RoundParams { update_bound: u64::MAX, ..params(3, 2) };
        assert!(matches!(wide.check(roster(4)), Err(Error::RingTooSmall { cohort: 4, .. })));
        let empty = RoundParams { entries: 0, ..params(3, 2) };
        assert!(matches!(empty.check(roster(4)), Err(Error::Parameter { .. })));
    }

    #[test]
    fn an_identity_stands_once_and_is_not_weak() {
        let twice = [roster(4), roster(1)].concat();
        let refused = params(4, 3).check(twice).expect_err("the first again");
        assert_eq!(refused, Error::Identity { client: ClientId(4) });
        let mut point = [0; 32];
        point[0] = 1;
        let weak = VerifyingKey::from_bytes(&point).expect("the neutral point is a point");
        assert!(params(3, 2).check([roster(3), vec![weak]].concat()).is_err());
    }

    #[test]
    fn whatever_differs_between_two_rounds_shows_in_their_contexts() {
        let context = |params: RoundParams| *params.check(roster(6)).expect("a round").context();
        let mut contexts = vec![
            context(params(4, 3)),
            context(RoundParams { run: [2; 32], ..params(4, 3) }),
            context(RoundParams { round: 2, ..params(4, 3) }),
            context(RoundParams { entries: 8, ..params(4, 3) }),
            context(RoundParams { noise_bound: 3, ..params(4, 3) }),
            context(params(4, 4)),
            context(params(5, 3)),
        ];
        contexts.sort_unstable();
        contexts.dedup();
        assert_eq!(contexts.len(), 7);
    }
}
