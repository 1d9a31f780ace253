//! Writers of tables of any row schema: CSV, CSV.zst, JSONL and Parquet, never half-written under their final name.
//!
//! Sketch: a row of 235 cells with a hundred sequence values in them is about 1.5 kB of CSV; written into one buffer without an allocation per cell it
//! takes about 4 µs, so 160,000 such flows take two thirds of a second of one core, shorter ones less. `crates/features/benches/table.rs` measures it.

mod atomic;
mod csv;
mod jsonl;
mod parquet;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::Error;
pub use atomic::AtomicFile;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unicode text.
    Text,
    /// A signed integer of 64 bits.
    Integer,
    /// A floating-point number of 32 bits, written as the shortest decimal that reads back to the same bits.
    Float,
    /// A floating-point number of 64 bits, written likewise.
    Double,
    /// Signed integers of 64 bits: one cell with spaces between them in CSV, an array in JSONL, a list column in Parquet.
    IntegerList,
}

impl Kind {
    /// The kind's name, as schema files have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Double => "double",
            Self::IntegerList => "integer list",
        }
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Its name in the header.
    pub name: String,
    /// What its cells are.
    pub kind: Kind,
}

/// The columns of a table, and under which name and hash a reader knows them again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSchema {
    /// Name and version, such as `flowgait/1`; empty for a table that has no schema of ours.
    pub name: String,
    /// SHA-256 of the schema's canonical text, in lower-case hexadecimal; empty without a name.
    pub hash: String,
    /// The columns, in order.
    pub columns: Vec<ColumnSpec>,
}

impl RowSchema {
    /// The schema as a JSON document: what lies beside a CSV file.
    #[must_use]
    pub fn json(&self) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| serde_json::json!({"name": column.name, "kind": column.kind.name()}))
            .collect();
        let mut text = format!(
            "{{\"schema\": {}, \"hash\": {}, \"columns\": [\n",
            serde_json::Value::from(self.name.as_str()),
            serde_json::Value::from(self.hash.as_str())
        );
        for (index, column) in columns.iter().enumerate() {
            let comma = if index + 1 < columns.len() { "," } else { "" };
            text.push_str(&format!("  {column}{comma}\n"));
        }
        text.push_str("]}\n");
        text
    }
}

/// Takes a row's cells, one after the other, in the schema's order.
///
/// # Panics
/// The writers of this module panic when a cell is not of its column's kind or a row has too many or too few: the caller's bug, never the data's.
pub trait CellSink {
    /// Text. An empty text and a missing cell are one and the same in CSV.
    fn text(&mut self, value: &str);
    /// Text that something prints, without an allocation where the format allows it.
    fn formatted(&mut self, value: &dyn Display) {
        self.text(&value.to_string());
    }
    /// An integer.
    fn integer(&mut self, value: i64);
    /// A 32-bit float; one that is not finite is missing.
    fn float(&mut self, value: f32);
    /// A 64-bit float; one that is not finite is missing.
    fn double(&mut self, value: f64);
    /// A list of integers.
    fn integers(&mut self, values: &[i64]);
    /// No value.
    fn missing(&mut self);
}

/// A table's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180, but with a line feed alone).
    Csv,
    /// The same, compressed with zstd.
    CsvZstd,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Whether its cells have a kind; in CSV they are text, and whoever reads it guesses.
    #[must_use]
    pub fn has_kinds(self) -> bool {
        matches!(self, Self::Jsonl | Self::Parquet)
    }

    /// The format that a file's name ends in, whatever its case.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        [
            (".csv", Self::Csv),
            (".csv.zst", Self::CsvZstd),
            (".jsonl", Self::Jsonl),
            (".parquet", Self::Parquet),
        ]
        .into_iter()
        .find_map(|(ending, format)| name.ends_with(ending).then_some(format))
    }
}

/// What a finished table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows, without the header.
    pub rows: u64,
}

/// Writes one table: cells by [`CellSink`], then [`TableWriter::end_row`], at last [`TableWriter::finish`].
///
/// A file is written under a temporary name in its own folder and renamed when it is finished; a writer that is dropped before leaves nothing behind.
/// A path that is no regular file (a device, a named pipe) is written as it is.
///
/// # Example
/// ```
/// use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema, TableWriter};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("packets.csv");
/// let column = |name: &str, kind| ColumnSpec { name: name.into(), kind };
/// let columns = vec![column("application", Kind::Text), column("packets", Kind::Integer)];
/// let mut table = TableWriter::create(&path, RowSchema { columns, ..RowSchema::default() })?;
/// table.text("web, mostly");
/// table.integer(12);
/// table.end_row()?;
/// table.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "application,packets\n\"web, mostly\",12\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableWriter {
    path: PathBuf,
    schema: RowSchema,
    body: Body,
    cells: usize,
    rows: u64,
}

enum Body {
    Csv { rows: csv::Rows, out: Out },
    Jsonl { rows: jsonl::Rows, out: Out },
    Parquet(Box<parquet::Rows>),
}

enum Out {
    File(AtomicFile),
    Zstd(zstd::stream::write::Encoder<'static, AtomicFile>),
    Stream(Box<dyn Write + Send>),
}

/// Octets of rows that are gathered before they are handed to the operating system.
const BUFFER_OCTETS: usize = 256 << 10;
const ZSTD_LEVEL: i32 = 3;

impl TableWriter {
    /// Opens a table in the format that `path` ends in.
    ///
    /// # Errors
    /// [`Error::TableEnding`] when the name ends in none of the known formats; [`Error::WriteTable`] when the file cannot be made.
    pub fn create(path: &Path, schema: RowSchema) -> Result<Self, Error> {
        let format =
            Format::of(path).ok_or_else(|| Error::TableEnding { path: path.to_path_buf() })?;
        let failed = |source| write_error(path, source);
        let file = AtomicFile::create(path).map_err(failed)?;
        let body = match format {
            Format::Csv => Body::Csv { rows: csv::Rows::new(), out: Out::File(file) },
            Format::CsvZstd => {
                let encoder =
                    zstd::stream::write::Encoder::new(file, ZSTD_LEVEL).map_err(failed)?;
                Body::Csv { rows: csv::Rows::new(), out: Out::Zstd(encoder) }
            }
            Format::Jsonl => {
                Body::Jsonl { rows: jsonl::Rows::new(&schema.columns), out: Out::File(file) }
            }
            Format::Parquet => Body::Parquet(Box::new(parquet::Rows::new(file, &schema, path)?)),
        };
        Ok(Self::begin(path, schema, body))
    }

    /// Writes CSV to a stream such as standard output; `name` is what errors call it.
    #[must_use]
    pub fn stream(name: &str, stream: Box<dyn Write + Send>, schema: RowSchema) -> Self {
        let body = Body::Csv { rows: csv::Rows::new(), out: Out::Stream(stream) };
        Self::begin(Path::new(name), schema, body)
    }

    /// Writes JSONL to a stream; `name` is what errors call it.
    #[must_use]
    pub fn stream_jsonl(name: &str, stream: Box<dyn Write + Send>, schema: RowSchema) -> Self {
        let body =
            Body::Jsonl { rows: jsonl::Rows::new(&schema.columns), out: Out::Stream(stream) };
        Self::begin(Path::new(name), schema, body)
    }

    fn begin(path: &Path, schema: RowSchema, mut body: Body) -> Self {
        if let Body::Csv { rows, .. } = &mut body {
            rows.header(&schema.columns);
        }
        Self { path: path.to_path_buf(), schema, body, cells: 0, rows: 0 }
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &RowSchema {
        &self.schema
    }

    /// Ends the row whose cells were given.
    ///
    /// # Errors
    /// [`Error::ClosedPipe`] when nobody reads the stream any more; [`Error::WriteTable`], [`Error::WriteParquet`] when writing fails.
    ///
    /// # Panics
    /// When the row has more or fewer cells than the schema has columns.
    pub fn end_row(&mut self) -> Result<(), Error> {
        assert_eq!(
            self.cells,
            self.schema.columns.len(),
            "cells of a row and columns of its schema"
        );
        self.cells = 0;
        self.rows += 1;
        match &mut self.body {
            Body::Csv { rows, out } => {
                rows.end_row();
                flush(&mut rows.bytes, out, BUFFER_OCTETS, &self.path)
            }
            Body::Jsonl { rows, out } => {
                rows.end_row();
                flush(&mut rows.bytes, out, BUFFER_OCTETS, &self.path)
            }
            Body::Parquet(rows) => rows.end_row(&self.path),
        }
    }

    /// Writes what is left, makes it durable and gives the file its name; for CSV and JSONL with a named schema, `NAME.schema.json` beside it.
    ///
    /// # Errors
    /// As [`TableWriter::end_row`]; the file then does not appear under its name.
    pub fn finish(mut self) -> Result<Written, Error> {
        let path = self.path;
        let failed = |source| write_error(&path, source);
        match &mut self.body {
            Body::Csv { rows: csv::Rows { bytes, .. }, out }
            | Body::Jsonl { rows: jsonl::Rows { bytes, .. }, out } => flush(bytes, out, 0, &path)?,
            Body::Parquet(_) => {}
        }
        let file = match self.body {
            Body::Csv { out, .. } | Body::Jsonl { out, .. } => match out {
                Out::File(file) => Some(file),
                Out::Zstd(encoder) => Some(encoder.finish().map_err(failed)?),
                Out::Stream(mut stream) => {
                    stream.flush().map_err(failed)?;
                    None
                }
            },
            Body::Parquet(rows) => {
                rows.finish(&path)?.commit().map_err(failed)?;
                None
            }
        };
        if let Some(file) = file {
            if file.is_regular() && !self.schema.name.is_empty() {
                write_beside(&path, &self.schema)?;
            }
            file.commit().map_err(failed)?;
        }
        Ok(Written { rows: self.rows })
    }
}

/// Hands a cell on by a branch that is always taken alike, which costs less than a second indirect call.
macro_rules! hand_on {
    ($writer:ident, $sink:ident => $cell:expr) => {{
        $writer.cells += 1;
        match &mut $writer.body {
            Body::Csv { rows: $sink, .. } => $cell,
            Body::Jsonl { rows: $sink, .. } => $cell,
            Body::Parquet($sink) => $cell,
        }
    }};
}

impl CellSink for TableWriter {
    fn text(&mut self, value: &str) {
        hand_on!(self, sink => sink.text(value));
    }
    fn formatted(&mut self, value: &dyn Display) {
        hand_on!(self, sink => sink.formatted(value));
    }
    fn integer(&mut self, value: i64) {
        hand_on!(self, sink => sink.integer(value));
    }
    fn float(&mut self, value: f32) {
        hand_on!(self, sink => sink.float(value));
    }
    fn double(&mut self, value: f64) {
        hand_on!(self, sink => sink.double(value));
    }
    fn integers(&mut self, values: &[i64]) {
        hand_on!(self, sink => sink.integers(values));
    }
    fn missing(&mut self) {
        hand_on!(self, sink => sink.missing());
    }
}

/// Where the schema of a CSV or JSONL file lies: `FLOWS.schema.json` beside `FLOWS.csv` and `FLOWS.csv.zst`.
#[must_use]
pub fn schema_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lower = name.to_ascii_lowercase();
    let ending = [".csv.zst", ".csv", ".jsonl"]
        .into_iter()
        .find(|ending| lower.ends_with(ending))
        .map_or(0, str::len);
    path.with_file_name(format!("{}.schema.json", &name[..name.len() - ending]))
}

fn write_beside(path: &Path, schema: &RowSchema) -> Result<(), Error> {
    let path = schema_path(path);
    let failed = |source| write_error(&path, source);
    let mut file = AtomicFile::create(&path).map_err(failed)?;
    file.write_all(schema.json().as_bytes()).map_err(failed)?;
    file.commit().map_err(failed)
}

fn flush(bytes: &mut Vec<u8>, out: &mut Out, above: usize, path: &Path) -> Result<(), Error> {
    if bytes.len() <= above {
        return Ok(());
    }
    let written = match out {
        Out::File(file) => file.write_all(bytes),
        Out::Zstd(encoder) => encoder.write_all(bytes),
        Out::Stream(stream) => stream.write_all(bytes),
    };
    bytes.clear();
    written.map_err(|source| write_error(path, source))
}

fn write_error(path: &Path, source: io::Error) -> Error {
    let path = path.to_path_buf();
    match source.kind() {
        io::ErrorKind::BrokenPipe => Error::ClosedPipe { path },
        _ => Error::WriteTable { path, source },
    }
}
