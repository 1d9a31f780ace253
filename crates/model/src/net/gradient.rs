//! What a network answers to a batch, and how its parameters would have to change: the only place where tensors are made.

use burn_tensor::{Device as Backend, Tensor, TensorData, activation};

use super::architecture::{Architecture, In, Parts};
use super::dropout::Dropout;
use super::inputs::{Inputs, Packets};
use super::parameters::Parameters;

/// Rows as a network sees them.
///
/// # Shapes
/// `packets` is `[length][rows][channels]`, `scalars` `[rows][n_scalars]`; either may be empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) rows: usize,
    pub(crate) channels: usize,
    pub(crate) length: usize,
    pub(crate) packets: Vec<f32>,
    pub(crate) scalars: Vec<f32>,
}

impl Batch {
    /// Gathers rows: `row` writes what does not belong to packets of the row at a place, and gives its packets.
    pub(crate) fn gather(
        inputs: &Inputs,
        rows: usize,
        mut row: impl FnMut(usize, &mut [f32]) -> Packets,
    ) -> Self {
        let (channels, length, each) = (inputs.channels(), inputs.length(), inputs.scalars());
        let mut packets = vec![0.0; rows * channels * length];
        let mut scalars = vec![0.0; rows * each];
        for at in 0..rows {
            let of_row = row(at, &mut scalars[at * each..(at + 1) * each]);
            inputs.write_packets(&of_row, rows, at, &mut packets);
        }
        Self { rows, channels, length, packets, scalars }
    }

    fn on(self, device: &Backend) -> In {
        let Self { rows, channels, length, packets, scalars } = self;
        let tensor = |values: Vec<f32>, shape: &[usize]| TensorData::new(values, shape.to_vec());
        let each = scalars.len() / rows.max(1);
        In {
            packets: (!packets.is_empty())
                .then(|| Tensor::from_data(tensor(packets, &[length, rows, channels]), device)),
            scalars: (each > 0).then(|| Tensor::from_data(tensor(scalars, &[rows, each]), device)),
        }
    }
}

/// The parameters as a tensor each.
fn tensors(parameters: &Parameters, device: &Backend) -> Vec<Tensor<1>> {
    let of = |range: std::ops::Range<usize>| {
        let part = parameters.values()[range].to_vec();
        let shape = [part.len()];
        Tensor::from_data(TensorData::new(part, shape), device)
    };
    parameters.slices().iter().map(|slice| of(slice.range())).collect()
}

/// One number for each row and class; `[rows][classes]`.
pub(crate) fn logits(
    architecture: &Architecture,
    parameters: &Parameters,
    batch: Batch,
) -> Vec<f32> {
    let device = Backend::flex();
    let tensors = tensors(parameters, &device);
    let parts = Parts::new(parameters.slices(), &tensors);
    numbers(architecture.forward(parts, batch.on(&device), &mut Dropout::Off))
}

/// The loss of a batch, and its gradient.
pub(crate) struct Slope {
    /// Sum over the rows of weight × −ln(probability of the row's class).
    pub(crate) loss: f64,
    /// How the loss grows with each parameter.
    pub(crate) gradient: Vec<f32>,
}

/// The loss of a batch under its classes, and its gradient; computed where `backend` is.
///
/// # Shapes
/// `truth` is `[rows]`: each row's class and weight.
pub(crate) fn slope(
    backend: &Backend,
    architecture: &Architecture,
    parameters: &Parameters,
    batch: Batch,
    truth: &[(u32, f32)],
    mut dropout: Dropout,
) -> Slope {
    let device = backend.clone().autodiff();
    let tensors: Vec<Tensor<1>> =
        tensors(parameters, &device).into_iter().map(Tensor::require_grad).collect();
    let parts = Parts::new(parameters.slices(), &tensors);
    let logits = architecture.forward(parts, batch.on(&device), &mut dropout);
    let classes = architecture.classes();
    let mut weights = vec![0.0; truth.len() * classes];
    for (row, &(class, weight)) in weights.chunks_exact_mut(classes).zip(truth) {
        row[class as usize] = weight;
    }
    let weights = Tensor::from_data(TensorData::new(weights, [truth.len(), classes]), &device);
    let loss = (activation::log_softmax(logits, 1) * weights).sum().neg();
    let mut gradients = loss.backward();
    let mut gradient = vec![0.0; parameters.values().len()];
    for (slice, tensor) in parameters.slices().iter().zip(&tensors) {
        // A part that the loss does not depend on has none.
        if let Some(found) = tensor.grad_remove(&mut gradients) {
            gradient[slice.range()].copy_from_slice(&numbers(found));
        }
    }
    Slope { loss: f64::from(numbers(loss).first().copied().unwrap_or(f32::NAN)), gradient }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("invariant: tensors here are of 32-bit floats")
}

#[cfg(test)]
mod tests;
