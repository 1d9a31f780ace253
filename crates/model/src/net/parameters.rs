//! The numbers that a network learns: one flat vector, and the names of its parts.
//!
//! Federation adds, clips and masks the vector; a file keeps the parts by name, as safetensors.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::chance;

/// A part of the vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Its name, such as `hidden.0.weight`.
    pub name: String,
    /// Its shape, row-major.
    pub shape: Vec<usize>,
    /// Where it begins in the vector.
    pub start: usize,
    /// How its values are drawn at the beginning.
    pub(crate) start_values: StartValues,
}

/// How a part's values are drawn before anything is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartValues {
    /// All zero: biases, and the ends of residual blocks, which so begin as if they were not there.
    Zero,
    /// Uniform within ± √(6 / fan-in), for layers before a ReLU.
    ///
    /// # Reference
    /// He et al., *Delving Deep into Rectifiers*, ICCV 2015, equation 10 (variance 2 / fan-in).
    BeforeRelu {
        /// Inputs of each of the layer's outputs.
        fan_in: usize,
    },
    /// Uniform within ± 1 / √fan-in, for the last layer.
    Last {
        /// Inputs of each of the layer's outputs.
        fan_in: usize,
    },
}

impl Slice {
    /// Number of its values.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Where it is in the vector.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.count()
    }
}

/// Lays slices out one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    slices: Vec<Slice>,
    end: usize,
}

impl Layer {
    pub(crate) fn add(&mut self, name: String, shape: Vec<usize>, start_values: StartValues) {
        let slice = Slice { name, shape, start: self.end, start_values };
        self.end = slice.range().end;
        self.slices.push(slice);
    }

    pub(crate) fn into_slices(self) -> Vec<Slice> {
        self.slices
    }
}

/// All that a network has learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    slices: Vec<Slice>,
    values: Vec<f32>,
}

impl Parameters {
    /// The values before anything is learnt; each part draws from a stream of its own.
    pub(crate) fn drawn(slices: Vec<Slice>, seed: u64) -> Self {
        let mut values = vec![0.0; slices.last().map_or(0, |slice| slice.range().end)];
        for (slice, stream) in slices.iter().zip(0..) {
            let bound = match slice.start_values {
                StartValues::Zero => continue,
                StartValues::BeforeRelu { fan_in } => (6.0 / fan_in.max(1) as f32).sqrt(),
                StartValues::Last { fan_in } => 1.0 / (fan_in.max(1) as f32).sqrt(),
            };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            // The steps of learning use the streams from 1 on.
            rng.set_stream(u64::MAX - stream);
            let part = &mut values[slice.range()];
            part.iter_mut().for_each(|value| *value = bound * (2.0 * chance::unit(&mut rng) - 1.0));
        }
        Self { slices, values }
    }

    /// The parts, in their order.
    #[must_use]
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// The vector.
    ///
    /// # Shapes
    /// `[n_parameters]`: the slices one behind the other.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The vector, to be changed in place; its length stays.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values as a safetensors file: each part under its name, 32-bit floats.
    pub(crate) fn to_safetensors(&self) -> Vec<u8> {
        let octets: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = |slice: &Slice| {
            let part = &octets[slice.start * 4..slice.range().end * 4];
            let view = TensorView::new(Dtype::F32, slice.shape.clone(), part);
            (slice.name.clone(), view.expect("invariant: a part has as many values as its shape"))
        };
        safetensors::serialize(self.slices.iter().map(view), None)
            .expect("invariant: names are distinct and the header is small")
    }

    /// Reads a safetensors file that has these parts and no others.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn from_safetensors(slices: Vec<Slice>, file: &[u8]) -> Result<Self, String> {
        let tensors =
            SafeTensors::deserialize(file).map_err(|error| format!("its weights: {error}"))?;
        let mut by_name: HashMap<String, TensorView<'_>> = tensors.tensors().into_iter().collect();
        if by_name.len() != slices.len() {
            let (found, expected) = (by_name.len(), slices.len());
            return Err(format!("its weights have {found} parts where {expected} belong"));
        }
        let mut values = Vec::with_capacity(file.len() / 4);
        for slice in &slices {
            let Some(view) = by_name.remove(&slice.name) else {
                return Err(format!("its weights lack {}", slice.name));
            };
            if view.dtype() != Dtype::F32 || view.shape() != slice.shape {
                let shape = view.shape();
                return Err(format!("its weights {} are {:?} {shape:?}", slice.name, view.dtype()));
            }
            let read = view.data().as_chunks().0.iter().map(|octets| f32::from_le_bytes(*octets));
            values.extend(read);
        }
        if values.iter().all(|value| value.is_finite()) {
            return Ok(Self { slices, values });
        }
        Err("a weight is infinite or none".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(seed: u64) -> Parameters {
        let mut layer = Layer::default();
        layer.add("a.weight".into(), vec![3, 50], StartValues::BeforeRelu { fan_in: 3 });
        layer.add("a.bias".into(), vec![50], StartValues::Zero);
        layer.add("b.weight".into(), vec![50, 2], StartValues::Last { fan_in: 50 });
        Parameters::drawn(layer.into_slices(), seed)
    }

    #[test]
    fn values_are_drawn_within_their_bounds_from_the_seed_alone() {
        let drawn = parameters(7);
        assert_eq!(drawn, parameters(7));
        assert_ne!(drawn.values(), parameters(8).values());
        let [weight, bias, last] = drawn.slices() else { panic!("three parts") };
        assert!(drawn.values()[bias.range()].iter().all(|value| *value == 0.0));
        for (slice, bound) in [(weight, 2.0_f32.sqrt()), (last, 50.0_f32.sqrt().recip())] {
            let part = &drawn.values()[slice.range()];
            let largest = part.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            assert!(largest <= bound && largest > 0.9 * bound, "{}: {largest}", slice.name);
        }
    }

    #[test]
    fn a_file_gives_the_same_parts_back_and_others_are_refused() {
        let drawn = parameters(7);
        let file = drawn.to_safetensors();
        let slices = || drawn.slices().to_vec();
        assert_eq!(Parameters::from_safetensors(slices(), &file), Ok(drawn.clone()));
        let refused = |slices, file: &[u8]| Parameters::from_safetensors(slices, file).unwrap_err();
        assert!(refused(slices(), &file[..file.len() - 1]).contains("weights"));
        assert!(refused(slices()[..2].to_vec(), &file).contains("3 parts where 2 belong"));
        let mut renamed = slices();
        renamed[0].name = "c.weight".into();
        assert!(refused(renamed, &file).contains("lack c.weight"));
        let mut turned = slices();
        turned[2].shape = vec![2, 50];
        assert!(refused(turned, &file).contains("b.weight are F32 [50, 2]"));
        let mut wild = drawn.clone();
        wild.values_mut()[3] = f32::NAN;
        assert!(refused(slices(), &wild.to_safetensors()).contains("infinite or none"));
    }
}
