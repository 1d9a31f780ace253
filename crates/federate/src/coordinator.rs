//! Rounds as a state machine: who is asked, what came back, and the next parameters.
//!
//! [`Coordinator::begin`] opens a round and says what to ask of whom; [`Coordinator::receive`] takes contributions as they come;
//! [`Coordinator::close`] makes the next parameters. Contributions are added in the order of their clients however they come, so
//! the same contributions give the same parameters.

mod clipping;
mod guard;
mod plan;
mod sum;

use std::collections::BTreeSet;
use std::sync::Arc;

use flowgait_privacy::ClipNorm;
use flowgait_privacy::grid::Grid;

pub use clipping::{AdaptivePlan, ShortBit};
pub use guard::{Counting, Past};
pub use plan::{Mechanism, Plan, PrivacyPlan, ValidPlan};

use crate::compress::CompressionPlan;
use crate::error::{Error, Refusal};
use crate::spare::Spare;
use crate::strategy::Strategy;
use crate::stream::{Purpose, stream};
use crate::update::{Contribution, Packed};
use clipping::Follower;
use guard::{GRID_STEPS, Guard, Paid};
use sum::Sum;

/// What a round asks of its clients.
#[derive(Clone, Debug)]
pub struct Task {
    /// Which round, from 1.
    pub round: u64,
    /// Who is asked, ascending.
    pub cohort: Vec<u32>,
    /// The parameters to begin with.
    pub parameters: Arc<[f32]>,
    /// The server's control variate, where the strategy has one.
    pub variate: Option<Arc<[f32]>>,
    /// How many numbers a contribution has.
    pub length: usize,
    /// How long a contribution may be, where that is bounded.
    pub clip_norm: Option<ClipNorm>,
    /// How a client says whether its update was short, where the clip norm follows that.
    pub short_bit: Option<ShortBit>,
    /// How contributions are packed, where they are.
    pub compression: Option<CompressionPlan>,
    /// Whether contributions weigh by their rows, or all alike.
    pub weighs_rows: bool,
    /// How contributions become whole numbers, where they are masked.
    pub counting: Option<Counting>,
}

/// How a round ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundEnd {
    /// Which round.
    pub round: u64,
    /// How many were asked.
    pub cohort: usize,
    /// How many answered with something that could be used.
    pub survivors: usize,
    /// Whether enough answered; otherwise the parameters are as they were.
    pub is_done: bool,
    /// The clip norm.
    pub clip_norm: Option<f64>,
    /// The noise multiplier.
    pub noise_multiplier: Option<f64>,
    /// Epsilon spent so far.
    pub epsilon: Option<f64>,
}

/// A round that is open.
struct Open {
    round: u64,
    cohort: Vec<u32>,
    waiting: BTreeSet<u32>,
    sum: Sum,
    counting: Option<Counting>,
    clip_norm: Option<ClipNorm>,
    survivors: usize,
    paid: Option<Paid>,
}

/// Leads rounds.
pub struct Coordinator {
    plan: ValidPlan,
    parameters: Vec<f64>,
    strategy: Box<dyn Strategy>,
    guard: Option<Guard>,
    follower: Option<Follower>,
    round: u64,
    open: Option<Open>,
    /// Room of contributions that are added up, for clients in this process.
    spare: Arc<Spare>,
}

impl Coordinator {
    /// A coordinator before its first round.
    ///
    /// # Errors
    /// As [`StrategyKind::build`](crate::strategy::StrategyKind::build), and when the privacy that is planned cannot be had.
    pub fn new(plan: ValidPlan, parameters: &[f32]) -> Result<Self, Error> {
        let strategy = plan.strategy().build(parameters.len())?;
        let follower = plan.follower()?;
        let length = strategy.length(parameters.len()) + usize::from(follower.is_some());
        let guard = plan.guard(length)?;
        plan.check_ring(guard.as_ref(), length)?;
        let parameters = parameters.iter().map(|&value| f64::from(value)).collect();
        let spare = Arc::default();
        Ok(Self { plan, parameters, strategy, guard, follower, round: 0, open: None, spare })
    }

    /// Takes up where another left off after some rounds; what they spent stays spent.
    ///
    /// # Errors
    /// [`Error::State`] where the strategy's memory or the parameters are of another shape, or a clip norm was kept where none follows the
    /// updates, or none where one does.
    pub fn resume(
        &mut self,
        past: &[Past],
        parameters: Vec<f64>,
        memory: Vec<Vec<f64>>,
        clip_norm: Option<f64>,
    ) -> Result<(), Error> {
        match (&mut self.follower, clip_norm) {
            (None, None) => {}
            (Some(follower), Some(clip_norm)) => follower.resume(clip_norm)?,
            (follower, _) => {
                let which = if follower.is_some() { "no clip norm" } else { "a clip norm" };
                let why = format!("{which} that follows the updates was kept");
                return Err(Error::State { why });
            }
        }
        if parameters.len() != self.parameters.len() {
            let (found, expected) = (parameters.len(), self.parameters.len());
            let why = format!("{found} parameters were kept, where the model has {expected}");
            return Err(Error::State { why });
        }
        self.strategy.remember(memory)?;
        self.parameters = parameters;
        self.round = past.len() as u64;
        if let Some(guard) = &mut self.guard {
            guard.resume(past)?;
        }
        Ok(())
    }

    /// Opens the next round. What it will cost is paid for here, before anybody learns.
    ///
    /// # Errors
    /// [`Error::RoundOpen`]; [`Error::Privacy`] when the round would overspend the budget: nothing is spent then.
    pub fn begin(&mut self) -> Result<Task, Error> {
        if let Some(open) = &self.open {
            return Err(Error::RoundOpen { round: open.round });
        }
        let paid = match &mut self.guard {
            Some(guard) => guard.pay_first()?,
            None => None,
        };
        self.round += 1;
        let cohort = self.plan.sampling().draw(self.plan.clients(), self.round, self.plan.seed());
        let length = self.length();
        let counting = self.counting()?;
        self.open = Some(Open {
            round: self.round,
            waiting: cohort.iter().copied().collect(),
            cohort: cohort.clone(),
            sum: match counting.clone() {
                Some(counting) => Sum::counted(length, counting),
                None if self.plan.sees_updates() => Sum::kept(length),
                None => Sum::plain(length),
            },
            counting: counting.clone(),
            clip_norm: self.clip_norm(),
            survivors: 0,
            paid,
        });
        Ok(Task {
            round: self.round,
            cohort,
            parameters: self.parameters(),
            variate: self.strategy.server_variate().map(Into::into),
            length,
            clip_norm: self.clip_norm(),
            short_bit: self.follower.as_ref().map(Follower::bit),
            compression: self.plan.compression(),
            weighs_rows: self.plan.weighs_rows(&*self.strategy),
            counting: counting.filter(|_| self.plan.secure().is_some()),
        })
    }

    /// Takes a client's contribution.
    ///
    /// # Errors
    /// [`Error::NoRound`]; [`Error::Contribution`] for one that cannot be used: that client counts as lost, and the round goes on.
    pub fn receive(&mut self, contribution: Contribution) -> Result<(), Error> {
        let (client, round) = (contribution.client, contribution.round);
        self.admit(client, round, || Ok(contribution))
    }

    /// Takes a client's contribution that is packed.
    ///
    /// # Errors
    /// As [`Coordinator::receive`].
    pub fn receive_packed(&mut self, packed: Packed) -> Result<(), Error> {
        let (compression, length) = (self.plan.compression(), self.length());
        let Packed { client, round, octets, weight } = packed;
        self.admit(client, round, || {
            let values = compression.ok_or(Refusal::Packed)?.unpack(&octets, length);
            let values = values.map_err(|error| match error {
                Error::Unpack { at, what } => Refusal::Unpack { at, what },
                _ => Refusal::Length { found: octets.len(), expected: length },
            })?;
            Ok(Contribution { client, round, values, weight })
        })
    }

    /// Takes the contribution of a client that is waited for in this round; of others it is not even looked at.
    fn admit(
        &mut self,
        client: u32,
        found: u64,
        contribution: impl FnOnce() -> Result<Contribution, Refusal>,
    ) -> Result<(), Error> {
        let open = self.open.as_mut().ok_or(Error::NoRound)?;
        let round = open.round;
        let refused = |why| Err(Error::Contribution { client, round, why });
        if found != round {
            return refused(Refusal::Round { found });
        }
        if open.cohort.binary_search(&client).is_err() {
            return refused(Refusal::NotAsked);
        }
        if !open.waiting.remove(&client) {
            return refused(Refusal::Twice);
        }
        match contribution().and_then(|contribution| open.sum.take(contribution)) {
            Ok(()) => {
                open.survivors += 1;
                open.sum.fold_before(open.waiting.first().copied(), &self.spare);
                Ok(())
            }
            Err(why) => refused(why),
        }
    }

    /// How this round's contributions are counted, where they are.
    fn counting(&self) -> Result<Option<Counting>, Error> {
        match (&self.guard, self.clip_norm()) {
            (Some(guard), Some(clip_norm)) => {
                let (length, seed) = (self.length(), self.plan.seed());
                Ok(Some(guard.counting(clip_norm, length, self.round, seed)?))
            }
            (None, Some(clip_norm)) if self.plan.secure().is_some() => {
                Ok(Some(Counting::Grid(Grid::new(clip_norm, GRID_STEPS)?)))
            }
            _ => Ok(None),
        }
    }

    /// Pays for a secure sum of so many survivors, before its masks come off.
    ///
    /// # Errors
    /// [`Error::NoRound`]; [`Error::Privacy`] when it would overspend the budget: the round is over then, and nothing is spent.
    pub fn pay_for(&mut self, survivors: usize) -> Result<(), Error> {
        let open = self.open.as_mut().ok_or(Error::NoRound)?;
        let Some(guard) = &mut self.guard else { return Ok(()) };
        match guard.pay_for(survivors) {
            Ok(Some(paid)) => open.paid = Some(paid),
            Ok(None) => {}
            Err(refused) => {
                self.open = None;
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Takes the sum of so many survivors' contributions, of which nobody saw one.
    ///
    /// # Errors
    /// [`Error::NoRound`]; [`Error::State`] for a sum of another form than the round's.
    pub fn receive_sum(&mut self, entries: Vec<i64>, survivors: usize) -> Result<(), Error> {
        let open = self.open.as_mut().ok_or(Error::NoRound)?;
        open.sum.take_sum(entries)?;
        open.survivors = survivors;
        Ok(())
    }

    /// Ends a round of which there is no sum: the parameters stay as they were.
    ///
    /// # Errors
    /// [`Error::NoRound`].
    pub fn abandon(&mut self, survivors: usize) -> Result<RoundEnd, Error> {
        let open = self.open.take().ok_or(Error::NoRound)?;
        Ok(self.end(&open, survivors, false))
    }

    /// Notes that a client will not answer.
    pub fn lose(&mut self, client: u32) {
        if let Some(open) = &mut self.open {
            open.waiting.remove(&client);
            open.sum.fold_before(open.waiting.first().copied(), &self.spare);
        }
    }

    /// Ends the round: with enough answers the parameters move, otherwise they stay as they were. What was paid for stays spent.
    ///
    /// # Errors
    /// [`Error::NoRound`]; [`Error::Privacy`] when noise cannot be drawn; as a robust rule that so few updates are too few for.
    pub fn close(&mut self) -> Result<RoundEnd, Error> {
        let mut open = self.open.take().ok_or(Error::NoRound)?;
        let survivors = open.survivors;
        let least = self.plan.survivors_least(open.cohort.len());
        // A private round is released whoever is missing: that nobody was asked must not show.
        let is_done = survivors >= least || open.paid.is_some();
        if is_done {
            let mut sum = std::mem::replace(&mut open.sum, Sum::plain(0));
            sum.fold_before(None, &self.spare);
            let mut rng = stream(self.plan.seed(), Purpose::Noise, open.round, 0);
            let paid = self.guard.as_ref().zip(open.paid.take());
            let mut summed = sum.finish(survivors, &self.plan, paid, &mut rng)?;
            if let Some(follower) = &mut self.follower {
                follower.follow(&mut summed, open.counting.as_ref())?;
            }
            self.strategy.aggregate(&mut self.parameters, &summed, self.plan.clients());
        }
        Ok(self.end(&open, survivors, is_done))
    }

    fn end(&self, open: &Open, survivors: usize, is_done: bool) -> RoundEnd {
        RoundEnd {
            round: open.round,
            cohort: open.cohort.len(),
            survivors,
            is_done,
            clip_norm: open.clip_norm.map(ClipNorm::get),
            noise_multiplier: self.guard.as_ref().map(Guard::noise_multiplier),
            epsilon: self.guard.as_ref().map(Guard::epsilon),
        }
    }

    /// The parameters as clients get them.
    #[must_use]
    pub fn parameters(&self) -> Arc<[f32]> {
        self.parameters.iter().map(|&value| value as f32).collect()
    }

    /// The parameters as the coordinator keeps them.
    #[must_use]
    pub fn exact_parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// How many numbers a contribution has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.strategy.length(self.parameters.len()) + usize::from(self.follower.is_some())
    }

    /// How long a contribution of the next round may be.
    fn clip_norm(&self) -> Option<ClipNorm> {
        self.follower.as_ref().map(Follower::clip_norm).or(self.plan.clip_norm())
    }

    /// The clip norm of the next round, where it follows the updates.
    #[must_use]
    pub fn followed_clip_norm(&self) -> Option<f64> {
        self.follower.as_ref().map(|follower| follower.clip_norm().get())
    }

    /// Lets the room of contributions be used again; without this it is freed.
    pub(crate) fn set_spare(&mut self, spare: Arc<Spare>) {
        self.spare = spare;
    }

    /// The strategy.
    #[must_use]
    pub fn strategy(&self) -> &dyn Strategy {
        &*self.strategy
    }

    /// How many rounds were begun.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.round
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &ValidPlan {
        &self.plan
    }
}
