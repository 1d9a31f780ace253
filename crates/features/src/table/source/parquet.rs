//! Parquet without Arrow: each column's values with their levels, some thousands of rows at a time.

mod claims;
mod thrift;

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use flowgait_flow::export::Kind;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::Error;
use crate::table::cell::Cell;

/// Rows held at a time, whatever the size of the file's row groups.
const BATCH_ROWS: usize = 4_096;

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
    /// Columns of a type that is not read, and the type.
    pub(super) unread: Vec<(String, String)>,
}

struct Column {
    name: String,
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
const DAY_SECONDS: f64 = 86_400.0;

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
    pub(super) fn open(path: &Path, file: File) -> Result<Opened, Error> {
        let (reader, file) = guarded(|| {
            let octets = file.metadata()?.len();
            let headers = file.try_clone()?;
            claims::check_footer(&headers, octets)?;
            let reader = SerializedFileReader::new(file)?;
            claims::check_chunks(&reader, octets)?;
            claims::check_rows(&reader, octets)?;
            Ok((reader, headers))
        })
        .map_err(|source| error(path, source))?;
        let metadata = reader.metadata().file_metadata();
        let entry = |key: &str| {
            let entries = metadata.key_value_metadata()?;
            entries.iter().find(|entry| entry.key == key)?.value.clone()
        };
        let stated = entry("flowgait.schema").zip(entry("flowgait.schema.hash"));
        let (mut header, mut columns, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for (leaf, descriptor) in metadata.schema_descr().columns().iter().enumerate() {
            let name = descriptor.path().parts()[0].trim().to_string();
            match Column::new(leaf, descriptor) {
                Some(column) => {
                    header.push(name);
                    columns.push(column);
                }
                None => unread.push((descriptor.path().string(), kind(descriptor))),
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
            unread,
        };
        Ok((rows, header, stated))
    }

    pub(super) fn advance(&mut self, path: &Path) -> Result<bool, Error> {
        self.row += 1;
        if self.row < self.batch {
            return Ok(true);
        }
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
                claims::check_pages(
                    &self.file,
                    group.metadata().column(column.leaf),
                    rows,
                    column.list,
                )?;
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

    /// The kind of a column's cells.
    pub(super) fn kind(&self, column: usize) -> Kind {
        let column = &self.columns[column];
        match column.held {
            Held::Text(_) => Kind::Text,
            Held::Integers(_) if column.list => Kind::IntegerList,
            Held::Integers(_) => Kind::Integer,
            Held::Floats(_) => Kind::Float,
            Held::Doubles(_) => Kind::Double,
        }
    }

    /// The columns whose type is a time.
    pub(super) fn times(&self) -> Vec<usize> {
        let is_time = |column: &Column| matches!(column.form, Form::Time(_));
        (0..self.columns.len()).filter(|&place| is_time(&self.columns[place])).collect()
    }
}

impl Column {
    /// `None` for types that are not read: nested ones, decimals, fixed-length octets.
    fn new(leaf: usize, descriptor: &ColumnDescriptor) -> Option<Self> {
        let logical = descriptor.logical_type_ref();
        let form = match logical {
            None => old_form(descriptor.converted_type())?,
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => Form::Plain,
            Some(LogicalType::Date) => Form::Time(1.0 / DAY_SECONDS),
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
            name: descriptor.path().string(),
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
            (ColumnReader::Int32ColumnReader(reader), Held::Doubles(held), Form::Time(parts)) => {
                read(reader, rows, held, |value| f64::from(*value) / parts)
            }
            (ColumnReader::FloatColumnReader(reader), Held::Floats(held), _) => {
                read(reader, rows, held, |value| *value)
            }
            (ColumnReader::DoubleColumnReader(reader), Held::Doubles(held), _) => {
                read(reader, rows, held, |value| *value)
            }
            (ColumnReader::ByteArrayColumnReader(reader), Held::Text(held), _) => {
                read_text(reader, rows, held, &self.name)
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

/// Reads texts. Octets that are none would be other classes and values than the file has.
fn read_text(
    reader: &mut ColumnReaderImpl<ByteArrayType>,
    rows: usize,
    held: &mut Vec<String>,
    column: &str,
) -> Result<Levels, ParquetError> {
    let mut texts = Vec::new();
    let text = |value: &ByteArray| String::from_utf8(value.data().to_vec()).ok();
    let levels = read(reader, rows, &mut texts, text)?;
    let whole: Option<Vec<String>> = texts.into_iter().collect();
    *held = whole.ok_or_else(|| {
        ParquetError::General(format!("column '{column}' has a cell that is not UTF-8"))
    })?;
    Ok(levels)
}

/// What values mean in files of older writers, which have no logical types; `None` for what is not read.
fn old_form(converted: ConvertedType) -> Option<Form> {
    Some(match converted {
        ConvertedType::TIMESTAMP_MILLIS => Form::Time(1e3),
        ConvertedType::TIMESTAMP_MICROS => Form::Time(1e6),
        ConvertedType::DATE => Form::Time(1.0 / DAY_SECONDS),
        ConvertedType::UINT_8
        | ConvertedType::UINT_16
        | ConvertedType::UINT_32
        | ConvertedType::UINT_64 => Form::Unsigned,
        ConvertedType::DECIMAL | ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS => {
            return None;
        }
        _ => Form::Plain,
    })
}

/// A type's name, as far as a person knows it.
fn kind(descriptor: &ColumnDescriptor) -> String {
    match (descriptor.logical_type_ref(), descriptor.converted_type()) {
        (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => "decimal".to_string(),
        (Some(LogicalType::Time(_)), _)
        | (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => "time of day".to_string(),
        _ if descriptor.path().parts().len() > 1 => "nested".to_string(),
        _ => descriptor.physical_type().to_string(),
    }
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
