//! What can go wrong between packets and a written table of flows.

use std::io;
use std::path::PathBuf;

/// Why a table was not written or labels were not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name of an output file ends in no format that can be written.
    #[error(
        "cannot tell the format of {path}: its name must end in .csv, .csv.zst, .jsonl or .parquet"
    )]
    TableEnding {
        /// The file.
        path: PathBuf,
    },
    /// A table could not be written.
    #[error("cannot write {path}")]
    WriteTable {
        /// The table.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nobody reads the stream that the table is written to any more.
    #[error("nobody reads {path} any more")]
    ClosedPipe {
        /// What is written to, `-` for standard output.
        path: PathBuf,
    },
    /// A Parquet file could not be written.
    #[error("cannot write {path}")]
    WriteParquet {
        /// The table.
        path: PathBuf,
        /// What the Parquet writer said.
        source: parquet::errors::ParquetError,
    },
    /// A table of labels or of names could not be read.
    #[error("cannot read {path}")]
    ReadLabels {
        /// The table.
        path: PathBuf,
        /// What the operating system or the CSV reader said.
        source: csv::Error,
    },
    /// A table of labels or of names lacks a column.
    #[error("{path} has no column {column}; its columns are {found}")]
    LabelColumn {
        /// The table.
        path: PathBuf,
        /// What the column is called, with its other spellings.
        column: String,
        /// The columns that it has.
        found: String,
    },
    /// A cell of a table of labels or of names is not what its column needs.
    #[error("{path}, line {line}, column {column}: '{value}' is not {expected}")]
    LabelCell {
        /// The table.
        path: PathBuf,
        /// Line in the file, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What the cell holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A parameter of the meter is out of its range.
    #[error("{name} {rule}")]
    Param {
        /// The parameter.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// The capture could not be read on.
    #[error("cannot read the capture")]
    Capture(#[from] flowgait_capture::Error),
}
