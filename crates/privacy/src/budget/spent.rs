//! What a budget has spent, under the account that was chosen for it.

use serde::{Deserialize, Serialize};

use crate::account::pld::{self, Rounds};
use crate::account::{Rdp, Zcdp};
use crate::budget::{Release, Terms};
use crate::error::Error;
use crate::neighbours::{Neighbours, Relation, ReplaceOne, ZeroOutOne};
use crate::parameter::{Delta, SamplingRate};

/// By which account a budget adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Rényi divergence: every release.
    Rdp,
    /// Zero-concentrated: sums over everyone, under the server's noise or the clients' discrete Gaussian.
    Zcdp,
    /// Privacy loss distribution: sums over everyone and Poisson samples, of the continuous Gaussian. Tightest, and
    /// slowest: some milliseconds a permit, more with each kind of release.
    Pld,
}

impl Account {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rdp => "RDP",
            Self::Zcdp => "zCDP",
            Self::Pld => "PLD",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Spent<N: Neighbours> {
    Rdp(Rdp<N>),
    Zcdp(Zcdp<N>),
    /// Rounds of one kind are kept once.
    Pld(Vec<Rounds>),
}

impl<N: Neighbours> Spent<N> {
    pub fn nothing(account: Account) -> Self {
        match account {
            Account::Rdp => Self::Rdp(Rdp::nothing()),
            Account::Zcdp => Self::Zcdp(Zcdp::nothing()),
            Account::Pld => Self::Pld(Vec::new()),
        }
    }

    pub fn account(&self) -> Account {
        match self {
            Self::Rdp(_) => Account::Rdp,
            Self::Zcdp(_) => Account::Zcdp,
            Self::Pld(_) => Account::Pld,
        }
    }

    pub fn epsilon(&self, delta: Delta) -> f64 {
        match self {
            Self::Rdp(spent) => spent.epsilon(delta),
            Self::Zcdp(spent) => spent.epsilon(delta),
            Self::Pld(rounds) => pld::epsilon(rounds, delta),
        }
    }

    pub fn add(&mut self, release: &Release<N>, count: u64) -> Result<(), Error> {
        match self {
            Self::Rdp(spent) => spent.compose(&release.cost().times(count)),
            Self::Zcdp(spent) => spent.compose(&zcdp(release)?.times(count)),
            Self::Pld(spent) => {
                let new = rounds(release, count)?;
                let same = |old: &&mut Rounds| old.rate == new.rate && old.noise == new.noise;
                match spent.iter_mut().find(same) {
                    Some(old) => old.count = old.count.saturating_add(count),
                    None => spent.push(new),
                }
            }
        }
        Ok(())
    }
}

fn zcdp<N: Neighbours>(release: &Release<N>) -> Result<Zcdp<N>, Error> {
    match (*release.terms(), N::RELATION) {
        (Terms::Everyone { noise }, _) => Ok(Zcdp::gaussian(noise)),
        (Terms::Distributed { shares }, Relation::ReplaceOne) => {
            shares.zcdp::<ReplaceOne>().map(Zcdp::under)
        }
        (Terms::Distributed { shares }, Relation::ZeroOutOne) => {
            shares.zcdp::<ZeroOutOne>().map(Zcdp::under)
        }
        (terms, _) => Err(Error::NotCovered { what: terms.name(), by: Account::Zcdp.name() }),
    }
}

/// A sum over everyone moves by the sensitivity between neighbours, whatever the relation: its losses are those of one
/// Gaussian.
fn rounds<N: Neighbours>(release: &Release<N>, count: u64) -> Result<Rounds, Error> {
    match *release.terms() {
        Terms::Everyone { noise } => Ok(Rounds { rate: SamplingRate::new(1.0)?, noise, count }),
        Terms::Poisson { rate, noise } => Ok(Rounds { rate, noise, count }),
        terms => Err(Error::NotCovered { what: terms.name(), by: Account::Pld.name() }),
    }
}
