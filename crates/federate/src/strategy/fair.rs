//! q-FedAvg: clients whose loss is high count more.

use super::{Local, Strategy};
use crate::update::SummedUpdate;

/// With L = 1/η: Δₖ = Fₖ^q L (x − yₖ), hₖ = q Fₖ^(q−1) ‖L (x − yₖ)‖² + L Fₖ^q, x ← x − Σ Δₖ / Σ hₖ. A contribution is −Δₖ, then hₖ.
///
/// # Reference
/// Li et al., *Fair Resource Allocation in Federated Learning*, ICLR 2020, algorithm 2.
#[derive(Clone, Copy, Debug)]
pub struct QFair {
    /// q.
    pub q: f64,
}

/// A loss of nothing has no power below zero.
const LOSS_LEAST: f64 = 1e-10;

impl Strategy for QFair {
    fn asks_loss(&self) -> bool {
        true
    }

    fn length(&self, parameters: usize) -> usize {
        parameters + 1
    }

    fn weighs_rows(&self) -> bool {
        false
    }

    fn contribute(&self, local: &Local<'_>, _renewed: &[f32], out: &mut Vec<f32>) {
        let l = 1.0 / f64::from(local.rate);
        let loss = local.loss.max(LOSS_LEAST);
        let scale = loss.powf(self.q) * l;
        let mut squares = 0.0;
        for (y, x) in local.after.iter().zip(local.before) {
            let delta = f64::from(y - x);
            squares += (l * delta).powi(2);
            out.push((scale * delta) as f32);
        }
        let h = self.q * loss.powf(self.q - 1.0) * squares + l * loss.powf(self.q);
        out.push(h as f32);
    }

    fn aggregate(&mut self, parameters: &mut [f64], summed: &SummedUpdate, _clients: usize) {
        let count = parameters.len();
        let h = summed.sum[count];
        if h > 0.0 {
            parameters.iter_mut().zip(&summed.sum).for_each(|(x, sum)| *x += sum / h);
        }
    }
}
