//! Training a network step by step on some rows: what a fit does, and what a site of a federation does between two rounds.
//!
//! On the processor a batch is cut into parts of 32 rows, whatever the number of threads, and their gradients are added in order; so a fit
//! gives the same parameters on one thread or many. On a card a batch is one part. Chance comes from a stream
//! of the seed for each part of each step.

use burn_tensor::Device as Backend;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use super::Network;
use super::augment::{Augmentation, Seen};
use super::dropout::Dropout;
use super::gradient::{Batch, slope};
use super::optimizer::Optimizer;
use super::params::ValidNetParams;
use crate::chance;
use crate::error::Error;
use crate::training::{Training, class_weights};

/// Most parts of a step: streams of a seed are numbered by step and part.
const PARTS_MAX: u64 = 1 << 16;

/// Changes a gradient before the step is made: proximal terms, control variates, clipping.
///
/// It is given the parameters, `[n_parameters]`, and the gradient, of the same length.
pub type GradientHook<'a> = dyn FnMut(&[f32], &mut [f32]) + 'a;

/// Trains a network on rows of a table.
pub struct LocalTraining<'a> {
    training: Training<'a>,
    backend: Backend,
    /// Rows whose gradient is computed at once.
    part: usize,
    /// What does not belong to packets, row by row as in `training.rows`.
    scalars: Vec<f32>,
    /// Weight of a row of each class.
    weights: Vec<f32>,
    batch: usize,
    dropout: f32,
    augmentation: Augmentation,
    optimizer: Optimizer,
    seed: u64,
    /// Places in `training.rows` in the order of this epoch, and how many are done.
    order: Vec<u32>,
    done: usize,
    steps: u64,
}

impl<'a> LocalTraining<'a> {
    pub(super) fn new(
        network: &Network,
        training: &Training<'a>,
        params: &ValidNetParams,
        optimizer: Optimizer,
        seed: u64,
    ) -> Result<Self, Error> {
        training.check()?;
        let (found, expected) = (training.columns.len(), network.features());
        if found != expected {
            return Err(Error::ColumnCount { found, expected });
        }
        if training.classes != network.classes() {
            let (expected, got) = (network.classes(), training.classes);
            return Err(Error::Length { what: "classes", expected, got });
        }
        let each = network.inputs.scalars();
        let mut scalars = vec![0.0; each * training.rows.len()];
        if each > 0 {
            let rows = scalars.par_chunks_exact_mut(each).zip(training.rows);
            rows.for_each(|(out, &row)| network.inputs.write_scalars(training.columns, row, out));
        }
        let weights = class_weights(training, training.rows, params.is_balanced());
        Ok(Self {
            training: *training,
            backend: params.device().open()?,
            part: params.device().part(),
            scalars,
            weights: weights.into_iter().map(|weight| weight as f32).collect(),
            batch: params.batch_of(training.rows.len()),
            dropout: params.dropout(),
            augmentation: params.augmentation(),
            optimizer,
            seed,
            order: (0..training.rows.len() as u32).collect(),
            done: training.rows.len(),
            steps: 0,
        })
    }

    /// Steps in which every row is seen once.
    #[must_use]
    pub fn steps_of_epoch(&self) -> usize {
        self.order.len().div_ceil(self.batch)
    }

    /// One step at a learning rate; gives the batch's mean loss before it.
    pub fn step(&mut self, network: &mut Network, rate: f32, hook: &mut GradientHook<'_>) -> f64 {
        if self.done >= self.order.len() {
            let mut rng = self.chance(PARTS_MAX - 1);
            chance::shuffle(&mut self.order, &mut rng);
            self.done = 0;
        }
        let places = &self.order[self.done..(self.done + self.batch).min(self.order.len())];
        let slopes: Vec<_> = places
            .par_chunks(self.part)
            .enumerate()
            .map(|(part, places)| {
                let mut rng = self.chance(part as u64);
                let batch = self.gather(network, places, &mut rng);
                let truth: Vec<(u32, f32)> =
                    places.iter().map(|&place| self.truth(place)).collect();
                let dropout = Dropout::On { share: self.dropout, rng: Box::new(rng) };
                slope(
                    &self.backend,
                    &network.architecture,
                    &network.parameters,
                    batch,
                    &truth,
                    dropout,
                )
            })
            .collect();
        let rows = places.len() as f64;
        self.done += places.len();
        self.steps += 1;
        let loss = slopes.iter().map(|part| part.loss).sum::<f64>() / rows;
        let mut gradient = vec![0.0; network.parameters.values().len()];
        for part in &slopes {
            gradient.iter_mut().zip(&part.gradient).for_each(|(sum, value)| *sum += value);
        }
        gradient.iter_mut().for_each(|value| *value /= rows as f32);
        hook(network.parameters.values(), &mut gradient);
        self.optimizer.step(network.parameters.values_mut(), &gradient, rate);
        loss
    }

    /// Chance for a part of this step.
    fn chance(&self, part: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(1 + self.steps * PARTS_MAX + part);
        rng
    }

    fn truth(&self, place: u32) -> (u32, f32) {
        let class = self.training.codes[self.training.rows[place as usize] as usize];
        (class, self.weights[class as usize])
    }

    /// The rows at some places as the network sees them, changed as they could have been on another day.
    fn gather(&self, network: &Network, places: &[u32], rng: &mut ChaCha8Rng) -> Batch {
        let inputs = &network.inputs;
        let each = inputs.scalars();
        Batch::gather(inputs, places.len(), |at, scalars| {
            let place = places[at] as usize;
            scalars.copy_from_slice(&self.scalars[place * each..(place + 1) * each]);
            let mut packets = inputs.packets(self.training.columns, self.training.rows[place]);
            if self.augmentation.apply(inputs, &mut packets, rng) == Seen::PacketsOnly {
                inputs.write_no_scalars(scalars);
            }
            packets
        })
    }
}
