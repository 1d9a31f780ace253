//! The answers of a job, read back: all rows of them, or a few by their number.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read, Write as _};

use flowgait_features::Schema;
use flowgait_features::table::RowReader;

use crate::blobs::{BlobReader, Blobs};
use crate::error::Error;
use crate::job::JobId;
use crate::order::{Format, Piece, PredictResult, names};
use crate::work::scan::{Scanner, TableLimits};

/// What errors call the answers.
const NAME: &str = "the answers";
/// Octets looked at before it is asked again whether to go on.
const STEP_OCTETS: usize = 1 << 20;
/// Rows passed over before it is asked again.
const STEP_ROWS: u64 = 1_024;

/// Whether somebody still waits.
pub(crate) type GoesOn<'a> = &'a dyn Fn() -> bool;

/// The answers of a job, for a thread that may wait.
pub(crate) struct Stored<'a> {
    pub blobs: &'a Blobs,
    pub job: JobId,
    pub result: &'a PredictResult,
}

/// Some rows.
#[derive(Debug)]
pub(crate) struct Picked {
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row: its number, from 1, its cells as they stand in the answers, and a model's columns.
#[derive(Debug)]
pub(crate) struct Row {
    pub number: u64,
    pub cells: Vec<String>,
    pub values: Vec<f32>,
}

/// The pieces of a result as one stream.
struct Pieces {
    blobs: Blobs,
    job: JobId,
    left: VecDeque<Piece>,
    open: Option<BlobReader>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(open) = &mut self.open {
                let count = open.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
            }
            let Some(piece) = self.left.pop_front() else { return Ok(0) };
            let name = names::piece(self.job, &piece.sha256);
            self.open = Some(self.blobs.reader(&name, 0..piece.octets));
        }
    }
}

impl Stored<'_> {
    fn octets(&self) -> Pieces {
        let left = self.result.pieces.iter().cloned().collect();
        Pieces { blobs: self.blobs.clone(), job: self.job, left, open: None }
    }

    /// All rows, with the columns of a schema; `None` when `goes_on` says no.
    ///
    /// # Errors
    /// When the answers cannot be read.
    pub(crate) fn rows(
        &self,
        schema: &Schema,
        goes_on: GoesOn<'_>,
    ) -> Result<Option<RowReader>, Error> {
        let stream = Box::new(self.octets());
        let reader = match self.result.format {
            Format::Csv => RowReader::csv(NAME, stream, schema),
            Format::Jsonl => RowReader::jsonl(NAME, stream, schema),
            Format::Parquet => {
                // Parquet begins at its end. The open file outlives its name.
                let Some(file) = self.file(goes_on)? else { return Ok(None) };
                RowReader::open(file.path(), schema)
            }
        };
        reader.map(Some).map_err(unread)
    }

    /// Rows by their number, in ascending order; those beyond the end are left out. `None` when `goes_on` says no.
    ///
    /// # Errors
    /// When the answers cannot be read, or lack one of the schema's columns.
    pub(crate) fn pick(
        &self,
        schema: &Schema,
        numbers: &[u64],
        goes_on: GoesOn<'_>,
    ) -> Result<Option<Picked>, Error> {
        // Where records end is found many times as fast as what is in them.
        let ends: Box<dyn Ends> = match self.result.format {
            Format::Csv => Box::new(OfCsv::new()),
            Format::Jsonl => Box::new(OfLines),
            Format::Parquet => {
                let Some(reader) = self.rows(schema, goes_on)? else { return Ok(None) };
                return walk(reader, numbers, goes_on);
            }
        };
        let Some(octets) = self.records(ends, numbers, goes_on)? else { return Ok(None) };
        if octets.is_empty() {
            return Ok(Some(Picked { header: Vec::new(), rows: Vec::new() }));
        }
        let stream = Box::new(Cursor::new(octets));
        let reader = match self.result.format {
            Format::Jsonl => RowReader::jsonl(NAME, stream, schema),
            _ => RowReader::csv(NAME, stream, schema),
        };
        let reader = reader.map_err(unread)?;
        let places: Vec<u64> = (1..=numbers.len() as u64).collect();
        let mut found = walk(reader, &places, goes_on)?;
        if let Some(picked) = &mut found {
            picked.rows.iter_mut().zip(numbers).for_each(|(row, &number)| row.number = number);
        }
        Ok(found)
    }

    /// Some records as they are, and the header where there is one.
    fn records(
        &self,
        mut ends: Box<dyn Ends>,
        numbers: &[u64],
        goes_on: GoesOn<'_>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut stream = self.octets();
        let header = ends.has_header().then_some(0);
        let mut wanted = header.into_iter().chain(numbers.iter().copied()).peekable();
        let (mut found, mut buffer) = (Vec::new(), vec![0; STEP_OCTETS]);
        let mut number = u64::from(header.is_none());
        while wanted.peek().is_some() {
            if !goes_on() {
                return Ok(None);
            }
            let count = stream.read(&mut buffer).map_err(broken)?;
            if count == 0 {
                break;
            }
            let mut rest = &buffer[..count];
            while let Some(&next) = wanted.peek()
                && !rest.is_empty()
            {
                let (passed, ended) = ends.next(rest)?;
                if number == next {
                    found.extend_from_slice(&rest[..passed]);
                }
                if ended {
                    wanted.next_if_eq(&number);
                    number += 1;
                }
                rest = &rest[passed..];
            }
        }
        Ok(Some(found))
    }

    fn file(&self, goes_on: GoesOn<'_>) -> Result<Option<tempfile::NamedTempFile>, Error> {
        let refused = |source| Error::System { doing: "keep a result in a file".into(), source };
        let mut file = tempfile::Builder::new()
            .prefix("flowgait-")
            .suffix(".parquet")
            .tempfile()
            .map_err(refused)?;
        let (mut stream, mut buffer) = (self.octets(), vec![0; STEP_OCTETS]);
        loop {
            if !goes_on() {
                return Ok(None);
            }
            match stream.read(&mut buffer).map_err(broken)? {
                0 => break,
                count => file.write_all(&buffer[..count]).map_err(refused)?,
            }
        }
        file.flush().map_err(refused)?;
        Ok(Some(file))
    }
}

/// Tells where records end.
trait Ends {
    /// Whether the first is a header.
    fn has_header(&self) -> bool;
    /// Octets to behind the end of the next record, or to the end of the piece; and whether a record ended.
    fn next(&mut self, piece: &[u8]) -> Result<(usize, bool), Error>;
}

/// Line feeds may be in quotes.
struct OfCsv(Scanner);

impl OfCsv {
    fn new() -> Self {
        // What is within the limits of a table may be a little beyond them with its answers.
        Self(Scanner::new(&TableLimits {
            octets: u64::MAX,
            rows: u64::MAX - 1,
            columns: usize::MAX,
            row_octets: usize::MAX,
            cell_octets: usize::MAX,
        }))
    }
}

impl Ends for OfCsv {
    fn has_header(&self) -> bool {
        true
    }

    fn next(&mut self, piece: &[u8]) -> Result<(usize, bool), Error> {
        // An empty line is no record, and among the answers there is none.
        self.0.next_record(piece).map_err(|_| damaged("a record without an end"))
    }
}

/// JSON has no line feed but between its texts.
struct OfLines;

impl Ends for OfLines {
    fn has_header(&self) -> bool {
        false
    }

    fn next(&mut self, piece: &[u8]) -> Result<(usize, bool), Error> {
        let end = memchr::memchr(b'\n', piece);
        Ok(end.map_or((piece.len(), false), |end| (end + 1, true)))
    }
}

/// Goes through all rows and keeps some.
fn walk(
    mut reader: RowReader,
    numbers: &[u64],
    goes_on: GoesOn<'_>,
) -> Result<Option<Picked>, Error> {
    let header = reader.header().to_vec();
    let (mut rows, mut before) = (Vec::new(), 0);
    for &number in numbers {
        while before + 1 < number {
            if !goes_on() {
                return Ok(None);
            }
            match reader.skip(STEP_ROWS.min(number - 1 - before)).map_err(unread)? {
                0 => return Ok(Some(Picked { header, rows })),
                passed => before += passed,
            }
        }
        let Some(batch) = reader.next_batch(1).map_err(unread)? else { break };
        before += 1;
        let cells = batch.cells(0).map(str::to_owned).collect();
        let values = batch.dataset.columns.iter().map(|column| column[0]).collect();
        rows.push(Row { number, cells, values });
    }
    Ok(Some(Picked { header, rows }))
}

fn damaged(what: &str) -> Error {
    Error::StoreContent { what: format!("{what} among the answers of a job") }
}

/// A stream that broke is the storage's fault.
fn broken(error: io::Error) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        let inner = error.into_inner().and_then(|inner| inner.downcast::<Error>().ok());
        return inner.map_or_else(|| damaged("nothing"), |inner| *inner);
    }
    Error::System { doing: "read a result".to_owned(), source: error }
}

/// What this program wrote should be what it reads.
fn unread(error: flowgait_features::Error) -> Error {
    match error {
        flowgait_features::Error::ReadTable { source, .. } => broken(source),
        other => Error::Table(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    /// Answers in pieces of a few octets.
    async fn stored(text: &str, format: Format, piece: usize) -> (Blobs, JobId, PredictResult) {
        let (blobs, job) = (Blobs::in_memory(), JobId::new(1));
        let mut result = PredictResult { format, ..PredictResult::default() };
        for octets in text.as_bytes().chunks(piece) {
            let sha256 = crate::work::sink::hex(&Sha256::digest(octets));
            blobs.put(&names::piece(job, &sha256), octets.to_vec()).await.unwrap();
            result.pieces.push(Piece { sha256, octets: octets.len() as u64 });
        }
        (blobs, job, result)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_are_found_by_their_number() {
        let mut text = String::from("a,\"b\nc\",prediction\n");
        for row in 1..=300 {
            text +=
                &if row % 7 == 0 { format!("\"{row},\n\",x,y\n") } else { format!("{row},x,y\n") };
        }
        let mut lines = String::new();
        for row in 1..=300 {
            let cell = if row % 7 == 0 { format!("{row},\\n") } else { row.to_string() };
            lines += &format!("{{\"a\":\"{cell}\",\"b\\nc\":null,\"prediction\":\"y\"}}\n");
        }
        let all = [(Format::Csv, &text), (Format::Jsonl, &lines)];
        for (piece, (format, text)) in
            [1_000_000, 97, 1].into_iter().flat_map(|p| all.map(|of| (p, of)))
        {
            let (blobs, job, result) = stored(text, format, piece).await;
            let work = move || {
                let stored = Stored { blobs: &blobs, job, result: &result };
                let schema = Schema { name: String::new(), features: Vec::new() };
                let picked = |numbers: &[u64]| -> Vec<(u64, String)> {
                    let picked = stored.pick(&schema, numbers, &|| true).unwrap().unwrap();
                    assert!(picked.rows.is_empty() || picked.header == ["a", "b\nc", "prediction"]);
                    let first = |row: Row| (row.number, row.cells[0].clone());
                    picked.rows.into_iter().map(first).collect()
                };
                let row = |number: u64| (number, number.to_string());
                assert_eq!(picked(&[1, 2, 300]), [row(1), row(2), row(300)]);
                assert_eq!(picked(&[7, 8]), [(7, "7,\n".to_owned()), row(8)]);
                assert_eq!(picked(&[300, 301, 999]), [row(300)]);
                assert!(picked(&[301]).is_empty());
                assert!(stored.pick(&schema, &[1], &|| false).unwrap().is_none());
            };
            tokio::task::spawn_blocking(work).await.unwrap();
        }
    }
}
