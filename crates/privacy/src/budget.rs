//! A budget of epsilon at delta that hands out one permit a round, and none that would overspend.

pub mod solve;

mod release;
mod spent;

use std::marker::PhantomData;

pub use release::{Release, Terms};
pub use spent::Account;

use crate::error::Error;
use crate::neighbours::Neighbours;
use crate::parameter::{Delta, Epsilon, NoiseMultiplier};
use spent::Spent;

/// Leave to release one round's sum. It is used up by the release and cannot be copied.
#[derive(Debug)]
#[must_use = "what a permit is for was already paid"]
pub struct Permit<N: Neighbours> {
    round: u64,
    noise: NoiseMultiplier,
    epsilon: f64,
    neighbours: PhantomData<N>,
}

impl<N: Neighbours> Permit<N> {
    /// The round it is for, from 1.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.round
    }

    /// The noise that the release must have.
    #[must_use]
    pub fn noise(&self) -> NoiseMultiplier {
        self.noise
    }

    /// Epsilon spent once this round is released.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }
}

/// What may be spent, and what was.
///
/// A permit is paid for when it is given, whether or not the release happens: epsilon never falls.
///
/// # Example
/// ```
/// use flowgait_privacy::budget::{Budget, Release};
/// use flowgait_privacy::{AddOrRemoveOne, Delta, Epsilon, Error, NoiseMultiplier};
///
/// let mut budget = Budget::<AddOrRemoveOne>::new(Epsilon::new(2.0)?, Delta::new(1e-5)?);
/// let release = Release::everyone(NoiseMultiplier::new(4.0)?);
/// let mut rounds = 0;
/// let refused = loop {
///     match budget.permit(&release) {
///         Ok(_permit) => rounds += 1,
///         Err(refused) => break refused,
///     }
/// };
/// assert_eq!(rounds, 3);
/// assert!(matches!(refused, Error::BudgetSpent { round: 4, .. }));
/// assert!(budget.epsilon() <= 2.0);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Budget<N: Neighbours> {
    epsilon_max: Epsilon,
    delta: Delta,
    spent: Spent<N>,
    rounds: u64,
}

impl<N: Neighbours> Budget<N> {
    /// A budget from which nothing was spent, accounted by RDP, which covers every release.
    #[must_use]
    pub fn new(epsilon_max: Epsilon, delta: Delta) -> Self {
        Self::accounted_by(Account::Rdp, epsilon_max, delta)
    }

    /// A budget from which nothing was spent, under an account of one's choice. Chosen before the first release: an
    /// account picked by what it says of past ones would still hold, but one budget keeps one account.
    #[must_use]
    pub fn accounted_by(account: Account, epsilon_max: Epsilon, delta: Delta) -> Self {
        Self { epsilon_max, delta, spent: Spent::nothing(account), rounds: 0 }
    }

    /// A budget after releases that were made before, as a ledger tells them, even where they overspent it.
    #[must_use]
    pub fn resume(epsilon_max: Epsilon, delta: Delta, past: &[(Release<N>, u64)]) -> Self {
        let resumed = Self::resume_by(Account::Rdp, epsilon_max, delta, past);
        resumed.expect("RDP covers every release")
    }

    /// The same under an account of one's choice.
    ///
    /// # Errors
    /// [`Error::NotCovered`] when a past release is not covered by it.
    pub fn resume_by(
        account: Account,
        epsilon_max: Epsilon,
        delta: Delta,
        past: &[(Release<N>, u64)],
    ) -> Result<Self, Error> {
        let mut budget = Self::accounted_by(account, epsilon_max, delta);
        for (release, rounds) in past {
            budget.spent.add(release, *rounds)?;
            budget.rounds = budget.rounds.saturating_add(*rounds);
        }
        Ok(budget)
    }

    /// Leave for one more round, paid for at once.
    ///
    /// # Errors
    /// [`Error::BudgetSpent`] when the round would bring epsilon above the budget, [`Error::NotCovered`] when the
    /// budget's account does not cover the release; nothing is spent then.
    pub fn permit(&mut self, release: &Release<N>) -> Result<Permit<N>, Error> {
        let mut spent = self.spent.clone();
        spent.add(release, 1)?;
        let (round, epsilon) = (self.rounds.saturating_add(1), spent.epsilon(self.delta));
        // Written so that an epsilon that is no number is refused.
        let is_within = epsilon <= self.epsilon_max.get();
        if !is_within {
            return Err(Error::BudgetSpent { round, epsilon, budget: self.epsilon_max.get() });
        }
        self.spent = spent;
        self.rounds = round;
        Ok(Permit { round, noise: release.noise(), epsilon, neighbours: PhantomData })
    }

    /// Epsilon spent so far, at the budget's delta.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.spent.epsilon(self.delta)
    }

    /// By which account.
    #[must_use]
    pub fn account(&self) -> Account {
        self.spent.account()
    }

    /// Rounds paid for so far.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::{AddOrRemoveOne, ReplaceOne};
    use crate::parameter::SamplingRate;
    use proptest::prelude::*;

    fn noise(z: f64) -> NoiseMultiplier {
        NoiseMultiplier::new(z).expect("noise")
    }

    fn budget<N: Neighbours>(epsilon: f64) -> Budget<N> {
        let delta = Delta::new(1e-6).expect("a delta");
        Budget::new(Epsilon::new(epsilon).expect("an epsilon"), delta)
    }

    #[test]
    fn a_round_that_would_overspend_changes_nothing() {
        let mut budget = budget::<ReplaceOne>(1.0);
        let release = Release::fixed_cohort(10, 1000, noise(2.0)).expect("a cohort");
        let permit = budget.permit(&release).expect("the first round");
        assert_eq!((permit.round(), permit.epsilon()), (1, budget.epsilon()));
        let before = budget.clone();
        let refused = budget.permit(&Release::everyone(noise(0.5))).expect_err("too dear");
        assert!(refused.to_string().starts_with("round 2 would bring epsilon to "));
        assert_eq!(budget, before);
    }

    #[test]
    fn a_budget_that_resumes_has_forgotten_nothing() {
        let release = Release::<AddOrRemoveOne>::everyone(noise(8.0));
        let mut whole = budget(3.0);
        for _ in 0..5 {
            let _permit = whole.permit(&release).expect("a round");
        }
        let (epsilon, delta) = (whole.epsilon_max, whole.delta);
        let resumed = Budget::resume(epsilon, delta, &[(release.clone(), 5)]);
        assert_eq!(resumed.rounds(), 5);
        assert!((resumed.epsilon() - whole.epsilon()).abs() < 1e-12);
        let mut over = Budget::resume(epsilon, delta, &[(release.clone(), 5000)]);
        assert!(over.epsilon() > 3.0 && over.permit(&release).is_err());
    }

    #[test]
    fn an_account_refuses_what_it_says_nothing_about() {
        let (limit, delta) = (Epsilon::new(9.0).expect("one"), Delta::new(1e-6).expect("a delta"));
        let rate = SamplingRate::new(0.1).expect("a rate");
        let poisson = Release::poisson(rate, noise(1.0));
        let mut zcdp = Budget::<AddOrRemoveOne>::accounted_by(Account::Zcdp, limit, delta);
        let before = zcdp.clone();
        let refused = zcdp.permit(&poisson).expect_err("zCDP knows no sampling");
        assert_eq!(refused.to_string(), "a Poisson sample is not covered by zCDP");
        assert_eq!(zcdp, before);
        let mut pld = Budget::<ReplaceOne>::accounted_by(Account::Pld, limit, delta);
        let cohort = Release::fixed_cohort(10, 1000, noise(1.0)).expect("a cohort");
        assert!(matches!(pld.permit(&cohort), Err(Error::NotCovered { .. })));
        assert!(Budget::resume_by(Account::Pld, limit, delta, &[(cohort, 2)]).is_err());
    }

    #[test]
    fn every_account_prices_the_same_rounds_and_the_tightest_least() {
        let (limit, delta) = (Epsilon::new(9.0).expect("one"), Delta::new(1e-6).expect("a delta"));
        let spend = |account| {
            let mut budget = Budget::<AddOrRemoveOne>::accounted_by(account, limit, delta);
            for z in [8.0, 8.0, 5.0] {
                let _permit = budget.permit(&Release::everyone(noise(z))).expect("a round");
            }
            assert_eq!((budget.account(), budget.rounds()), (account, 3));
            budget.epsilon()
        };
        let (rdp, zcdp, pld) = (spend(Account::Rdp), spend(Account::Zcdp), spend(Account::Pld));
        assert!(pld < zcdp && zcdp <= rdp, "{pld} {zcdp} {rdp}");
        assert!(rdp < 1.1 * pld);
    }

    proptest! {
        // Each round is accounted at a hundred fractional orders.
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn epsilon_never_falls_and_never_passes_the_budget(
            limit in 0.0f64..8.0,
            rounds in prop::collection::vec((0.3f64..20.0, 0.0f64..=1.0), 1..25),
        ) {
            let mut budget = budget::<AddOrRemoveOne>(limit);
            for (z, q) in rounds {
                let before = budget.epsilon();
                let rate = SamplingRate::new(q).expect("a rate");
                let answer = budget.permit(&Release::poisson(rate, noise(z)));
                prop_assert!(budget.epsilon() >= before);
                prop_assert!(budget.epsilon() <= limit);
                prop_assert!(answer.is_ok() || budget.epsilon() == before);
            }
        }
    }
}
