//! A federation as a file describes it: `federation.toml`, every key with a default.

mod forest;

pub use forest::{ForestPlan, ForestWay};

use flowgait_model::net::{NetKind, NetParams};
use flowgait_privacy::account::Rdp;
use flowgait_privacy::budget::solve;
use flowgait_privacy::{Delta, Epsilon, NoiseMultiplier, ReplaceOne, SamplingRate, ZeroOutOne};
use serde::{Deserialize, Serialize};

use crate::attack::Attack;
use crate::client::Personal;
use crate::cohort::Sampling;
use crate::coordinator::{Mechanism, Plan, PrivacyPlan, ValidPlan};
use crate::error::Error;
use crate::network::{Effort, Stepping};
use crate::partition::Partition;
use crate::robust::RobustKind;
use crate::secure::SecurePlan;
use crate::simulation::Faults;
use crate::strategy::StrategyKind;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Federation {
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// How many rounds.
    pub rounds: u64,
    /// Share of the cohort that must answer, or a round is abandoned and the model stays.
    pub survivors_least: f64,
    /// How long one client's update may be, without privacy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Who is asked in a round.
    pub cohort: Sampling,
    /// The rows.
    pub data: Data,
    /// How they are dealt.
    pub clients: Clients,
    /// What is learnt.
    pub model: Model,
    /// A forest in place of a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forest: Option<ForestPlan>,
    /// How a client learns in a round.
    pub learning: Learning,
    /// How updates are combined.
    pub strategy: StrategyKind,
    /// A rule that looks at each update, in place of the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub robust: Option<RobustKind>,
    /// What stays with each client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal: Option<Own>,
    /// Secure aggregation: the coordinator sees the sum of updates only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure: Option<SecurePlan>,
    /// Privacy of each client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// What goes wrong.
    pub faults: Faults,
    /// Clients that lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack: Option<Liars>,
    /// What it is held against.
    pub baselines: Baselines,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Tables with labels; without any, the four-class table is made from the seed.
    pub tables: Vec<String>,
    /// The column that says what a row is.
    pub label: String,
    /// Share of each client's rows that nobody learns from.
    pub held_out: f64,
    /// Rows of each client of the made table.
    pub rows: u64,
    /// Rows of the made table that are nobody's, for judging.
    pub test_rows: usize,
}

/// Who has which rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clients {
    /// How many clients.
    pub count: usize,
    /// A column whose values are the clients, in place of a count and a partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How rows are dealt to so many clients.
    pub partition: Partition,
}

/// What is learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Which network.
    pub estimator: NetKind,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Share of the values left out behind hidden layers while it learns.
    pub dropout: f32,
    /// Whether all classes weigh alike at each client.
    pub balanced: bool,
}

/// How a client learns in a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learning {
    /// How long.
    pub effort: Effort,
    /// Rows of a step.
    pub batch: usize,
    /// The rate of a step.
    pub rate: f32,
    /// What makes a step.
    pub stepping: Stepping,
}

/// What stays with each client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Own {
    /// A whole model of its own, held near the common one.
    Ditto {
        /// λ.
        #[serde(default = "lambda")]
        lambda: f32,
    },
    /// The parts of the model whose names begin with one of these, such as `head`.
    FedPer {
        /// The beginnings.
        parts: Vec<String>,
    },
}

fn lambda() -> f32 {
    0.1
}

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
    fn plan(&self, sampling: Sampling, clients: usize, rounds: u64) -> Result<PrivacyPlan, Error> {
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

/// Clients that lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liars {
    /// Share of all clients.
    pub share: f64,
    /// What they do.
    pub kind: Attack,
}

/// What a federation is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Baselines {
    /// One place that has all rows.
    pub central: bool,
    /// Clients that learn alone.
    pub local: bool,
}

impl Default for Federation {
    /// The four-class demo: three clients of 300 rows, five rounds.
    fn default() -> Self {
        Self {
            seed: 1,
            rounds: 5,
            survivors_least: 0.5,
            clip_norm: None,
            cohort: Sampling::Everyone,
            data: Data::default(),
            clients: Clients::default(),
            model: Model::default(),
            forest: None,
            learning: Learning::default(),
            strategy: StrategyKind::FedAvg,
            robust: None,
            personal: None,
            secure: None,
            privacy: None,
            faults: Faults::default(),
            attack: None,
            baselines: Baselines::default(),
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            label: "label".to_owned(),
            held_out: 0.2,
            rows: 300,
            test_rows: 500,
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self { count: 3, column: None, partition: Partition::Iid }
    }
}

impl Default for Model {
    fn default() -> Self {
        Self { estimator: NetKind::Mlp, hidden: vec![64, 32], dropout: 0.2, balanced: false }
    }
}

impl Default for Learning {
    fn default() -> Self {
        Self { effort: Effort::Epochs(2), batch: 32, rate: 0.1, stepping: Stepping::Sgd }
    }
}

impl Default for Baselines {
    fn default() -> Self {
        Self { central: true, local: true }
    }
}

/// Most rounds of a run.
pub const ROUNDS_MAX: u64 = 1_000_000;

impl Federation {
    /// The plan of its rounds, for so many clients.
    ///
    /// # Errors
    /// As [`Plan::check`]; [`Error::Privacy`] when no noise keeps all rounds within the budget.
    pub fn plan(&self, clients: usize) -> Result<ValidPlan, Error> {
        // Before noise is looked for: a cohort that cannot be has none.
        self.cohort.check(clients)?;
        let privacy = self.privacy.map(|of| of.plan(self.cohort, clients, self.releases()));
        let plan = Plan {
            clients,
            sampling: self.cohort,
            strategy: self.strategy,
            robust: self.robust,
            // The counts that a forest is grown from have a bound of their own.
            clip_norm: self.clip_norm.or(self.forest.filter(|_| privacy.is_none()).map(|_| 1.0)),
            secure: self.secure,
            privacy: privacy.transpose()?,
            survivors_least: self.survivors_least,
            seed: self.seed,
        };
        plan.check()
    }

    /// Releases that a budget has to pay for.
    fn releases(&self) -> u64 {
        self.forest.map_or(self.rounds, |forest| forest.releases())
    }

    /// Refuses what cannot be, before any row is read.
    ///
    /// # Errors
    /// As [`Plan::check`], [`Faults::check`] and [`NetParams::check`]; [`Error::Parameter`] and [`Error::Clash`] for what is of the file alone.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name, value: f64, is_well, must| match is_well {
            true => Ok(()),
            false => Err(Error::Parameter { name, value, must }),
        };
        let rounds = self.rounds;
        let is_well = (1..=ROUNDS_MAX).contains(&rounds);
        within("the number of rounds", rounds as f64, is_well, "from 1 to 1,000,000")?;
        let held_out = self.data.held_out;
        let is_well = (0.0..1.0).contains(&held_out);
        within("the share held out", held_out, is_well, "from 0 to below 1")?;
        let count = self.clients.count;
        let is_well = (1..=1_000_000).contains(&count);
        within("the number of clients", count as f64, is_well, "from 1 to 1,000,000")?;
        if let Some(liars) = &self.attack {
            let is_well = (0.0..=1.0).contains(&liars.share);
            within("the share of clients that lie", liars.share, is_well, "from 0 to 1")?;
        }
        if self.clients.column.is_none() {
            self.plan(count)?;
        }
        if self.personal.is_some() && self.strategy.asks_variates() {
            return Err(Error::Clash {
                this: "a model of each client's own".to_owned(),
                that: "SCAFFOLD",
                because: "its control variates are of the common model",
            });
        }
        if let Some(forest) = &self.forest {
            forest.check(self)?;
        }
        self.faults.check()?;
        self.network().check()?;
        Ok(())
    }

    /// What is learnt.
    #[must_use]
    pub fn network(&self) -> NetParams {
        NetParams::new(self.model.estimator)
            .hidden(&self.model.hidden)
            .dropout(self.model.dropout)
            .balanced(self.model.balanced)
            .batch(self.learning.batch)
    }

    /// What stays with each client, of a network with these parts.
    ///
    /// # Errors
    /// [`Error::State`] when no part of the network begins as the file says.
    pub fn own(&self, slices: &[flowgait_model::net::Slice]) -> Result<Personal, Error> {
        match &self.personal {
            None => Ok(Personal::Nothing),
            Some(Own::Ditto { lambda }) => Ok(Personal::Ditto { lambda: *lambda }),
            Some(Own::FedPer { parts }) => {
                let is_own = |name: &str| parts.iter().any(|part| name.starts_with(part.as_str()));
                let own: Vec<_> = slices
                    .iter()
                    .filter(|slice| is_own(&slice.name))
                    .map(flowgait_model::net::Slice::range)
                    .collect();
                if own.is_empty() || own.len() == slices.len() {
                    let names: Vec<&str> = slices.iter().map(|slice| slice.name.as_str()).collect();
                    let which = if own.is_empty() { "no part" } else { "every part" };
                    let why = format!(
                        "{which} of the network would stay with the clients; its parts are {}",
                        names.join(", ")
                    );
                    return Err(Error::State { why });
                }
                Ok(Personal::Parts(own))
            }
        }
    }
}
