//! A walk over Thrift's compact encoding, which Parquet's footer and page headers are written in, before the library reads them.
//!
//! The library steps over fields it does not need, and takes the booleans of a list or map to fill no octets.
//! Six octets can so claim two thousand million steps, some eight seconds; a small file can hold thousands of such lists.

use std::io::{Error, ErrorKind, Read, Result};

/// Booleans in lists, sets and maps of one structure; Parquet's footer and page headers define none at all.
const BOOLEANS_MAX: u64 = 1_024;

/// How deep values may nest; as deep as the library goes.
const DEPTH_MAX: u8 = 64;

/// Where a page header ends, and how long it says its page is.
pub(super) struct PageHeader {
    pub(super) header_octets: u64,
    pub(super) page_octets: u64,
}

/// Walks a footer's structure.
pub(super) fn check_footer(octets: &[u8]) -> Result<()> {
    let mut walk = Walk::new(octets);
    walk.structure(DEPTH_MAX, |_, _, _| ())?;
    // The library makes room for the children that an element claims before it has seen one; each fills an octet or more.
    if walk.children > walk.octets {
        return Err(damaged("more columns are claimed than the footer has room for"));
    }
    Ok(())
}

/// Walks a page's header.
pub(super) fn check_page_header(input: impl Read) -> Result<PageHeader> {
    /// `compressed_page_size` in `PageHeader` of parquet.thrift.
    const PAGE_OCTETS: i16 = 3;
    let mut walk = Walk::new(input);
    let mut page_octets = None;
    walk.structure(DEPTH_MAX, |id, kind, number| {
        if id == PAGE_OCTETS && kind == INTEGER_32 {
            page_octets = u64::try_from(unfold(number)).ok();
        }
    })?;
    let page_octets = page_octets.ok_or_else(|| damaged("a page does not say its length"))?;
    Ok(PageHeader { header_octets: walk.octets, page_octets })
}

const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const INTEGER_16: u8 = 4;
const INTEGER_32: u8 = 5;
const INTEGER_64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// `schema` in `FileMetaData` of parquet.thrift, a list of `SchemaElement`.
const SCHEMA: i16 = 2;
/// `num_children` in `SchemaElement`.
const CHILDREN: i16 = 5;

struct Walk<R> {
    input: R,
    octets: u64,
    booleans: u64,
    /// Number of the outermost structure's field that is walked.
    field: i16,
    /// Children that all elements of a schema claim together.
    children: u64,
}

impl<R: Read> Walk<R> {
    fn new(input: R) -> Self {
        Self { input, octets: 0, booleans: 0, field: 0, children: 0 }
    }

    /// Tells `seen` each field's number, type and, of an integer, its raw value.
    fn structure(&mut self, depth: u8, mut seen: impl FnMut(i16, u8, u64)) -> Result<()> {
        let mut id = 0_i16;
        loop {
            let head = self.octet()?;
            let kind = head & 0x0f;
            if kind == STOP {
                return Ok(());
            }
            id = match i16::from(head >> 4) {
                0 => unfold(self.number()?) as i16,
                step => id.checked_add(step).ok_or_else(|| damaged("a field has no number"))?,
            };
            if depth == DEPTH_MAX {
                self.field = id;
            }
            let number = self.value(kind, depth)?;
            seen(id, kind, number);
        }
    }

    /// Walks one value; gives an integer's raw value, and zero for all else.
    fn value(&mut self, kind: u8, depth: u8) -> Result<u64> {
        let Some(depth) = depth.checked_sub(1) else { return Err(damaged("values nest too deep")) };
        match kind {
            TRUE | FALSE => {}
            BYTE => self.skip(1)?,
            INTEGER_16 | INTEGER_32 | INTEGER_64 => return self.number(),
            DOUBLE => self.skip(8)?,
            UUID => self.skip(16)?,
            BINARY => {
                let length = self.number()?;
                self.skip(length)?;
            }
            LIST | SET => {
                let head = self.octet()?;
                let length = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
                self.values(length, &[head & 0x0f], depth)?;
            }
            MAP => {
                let length = self.number()?;
                if length > 0 {
                    let kinds = self.octet()?;
                    self.values(length, &[kinds >> 4, kinds & 0x0f], depth)?;
                }
            }
            STRUCT => {
                // A list of the outermost structure is one deeper, and its elements one more.
                let element = self.field == SCHEMA && depth == DEPTH_MAX - 2;
                let mut children = 0;
                self.structure(depth, |id, kind, number| {
                    if element && id == CHILDREN && matches!(kind, INTEGER_16..=INTEGER_64) {
                        children = u64::try_from(unfold(number)).unwrap_or(0);
                    }
                })?;
                self.children = self.children.saturating_add(children);
            }
            _ => return Err(damaged("a field is of no known type")),
        }
        Ok(0)
    }

    /// Every value but a boolean fills an octet or more, so only booleans need counting.
    fn values(&mut self, length: u64, kinds: &[u8], depth: u8) -> Result<()> {
        if kinds.iter().all(|&kind| matches!(kind, TRUE | FALSE)) {
            self.booleans = self.booleans.saturating_add(length);
            if self.booleans > BOOLEANS_MAX {
                return Err(damaged("more booleans are claimed than any Parquet file has"));
            }
        }
        for _ in 0..length {
            for &kind in kinds {
                self.value(kind, depth)?;
            }
        }
        Ok(())
    }

    /// A number of at most 64 bits, seven to an octet, the lowest first.
    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            number |= u64::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(damaged("a number has more than 64 bits"))
    }

    fn octet(&mut self) -> Result<u8> {
        let mut octet = [0];
        self.input.read_exact(&mut octet)?;
        self.octets += 1;
        Ok(octet[0])
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        let skipped = std::io::copy(&mut self.input.by_ref().take(length), &mut std::io::sink())?;
        self.octets += skipped;
        if skipped < length { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// Signed numbers are stored folded: 0, -1, 1, -2 as 0, 1, 2, 3.
fn unfold(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
