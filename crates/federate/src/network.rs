//! Networks as what clients learn.

use flowgait_model::Probabilities;
use flowgait_model::net::{GradientHook, NetParams, Network, Optimizer, ValidNetParams};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::homes::Homes;
use crate::learner::{Learner, Learnt};

/// How long a client learns in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effort {
    /// It sees each of its rows so often.
    Epochs(u32),
    /// It makes so many steps. With none it gives back what it was given: what is left is what the round itself costs.
    Steps(u32),
}

/// What makes a client's steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stepping {
    /// Against the gradient, as the papers have it.
    #[default]
    Sgd,
    /// AdamW, which begins anew each round.
    AdamW,
}

/// A network that clients learn on their rows.
pub struct NetLearner<'a> {
    homes: &'a Homes,
    network: Network,
    params: ValidNetParams,
    /// The same without dropout: a loss or gradient at a point is of the network as it answers.
    still: ValidNetParams,
    effort: Effort,
    stepping: Stepping,
    rate: f32,
}

impl<'a> NetLearner<'a> {
    /// A network on the scale of all clients' rows.
    ///
    /// # Errors
    /// As [`NetParams::check`] and [`ValidNetParams::begin_on`]; [`Error::Parameter`] for a rate or an effort that is none.
    pub fn new(
        homes: &'a Homes,
        params: &NetParams,
        effort: Effort,
        stepping: Stepping,
        rate: f32,
        seed: u64,
    ) -> Result<Self, Error> {
        if effort == Effort::Epochs(0) {
            let must = "1 or more";
            return Err(Error::Parameter { name: "the number of local epochs", value: 0.0, must });
        }
        let checked = params.clone().rate(rate).check()?;
        let all = homes.all_rows();
        let training = homes.training(&all);
        let network = checked.begin_on(&homes.statistics(), &homes.schema, &training, seed)?;
        let still = params.clone().dropout(0.0).check()?;
        Ok(Self { homes, network, params: checked, still, effort, stepping, rate })
    }

    /// The parameters to begin with.
    #[must_use]
    pub fn start(&self) -> &[f32] {
        self.network.parameters().values()
    }

    /// The network with some parameters.
    ///
    /// # Panics
    /// When there are not as many as it has.
    #[must_use]
    pub fn with(&self, values: &[f32]) -> Network {
        let mut network = self.network.clone();
        network.parameters_mut().values_mut().copy_from_slice(values);
        network
    }

    /// What the network with some parameters answers to some rows of the clients' table.
    ///
    /// # Errors
    /// As [`Network::predict_proba`].
    pub fn answer(&self, values: &[f32], rows: &[u32]) -> Result<Probabilities, Error> {
        self.answer_with(&self.with(values), rows)
    }

    /// What one network answers to some rows of the clients' table. A network that liars drove beyond all numbers knows nothing: where it
    /// gives none, all classes are alike.
    ///
    /// # Errors
    /// As [`Network::predict_proba`].
    pub fn answer_with(&self, network: &Network, rows: &[u32]) -> Result<Probabilities, Error> {
        let mut said = network.predict_proba(&self.homes.columns, rows)?;
        let alike = 1.0 / said.classes as f32;
        for row in said.values.chunks_exact_mut(said.classes) {
            if !row.iter().all(|value| value.is_finite()) {
                row.fill(alike);
            }
        }
        Ok(said)
    }

    fn optimizer(&self) -> Optimizer {
        match self.stepping {
            Stepping::Sgd => Optimizer::Sgd,
            Stepping::AdamW => Optimizer::adam_w(),
        }
    }
}

impl Learner for NetLearner<'_> {
    fn parameters(&self) -> usize {
        self.network.parameters().values().len()
    }

    fn rows(&self, client: u32) -> u64 {
        self.homes.rows[client as usize].len() as u64
    }

    fn rate(&self) -> f32 {
        self.rate
    }

    fn learn(
        &self,
        client: u32,
        seed: u64,
        values: &mut [f32],
        hook: &mut GradientHook<'_>,
    ) -> Result<Learnt, Error> {
        let rows = &self.homes.rows[client as usize];
        if rows.is_empty() || self.effort == Effort::Steps(0) {
            return Ok(Learnt::default());
        }
        let mut network = self.with(values);
        let training = self.homes.training(rows);
        let mut local = self.params.local(&network, &training, self.optimizer(), seed)?;
        let steps = match self.effort {
            Effort::Epochs(epochs) => epochs as usize * local.steps_of_epoch(),
            Effort::Steps(steps) => steps as usize,
        };
        let mut loss = 0.0;
        for _ in 0..steps {
            loss += local.step(&mut network, self.rate, hook);
        }
        values.copy_from_slice(network.parameters().values());
        Ok(Learnt { steps: steps as u64, loss: loss / steps as f64 })
    }

    fn slope(&self, client: u32, values: &[f32]) -> Result<(f64, Vec<f32>), Error> {
        let rows = &self.homes.rows[client as usize];
        let mut gradient = vec![0.0; values.len()];
        if rows.is_empty() {
            return Ok((0.0, gradient));
        }
        let mut network = self.with(values);
        let training = self.homes.training(rows);
        // Steps of rate 0 through all rows leave the network where it is and show every gradient.
        let mut local = self.still.local(&network, &training, Optimizer::Sgd, 0)?;
        let steps = local.steps_of_epoch();
        let mut loss = 0.0;
        for _ in 0..steps {
            let mut keep = |_: &[f32], own: &mut [f32]| {
                gradient.iter_mut().zip(own).for_each(|(sum, own)| *sum += *own / steps as f32);
            };
            loss += local.step(&mut network, 0.0, &mut keep);
        }
        Ok((loss / steps as f64, gradient))
    }
}
