//! Tables of a few made rows, in each format; labels for them.

use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema, TableWriter};

use super::Seed;

pub fn seeds() -> Vec<Seed> {
    let csv = "a,b, label \n1,x,web\n2.5,y,video\n,x,\"web, mostly\"\n";
    let jsonl =
        "{\"a\":1,\"b\":[1,-2],\"label\":\"web\"}\n{\"a\":null,\"b\":[],\"label\":\"video\"}\n";
    let arff = "@relation r\n@attribute a numeric\n@attribute 'b c' {x,y}\n@attribute label string\n@data\n1,x,web\n?,'y',video\n{0 3}\n";
    let flows = "capture,start,initiator_address,forward_packets,label\nx.pcap,1700000000,192.0.2.1,3,web\n";
    let truth = "capture,transport,source_address,source_port,destination_address,destination_port,start,application,category\n\
                 a.pcap,tcp,192.0.2.1,40000,198.51.100.2,443,2023-11-14T22:13:20Z,Gait,web\n,17,::1,1,::2,2,,Gait,\n";
    let names = "suffix,application,category\ngait.example,Gait,web\n";
    [
        ("table_csv", "plain", csv.as_bytes().to_vec()),
        ("table_csv", "bom-crlf", format!("\u{feff}{}", csv.replace('\n', "\r\n")).into_bytes()),
        ("table_csv", "flows", flows.as_bytes().to_vec()),
        ("table_jsonl", "plain", jsonl.as_bytes().to_vec()),
        ("table_arff", "plain", arff.as_bytes().to_vec()),
        ("table_parquet", "every-kind", parquet()),
        ("labels", "truth", truth.as_bytes().to_vec()),
        ("labels", "names", names.as_bytes().to_vec()),
    ]
    .to_vec()
}

/// One column of every kind, with missing cells.
fn parquet() -> Vec<u8> {
    let kinds = [Kind::Text, Kind::Integer, Kind::Float, Kind::Double, Kind::IntegerList];
    let names = ["label", "a", "b", "c", "d"];
    let columns =
        names.iter().zip(kinds).map(|(name, kind)| ColumnSpec { name: (*name).into(), kind });
    let schema = RowSchema { columns: columns.collect(), ..RowSchema::default() };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("seed.parquet");
    let mut table = TableWriter::create(&path, schema).expect("a new file");
    for (label, number) in [("web", 1), ("video", -2)] {
        table.text(label);
        table.integer(number);
        table.float(0.5);
        table.double(f64::NAN);
        table.integers(&[number, 7]);
        table.end_row().expect("room on the disk");
    }
    table.finish().expect("room on the disk");
    std::fs::read(&path).expect("just written")
}
