//! Privacy as a file asks for it, and the noise that keeps all rounds within its budget.

use flowgait_privacy::account::Rdp;
use flowgait_privacy::budget::solve;
use flowgait_privacy::{Delta, Epsilon, NoiseMultiplier, ReplaceOne, SamplingRate, ZeroOutOne};
use serde::{Deserialize, Serialize};

use crate::cohort::Sampling;
use crate::coordinator::{Mechanism, PrivacyPlan};
use crate::error::Error;

/// Privacy of each client.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Epsilon that may be spent in all.
    pub epsilon: f64,
    /// Delta at which it is meant.
    pub delta: f64,
    /// The noise's standard deviation over the sensitivity; without it, as little as lets all rounds be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_multiplier: Option<f64>,
    /// How long one client's update may be; a forest has a bound of its own and heeds it not.
    #[serde(default = "clip_norm")]
    pub clip_norm: f64,
    /// Who adds the noise.
    #[serde(default)]
    pub mechanism: Mechanism,
}

fn clip_norm() -> f64 {
    1.0
}

/// A hundredth more noise than the continuous Gaussian takes: shares of clients cost a little more than one Gaussian of their sum.
const SHARED_MARGIN: f64 = 1.01;

impl Privacy {
    /// The plan of so many rounds.
    pub(super) fn plan(
        &self,
        sampling: Sampling,
        clients: usize,
        rounds: u64,
    ) -> Result<PrivacyPlan, Error> {
        let (epsilon, delta) = (Epsilon::new(self.epsilon)?, Delta::new(self.delta)?);
        let noise_multiplier = match self.noise_multiplier {
            Some(noise_multiplier) => noise_multiplier,
            None => solve::noise(epsilon, |noise| {
                let cost = match (self.mechanism, sampling) {
                    (Mechanism::Distributed, _) => {
                        let of_sum = NoiseMultiplier::new(noise.get() / SHARED_MARGIN);
                        let round = of_sum.map(Rdp::<ZeroOutOne>::gaussian);
                        return round.map_or(f64::INFINITY, |of| of.times(rounds).epsilon(delta));
                    }
                    (_, Sampling::Everyone) => Ok(Rdp::gaussian(noise)),
                    (_, Sampling::Poisson { rate }) => {
                        SamplingRate::new(rate).map(|rate| Rdp::poisson(rate, noise))
                    }
                    (_, Sampling::Fixed { size }) => {
                        let round =
                            Rdp::<ReplaceOne>::fixed_cohort(size as u32, clients as u32, noise);
                        return round.map_or(f64::INFINITY, |of| of.times(rounds).epsilon(delta));
                    }
                };
                cost.map_or(f64::INFINITY, |of| of.times(rounds).epsilon(delta))
            })?
            .get(),
        };
        let &Self { epsilon, delta, clip_norm, mechanism, .. } = self;
        Ok(PrivacyPlan { epsilon, delta, noise_multiplier, clip_norm, mechanism })
    }
}
