//! The row that is asked about, and rows to hold it against, from tables of any length.

use flowgait_features::Dataset;
use flowgait_features::table::RowReader;
use flowgait_model::artifact::Model;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::failure::Failure;

/// Rows read at a time.
const BATCH_ROWS: usize = 8_192;
/// Other rows that are kept; of more, so many drawn by chance.
const OTHERS_MAX: usize = 20_000;

/// The row and others, as columns of the model.
pub struct Gathered {
    label: String,
    columns: Vec<Vec<f32>>,
    /// Number of each row in its input, from 1.
    numbers: Vec<u64>,
    labels: Vec<Option<String>>,
    own: Option<u32>,
    rows_read: u64,
    rng: ChaCha8Rng,
}

impl Gathered {
    pub fn new(model: &Model, seed: u64) -> Self {
        Self {
            label: model.card().label.clone(),
            columns: vec![Vec::new(); model.schema().features.len()],
            numbers: Vec::new(),
            labels: Vec::new(),
            own: None,
            rows_read: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Reads a table: its row with number `own`, and, where they are asked for, others.
    pub fn read(
        &mut self,
        mut reader: RowReader,
        own: Option<u64>,
        others: bool,
    ) -> Result<(), Failure> {
        let label = reader.header().iter().position(|name| *name == self.label);
        let (mut number, mut seen) = (0_u64, 0_u64);
        let mut held: Vec<u32> = Vec::new();
        while let Some(batch) = reader.next_batch(BATCH_ROWS)? {
            for row in 0..batch.rows() {
                number += 1;
                let is_own = own == Some(number);
                let place = if is_own {
                    self.own = Some(self.numbers.len() as u32);
                    None
                } else if !others {
                    continue;
                } else {
                    seen += 1;
                    if held.len() < OTHERS_MAX {
                        held.push(self.numbers.len() as u32);
                        None
                    } else {
                        let at = self.rng.random_range(0..seen);
                        let Some(&place) = held.get(at as usize) else { continue };
                        Some(place as usize)
                    }
                };
                let text = label.and_then(|at| batch.cells(row).nth(at)).unwrap_or_default();
                let text = Some(text.to_owned()).filter(|text| !text.is_empty());
                self.put(place, number, text, &batch.dataset, row);
            }
        }
        if own.is_some() {
            self.rows_read = number;
        }
        Ok(())
    }

    fn put(
        &mut self,
        place: Option<usize>,
        number: u64,
        label: Option<String>,
        from: &Dataset,
        row: usize,
    ) {
        let place = place.unwrap_or_else(|| {
            self.columns.iter_mut().for_each(|column| column.push(f32::NAN));
            self.numbers.push(number);
            self.labels.push(None);
            self.numbers.len() - 1
        });
        for (column, values) in self.columns.iter_mut().zip(&from.columns) {
            column[place] = values[row];
        }
        self.numbers[place] = number;
        self.labels[place] = label;
    }

    /// The row that was asked for, where it is there.
    pub fn own(&self) -> Option<u32> {
        self.own
    }

    /// Rows of the input that was to have it.
    pub fn rows_read(&self) -> u64 {
        self.rows_read
    }

    /// All other rows.
    pub fn others(&self) -> Vec<u32> {
        (0..self.numbers.len() as u32).filter(|row| Some(*row) != self.own).collect()
    }

    /// At most so many of the others, evenly spread.
    pub fn background(&self, most: usize) -> Vec<u32> {
        let others = self.others();
        let count = others.len().min(most);
        (0..count).map(|at| others[at * others.len() / count]).collect()
    }

    /// The number of a row in its input.
    pub fn number(&self, row: u32) -> u64 {
        self.numbers[row as usize]
    }

    /// The label of a row.
    pub fn label(&self, row: u32) -> Option<String> {
        self.labels[row as usize].clone()
    }

    /// The rows as a data set of the model's schema.
    pub fn dataset(&self, model: &Model) -> Dataset {
        Dataset {
            schema: model.schema().clone(),
            columns: self.columns.clone(),
            rows: self.numbers.len(),
            ..Dataset::default()
        }
    }
}

/// The middle value of some rows; none where all are missing.
pub fn middle(column: &[f32], rows: &[u32]) -> Option<f32> {
    let mut values: Vec<f32> = rows.iter().map(|&row| column[row as usize]).collect();
    values.retain(|value| !value.is_nan());
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}
