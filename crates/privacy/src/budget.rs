//! A budget of epsilon at delta that hands out one permit a round, and none that would overspend.

pub mod solve;

use std::marker::PhantomData;

use crate::account::Rdp;
use crate::error::Error;
use crate::neighbours::{AddOrRemoveOne, Neighbours, ReplaceOne};
use crate::parameter::{Delta, Epsilon, NoiseMultiplier, SamplingRate};

/// One round's release: who takes part, and under how much noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Release<N: Neighbours> {
    noise: NoiseMultiplier,
    cost: Rdp<N>,
}

impl<N: Neighbours> Release<N> {
    /// Every client's update is in the sum; nothing is claimed of sampling.
    #[must_use]
    pub fn everyone(noise: NoiseMultiplier) -> Self {
        Self { noise, cost: Rdp::gaussian(noise) }
    }

    /// The noise of the release.
    #[must_use]
    pub fn noise(&self) -> NoiseMultiplier {
        self.noise
    }

    /// What one such release costs.
    #[must_use]
    pub fn cost(&self) -> &Rdp<N> {
        &self.cost
    }
}

impl Release<AddOrRemoveOne> {
    /// Each client joins by a coin of its own.
    #[must_use]
    pub fn poisson(rate: SamplingRate, noise: NoiseMultiplier) -> Self {
        Self { noise, cost: Rdp::poisson(rate, noise) }
    }
}

impl Release<ReplaceOne> {
    /// A cohort of fixed size is drawn from the population without putting back.
    ///
    /// # Errors
    /// [`Error::Cohort`] when the cohort is empty or larger than the population.
    pub fn fixed_cohort(
        cohort: u32,
        population: u32,
        noise: NoiseMultiplier,
    ) -> Result<Self, Error> {
        Ok(Self { noise, cost: Rdp::fixed_cohort(cohort, population, noise)? })
    }
}

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
    spent: Rdp<N>,
    rounds: u64,
}

impl<N: Neighbours> Budget<N> {
    /// A budget from which nothing was spent.
    #[must_use]
    pub fn new(epsilon_max: Epsilon, delta: Delta) -> Self {
        Self { epsilon_max, delta, spent: Rdp::nothing(), rounds: 0 }
    }

    /// A budget after releases that were made before, as a ledger tells them, even where they overspent it.
    #[must_use]
    pub fn resume(epsilon_max: Epsilon, delta: Delta, past: &[(Release<N>, u64)]) -> Self {
        let mut budget = Self::new(epsilon_max, delta);
        for (release, rounds) in past {
            budget.spent.compose(&release.cost.times(*rounds));
            budget.rounds += rounds;
        }
        budget
    }

    /// Leave for one more round, paid for at once.
    ///
    /// # Errors
    /// [`Error::BudgetSpent`] when the round would bring epsilon above the budget; nothing is spent then.
    pub fn permit(&mut self, release: &Release<N>) -> Result<Permit<N>, Error> {
        let mut spent = self.spent.clone();
        spent.compose(&release.cost);
        let (round, epsilon) = (self.rounds + 1, spent.epsilon(self.delta));
        if epsilon > self.epsilon_max.get() {
            return Err(Error::BudgetSpent { round, epsilon, budget: self.epsilon_max.get() });
        }
        self.spent = spent;
        self.rounds = round;
        Ok(Permit { round, noise: release.noise, epsilon, neighbours: PhantomData })
    }

    /// Epsilon spent so far, at the budget's delta.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.spent.epsilon(self.delta)
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
