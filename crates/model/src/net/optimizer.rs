//! How a gradient becomes a step.

/// What a step is made from.
#[derive(Clone, Debug, PartialEq)]
pub enum Optimizer {
    /// Against the gradient.
    Sgd,
    /// Against the gradient's running mean, over the root of its running mean square, and a little towards zero.
    ///
    /// # Reference
    /// Kingma, Ba, *Adam*, ICLR 2015, algorithm 1; Loshchilov, Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019, algorithm 2.
    AdamW(AdamW),
}

/// What [`Optimizer::AdamW`] remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdamW {
    m: Vec<f32>,
    v: Vec<f32>,
    t: i32,
}

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Share of a weight that each step at a learning rate of 1 would take away.
const DECAY: f32 = 0.01;

impl Optimizer {
    /// AdamW at its beginning.
    #[must_use]
    pub fn adam_w() -> Self {
        Self::AdamW(AdamW::default())
    }

    /// Makes one step.
    ///
    /// # Shapes
    /// `values` and `gradient` are `[n_parameters]`.
    pub fn step(&mut self, values: &mut [f32], gradient: &[f32], rate: f32) {
        match self {
            Self::Sgd => {
                values.iter_mut().zip(gradient).for_each(|(value, g)| *value -= rate * g);
            }
            Self::AdamW(state) => state.step(values, gradient, rate),
        }
    }
}

impl AdamW {
    fn step(&mut self, values: &mut [f32], gradient: &[f32], rate: f32) {
        self.m.resize(values.len(), 0.0);
        self.v.resize(values.len(), 0.0);
        self.t += 1;
        let (unbias_m, unbias_v) = (1.0 - BETA_1.powi(self.t), 1.0 - BETA_2.powi(self.t));
        let moments = self.m.iter_mut().zip(&mut self.v);
        for ((value, g), (m, v)) in values.iter_mut().zip(gradient).zip(moments) {
            *m += (1.0 - BETA_1) * (g - *m);
            *v += (1.0 - BETA_2) * (g * g - *v);
            let along = (*m / unbias_m) / ((*v / unbias_v).sqrt() + EPSILON);
            *value -= rate * (along + DECAY * *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of size 0.1 from (1, −2) down x² + 10 y².
    fn walk(mut optimizer: Optimizer, steps: usize) -> [f32; 2] {
        let mut at = [1.0, -2.0];
        for _ in 0..steps {
            let gradient = [2.0 * at[0], 20.0 * at[1]];
            optimizer.step(&mut at, &gradient, 0.01);
        }
        at
    }

    #[test]
    fn adam_steps_as_the_papers_say() {
        // torch.optim.AdamW(lr=0.01, weight_decay=0.01) of PyTorch 2.15, the same function and start.
        for (steps, expected) in REFERENCE {
            let at = walk(Optimizer::adam_w(), steps);
            for (found, expected) in at.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-5, "after {steps}: {at:?}");
            }
        }
    }

    const REFERENCE: [(usize, [f32; 2]); 3] = [
        (1, [0.989_9, -1.989_8]),
        (2, [0.979_803_74, -1.979_602_3]),
        (100, [0.220_894_13, -1.085_161]),
    ];

    #[test]
    fn plain_steps_go_against_the_gradient() {
        assert_eq!(walk(Optimizer::Sgd, 1), [0.98, -1.6]);
    }
}
