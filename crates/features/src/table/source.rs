//! Tables in any format as one stream of rows.

mod arff;
mod csv;
mod header;
mod jsonl;
mod parquet;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flowgait_flow::export::Kind;

use super::cell::Cell;
use crate::Error;
use crate::error::Counted;

pub(crate) use header::Twin;

/// A table that is being read.
pub(crate) struct Source {
    path: PathBuf,
    header: Vec<String>,
    twins: Vec<Twin>,
    rows: Rows,
    /// Rows gone to so far.
    row: u64,
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
            let (rows, header, stated) = parquet::Rows::open(path, file()?)?;
            let mut source = Self::plain(path, header, Rows::Parquet(Box::new(rows)))?;
            let unread = |(name, kind): &(String, String)| {
                format!("column '{name}' is of a type that is not read ({kind})")
            };
            let unread: Vec<String> = source.unread().iter().map(unread).collect();
            source.notices.extend(unread);
            Self { stated, ..source }
        } else if ends(".csv") || ends(".csv.zst") {
            Self::csv(path, Box::new(file()?))?
        } else if ends(".jsonl") || ends(".jsonl.zst") {
            Self::jsonl(path, Box::new(file()?))?
        } else if ends(".arff") {
            let (rows, header) = arff::Rows::open(path, buffered(path, Box::new(file()?))?)?;
            Self::plain(path, header, Rows::Arff(rows))?
        } else {
            return Err(Error::TableEnding { path: path.to_path_buf() });
        };
        if source.stated.is_none() {
            source.stated = stated_beside(path);
        }
        Ok(source)
    }

    /// Reads CSV, plain or zstd, from a stream such as standard input; `path` is what errors call it.
    pub(crate) fn csv(path: &Path, stream: Box<dyn Read + Send>) -> Result<Self, Error> {
        let (rows, header) = csv::Rows::open(path, buffered(path, stream)?)?;
        Self::plain(path, header, Rows::Csv(rows))
    }

    /// The same for JSONL.
    pub(crate) fn jsonl(path: &Path, stream: Box<dyn Read + Send>) -> Result<Self, Error> {
        let (rows, header) = jsonl::Rows::open(path, buffered(path, stream)?)?;
        Self::plain(path, header, Rows::Jsonl(rows))
    }

    fn plain(path: &Path, mut header: Vec<String>, rows: Rows) -> Result<Self, Error> {
        let path = path.to_path_buf();
        if header.is_empty() {
            return Err(Error::NoHeader { path });
        }
        let twins = header::tell_apart(&mut header);
        let notices = header::told(&header, &twins).into_iter().collect();
        Ok(Self { path, header, twins, rows, row: 0, notices, stated: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The columns' names, spaces around them cut off, and every one another.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The columns whose name was taken, and those that have it.
    pub(crate) fn twins(&self) -> &[Twin] {
        &self.twins
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
        self.row += 1;
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

    /// Number of the row in its table, from 1.
    pub(crate) fn row(&self) -> u64 {
        self.row
    }

    /// Columns that hold times by their type in the file.
    pub(crate) fn times(&self) -> impl Iterator<Item = &str> {
        let places = match &self.rows {
            Rows::Parquet(rows) => rows.times(),
            Rows::Csv(_) | Rows::Jsonl(_) | Rows::Arff(_) => Vec::new(),
        };
        places.into_iter().map(|place| self.header[place].as_str())
    }

    /// The kind of a column's cells, where the file states it.
    pub(crate) fn kind(&self, column: usize) -> Option<Kind> {
        match &self.rows {
            Rows::Parquet(rows) => Some(rows.kind(column)),
            Rows::Csv(_) | Rows::Jsonl(_) | Rows::Arff(_) => None,
        }
    }

    /// Columns that are there and of a type that is not read, with the type.
    pub(crate) fn unread(&self) -> &[(String, String)] {
        match &self.rows {
            Rows::Parquet(rows) => &rows.unread,
            Rows::Csv(_) | Rows::Jsonl(_) | Rows::Arff(_) => &[],
        }
    }

    /// What [`Source::line`] counts.
    pub(crate) fn counted(&self) -> Counted {
        match self.rows {
            Rows::Parquet(_) => Counted::Row,
            Rows::Csv(_) | Rows::Jsonl(_) | Rows::Arff(_) => Counted::Line,
        }
    }

    /// The row's line in the file, from 1; in Parquet its number.
    pub(crate) fn line(&self) -> u64 {
        match &self.rows {
            Rows::Csv(rows) => rows.line(),
            Rows::Jsonl(rows) => rows.line(),
            Rows::Arff(rows) => rows.line(),
            Rows::Parquet(_) => self.row,
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
    let begin = reader.fill_buf().map_err(failed)?;
    if let Some(found) = other_than_text(begin) {
        return Err(Error::NotText { path: path.to_path_buf(), found });
    }
    if begin.starts_with(&MAGIC) {
        let decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(failed)?;
        return Ok(Box::new(BufReader::with_capacity(256 << 10, decoder)));
    }
    Ok(Box::new(reader))
}

/// What a file is that has the name of a text and none in it, as far as its first octets tell.
fn other_than_text(begin: &[u8]) -> Option<&'static str> {
    match begin {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => {
            Some("text in UTF-16: save it as UTF-8")
        }
        // The header of its first page begins so; `PAR1` alone may be a column.
        [b'P', b'A', b'R', b'1', 0x15, ..] => Some("Parquet: let its name end in .parquet"),
        [0x1f, 0x8b, ..] => Some("gzip: unpack it first"),
        [b'P', b'K', 3, 4, ..] => Some("a zip archive or a spreadsheet: save it as CSV"),
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text() {
        let check = |begin: &[u8], expected: &str| {
            let found = other_than_text(begin).unwrap_or_default();
            assert!(
                found.starts_with(expected) && found.is_empty() == expected.is_empty(),
                "{found}"
            );
        };
        check(b"a,b", "");
        check("\u{feff}a,b".as_bytes(), "");
        check(b"", "");
        check(&[0x28, 0xb5, 0x2f, 0xfd], "");
        check(&[0xff, 0xfe, b'a', 0], "text in UTF-16");
        check(&[0, b'a', 0, b','], "text in UTF-16");
        check(&[b'a', 0, b',', 0], "text in UTF-16");
        check(b"PAR1\x15\x04", "Parquet");
        check(b"PAR1,PAR2", "");
        check(&[0x1f, 0x8b, 8], "gzip");
        check(b"PK\x03\x04", "a zip");
    }
}
