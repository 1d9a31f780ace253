//! What every estimator takes and gives: rows of a table to learn from, and probabilities for rows.

use crate::error::Error;

/// Rows of a table and what they are.
///
/// # Shapes
/// `columns` is `[n_features][n_rows_of_the_table]`, missing values are NaN; `rows` are indices into it, each at most once;
/// `codes[row]` is the class of a row of the table, below `classes`; `weights`, when given, has one value per class.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// The table.
    pub columns: &'a [Vec<f32>],
    /// The rows to learn from.
    pub rows: &'a [u32],
    /// The class of every row of the table.
    pub codes: &'a [u32],
    /// Number of classes.
    pub classes: usize,
    /// Weight of each class, when classes are to count unequally.
    pub class_weights: Option<&'a [f32]>,
}

/// The most rows an estimator counts: squared class weights of so many still fit in 64 bits.
pub const ROWS_MAX: usize = 1 << 31;
/// The most classes: a class is 16 bits in a forest's leaf.
pub const CLASSES_MAX: usize = 1 << 16;
/// The most columns: a column is 16 bits in a forest's node, and may need two of them.
pub const COLUMNS_MAX: usize = 1 << 15;

impl Training<'_> {
    /// Checks the shapes, once, before any estimator relies on them.
    ///
    /// # Errors
    /// Names what is missing, too large, of another length, or out of range.
    pub fn check(&self) -> Result<(), Error> {
        let counts = [
            ("rows", self.rows.len(), ROWS_MAX),
            ("columns", self.columns.len(), COLUMNS_MAX),
            ("classes", self.classes, CLASSES_MAX),
        ];
        for (what, found, limit) in counts {
            if found == 0 {
                return Err(Error::Nothing { what });
            }
            if found > limit {
                return Err(Error::TooMany { what, found, limit });
            }
        }
        let rows = self.codes.len();
        check_rows(self.columns, self.rows, rows)?;
        for &row in self.rows {
            let class = self.codes[row as usize];
            if class as usize >= self.classes {
                return Err(Error::ClassOutOfRange { row, class, classes: self.classes });
            }
        }
        if let Some(weights) = self.class_weights {
            for class in 0..self.classes {
                let weight = weights.get(class).copied().unwrap_or(f32::NAN);
                if !(weight.is_finite() && weight > 0.0) {
                    return Err(Error::ClassWeight { class, weight });
                }
            }
        }
        Ok(())
    }
}

/// What a row of each class weighs, of some rows: as the training set says, and so that all classes weigh alike where that is asked for.
pub(crate) fn class_weights(training: &Training<'_>, rows: &[u32], balanced: bool) -> Vec<f64> {
    let mut weights: Vec<f64> = match training.class_weights {
        Some(weights) => weights[..training.classes].iter().map(|w| f64::from(*w)).collect(),
        None => vec![1.0; training.classes],
    };
    if balanced {
        let mut counts = vec![0_u32; training.classes];
        rows.iter().for_each(|&row| counts[training.codes[row as usize] as usize] += 1);
        let present = counts.iter().filter(|count| **count > 0).count();
        for (weight, count) in weights.iter_mut().zip(counts) {
            *weight *= rows.len() as f64 / (present as f64 * f64::from(count.max(1)));
        }
    }
    weights
}

/// Checks that every column has `rows_of_table` rows and that `rows` point into them.
pub(crate) fn check_rows(
    columns: &[Vec<f32>],
    rows: &[u32],
    rows_of_table: usize,
) -> Result<(), Error> {
    for (column, values) in columns.iter().enumerate() {
        if values.len() != rows_of_table {
            return Err(Error::ColumnLength {
                column,
                found: values.len(),
                expected: rows_of_table,
            });
        }
    }
    match rows.iter().find(|&&row| row as usize >= rows_of_table) {
        Some(&row) => Err(Error::RowOutOfRange { row, rows: rows_of_table }),
        None => Ok(()),
    }
}

/// Class probabilities.
///
/// # Shapes
/// `values` is `[n_rows * classes]`, row by row; each row sums to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Probabilities {
    /// Number of classes.
    pub classes: usize,
    /// The probabilities, row by row.
    pub values: Vec<f32>,
}

impl Probabilities {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.classes).unwrap_or(0)
    }

    /// One row's probabilities.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.classes..(row + 1) * self.classes]
    }

    /// The most probable class of a row; the lowest code among equals.
    #[must_use]
    pub fn best(&self, row: usize) -> u32 {
        let mut best = 0;
        let row = self.row(row);
        for (class, &p) in row.iter().enumerate() {
            if p > row[best] {
                best = class;
            }
        }
        best as u32
    }
}
