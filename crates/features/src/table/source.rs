//! Tables in any format as one stream of rows.

mod arff;
mod csv;
mod jsonl;
mod parquet;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::cell::Cell;
use crate::Error;

/// A table that is being read.
pub(crate) struct Source {
    path: PathBuf,
    header: Vec<String>,
    rows: Rows,
    /// What was found beside the columns: those that cannot be read, for example.
    pub(crate) notices: Vec<String>,
    /// Name and hash of the schema that the file or its neighbour states.
    pub(crate) stated: Option<(String, String)>,
}

enum Rows {
    Csv(csv::Rows),
    Jsonl(jsonl::Rows),
    Arff(arff::Rows),
    Parquet(Box<parquet::Rows>),
}

/// The largest line of JSONL or ARFF that is read.
const LINE_OCTETS_MAX: u64 = 64 << 20;

impl Source {
    /// Opens a table in the format that its name ends in.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        let file = || File::open(path).map_err(|source| read_error(path, source));
        let mut source = if ends(".parquet") {
            let mut notices = Vec::new();
            let (rows, header, stated) = parquet::Rows::open(path, file()?, &mut notices)?;
            let rows = Rows::Parquet(Box::new(rows));
            Self { path: path.to_path_buf(), header, rows, notices, stated }
        } else if ends(".csv") || ends(".csv.zst") {
            Self::csv(path, Box::new(file()?))?
        } else if ends(".jsonl") || ends(".jsonl.zst") {
            let (rows, header) = jsonl::Rows::open(path, buffered(path, Box::new(file()?))?)?;
            Self::plain(path, header, Rows::Jsonl(rows))
        } else if ends(".arff") {
            let (rows, header) = arff::Rows::open(path, buffered(path, Box::new(file()?))?)?;
            Self::plain(path, header, Rows::Arff(rows))
        } else {
            return Err(Error::TableEnding { path: path.to_path_buf() });
        };
        if source.stated.is_none() {
            source.stated = stated_beside(path);
        }
        source.check_header()?;
        Ok(source)
    }

    /// Reads CSV, plain or zstd, from a stream such as standard input; `path` is what errors call it.
    pub(crate) fn csv(path: &Path, stream: Box<dyn Read + Send>) -> Result<Self, Error> {
        let (rows, header) = csv::Rows::open(path, buffered(path, stream)?)?;
        let source = Self::plain(path, header, Rows::Csv(rows));
        source.check_header()?;
        Ok(source)
    }

    fn plain(path: &Path, header: Vec<String>, rows: Rows) -> Self {
        Self { path: path.to_path_buf(), header, rows, notices: Vec::new(), stated: None }
    }

    fn check_header(&self) -> Result<(), Error> {
        let mut seen = HashMap::new();
        for (second, name) in self.header.iter().enumerate() {
            if let Some(first) = seen.insert(name.as_str(), second) {
                return Err(Error::DuplicateColumn {
                    path: self.path.clone(),
                    name: name.clone(),
                    first: first + 1,
                    second: second + 1,
                });
            }
        }
        if self.header.is_empty() {
            return Err(Error::NoHeader { path: self.path.clone() });
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The columns' names, spaces around them cut off.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The columns' names as the file has them.
    pub(crate) fn written_header(&self) -> &[String] {
        match &self.rows {
            Rows::Csv(rows) => &rows.written,
            _ => &self.header,
        }
    }

    /// Goes to the next row; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        match &mut self.rows {
            Rows::Csv(rows) => rows.advance(&self.path),
            Rows::Jsonl(rows) => rows.advance(&self.path),
            Rows::Arff(rows) => rows.advance(&self.path),
            Rows::Parquet(rows) => rows.advance(&self.path),
        }
    }

    /// A cell of the row; `column` is a place in [`Source::header`].
    pub(crate) fn cell(&self, column: usize) -> Cell<'_> {
        match &self.rows {
            Rows::Csv(rows) => rows.cell(column),
            Rows::Jsonl(rows) => rows.cell(column),
            Rows::Arff(rows) => rows.cell(column),
            Rows::Parquet(rows) => rows.cell(column),
        }
    }

    /// The row's line in the file, from 1; in Parquet its number.
    pub(crate) fn line(&self) -> u64 {
        match &self.rows {
            Rows::Csv(rows) => rows.line(),
            Rows::Jsonl(rows) => rows.line(),
            Rows::Arff(rows) => rows.line(),
            Rows::Parquet(rows) => rows.line(),
        }
    }
}

/// The schema that `FLOWS.schema.json` beside a CSV or JSONL file states.
fn stated_beside(path: &Path) -> Option<(String, String)> {
    let text = std::fs::read_to_string(flowgait_flow::export::schema_path(path)).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let text = |key: &str| value.get(key)?.as_str().map(str::to_string);
    Some((text("schema")?, text("hash")?))
}

/// A buffered reader that undoes zstd when the content begins with its magic number (RFC 8878, section 3.1.1).
fn buffered(path: &Path, stream: Box<dyn Read + Send>) -> Result<Box<dyn BufRead + Send>, Error> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let mut reader = BufReader::with_capacity(256 << 10, stream);
    let failed = |source| read_error(path, source);
    if reader.fill_buf().map_err(failed)?.starts_with(&MAGIC) {
        let decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(failed)?;
        return Ok(Box::new(BufReader::with_capacity(256 << 10, decoder)));
    }
    Ok(Box::new(reader))
}

fn read_error(path: &Path, source: io::Error) -> Error {
    Error::ReadTable { path: path.to_path_buf(), source }
}

fn line_error(path: &Path, line: u64, problem: impl Into<String>) -> Error {
    Error::Line { path: path.to_path_buf(), line, problem: problem.into() }
}

/// Reads a line without its end, `false` at the end of the file. A byte-order mark before the first line is cut off.
fn read_line(
    reader: &mut dyn BufRead,
    text: &mut String,
    path: &Path,
    line: u64,
) -> Result<bool, Error> {
    text.clear();
    let mut octets = std::mem::take(text).into_bytes();
    let count = reader
        .take(LINE_OCTETS_MAX)
        .read_until(b'\n', &mut octets)
        .map_err(|source| read_error(path, source))?;
    if count as u64 == LINE_OCTETS_MAX {
        return Err(line_error(path, line, format!("is longer than {LINE_OCTETS_MAX} octets")));
    }
    *text = String::from_utf8(octets).map_err(|_| line_error(path, line, "is not UTF-8"))?;
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    if line == 1 && text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(count > 0)
}
