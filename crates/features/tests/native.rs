//! What training reads from a file is bit for bit what serving computes from the record, in every format.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "support/records.rs"]
mod support;

use std::path::Path;

use flowgait_features::{Dataset, extract, schema, table};
use flowgait_flow::FlowRecord;
use flowgait_flow::export::TableWriter;
use proptest::prelude::*;

fn write(path: &Path, records: &[FlowRecord]) {
    let mut writer = TableWriter::create(path, schema::flow_row_schema()).unwrap();
    for record in records {
        table::native::write_row(record, &mut writer);
        writer.end_row().unwrap();
    }
    assert_eq!(writer.finish().unwrap().rows, records.len() as u64);
}

fn bits(dataset: &Dataset) -> Vec<Vec<u32>> {
    let canonical = |value: &f32| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() };
    dataset.columns.iter().map(|column| column.iter().map(canonical).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn a_table_gives_back_what_extract_gives(seeds in prop::collection::vec(any::<u64>(), 1..20)) {
        let records: Vec<_> = seeds.iter().map(|&seed| support::record(seed)).collect();
        let expected = extract::dataset(&records);
        let folder = tempfile::tempdir().unwrap();
        for name in ["flows.csv", "flows.csv.zst", "flows.jsonl", "flows.parquet"] {
            let path = folder.path().join(name);
            write(&path, &records);
            let (dataset, report) = table::read(&[&path], &table::ReadParams::default()).unwrap();
            prop_assert_eq!(&report.schema, "flowgait/1");
            prop_assert_eq!(&dataset.schema, schema::flow_schema());
            prop_assert_eq!(dataset.schema.hash(), schema::flow_schema().hash());
            for (column, feature) in dataset.schema.features.iter().enumerate() {
                prop_assert_eq!(
                    &bits(&dataset)[column], &bits(&expected)[column], "{} in {}", feature.name, name
                );
            }
            prop_assert_eq!(&dataset.times, &expected.times, "{}", name);
            prop_assert_eq!(&dataset.groups, &expected.groups, "{}", name);
        }
    }
}

#[test]
fn labels_come_back_and_the_other_label_stays_out() {
    let records: Vec<_> = (0..50).map(support::record).collect();
    let folder = tempfile::tempdir().unwrap();
    for name in ["flows.csv", "flows.jsonl", "flows.parquet"] {
        let path = folder.path().join(name);
        write(&path, &records);
        let params = table::ReadParams { label: Some("application".into()), ..Default::default() };
        let (dataset, report) = table::read(&[&path], &params).unwrap();
        let labelled: Vec<_> = records.iter().filter_map(|r| r.label.as_ref()).collect();
        let labels = dataset.labels.as_ref().unwrap();
        assert_eq!(dataset.rows, labelled.len());
        assert_eq!(report.rows_unlabelled as usize, records.len() - labelled.len());
        for (row, label) in labelled.iter().enumerate() {
            assert_eq!(labels.text(row), Some(&*label.application), "{name}");
        }
        assert!(
            report
                .left_out
                .iter()
                .any(|out| out.column == "category" && out.why == table::Why::OtherLabel)
        );
        assert_eq!(&dataset.schema, schema::flow_schema());
    }
}
