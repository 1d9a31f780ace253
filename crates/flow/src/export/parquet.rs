//! Rows as Parquet, written column by column with the levels of lists laid by hand, so that Arrow is not needed.
//!
//! # Reference
//! Melnik et al., *Dremel*, VLDB 2010: definition and repetition levels; parquet-format `LogicalTypes.md`, "Lists".

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{AtomicFile, CellSink, ColumnSpec, Kind, RowSchema};
use crate::Error;

/// A row group is closed at this many rows or octets, whichever comes first: what is held in memory.
const GROUP_ROWS: usize = 65_536;
const GROUP_OCTETS: usize = 64 << 20;

/// Rows of the row group that is being gathered.
pub(super) struct Rows {
    writer: SerializedFileWriter<AtomicFile>,
    columns: Vec<Column>,
    column: usize,
    rows: usize,
    octets: usize,
}

/// One column's values with their levels.
///
/// Every column is optional: level 0 is missing, 1 is there. In a list 0 is a missing list, 1 an empty one, 2 a value.
struct Column {
    name: String,
    values: Values,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    IntegerList(Vec<i64>),
}

impl Rows {
    pub(super) fn new(file: AtomicFile, schema: &RowSchema, path: &Path) -> Result<Self, Error> {
        let failed = |source| write_error(path, source);
        let fields = schema.columns.iter().map(field).collect::<Result<Vec<_>, _>>();
        let root = fields
            .and_then(|fields| Type::group_type_builder("flow").with_fields(fields).build())
            .map_err(failed)?;
        let writer = SerializedFileWriter::new(file, Arc::new(root), Arc::new(properties(schema)))
            .map_err(failed)?;
        let columns = schema.columns.iter().map(Column::new).collect();
        Ok(Self { writer, columns, column: 0, rows: 0, octets: 0 })
    }

    pub(super) fn end_row(&mut self, path: &Path) -> Result<(), Error> {
        self.column = 0;
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.octets >= GROUP_OCTETS {
            self.write_group().map_err(|source| write_error(path, source))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, path: &Path) -> Result<AtomicFile, Error> {
        if self.rows > 0 {
            self.write_group().map_err(|source| write_error(path, source))?;
        }
        self.writer.into_inner().map_err(|source| write_error(path, source))
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            column.write(&mut group)?;
        }
        group.close()?;
        self.rows = 0;
        self.octets = 0;
        Ok(())
    }

    fn next(&mut self, octets: usize) -> &mut Column {
        self.octets += octets + 2;
        self.column += 1;
        &mut self.columns[self.column - 1]
    }
}

impl Column {
    fn new(spec: &ColumnSpec) -> Self {
        let values = match spec.kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Integer => Values::Integer(Vec::new()),
            Kind::Float => Values::Float(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
            Kind::IntegerList => Values::IntegerList(Vec::new()),
        };
        let (definition, repetition) = (Vec::new(), Vec::new());
        Self { name: spec.name.clone(), values, definition, repetition }
    }

    fn write(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, AtomicFile>,
    ) -> Result<(), ParquetError> {
        let Self { values, definition, repetition, .. } = self;
        match values {
            Values::Text(values) => write::<ByteArrayType>(group, values, definition, None)?,
            Values::Integer(values) => write::<Int64Type>(group, values, definition, None)?,
            Values::Float(values) => write::<FloatType>(group, values, definition, None)?,
            Values::Double(values) => write::<DoubleType>(group, values, definition, None)?,
            Values::IntegerList(values) => {
                write::<Int64Type>(group, values, definition, Some(repetition))?;
            }
        }
        definition.clear();
        repetition.clear();
        Ok(())
    }

    #[cold]
    fn wrong_kind(&self, given: Kind) -> ! {
        panic!("a cell of column {} was given as {}", self.name, given.name())
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, AtomicFile>,
    values: &mut Vec<T::T>,
    definition: &[i16],
    repetition: Option<&Vec<i16>>,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("one writer for each column of the schema");
    column.typed::<T>().write_batch(values, Some(definition), repetition.map(Vec::as_slice))?;
    values.clear();
    column.close()
}

impl CellSink for Rows {
    fn text(&mut self, value: &str) {
        let column = self.next(value.len() + 32);
        let Values::Text(values) = &mut column.values else { column.wrong_kind(Kind::Text) };
        values.push(ByteArray::from(value.as_bytes().to_vec()));
        column.definition.push(1);
    }

    fn integer(&mut self, value: i64) {
        let column = self.next(8);
        let Values::Integer(values) = &mut column.values else { column.wrong_kind(Kind::Integer) };
        values.push(value);
        column.definition.push(1);
    }

    fn float(&mut self, value: f32) {
        let column = self.next(4);
        let Values::Float(values) = &mut column.values else { column.wrong_kind(Kind::Float) };
        if value.is_finite() {
            values.push(value);
        }
        column.definition.push(i16::from(value.is_finite()));
    }

    fn double(&mut self, value: f64) {
        let column = self.next(8);
        let Values::Double(values) = &mut column.values else { column.wrong_kind(Kind::Double) };
        if value.is_finite() {
            values.push(value);
        }
        column.definition.push(i16::from(value.is_finite()));
    }

    fn integers(&mut self, values: &[i64]) {
        let column = self.next(2 + values.len() * 12);
        let Values::IntegerList(held) = &mut column.values else {
            column.wrong_kind(Kind::IntegerList)
        };
        held.extend_from_slice(values);
        column.definition.extend(values.iter().map(|_| 2));
        column.repetition.extend((0..values.len()).map(|place| i16::from(place > 0)));
        if values.is_empty() {
            column.repetition.push(0);
            column.definition.push(1);
        }
    }

    fn missing(&mut self) {
        let column = self.next(0);
        column.definition.push(0);
        if matches!(column.values, Values::IntegerList(_)) {
            column.repetition.push(0);
        }
    }
}

fn field(spec: &ColumnSpec) -> Result<Arc<Type>, ParquetError> {
    let optional =
        |kind| Type::primitive_type_builder(&spec.name, kind).with_repetition(Repetition::OPTIONAL);
    let field = match spec.kind {
        Kind::Text => optional(PhysicalType::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String))
            .build()?,
        Kind::Integer => optional(PhysicalType::INT64).build()?,
        Kind::Float => optional(PhysicalType::FLOAT).build()?,
        Kind::Double => optional(PhysicalType::DOUBLE).build()?,
        Kind::IntegerList => {
            let element = Type::primitive_type_builder("element", PhysicalType::INT64)
                .with_repetition(Repetition::REQUIRED)
                .build()?;
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![Arc::new(element)])
                .build()?;
            Type::group_type_builder(&spec.name)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![Arc::new(list)])
                .build()?
        }
    };
    Ok(Arc::new(field))
}

fn properties(schema: &RowSchema) -> WriterProperties {
    let entry = |key: &str, value: String| KeyValue::new(key.to_string(), value);
    let metadata = (!schema.name.is_empty()).then(|| {
        vec![
            entry("flowgait.schema", schema.name.clone()),
            entry("flowgait.schema.hash", schema.hash.clone()),
            entry("flowgait.schema.json", schema.json()),
        ]
    });
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        // Statistics for each page help a query engine to skip pages; for each row group they cost less and are enough here.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(metadata)
        .set_created_by(concat!("flowgait ", env!("CARGO_PKG_VERSION")).to_string())
        .build()
}

/// An error of the file below comes back wrapped; a full disk should read as such.
fn write_error(path: &Path, source: ParquetError) -> Error {
    if let ParquetError::External(inner) = source {
        return match inner.downcast::<std::io::Error>() {
            Ok(io) => super::write_error(path, *io),
            Err(other) => Error::WriteParquet {
                path: path.to_path_buf(),
                source: ParquetError::External(other),
            },
        };
    }
    Error::WriteParquet { path: path.to_path_buf(), source }
}
