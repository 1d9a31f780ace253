//! Tables by anybody: CSV, JSONL, ARFF, Parquet; and labels.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use flowgait_features::table::{ReadParams, RowReader, read};
use flowgait_features::{Codes, schema};
use flowgait_flow::FlowRecord;
use flowgait_flow::label::Labeller;

/// Any bytes as CSV.
pub fn table_csv(bytes: &[u8]) {
    table(bytes, "csv");
}

/// Any bytes as lines of JSON.
pub fn table_jsonl(bytes: &[u8]) {
    table(bytes, "jsonl");
}

/// Any bytes as ARFF.
pub fn table_arff(bytes: &[u8]) {
    table(bytes, "arff");
}

/// Any bytes as Parquet.
pub fn table_parquet(bytes: &[u8]) {
    table(bytes, "parquet");
}

/// Any bytes as a table of labels: a truth table, and a table of names.
pub fn labels(bytes: &[u8]) {
    with_file(bytes, "csv", |path| {
        for labeller in [Labeller::truth(path), Labeller::names(Some(path))] {
            let Ok(mut labeller) = labeller else { continue };
            labeller.label(&mut FlowRecord::default());
            let _ = labeller.report();
        }
    });
}

/// As somebody's own table with a label, and as rows for a model of flows: refused, or every column as long as the table.
fn table(bytes: &[u8], ending: &str) {
    with_file(bytes, ending, |path| {
        let params = ReadParams { label: Some("label".into()), ..ReadParams::default() };
        if let Ok((dataset, _)) = read(&[path], &params) {
            assert_eq!(dataset.columns.len(), dataset.schema.features.len());
            let rows = dataset.rows;
            assert!(dataset.columns.iter().all(|column| column.len() == rows));
            assert!(dataset.columns.iter().flatten().all(|value| !value.is_infinite()));
            let texts = dataset.groups.iter().chain(&dataset.labels);
            texts.for_each(|codes| check_codes(codes, rows));
        }
        let _ = read(&[path], &ReadParams { keep: vec!["a".into()], ..ReadParams::default() });
        let Ok(mut rows) = RowReader::open(path, schema::flow_schema()) else { return };
        while let Ok(Some(batch)) = rows.next_batch(2) {
            (0..batch.rows())
                .for_each(|row| assert_eq!(batch.cells(row).count(), rows.header().len()));
        }
    });
}

fn check_codes(codes: &Codes, rows: usize) {
    assert_eq!(codes.codes.len(), rows, "{}", codes.name);
    let known = |code: u32| code == Codes::MISSING || (code as usize) < codes.values.len();
    assert!(codes.codes.iter().all(|code| known(*code)), "{}", codes.name);
}

/// Tables are read by name, so they lie in a file, one per process and format.
fn with_file(bytes: &[u8], ending: &str, look: impl Fn(&Path)) {
    let path = path(ending);
    fs::write(&path, bytes).expect("the temporary folder can be written");
    look(&path);
    fs::remove_file(&path).expect("we made it");
}

fn path(ending: &str) -> PathBuf {
    // Linux keeps this folder in memory; a fuzzer writes thousands of files a second.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let thread = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "");
    folder.join(format!("flowgait-fuzz-{}-{thread}.{ending}", process::id()))
}
