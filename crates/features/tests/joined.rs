//! Several tables as one, labels from another file, and text with many values.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use flowgait_features::schema::HASHED;
use flowgait_features::table::{self, ReadParams, ReadReport, RowReader, Why};
use flowgait_features::{Dataset, Error};

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, names: &[&str], params: ReadParams) -> Result<(Dataset, ReadReport), Error> {
        let paths: Vec<PathBuf> = names.iter().map(|name| self.path(name)).collect();
        let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
        let label = params.label.clone().or(Some("label".to_owned()));
        table::read(&paths, &ReadParams { label, ..params })
    }
}

#[test]
fn tables_are_matched_by_name_and_what_one_lacks_is_left_out() {
    let files = Files::new(&[
        ("a.csv", "octets,only_here,gap,label\n1,7,2,chat\n3,7,4,web\n"),
        ("b.csv", "gap,label,octets,only_there\n6,chat,5,9\n"),
    ]);
    let (data, report) = files.read(&["a.csv", "b.csv"], ReadParams::default()).unwrap();
    let names: Vec<&str> = data.schema.features.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["octets", "gap"]);
    assert_eq!(data.columns, [vec![1.0, 3.0, 5.0], vec![2.0, 4.0, 6.0]]);
    let left: Vec<_> = report.left_out.iter().filter(|l| l.why == Why::NotEverywhere).collect();
    assert_eq!((left.len(), left[0].column.as_str()), (1, "only_here"));
    assert!(report.notices.iter().any(|n| n.contains("only_there")), "{:?}", report.notices);
}

#[test]
fn labels_are_joined_by_the_columns_in_common_however_numbers_are_written() {
    let files = Files::new(&[
        ("flows.csv", "flow_id,start,octets\na,1.50,10\nb,2,20\nc,3,30\nb,9,40\nd,4,50\n"),
        (
            "labels.csv",
            "label,flow_id,start\nweb,b,2.0\nchat,a,1.5\nmail,d,4\nweb,d,4\nvideo,x,1\n",
        ),
    ]);
    let params = ReadParams { labels: Some(files.path("labels.csv")), ..ReadParams::default() };
    let (data, report) = files.read(&["flows.csv"], params).unwrap();
    let labels = data.labels.as_ref().unwrap();
    let said: Vec<_> = (0..data.rows).map(|row| labels.text(row).unwrap()).collect();
    assert_eq!(said, ["chat", "web"]);
    assert_eq!(data.columns, [vec![10.0, 20.0]]);
    assert_eq!(report.rows_unlabelled, 3);
    let told = report.notices.join("; ");
    assert!(told.contains("joined by flow_id, start"), "{told}");
    assert!(told.contains("2 rows found no label") && told.contains("1 row has several"), "{told}");
}

#[test]
fn labels_without_a_column_in_common_stand_beside_the_rows() {
    let files = Files::new(&[
        ("a.csv", "octets\n10\n20\n"),
        ("b.csv", "octets\n30\n"),
        ("labels.csv", "label\nweb\n?\nchat\n"),
        ("short.csv", "label\nweb\nchat\n"),
        ("other.csv", "class\nweb\n"),
    ]);
    let with = |name| ReadParams { labels: Some(files.path(name)), ..ReadParams::default() };
    let (data, report) = files.read(&["a.csv", "b.csv"], with("labels.csv")).unwrap();
    assert_eq!(data.columns, [vec![10.0, 30.0]]);
    assert_eq!(report.rows_unlabelled, 1);
    let error = files.read(&["a.csv", "b.csv"], with("short.csv")).unwrap_err();
    assert!(error.to_string().contains("2 labels for 3 rows"), "{error}");
    let error = files.read(&["a.csv"], with("other.csv")).unwrap_err();
    assert!(error.to_string().contains("these look like one: class"), "{error}");
}

#[test]
fn text_with_many_values_is_hashed_where_it_is_asked_for_and_a_model_gets_the_same_buckets() {
    let mut table = String::from("name,octets,label\n");
    for row in 0..60 {
        table += &format!(
            "{},{},web\n",
            if row == 7 { String::new() } else { format!("n{row}") },
            row % 9
        );
    }
    let files = Files::new(&[("t.csv", &table)]);
    let (data, report) = files.read(&["t.csv"], ReadParams::default()).unwrap();
    assert_eq!(data.columns.len(), 1);
    assert!(report.left_out.iter().any(|l| l.column == "name" && l.why == Why::TooManyValues));

    let params = ReadParams { keep: vec!["name".into()], ..ReadParams::default() };
    let (data, report) = files.read(&["t.csv"], params).unwrap();
    assert_eq!(report.hashed, [("name".to_owned(), 32)]);
    assert_eq!(data.columns.len(), 33);
    let first = &data.schema.features[0];
    assert_eq!((first.name.as_str(), first.unit.as_str()), ("name#00", HASHED));
    for row in 0..60 {
        let ones: f32 = data.columns[..32].iter().map(|column| column[row]).sum();
        assert!(if row == 7 { ones.is_nan() } else { ones == 1.0 });
    }
    let mut rows = RowReader::open(&files.path("t.csv"), &data.schema).unwrap();
    let batch = rows.next_batch(100).unwrap().unwrap();
    let bits = |columns: &[Vec<f32>]| -> Vec<Vec<u32>> {
        columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect()).collect()
    };
    assert_eq!(bits(&batch.dataset.columns), bits(&data.columns));
}

#[test]
fn the_capture_and_both_ends_stand_behind_the_groups_that_were_named() {
    let header = "capture,initiator_address,responder_address,kind,octets,label";
    let files = Files::new(&[("t.csv", &format!("{header}\na.pcap,10.0.0.1,10.0.0.2,k,5,web\n"))]);
    let groups = |beside| {
        let params = ReadParams { groups: vec!["kind".into()], beside, ..ReadParams::default() };
        let (data, _) = files.read(&["t.csv"], params).unwrap();
        data.groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(groups(false), ["kind"]);
    assert_eq!(groups(true), ["kind", "capture", "initiator_address", "responder_address"]);
}
