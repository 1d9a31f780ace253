//! A column that may be numbers, lists or text: what it is, is told when all its cells were seen.

use super::row_number::RowNumber;
use super::{A_NUMBER, NO_VALUE, ONE_HOT_MAX, Place, bucket, bucket_columns, push_list};
use crate::Error;
use crate::schema::SEQUENCE_LENGTH;
use crate::table::cell::{Cell, Number, is_list, is_spaced_number};

/// What is known so far of a column that may be numbers or text.
#[derive(Default)]
pub(crate) struct Guess {
    values: Vec<f32>,
    numbers: u64,
    texts: u64,
    /// The first cell that is no number: as an error, and for a report.
    first_bad: Option<(Error, String)>,
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
    /// How many cells were lists, and how many of those could as well be one number with spaces between its thousands.
    list_cells: u64,
    spaced_cells: u64,
    row_number: RowNumber,
}

/// What a guessed column turned out to be.
pub(crate) enum Guessed {
    Number(Vec<f32>),
    /// The places of a list of integers; a cell, where all lists may be numbers with spaces between their thousands.
    List(Vec<Vec<f32>>, Option<String>),
    /// The distinct values, sorted, with a column each.
    Text(Vec<(String, Vec<f32>)>),
    /// Text with more than [`ONE_HOT_MAX`] distinct values that was asked for, by bucket.
    Hashed(Vec<Vec<f32>>),
    /// Text with more than [`ONE_HOT_MAX`] distinct values, and the first that is no number.
    TooMany(String),
    /// The numbers of the rows.
    RowNumber,
    Empty,
}

impl Guess {
    /// A guess that hashes what has too many values for a column each.
    pub(crate) fn hashing() -> Self {
        Self {
            buckets: Some(Vec::new()),
            // Who asks for the numbers of the rows gets them.
            row_number: RowNumber::refuted(),
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, cell: &Cell<'_>, place: &Place<'_>, infinities: &mut u64) {
        self.row_number.push(cell, place);
        let list = match *cell {
            Cell::Integers(_) => true,
            Cell::Text(text) => is_list(text),
            _ => false,
        };
        self.list_cells += u64::from(list);
        self.spaced_cells += u64::from(list && is_spaced(cell));
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
                    self.first_bad = Some((place.error(cell, A_NUMBER), place.seen(cell)));
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
        if self.row_number.is_found(self.values.len()) {
            return Ok(Guessed::RowNumber);
        }
        // `1 102` among plain numbers is no list. Packet sizes are told from it by any list that is no number in groups of three.
        let spaced = self.list_cells == self.spaced_cells;
        if let Some(lists) = self.lists.filter(|_| !spaced || self.texts >= self.numbers) {
            let doubtful = self.first_bad.filter(|_| spaced).map(|(_, seen)| seen);
            return Ok(Guessed::List(lists, doubtful));
        }
        match self.first_bad {
            None if self.numbers > 0 => return Ok(Guessed::Number(self.values)),
            None => return Ok(Guessed::Empty),
            Some((error, _)) if self.numbers > self.texts => return Err(error),
            Some((_, seen)) if self.too_many => {
                let hashed = self.buckets.map(|buckets| Guessed::Hashed(bucket_columns(&buckets)));
                return Ok(hashed.unwrap_or(Guessed::TooMany(seen)));
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

/// Whether a list may be meant as one number.
fn is_spaced(cell: &Cell<'_>) -> bool {
    matches!(*cell, Cell::Text(text) if is_spaced_number(text))
}
