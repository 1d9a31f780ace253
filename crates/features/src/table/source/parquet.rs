//! Parquet without Arrow: each column's values with their levels, some thousands of rows at a time.

mod thrift;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use parquet::basic::{CompressionCodec, LogicalType, TimeUnit, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::Error;
use crate::table::cell::Cell;

/// Rows held at a time, whatever the size of the file's row groups.
const BATCH_ROWS: usize = 4_096;
/// Octets of a page when it is unpacked; the library makes room for what a page claims. Writers cut pages at about one mebibyte.
const PAGE_OCTETS_MAX: u64 = 64 << 20;
/// Cells that an octet of a file may stand for. One value over and over, in pages as long as a row group, is the most that writers
/// reach: some thousands.
const CELLS_PER_OCTET: u64 = 10_000;

pub(super) struct Rows {
    reader: SerializedFileReader<File>,
    /// The same file, for a look at page headers before the library reads them.
    file: File,
    columns: Vec<Column>,
    readers: Vec<ColumnReader>,
    group: usize,
    group_rows_left: usize,
    row: usize,
    batch: usize,
    before: u64,
}

struct Column {
    leaf: usize,
    form: Form,
    list: bool,
    /// Level from which on a value is there.
    definition_max: i16,
    held: Held,
    /// Each row's place in `held`: start and end; `MISSING` as the start of a missing cell.
    places: Vec<(u32, u32)>,
}

const MISSING: u32 = u32::MAX;

/// What a column's stored values mean.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Unsigned,
    /// Parts of a second since 1970.
    Time(f64),
}

enum Held {
    Text(Vec<String>),
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
}

type Opened = (Rows, Vec<String>, Option<(String, String)>);

impl Rows {
    pub(super) fn open(
        path: &Path,
        file: File,
        notices: &mut Vec<String>,
    ) -> Result<Opened, Error> {
        let (reader, file) = guarded(|| {
            let octets = file.metadata()?.len();
            let headers = file.try_clone()?;
            check_footer(&headers, octets)?;
            let reader = SerializedFileReader::new(file)?;
            check_chunks(&reader, octets)?;
            check_rows(&reader, octets)?;
            Ok((reader, headers))
        })
        .map_err(|source| error(path, source))?;
        let metadata = reader.metadata().file_metadata();
        let entry = |key: &str| {
            let entries = metadata.key_value_metadata()?;
            entries.iter().find(|entry| entry.key == key)?.value.clone()
        };
        let stated = entry("flowgait.schema").zip(entry("flowgait.schema.hash"));
        let (mut header, mut columns) = (Vec::new(), Vec::new());
        for (leaf, descriptor) in metadata.schema_descr().columns().iter().enumerate() {
            let name = descriptor.path().parts()[0].trim().to_string();
            match Column::new(leaf, descriptor) {
                Some(column) => {
                    header.push(name);
                    columns.push(column);
                }
                None => notices.push(format!(
                    "column '{}' is of a type that is not read ({})",
                    descriptor.path().string(),
                    descriptor.physical_type()
                )),
            }
        }
        let readers = Vec::new();
        let rows = Self {
            reader,
            file,
            columns,
            readers,
            group: 0,
            group_rows_left: 0,
            row: 0,
            batch: 0,
            before: 0,
        };
        Ok((rows, header, stated))
    }

    pub(super) fn advance(&mut self, path: &Path) -> Result<bool, Error> {
        self.row += 1;
        if self.row < self.batch {
            return Ok(true);
        }
        self.before += self.batch as u64;
        guarded(|| self.read_batch()).map_err(|source| error(path, source))
    }

    /// Reads the next rows of the row group, or of the next one; `false` behind the last.
    fn read_batch(&mut self) -> Result<bool, ParquetError> {
        (self.row, self.batch) = (0, 0);
        while self.group_rows_left == 0 {
            if self.group == self.reader.num_row_groups() {
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.group)?;
            let rows = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            for column in &self.columns {
                check_pages(&self.file, group.metadata().column(column.leaf), rows, column.list)?;
            }
            self.readers = self
                .columns
                .iter()
                .map(|column| group.get_column_reader(column.leaf))
                .collect::<Result<_, _>>()?;
            self.group += 1;
            self.group_rows_left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        }
        let rows = self.group_rows_left.min(BATCH_ROWS);
        for (column, reader) in self.columns.iter_mut().zip(&mut self.readers) {
            column.read(reader, rows)?;
        }
        self.group_rows_left -= rows;
        self.batch = rows;
        Ok(true)
    }

    pub(super) fn cell(&self, column: usize) -> Cell<'_> {
        self.columns[column].cell(self.row)
    }

    pub(super) fn line(&self) -> u64 {
        self.before + self.row as u64 + 1
    }
}

impl Column {
    /// `None` for types that are not read: nested ones, decimals, fixed-length octets.
    fn new(leaf: usize, descriptor: &ColumnDescriptor) -> Option<Self> {
        let logical = descriptor.logical_type_ref();
        let form = match logical {
            None | Some(LogicalType::String | LogicalType::Date | LogicalType::Enum) => Form::Plain,
            Some(LogicalType::Json) => Form::Plain,
            Some(LogicalType::Integer(integer)) if integer.is_signed => Form::Plain,
            Some(LogicalType::Integer(_)) => Form::Unsigned,
            Some(LogicalType::Timestamp(timestamp)) => Form::Time(match timestamp.unit {
                TimeUnit::MILLIS => 1e3,
                TimeUnit::MICROS => 1e6,
                TimeUnit::NANOS => 1e9,
            }),
            Some(_) => return None,
        };
        let held = match (descriptor.physical_type(), form) {
            (PhysicalType::INT64 | PhysicalType::INT32, Form::Time(_)) => Held::Doubles(Vec::new()),
            (PhysicalType::BOOLEAN | PhysicalType::INT32 | PhysicalType::INT64, _) => {
                Held::Integers(Vec::new())
            }
            (PhysicalType::FLOAT, _) => Held::Floats(Vec::new()),
            (PhysicalType::DOUBLE, _) => Held::Doubles(Vec::new()),
            (PhysicalType::BYTE_ARRAY, _) => Held::Text(Vec::new()),
            (PhysicalType::INT96 | PhysicalType::FIXED_LEN_BYTE_ARRAY, _) => return None,
        };
        let parts = descriptor.path().parts().len();
        let list = descriptor.max_rep_level() == 1 && parts == 3;
        let readable = if list { matches!(held, Held::Integers(_)) } else { parts == 1 };
        let flat = list || descriptor.max_rep_level() == 0;
        (readable && flat).then(|| Self {
            leaf,
            form,
            list,
            definition_max: descriptor.max_def_level(),
            held,
            places: Vec::new(),
        })
    }

    fn read(&mut self, reader: &mut ColumnReader, rows: usize) -> Result<(), ParquetError> {
        self.places.clear();
        let levels = match (reader, &mut self.held, self.form) {
            (ColumnReader::BoolColumnReader(reader), Held::Integers(held), _) => {
                read(reader, rows, held, |value| i64::from(*value))
            }
            (ColumnReader::Int32ColumnReader(reader), Held::Integers(held), Form::Unsigned) => {
                read(reader, rows, held, |value| i64::from(value.cast_unsigned()))
            }
            (ColumnReader::Int32ColumnReader(reader), Held::Integers(held), _) => {
                read(reader, rows, held, |value| i64::from(*value))
            }
            (ColumnReader::Int64ColumnReader(reader), Held::Integers(held), Form::Unsigned) => {
                read(reader, rows, held, |value| {
                    i64::try_from(value.cast_unsigned()).unwrap_or(i64::MAX)
                })
            }
            (ColumnReader::Int64ColumnReader(reader), Held::Integers(held), _) => {
                read(reader, rows, held, |value| *value)
            }
            (ColumnReader::Int64ColumnReader(reader), Held::Doubles(held), Form::Time(parts)) => {
                read(reader, rows, held, |value| *value as f64 / parts)
            }
            (ColumnReader::FloatColumnReader(reader), Held::Floats(held), _) => {
                read(reader, rows, held, |value| *value)
            }
            (ColumnReader::DoubleColumnReader(reader), Held::Doubles(held), _) => {
                read(reader, rows, held, |value| *value)
            }
            (ColumnReader::ByteArrayColumnReader(reader), Held::Text(held), _) => {
                read(reader, rows, held, |value| String::from_utf8_lossy(value.data()).into_owned())
            }
            _ => Err(ParquetError::General("a column's pages are not of its type".to_string())),
        }?;
        self.place(&levels, rows)
    }

    /// Finds each row's values by their levels.
    fn place(&mut self, levels: &Levels, rows: usize) -> Result<(), ParquetError> {
        let mut next = 0_u32;
        if self.definition_max == 0 {
            self.places.extend((0..rows as u32).map(|row| (row, row + 1)));
        } else {
            for (index, &definition) in levels.definition.iter().enumerate() {
                let there = definition == self.definition_max;
                let first =
                    !self.list || levels.repetition.get(index).is_none_or(|&level| level == 0);
                if first {
                    let missing = if self.list { definition == 0 } else { !there };
                    self.places.push((if missing { MISSING } else { next }, next));
                }
                if there {
                    next += 1;
                    if let Some((_, end)) = self.places.last_mut() {
                        *end = next;
                    }
                }
            }
        }
        let values = self.places.last().map_or(0, |&(_, end)| end as usize);
        if self.places.len() != rows || values > self.held.len() {
            let message = "a column has fewer values than its levels say".to_string();
            return Err(ParquetError::General(message));
        }
        Ok(())
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        let (start, end) = self.places[row];
        if start == MISSING {
            return Cell::Missing;
        }
        let (start, end) = (start as usize, end as usize);
        match &self.held {
            Held::Text(held) => Cell::Text(&held[start]),
            Held::Integers(held) if self.list => Cell::Integers(&held[start..end]),
            Held::Integers(held) => Cell::Integer(held[start]),
            Held::Floats(held) => Cell::Float(held[start]),
            Held::Doubles(held) => Cell::Double(held[start]),
        }
    }
}

impl Held {
    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Doubles(values) => values.len(),
        }
    }
}

#[derive(Default)]
struct Levels {
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

fn read<T: DataType, V>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    held: &mut Vec<V>,
    value: impl Fn(&T::T) -> V,
) -> Result<Levels, ParquetError> {
    let (mut levels, mut values) = (Levels::default(), Vec::new());
    let mut left = rows;
    while left > 0 {
        let (records, _, _) = reader.read_records(
            left,
            Some(&mut levels.definition),
            Some(&mut levels.repetition),
            &mut values,
        )?;
        if records == 0 {
            return Err(ParquetError::General("a column ends before its row group".to_string()));
        }
        left -= records;
    }
    held.clear();
    held.extend(values.iter().map(value));
    Ok(levels)
}

/// The footer ends in its own length and four octets of magic; a file without it is the library's to refuse.
fn check_footer(mut file: &File, octets: u64) -> Result<(), ParquetError> {
    const TAIL: u64 = 8;
    let Some(tail_start) = octets.checked_sub(TAIL) else { return Ok(()) };
    let mut length = [0; 4];
    file.seek(SeekFrom::Start(tail_start))?;
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let Some(start) = tail_start.checked_sub(length) else { return Ok(()) };
    let mut footer = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(length).read_to_end(&mut footer)?;
    Ok(thrift::check_footer(&footer)?)
}

/// Walks the headers of a chunk's pages; costs one short read a page.
fn check_pages(
    mut file: &File,
    chunk: &ColumnChunkMetaData,
    rows: u64,
    list: bool,
) -> Result<(), ParquetError> {
    let refuse = |problem: String| {
        let name = chunk.column_path().string();
        Err(ParquetError::General(format!("column {name}: {problem}")))
    };
    let (mut start, length) = chunk.byte_range();
    let end = start + length;
    let mut values = 0_u64;
    while start < end {
        file.seek(SeekFrom::Start(start))?;
        let header = thrift::check_page_header(BufReader::new(file))?;
        if header.unpacked_octets > PAGE_OCTETS_MAX {
            let (octets, mebi) = (header.unpacked_octets, PAGE_OCTETS_MAX >> 20);
            return refuse(format!(
                "a page claims {octets} octets when unpacked, and no more than {mebi} MiB are read; write it with smaller pages"
            ));
        }
        values = values.saturating_add(header.values);
        start = start.saturating_add(header.header_octets).saturating_add(header.page_octets);
    }
    if list && values > length.saturating_mul(CELLS_PER_OCTET) {
        return refuse(format!("{values} values are claimed in {length} octets"));
    }
    if !list && values != rows {
        return refuse(format!("its pages hold {values} values, and its row group {rows} rows"));
    }
    Ok(())
}

/// The rows that a file claims must be in some proportion to its size: a column that says one thing over and over needs few octets, but
/// not none.
fn check_rows(reader: &SerializedFileReader<File>, octets: u64) -> Result<(), ParquetError> {
    let columns = reader.metadata().file_metadata().schema_descr().num_columns() as u64;
    let mut rows = 0_u64;
    for group in reader.metadata().row_groups() {
        let Ok(own) = u64::try_from(group.num_rows()) else {
            return Err(ParquetError::General("a row group of fewer rows than none".to_string()));
        };
        rows = rows.saturating_add(own);
    }
    if rows.saturating_mul(columns) > octets.saturating_mul(CELLS_PER_OCTET) {
        return Err(ParquetError::General(format!(
            "{rows} rows of {columns} columns are claimed in {octets} octets, more than any program writes"
        )));
    }
    Ok(())
}

/// Where column chunks lie is the file's own word; the library panics on some that cannot be.
fn check_chunks(reader: &SerializedFileReader<File>, octets: u64) -> Result<(), ParquetError> {
    for group in reader.metadata().row_groups() {
        for chunk in group.columns() {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .zip(u64::try_from(chunk.compressed_size()).ok())
                .and_then(|(start, length)| start.checked_add(length));
            let name = || chunk.column_path().string();
            if end.is_none_or(|end| end > octets) {
                return Err(ParquetError::General(format!(
                    "column {} lies outside the file",
                    name()
                )));
            }
            // Those that the library unpacks no further than a page's claim, which is checked.
            if !matches!(
                chunk.compression_codec(),
                CompressionCodec::UNCOMPRESSED | CompressionCodec::SNAPPY | CompressionCodec::ZSTD
            ) {
                return Err(ParquetError::General(format!(
                    "column {} is compressed with {}, which is not read: write it with snappy or zstd",
                    name(),
                    chunk.compression_codec()
                )));
            }
        }
    }
    Ok(())
}

/// The library still panics on some damaged pages; to whoever reads a table that is a bad table, not a bug of ours.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(ParquetError::General("a page is damaged beyond what can be told".to_string()))
    })
}

fn error(path: &Path, source: ParquetError) -> Error {
    Error::ReadParquet { path: PathBuf::from(path), source }
}
