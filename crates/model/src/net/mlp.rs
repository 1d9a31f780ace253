//! A network of layers that each see all of the one before (a multi-layer perceptron).

use burn_tensor::{Tensor, activation, module};

use super::architecture::{In, Parts};
use super::dropout::Dropout;
use super::parameters::{Layer, Slice, StartValues};

/// Its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mlp {
    pub(crate) inputs: usize,
    /// Width of each hidden layer.
    pub(crate) hidden: Vec<usize>,
    pub(crate) classes: usize,
}

impl Mlp {
    pub(super) fn slices(&self) -> Vec<Slice> {
        let mut layer = Layer::default();
        dense(&mut layer, self.inputs, &self.hidden, self.classes);
        layer.into_slices()
    }

    pub(super) fn forward(&self, mut parts: Parts, input: In, dropout: &mut Dropout) -> Tensor<2> {
        let values = input.scalars.expect("invariant: such a network has columns to see");
        through(&mut parts, values, self.hidden.len(), dropout)
    }
}

/// The parts of hidden layers and a last one.
pub(super) fn dense(layer: &mut Layer, inputs: usize, hidden: &[usize], classes: usize) {
    let mut fan_in = inputs;
    for (number, &width) in hidden.iter().enumerate() {
        let start = StartValues::BeforeRelu { fan_in };
        layer.add(format!("hidden.{number}.weight"), vec![fan_in, width], start);
        layer.add(format!("hidden.{number}.bias"), vec![width], StartValues::Zero);
        fan_in = width;
    }
    layer.add("last.weight".into(), vec![fan_in, classes], StartValues::Last { fan_in });
    layer.add("last.bias".into(), vec![classes], StartValues::Zero);
}

/// Through so many hidden layers and the last one.
pub(super) fn through(
    parts: &mut Parts,
    mut values: Tensor<2>,
    hidden: usize,
    dropout: &mut Dropout,
) -> Tensor<2> {
    for _ in 0..hidden {
        let (weight, bias) = (parts.take(), parts.take());
        values = dropout.apply(activation::relu(module::linear(values, weight, Some(bias))));
    }
    let (weight, bias) = (parts.take(), parts.take());
    module::linear(values, weight, Some(bias))
}
