//! How a network is built: which parts it has, and how inputs become a number for each class.

use burn_tensor::Tensor;

use super::cnn::Cnn;
use super::dropout::Dropout;
use super::mlp::Mlp;
use super::parameters::Slice;

/// A network's form, without what it has learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    /// Layers that each see all of the one before.
    Mlp(Mlp),
    /// Convolutions over packets beside such layers for the rest.
    Cnn(Cnn),
}

/// What goes into a network.
///
/// # Shapes
/// `packets` is `[length][rows][channels]`, `scalars` is `[rows][n_scalars]`.
pub(crate) struct In {
    pub(crate) packets: Option<Tensor<3>>,
    pub(crate) scalars: Option<Tensor<2>>,
}

impl Architecture {
    /// Its parts, in the order in which [`Architecture::forward`] takes them.
    pub(crate) fn slices(&self) -> Vec<Slice> {
        match self {
            Self::Mlp(mlp) => mlp.slices(),
            Self::Cnn(cnn) => cnn.slices(),
        }
    }

    /// Number of classes.
    pub(crate) fn classes(&self) -> usize {
        match self {
            Self::Mlp(mlp) => mlp.classes,
            Self::Cnn(cnn) => cnn.classes,
        }
    }

    /// One number for each row and class; the greater, the likelier.
    pub(crate) fn forward(&self, parts: Parts, input: In, dropout: &mut Dropout) -> Tensor<2> {
        match self {
            Self::Mlp(mlp) => mlp.forward(parts, input, dropout),
            Self::Cnn(cnn) => cnn.forward(parts, input, dropout),
        }
    }
}

/// The parts of a network as flat tensors, taken in their order.
pub(crate) struct Parts<'a> {
    slices: std::slice::Iter<'a, Slice>,
    tensors: std::slice::Iter<'a, Tensor<1>>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(slices: &'a [Slice], tensors: &'a [Tensor<1>]) -> Self {
        Self { slices: slices.iter(), tensors: tensors.iter() }
    }

    /// The next part in its shape, which has `D` dimensions.
    pub(crate) fn take<const D: usize>(&mut self) -> Tensor<D> {
        let slice = self.slices.next().expect("invariant: a network takes the parts it names");
        let tensor = self.tensors.next().expect("invariant: a tensor for each part");
        let shape: [usize; D] =
            slice.shape.as_slice().try_into().expect("invariant: taken as it was named");
        tensor.clone().reshape(shape)
    }
}
