//! A clip norm that follows a quantile of the updates' lengths, from one number more behind each update.
//!
//! Each client says whether its update needed no clipping, as +1 or −1. Under noise this number stands on a scale of its own: the update is
//! shortened to a share `a` of the clip norm, the number is ±`b` of it, and a² + b² = 1. So what a client gives is never longer than the clip
//! norm, noise of the same deviation lies on all of its entries, and the account is that of a sum without the number, whoever adds the noise
//! and whatever the neighbours. Divided by `a` and `b` again it is the mechanism of the paper: noise of z_Δ = z / a clip norms on the sum of
//! updates, where z_Δ = (z⁻² − (2σ_b)⁻²)^(−1/2), and of σ_b clients on the count.
//!
//! # Reference
//! Andrew, Thakkar, McMahan, Ramaswamy, *Differentially Private Learning with Adaptive Clipping*, NeurIPS 2021, algorithm 1 and theorem 1.
//! There the number is b − 1/2; ours is twice that. For a cohort of fixed size, where a client is swapped for another, a count moves by a
//! whole client and no half, so that z_Δ is taken at σ_b / 2.

use flowgait_privacy::ClipNorm;
use flowgait_privacy::NoiseMultiplier;
use flowgait_privacy::clip::{AdaptiveClip, AdaptiveParams, Clipped, clip};
use flowgait_privacy::grid::Grid;
use serde::{Deserialize, Serialize};

use super::guard::{Counting, GRID_STEPS};
use super::plan::{Mechanism, Plan, PrivacyPlan};
use crate::cohort::Sampling;
use crate::error::Error;
use crate::update::SummedUpdate;

/// How the clip norm follows the updates, as a person says it; its start is the clip norm of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptivePlan {
    /// Share of the updates that should need no clipping: γ.
    pub quantile: f64,
    /// How fast the norm moves: η.
    pub rate: f64,
    /// Standard deviation of the noise on how many updates needed no clipping, in clients: σ_b. Without it a twentieth of the cohort. It
    /// means something under privacy only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_deviation: Option<f64>,
}

impl Default for AdaptivePlan {
    fn default() -> Self {
        Self { quantile: 0.5, rate: 0.2, count_deviation: None }
    }
}

/// How far a norm may go from its start, either way: where all updates vanish it must not, since numbers of 32 bits end somewhere.
const RANGE: f64 = 1e6;
/// Share of the clip norm for the number in a secure sum without noise: 4,096 steps of the grid, and the update loses a five-hundredth.
const BIT_WITHOUT_NOISE: f64 = 1.0 / 16.0;
/// What rounding to 32 bits may lengthen, and is kept free.
const SPARE: f64 = 1e-6;

/// How a client says in one number more whether its update was short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShortBit {
    /// What the update is multiplied by: a.
    share: f64,
    /// The number's size: b, in the update's unit.
    size: f32,
}

impl ShortBit {
    /// Clips an update and puts the number behind it; gives whether the update was short already. All together it is no longer than the
    /// clip norm, where anybody counts on that.
    ///
    /// # Errors
    /// [`Error::Privacy`] for an update that has no length; it is unchanged then.
    pub fn clip(&self, values: &mut Vec<f32>, clip_norm: ClipNorm) -> Result<bool, Error> {
        let is_short = clip(values, clip_norm)? == Clipped::Untouched;
        if self.share < 1.0 {
            let share = self.share as f32;
            values.iter_mut().for_each(|value| *value *= share);
            clip(values, ClipNorm::new(clip_norm.get() * self.share * (1.0 - SPARE))?)?;
        }
        values.push(if is_short { self.size } else { -self.size });
        Ok(is_short)
    }
}

/// The clip norm between two rounds, and how clients say what moves it.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    plan: AdaptivePlan,
    first: ClipNorm,
    clip: AdaptiveClip,
    /// a and b, both in clip norms; none where nobody counts in steps, and the number is ±1 as it is.
    scale: Option<[f64; 2]>,
    is_noised: bool,
}

impl Follower {
    /// The norm before the first round.
    ///
    /// # Errors
    /// [`Error::Parameter`] and [`Error::Privacy`] for numbers that cannot be; noise on the count that leaves nothing for the updates is
    /// one.
    pub(super) fn new(plan: &Plan, follow: AdaptivePlan, first: ClipNorm) -> Result<Self, Error> {
        let clip = at(follow, first)?;
        let scale = match plan.privacy {
            Some(privacy) => {
                let cohort = plan.sampling.expected(plan.clients);
                let deviation = follow.count_deviation.unwrap_or(cohort / 20.0);
                let is_swapped =
                    !is_distributed(privacy) && matches!(plan.sampling, Sampling::Fixed { .. });
                let clip_norms = if is_swapped { 2.0 } else { 1.0 };
                Some(split(privacy.noise_multiplier, deviation, clip_norms)?)
            }
            None if plan.secure.is_some() => {
                Some([(1.0 - BIT_WITHOUT_NOISE.powi(2)).sqrt(), BIT_WITHOUT_NOISE])
            }
            None => None,
        };
        let is_noised = plan.privacy.is_some();
        let follower = Self { plan: follow, first, clip, scale, is_noised };
        if follower.scale.is_some() && !plan.privacy.is_some_and(is_distributed) {
            follower.unit(Some(&Counting::Grid(Grid::new(first, GRID_STEPS)?)))?;
        }
        Ok(follower)
    }

    pub(super) fn clip_norm(&self) -> ClipNorm {
        self.clip.clip_norm()
    }

    /// Takes up where another left off.
    pub(super) fn resume(&mut self, clip_norm: f64) -> Result<(), Error> {
        self.clip = at(self.plan, ClipNorm::new(clip_norm)?)?;
        Ok(())
    }

    pub(super) fn bit(&self) -> ShortBit {
        let Some([share, bit]) = self.scale else { return ShortBit { share: 1.0, size: 1.0 } };
        ShortBit { share, size: (bit * self.clip_norm().get() * (1.0 - SPARE)) as f32 }
    }

    /// What one client's number adds to the sum, as the round counts.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a number below one step of the grid.
    pub(super) fn unit(&self, counting: Option<&Counting>) -> Result<f64, Error> {
        let size = self.bit().size;
        let unit = match counting {
            Some(Counting::Grid(grid)) => grid.value(&grid.count(&[size])?)[0],
            _ => f64::from(size),
        };
        if unit > 0.0 {
            return Ok(unit);
        }
        let value = self.plan.count_deviation.unwrap_or(f64::INFINITY);
        let must = "smaller, for one client to be a step of the grid at least";
        Err(Error::Parameter { name: COUNT_DEVIATION, value, must })
    }

    /// Takes the numbers off a sum, moves the norm, and gives the sum of updates its size back.
    pub(super) fn follow(
        &mut self,
        summed: &mut SummedUpdate,
        counting: Option<&Counting>,
    ) -> Result<(), Error> {
        let unit = self.unit(counting)?;
        let told = summed.sum.pop().unwrap_or_default();
        // Numbers of ±1 on average, and halves around a half.
        let mut fraction = 0.5 + 0.5 * told / unit / summed.weight;
        if !self.is_noised {
            // Only a liar's number brings it further.
            fraction = fraction.clamp(0.0, 1.0);
        }
        if let Some([share, _]) = self.scale {
            summed.sum.iter_mut().for_each(|value| *value /= share);
        }
        self.clip.update(fraction)?;
        let first = self.first.get();
        let now = self.clip.clip_norm().get();
        let within = now.clamp(first / RANGE, first * RANGE);
        if within != now {
            self.resume(within)?;
        }
        Ok(())
    }
}

fn is_distributed(privacy: PrivacyPlan) -> bool {
    privacy.mechanism == Mechanism::Distributed
}

const COUNT_DEVIATION: &str = "count_deviation, the noise on how many updates are short,";

fn at(plan: AdaptivePlan, first: ClipNorm) -> Result<AdaptiveClip, Error> {
    let params = AdaptiveParams { first, quantile: plan.quantile, learning_rate: plan.rate };
    Ok(params.check()?)
}

/// The shares of the clip norm that are for the update and for the number: a = z / z_Δ and b, where a² + b² = 1.
fn split(noise: f64, count_deviation: f64, clip_norms: f64) -> Result<[f64; 2], Error> {
    let noise = NoiseMultiplier::new(noise)?;
    let updates = AdaptiveClip::noise_beside_count(noise, count_deviation / clip_norms);
    let updates = updates.map_err(|_| Error::Parameter {
        name: COUNT_DEVIATION,
        value: count_deviation,
        must: "more than half the noise multiplier (all of it for a cohort of fixed size), or none is left for the updates: set it, or ask more clients",
    })?;
    let share = noise.get() / updates.get();
    Ok([share, (1.0 - share * share).max(0.0).sqrt()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategyKind;
    use flowgait_privacy::clip::norm;
    use proptest::prelude::*;

    #[test]
    fn the_noise_of_the_updates_is_that_of_the_paper() {
        // 100 clients, z = 1: sigma_b = 5, so b = 1/10 and z_delta = 1 / sqrt(1 - 1/100).
        let [share, bit] = split(1.0, 5.0, 1.0).unwrap();
        assert!((bit - 0.1).abs() < 1e-12, "{bit}");
        assert!((1.0 / share - 1.005_037_815_259_212).abs() < 1e-12, "{share}");
        // Swapped clients move a count by one: the same sigma_b costs twice as much.
        let [_, bit] = split(1.0, 5.0, 2.0).unwrap();
        assert!((bit - 0.2).abs() < 1e-12, "{bit}");
        let told = split(1.0, 0.15, 1.0).unwrap_err().to_string();
        assert!(
            told.contains("is 0.15, but must be more than half the noise multiplier"),
            "{told}"
        );
    }

    fn follower(scale: Option<[f64; 2]>, first: f64) -> Follower {
        let first = ClipNorm::new(first).unwrap();
        let plan = Plan { clip_norm: Some(1.0), ..Plan::new(3, StrategyKind::FedAvg) };
        Follower { scale, ..Follower::new(&plan, AdaptivePlan::default(), first).unwrap() }
    }

    #[test]
    fn the_norm_stays_within_numbers() {
        let mut follower = follower(None, 1e-3);
        for _ in 0..10_000 {
            let mut summed = SummedUpdate { sum: vec![0.0, 3.0], weight: 3.0, clients: 3 };
            follower.follow(&mut summed, None).unwrap();
            assert_eq!(summed.sum, [0.0]);
        }
        assert_eq!(follower.clip_norm().get(), 1e-3 / RANGE);
    }

    proptest! {
        #[test]
        fn update_and_number_together_are_no_longer_than_the_norm(
            values in prop::collection::vec(-1e3f32..1e3, 1..40),
            first in 1e-6f64..1e6,
            noise in 0.01f64..60.0,
            more in 1.001f64..1e4,
        ) {
            let deviation = noise / 2.0 * more;
            let follower = follower(Some(split(noise, deviation, 1.0).unwrap()), first);
            let (clip_norm, mut given) = (follower.clip_norm(), values.clone());
            let is_short = follower.bit().clip(&mut given, clip_norm).unwrap();
            prop_assert!(norm(&given) <= clip_norm.get());
            prop_assert_eq!(is_short, norm(&values) <= clip_norm.get());
            prop_assert_eq!(given.len(), values.len() + 1);
            prop_assert_eq!(given[values.len()] > 0.0, is_short);
        }
    }
}
