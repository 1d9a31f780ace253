//! The row that is asked about, and rows to hold it against, from tables of any length.

use flowgait_features::Dataset;
use flowgait_features::table::RowReader;

use super::{BACKGROUND_ROWS, Held};
use crate::artifact::Model;

/// Rows read at a time.
const BATCH_ROWS: usize = 8_192;
/// Rows that are held at most.
const HELD_MAX: usize = 20_000;

/// Which rows of a table are held to hold a row against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// None.
    None,
    /// Those that are evenly spread over it.
    Spread,
}

/// The numbers, from 1, of the background's rows in a table of so many: the row that is asked about is left out where it is one of them.
#[must_use]
pub fn spread(rows: u64) -> Vec<u64> {
    let mut stride = 1;
    while rows.div_ceil(stride) > HELD_MAX as u64 {
        stride *= 2;
    }
    let held = rows.div_ceil(stride);
    places(held as usize).map(|place| place as u64 * stride + 1).collect()
}

/// Which of so many held rows are the background.
fn places(held: usize) -> impl Iterator<Item = usize> {
    let count = held.min(BACKGROUND_ROWS);
    (0..count).map(move |at| at * held / count)
}

/// The row and others, as columns of a model.
pub struct Gathered {
    label: String,
    columns: Vec<Vec<f32>>,
    numbers: Vec<u64>,
    labels: Vec<Option<String>>,
    /// Every how manieth row is held.
    stride: u64,
    own: Option<Own>,
    rows_read: u64,
}

struct Own {
    values: Vec<f32>,
    number: u64,
    label: Option<String>,
    /// Whether it is from the table whose rows are held.
    among_others: bool,
}

impl Gathered {
    /// Nothing yet.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        Self {
            label: model.card().label.clone(),
            columns: vec![Vec::new(); model.schema().features.len()],
            numbers: Vec::new(),
            labels: Vec::new(),
            stride: 1,
            own: None,
            rows_read: 0,
        }
    }

    /// Reads a table: its row with number `own`, and others.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub fn read(
        &mut self,
        mut reader: RowReader,
        own: Option<u64>,
        others: Others,
    ) -> Result<(), flowgait_features::Error> {
        let label = reader.header().iter().position(|name| *name == self.label);
        reader.keep((0..reader.header().len()).map(|column| Some(column) == label).collect());
        let (mut number, mut values) = (0_u64, Vec::new());
        while let Some(batch) = reader.next_batch(BATCH_ROWS)? {
            for row in 0..batch.rows() {
                number += 1;
                let is_own = own == Some(number);
                let is_held = others == Others::Spread && (number - 1).is_multiple_of(self.stride);
                if !is_own && !is_held {
                    continue;
                }
                let text = label.and_then(|at| batch.cells(row).nth(at)).unwrap_or_default();
                let text = Some(text.to_owned()).filter(|text| !text.is_empty());
                values.clear();
                values.extend(batch.dataset.columns.iter().map(|column| column[row]));
                if is_own {
                    self.ask(number, text.clone(), &values, others);
                }
                if is_held {
                    self.hold(number, text, &values);
                }
            }
        }
        if own.is_some() {
            self.rows_read = number;
        }
        Ok(())
    }

    /// Every how manieth row is to be held.
    #[must_use]
    pub fn stride(&self) -> u64 {
        self.stride
    }

    /// Holds a row; those that come are to be in order.
    pub fn hold(&mut self, number: u64, label: Option<String>, values: &[f32]) {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value);
        }
        self.numbers.push(number);
        self.labels.push(label);
        if self.numbers.len() > HELD_MAX {
            self.stride *= 2;
            self.columns.iter_mut().for_each(thin);
            thin(&mut self.numbers);
            thin(&mut self.labels);
        }
    }

    /// This is the row that is asked about, of the table whose rows are held or of another.
    pub fn ask(&mut self, number: u64, label: Option<String>, values: &[f32], others: Others) {
        let among_others = others == Others::Spread;
        self.own = Some(Own { values: values.to_vec(), number, label, among_others });
    }

    /// Rows of the table that was to have the row.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.rows_read
    }

    /// The row with its others; `None` where the table had no such row.
    #[must_use]
    pub fn held(mut self, model: &Model) -> Option<Held> {
        let Own { values, number, label, among_others } = self.own?;
        let count = self.numbers.len();
        let is_other = |place: &usize| !among_others || self.numbers[*place] != number;
        let rows = |places: &mut dyn Iterator<Item = usize>| -> Vec<u32> {
            places.filter(is_other).map(|place| place as u32).collect()
        };
        let (others, background) = (rows(&mut (0..count)), rows(&mut places(count)));
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.numbers.push(number);
        self.labels.push(label);
        let (schema, columns) = (model.schema().clone(), self.columns);
        Some(Held {
            dataset: Dataset { schema, columns, rows: count + 1, ..Dataset::default() },
            own: count as u32,
            others,
            background,
            numbers: self.numbers,
            labels: self.labels,
        })
    }
}

/// Keeps every second of a list.
fn thin<T>(list: &mut Vec<T>) {
    let mut place = 0;
    list.retain(|_| {
        place += 1;
        place % 2 == 1
    });
}
