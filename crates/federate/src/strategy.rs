//! How a sum of contributions becomes the next parameters, and what clients do differently for it.
//!
//! A strategy never sees one client's contribution, so that plain and secure aggregation are one path. What it needs beside the updates
//! themselves (a control variate, a number of steps) clients append to their contribution, and it is summed alike.
//!
//! Symbols as in the papers: x, the parameters at a round's beginning; yᵢ, a client's after its steps; Δᵢ = yᵢ − x; pᵢ, its share
//! of the weight.

mod adaptive;
mod average;
mod fair;
mod momentum;
mod nova;
mod scaffold;

use serde::{Deserialize, Serialize};

pub use adaptive::{Adaptive, Second};
pub use average::Average;
pub use fair::QFair;
pub use momentum::Momentum;
pub use nova::Nova;
pub use scaffold::{Renewal, Scaffold};

use crate::error::Error;
use crate::update::SummedUpdate;

/// What a client did in a round.
///
/// # Shapes
/// `before`, `after` and both variates are `[n_parameters]`; the variates are empty where the strategy has none.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// The parameters that it was given: x.
    pub before: &'a [f32],
    /// Its own after its steps: yᵢ.
    pub after: &'a [f32],
    /// How many steps it made: τᵢ.
    pub steps: u64,
    /// The rate of its steps: η.
    pub rate: f32,
    /// How many rows it has.
    pub rows: u64,
    /// Its mean loss at x; asked for by [`Strategy::asks_loss`] only, otherwise 0.
    pub loss: f64,
    /// Its mean gradient at x; asked for by [`Strategy::asks_gradient`] only, otherwise empty.
    pub gradient: &'a [f32],
    /// The server's control variate: c.
    pub server_variate: &'a [f32],
    /// Its own: cᵢ.
    pub client_variate: &'a [f32],
}

/// When a server steps that does not wait for all of its clients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BufferParams {
    /// Updates that it waits for: K.
    pub size: usize,
    /// The server's rate: η.
    pub rate: f64,
    /// How unlike the speeds of clients are: the standard deviation of the logarithm of how long they take.
    pub spread: f64,
}

/// A way to combine updates.
pub trait Strategy: Send + Sync {
    /// How far each local gradient is pulled back to x: μ (y − x) is added. 0 for none.
    fn proximal(&self) -> f32 {
        0.0
    }

    /// The server's control variate, where there is one: local gradients are corrected by c − cᵢ.
    fn server_variate(&self) -> Option<Vec<f32>> {
        None
    }

    /// The client's next control variate.
    fn renew_variate(&self, _local: &Local<'_>) -> Vec<f32> {
        Vec::new()
    }

    /// Whether clients are to tell their loss at x.
    fn asks_loss(&self) -> bool {
        false
    }

    /// Whether clients are to tell their gradient at x.
    fn asks_gradient(&self) -> bool {
        false
    }

    /// How many numbers a contribution has for so many parameters.
    fn length(&self, parameters: usize) -> usize {
        parameters
    }

    /// Whether contributions weigh by their rows, as the paper has it, or all alike.
    fn weighs_rows(&self) -> bool {
        true
    }

    /// Writes a client's contribution; Δᵢ where nothing else is said.
    fn contribute(&self, local: &Local<'_>, _renewed: &[f32], out: &mut Vec<f32>) {
        out.extend(local.after.iter().zip(local.before).map(|(y, x)| y - x));
    }

    /// Makes the next parameters, in place, from the sum.
    ///
    /// # Shapes
    /// `parameters` is `[n_parameters]`, `summed` of as many numbers as [`Strategy::length`] says. `clients` is how many there are in all.
    fn aggregate(&mut self, parameters: &mut [f64], summed: &SummedUpdate, clients: usize);

    /// What it remembers from round to round.
    fn memory(&self) -> Vec<&[f64]> {
        Vec::new()
    }

    /// Takes back what it remembered.
    ///
    /// # Errors
    /// [`Error::State`] where it is of another shape.
    fn remember(&mut self, memory: Vec<Vec<f64>>) -> Result<(), Error> {
        if memory.is_empty() {
            return Ok(());
        }
        Err(Error::State { why: "a strategy without memory was given some".to_owned() })
    }
}

/// A strategy as a file names it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StrategyKind {
    /// The mean of the updates.
    FedAvg,
    /// The mean, of clients that are held near x.
    FedProx {
        /// μ.
        #[serde(default = "defaults::mu")]
        mu: f32,
    },
    /// The mean with momentum.
    FedAvgM {
        /// The server's rate, η.
        #[serde(default = "defaults::one")]
        rate: f64,
        /// β.
        #[serde(default = "defaults::momentum")]
        momentum: f64,
    },
    /// Steps divided by the root of the summed squares.
    FedAdagrad {
        /// The server's rate, η.
        #[serde(default = "defaults::adaptive_rate")]
        rate: f64,
        /// β₁.
        #[serde(default = "defaults::momentum")]
        beta_1: f64,
        /// τ.
        #[serde(default = "defaults::tau")]
        tau: f64,
    },
    /// Steps divided by the root of the mean squares.
    FedAdam {
        /// The server's rate, η.
        #[serde(default = "defaults::adaptive_rate")]
        rate: f64,
        /// β₁.
        #[serde(default = "defaults::momentum")]
        beta_1: f64,
        /// β₂.
        #[serde(default = "defaults::beta_2")]
        beta_2: f64,
        /// τ.
        #[serde(default = "defaults::tau")]
        tau: f64,
    },
    /// As FedAdam, where the mean square grows no faster than the squares.
    FedYogi {
        /// The server's rate, η.
        #[serde(default = "defaults::adaptive_rate")]
        rate: f64,
        /// β₁.
        #[serde(default = "defaults::momentum")]
        beta_1: f64,
        /// β₂.
        #[serde(default = "defaults::beta_2")]
        beta_2: f64,
        /// τ.
        #[serde(default = "defaults::tau")]
        tau: f64,
    },
    /// Gradients corrected for how a client differs from all.
    Scaffold {
        /// The server's rate, η_g.
        #[serde(default = "defaults::one")]
        rate: f64,
        /// How control variates are renewed.
        #[serde(default)]
        renewal: Renewal,
    },
    /// Updates divided by their number of steps.
    FedNova,
    /// Clients that do worse count more.
    QFedAvg {
        /// q: 0 is the plain mean.
        #[serde(default = "defaults::q")]
        q: f64,
    },
    /// Updates as they come, a step for each so many of them ([`buffered`](crate::buffered)).
    FedBuff {
        /// Updates of a step: K.
        #[serde(default = "defaults::buffer")]
        buffer: usize,
        /// The server's rate, η.
        #[serde(default = "defaults::one")]
        rate: f64,
        /// Standard deviation of the logarithm of how long clients take; 0 makes all equally fast.
        #[serde(default = "defaults::spread")]
        spread: f64,
    },
}

mod defaults {
    pub fn mu() -> f32 {
        0.01
    }
    pub fn one() -> f64 {
        1.0
    }
    pub fn momentum() -> f64 {
        0.9
    }
    pub fn beta_2() -> f64 {
        0.99
    }
    pub fn adaptive_rate() -> f64 {
        0.01
    }
    pub fn tau() -> f64 {
        1e-3
    }
    pub fn buffer() -> usize {
        10
    }
    pub fn spread() -> f64 {
        0.5
    }
    pub fn q() -> f64 {
        1.0
    }
}

impl StrategyKind {
    /// Its name in prose.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FedAvg => "FedAvg",
            Self::FedProx { .. } => "FedProx",
            Self::FedAvgM { .. } => "FedAvgM",
            Self::FedAdagrad { .. } => "FedAdagrad",
            Self::FedAdam { .. } => "FedAdam",
            Self::FedYogi { .. } => "FedYogi",
            Self::Scaffold { .. } => "SCAFFOLD",
            Self::FedNova => "FedNova",
            Self::QFedAvg { .. } => "q-FedAvg",
            Self::FedBuff { .. } => "FedBuff",
        }
    }

    /// Whether a contribution is the update alone, so that clipping it bounds all that a client says.
    #[must_use]
    pub fn sends_update_alone(self) -> bool {
        !matches!(self, Self::Scaffold { .. } | Self::FedNova | Self::QFedAvg { .. })
    }

    /// Whether it has control variates.
    #[must_use]
    pub fn asks_variates(self) -> bool {
        matches!(self, Self::Scaffold { .. })
    }

    /// When the server steps, where it does not wait for all.
    #[must_use]
    pub fn buffer(self) -> Option<BufferParams> {
        match self {
            Self::FedBuff { buffer, rate, spread } => {
                Some(BufferParams { size: buffer, rate, spread })
            }
            _ => None,
        }
    }

    /// The strategy at its beginning.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the first number that cannot be; [`Error::Clash`] for FedBuff, which has no rounds.
    pub fn build(self, parameters: usize) -> Result<Box<dyn Strategy>, Error> {
        Ok(match self {
            Self::FedAvg => Box::new(Average { mu: 0.0 }),
            Self::FedProx { mu } => {
                let mu = within("mu", f64::from(mu), 0.0..=1e6, "from 0 to 1,000,000")?;
                Box::new(Average { mu: mu as f32 })
            }
            Self::FedAvgM { rate, momentum } => {
                Box::new(Momentum::new(positive(rate)?, share("momentum", momentum)?, parameters))
            }
            Self::FedAdagrad { rate, beta_1, tau } => {
                let second = Second::Adagrad;
                Box::new(adaptive(second, rate, beta_1, 0.0, tau, parameters)?)
            }
            Self::FedAdam { rate, beta_1, beta_2, tau } => {
                Box::new(adaptive(Second::Adam, rate, beta_1, beta_2, tau, parameters)?)
            }
            Self::FedYogi { rate, beta_1, beta_2, tau } => {
                Box::new(adaptive(Second::Yogi, rate, beta_1, beta_2, tau, parameters)?)
            }
            Self::Scaffold { rate, renewal } => {
                Box::new(Scaffold::new(positive(rate)?, renewal, parameters))
            }
            Self::FedNova => Box::new(Nova),
            Self::QFedAvg { q } => {
                Box::new(QFair { q: within("q", q, 0.0..=100.0, "from 0 to 100")? })
            }
            Self::FedBuff { .. } => {
                return Err(Error::Clash {
                    this: "the strategy FedBuff".to_owned(),
                    that: "rounds",
                    because: "its server waits for no cohort: it is led by `buffered::Buffered`",
                });
            }
        })
    }
}

impl BufferParams {
    /// Refuses numbers that cannot be.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the first of them.
    pub fn check(self) -> Result<Self, Error> {
        let size = self.size as f64;
        within("the buffer of FedBuff", size, 1.0..=1e6, "from 1 to 1,000,000 updates")?;
        positive(self.rate)?;
        within("the spread of speeds", self.spread, 0.0..=5.0, "from 0 to 5")?;
        Ok(self)
    }
}

fn adaptive(
    second: Second,
    rate: f64,
    beta_1: f64,
    beta_2: f64,
    tau: f64,
    parameters: usize,
) -> Result<Adaptive, Error> {
    let tau = within("tau", tau, f64::MIN_POSITIVE..=1e6, "above 0 and at most 1,000,000")?;
    let betas = [share("beta-1", beta_1)?, share("beta-2", beta_2)?];
    Ok(Adaptive::new(second, positive(rate)?, betas, tau, parameters))
}

fn positive(rate: f64) -> Result<f64, Error> {
    within("the server's rate", rate, f64::MIN_POSITIVE..=1e6, "above 0 and at most 1,000,000")
}

fn share(name: &'static str, value: f64) -> Result<f64, Error> {
    within(name, value, 0.0..=1.0 - f64::EPSILON, "from 0 to below 1")
}

fn within(
    name: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
    must: &'static str,
) -> Result<f64, Error> {
    if range.contains(&value) { Ok(value) } else { Err(Error::Parameter { name, value, must }) }
}

/// Takes back memory of the same shape.
fn restore<const N: usize>(memory: Vec<Vec<f64>>, into: [&mut Vec<f64>; N]) -> Result<(), Error> {
    let fits = memory.len() == N && memory.iter().zip(&into).all(|(a, b)| a.len() == b.len());
    if !fits {
        return Err(Error::State { why: "a strategy's memory has another shape".to_owned() });
    }
    into.into_iter().zip(memory).for_each(|(into, from)| *into = from);
    Ok(())
}
