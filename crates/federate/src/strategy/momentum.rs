//! FedAvgM: the mean with momentum.

use super::{Strategy, restore};
use crate::error::Error;
use crate::update::SummedUpdate;

/// m ← β m + Δ; x ← x + η m. No dampening, no look ahead.
///
/// # Reference
/// Hsu, Qi, Brown, *Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification*, 2019 (FedAvgM; its η is 1).
#[derive(Clone, Debug)]
pub struct Momentum {
    rate: f64,
    momentum: f64,
    m: Vec<f64>,
}

impl Momentum {
    pub(super) fn new(rate: f64, momentum: f64, parameters: usize) -> Self {
        Self { rate, momentum, m: vec![0.0; parameters] }
    }
}

impl Strategy for Momentum {
    fn aggregate(&mut self, parameters: &mut [f64], summed: &SummedUpdate, _clients: usize) {
        let mean = summed.mean(0..parameters.len());
        for ((x, m), delta) in parameters.iter_mut().zip(&mut self.m).zip(mean) {
            *m = self.momentum * *m + delta;
            *x += self.rate * *m;
        }
    }

    fn memory(&self) -> Vec<&[f64]> {
        vec![&self.m]
    }

    fn remember(&mut self, memory: Vec<Vec<f64>>) -> Result<(), Error> {
        restore(memory, [&mut self.m])
    }
}
