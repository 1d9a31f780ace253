//! Privacy as a file asks for it, and the noise that keeps all rounds within its budget.

use flowgait_privacy::budget::{Terms, solve};
use flowgait_privacy::{Delta, Epsilon, NoiseMultiplier};
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
        if !delta.is_below_one_of(clients as u64) {
            let must = "below one over the number of clients: at that, showing one client's update as it is would be private too";
            return Err(Error::Parameter { name: "delta", value: self.delta, must });
        }
        let cost = |noise: NoiseMultiplier, rounds| {
            let terms = match self.mechanism {
                Mechanism::Central => sampling.terms(clients, noise),
                Mechanism::Distributed => NoiseMultiplier::new(noise.get() / SHARED_MARGIN)
                    .map(|noise| Terms::Everyone { noise })
                    .map_err(Error::from),
            };
            let epsilon = terms.and_then(|terms| Ok(terms.epsilon(rounds, delta)?));
            epsilon.unwrap_or(f64::INFINITY)
        };
        let noise_multiplier = match self.noise_multiplier {
            Some(noise_multiplier) => {
                let first = cost(NoiseMultiplier::new(noise_multiplier)?, 1);
                // What shares of clients cost is known with the answers, and may be less.
                if self.mechanism == Mechanism::Central && first > self.epsilon {
                    return Err(Error::Clash {
                        this: format!(
                            "a noise multiplier of {noise_multiplier}, at which the first round costs an epsilon of {first:.3},"
                        ),
                        that: "this privacy.epsilon",
                        because: "not one round could be paid for; without noise_multiplier it is found",
                    });
                }
                noise_multiplier
            }
            None => solve::noise(epsilon, |noise| cost(noise, rounds))?.get(),
        };
        let &Self { epsilon, delta, clip_norm, mechanism, .. } = self;
        Ok(PrivacyPlan { epsilon, delta, noise_multiplier, clip_norm, mechanism })
    }
}
