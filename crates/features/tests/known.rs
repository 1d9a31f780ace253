//! Other tools' tables: written from flow records and read again with their meaning.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "support/records.rs"]
mod support;

use flowgait_features::Dataset;
use flowgait_features::schema::DERIVED;
use flowgait_features::table::foreign::{CICFLOWMETER, ForeignTable, NFSTREAM, RADCOM};
use flowgait_features::table::{self, ReadParams, RowReader};
use flowgait_flow::export::TableWriter;
use flowgait_flow::record::FlowRecord;

fn records() -> Vec<FlowRecord> {
    (0..60).map(support::record).collect()
}

fn written(table: &ForeignTable, path: &std::path::Path) {
    let mut writer = TableWriter::create(path, table.row_schema(false)).unwrap();
    for record in records() {
        table.write_row(&record, false, &mut writer);
        writer.end_row().unwrap();
    }
    writer.finish().unwrap();
}

fn column<'a>(dataset: &'a Dataset, name: &str) -> &'a [f32] {
    let place = dataset.schema.position(name).unwrap_or_else(|| panic!("no {name}"));
    &dataset.columns[place]
}

#[test]
fn what_is_written_is_recognised_and_completed() {
    let folder = tempfile::tempdir().unwrap();
    for (table, name) in
        [(&*RADCOM, "radcom/1"), (&*NFSTREAM, "nfstream/1"), (&*CICFLOWMETER, "cicflowmeter/1")]
    {
        for ending in ["csv", "jsonl", "parquet"] {
            let path = folder.path().join(format!("t.{ending}"));
            written(table, &path);
            let (dataset, _) = table::read(&[&path], &ReadParams::default()).unwrap();
            assert_eq!(dataset.schema.name, name);
            assert_eq!(dataset.rows, 60);
            // A model that learnt from it answers for it: the same numbers, derived ones too.
            let mut reader = RowReader::open(&path, &dataset.schema).unwrap();
            let batch = reader.next_batch(100).unwrap().unwrap();
            for (feature, (a, b)) in dataset
                .schema
                .features
                .iter()
                .zip(dataset.columns.iter().zip(&batch.dataset.columns))
            {
                let same = a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
                assert!(same, "{name} {ending} {}", feature.name);
            }
        }
    }
}

#[test]
fn octets_and_duration_of_the_competition_table_are_the_flows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    written(&RADCOM, &path);
    let (dataset, _) = table::read(&[&path], &ReadParams::default()).unwrap();
    let derived = dataset.schema.features.iter().filter(|f| f.unit == DERIVED).count();
    assert_eq!(derived, 12);
    for (row, record) in records().iter().enumerate() {
        let close = |name: &str, expected: f64| {
            let found = f64::from(column(&dataset, name)[row]);
            assert!((found - expected).abs() <= 1e-5 * expected, "{name}: {found} {expected}");
        };
        // The records are made by chance: their sides do not add up, so each rule is held against its own columns.
        let packets = record.forward.octets.count as f64 + record.backward.octets.count as f64;
        if let Some(mean) = record.both.octets.mean().filter(|_| packets > 0.0 && packets < 1e15) {
            close("packets", packets);
            close("octets", mean * packets);
        }
        let seconds = (record.end.micros() - record.start.micros()) as f64 / 1e6;
        if seconds > 0.0 && (1..1 << 50).contains(&record.forward.octets.count) {
            close("duration_seconds", seconds);
        }
    }
}

#[test]
fn numbers_that_mean_nothing_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let header = "fwd_packets_length,bwd_packets_length,max_fwd_packet ,mean_delta_byte,count_big_requests,first_packet_sizes_0,\
        min_fwd_inter_arrival_time,max_fwd_inter_arrival_time,label";
    std::fs::write(
        &path,
        format!("{header}\n1,0,60,2,0,60,1000,0,a b\n2,1,60,3,0,60,0.5,1000,c\n"),
    )
    .unwrap();
    let params = ReadParams { label: Some("label".into()), ..ReadParams::default() };
    let (dataset, _) = table::read(&[&path], &params).unwrap();
    assert_eq!(dataset.schema.name, "radcom/1");
    let gaps = column(&dataset, "min_fwd_inter_arrival_time");
    assert!(gaps[0].is_nan() && gaps[1] == 0.5);
    assert_eq!(column(&dataset, "max_fwd_inter_arrival_time")[1], 1_000.0);
    assert_eq!(dataset.labels.unwrap().values, ["a b", "c"], "labels keep their spaces");

    std::fs::write(
        &path,
        "bidirectional_packets,src2dst_packets,dst2src_bytes,splt_direction,splt_ps\n\
         2,1,5,\"[0, 1, -1]\",\"[60, 1400, -1]\"\n",
    )
    .unwrap();
    let (dataset, _) = table::read(&[&path], &ReadParams::default()).unwrap();
    let sizes: Vec<f32> =
        (0..2).map(|k| column(&dataset, &format!("signed_size_{k}"))[0]).collect();
    assert_eq!(sizes, [60.0, -1_400.0]);
    assert!(column(&dataset, "signed_size_2")[0].is_nan());
}

#[test]
fn tables_of_iscxflowmeter_are_read_with_what_their_columns_mean() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.arff");
    // Gaps of 190,000 us on average forward and of 200,000 us backward; the second flow has one packet each way and never paused.
    let names = "duration total_fiat total_biat min_fiat min_biat max_fiat max_biat mean_fiat mean_biat \
        flowPktsPerSecond flowBytesPerSecond min_flowiat max_flowiat mean_flowiat std_flowiat min_idle";
    let attributes: String =
        names.split_whitespace().map(|name| format!("@ATTRIBUTE {name} NUMERIC\n")).collect();
    let rows = "9500000,16,4,1500000,1600000,190000,200000,380000,400000,10,4800,4,1900000,95000,285000,1200000,CHAT\n\
                20,-1,-1,-1,-1,0,0,0,0,100000,8000000,20,20,20,0,-1,VOIP\n";
    let text = format!("@RELATION t\n{attributes}@ATTRIBUTE class1 {{CHAT,VOIP}}\n@DATA\n{rows}");
    std::fs::write(&path, text).unwrap();
    let params = ReadParams { label: Some("class1".into()), ..ReadParams::default() };
    let (dataset, _) = table::read(&[&path], &params).unwrap();
    assert_eq!(dataset.schema.name, "iscxflowmeter/1");
    for (name, expected) in [
        ("octets_per_packet", 480.0),
        ("packets", 95.0),
        ("octets", 45_600.0),
        ("gaps_forward", 50.0),
        ("gaps_backward", 47.5),
        ("share_of_gaps_forward", 200.0 / 390.0),
        ("gap_variation", 3.0),
        ("gap_variation_forward", 2.0),
        ("longest_gap_by_mean_backward", 8.0),
        ("share_of_longest_gap", 0.2),
    ] {
        let found = column(&dataset, name)[0];
        assert!((found - expected).abs() < 1e-5 * expected, "{name}: {found}");
    }
    for name in ["total_fiat", "min_idle", "gaps_forward", "gap_variation_backward"] {
        assert!(column(&dataset, name)[1].is_nan(), "{name}");
    }
    assert_eq!(column(&dataset, "octets_per_packet")[1], 80.0);
}
