//! FedNova: updates divided by their number of steps, so that who steps more does not pull more.

use super::{Local, Strategy};
use crate::update::SummedUpdate;

/// x ← x + (Σ pᵢ τᵢ) Σ pᵢ Δᵢ / τᵢ. A contribution is Δᵢ / τᵢ, then τᵢ.
///
/// # Reference
/// Wang et al., *Tackling the Objective Inconsistency Problem in Heterogeneous Federated Optimization*, NeurIPS 2020, for
/// plain steps (aᵢ all ones).
#[derive(Clone, Copy, Debug)]
pub struct Nova;

impl Strategy for Nova {
    fn length(&self, parameters: usize) -> usize {
        parameters + 1
    }

    fn contribute(&self, local: &Local<'_>, _renewed: &[f32], out: &mut Vec<f32>) {
        let tau = local.steps.max(1) as f32;
        out.extend(local.after.iter().zip(local.before).map(|(y, x)| (y - x) / tau));
        out.push(tau);
    }

    fn aggregate(&mut self, parameters: &mut [f64], summed: &SummedUpdate, _clients: usize) {
        let count = parameters.len();
        let tau: f64 = summed.mean(count..count + 1).sum();
        let mean = summed.mean(0..count);
        parameters.iter_mut().zip(mean).for_each(|(x, per_step)| *x += tau * per_step);
    }
}
