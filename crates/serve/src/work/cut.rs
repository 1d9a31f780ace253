//! A table cut into chunks at the ends of rows, so that many can answer it.

use std::io::Read;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::scan::Scanner;
use super::{Shop, Teller, Trouble, wait};
use crate::job::JobId;
use crate::order::names;

/// Octets read at a time.
const READ_OCTETS: usize = 256 << 10;
/// Most chunks of a job: of a larger table they are longer.
pub(super) const CHUNKS_MAX: u64 = 4_000;

/// A chunk of a table, as its part's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunk {
    /// Its place, from 0.
    pub number: usize,
    /// What it is in: the upload, or a blob of its own.
    pub blob: String,
    /// Where the header is in it.
    pub header: Range<u64>,
    /// Where its rows are in it.
    pub rows: Range<u64>,
    /// How many rows that is.
    pub row_count: u64,
    /// Lines of the whole table before its first row.
    pub lines_before: u64,
    /// Rows of the whole table before its first.
    pub rows_before: u64,
}

/// How the cells of a plain upload are cut: at places of it, nothing is copied.
pub(super) fn places(
    shop: &Shop,
    blob: &str,
    octets: u64,
    teller: &mut Teller<'_>,
) -> Result<Vec<Chunk>, Trouble> {
    let mut reader = shop.blobs.reader(blob, 0..octets);
    let mut scanner = Scanner::new(&shop.limits);
    let size = shop.chunk_octets.max(octets / CHUNKS_MAX);
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut header = None;
    let mut begun = Mark::default();
    let mut buffer = vec![0; READ_OCTETS];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            let (passed, ended) = scanner.next_record(rest)?;
            rest = &rest[passed..];
            if !ended {
                continue;
            }
            let now = Mark::of(&scanner);
            if header.is_none() {
                if scanner.records() == 1 {
                    header = Some(0..now.octets);
                }
                begun = now;
            } else if now.octets - begun.octets >= size {
                chunks.push(begun.to(now, chunks.len(), blob, header.clone()));
                begun = now;
            }
        }
        teller.done(scanner.octets())?;
    }
    let mut end = Mark::of(&scanner);
    if header.is_none() && end.octets > 0 {
        // A header without a line feed, or nothing but empty lines, which whoever reads it tells.
        (header, begun) = (Some(0..end.octets), end);
    }
    // A last row without a line feed is one.
    end.records += u64::from(scanner.octets() > begun.octets && end.records == begun.records);
    // A header alone is a table without rows.
    if end.octets > begun.octets || (chunks.is_empty() && header.is_some()) {
        chunks.push(begun.to(end, chunks.len(), blob, header));
    }
    Ok(chunks)
}

/// Where a scanner was between two rows.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    octets: u64,
    records: u64,
    lines: u64,
}

impl Mark {
    fn of(scanner: &Scanner) -> Self {
        Self { octets: scanner.octets(), records: scanner.records(), lines: scanner.lines() }
    }

    fn to(self, end: Self, number: usize, blob: &str, header: Option<Range<u64>>) -> Chunk {
        Chunk {
            number,
            blob: blob.to_owned(),
            header: header.unwrap_or_default(),
            rows: self.octets..end.octets,
            row_count: end.records - self.records,
            lines_before: self.lines,
            rows_before: self.records.saturating_sub(1),
        }
    }
}

/// Rows of a stream, in blobs of a chunk each, which begin with the header.
pub(super) struct Copier<'a> {
    shop: &'a Shop,
    job: JobId,
    scanner: Scanner,
    header: Vec<u8>,
    has_header: bool,
    open: Vec<u8>,
    begun: Mark,
    chunks: Vec<Chunk>,
}

impl<'a> Copier<'a> {
    pub(super) fn new(shop: &'a Shop, job: JobId) -> Self {
        Self {
            shop,
            job,
            scanner: Scanner::new(&shop.limits),
            header: Vec::new(),
            has_header: false,
            open: Vec::new(),
            begun: Mark::default(),
            chunks: Vec::new(),
        }
    }

    /// Takes a piece of the table.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), Trouble> {
        let mut rest = piece;
        while !rest.is_empty() {
            let (passed, ended) = self.scanner.next_record(rest)?;
            let (taken, left) = rest.split_at(passed);
            rest = left;
            if !self.has_header {
                self.header.extend_from_slice(taken);
                if ended && self.scanner.records() == 1 {
                    self.has_header = true;
                    self.begun = Mark::of(&self.scanner);
                } else if ended {
                    // Empty lines before the header.
                    self.header.clear();
                }
                continue;
            }
            self.open.extend_from_slice(taken);
            // Blobs that are written anew grow with their number, so that there are never too many of them.
            let grown = self.shop.chunk_octets * (1 + self.chunks.len() as u64 / 256);
            if ended && self.open.len() as u64 >= grown {
                self.cut()?;
            }
        }
        Ok(())
    }

    fn cut(&mut self) -> Result<(), Trouble> {
        let mut end = Mark::of(&self.scanner);
        end.records += u64::from(end.records == self.begun.records);
        let number = self.chunks.len();
        let blob = names::chunk(self.job, number);
        let header = self.header.len() as u64;
        let mut octets = self.header.clone();
        octets.append(&mut self.open);
        let rows = header..octets.len() as u64;
        wait(self.shop.blobs.put(&blob, octets))?;
        let chunk = self.begun.to(end, number, &blob, Some(0..header));
        self.chunks.push(Chunk { rows, ..chunk });
        self.begun = end;
        Ok(())
    }

    /// All chunks; at least one where there was a header.
    pub(super) fn finish(mut self) -> Result<Vec<Chunk>, Trouble> {
        if !self.open.is_empty() || (self.chunks.is_empty() && !self.header.is_empty()) {
            let is_empty = self.open.is_empty();
            self.cut()?;
            if let Some(last) = self.chunks.last_mut()
                && is_empty
            {
                last.row_count = 0;
            }
        }
        Ok(self.chunks)
    }
}
