//! A federation as a file describes it: `federation.toml`, every key with a default.

mod forest;
mod own;
mod privacy;

pub use forest::{ForestPlan, ForestWay};

use flowgait_model::net::{NetKind, NetParams};
use serde::{Deserialize, Serialize};

pub use own::Own;
pub use privacy::Privacy;

use crate::attack::Attack;
use crate::cohort::Sampling;
use crate::compress::CompressionPlan;
use crate::coordinator::{AdaptivePlan, Plan, ValidPlan};
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
    /// How the clip norm follows the updates, from the one above or from that of privacy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive_clipping: Option<AdaptivePlan>,
    /// How updates are packed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<CompressionPlan>,
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
            adaptive_clipping: None,
            compression: None,
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
            adaptive_clipping: self.adaptive_clipping,
            compression: self.compression,
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
        if self.clients.column.is_some() && self.data.tables.is_empty() {
            return Err(Error::Clash {
                this: "clients.column".to_owned(),
                that: "rows that are made",
                because: "they have no such column: name tables in data.tables",
            });
        }
        if self.strategy.buffer().is_some() {
            self.check_buffered()?;
        }
        if let Some(forest) = &self.forest {
            forest.check(self)?;
        }
        self.faults.check()?;
        self.network().check()?;
        Ok(())
    }

    fn check_buffered(&self) -> Result<(), Error> {
        let clash = |that, because| {
            Err(Error::Clash { this: "the strategy FedBuff".to_owned(), that, because })
        };
        if self.personal.is_some() {
            return clash("[personal]", "what stays with a client is kept from round to round");
        }
        if self.attack.is_some() || self.faults != Faults::default() {
            return clash("[attack] or [faults]", "these are of rounds; here nobody is late");
        }
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
}
