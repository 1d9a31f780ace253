//! Comma-separated values, with CRLF or LF, quotes, and a byte-order mark or none.

mod quotes;

use std::io::BufRead;
use std::path::Path;

use super::{line_error, read_error};
use crate::Error;
use crate::table::cell::Cell;
use quotes::Quotes;

pub(super) struct Rows {
    reader: csv::Reader<Quotes<Box<dyn BufRead + Send>>>,
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
            .from_reader(Quotes::new(reader));
        let mut record = csv::StringRecord::new();
        if !read(&mut reader, &mut record, path)? {
            return Err(Error::NoHeader { path: path.to_path_buf() });
        }
        check_separator(&record, path)?;
        let unmarked = |name: &str| name.trim_start_matches('\u{feff}').to_string();
        let written: Vec<String> = record.iter().map(unmarked).collect();
        let header = written.iter().map(|name| name.trim().to_string()).collect();
        Ok((Self { reader, record, written }, header))
    }

    pub(super) fn advance(&mut self, path: &Path) -> Result<bool, Error> {
        read(&mut self.reader, &mut self.record, path)
    }

    pub(super) fn cell(&self, column: usize) -> Cell<'_> {
        self.record.get(column).map_or(Cell::Missing, Cell::Text)
    }

    /// The line that the row begins in.
    pub(super) fn line(&self) -> u64 {
        let inside =
            self.record.iter().flat_map(str::bytes).filter(|&octet| octet == b'\n').count();
        last_line(&self.reader).saturating_sub(inside as u64)
    }
}

/// Reads a row. The library takes the end of the file for the end of a quoted cell; to us that cell has swallowed what follows it.
fn read(
    reader: &mut csv::Reader<Quotes<Box<dyn BufRead + Send>>>,
    record: &mut csv::StringRecord,
    path: &Path,
) -> Result<bool, Error> {
    let found = reader.read_record(record);
    match reader.get_ref().left_open() {
        Some(behind) => {
            let line = reader.position().line().saturating_sub(behind);
            Err(line_error(path, line, "a quote is opened and not closed"))
        }
        None => found.map_err(|error| csv_error(path, last_line(reader), error)),
    }
}

/// The line in which the row that was read last ends. The library's own position of a row is before the empty lines that it steps over,
/// and before the second half of a CRLF.
fn last_line(reader: &csv::Reader<Quotes<Box<dyn BufRead + Send>>>) -> u64 {
    let passed = reader.get_ref().is_counted_at_end_of_row();
    reader.position().line().saturating_sub(u64::from(passed))
}

/// A header of one name with separators in it is one of several names, and every error after it would be about something else.
fn check_separator(header: &csv::StringRecord, path: &Path) -> Result<(), Error> {
    let (1, Some(name)) = (header.len(), header.get(0)) else { return Ok(()) };
    let found = [(';', "';'"), ('\t', "tabs"), ('|', "'|'")].into_iter().find(|(separator, _)| {
        let parts: Vec<&str> = name.split(*separator).collect();
        parts.len() > 1 && parts.iter().any(|part| !part.trim().is_empty())
    });
    match found {
        Some((_, told)) => Err(line_error(
            path,
            1,
            format!("it looks separated by {told}; write it with commas between the cells"),
        )),
        None => Ok(()),
    }
}

fn csv_error(path: &Path, line: u64, error: csv::Error) -> Error {
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
