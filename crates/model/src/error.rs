//! What can go wrong between a data set and a model's scores.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No row to judge or to learn from.
    #[error("no rows: {what} needs at least one")]
    NoRows {
        /// What needed them.
        what: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{what}: expected {expected} values, got {got}")]
    Length {
        /// Which list.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        got: usize,
    },
    /// A class code, row number or column number past the end.
    #[error("{what} {index} at place {place} is not below {limit}")]
    OutOfRange {
        /// What kind of number.
        what: &'static str,
        /// Where in its list it stands.
        place: usize,
        /// The number.
        index: u64,
        /// The first number that is too large.
        limit: usize,
    },
    /// A row of probabilities that is none: negative, not a number, or not summing to 1.
    #[error("row {row} holds no probabilities: they sum to {sum}")]
    Probabilities {
        /// The row.
        row: usize,
        /// What its values sum to.
        sum: f64,
    },
    /// A fold that is judged on what it learns from.
    #[error("fold {fold} is judged on row {row}, which it learns from")]
    Leak {
        /// Number of the fold.
        fold: usize,
        /// The row.
        row: u32,
    },
}
