//! Columns that number the rows, whatever they are called: integers that rise by one from row to row, all the way.
//!
//! Such a column tells where in its table a row stands. Where a table is sorted by label, that is the answer itself, and in the next
//! table it means nothing.

use super::Place;
use crate::table::cell::Cell;

/// Over fewer rows than this a count that rises by one may be a measurement.
const ROWS_MIN: usize = 20;

/// Watches a column cell by cell.
#[derive(Default)]
pub(super) struct RowNumber {
    /// The cell less the row's number: the same in all rows of a table. Rows that were left out have a number too.
    offset: Option<i64>,
    row: u64,
    refuted: bool,
}

impl RowNumber {
    /// A watch that never finds anything.
    pub(super) fn refuted() -> Self {
        Self { refuted: true, ..Self::default() }
    }

    pub(super) fn push(&mut self, cell: &Cell<'_>, place: &Place<'_>) {
        if self.refuted {
            return;
        }
        let row = place.source.row();
        // Every table may count from its own start.
        if row <= self.row {
            self.offset = None;
        }
        self.row = row;
        let row = i64::try_from(row).unwrap_or(i64::MAX);
        match whole(cell).and_then(|value| value.checked_sub(row)) {
            Some(offset) => self.refuted = *self.offset.get_or_insert(offset) != offset,
            None => self.refuted = true,
        }
    }

    /// Whether so many rows were numbered.
    pub(super) fn is_found(&self, rows: usize) -> bool {
        !self.refuted && rows >= ROWS_MIN
    }
}

/// A cell as an integer, however it is written.
fn whole(cell: &Cell<'_>) -> Option<i64> {
    let integer = |value: f64| (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
    match *cell {
        Cell::Integer(value) => Some(value),
        Cell::Float(value) => integer(value.into()),
        Cell::Double(value) => integer(value),
        Cell::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| integer(text.parse().ok()?))
        }
        Cell::Missing | Cell::Integers(_) => None,
    }
}
