//! Parquet columns by their types: times are no inputs, and what is not read is said to be there.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::error::Error as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowgait_features::table::{ReadParams, RowReader, Why, read};
use flowgait_features::{Error, Feature, Schema};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// The values of a column.
enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Octets(Vec<&'static [u8]>),
}

/// Writes required columns of these types.
fn write(folder: &Path, name: &str, schema: &str, columns: &[Values]) -> PathBuf {
    let path = folder.join(name);
    let schema = Arc::new(parse_message_type(&format!("message m {{ {schema} }}")).unwrap());
    let properties = Arc::new(WriterProperties::new());
    let file = File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for values in columns {
        let mut column = group.next_column().unwrap().unwrap();
        match values {
            Values::Int32(values) => {
                column.typed::<Int32Type>().write_batch(values, None, None).unwrap()
            }
            Values::Int64(values) => {
                column.typed::<Int64Type>().write_batch(values, None, None).unwrap()
            }
            Values::Octets(values) => {
                let values: Vec<ByteArray> =
                    values.iter().map(|value| ByteArray::from(value.to_vec())).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap()
            }
        };
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    path
}

fn labelled() -> ReadParams {
    ReadParams { label: Some("label".into()), ..ReadParams::default() }
}

fn labels() -> Values {
    Values::Octets(vec![b"web", b"chat"])
}

#[test]
fn a_column_that_is_a_time_by_its_type_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    const SECOND: i64 = 1_600_000_000;
    for (unit, parts) in [("MILLIS", 1_000), ("MICROS", 1_000_000), ("NANOS", 1_000_000_000)] {
        let schema = format!(
            "required int64 seen (TIMESTAMP({unit},true)); required int32 on (DATE); required int64 size; required binary label (UTF8);"
        );
        let times = vec![SECOND * parts, (SECOND + 5) * parts];
        let columns = [
            Values::Int64(times),
            Values::Int32(vec![18_000, 18_001]),
            Values::Int64(vec![7, 9]),
            labels(),
        ];
        let path = write(folder.path(), "t.parquet", &schema, &columns);
        let (dataset, report) = read(&[&path], &labelled()).unwrap();
        assert_eq!(dataset.columns, [[7.0, 9.0]]);
        for name in ["seen", "on"] {
            let left = report.left_out.iter().find(|left| left.column == name).unwrap();
            assert_eq!(left.why, Why::Time, "{name}");
        }
        // A split may go by it, and a person may still learn from it.
        let by = |name: &str| ReadParams { time: Some(name.into()), ..labelled() };
        let (dataset, _) = read(&[&path], &by("seen")).unwrap();
        assert_eq!(dataset.times.unwrap(), [SECOND * 1_000_000, (SECOND + 5) * 1_000_000]);
        let (dataset, _) = read(&[&path], &by("on")).unwrap();
        assert_eq!(dataset.times.unwrap()[1], 18_001 * 86_400 * 1_000_000);
        let keep = ReadParams { keep: vec!["on".into()], ..labelled() };
        assert_eq!(read(&[&path], &keep).unwrap().0.columns.len(), 2);
    }
}

#[test]
fn times_of_older_writers_are_times_too() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "required int64 seen (TIMESTAMP_MILLIS); required int64 size; required binary label (UTF8);";
    let columns = [Values::Int64(vec![1, 2]), Values::Int64(vec![7, 9]), labels()];
    let path = write(folder.path(), "t.parquet", schema, &columns);
    assert_eq!(read(&[&path], &labelled()).unwrap().0.columns, [[7.0, 9.0]]);
}

#[test]
fn a_label_of_a_type_that_is_not_read_is_said_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "required int64 size; required int32 label (DECIMAL(5,2));";
    let columns = [Values::Int64(vec![7, 9]), Values::Int32(vec![100, 200])];
    let path = write(folder.path(), "t.parquet", schema, &columns);
    let error = read(&[&path], &labelled()).unwrap_err().to_string();
    assert!(
        error.contains("column 'label' is there, but its type is not read (decimal)"),
        "{error}"
    );
    let (_, report) = read(&[&path], &ReadParams::default()).unwrap();
    assert!(report.notices[0].contains("'label' is of a type that is not read (decimal)"));
    let size = Feature { name: "size".into(), unit: String::new() };
    let reader =
        RowReader::open(&path, &Schema { name: "table".into(), features: vec![size] }).unwrap();
    assert_eq!(reader.unread(), [("label".to_owned(), "decimal".to_owned())]);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "required int64 size; required binary label;";
    let columns = [Values::Int64(vec![7, 9]), Values::Octets(vec![b"web", b"caf\xe9"])];
    let path = write(folder.path(), "t.parquet", schema, &columns);
    let error = read(&[&path], &labelled()).unwrap_err();
    let Error::ReadParquet { .. } = error else { panic!("{error}") };
    let source = error.source().unwrap().to_string();
    assert!(source.contains("column 'label' has a cell that is not UTF-8"), "{source}");
}

#[test]
fn a_bad_cell_is_told_by_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "required binary size (UTF8); required binary label (UTF8);";
    let mut sizes = vec![b"7".as_slice(); 9];
    sizes[6] = b"x";
    let columns = [Values::Octets(sizes), Values::Octets(vec![b"web"; 9])];
    let path = write(folder.path(), "t.parquet", schema, &columns);
    let error = read(&[&path], &labelled()).unwrap_err().to_string();
    assert!(error.contains("row 7, column 1 (size): 'x' is not a number"), "{error}");
}
