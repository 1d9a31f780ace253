//! Columns of numbers, gathered cell by cell.

use std::collections::HashMap;

use super::cell::{Cell, Number, integers, is_list};
use crate::Error;
use crate::schema::SEQUENCE_LENGTH;

/// Where a cell stands, for an error.
pub(crate) struct Place<'a> {
    pub(crate) path: &'a std::path::Path,
    pub(crate) line: u64,
    pub(crate) column: &'a str,
    /// From 0.
    pub(crate) number: usize,
}

impl Place<'_> {
    pub(crate) fn error(&self, cell: &Cell<'_>, expected: &'static str) -> Error {
        const SHOWN: usize = 40;
        let mut value = String::new();
        cell.write(&mut value);
        if let Some((end, _)) = value.char_indices().nth(SHOWN) {
            value.truncate(end);
            value.push('…');
        }
        Error::Cell {
            path: self.path.to_path_buf(),
            line: self.line,
            number: self.number + 1,
            column: self.column.to_string(),
            value,
            expected,
        }
    }
}

const A_NUMBER: &str = "a number (empty, NaN, ? and NA are missing)";
const INTEGERS: &str = "a list of integers";

/// The most distinct values of a text column that become columns of their own.
pub(crate) const ONE_HOT_MAX: usize = 20;

/// Columns that a text with more distinct values becomes, where it was asked for.
pub(crate) const BUCKETS: usize = 32;

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

/// Gathers the features that one column of a table becomes.
pub(crate) enum Builder {
    /// A number; anything else is an error.
    Number(Vec<f32>),
    /// Places of a list; a shorter list leaves the rest missing.
    List(Vec<Vec<f32>>),
    /// Known values of a text column.
    OneHot { places: HashMap<String, usize>, columns: Vec<Vec<f32>> },
    /// The buckets of a text.
    Hash(Vec<u8>),
    /// A number or a text, to be told when all cells were seen.
    Guess(Box<Guess>),
}

/// What is known so far of a column that may be numbers or text.
#[derive(Default)]
pub(crate) struct Guess {
    values: Vec<f32>,
    numbers: u64,
    texts: u64,
    first_bad: Option<Error>,
    distinct: Vec<String>,
    /// Each row's place in `distinct`, [`NO_VALUE`] where there is none; empty when there are too many distinct values.
    codes: Vec<u8>,
    too_many: bool,
    /// Each row's bucket, where a text with many values is to be hashed.
    buckets: Option<Vec<u8>>,
    /// The places of lists, from the first list on; before it every row had one number, or none.
    lists: Option<Vec<Vec<f32>>>,
    /// Whether some cell was neither a list nor a number.
    mixed: bool,
}

const NO_VALUE: u8 = u8::MAX;

/// What a guessed column turned out to be.
pub(crate) enum Guessed {
    Number(Vec<f32>),
    /// The places of a list of integers.
    List(Vec<Vec<f32>>),
    /// The distinct values, sorted, with a column each.
    Text(Vec<(String, Vec<f32>)>),
    /// Text with more than [`ONE_HOT_MAX`] distinct values that was asked for, by bucket.
    Hashed(Vec<Vec<f32>>),
    /// Text with more than [`ONE_HOT_MAX`] distinct values.
    TooMany,
    Empty,
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
            Self::OneHot { places, columns } => {
                let text = cell.text();
                let found = text.as_ref().and_then(|text| places.get(text.as_ref()));
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
        Cell::Text(text) => integers(text).try_for_each(give)?,
        Cell::Integer(value) => give(Some(value))?,
        Cell::Integers(values) => values.iter().try_for_each(|&value| give(Some(value)))?,
        Cell::Float(_) | Cell::Double(_) => return Err(place.error(cell, INTEGERS)),
    }
    columns.for_each(|column| column.push(f32::NAN));
    Ok(())
}

impl Guess {
    /// A guess that hashes what has too many values for a column each.
    pub(crate) fn hashing() -> Self {
        Self { buckets: Some(Vec::new()), ..Self::default() }
    }

    fn push(&mut self, cell: &Cell<'_>, place: &Place<'_>, infinities: &mut u64) {
        let list = match *cell {
            Cell::Integers(_) => true,
            Cell::Text(text) => is_list(text),
            _ => false,
        };
        if list && self.lists.is_none() && !self.mixed {
            // The rows so far were lists of one number.
            let mut lists = vec![vec![f32::NAN; self.values.len()]; SEQUENCE_LENGTH];
            lists[0].clone_from(&self.values);
            self.lists = Some(lists);
        }
        let value = match cell.number() {
            Number::Value(value) => {
                self.numbers += 1;
                value
            }
            Number::Infinite => {
                self.numbers += 1;
                *infinities += 1;
                f32::NAN
            }
            Number::Missing => f32::NAN,
            Number::Not => {
                self.texts += 1;
                self.mixed |= !list;
                if self.first_bad.is_none() {
                    self.first_bad = Some(place.error(cell, A_NUMBER));
                }
                f32::NAN
            }
        };
        self.values.push(value);
        if let Some(buckets) = &mut self.buckets {
            buckets.push(cell.text().map_or(NO_VALUE, |text| bucket(&text)));
        }
        if let Some(lists) = &mut self.lists
            && (self.mixed || push_list(lists, cell, place).is_err())
        {
            (self.lists, self.mixed) = (None, true);
        }
        if !self.too_many {
            self.code(cell);
        }
    }

    fn code(&mut self, cell: &Cell<'_>) {
        let code = match cell.text() {
            None => NO_VALUE,
            Some(text) => match self.distinct.iter().position(|seen| *seen == text) {
                Some(place) => place as u8,
                None if self.distinct.len() == ONE_HOT_MAX => {
                    self.too_many = true;
                    self.codes = Vec::new();
                    self.distinct = Vec::new();
                    return;
                }
                None => {
                    self.distinct.push(text.into_owned());
                    self.distinct.len() as u8 - 1
                }
            },
        };
        self.codes.push(code);
    }

    /// Tells what the column is. A column that is mostly numbers is one of numbers, and its first other cell an error.
    pub(crate) fn finish(self) -> Result<Guessed, Error> {
        if let Some(lists) = self.lists {
            return Ok(Guessed::List(lists));
        }
        match self.first_bad {
            None if self.numbers > 0 => return Ok(Guessed::Number(self.values)),
            None => return Ok(Guessed::Empty),
            Some(error) if self.numbers > self.texts => return Err(error),
            Some(_) if self.too_many => {
                let hashed = self.buckets.map(|buckets| Guessed::Hashed(bucket_columns(&buckets)));
                return Ok(hashed.unwrap_or(Guessed::TooMany));
            }
            Some(_) => {}
        }
        let mut values: Vec<(String, Vec<f32>)> = (0..)
            .zip(self.distinct)
            .map(|(place, value)| {
                let one = |&code: &u8| match code {
                    NO_VALUE => f32::NAN,
                    code => f32::from(u8::from(code == place)),
                };
                (value, self.codes.iter().map(one).collect())
            })
            .collect();
        values.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Guessed::Text(values))
    }
}
