//! What can go wrong between a table and a data set.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What tells where in a table something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Lines of a text file.
    Line,
    /// Rows, where a format has no lines.
    Row,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line => "line",
            Self::Row => "row",
        })
    }
}

/// Why a table was not read or rows were not split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table could not be opened or read.
    #[error("cannot read table {path}")]
    ReadTable {
        /// The table.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The name of a table ends in no format that can be read.
    #[error(
        "cannot tell the format of {path}: its name must end in .csv, .csv.zst, .jsonl, .parquet or .arff"
    )]
    TableEnding {
        /// The table.
        path: PathBuf,
    },
    /// A Parquet file is not what Parquet asks for.
    #[error("cannot read table {path}")]
    ReadParquet {
        /// The table.
        path: PathBuf,
        /// What the Parquet reader said.
        source: parquet::errors::ParquetError,
    },
    /// A line of a table is not well formed.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// The table.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A table without a header.
    #[error("{path} is empty: a table needs a header")]
    NoHeader {
        /// The table.
        path: PathBuf,
    },
    /// A table without a row that can be used.
    #[error("{paths} has no rows{why}")]
    NoRows {
        /// The tables.
        paths: String,
        /// Why rows that are there do not count.
        why: String,
    },
    /// Labels that stand beside rows are not as many as the rows.
    #[error(
        "{path} has {labels} labels for {rows} rows, and no column in common with them to join by"
    )]
    LabelRows {
        /// The file of labels.
        path: PathBuf,
        /// Its rows.
        labels: usize,
        /// The tables' rows.
        rows: usize,
    },
    /// A file of labels is longer than any table that fits in memory.
    #[error("{path} has more than {limit} rows")]
    TooManyLabels {
        /// The file.
        path: PathBuf,
        /// The most that are read.
        limit: usize,
    },
    /// A file whose name says that it is text holds something else.
    #[error("{path} is no text as its name says, but {found}")]
    NotText {
        /// The table.
        path: PathBuf,
        /// What it holds, and what to do.
        found: &'static str,
    },
    /// Two columns of a table would be known to a model by one name.
    #[error(
        "{path}: columns '{first}' and '{second}' would both be '{feature}' to a model: leave one of them out (--drop '{first}')"
    )]
    SameFeature {
        /// The table.
        path: PathBuf,
        /// A column.
        first: String,
        /// Another.
        second: String,
        /// The name.
        feature: String,
    },
    /// A model knows two columns by one name.
    #[error("the model has two columns that are read from one place ('{feature}'): fit it anew")]
    RepeatedFeature {
        /// The name.
        feature: String,
    },
    /// A cell that should be a number is none.
    #[error("{path}, {counted} {line}, column {number} ({column}): '{value}' is not {expected}")]
    Cell {
        /// The table.
        path: PathBuf,
        /// What `line` counts.
        counted: Counted,
        /// Line in the file, from 1; in Parquet the row.
        line: u64,
        /// Number of the column, from 1.
        number: usize,
        /// Name of the column.
        column: String,
        /// What the cell holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The label column is not there.
    #[error("{path} has no column '{column}' to take labels from; {hint}")]
    NoLabel {
        /// The table.
        path: PathBuf,
        /// What was asked for.
        column: String,
        /// Columns that look like one.
        hint: String,
    },
    /// A column that a person named is not there.
    #[error("{path} has no column '{column}' ({asked}); {found}")]
    NoColumn {
        /// The table.
        path: PathBuf,
        /// What was asked for.
        column: String,
        /// By what.
        asked: &'static str,
        /// The columns that it has, or the one that was probably meant.
        found: String,
    },
    /// A column that a person named is there, in a form that cannot be read.
    #[error(
        "{path}: column '{column}' is there, but its type is not read ({kind}): save it as text or as a plain number"
    )]
    UnreadColumn {
        /// The table.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
    /// Columns that a model needs are not there.
    #[error("{path} lacks {count} of the {needed} columns that the model was trained on: {names}")]
    MissingColumns {
        /// The table.
        path: PathBuf,
        /// How many are missing.
        count: usize,
        /// How many are needed.
        needed: usize,
        /// The first of them.
        names: String,
    },
    /// The table says that another version of the schema wrote it.
    #[error(
        "{path} was written under schema {found}; this version knows {known}: write it anew with `flowgait meter`"
    )]
    OtherSchema {
        /// The table.
        path: PathBuf,
        /// Name and hash found.
        found: String,
        /// Name and hash known.
        known: String,
    },
    /// A table with no column that a model could learn from.
    #[error("{path} has no column that a model could learn from{why}")]
    NoFeatures {
        /// The table.
        path: PathBuf,
        /// Why the columns that are there do not count.
        why: String,
    },
    /// A data set lacks the sequence columns that a prefix is computed from.
    #[error(
        "what is known after k packets needs the sequence columns of our flow table; '{column}' is missing"
    )]
    NoSequence {
        /// The first column missing.
        column: String,
    },
    /// Rows cannot be split as asked.
    #[error("cannot split: {problem}")]
    Split {
        /// Why not.
        problem: String,
    },
}
