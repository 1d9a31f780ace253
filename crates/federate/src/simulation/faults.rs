//! What goes wrong with clients, drawn for each round and client.

use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::stream::{Purpose, stream};

/// What becomes of a client in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It answers.
    Well,
    /// It never comes, not even to agree on keys.
    Absent,
    /// It never answers.
    Lost,
    /// Its answer comes in the next round.
    Late,
    /// Its answer comes twice.
    Doubled,
    /// Its answer has a number that is none.
    Wrong,
}

/// How often each fault happens, as shares of the clients asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Clients that never come: in a secure round they hand out no shares.
    pub absent: f64,
    /// Clients that never answer: in a secure round others wait for their masks.
    pub lost: f64,
    /// Answers that come in the next round.
    pub late: f64,
    /// Answers that come twice.
    pub doubled: f64,
    /// Answers that are no numbers.
    pub wrong: f64,
    /// For how many rounds a client that is lost stays away; 0 and 1 are the same.
    pub away_rounds: u64,
    /// The seed; the same faults under the same.
    #[serde(skip)]
    pub seed: u64,
}

impl Faults {
    /// Refuses shares that cannot be.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a share outside 0 … 1, or for shares of more than 1 together.
    pub fn check(self) -> Result<Self, Error> {
        let shares = [self.absent, self.lost, self.late, self.doubled, self.wrong];
        let must = "shares from 0 to 1, together at most 1";
        let sum: f64 = shares.iter().sum();
        match shares.into_iter().find(|share| !(0.0..=1.0).contains(share)) {
            Some(value) => Err(Error::Parameter { name: "a share of faults", value, must }),
            None if sum > 1.0 + 1e-9 => {
                Err(Error::Parameter { name: "the sum of all faults", value: sum, must })
            }
            None => Ok(self),
        }
    }

    /// What becomes of a client.
    #[must_use]
    pub fn fate(&self, round: u64, client: u32) -> Fate {
        // Who was lost a few rounds ago may still be away.
        let earliest = round.saturating_sub(self.away_rounds.max(1) - 1).max(1);
        if (earliest..round).any(|before| self.drawn(before, client) == Fate::Lost) {
            return Fate::Lost;
        }
        self.drawn(round, client)
    }

    fn drawn(&self, round: u64, client: u32) -> Fate {
        let shares = [
            (self.absent, Fate::Absent),
            (self.lost, Fate::Lost),
            (self.late, Fate::Late),
            (self.doubled, Fate::Doubled),
            (self.wrong, Fate::Wrong),
        ];
        if shares.iter().all(|(share, _)| *share == 0.0) {
            return Fate::Well;
        }
        let mut rng = stream(self.seed, Purpose::Faults, round, client.into());
        let drawn = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut below = 0.0;
        for (share, fate) in shares {
            below += share;
            if drawn < below {
                return fate;
            }
        }
        Fate::Well
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_happen_as_often_as_they_should() {
        let faults = Faults { lost: 0.1, late: 0.2, doubled: 0.05, seed: 3, ..Faults::default() };
        let count = |fate| {
            let all = (1..=100).flat_map(|round| (0..100).map(move |client| (round, client)));
            all.filter(|&(round, client)| faults.fate(round, client) == fate).count()
        };
        assert!(count(Fate::Lost).abs_diff(1_000) < 120);
        assert!(count(Fate::Late).abs_diff(2_000) < 160);
        assert!(count(Fate::Doubled).abs_diff(500) < 90);
        assert_eq!(count(Fate::Wrong), 0);
    }

    #[test]
    fn who_is_away_stays_away() {
        let faults = Faults { lost: 0.1, away_rounds: 5, seed: 3, ..Faults::default() };
        let lost = |round, client| faults.fate(round, client) == Fate::Lost;
        let runs = (0..200).map(|client| {
            let rounds: Vec<bool> = (1..=60).map(|round| lost(round, client)).collect();
            let runs = rounds.split(|lost| !lost).map(<[bool]>::len).filter(|run| *run > 0);
            runs.collect::<Vec<_>>()
        });
        let inner: Vec<usize> =
            runs.flat_map(|runs| runs.into_iter().rev().skip(1).collect::<Vec<_>>()).collect();
        assert!(inner.len() > 100 && inner.iter().all(|run| *run >= 5), "{inner:?}");
    }

    #[test]
    fn shares_that_cannot_be_are_refused() {
        assert!(Faults { lost: -0.1, ..Faults::default() }.check().is_err());
        assert!(Faults { lost: f64::NAN, ..Faults::default() }.check().is_err());
        assert!(Faults { lost: 0.6, late: 0.6, ..Faults::default() }.check().is_err());
        assert!(Faults { lost: 0.5, late: 0.5, ..Faults::default() }.check().is_ok());
    }
}
