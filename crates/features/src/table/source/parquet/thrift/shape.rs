//! The structures of Parquet's footer and page headers: which field is of which type.
//!
//! The library reads a field as what it should be, whatever type the file declares; a walk that believed the file would be somewhere
//! else than the library is. So a known field of another type is refused.
//!
//! # Reference
//! `parquet.thrift` of apache/parquet-format 2.12.

/// What a field is.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Boolean,
    Byte,
    Integer16,
    Integer32,
    Integer64,
    Double,
    Binary,
    Structure(&'static Structure),
    List(&'static Shape),
}

/// The known fields of a structure, by their numbers; others are stepped over, by the library too.
pub(super) struct Structure(pub(super) &'static [(i16, Shape)]);

impl Structure {
    pub(super) fn field(&self, id: i16) -> Option<Shape> {
        self.0.iter().find(|(number, _)| *number == id).map(|(_, shape)| *shape)
    }
}

use Shape::{Binary, Boolean, Byte, Double, Integer16, Integer32, Integer64, List};

const fn structure(structure: &'static Structure) -> Shape {
    Shape::Structure(structure)
}

/// `schema` in [`FILE`], a list of [`ELEMENT`].
pub(super) const SCHEMA: i16 = 2;
/// `num_children` in [`ELEMENT`].
pub(super) const CHILDREN: i16 = 5;

/// `FileMetaData`.
pub(super) static FILE: Structure = Structure(&[
    (1, Integer32),
    (SCHEMA, List(&structure(&ELEMENT))),
    (3, Integer64),
    (4, List(&structure(&ROW_GROUP))),
    (5, List(&structure(&KEY_VALUE))),
    (6, Binary),
    (7, List(&structure(&NOTHING))),
    (8, structure(&NOTHING)),
    (9, Binary),
]);

/// A union or structure whose members hold nothing that is read.
static NOTHING: Structure = Structure(&[]);

static KEY_VALUE: Structure = Structure(&[(1, Binary), (2, Binary)]);

/// `SchemaElement`.
pub(super) static ELEMENT: Structure = Structure(&[
    (1, Integer32),
    (2, Integer32),
    (3, Integer32),
    (4, Binary),
    (CHILDREN, Integer32),
    (6, Integer32),
    (7, Integer32),
    (8, Integer32),
    (9, Integer32),
    (10, structure(&LOGICAL_TYPE)),
]);

static LOGICAL_TYPE: Structure = Structure(&[
    (1, structure(&NOTHING)),
    (2, structure(&NOTHING)),
    (3, structure(&NOTHING)),
    (4, structure(&NOTHING)),
    (5, structure(&DECIMAL)),
    (6, structure(&NOTHING)),
    (7, structure(&TIME)),
    (8, structure(&TIME)),
    (10, structure(&INTEGER)),
    (11, structure(&NOTHING)),
    (12, structure(&NOTHING)),
    (13, structure(&NOTHING)),
    (14, structure(&NOTHING)),
    (15, structure(&NOTHING)),
    (16, structure(&VARIANT)),
    (17, structure(&GEOMETRY)),
    (18, structure(&GEOMETRY)),
]);

static DECIMAL: Structure = Structure(&[(1, Integer32), (2, Integer32)]);
static TIME: Structure = Structure(&[(1, Boolean), (2, structure(&TIME_UNIT))]);
static TIME_UNIT: Structure =
    Structure(&[(1, structure(&NOTHING)), (2, structure(&NOTHING)), (3, structure(&NOTHING))]);
static INTEGER: Structure = Structure(&[(1, Byte), (2, Boolean)]);
static VARIANT: Structure = Structure(&[(1, Byte)]);
static GEOMETRY: Structure = Structure(&[(1, Binary), (2, Integer32)]);

static ROW_GROUP: Structure = Structure(&[
    (1, List(&structure(&COLUMN_CHUNK))),
    (2, Integer64),
    (3, Integer64),
    (4, List(&structure(&SORTING))),
    (5, Integer64),
    (6, Integer64),
    (7, Integer16),
]);

static SORTING: Structure = Structure(&[(1, Integer32), (2, Boolean), (3, Boolean)]);

static COLUMN_CHUNK: Structure = Structure(&[
    (1, Binary),
    (2, Integer64),
    (3, structure(&COLUMN)),
    (4, Integer64),
    (5, Integer32),
    (6, Integer64),
    (7, Integer32),
    (8, structure(&NOTHING)),
    (9, Binary),
]);

static COLUMN: Structure = Structure(&[
    (1, Integer32),
    (2, List(&Integer32)),
    (3, List(&Binary)),
    (4, Integer32),
    (5, Integer64),
    (6, Integer64),
    (7, Integer64),
    (8, List(&structure(&KEY_VALUE))),
    (9, Integer64),
    (10, Integer64),
    (11, Integer64),
    (12, structure(&STATISTICS)),
    (13, List(&structure(&ENCODING_STATISTICS))),
    (14, Integer64),
    (15, Integer32),
    (16, structure(&SIZE_STATISTICS)),
    (17, structure(&GEOSPATIAL)),
]);

static STATISTICS: Structure = Structure(&[
    (1, Binary),
    (2, Binary),
    (3, Integer64),
    (4, Integer64),
    (5, Binary),
    (6, Binary),
    (7, Boolean),
    (8, Boolean),
    (9, Integer64),
]);
static ENCODING_STATISTICS: Structure =
    Structure(&[(1, Integer32), (2, Integer32), (3, Integer32)]);
static SIZE_STATISTICS: Structure =
    Structure(&[(1, Integer64), (2, List(&Integer64)), (3, List(&Integer64))]);
static GEOSPATIAL: Structure = Structure(&[(1, structure(&BOX)), (2, List(&Integer32))]);
static BOX: Structure = Structure(&[
    (1, Double),
    (2, Double),
    (3, Double),
    (4, Double),
    (5, Double),
    (6, Double),
    (7, Double),
    (8, Double),
]);

/// `uncompressed_page_size` in [`PAGE`].
pub(super) const UNPACKED_OCTETS: i16 = 2;
/// `compressed_page_size` in [`PAGE`].
pub(super) const PAGE_OCTETS: i16 = 3;
/// `data_page_header` in [`PAGE`].
pub(super) const DATA_PAGE: i16 = 5;
/// `data_page_header_v2` in [`PAGE`].
pub(super) const DATA_PAGE_2: i16 = 8;
/// `num_values` in the header of a data page.
pub(super) const VALUES: i16 = 1;

/// `PageHeader`.
pub(super) static PAGE: Structure = Structure(&[
    (1, Integer32),
    (UNPACKED_OCTETS, Integer32),
    (PAGE_OCTETS, Integer32),
    (4, Integer32),
    (DATA_PAGE, structure(&DATA_PAGE_HEADER)),
    (6, structure(&NOTHING)),
    (7, structure(&DICTIONARY_PAGE_HEADER)),
    (DATA_PAGE_2, structure(&DATA_PAGE_HEADER_2)),
]);

static DATA_PAGE_HEADER: Structure = Structure(&[
    (VALUES, Integer32),
    (2, Integer32),
    (3, Integer32),
    (4, Integer32),
    (5, structure(&STATISTICS)),
]);
static DICTIONARY_PAGE_HEADER: Structure =
    Structure(&[(1, Integer32), (2, Integer32), (3, Boolean)]);
static DATA_PAGE_HEADER_2: Structure = Structure(&[
    (VALUES, Integer32),
    (2, Integer32),
    (3, Integer32),
    (4, Integer32),
    (5, Integer32),
    (6, Integer32),
    (7, Boolean),
    (8, structure(&STATISTICS)),
]);
