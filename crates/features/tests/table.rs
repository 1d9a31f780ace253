//! Anybody's table as a data set: what becomes an input, what does not, and what is said about bad ones.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "support/records.rs"]
mod support;

use std::path::{Path, PathBuf};

use flowgait_features::schema::{Feature, ONE_HOT, Schema};
use flowgait_features::table::{ReadParams, ReadReport, RowReader, Why, align, native, read};
use flowgait_features::{Codes, Dataset, Error, extract, schema};
use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema, TableWriter};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn label(name: &str) -> ReadParams {
    ReadParams { label: Some(name.into()), ..ReadParams::default() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn read_text(text: &str, params: &ReadParams) -> Result<(Dataset, ReadReport), Error> {
    let folder = Folder::new();
    read(&[&folder.file("t.csv", text)], params)
}

fn features(dataset: &Dataset) -> Vec<&str> {
    dataset.schema.features.iter().map(|feature| feature.name.as_str()).collect()
}

fn why(report: &ReadReport, column: &str) -> Option<Why> {
    report.left_out.iter().find(|out| out.column == column).map(|out| out.why)
}

fn fails(text: &str, params: &ReadParams) -> String {
    match read_text(text, params) {
        Ok((dataset, _)) => panic!("{text:?} was read as {:?}", features(&dataset)),
        Err(error) => {
            let text = error.to_string();
            match text.rsplit_once("t.csv") {
                Some((_, rest)) => rest.to_string(),
                None => text,
            }
        }
    }
}

#[test]
fn numbers_are_inputs_and_identity_is_dropped_aloud() {
    let text = "Source_IP,Source_port, size ,proto,Flow ID,label\n10.0.0.1,80,1.5,tcp,7,web\n10.0.0.2,81,,udp,8,chat\n10.0.0.3,82,?,tcp,9,web\n";
    let (dataset, report) = read_text(text, &label("label")).unwrap();
    assert_eq!(features(&dataset), ["size", "proto=tcp", "proto=udp"]);
    assert_eq!(dataset.columns[0][0], 1.5);
    assert!(dataset.columns[0][1].is_nan() && dataset.columns[0][2].is_nan());
    assert_eq!(dataset.columns[1], [1.0, 0.0, 1.0]);
    for identity in ["Source_IP", "Source_port", "Flow ID"] {
        assert_eq!(why(&report, identity), Some(Why::Identity), "{identity}");
    }
    assert_eq!(why(&report, "label"), Some(Why::Label));
    assert_eq!(report.one_hot, [("proto".to_string(), 2)]);
    assert_eq!(report.schema, "table");
    let labels = dataset.labels.unwrap();
    assert_eq!((labels.values, labels.codes), (names(&["chat", "web"]), vec![1, 0, 1]));
}

#[test]
fn keep_brings_in_and_drop_leaves_out() {
    let text = "dst_port,size,kind,label\n443,1,a,x\n53,2,b,y\n";
    let params =
        ReadParams { keep: names(&["dst_port"]), drop: names(&["kind"]), ..label("label") };
    let (dataset, report) = read_text(text, &params).unwrap();
    assert_eq!(features(&dataset), ["dst_port", "size"]);
    assert_eq!(why(&report, "kind"), Some(Why::Asked));
    for (params, says) in [
        (ReadParams { keep: names(&["nope"]), ..label("label") }, "has no column 'nope' (to keep)"),
        (ReadParams { drop: names(&["nope"]), ..label("label") }, "has no column 'nope' (to drop)"),
        (
            ReadParams { groups: names(&["nope"]), ..label("label") },
            "has no column 'nope' (to group by)",
        ),
        (
            ReadParams { time: Some("nope".into()), ..label("label") },
            "has no column 'nope' (to take times from)",
        ),
    ] {
        assert!(fails(text, &params).contains(says), "{says}");
    }
}

#[test]
fn the_header_may_be_odd() {
    let (dataset, _) = read_text(
        "\u{feff}max_fwd_packet ,\" a, b \"\r\n1,2\r\n\"3\",4\r\n",
        &ReadParams::default(),
    )
    .unwrap();
    assert_eq!(features(&dataset), ["max_fwd_packet", "a, b"]);
    assert_eq!(dataset.columns, [[1.0, 3.0], [2.0, 4.0]]);
    assert!(fails("a,b\n", &ReadParams::default()).contains("has no rows"));
    assert!(fails("", &ReadParams::default()).contains("a table needs a header"));
}

#[test]
fn bad_cells_are_told_with_row_and_column() {
    let mut text = "a,b,label\n".to_string();
    (0..30).for_each(|row| text.push_str(&format!("{row},{row}.5,x\n")));
    text.push_str("31,no,x\n32,1,y\n");
    let says = fails(&text, &label("label"));
    assert!(says.contains("line 32, column 2 (b): 'no' is not a number"), "{says}");
    let long = fails(&text.replace("no", &"é".repeat(500)), &label("label"));
    assert!(long.len() < 300, "a long cell is cut: {long}");
    let says = fails("a,b\n1,2\n3\n", &ReadParams::default());
    assert!(says.contains("line 3: has 1 cells where the header has 2"), "{says}");
    let folder = Folder::new();
    let error =
        read(&[&folder.file("t.csv", b"a,b\n1,\xff\xfe\n")], &ReadParams::default()).unwrap_err();
    assert!(error.to_string().ends_with("line 2: column 2 is not UTF-8"), "{error}");
}

#[test]
fn infinities_are_missing_and_counted() {
    let (dataset, report) =
        read_text("a,b\ninf,1\n-Infinity,1e99\n3,4\n", &ReadParams::default()).unwrap();
    assert_eq!(report.infinities, 3);
    assert!(
        dataset.columns[0][0].is_nan()
            && dataset.columns[0][1].is_nan()
            && dataset.columns[1][1].is_nan()
    );
}

#[test]
fn text_with_many_values_and_empty_columns_are_left_out_aloud() {
    let mut text = "name,two,void,x\n".to_string();
    (0..30).for_each(|row| {
        text.push_str(&format!(
            "n{row},{},,{}\n",
            if row % 2 == 0 { "even" } else { "" },
            row * row
        ))
    });
    let (dataset, report) = read_text(&text, &ReadParams::default()).unwrap();
    assert_eq!(features(&dataset), ["two=even", "x"]);
    assert!(dataset.columns[0][1].is_nan(), "an empty text cell is missing");
    assert_eq!(why(&report, "name"), Some(Why::TooManyValues));
    assert_eq!(why(&report, "void"), Some(Why::Empty));
    assert!(fails("ip,label\n1,2\n", &label("label")).contains(
        "no column that a model could learn from: left out are ip (identity: it says who"
    ));
}

#[test]
fn labels_may_be_missing_in_rows_but_not_in_the_header() {
    let (dataset, report) = read_text("x,label\n1,a\n2,\n3,NA\n4,b\n", &label("label")).unwrap();
    assert_eq!((dataset.rows, report.rows, report.rows_unlabelled), (2, 4, 2));
    assert_eq!(dataset.columns, [[1.0, 4.0]]);
    let says = fails("x,appName,attribution\n1,a,b\n", &label("label"));
    assert!(
        says.contains(
            "no column 'label' to take labels from; these look like one: appName, attribution"
        ),
        "{says}"
    );
    let says = fails("x,y\n1,2\n", &label("label"));
    assert!(says.contains("none looks like a label; its columns are x, y"), "{says}");
    assert!(
        fails("x,label\n1,\n", &label("label")).contains("has no rows with a label (1 without)")
    );
    // Another label must not become an input: it would tell the answer.
    let (dataset, report) =
        read_text("x,application,category\n1,a,b\n2,c,d\n", &label("application")).unwrap();
    assert_eq!(features(&dataset), ["x"]);
    assert_eq!(why(&report, "category"), Some(Why::OtherLabel));
}

#[test]
fn groups_and_times_stand_beside() {
    let text = "capture,site,start,x\na.pcap,1,10.5,1\nb.pcap,2,20,2\n,1,1970-01-01T00:00:30Z,3\n";
    let (dataset, _) = read_text(text, &ReadParams::default()).unwrap();
    assert_eq!(dataset.times.as_deref(), Some(&[10_500_000, 20_000_000, 30_000_000][..]));
    assert_eq!(dataset.groups[0].codes, [0, 1, Codes::MISSING]);
    assert_eq!(features(&dataset), ["site", "x"]);
    let (dataset, _) =
        read_text(text, &ReadParams { groups: names(&["site"]), ..ReadParams::default() }).unwrap();
    assert_eq!((dataset.groups.len(), dataset.groups[0].name.as_str()), (1, "site"));
    assert_eq!(features(&dataset), ["x"], "a group is no input");
    let broken = text.replace("20,2", "soon,2");
    let (dataset, report) = read_text(&broken, &ReadParams::default()).unwrap();
    assert!(dataset.times.is_none() && report.notices[0].contains("'soon' is not a time"));
    let named = ReadParams { time: Some("start".into()), ..ReadParams::default() };
    assert!(fails(&broken, &named).contains("line 3, column 3 (start): 'soon' is not a time"));
}

#[test]
fn several_tables_are_one_whatever_their_columns_order() {
    let folder = Folder::new();
    let a = folder.file("a.csv", "x,y,kind\n1,2,p\n");
    let b = folder.file("b.jsonl", "{\"kind\": \"q\", \"y\": 4.5, \"x\": null, \"more\": [1]}\n");
    let (dataset, report) = read(&[&a, &b], &ReadParams::default()).unwrap();
    assert_eq!(features(&dataset), ["x", "y", "kind=p", "kind=q"]);
    assert_eq!(dataset.columns[1], [2.0, 4.5]);
    assert_eq!(dataset.columns[3], [0.0, 1.0]);
    assert!(dataset.columns[0][1].is_nan());
    assert!(report.notices.iter().any(|notice| notice.contains("more")));
    let c = folder.file("c.csv", "x,kind\n1,p\n");
    let (dataset, report) = read(&[&a, &c], &ReadParams::default()).unwrap();
    assert_eq!(
        (features(&dataset), why(&report, "y")),
        (vec!["x", "kind=p"], Some(Why::NotEverywhere))
    );
    assert!(matches!(
        read(&[&a, &c], &ReadParams { label: Some("y".into()), ..ReadParams::default() }),
        Err(Error::NoLabel { .. })
    ));
}

#[test]
fn jsonl_that_is_none() {
    let folder = Folder::new();
    let fails = |text: &str| {
        read(&[&folder.file("t.jsonl", text)], &ReadParams::default()).unwrap_err().to_string()
    };
    assert!(fails("{\"a\": 1}\n{\"a\": 2\n").contains("line 2: is no JSON object"));
    assert!(fails("{\"a\": 1}\n\n{\"b\": 2}\n").contains("line 3: has a member 'b'"));
    assert!(fails("{\"a\": 1}\n{\"a\": {}}\n").contains("member 'a' is an object"));
    assert!(fails("{\"a\": [1.5]}\n").contains("member 'a' is an array"));
    assert!(fails("[1]\n").contains("line 1: is no JSON object"));
    assert!(fails("\n\n").contains("is empty"));
}

#[test]
fn arff_that_is_none() {
    let folder = Folder::new();
    let fails = |text: &str| {
        read(&[&folder.file("t.arff", text)], &ReadParams::default()).unwrap_err().to_string()
    };
    let head = "@relation r\n@attribute a numeric\n@attribute b numeric\n";
    assert!(fails(head).contains("the file ends before @data"));
    assert!(fails(&format!("{head}@data\n1\n")).contains("line 5: has 1 cells"));
    assert!(fails(&format!("{head}@data\n1,2,3\n")).contains("line 5: has 3 cells"));
    assert!(fails(&format!("{head}@data\n{{0 1}}\n")).contains("sparse"));
    assert!(fails("@wrong\n").contains("line 1: '@wrong'"));
    assert!(fails("@relation r\n@data\n1\n").contains("needs a header"));
}

#[test]
fn files_that_are_no_tables() {
    let folder = Folder::new();
    let fails = |name: &str, content: &[u8]| {
        read(&[&folder.file(name, content)], &ReadParams::default()).unwrap_err()
    };
    assert!(matches!(fails("t.xlsx", b"x"), Error::TableEnding { .. }));
    assert!(matches!(fails("t.parquet", b"PAR1 no"), Error::ReadParquet { .. }));
    assert!(matches!(fails("t.csv.zst", &[0x28, 0xb5, 0x2f, 0xfd, 9, 9]), Error::ReadTable { .. }));
    assert!(matches!(
        read(&[Path::new("/nowhere/t.csv")], &ReadParams::default()),
        Err(Error::ReadTable { .. })
    ));
    assert!(read(&[], &ReadParams::default()).is_err());
}

#[test]
fn every_way_to_cut_a_parquet_file_short_is_an_error() {
    let folder = Folder::new();
    let path = folder.0.path().join("whole.parquet");
    let mut writer = TableWriter::create(&path, schema::flow_row_schema()).unwrap();
    for seed in 0..5 {
        native::write_row(&support::record(seed), &mut writer);
        writer.end_row().unwrap();
    }
    writer.finish().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(997) {
        let cut = folder.file("cut.parquet", &whole[..length]);
        assert!(read(&[&cut], &ReadParams::default()).is_err(), "{length}");
    }
}

#[test]
fn a_table_of_another_schema_is_refused() {
    let folder = Folder::new();
    for name in ["flows.csv", "flows.parquet"] {
        let path = folder.0.path().join(name);
        let other = RowSchema { hash: "0".repeat(64), ..schema::flow_row_schema() };
        let mut writer = TableWriter::create(&path, other).unwrap();
        native::write_row(&support::record(1), &mut writer);
        writer.end_row().unwrap();
        writer.finish().unwrap();
        assert!(
            matches!(read(&[&path], &ReadParams::default()), Err(Error::OtherSchema { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_data_set_is_aligned_by_name() {
    let (dataset, _) = read_text("c,a,b\n3,1,2\n", &ReadParams::default()).unwrap();
    let wanted = |names: &[&str]| Schema {
        name: "table".into(),
        features: names
            .iter()
            .map(|name| Feature { name: name.to_string(), unit: String::new() })
            .collect(),
    };
    let (aligned, extra) = align(dataset.clone(), &wanted(&["a", "b"])).unwrap();
    assert_eq!(aligned.columns, [[1.0], [2.0]]);
    assert_eq!((aligned.schema, extra), (wanted(&["a", "b"]), names(&["c"])));
    let error = align(dataset, &wanted(&["a", "x", "y"])).unwrap_err().to_string();
    assert!(error.contains("lacks 2 of the 3 columns") && error.ends_with("x, y"), "{error}");
}

#[test]
fn rows_for_prediction_keep_every_cell() {
    let train = "size,proto,label\n1,tcp,a\n2,udp,b\n";
    let (dataset, _) = read_text(train, &label("label")).unwrap();
    let folder = Folder::new();
    // Another order, an unknown value, an empty label, a column that the model does not know.
    let path = folder.file("new.csv", "proto,note,size,label\nudp,\"a, b\",7,\nsctp,,8,x\n,c,,y\n");
    let mut reader = RowReader::open(&path, &dataset.schema).unwrap();
    assert_eq!(reader.header(), names(&["proto", "note", "size", "label"]));
    let batch = reader.next_batch(2).unwrap().unwrap();
    assert_eq!(batch.rows(), 2);
    assert_eq!(batch.cells(0).collect::<Vec<_>>(), ["udp", "a, b", "7", ""]);
    assert_eq!(batch.cells(1).collect::<Vec<_>>(), ["sctp", "", "8", "x"]);
    assert_eq!(batch.dataset.schema, dataset.schema);
    assert_eq!(batch.dataset.columns, [[7.0, 8.0], [0.0, 0.0], [1.0, 0.0]]);
    let batch = reader.next_batch(2).unwrap().unwrap();
    assert_eq!(batch.cells(0).collect::<Vec<_>>(), ["", "c", "", "y"]);
    assert!(batch.dataset.columns.iter().all(|column| column[0].is_nan()));
    assert!(reader.next_batch(2).unwrap().is_none());
    assert_eq!(reader.report().rows, 3);
    assert_eq!(why(reader.report(), "note"), Some(Why::Unknown));
    let stream = Box::new(&b"size,proto\n1,tcp\n"[..]);
    let mut reader = RowReader::csv("-", stream, &dataset.schema).unwrap();
    assert_eq!(reader.next_batch(10).unwrap().unwrap().dataset.columns, [[1.0], [1.0], [0.0]]);
    let missing =
        RowReader::open(&folder.file("few.csv", "proto\ntcp\n"), &dataset.schema).err().unwrap();
    assert!(
        missing
            .to_string()
            .contains("lacks 1 of the 3 columns that the model was trained on: size"),
        "{missing}"
    );
}

#[test]
fn rows_of_our_table_for_prediction_are_what_extract_says() {
    let folder = Folder::new();
    let records: Vec<_> = (0..100).map(support::record).collect();
    let expected = extract::dataset(&records);
    for name in ["flows.csv", "flows.jsonl", "flows.parquet"] {
        let path = folder.0.path().join(name);
        let mut writer = TableWriter::create(&path, schema::flow_row_schema()).unwrap();
        for record in &records {
            native::write_row(record, &mut writer);
            writer.end_row().unwrap();
        }
        writer.finish().unwrap();
        let mut reader = RowReader::open(&path, schema::flow_schema()).unwrap();
        let sni = reader.header().iter().position(|column| column == "sni").unwrap();
        let (mut first, mut rows) = (0, 0);
        while let Some(batch) = reader.next_batch(33).unwrap() {
            for row in 0..batch.rows() {
                let name = records[first + row].handshake.as_ref().and_then(|h| h.sni.as_deref());
                assert_eq!(batch.cells(row).nth(sni), Some(name.unwrap_or("")));
            }
            for (found, expected) in batch.dataset.columns.iter().zip(&expected.columns) {
                let same =
                    |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                assert!(found.iter().zip(&expected[first..]).all(same));
            }
            first += batch.rows();
            rows += batch.rows();
        }
        assert_eq!(rows, records.len(), "{name}");
    }
}

#[test]
fn both_ends_are_read_for_splitting_where_a_table_has_them() {
    let text = "src_ip,Destination IP,size,label\n10.0.0.1,192.0.2.1,5,a\n10.0.0.2,192.0.2.1,6,b\n";
    let (dataset, report) =
        read_text(text, &ReadParams { beside: true, ..label("label") }).unwrap();
    assert_eq!(features(&dataset), ["size"]);
    assert_eq!(why(&report, "src_ip"), Some(Why::Identity));
    let groups: Vec<_> = dataset.groups.iter().map(|g| (g.name.as_str(), g.values.len())).collect();
    assert_eq!(groups, [("src_ip", 2), ("Destination IP", 1)]);

    // A table that left its addresses out fits below one that kept them.
    let folder = Folder::new();
    let (with, without) = (folder.0.path().join("a.csv"), folder.0.path().join("b.csv"));
    std::fs::write(&with, text).unwrap();
    std::fs::write(&without, "size,label\n7,a\n").unwrap();
    let params = ReadParams { beside: true, ..label("label") };
    let (dataset, _) = read(&[&with, &without], &params).unwrap();
    assert_eq!(dataset.groups[0].text(1), Some("10.0.0.2"));
    assert_eq!(dataset.groups[0].text(2), None);
}

#[test]
fn lists_in_anybodys_cells_become_their_places() {
    let text = "sizes,gaps,dates,mixed,label\n\
        1412 -95 1229,\"[0, 10, 20]\",2018-05-31,1 2,a\n\
        7,[],2018-06-01,x,b\n\
        ,\"[5]\",2018-06-02,3,a\n";
    let (dataset, report) = read_text(text, &label("label")).unwrap();
    let found = features(&dataset);
    assert_eq!(found.iter().filter(|name| name.starts_with("sizes_")).count(), 30);
    let column = |name: &str| &dataset.columns[dataset.schema.position(name).unwrap()];
    assert_eq!(column("sizes_0")[..2], [1412.0, 7.0]);
    assert_eq!(column("sizes_1")[0], -95.0);
    assert!(column("sizes_1")[1].is_nan() && column("sizes_0")[2].is_nan());
    assert_eq!((column("gaps_2")[0], column("gaps_0")[2]), (20.0, 5.0));
    assert!(column("gaps_0")[1].is_nan(), "an empty list has no first");
    assert!(report.one_hot.iter().any(|(name, values)| name == "mixed" && *values == 3));

    // What was learnt from lists is predicted from lists.
    let folder = Folder::new();
    let path = folder.0.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let mut reader = RowReader::open(&path, &dataset.schema).unwrap();
    let batch = reader.next_batch(10).unwrap().unwrap();
    let bits = |columns: &[Vec<f32>]| -> Vec<Vec<u32>> {
        columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect()).collect()
    };
    assert_eq!(bits(&batch.dataset.columns), bits(&dataset.columns));
}

#[test]
fn kept_identity_stands_behind_our_own_features() {
    let folder = Folder::new();
    let path = folder.0.path().join("flows.csv");
    let mut writer = TableWriter::create(&path, schema::flow_row_schema()).unwrap();
    for seed in 0..40 {
        native::write_row(&support::record(seed), &mut writer);
        writer.end_row().unwrap();
    }
    writer.finish().unwrap();
    let params = ReadParams {
        keep: names(&["responder_port", "end_reason"]),
        drop: names(&["packet_window"]),
        ..ReadParams::default()
    };
    let (dataset, report) = read(&[&path], &params).unwrap();
    let found = features(&dataset);
    assert_eq!(found.iter().filter(|name| **name == "responder_port").count(), 1);
    assert!(found.contains(&"end_reason=idle") && !found.contains(&"packet_window_0"));
    assert_eq!(why(&report, "sni"), Some(Why::Identity));
    let ours: Vec<_> = schema::flow_schema()
        .features
        .iter()
        .map(|feature| feature.name.as_str())
        .filter(|name| !name.starts_with("packet_window"))
        .collect();
    assert_eq!(found[..ours.len()], ours);
    assert!(dataset.schema.features.iter().any(|feature| feature.unit == ONE_HOT));
    // What was learnt with kept columns is predicted with them.
    let mut reader = RowReader::open(&path, &dataset.schema).unwrap();
    let batch = reader.next_batch(100).unwrap().unwrap();
    let bits = |columns: &[Vec<f32>]| -> Vec<Vec<u32>> {
        columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
    };
    assert_eq!(bits(&batch.dataset.columns), bits(&dataset.columns));
}

#[test]
fn parquet_of_plain_columns_is_read() {
    let folder = Folder::new();
    let path = folder.0.path().join("t.parquet");
    let column = |name: &str, kind| ColumnSpec { name: name.into(), kind };
    let columns = vec![
        column("size", Kind::Integer),
        column("proto", Kind::Text),
        column("rate", Kind::Double),
        column("label", Kind::Text),
    ];
    let mut writer =
        TableWriter::create(&path, RowSchema { columns, ..RowSchema::default() }).unwrap();
    for row in 0..10_000 {
        if row % 3 == 0 {
            writer.missing()
        } else {
            writer.integer(row)
        }
        writer.text(if row % 2 == 0 { "tcp" } else { "udp" });
        writer.double(row as f64 / 3.0);
        writer.text("x");
        writer.end_row().unwrap();
    }
    writer.finish().unwrap();
    let (dataset, _) = read(&[&path], &label("label")).unwrap();
    assert_eq!(features(&dataset), ["size", "proto=tcp", "proto=udp", "rate"]);
    assert_eq!(dataset.rows, 10_000);
    for row in [0, 1, 4_095, 4_096, 9_999] {
        let size = dataset.columns[0][row];
        assert!(if row % 3 == 0 { size.is_nan() } else { size == row as f32 });
        assert_eq!(dataset.columns[2][row], (row % 2) as f32);
        assert_eq!(dataset.columns[3][row], (row as f64 / 3.0) as f32);
    }
}

fn shared(path: &str) -> Option<PathBuf> {
    let data = std::env::var("FLOWGAIT_DATA").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_string()
    });
    let path = PathBuf::from(data).join(path);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn shared_tables_of_other_people() {
    if let Some(path) = shared("mobilegt/App-BiFlowFeatures.arff") {
        let (dataset, report) = read(&[&path], &label("appName")).unwrap();
        assert_eq!((dataset.rows, dataset.labels.unwrap().values.len()), (21_053, 20));
        assert_eq!(dataset.columns.len(), 15);
        assert_eq!(why(&report, "srcport"), Some(Why::Identity));
        assert_eq!(why(&report, "dstport"), Some(Why::Identity));
    }
    if let Some(path) = shared("iscxvpn/TimeBasedFeatures-Dataset-15s-AllinOne.arff") {
        let (dataset, _) = read(&[&path], &label("class1")).unwrap();
        // Twenty-three of the table and twelve that follow from them.
        assert_eq!((dataset.rows, dataset.columns.len()), (18_758, 35));
        let place = |name| dataset.schema.position(name).unwrap();
        let counted = &dataset.columns[place("packets")];
        let gaps = [place("gaps_forward"), place("gaps_backward")].map(|at| &dataset.columns[at]);
        let both = (0..dataset.rows).filter(|&row| gaps[0][row] + gaps[1][row] > 0.0);
        let fits = |row: &usize| {
            (gaps[0][*row] + gaps[1][*row] - counted[*row]).abs() < 0.1 * counted[*row] + 3.0
        };
        let (all, fit) = (both.clone().count(), both.filter(fits).count());
        assert!(fit * 10 > all * 9, "{fit} of {all}: what is read as a mean gap is one");
        assert_eq!(dataset.labels.unwrap().values.len(), 7);
    }
    if let Some(path) = shared("ucdavis19-quic/flows.csv") {
        let (dataset, report) = read(&[&path], &label("label")).unwrap();
        assert_eq!((dataset.rows, dataset.labels.unwrap().values.len()), (4_504, 5));
        assert!(dataset.times.is_some());
        // Signed sizes and gaps of the first packets are lists in a cell.
        let place = dataset.schema.position("sizes_2").unwrap();
        assert_eq!(dataset.columns[place][0], 1_412.0);
        assert!(dataset.schema.position("iats_us_29").is_some());
        assert_eq!(why(&report, "source_file"), Some(Why::Identity));
    }
}

#[test]
fn a_damaged_parquet_file_never_panics() {
    use rand::{RngExt, SeedableRng};
    let folder = Folder::new();
    let path = folder.0.path().join("whole.parquet");
    let column = |name: &str, kind| ColumnSpec { name: name.into(), kind };
    let columns = vec![
        column("size", Kind::Integer),
        column("proto", Kind::Text),
        column("rate", Kind::Float),
        column("list", Kind::IntegerList),
    ];
    let mut writer =
        TableWriter::create(&path, RowSchema { columns, ..RowSchema::default() }).unwrap();
    for row in 0..200_i64 {
        writer.integer(row * row);
        writer.text(if row % 2 == 0 { "tcp" } else { "udp" });
        writer.float(row as f32 / 3.0);
        writer.integers(&(0..row % 5).collect::<Vec<_>>());
        writer.end_row().unwrap();
    }
    writer.finish().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let (mut read_well, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let mut damaged = whole.clone();
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(0..damaged.len());
            damaged[place] = rng.random();
        }
        match read(&[&folder.file("t.parquet", damaged)], &ReadParams::default()) {
            Ok(_) => read_well += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read_well > 0 && refused > 0, "{read_well} {refused}");
}

/// The library makes room for all children that an element of the schema claims, sixteen gibibytes here, before it has seen one.
#[test]
fn a_parquet_footer_that_claims_endless_columns_is_refused() {
    let folder = Folder::new();
    // Field 2, a list of one structure; in it field 5, an integer of 32 bits: its largest; the ends of both structures.
    let footer = [0x29, 0x1c, 0x55, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x00];
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    let file = [b"PAR1".as_slice(), &footer, &length, b"PAR1"].concat();
    let error = read(&[&folder.file("t.parquet", file)], &ReadParams::default()).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains("more columns are claimed"), "{error}: {source}");
}

/// The library steps over two thousand million booleans for some eight seconds, and seven octets claim them.
#[test]
fn a_parquet_footer_that_claims_endless_booleans_is_refused_at_once() {
    let folder = Folder::new();
    // Field 15, which no version of the format has, of type list; then its length and element type.
    let list = [0xf9, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07];
    for (times, stop) in [(1, true), (1_000, false)] {
        let mut footer = list.repeat(times);
        footer.extend(stop.then_some(0));
        let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
        let file = [b"PAR1".as_slice(), &footer, &length, b"PAR1"].concat();
        let error = read(&[&folder.file("t.parquet", file)], &ReadParams::default()).unwrap_err();
        let Error::ReadParquet { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains("booleans"), "{source}");
    }
}
