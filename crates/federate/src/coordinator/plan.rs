//! What a person decides about rounds before the first, checked once.

mod clashes;

use flowgait_privacy::ClipNorm;
use flowgait_privacy::grid::Grid;
use flowgait_privacy::secagg::Ring;
use serde::{Deserialize, Serialize};

use super::clipping::{AdaptivePlan, Follower};
use super::guard::{Counting, GRID_STEPS, Guard};
use crate::cohort::Sampling;
use crate::compress::CompressionPlan;
use crate::error::Error;
use crate::robust::{RobustKind, RobustRule};
use crate::secure::SecurePlan;
use crate::strategy::{Strategy, StrategyKind};

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
    /// How the clip norm follows the updates, where it does; it begins at the one above, or at that of privacy.
    pub adaptive_clipping: Option<AdaptivePlan>,
    /// How contributions are packed, where they are.
    pub compression: Option<CompressionPlan>,
    /// Secure aggregation, where it is wanted.
    pub secure: Option<SecurePlan>,
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
    /// Who adds the noise.
    #[serde(default)]
    pub mechanism: Mechanism,
}

/// Who adds the noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// The coordinator, to the sum: it is trusted to do so.
    #[default]
    Central,
    /// Each client, a share of it, before its update is masked: nobody ever sees a sum without noise.
    Distributed,
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
            adaptive_clipping: None,
            compression: None,
            secure: None,
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
        self.check_secure()?;
        self.check_adaptive(clip_norm)?;
        self.check_compression()?;
        self.check_buffered()?;
        let plan = ValidPlan { plan: self, clip_norm };
        plan.guard(1)?;
        plan.follower()?;
        Ok(plan)
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

    /// Refuses a cohort whose sum would not fit the ring of secure aggregation.
    pub(super) fn check_ring(&self, guard: Option<&Guard>, entries: usize) -> Result<(), Error> {
        let Some(clip_norm) = self.clip_norm.filter(|_| self.plan.secure.is_some()) else {
            return Ok(());
        };
        let bound = match guard {
            Some(guard) => guard.counting(clip_norm, entries, 0, 0)?.bound(),
            None => Counting::Grid(Grid::new(clip_norm, GRID_STEPS)?).bound(),
        };
        let most = match self.plan.sampling {
            Sampling::Fixed { size } => size,
            _ => self.plan.clients,
        };
        Ring::for_sum(most as u32, bound)?;
        Ok(())
    }

    /// How many of a cohort must answer.
    #[must_use]
    pub fn survivors_least(&self, cohort: usize) -> usize {
        ((self.plan.survivors_least * cohort as f64).ceil() as usize).max(1)
    }

    /// Under privacy all weigh alike: by rows, one client could move the sum by more than the clip norm. In a secure sum nobody knows
    /// whose rows would weigh.
    pub(super) fn weighs_rows(&self, strategy: &dyn Strategy) -> bool {
        strategy.weighs_rows() && self.plan.privacy.is_none() && self.plan.secure.is_none()
    }

    /// How contributions are packed.
    #[must_use]
    pub fn compression(&self) -> Option<CompressionPlan> {
        self.plan.compression
    }

    /// Secure aggregation, where it is wanted.
    #[must_use]
    pub fn secure(&self) -> Option<SecurePlan> {
        self.plan.secure
    }

    /// The clip norm before the first round, where it follows the updates.
    pub(super) fn follower(&self) -> Result<Option<Follower>, Error> {
        let Some((follow, first)) = self.plan.adaptive_clipping.zip(self.clip_norm) else {
            return Ok(None);
        };
        Ok(Some(Follower::new(&self.plan, follow, first)?))
    }

    /// Epsilon after each of some numbers of rounds, where everybody answers who is asked on average; empty without privacy. `entries` are
    /// the numbers of a contribution.
    ///
    /// # Errors
    /// As [`Plan::check`].
    pub fn epsilon_after(&self, entries: usize, rounds: &[u64]) -> Result<Vec<f64>, Error> {
        let Some(guard) = self.guard(entries)? else { return Ok(Vec::new()) };
        rounds.iter().map(|&rounds| guard.epsilon_after(rounds)).collect()
    }

    pub(super) fn guard(&self, entries: usize) -> Result<Option<Guard>, Error> {
        let Some(privacy) = self.plan.privacy else { return Ok(None) };
        Ok(Some(Guard::new(&self.plan, &privacy, entries)?))
    }
}
