//! A network of convolutions over the first packets, with residual blocks, beside the columns of the whole flow.
//!
//! No normalisation by batch: its running means would be numbers that belong to no gradient, which federation would have to treat apart,
//! and it fails on batches of few rows. Residual blocks that begin as identities train without it.
//!
//! # Reference
//! He et al., *Deep Residual Learning*, CVPR 2016; zero at the end of each block: Zhang et al., *Fixup Initialization*, ICLR 2019.

use burn_tensor::ops::{ConvOptions, MaxPoolOptions};
use burn_tensor::{Tensor, activation, module};

use super::architecture::{In, Parts};
use super::dropout::Dropout;
use super::mlp;
use super::parameters::{Layer, Slice, StartValues};

/// Packets that the first convolution sees at once.
const STEM: usize = 5;
/// Packets that the others see at once.
const KERNEL: usize = 3;

/// Its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cnn {
    /// Numbers for each packet.
    pub(crate) channels: usize,
    /// Packets.
    pub(crate) length: usize,
    /// Columns that do not belong to packets; none is fine.
    pub(crate) scalars: usize,
    /// Channels between convolutions.
    pub(crate) width: usize,
    /// Residual blocks; behind each but the last, two packets become one.
    pub(crate) blocks: usize,
    /// Width of each hidden layer behind the convolutions.
    pub(crate) hidden: Vec<usize>,
    pub(crate) classes: usize,
}

impl Cnn {
    pub(super) fn slices(&self) -> Vec<Slice> {
        let mut layer = Layer::default();
        let width = self.width;
        let first = StartValues::BeforeRelu { fan_in: self.channels * STEM };
        layer.add("stem.weight".into(), vec![width, self.channels, STEM], first);
        layer.add("stem.bias".into(), vec![width], StartValues::Zero);
        let before_relu = StartValues::BeforeRelu { fan_in: width * KERNEL };
        for block in 0..self.blocks {
            for (half, start) in [("in", before_relu), ("out", StartValues::Zero)] {
                let shape = vec![width, width, KERNEL];
                layer.add(format!("block.{block}.{half}.weight"), shape, start);
                layer.add(format!("block.{block}.{half}.bias"), vec![width], StartValues::Zero);
            }
        }
        mlp::dense(&mut layer, self.flat() + self.scalars, &self.hidden, self.classes);
        layer.into_slices()
    }

    /// Values that the convolutions give for each row.
    fn flat(&self) -> usize {
        let halved = (1..self.blocks).fold(self.length, |length, _| length.div_ceil(2));
        halved * self.width
    }

    pub(super) fn forward(&self, mut parts: Parts, input: In, dropout: &mut Dropout) -> Tensor<2> {
        let packets = input.packets.expect("invariant: such a network has packets to see");
        let rows = packets.dims()[0];
        let (weight, bias) = (parts.take(), parts.take());
        let mut seen = activation::relu(convolved(packets, weight, bias, STEM));
        for block in 0..self.blocks {
            let (weight, bias) = (parts.take(), parts.take());
            let inner = activation::relu(convolved(seen.clone(), weight, bias, KERNEL));
            let (weight, bias) = (parts.take(), parts.take());
            seen = activation::relu(seen + convolved(inner, weight, bias, KERNEL));
            if block + 1 < self.blocks {
                let halve = MaxPoolOptions::new([2]).with_ceil_mode(true);
                seen = module::max_pool1d(seen, halve);
            }
        }
        let flat: Tensor<2> = seen.reshape([rows, self.flat()]);
        let values = match input.scalars {
            Some(scalars) => Tensor::cat(vec![flat, scalars], 1),
            None => flat,
        };
        mlp::through(&mut parts, values, self.hidden.len(), dropout)
    }
}

/// A convolution that leaves as many packets as there were.
fn convolved(values: Tensor<3>, weight: Tensor<3>, bias: Tensor<1>, kernel: usize) -> Tensor<3> {
    module::conv1d(values, weight, Some(bias), ConvOptions::new([1], [kernel / 2], [1], 1))
}
