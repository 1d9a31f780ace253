//! A linear classifier in a model file.
//!
//! | octets | what |
//! | --- | --- |
//! | 4, 4 | number of columns of the table, number of classes |
//! | 1 | sizes: 0 none, 1 with headers, 2 of payload |
//! | lists | columns of the sizes; number of sets, columns of each; columns of plain numbers |
//! | 4 each | shifts of the bins (6 of u32) |
//! | 4 | number of tokens; the tokens (u64, ascending), their weights (f32) |
//! | 4 | number of ranked columns; for each: its column, number of cuts, the cuts (f32, ascending) |
//! | 4, 4 | weight of the numbers (f32), sharpness (f32) |
//! | 4 | number of training rows; for each: number of its tokens, their places (u32, ascending), their values (f32) |
//! | 4 each | pulls, row by row; weights of the numbers, number by number; intercepts (f32) |
//!
//! A list is its number of items as u32, then each as u32.

use flowgait_features::layout::{Layout, Sizes};

use super::wire::{Reader, Writer};
use crate::error::Error;
use crate::linear::Linear;
use crate::linear::ranks::Ranks;
use crate::linear::tfidf::{Sparse, Vocabulary};
use crate::linear::tokens::{Tokens, WIDEST};
use crate::training::{CLASSES_MAX, COLUMNS_MAX};

pub(super) fn write(linear: &Linear, writer: &mut Writer) {
    writer.count(linear.features);
    writer.count(linear.classes);
    let Layout { sizes, sets, scalars } = &linear.layout;
    writer.u8(sizes.as_ref().map_or(0, |sizes| if sizes.payload { 2 } else { 1 }));
    list(writer, sizes.as_ref().map_or(&[], |sizes| &sizes.columns));
    writer.count(sets.len());
    sets.iter().for_each(|set| list(writer, set));
    list(writer, scalars);
    linear.tokens.shifts.iter().flatten().for_each(|shift| writer.u32(*shift));
    let vocabulary = &linear.vocabulary;
    writer.count(vocabulary.tokens.len());
    vocabulary.tokens.iter().for_each(|token| writer.octets(&token.to_le_bytes()));
    floats(writer, &vocabulary.idf);
    writer.count(linear.ranks.columns.len());
    for (column, cuts) in linear.ranks.columns.iter().zip(&linear.ranks.cuts) {
        writer.count(*column);
        writer.count(cuts.len());
        floats(writer, cuts);
    }
    floats(writer, &[linear.numbers, linear.sharpness]);
    writer.count(linear.rows.rows());
    for row in 0..linear.rows.rows() {
        let (places, values) = linear.rows.row(row);
        writer.count(places.len());
        places.iter().for_each(|place| writer.u32(*place));
        floats(writer, values);
    }
    floats(writer, &linear.pulls);
    floats(writer, &linear.number_weights);
    floats(writer, &linear.intercepts);
}

pub(super) fn list(writer: &mut Writer, items: &[usize]) {
    writer.count(items.len());
    items.iter().for_each(|item| writer.count(*item));
}

fn floats(writer: &mut Writer, values: &[f32]) {
    values.iter().for_each(|value| writer.f32(*value));
}

pub(super) fn read(reader: &mut Reader) -> Result<Linear, Error> {
    let features = limited(reader.u32()? as usize, COLUMNS_MAX, reader, "columns")?;
    let classes = limited(reader.u32()? as usize, CLASSES_MAX, reader, "classes")?;
    let layout = read_layout(reader, features)?;
    let mut tokens = Tokens { shifts: Default::default() };
    for shift in tokens.shifts.iter_mut().flatten() {
        *shift = reader.u32()?;
        if *shift >= WIDEST {
            return Err(reader.refuse("a bin is shifted by more than its width"));
        }
    }
    let vocabulary = read_vocabulary(reader)?;
    let ranks = read_ranks(reader, features)?;
    let (numbers, sharpness) = (read_float(reader)?, read_float(reader)?);
    if sharpness <= 0.0 {
        return Err(reader.refuse("the sharpness of its probabilities is not above 0"));
    }
    let rows = read_rows(reader, vocabulary.tokens.len())?;
    let pulls = read_floats(reader, rows.rows().saturating_mul(classes))?;
    let number_weights = read_floats(reader, ranks.columns.len().saturating_mul(classes))?;
    let intercepts = read_floats(reader, classes)?;
    let parts =
        Parts { layout, features, classes, tokens, vocabulary, ranks, numbers, rows, pulls };
    Ok(parts.into_linear(number_weights, intercepts, sharpness))
}

/// What is read before the last three.
struct Parts {
    layout: Layout,
    features: usize,
    classes: usize,
    tokens: Tokens,
    vocabulary: Vocabulary,
    ranks: Ranks,
    numbers: f32,
    rows: Sparse,
    pulls: Vec<f32>,
}

impl Parts {
    fn into_linear(self, number_weights: Vec<f32>, intercepts: Vec<f32>, sharpness: f32) -> Linear {
        let holders = crate::linear::holders(&self.rows, self.vocabulary.tokens.len());
        let Self { layout, features, classes, tokens, vocabulary, ranks, numbers, rows, pulls } =
            self;
        Linear {
            layout,
            features,
            classes,
            tokens,
            vocabulary,
            ranks,
            numbers,
            rows,
            pulls,
            number_weights,
            intercepts,
            sharpness,
            holders,
        }
    }
}

pub(super) fn limited(
    count: usize,
    most: usize,
    reader: &Reader,
    what: &str,
) -> Result<usize, Error> {
    if (1..=most).contains(&count) {
        return Ok(count);
    }
    Err(reader.refuse(&format!("{count} {what}, where 1 to {most} may be")))
}

fn read_layout(reader: &mut Reader, features: usize) -> Result<Layout, Error> {
    let kind = reader.u8()?;
    let columns = read_columns(reader, features)?;
    let sizes = match kind {
        0 if columns.is_empty() => None,
        1 | 2 => Some(Sizes { columns, payload: kind == 2 }),
        _ => return Err(reader.refuse("its sizes are of no known kind")),
    };
    let sets = reader.count(4)?;
    let sets = (0..sets).map(|_| read_columns(reader, features)).collect::<Result<_, _>>()?;
    Ok(Layout { sizes, sets, scalars: read_columns(reader, features)? })
}

pub(super) fn read_columns(reader: &mut Reader, features: usize) -> Result<Vec<usize>, Error> {
    let count = reader.count(4)?;
    (0..count).map(|_| read_column(reader, features)).collect()
}

fn read_column(reader: &mut Reader, features: usize) -> Result<usize, Error> {
    let column = reader.u32()? as usize;
    if column < features {
        return Ok(column);
    }
    Err(reader.refuse(&format!("column {column} of {features}")))
}

fn read_vocabulary(reader: &mut Reader) -> Result<Vocabulary, Error> {
    let count = reader.count(12)?;
    let tokens: Vec<u64> =
        reader.arrays::<8>(count)?.iter().map(|octets| u64::from_le_bytes(*octets)).collect();
    if !tokens.is_sorted_by(|a, b| a < b) {
        return Err(reader.refuse("its tokens do not ascend"));
    }
    Ok(Vocabulary { tokens, idf: read_floats(reader, count)? })
}

fn read_ranks(reader: &mut Reader, features: usize) -> Result<Ranks, Error> {
    let mut ranks = Ranks::default();
    for _ in 0..reader.count(8)? {
        ranks.columns.push(read_column(reader, features)?);
        let count = reader.count(4)?;
        let cuts = read_floats(reader, count)?;
        if count == 0 || !cuts.is_sorted() {
            return Err(reader.refuse("the cuts of a number's ranks do not ascend"));
        }
        ranks.cuts.push(cuts);
    }
    Ok(ranks)
}

fn read_rows(reader: &mut Reader, tokens: usize) -> Result<Sparse, Error> {
    let mut rows = Sparse::default();
    for _ in 0..reader.count(4)? {
        let count = reader.count(8)?;
        let places: Vec<u32> =
            reader.arrays::<4>(count)?.iter().map(|octets| u32::from_le_bytes(*octets)).collect();
        let last = places.last().is_none_or(|&last| (last as usize) < tokens);
        if !(last && places.is_sorted_by(|a, b| a < b)) {
            return Err(reader.refuse("the tokens of a row do not ascend, or are not known"));
        }
        let values = read_floats(reader, count)?;
        let row: Vec<(u32, f32)> = places.into_iter().zip(values).collect();
        rows.push(&row);
    }
    Ok(rows)
}

fn read_float(reader: &mut Reader) -> Result<f32, Error> {
    Ok(read_floats(reader, 1)?[0])
}

fn read_floats(reader: &mut Reader, count: usize) -> Result<Vec<f32>, Error> {
    let octets = reader.arrays::<4>(count)?;
    let values: Vec<f32> = octets.iter().map(|octets| f32::from_le_bytes(*octets)).collect();
    if values.iter().all(|value| value.is_finite()) {
        return Ok(values);
    }
    Err(reader.refuse("a number is infinite or none"))
}
