//! The small sections of a model file: what makes its answers true, and what tells whose rows it learnt from.

use super::Model;
use super::sections::read_classes;
use super::wire::{Reader, Writer};
use crate::calibrate::{EarlySharpness, Sharpness};
use crate::categories::Categories;
use crate::conformal::Strangeness;
use crate::doubt::Doubt;
use crate::error::Error;
use crate::seen::Seen;

/// How many of them a model has.
pub(super) fn count(model: &Model) -> u32 {
    let there = [
        model.sharpness != Sharpness::NONE,
        model.strangeness.is_some(),
        model.doubt.is_some(),
        model.categories.is_some(),
        model.seen.is_some(),
        model.early.is_some(),
    ];
    there.into_iter().map(u32::from).sum()
}

pub(super) fn write(model: &Model, writer: &mut Writer) {
    if model.sharpness != Sharpness::NONE {
        writer.section(*b"SHRP", |writer| writer.f32(model.sharpness.power()));
    }
    if let Some(strangeness) = &model.strangeness {
        writer.section(*b"strg", |writer| numbers(writer, strangeness.scores()));
    }
    if let Some(doubt) = &model.doubt {
        writer.section(*b"dbts", |writer| numbers(writer, doubt.known()));
    }
    if let Some(categories) = &model.categories {
        writer.section(*b"catg", |writer| {
            writer.count(categories.names().len());
            categories.names().iter().for_each(|name| writer.text(name));
            writer.count(categories.of_class().len());
            categories.of_class().iter().for_each(|category| writer.u16(*category));
            numbers(writer, categories.doubt().known());
        });
    }
    if let Some(early) = &model.early {
        writer.section(*b"erly", |writer| {
            writer.count(early.steps().len());
            for (packets, sharpness) in early.steps() {
                writer.u32(*packets);
                writer.f32(sharpness.power());
            }
        });
    }
    if let Some(seen) = &model.seen {
        writer.section(*b"seen", |writer| {
            writer.octets(&seen.rows().to_le_bytes());
            writer.count(seen.least().len());
            seen.least().iter().for_each(|hash| writer.octets(&hash.to_le_bytes()));
        });
    }
}

fn numbers(writer: &mut Writer, numbers: &[f32]) {
    writer.count(numbers.len());
    numbers.iter().for_each(|number| writer.f32(*number));
}

pub(super) fn read_sharpness(reader: &mut Reader) -> Result<Sharpness, Error> {
    let power = f32::from_le_bytes(reader.array()?);
    Sharpness::new(power).ok_or_else(|| reader.refuse("its probabilities have no sharpness"))
}

pub(super) fn read_strangeness(reader: &mut Reader) -> Result<Strangeness, Error> {
    Strangeness::new(read_numbers(reader)?)
        .ok_or_else(|| reader.refuse("its scores do not ascend from 0 to 1"))
}

pub(super) fn read_doubt(reader: &mut Reader) -> Result<Doubt, Error> {
    Doubt::new(read_numbers(reader)?)
        .ok_or_else(|| reader.refuse("its entropies do not ascend from 0"))
}

pub(super) fn read_categories(reader: &mut Reader) -> Result<Categories, Error> {
    let names = read_classes(reader)?;
    let count = reader.count(2)?;
    let of_class = reader.arrays::<2>(count)?.iter().map(|o| u16::from_le_bytes(*o)).collect();
    let doubt = read_doubt(reader)?;
    Categories::new(names, of_class, doubt)
        .ok_or_else(|| reader.refuse("a class belongs to a category that is not there"))
}

fn read_numbers(reader: &mut Reader) -> Result<Vec<f32>, Error> {
    let count = reader.count(4)?;
    let numbers = reader.arrays::<4>(count)?;
    Ok(numbers.iter().map(|octets| f32::from_le_bytes(*octets)).collect())
}

pub(super) fn read_seen(reader: &mut Reader) -> Result<Seen, Error> {
    let rows = reader.u64()?;
    let count = reader.count(8)?;
    let least =
        reader.arrays::<8>(count)?.iter().map(|octets| u64::from_le_bytes(*octets)).collect();
    Seen::new(rows, least).ok_or_else(|| reader.refuse("its sample of rows is none"))
}

pub(super) fn read_early(reader: &mut Reader) -> Result<EarlySharpness, Error> {
    let count = reader.count(8)?;
    let steps = (0..count).map(|_| Ok((reader.u32()?, read_sharpness(reader)?)));
    let steps = steps.collect::<Result<_, Error>>()?;
    EarlySharpness::new(steps).ok_or_else(|| reader.refuse("its packets do not ascend from 1"))
}
