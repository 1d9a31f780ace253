//! FedAvg and FedProx: the mean of the updates.

use super::Strategy;
use crate::update::SummedUpdate;

/// x ← x + Σ pᵢ Δᵢ.
///
/// # Reference
/// McMahan et al., *Communication-Efficient Learning of Deep Networks from Decentralized Data*, AISTATS 2017, algorithm 1. With μ above
/// 0: Li et al., *Federated Optimization in Heterogeneous Networks*, MLSys 2020, algorithm 2, where all weigh by their rows instead of
/// being drawn by them.
#[derive(Clone, Copy, Debug)]
pub struct Average {
    /// μ.
    pub mu: f32,
}

impl Strategy for Average {
    fn proximal(&self) -> f32 {
        self.mu
    }

    fn aggregate(&mut self, parameters: &mut [f64], summed: &SummedUpdate, _clients: usize) {
        let mean = summed.mean(0..parameters.len());
        parameters.iter_mut().zip(mean).for_each(|(x, delta)| *x += delta);
    }
}
