//! What a person decides about rounds before the first, checked once.

use flowgait_privacy::budget::{Budget, Permit, Release};
use flowgait_privacy::grid::Grid;
use flowgait_privacy::{
    AddOrRemoveOne, ClipNorm, Delta, Epsilon, Neighbours, NoiseMultiplier, ReplaceOne, SamplingRate,
};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::cohort::Sampling;
use crate::error::Error;
use crate::robust::{RobustKind, RobustRule};
use crate::strategy::{Strategy, StrategyKind};

/// Steps of the grid for each clip norm.
const GRID_STEPS: u32 = 1 << 16;

/// What a person decides; [`Plan::check`] makes it usable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// How many clients there are.
    pub clients: usize,
    /// Who is asked.
    pub sampling: Sampling,
    /// How contributions are combined.
    pub strategy: StrategyKind,
    /// A rule that looks at each update, in place of the mean.
    pub robust: Option<RobustKind>,
    /// How long a contribution may be, where that is bounded without privacy.
    pub clip_norm: Option<f64>,
    /// Privacy of clients, where it is wanted.
    pub privacy: Option<PrivacyPlan>,
    /// Share of the cohort that must answer, or the round is abandoned.
    pub survivors_least: f64,
    /// The seed of what is drawn at the coordinator.
    pub seed: u64,
}

/// Privacy of each client as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyPlan {
    /// Epsilon that may be spent in all.
    pub epsilon: f64,
    /// Delta at which it is meant.
    pub delta: f64,
    /// The noise's standard deviation over the sensitivity.
    pub noise_multiplier: f64,
    /// How long one client's update may be.
    pub clip_norm: f64,
}

/// A plan whose parts fit together.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidPlan {
    plan: Plan,
    clip_norm: Option<ClipNorm>,
}

impl Plan {
    /// A plan of plain averaging over everyone.
    #[must_use]
    pub fn new(clients: usize, strategy: StrategyKind) -> Self {
        Self {
            clients,
            sampling: Sampling::Everyone,
            strategy,
            robust: None,
            clip_norm: None,
            privacy: None,
            survivors_least: 0.5,
            seed: 1,
        }
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// [`Error::Cohort`] or [`Error::Parameter`] for a number that cannot be; [`Error::Clash`] for parts that exclude each other.
    pub fn check(self) -> Result<ValidPlan, Error> {
        self.sampling.check(self.clients)?;
        if !(0.0..=1.0).contains(&self.survivors_least) {
            let (value, must) = (self.survivors_least, "from 0 to 1");
            return Err(Error::Parameter { name: "the least share of survivors", value, must });
        }
        if let Some(robust) = self.robust {
            self.check_robust(robust)?;
        }
        if self.privacy.is_some() && !self.strategy.sends_update_alone() {
            return Err(Error::Clash {
                this: format!("the strategy {}", self.strategy.name()),
                that: "privacy",
                because: "its clients tell more than their update, and the noise is made for the update alone",
            });
        }
        let clip_norm = match (self.privacy, self.clip_norm) {
            (Some(_), Some(_)) => {
                return Err(Error::Clash {
                    this: "a clip norm of its own".to_owned(),
                    that: "privacy",
                    because: "privacy has one already",
                });
            }
            (Some(privacy), None) => Some(ClipNorm::new(privacy.clip_norm)?),
            (None, Some(norm)) => Some(ClipNorm::new(norm)?),
            (None, None) => None,
        };
        let plan = ValidPlan { plan: self, clip_norm };
        plan.guard()?;
        Ok(plan)
    }

    fn check_robust(&self, robust: RobustKind) -> Result<(), Error> {
        let this = || "a robust rule".to_owned();
        if self.privacy.is_some() {
            return Err(Error::Clash {
                this: this(),
                that: "privacy",
                because: "it must see single updates, and privacy shows no more than their noised sum",
            });
        }
        if !self.strategy.sends_update_alone() {
            return Err(Error::Clash {
                this: this(),
                that: self.strategy.name(),
                because: "its clients tell more than their update, and the rule knows what an update looks like only",
            });
        }
        let cohort = self.sampling.expected(self.clients) as usize;
        robust.check(cohort).map(|_| ())
    }
}

impl ValidPlan {
    /// How many clients there are.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.plan.clients
    }

    /// Who is asked.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        self.plan.sampling
    }

    /// How contributions are combined.
    #[must_use]
    pub fn strategy(&self) -> StrategyKind {
        self.plan.strategy
    }

    /// The rule that looks at each update, for so many of them.
    pub(super) fn robust(&self, updates: usize) -> Result<Option<Box<dyn RobustRule>>, Error> {
        self.plan.robust.map(|kind| kind.check(updates)).transpose()
    }

    /// Whether a rule looks at each update.
    #[must_use]
    pub fn sees_updates(&self) -> bool {
        self.plan.robust.is_some()
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.plan.seed
    }

    /// How long a contribution may be.
    #[must_use]
    pub fn clip_norm(&self) -> Option<ClipNorm> {
        self.clip_norm
    }

    /// Delta of the budget, where there is one.
    #[must_use]
    pub fn privacy(&self) -> Option<PrivacyPlan> {
        self.plan.privacy
    }

    /// Whether who takes part must not be told: privacy counts on its being drawn.
    #[must_use]
    pub fn hides_cohort(&self) -> bool {
        self.plan.privacy.is_some() && matches!(self.plan.sampling, Sampling::Poisson { .. })
    }

    /// How many of a cohort must answer.
    pub(super) fn survivors_least(&self, cohort: usize) -> usize {
        ((self.plan.survivors_least * cohort as f64).ceil() as usize).max(1)
    }

    /// Under privacy all weigh alike: by rows, one client could move the sum by more than the clip norm.
    pub(super) fn weighs_rows(&self, strategy: &dyn Strategy) -> bool {
        strategy.weighs_rows() && self.plan.privacy.is_none()
    }

    pub(super) fn guard(&self) -> Result<Option<Guard>, Error> {
        let Some(privacy) = self.plan.privacy else { return Ok(None) };
        Ok(Some(Guard::new(&privacy, self.plan.sampling, self.plan.clients)?))
    }
}

/// The budget, under the neighbouring relation that the way of sampling asks for.
pub(super) struct Guard {
    account: Account,
    grid: Grid,
    expected: f64,
    noise: NoiseMultiplier,
}

enum Account {
    Joined(Spending<AddOrRemoveOne>),
    Replaced(Spending<ReplaceOne>),
}

struct Spending<N: Neighbours> {
    epsilon: Epsilon,
    delta: Delta,
    release: Release<N>,
    budget: Budget<N>,
}

impl<N: Neighbours> Spending<N> {
    fn new(epsilon: Epsilon, delta: Delta, release: Release<N>) -> Self {
        Self { epsilon, delta, release, budget: Budget::new(epsilon, delta) }
    }

    fn resume(&mut self, rounds: u64) {
        let past = [(self.release.clone(), rounds)];
        self.budget = Budget::resume(self.epsilon, self.delta, &past);
    }
}

/// A round that is paid for.
pub(super) enum Paid {
    Joined(Permit<AddOrRemoveOne>),
    Replaced(Permit<ReplaceOne>),
}

impl Paid {
    pub(super) fn epsilon(&self) -> f64 {
        match self {
            Self::Joined(permit) => permit.epsilon(),
            Self::Replaced(permit) => permit.epsilon(),
        }
    }
}

impl Guard {
    fn new(plan: &PrivacyPlan, sampling: Sampling, clients: usize) -> Result<Self, Error> {
        let noise = NoiseMultiplier::new(plan.noise_multiplier)?;
        let (epsilon, delta) = (Epsilon::new(plan.epsilon)?, Delta::new(plan.delta)?);
        let account = match sampling {
            Sampling::Everyone => {
                Account::Joined(Spending::new(epsilon, delta, Release::everyone(noise)))
            }
            Sampling::Poisson { rate } => {
                let release = Release::poisson(SamplingRate::new(rate)?, noise);
                Account::Joined(Spending::new(epsilon, delta, release))
            }
            Sampling::Fixed { size } => {
                let release = Release::fixed_cohort(size as u32, clients as u32, noise)?;
                Account::Replaced(Spending::new(epsilon, delta, release))
            }
        };
        let grid = Grid::new(ClipNorm::new(plan.clip_norm)?, GRID_STEPS)?;
        Ok(Self { account, grid, expected: sampling.expected(clients), noise })
    }

    pub(super) fn pay(&mut self) -> Result<Paid, Error> {
        Ok(match &mut self.account {
            Account::Joined(of) => Paid::Joined(of.budget.permit(&of.release)?),
            Account::Replaced(of) => Paid::Replaced(of.budget.permit(&of.release)?),
        })
    }

    pub(super) fn resume(&mut self, rounds: u64) {
        match &mut self.account {
            Account::Joined(of) => of.resume(rounds),
            Account::Replaced(of) => of.resume(rounds),
        }
    }

    pub(super) fn grid(&self) -> Grid {
        self.grid
    }

    pub(super) fn noise_multiplier(&self) -> f64 {
        self.noise.get()
    }

    /// What a sum is divided by: how many clients are asked on average, so that how many answered does not show.
    pub(super) fn expected(&self) -> f64 {
        self.expected
    }

    pub(super) fn add_noise(
        &self,
        sum: &mut [i64],
        paid: Paid,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<f64>, Error> {
        match paid {
            Paid::Joined(permit) => self.grid.add_noise(sum, permit, rng)?,
            Paid::Replaced(permit) => self.grid.add_noise(sum, permit, rng)?,
        }
        Ok(self.grid.value(sum))
    }
}
