//! The noun of this crate: columns of numbers with their schema, and labels, groups and times beside them.

use crate::schema::Schema;

/// A data set, column by column.
///
/// # Shapes
/// `columns` is `[n_features][n_rows]`, in the schema's order; a missing value is NaN.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// What the columns are.
    pub schema: Schema,
    /// The values.
    pub columns: Vec<Vec<f32>>,
    /// The label column, when one was asked for.
    pub labels: Option<Codes>,
    /// Columns that say which rows belong together (capture, client, session): for splitting, never an input.
    pub groups: Vec<Codes>,
    /// Start of each row in microseconds since 1970, where the table tells it: for splitting, never an input.
    pub times: Option<Vec<i64>>,
    /// Number of rows.
    pub rows: usize,
}

/// A text column as numbers into a list of its distinct values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// The column's name.
    pub name: String,
    /// Distinct values, sorted.
    pub values: Vec<String>,
    /// One index into `values` a row; [`Codes::MISSING`] where the cell is empty.
    pub codes: Vec<u32>,
}

impl Codes {
    /// The code of an empty cell.
    pub const MISSING: u32 = u32::MAX;
}
