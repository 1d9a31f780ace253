//! Comma-separated values, with CRLF or LF, quotes, and a byte-order mark or none.

use std::io::BufRead;
use std::path::Path;

use super::{line_error, read_error};
use crate::Error;
use crate::table::cell::Cell;

pub(super) struct Rows {
    reader: csv::Reader<Box<dyn BufRead + Send>>,
    record: csv::StringRecord,
    /// The header as it is written, spaces included.
    pub(super) written: Vec<String>,
}

impl Rows {
    pub(super) fn open(
        path: &Path,
        reader: Box<dyn BufRead + Send>,
    ) -> Result<(Self, Vec<String>), Error> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(256 << 10)
            .from_reader(reader);
        let mut record = csv::StringRecord::new();
        if !reader.read_record(&mut record).map_err(|error| csv_error(path, error))? {
            return Err(Error::NoHeader { path: path.to_path_buf() });
        }
        let unmarked = |name: &str| name.trim_start_matches('\u{feff}').to_string();
        let written: Vec<String> = record.iter().map(unmarked).collect();
        let header = written.iter().map(|name| name.trim().to_string()).collect();
        Ok((Self { reader, record, written }, header))
    }

    pub(super) fn advance(&mut self, path: &Path) -> Result<bool, Error> {
        self.reader.read_record(&mut self.record).map_err(|error| csv_error(path, error))
    }

    pub(super) fn cell(&self, column: usize) -> Cell<'_> {
        self.record.get(column).map_or(Cell::Missing, Cell::Text)
    }

    pub(super) fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }
}

fn csv_error(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => read_error(path, source),
        csv::ErrorKind::Utf8 { err, .. } => {
            line_error(path, line, format!("column {} is not UTF-8", err.field() + 1))
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let problem = format!("has {len} cells where the header has {expected_len}");
            line_error(path, line, problem)
        }
        other => line_error(path, line, format!("is not CSV ({other:?})")),
    }
}
