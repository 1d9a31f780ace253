//! What every estimator takes and gives: rows of a table to learn from, and probabilities for rows.

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
