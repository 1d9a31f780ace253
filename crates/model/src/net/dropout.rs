//! Values left out while a network learns, so that it does not lean on single ones.
//!
//! The masks are drawn here and not by burn, whose CPU backend has one generator for the whole process: two fits side by side would
//! change each other's.
//!
//! # Reference
//! Srivastava et al., *Dropout*, JMLR 2014; scaled while learning, so that nothing changes when answering.

use burn_tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use crate::chance;

/// Whether values are left out.
pub(crate) enum Dropout {
    /// The network answers.
    Off,
    /// The network learns: so great a share of the values is left out.
    On { share: f32, rng: Box<ChaCha8Rng> },
}

impl Dropout {
    pub(crate) fn apply(&mut self, values: Tensor<2>) -> Tensor<2> {
        match self {
            Self::On { share, rng } if *share > 0.0 => {
                let shape = values.dims();
                let kept = 1.0 / (1.0 - *share);
                let mut draw = || if chance::unit(rng) < *share { 0.0 } else { kept };
                let mask: Vec<f32> = (0..shape[0] * shape[1]).map(|_| draw()).collect();
                let device = values.device();
                values * Tensor::from_data(TensorData::new(mask, shape), &device)
            }
            _ => values,
        }
    }
}
