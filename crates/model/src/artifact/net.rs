//! A neural network in a model file.
//!
//! | octets | what |
//! | --- | --- |
//! | 4 | number of columns of the table |
//! | 4 | number of sequences; for each: number of lists; for each: kind (u8: 0 sizes, 1 gaps, 2 other), scale, its columns |
//! | 4 | number of plain columns; for each: its column, scale, whether it tells what is missing (u8) |
//! | 1 | form: 0 fully connected, 1 convolutions |
//! | 4, 4 | with convolutions: channels between them, residual blocks |
//! | list | width of each hidden layer |
//! | 4 | number of classes |
//! | rest | the weights, a safetensors file |
//!
//! A scale is whether logarithms are taken (u8), mean and deviation (f32); a list is its number of items as u32, then each as u32.

use flowgait_features::layout::ListKind;

use super::linear::{limited, list, read_columns};
use super::wire::{Reader, Writer};
use crate::error::Error;
use crate::net::architecture::Architecture;
use crate::net::cnn::Cnn;
use crate::net::inputs::{Inputs, ListInput, ScalarInput, Scale, SequenceInput};
use crate::net::mlp::Mlp;
use crate::net::params::{LAYERS_MAX, WIDTH_MAX};
use crate::net::{Network, PARAMETERS_MAX, Parameters};
use crate::training::{CLASSES_MAX, COLUMNS_MAX};

const KINDS: [ListKind; 3] = [ListKind::Size, ListKind::Gap, ListKind::Other];

pub(super) fn write(network: &Network, writer: &mut Writer) {
    let Inputs { features, sequences, scalars } = &network.inputs;
    writer.count(*features);
    writer.count(sequences.len());
    for sequence in sequences {
        writer.count(sequence.lists.len());
        for of in &sequence.lists {
            let kind = KINDS.iter().position(|kind| *kind == of.kind);
            writer.u8(kind.expect("invariant: every kind has a number") as u8);
            write_scale(of.scale, writer);
            list(writer, &of.columns);
        }
    }
    writer.count(scalars.len());
    for scalar in scalars {
        writer.count(scalar.column);
        write_scale(scalar.scale, writer);
        writer.u8(u8::from(scalar.tells_missing));
    }
    let (hidden, classes) = match &network.architecture {
        Architecture::Mlp(mlp) => {
            writer.u8(0);
            (&mlp.hidden, mlp.classes)
        }
        Architecture::Cnn(cnn) => {
            writer.u8(1);
            writer.count(cnn.width);
            writer.count(cnn.blocks);
            (&cnn.hidden, cnn.classes)
        }
    };
    list(writer, hidden);
    writer.count(classes);
    writer.octets(&network.parameters.to_safetensors());
}

fn write_scale(scale: Scale, writer: &mut Writer) {
    writer.u8(u8::from(scale.log));
    writer.f32(scale.mean);
    writer.f32(scale.deviation);
}

pub(super) fn read(reader: &mut Reader) -> Result<Network, Error> {
    let inputs = read_inputs(reader)?;
    let architecture = read_architecture(reader, &inputs)?;
    let slices = architecture.slices();
    // Widths, layers, lists and classes have their limits, so this count does not overflow.
    let count = slices.last().map_or(0, |slice| slice.range().end);
    if count > PARAMETERS_MAX {
        return Err(reader.refuse(&format!("{count} parameters, more than {PARAMETERS_MAX}")));
    }
    let parameters = Parameters::from_safetensors(slices, reader.rest())
        .map_err(|reason| reader.refuse(&reason))?;
    Ok(Network { inputs, architecture, parameters })
}

fn read_inputs(reader: &mut Reader) -> Result<Inputs, Error> {
    let features = limited(reader.u32()? as usize, COLUMNS_MAX, reader, "columns")?;
    // A column is seen once, so that no count grows past the columns.
    let mut left = features;
    let sequences = reader.count(4)?;
    let sequences = (0..sequences)
        .map(|_| read_sequence(reader, features, &mut left))
        .collect::<Result<_, _>>()?;
    let mut scalars = Vec::new();
    for _ in 0..reader.count(14)? {
        let column = reader.u32()? as usize;
        spend(&mut left, 1, reader)?;
        if column >= features {
            return Err(reader.refuse(&format!("column {column} of {features}")));
        }
        let scale = read_scale(reader)?;
        scalars.push(ScalarInput { column, scale, tells_missing: read_flag(reader)? });
    }
    Ok(Inputs { features, sequences, scalars })
}

fn read_sequence(
    reader: &mut Reader,
    features: usize,
    left: &mut usize,
) -> Result<SequenceInput, Error> {
    let mut lists: Vec<ListInput> = Vec::new();
    for _ in 0..reader.count(14)? {
        let kind = KINDS.get(usize::from(reader.u8()?)).copied();
        let Some(kind) = kind else {
            return Err(reader.refuse("a list is of no known kind"));
        };
        let scale = read_scale(reader)?;
        let columns = read_columns(reader, features)?;
        spend(left, columns.len(), reader)?;
        if columns.is_empty() || lists.first().is_some_and(|f| f.columns.len() != columns.len()) {
            return Err(reader.refuse("the lists of a sequence are not of one length"));
        }
        lists.push(ListInput { columns, kind, scale });
    }
    match lists.is_empty() {
        true => Err(reader.refuse("a sequence has no list")),
        false => Ok(SequenceInput { lists }),
    }
}

fn spend(left: &mut usize, count: usize, reader: &Reader) -> Result<(), Error> {
    *left = left
        .checked_sub(count)
        .ok_or_else(|| reader.refuse("it sees more columns than there are"))?;
    Ok(())
}

fn read_scale(reader: &mut Reader) -> Result<Scale, Error> {
    let log = read_flag(reader)?;
    let [mean, deviation] =
        [f32::from_le_bytes(reader.array()?), f32::from_le_bytes(reader.array()?)];
    if mean.is_finite() && deviation.is_finite() && deviation > 0.0 {
        return Ok(Scale { log, mean, deviation });
    }
    Err(reader.refuse("a scale is no mean and no deviation"))
}

fn read_flag(reader: &mut Reader) -> Result<bool, Error> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(reader.refuse("a yes or no is neither")),
    }
}

fn read_architecture(reader: &mut Reader, inputs: &Inputs) -> Result<Architecture, Error> {
    let convolutions = read_flag(reader)?;
    let mut size = |most, what| limited(reader.u32()? as usize, most, reader, what);
    let (width, blocks) = match convolutions {
        true => (size(WIDTH_MAX, "channels")?, size(LAYERS_MAX, "blocks")?),
        false => (1, 1),
    };
    let layers = reader.count(4)?;
    if layers > LAYERS_MAX {
        return Err(reader.refuse(&format!("{layers} hidden layers, more than {LAYERS_MAX}")));
    }
    let mut size = |most, what| limited(reader.u32()? as usize, most, reader, what);
    let hidden =
        (0..layers).map(|_| size(WIDTH_MAX, "values of a layer")).collect::<Result<_, _>>()?;
    let classes = size(CLASSES_MAX, "classes")?;
    if convolutions == inputs.sequences.is_empty() || (!convolutions && inputs.scalars() == 0) {
        return Err(reader.refuse("its form and its inputs do not fit together"));
    }
    Ok(match convolutions {
        true => Architecture::Cnn(Cnn {
            channels: inputs.channels(),
            length: inputs.length(),
            scalars: inputs.scalars(),
            width,
            blocks,
            hidden,
            classes,
        }),
        false => Architecture::Mlp(Mlp { inputs: inputs.scalars(), hidden, classes }),
    })
}
