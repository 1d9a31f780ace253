//! SCAFFOLD: gradients corrected for how a client differs from all.

use serde::{Deserialize, Serialize};

use super::{Local, Strategy, restore};
use crate::error::Error;
use crate::update::SummedUpdate;

/// How a client renews its control variate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewal {
    /// Its gradient at x: option I, one more pass over its rows.
    Gradient,
    /// What its steps came to: cᵢ − c + (x − yᵢ) / (τᵢ η), option II.
    #[default]
    Steps,
}

/// x ← x + η_g mean(Δᵢ); c ← c + (cohort / clients) mean(cᵢ⁺ − cᵢ). A contribution is Δᵢ, then cᵢ⁺ − cᵢ. All clients weigh alike.
///
/// # Reference
/// Karimireddy et al., *SCAFFOLD: Stochastic Controlled Averaging for Federated Learning*, ICML 2020, algorithm 1.
#[derive(Clone, Debug)]
pub struct Scaffold {
    rate: f64,
    renewal: Renewal,
    c: Vec<f64>,
}

impl Scaffold {
    pub(super) fn new(rate: f64, renewal: Renewal, parameters: usize) -> Self {
        Self { rate, renewal, c: vec![0.0; parameters] }
    }
}

impl Strategy for Scaffold {
    fn server_variate(&self) -> Option<Vec<f32>> {
        Some(self.c.iter().map(|&c| c as f32).collect())
    }

    fn renew_variate(&self, local: &Local<'_>) -> Vec<f32> {
        if self.renewal == Renewal::Gradient {
            return local.gradient.to_vec();
        }
        let scale = 1.0 / (local.steps.max(1) as f32 * local.rate);
        let moved = local.before.iter().zip(local.after).map(|(x, y)| (x - y) * scale);
        let variates = local.client_variate.iter().zip(local.server_variate);
        variates.zip(moved).map(|((own, server), moved)| own - server + moved).collect()
    }

    fn asks_gradient(&self) -> bool {
        self.renewal == Renewal::Gradient
    }

    fn length(&self, parameters: usize) -> usize {
        2 * parameters
    }

    fn weighs_rows(&self) -> bool {
        false
    }

    fn contribute(&self, local: &Local<'_>, renewed: &[f32], out: &mut Vec<f32>) {
        out.extend(local.after.iter().zip(local.before).map(|(y, x)| y - x));
        out.extend(renewed.iter().zip(local.client_variate).map(|(new, old)| new - old));
    }

    fn aggregate(&mut self, parameters: &mut [f64], summed: &SummedUpdate, clients: usize) {
        let count = parameters.len();
        let share = summed.clients as f64 / clients as f64;
        for (x, delta) in parameters.iter_mut().zip(summed.mean(0..count)) {
            *x += self.rate * delta;
        }
        for (c, change) in self.c.iter_mut().zip(summed.mean(count..2 * count)) {
            *c += share * change;
        }
    }

    fn memory(&self) -> Vec<&[f64]> {
        vec![&self.c]
    }

    fn remember(&mut self, memory: Vec<Vec<f64>>) -> Result<(), Error> {
        restore(memory, [&mut self.c])
    }
}
