//! Columns of numbers, gathered cell by cell.

mod guess;
mod row_number;

use std::collections::HashMap;

use super::cell::{Cell, Number, integers, is_missing_number};
use super::source::Source;
use crate::Error;
use crate::schema::SEQUENCE_LENGTH;

pub(crate) use guess::{Guess, Guessed};

/// Where a cell stands: what it costs to tell is only paid for an error.
pub(crate) struct Place<'a> {
    pub(crate) source: &'a Source,
    /// The column's, from 0.
    pub(crate) number: usize,
}

impl Place<'_> {
    pub(crate) fn error(&self, cell: &Cell<'_>, expected: &'static str) -> Error {
        Error::Cell {
            path: self.source.path().to_path_buf(),
            counted: self.source.counted(),
            line: self.source.line(),
            number: self.number + 1,
            column: self.source.header()[self.number].clone(),
            value: shown(cell),
            expected,
        }
    }

    /// The cell and where it is, for a report.
    fn seen(&self, cell: &Cell<'_>) -> String {
        format!("'{}' in {} {}", shown(cell), self.source.counted(), self.source.line())
    }
}

/// The beginning of a cell, as one line of what can be printed.
fn shown(cell: &Cell<'_>) -> String {
    const SHOWN: usize = 40;
    let mut text = String::new();
    cell.write(&mut text);
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut value: String = text.chars().take(SHOWN).map(plain).collect();
    if text.chars().nth(SHOWN).is_some() {
        value.push('…');
    }
    value
}

const A_NUMBER: &str = "a number (missing are: empty, NaN, NA, N/A, null, None, - and ?)";
const INTEGERS: &str = "a list of integers";

/// The most distinct values of a text column that become columns of their own.
pub(crate) const ONE_HOT_MAX: usize = 20;

/// Columns that a text with more distinct values becomes, where it was asked for.
pub(crate) const BUCKETS: usize = 32;

/// The code or the bucket of a missing cell.
const NO_VALUE: u8 = u8::MAX;

/// The bucket of a text, the same on every machine: FNV-1a, 64 bits.
fn bucket(text: &str) -> u8 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    ((hash ^ hash >> 32) % BUCKETS as u64) as u8
}

/// A column for each bucket: 1 where the row's text falls into it, missing where it has none.
fn bucket_columns(buckets: &[u8]) -> Vec<Vec<f32>> {
    let of = |bucket: usize| {
        let one = |&own: &u8| match own {
            NO_VALUE => f32::NAN,
            own => f32::from(u8::from(usize::from(own) == bucket)),
        };
        buckets.iter().map(one).collect()
    };
    (0..BUCKETS).map(of).collect()
}

/// Text in a column that is none of its known values.
#[derive(Default)]
pub(crate) struct Strangers {
    /// Rows with such text.
    pub(crate) rows: u64,
    /// The first.
    pub(crate) first: Option<String>,
}

/// Gathers the features that one column of a table becomes.
pub(crate) enum Builder {
    /// A number; anything else is an error.
    Number(Vec<f32>),
    /// Places of a list; a shorter list leaves the rest missing.
    List(Vec<Vec<f32>>),
    /// Known values of a text column, and what came that is none of them.
    OneHot { places: HashMap<String, usize>, columns: Vec<Vec<f32>>, strangers: Strangers },
    /// The buckets of a text.
    Hash(Vec<u8>),
    /// A number or a text, to be told when all cells were seen.
    Guess(Box<Guess>),
}

impl Builder {
    /// The columns of buckets.
    pub(crate) fn hashed(buckets: &[u8]) -> Vec<Vec<f32>> {
        bucket_columns(buckets)
    }

    pub(crate) fn list() -> Self {
        Self::List(vec![Vec::new(); SEQUENCE_LENGTH])
    }

    /// Takes the next row's cell; infinities are counted.
    pub(crate) fn push(
        &mut self,
        cell: &Cell<'_>,
        place: &Place<'_>,
        infinities: &mut u64,
    ) -> Result<(), Error> {
        match self {
            Self::Number(values) => values.push(match cell.number() {
                Number::Value(value) => value,
                Number::Missing => f32::NAN,
                Number::Infinite => {
                    *infinities += 1;
                    f32::NAN
                }
                Number::Not => return Err(place.error(cell, A_NUMBER)),
            }),
            Self::List(columns) => push_list(columns, cell, place)?,
            Self::OneHot { places, columns, strangers } => {
                let text = cell.text();
                let found = text.as_ref().and_then(|text| places.get(text.as_ref()));
                if let (Some(text), None) = (&text, found) {
                    strangers.rows += 1;
                    strangers.first.get_or_insert_with(|| shown(&Cell::Text(text.as_ref())));
                }
                let otherwise = if text.is_some() { 0.0 } else { f32::NAN };
                for (index, column) in columns.iter_mut().enumerate() {
                    column.push(if found == Some(&index) { 1.0 } else { otherwise });
                }
            }
            Self::Hash(buckets) => buckets.push(cell.text().map_or(NO_VALUE, |text| bucket(&text))),
            Self::Guess(guess) => guess.push(cell, place, infinities),
        }
        Ok(())
    }
}

fn push_list(columns: &mut [Vec<f32>], cell: &Cell<'_>, place: &Place<'_>) -> Result<(), Error> {
    let mut columns = columns.iter_mut();
    let mut give = |value: Option<i64>| {
        let value = value.ok_or_else(|| place.error(cell, INTEGERS))?;
        if let Some(column) = columns.next() {
            column.push(value as f32);
        }
        Ok(())
    };
    match *cell {
        Cell::Missing => {}
        Cell::Text(text) if is_missing_number(text.trim()) => {}
        Cell::Text(text) => integers(text).try_for_each(give)?,
        Cell::Integer(value) => give(Some(value))?,
        Cell::Integers(values) => values.iter().try_for_each(|&value| give(Some(value)))?,
        Cell::Float(_) | Cell::Double(_) => return Err(place.error(cell, INTEGERS)),
    }
    columns.for_each(|column| column.push(f32::NAN));
    Ok(())
}
