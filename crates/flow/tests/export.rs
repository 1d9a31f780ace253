//! Tables that are written: what is in them, and that none is ever half there.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flowgait_flow::Error;
use flowgait_flow::export::{
    CellSink, ColumnSpec, Format, Kind, RowSchema, TableWriter, schema_path,
};
use proptest::prelude::*;

fn schema(columns: &[(&str, Kind)]) -> RowSchema {
    let columns =
        columns.iter().map(|&(name, kind)| ColumnSpec { name: name.into(), kind }).collect();
    RowSchema { name: "test/1".into(), hash: "abc".into(), columns }
}

fn all_kinds() -> RowSchema {
    schema(&[
        ("text", Kind::Text),
        ("integer", Kind::Integer),
        ("float", Kind::Float),
        ("double", Kind::Double),
        ("list", Kind::IntegerList),
    ])
}

fn write_rows(writer: &mut TableWriter) {
    writer.text("plain");
    writer.integer(-7);
    writer.float(0.1);
    writer.double(1_581_113_120.474_299);
    writer.integers(&[60, -52, 0]);
    writer.end_row().unwrap();

    writer.text("a,\"b\"\r\nc");
    writer.integer(i64::MIN);
    writer.float(f32::INFINITY);
    writer.double(f64::NAN);
    writer.integers(&[]);
    writer.end_row().unwrap();

    (0..5).for_each(|_| writer.missing());
    writer.end_row().unwrap();
}

fn written(name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut writer = TableWriter::create(&path, all_kinds()).unwrap();
    write_rows(&mut writer);
    assert!(!path.exists(), "nothing under the final name before it is whole");
    assert_eq!(writer.finish().unwrap().rows, 3);
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let beside = schema_path(&path);
    let expected: Vec<_> = match name.ends_with(".parquet") {
        true => vec![path.file_name().unwrap().to_owned()],
        false => vec![path.file_name().unwrap().to_owned(), beside.file_name().unwrap().to_owned()],
    };
    assert_eq!(names, expected, "no temporary file is left");
    if !name.ends_with(".parquet") {
        let text = std::fs::read_to_string(beside).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&json["schema"], &json["hash"]), (&"test/1".into(), &"abc".into()));
        assert_eq!(json["columns"][4], serde_json::json!({"name": "list", "kind": "integer list"}));
    }
    std::fs::read(path).unwrap()
}

const CSV: &str = "text,integer,float,double,list\nplain,-7,0.1,1581113120.474299,60 -52 0\n\"a,\"\"b\"\"\r\nc\",-9223372036854775808,,,\n,,,,\n";

#[test]
fn csv() {
    assert_eq!(String::from_utf8(written("flows.csv")).unwrap(), CSV);
}

#[test]
fn csv_under_zstd() {
    let bytes = written("FLOWS.CSV.ZST");
    assert_eq!(zstd::decode_all(&bytes[..]).unwrap(), CSV.as_bytes());
}

#[test]
fn jsonl() {
    let text = String::from_utf8(written("flows.jsonl")).unwrap();
    assert_eq!(
        text,
        "{\"text\":\"plain\",\"integer\":-7,\"float\":0.1,\"double\":1581113120.474299,\"list\":[60,-52,0]}\n\
         {\"text\":\"a,\\\"b\\\"\\r\\nc\",\"integer\":-9223372036854775808,\"float\":null,\"double\":null,\"list\":[]}\n\
         {\"text\":null,\"integer\":null,\"float\":null,\"double\":null,\"list\":null}\n"
    );
}

#[test]
fn parquet() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let bytes = written("flows.parquet");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.parquet");
    std::fs::write(&path, bytes).unwrap();
    // The crate's own row reader, which shares no code with our column writer.
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let rows: Vec<String> =
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(
        rows,
        [
            "{text: \"plain\", integer: -7, float: 0.1, double: 1581113120.474299, list: [60, -52, 0]}",
            "{text: \"a,\"b\"\r\nc\", integer: -9223372036854775808, float: null, double: null, list: []}",
            "{text: null, integer: null, float: null, double: null, list: null}",
        ]
    );
    let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let value =
        |key: &str| metadata.iter().find(|entry| entry.key == key).unwrap().value.clone().unwrap();
    assert_eq!(
        (value("flowgait.schema").as_str(), value("flowgait.schema.hash").as_str()),
        ("test/1", "abc")
    );
    assert!(value("flowgait.schema.json").contains("integer list"));
}

#[test]
fn many_row_groups() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    const ROWS: i64 = 150_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.parquet");
    let columns = schema(&[("number", Kind::Integer), ("list", Kind::IntegerList)]);
    let mut writer = TableWriter::create(&path, columns).unwrap();
    for row in 0..ROWS {
        writer.integer(row);
        writer.integers(&(0..row % 4).collect::<Vec<_>>());
        writer.end_row().unwrap();
    }
    writer.finish().unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), ROWS);
    assert!(reader.num_row_groups() >= 3, "memory is bounded by the row group");
    let row = reader.get_row_iter(None).unwrap().nth(131_075).unwrap().unwrap().to_string();
    assert_eq!(row, "{number: 131075, list: [0, 1, 2]}");
}

#[test]
fn a_row_of_one_missing_cell_is_not_an_empty_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.csv");
    let mut writer = TableWriter::create(&path, schema(&[("x", Kind::Integer)])).unwrap();
    writer.missing();
    writer.end_row().unwrap();
    writer.integer(1);
    writer.end_row().unwrap();
    writer.finish().unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "x\n\"\"\n1\n");
}

proptest! {
    #[test]
    fn csv_reads_back_as_written(
        rows in prop::collection::vec((any::<String>(), any::<f32>(), any::<f64>(), prop::collection::vec(any::<i64>(), 0..5)), 0..20)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flows.csv");
        let columns = schema(&[("text", Kind::Text), ("float", Kind::Float), ("double", Kind::Double), ("list", Kind::IntegerList)]);
        let mut writer = TableWriter::create(&path, columns).unwrap();
        for (text, float, double, list) in &rows {
            writer.formatted(text);
            writer.float(*float);
            writer.double(*double);
            writer.integers(list);
            writer.end_row().unwrap();
        }
        writer.finish().unwrap();
        let mut reader = csv::Reader::from_path(path).unwrap();
        let found: Vec<_> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(found.len(), rows.len());
        for (record, (text, float, double, list)) in found.iter().zip(&rows) {
            prop_assert_eq!(&record[0], text);
            prop_assert_eq!(record[1].parse::<f32>().ok().map(f32::to_bits), float.is_finite().then(|| float.to_bits()));
            prop_assert_eq!(record[2].parse::<f64>().ok().map(f64::to_bits), double.is_finite().then(|| double.to_bits()));
            let integers: Vec<i64> = record[3].split_whitespace().map(|part| part.parse().unwrap()).collect();
            prop_assert_eq!(&integers, list);
        }
    }
}

#[test]
fn a_table_that_is_not_finished_leaves_nothing() {
    for name in ["flows.csv", "flows.csv.zst", "flows.jsonl", "flows.parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = TableWriter::create(&path, all_kinds()).unwrap();
        write_rows(&mut writer);
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn an_older_table_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.csv");
    std::fs::write(&path, "older").unwrap();
    let mut writer = TableWriter::create(&path, all_kinds()).unwrap();
    write_rows(&mut writer);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "older");
    writer.finish().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), CSV);
}

#[cfg(unix)]
#[test]
fn a_link_keeps_pointing_at_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("real.csv"), folder.path().join("link.csv"));
    std::fs::write(&path, "older").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut writer = TableWriter::create(&link, all_kinds()).unwrap();
    write_rows(&mut writer);
    writer.finish().unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(path).unwrap(), CSV);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_table() {
    for name in ["full.csv", "full.csv.zst", "full.jsonl", "full.parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut writer = TableWriter::create(&path, all_kinds()).unwrap();
        write_rows(&mut writer);
        let error = writer.finish().unwrap_err();
        let Error::WriteTable { path: found, source } = &error else { panic!("{name}: {error:?}") };
        assert_eq!((found, source.kind()), (&path, io::ErrorKind::StorageFull), "{name}");
        assert!(error.to_string().contains(name));
    }
}

#[test]
fn a_closed_pipe_is_told_apart() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = TableWriter::stream("-", Box::new(Closed), all_kinds());
    write_rows(&mut writer);
    let error = writer.finish().unwrap_err();
    assert!(matches!(&error, Error::ClosedPipe { path } if path == Path::new("-")), "{error:?}");
    // And in the middle of a table, not only at its end.
    let mut writer = TableWriter::stream("-", Box::new(Closed), all_kinds());
    let mut end = Ok(());
    for _ in 0..20_000 {
        writer.text("some text to fill the buffer");
        (0..4).for_each(|_| writer.missing());
        end = writer.end_row();
        if end.is_err() {
            break;
        }
    }
    assert!(matches!(end, Err(Error::ClosedPipe { .. })));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| TableWriter::create(path, all_kinds()).err().unwrap();
    let path = folder.path().join("nowhere/flows.csv");
    assert!(matches!(error(&path), Error::WriteTable { path: found, .. } if found == path));
    let path = folder.path().join("folder.csv");
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(error(&path), Error::WriteTable { .. }));
    assert!(matches!(error(&folder.path().join("flows.xlsx")), Error::TableEnding { .. }));
}

#[test]
fn formats_by_name() {
    let of = |name: &str| Format::of(Path::new(name));
    assert_eq!(of("a.csv"), Some(Format::Csv));
    assert_eq!(of("x/a.b.CSV"), Some(Format::Csv));
    assert_eq!(of("a.csv.zst"), Some(Format::CsvZstd));
    assert_eq!(of("a.jsonl"), Some(Format::Jsonl));
    assert_eq!(of("a.parquet"), Some(Format::Parquet));
    for name in ["a", "csv", "a.csv.gz", "a.json", "-"] {
        assert_eq!(of(name), None, "{name}");
    }
    assert_eq!(schema_path(Path::new("d/FLOWS.csv.zst")), PathBuf::from("d/FLOWS.schema.json"));
    assert_eq!(schema_path(Path::new("FLOWS.csv")), PathBuf::from("FLOWS.schema.json"));
}
