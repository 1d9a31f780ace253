//! Small neural networks: one for any table, one that looks at the first packets as a sequence.
//!
//! What a network has learnt is one flat vector with named parts ([`Parameters`]); a training step lets a hook change the gradient
//! ([`LocalTraining`]): that is all that federation needs of it. Tensors and derivatives are [burn](https://burn.dev)'s
//! (`docs/decisions/0009-burn-tensors-for-networks.md`); layers, inputs and steps are here.
//!
//! Sketch: convolutions of the usual size take 0.1 ms of one core for a row to be learnt from once, 15 µs to be answered.

pub(crate) mod architecture;
mod augment;
pub(crate) mod cnn;
mod device;
mod dropout;
mod gradient;
pub(crate) mod inputs;
mod local;
pub(crate) mod mlp;
mod optimizer;
mod parameters;
pub(crate) mod params;
mod statistics;

use rayon::prelude::*;

pub use augment::Augmentation;
pub use device::Device;
pub use local::{GradientHook, LocalTraining};
pub use optimizer::{AdamW, Optimizer};
pub use parameters::{Parameters, Slice};
pub use params::{NetKind, NetParams, ValidNetParams};
pub use statistics::Statistics;

use crate::boost::softmax::softmax;
use crate::error::Error;
use crate::training::{Probabilities, check_rows};
use architecture::Architecture;
use gradient::{Batch, logits};
use inputs::Inputs;

/// Most parameters of a network.
pub const PARAMETERS_MAX: usize = 1 << 26;
/// Rows that are answered at once.
const BLOCK: usize = 256;

/// A network that answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub(crate) inputs: Inputs,
    pub(crate) architecture: Architecture,
    pub(crate) parameters: Parameters,
}

impl Network {
    pub(crate) fn drawn(inputs: Inputs, architecture: Architecture, seed: u64) -> Self {
        let parameters = Parameters::drawn(architecture.slices(), seed);
        Self { inputs, architecture, parameters }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.architecture.classes()
    }

    /// Number of columns that it was fitted on.
    #[must_use]
    pub fn features(&self) -> usize {
        self.inputs.features
    }

    /// What it has learnt.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What it has learnt, to be changed.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Probabilities of some rows of a table, in the order of `rows`.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`; a missing value is NaN.
    /// # Errors
    /// When there are not as many columns as it was fitted on, columns differ in length, or `rows` go beyond them.
    pub fn predict_proba(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        let (found, expected) = (columns.len(), self.features());
        if found != expected {
            return Err(Error::ColumnCount { found, expected });
        }
        check_rows(columns, rows, columns.first().map_or(0, Vec::len))?;
        let classes = self.classes();
        let mut values = vec![0.0; rows.len() * classes];
        values.par_chunks_mut(BLOCK * classes).zip(rows.par_chunks(BLOCK)).for_each(
            |(out, rows)| {
                let said = logits(&self.architecture, &self.parameters, self.gather(columns, rows));
                out.copy_from_slice(&said);
                out.chunks_exact_mut(classes).for_each(softmax);
            },
        );
        Ok(Probabilities { classes, values })
    }

    fn gather(&self, columns: &[Vec<f32>], rows: &[u32]) -> Batch {
        Batch::gather(&self.inputs, rows.len(), |at, scalars| {
            self.inputs.write_scalars(columns, rows[at], scalars);
            self.inputs.packets(columns, rows[at])
        })
    }
}
