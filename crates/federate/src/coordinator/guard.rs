//! The budget of rounds, under the neighbouring relation that the way of sampling and of adding noise asks for.

use std::sync::Arc;

use flowgait_privacy::budget::{Budget, Permit, Release};
use flowgait_privacy::distributed::{Encoding, EncodingParams, Noise, Rotation};
use flowgait_privacy::grid::Grid;
use flowgait_privacy::sample::Variance;
use flowgait_privacy::{
    AddOrRemoveOne, ClipNorm, Delta, Epsilon, Neighbours, NoiseMultiplier, ReplaceOne, Survivors,
    ZeroOutOne,
};
use rand::CryptoRng;

use super::plan::{Mechanism, Plan, PrivacyPlan};
use crate::cohort::Sampling;
use crate::error::Error;
use crate::secure::SecurePlan;
use crate::stream::{Purpose, stream};

/// Steps of the grid for each clip norm, where the server adds the noise.
pub(super) const GRID_STEPS: u32 = 1 << 16;
/// The same where clients add it: rounding by chance is right on average, and fewer steps are fewer bits to send.
const SHARED_STEPS: u32 = 1 << 12;

/// A round that was, as its cost depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// How many answered.
    pub survivors: usize,
    /// Whether it was paid for; a round may be, and then fail before its sum is shown.
    pub is_paid: bool,
}

/// What may still be spent.
pub(super) struct Guard {
    account: Account,
    expected: f64,
    noise: NoiseMultiplier,
}

enum Account {
    Joined(Spending<AddOrRemoveOne>),
    Replaced(Spending<ReplaceOne>),
    Shared(Box<Shared>),
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

    fn after(&self, rounds: u64) -> f64 {
        let past = [(self.release.clone(), rounds)];
        Budget::resume(self.epsilon, self.delta, &past).epsilon()
    }
}

/// Noise that clients add: what a round costs depends on how many answer.
struct Shared {
    encoding: Arc<Encoding>,
    epsilon: Epsilon,
    delta: Delta,
    budget: Budget<ZeroOutOne>,
}

impl Shared {
    fn release(&self, survivors: usize) -> Result<Release<ZeroOutOne>, Error> {
        let survivors = Survivors::new(survivors as u32)?;
        Ok(Release::distributed(self.encoding.shares(survivors)?)?)
    }
}

/// A round that is paid for.
pub(super) enum Paid {
    Joined(Permit<AddOrRemoveOne>),
    Replaced(Permit<ReplaceOne>),
    Shared(Permit<ZeroOutOne>),
}

/// How a client's clipped update becomes whole numbers, where it has to.
#[derive(Clone, Debug)]
pub enum Counting {
    /// In steps of a grid.
    Grid(Grid),
    /// Rotated, rounded by chance and noised by the client itself.
    Shared(Arc<Encoding>, Arc<Rotation>),
}

impl Counting {
    /// How many numbers there are of so many entries.
    #[must_use]
    pub fn count(&self, entries: usize) -> usize {
        match self {
            Self::Grid(_) => entries,
            Self::Shared(encoding, _) => encoding.n_padded(),
        }
    }

    /// How large a number may be, either way.
    #[must_use]
    pub fn bound(&self) -> u64 {
        match self {
            Self::Grid(grid) => grid.steps().into(),
            Self::Shared(encoding, _) => 1 << (encoding.ring().bits() - 1),
        }
    }

    /// A clipped update as whole numbers; `rng` is the client's own.
    ///
    /// # Errors
    /// As [`Grid::count`] and [`Encoding::encode`].
    pub fn encode(&self, update: &[f32], rng: &mut impl CryptoRng) -> Result<Vec<i64>, Error> {
        match self {
            Self::Grid(grid) => Ok(grid.count(update)?),
            Self::Shared(encoding, rotation) => {
                let ring = encoding.ring();
                let numbers = encoding.encode(update, rotation, rng)?;
                Ok(numbers.into_iter().map(|number| ring.unwrap(number)).collect())
            }
        }
    }
}

impl Guard {
    pub(super) fn new(plan: &Plan, privacy: &PrivacyPlan, entries: usize) -> Result<Self, Error> {
        let noise = NoiseMultiplier::new(privacy.noise_multiplier)?;
        let (epsilon, delta) = (Epsilon::new(privacy.epsilon)?, Delta::new(privacy.delta)?);
        let clip_norm = ClipNorm::new(privacy.clip_norm)?;
        let expected = plan.sampling.expected(plan.clients);
        let account = match (privacy.mechanism, plan.sampling) {
            (Mechanism::Distributed, _) => {
                let secure = plan.secure.unwrap_or_default();
                let encoding = shared(&secure, clip_norm, noise, expected as u32, entries)?;
                let budget = Budget::new(epsilon, delta);
                Account::Shared(Box::new(Shared { encoding, epsilon, delta, budget }))
            }
            (_, sampling @ Sampling::Fixed { .. }) => {
                let release = Release::new(sampling.terms(plan.clients, noise)?)?;
                Account::Replaced(Spending::new(epsilon, delta, release))
            }
            (_, sampling) => {
                let release = Release::new(sampling.terms(plan.clients, noise)?)?;
                Account::Joined(Spending::new(epsilon, delta, release))
            }
        };
        Ok(Self { account, expected, noise })
    }

    /// Pays for a round whose cost is known before it begins; nothing where it depends on who answers.
    pub(super) fn pay_first(&mut self) -> Result<Option<Paid>, Error> {
        Ok(match &mut self.account {
            Account::Joined(of) => Some(Paid::Joined(of.budget.permit(&of.release)?)),
            Account::Replaced(of) => Some(Paid::Replaced(of.budget.permit(&of.release)?)),
            Account::Shared(of) => {
                // Whether any number of answers could be paid for is known already.
                let mut all = of.budget.clone();
                let _permit = all.permit(&of.release(self.expected as usize)?)?;
                None
            }
        })
    }

    /// Pays for a round after it is known how many answered, where that was not done before.
    pub(super) fn pay_for(&mut self, survivors: usize) -> Result<Option<Paid>, Error> {
        match &mut self.account {
            Account::Shared(of) => {
                let release = of.release(survivors)?;
                Ok(Some(Paid::Shared(of.budget.permit(&release)?)))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn resume(&mut self, past: &[Past]) -> Result<(), Error> {
        let rounds = past.len() as u64;
        match &mut self.account {
            Account::Joined(of) => of.resume(rounds),
            Account::Replaced(of) => of.resume(rounds),
            Account::Shared(of) => {
                let releases: Result<Vec<_>, Error> = past
                    .iter()
                    .filter(|round| round.is_paid)
                    .map(|round| Ok((of.release(round.survivors)?, 1)))
                    .collect();
                of.budget = Budget::resume(of.epsilon, of.delta, &releases?);
            }
        }
        Ok(())
    }

    /// Epsilon spent so far.
    pub(super) fn epsilon(&self) -> f64 {
        match &self.account {
            Account::Joined(of) => of.budget.epsilon(),
            Account::Replaced(of) => of.budget.epsilon(),
            Account::Shared(of) => of.budget.epsilon(),
        }
    }

    /// Epsilon after so many rounds in which everybody answers who is asked on average.
    pub(super) fn epsilon_after(&self, rounds: u64) -> Result<f64, Error> {
        Ok(match &self.account {
            Account::Joined(of) => of.after(rounds),
            Account::Replaced(of) => of.after(rounds),
            Account::Shared(of) => {
                let past = [(of.release(self.expected as usize)?, rounds)];
                Budget::resume(of.epsilon, of.delta, &past).epsilon()
            }
        })
    }

    /// How clients count in a round; a rotation is public, and another in each. What a round costs is the same at any clip norm.
    pub(super) fn counting(
        &self,
        clip_norm: ClipNorm,
        entries: usize,
        round: u64,
        seed: u64,
    ) -> Result<Counting, Error> {
        Ok(match &self.account {
            Account::Joined(_) | Account::Replaced(_) => {
                Counting::Grid(Grid::new(clip_norm, GRID_STEPS)?)
            }
            Account::Shared(of) => {
                let mut rng = stream(seed, Purpose::Rotation, round, 0);
                let rotation = Rotation::new(entries, &mut rng)?;
                let params = of.encoding.params();
                let encoding = if params.grid.clip_norm() == clip_norm {
                    Arc::clone(&of.encoding)
                } else {
                    let grid = Grid::new(clip_norm, SHARED_STEPS)?;
                    Arc::new(EncodingParams { grid, ..*params }.check()?)
                };
                Counting::Shared(encoding, Arc::new(rotation))
            }
        })
    }

    pub(super) fn noise_multiplier(&self) -> f64 {
        self.noise.get()
    }

    /// What a sum is divided by: how many clients are asked on average, so that how many answered does not show; where clients add
    /// the noise their number is public.
    fn divisor(&self, survivors: usize) -> f64 {
        match self.account {
            Account::Shared(_) => survivors as f64,
            _ => self.expected,
        }
    }

    /// The sum as it may be shown, and what it is divided by.
    pub(super) fn release(
        &self,
        counting: &Counting,
        mut sum: Vec<i64>,
        survivors: usize,
        paid: Paid,
        rng: &mut impl CryptoRng,
    ) -> Result<(Vec<f64>, f64), Error> {
        let shown = match (counting, paid) {
            (Counting::Grid(grid), Paid::Joined(permit)) => {
                grid.add_noise(&mut sum, permit, rng)?;
                grid.value(&sum)
            }
            (Counting::Grid(grid), Paid::Replaced(permit)) => {
                grid.add_noise(&mut sum, permit, rng)?;
                grid.value(&sum)
            }
            (Counting::Shared(encoding, rotation), Paid::Shared(permit)) => {
                let ring = encoding.ring();
                let sum: Vec<u64> = sum.into_iter().map(|number| ring.wrap(number)).collect();
                encoding.decode(&sum, rotation, permit)?
            }
            _ => {
                let why = "a permit of another kind than the round's noise".to_owned();
                return Err(Error::State { why });
            }
        };
        Ok((shown, self.divisor(survivors)))
    }
}

/// Noise of clients that together is enough with as many lost as the round can bear.
fn shared(
    secure: &SecurePlan,
    clip_norm: ClipNorm,
    noise: NoiseMultiplier,
    cohort: u32,
    entries: usize,
) -> Result<Arc<Encoding>, Error> {
    let grid = Grid::new(clip_norm, SHARED_STEPS)?;
    let least = ((1.0 - secure.lost_share) * f64::from(cohort)).ceil().max(1.0) as u32;
    let any = Noise::DiscreteGaussian(Variance::new(1, 1)?);
    let params = EncodingParams::new(grid, entries, any, cohort);
    let params = params.with_noise::<ZeroOutOne>(noise, Survivors::new(least)?)?;
    Ok(Arc::new(params.check()?))
}
