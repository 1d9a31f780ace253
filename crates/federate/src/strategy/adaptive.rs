//! FedAdagrad, FedAdam and FedYogi: steps divided by the root of a second moment.

use super::{Strategy, restore};
use crate::error::Error;
use crate::update::SummedUpdate;

/// How the second moment follows the squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// Their sum.
    Adagrad,
    /// Their running mean.
    Adam,
    /// Their running mean, which moves by no more than the squares do.
    Yogi,
}

/// m ← β₁ m + (1 − β₁) Δ; v follows Δ²; x ← x + η m / (√v + τ). v begins at τ², and nothing is corrected for the beginning.
///
/// # Reference
/// Reddi et al., *Adaptive Federated Optimization*, ICLR 2021, algorithm 2; Δ is the weighted mean here, the plain one there.
#[derive(Clone, Debug)]
pub struct Adaptive {
    second: Second,
    rate: f64,
    betas: [f64; 2],
    tau: f64,
    m: Vec<f64>,
    v: Vec<f64>,
}

impl Adaptive {
    pub(super) fn new(
        second: Second,
        rate: f64,
        betas: [f64; 2],
        tau: f64,
        parameters: usize,
    ) -> Self {
        let (m, v) = (vec![0.0; parameters], vec![tau * tau; parameters]);
        Self { second, rate, betas, tau, m, v }
    }
}

impl Strategy for Adaptive {
    fn aggregate(&mut self, parameters: &mut [f64], summed: &SummedUpdate, _clients: usize) {
        let [beta_1, beta_2] = self.betas;
        let mean = summed.mean(0..parameters.len());
        let moments = self.m.iter_mut().zip(&mut self.v);
        for ((x, (m, v)), delta) in parameters.iter_mut().zip(moments).zip(mean) {
            *m = beta_1 * *m + (1.0 - beta_1) * delta;
            let square = delta * delta;
            match self.second {
                Second::Adagrad => *v += square,
                Second::Adam => *v = beta_2 * *v + (1.0 - beta_2) * square,
                Second::Yogi => {
                    // Not f64::signum, which is 1 at 0.
                    let ahead = *v - square;
                    let sign = if ahead == 0.0 { 0.0 } else { ahead.signum() };
                    *v -= (1.0 - beta_2) * square * sign;
                }
            }
            *x += self.rate * *m / (v.sqrt() + self.tau);
        }
    }

    fn memory(&self) -> Vec<&[f64]> {
        vec![&self.m, &self.v]
    }

    fn remember(&mut self, memory: Vec<Vec<f64>>) -> Result<(), Error> {
        restore(memory, [&mut self.m, &mut self.v])
    }
}
