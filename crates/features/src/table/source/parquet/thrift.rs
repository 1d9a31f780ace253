//! A walk over Thrift's compact encoding, which Parquet's footer and page headers are written in, before the library reads them.
//!
//! The library steps over fields it does not need, and takes the booleans of a list or map to fill no octets.
//! Six octets can so claim two thousand million steps, some eight seconds; a small file can hold thousands of such lists.

mod shape;

use std::io::{Error, ErrorKind, Read, Result};

use shape::{
    CHILDREN, DATA_PAGE, DATA_PAGE_2, ELEMENT, FILE, PAGE, PAGE_OCTETS, Shape, Structure,
    UNPACKED_OCTETS, VALUES,
};

/// Booleans in lists, sets and maps of one structure; Parquet's footer and page headers define none at all.
const BOOLEANS_MAX: u64 = 1_024;

/// How deep values may nest; as deep as the library goes.
const DEPTH_MAX: u8 = 64;

/// What a page's header says.
#[derive(Default)]
pub(super) struct PageHeader {
    /// Octets of the header itself.
    pub(super) header_octets: u64,
    /// Octets of the page in the file.
    pub(super) page_octets: u64,
    /// Octets of the page when it is unpacked.
    pub(super) unpacked_octets: u64,
    /// Values in it, missing ones too; 0 of a page that holds none of the column's.
    pub(super) values: u64,
}

/// Walks a footer's structure.
pub(super) fn check_footer(octets: &[u8]) -> Result<()> {
    let (mut walk, mut children) = (Walk::new(octets), 0_u64);
    walk.structure(Some(&FILE), DEPTH_MAX, &mut |seen| {
        if std::ptr::eq(seen.within, &ELEMENT) && seen.id == CHILDREN {
            children = children.saturating_add(u64::try_from(seen.integer).unwrap_or(0));
        }
    })?;
    // The library makes room for the children that an element claims before it has seen one; each fills an octet or more.
    if children > walk.octets {
        return Err(damaged("more columns are claimed than the footer has room for"));
    }
    Ok(())
}

/// Walks a page's header.
pub(super) fn check_page_header(input: impl Read) -> Result<PageHeader> {
    let mut walk = Walk::new(input);
    let (mut header, mut said) = (PageHeader::default(), false);
    walk.structure(Some(&PAGE), DEPTH_MAX, &mut |seen| {
        let number = u64::try_from(seen.integer);
        match (seen.outer, seen.id) {
            (0, UNPACKED_OCTETS) => header.unpacked_octets = number.unwrap_or(u64::MAX),
            (0, PAGE_OCTETS) => {
                said = number.is_ok();
                header.page_octets = number.unwrap_or(0);
            }
            (DATA_PAGE | DATA_PAGE_2, VALUES) => header.values = number.unwrap_or(u64::MAX),
            _ => {}
        }
    })?;
    if !said {
        return Err(damaged("a page does not say its length"));
    }
    header.header_octets = walk.octets;
    Ok(header)
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

/// An integer field of a known structure.
struct Seen {
    /// Number of the field of the outermost structure that this one lies in; 0 in the outermost itself.
    outer: i16,
    /// The structure, to be known again by its address.
    within: &'static Structure,
    id: i16,
    integer: i64,
}

struct Walk<R> {
    input: R,
    octets: u64,
    booleans: u64,
    /// Number of the outermost structure's field that is walked.
    outer: i16,
}

impl<R: Read> Walk<R> {
    fn new(input: R) -> Self {
        Self { input, octets: 0, booleans: 0, outer: 0 }
    }

    /// Walks a structure, of known fields or of any, and tells `see` the integers of known ones.
    fn structure(
        &mut self,
        known: Option<&'static Structure>,
        depth: u8,
        see: &mut dyn FnMut(Seen),
    ) -> Result<()> {
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
            let shape = known.and_then(|known| known.field(id));
            if shape.is_some_and(|shape| !shape.is(kind)) {
                return Err(damaged("a field is of another type than Parquet gives it"));
            }
            if depth == DEPTH_MAX {
                self.outer = id;
            }
            let number = self.value(kind, shape, depth, see)?;
            if let (Some(number), Some(within)) = (number, known) {
                let outer = if depth == DEPTH_MAX { 0 } else { self.outer };
                see(Seen { outer, within, id, integer: number });
            }
        }
    }

    /// Walks one value; gives an integer's.
    fn value(
        &mut self,
        kind: u8,
        shape: Option<Shape>,
        depth: u8,
        see: &mut dyn FnMut(Seen),
    ) -> Result<Option<i64>> {
        let Some(depth) = depth.checked_sub(1) else { return Err(damaged("values nest too deep")) };
        match kind {
            TRUE | FALSE => {}
            BYTE => self.skip(1)?,
            INTEGER_16 | INTEGER_32 | INTEGER_64 => return Ok(Some(unfold(self.number()?))),
            DOUBLE => self.skip(8)?,
            UUID => self.skip(16)?,
            BINARY => {
                let length = self.number()?;
                self.skip(length)?;
            }
            LIST | SET => {
                let head = self.octet()?;
                let length = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
                let (kind, item) = (head & 0x0f, shape.and_then(Shape::item));
                // An empty list may name any type for the items that it has not.
                if length > 0 && item.is_some_and(|item| !item.is(kind)) {
                    return Err(damaged("a list is of another type than Parquet gives it"));
                }
                self.values(length, &[kind], item, depth, see)?;
            }
            MAP => {
                let length = self.number()?;
                if length > 0 {
                    let kinds = self.octet()?;
                    self.values(length, &[kinds >> 4, kinds & 0x0f], None, depth, see)?;
                }
            }
            STRUCT => {
                let known = match shape {
                    Some(Shape::Structure(known)) => Some(known),
                    _ => None,
                };
                self.structure(known, depth, see)?;
            }
            _ => return Err(damaged("a field is of no known type")),
        }
        Ok(None)
    }

    /// Every value but a boolean fills an octet or more, so only booleans need counting.
    fn values(
        &mut self,
        length: u64,
        kinds: &[u8],
        item: Option<Shape>,
        depth: u8,
        see: &mut dyn FnMut(Seen),
    ) -> Result<()> {
        if kinds.iter().all(|&kind| matches!(kind, TRUE | FALSE)) {
            self.booleans = self.booleans.saturating_add(length);
            if self.booleans > BOOLEANS_MAX {
                return Err(damaged("more booleans are claimed than any Parquet file has"));
            }
        }
        for _ in 0..length {
            for &kind in kinds {
                self.value(kind, item, depth, see)?;
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

impl Shape {
    /// Whether a value that says that it is of a kind is this.
    fn is(self, kind: u8) -> bool {
        match self {
            Self::Boolean => matches!(kind, TRUE | FALSE),
            Self::Byte => kind == BYTE,
            Self::Integer16 => kind == INTEGER_16,
            Self::Integer32 => kind == INTEGER_32,
            Self::Integer64 => kind == INTEGER_64,
            Self::Double => kind == DOUBLE,
            Self::Binary => kind == BINARY,
            Self::Structure(_) => kind == STRUCT,
            Self::List(_) => kind == LIST,
        }
    }

    fn item(self) -> Option<Self> {
        if let Self::List(item) = self { Some(*item) } else { None }
    }
}

/// Signed numbers are stored folded: 0, -1, 1, -2 as 0, 1, 2, 3.
fn unfold(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
