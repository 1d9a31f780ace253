//! Tables as people have them: names that clash, quotes left open, numbers of rows, words for nothing, types that are not read.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Display;
use std::path::{Path, PathBuf};

use flowgait_features::table::{ReadParams, ReadReport, RowReader, Why, read};
use flowgait_features::{Dataset, Error, Schema};

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn labelled() -> ReadParams {
    ReadParams { label: Some("label".into()), ..ReadParams::default() }
}

fn dropping(column: &str) -> ReadParams {
    ReadParams { drop: vec![column.into()], ..labelled() }
}

fn read_text(text: &str, params: &ReadParams) -> Result<(Dataset, ReadReport), Error> {
    let files = Files::new(&[("t.csv", text)]);
    read(&[&files.path("t.csv")], params)
}

fn fails(text: &str, params: &ReadParams) -> String {
    let error = read_text(text, params).unwrap_err().to_string();
    error.rsplit_once("t.csv").map_or(error.clone(), |(_, rest)| rest.to_string())
}

fn features(dataset: &Dataset) -> Vec<&str> {
    dataset.schema.features.iter().map(|feature| feature.name.as_str()).collect()
}

fn why(report: &ReadReport, column: &str) -> Option<Why> {
    report.left_out.iter().find(|left| left.column == column).map(|left| left.why)
}

fn bits(columns: &[Vec<f32>]) -> Vec<Vec<u32>> {
    columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
}

/// What a model with this schema is given of a table.
fn answered(text: &str, schema: &Schema) -> Result<Vec<Vec<f32>>, Error> {
    let files = Files::new(&[("new.csv", text)]);
    let mut reader = RowReader::open(&files.path("new.csv"), schema)?;
    let columns = reader.next_batch(1_000)?.unwrap().dataset.columns;
    assert_eq!(columns.iter().filter(|column| column.is_empty()).count(), 0);
    Ok(columns)
}

/// A table of so many rows.
fn rows(header: &str, count: u32, row: impl Fn(u32) -> String) -> String {
    (0..count).fold(format!("{header}\n"), |text, number| text + &row(number) + "\n")
}

/// What has no order.
fn noise(row: u32) -> u32 {
    row.wrapping_mul(0x9e37_79b9) >> 20
}

fn kind(row: u32) -> impl Display {
    ["web", "chat"][(row % 2) as usize]
}

#[test]
fn text_that_a_model_never_saw_is_counted_over_all_batches() {
    let learnt = rows("size,proto,label", 40, |row| {
        format!("{},{},{}", noise(row), ["tcp", "udp"][(row % 3 / 2) as usize], kind(row))
    });
    let (dataset, report) = read_text(&learnt, &labelled()).unwrap();
    assert_eq!(report.strangers, []);
    let files = Files::new(&[("new.csv", "size,proto\n1,tcp\n2,sctp\n3,\n4,gre\n5,udp\n")]);
    let mut reader = RowReader::open(&files.path("new.csv"), &dataset.schema).unwrap();
    while reader.next_batch(2).unwrap().is_some() {}
    let [text] = reader.report().strangers.as_slice() else { panic!("{:?}", reader.report()) };
    assert_eq!((text.column.as_str(), text.rows, text.first.as_str()), ("proto", 2, "sctp"));
}

#[test]
fn columns_that_would_have_one_name_are_refused() {
    for text in [
        "a,a_0,label\n1 2,5,x\n1 2,6,y\n",
        "a_0,a,label\n5,1 2,x\n6,1 2,y\n",
        "a,a=x,label\ny,0,x\nx,1,y\n",
        "a=x,a,label\n0,y,x\n1,x,y\n",
    ] {
        let says = fails(text, &labelled());
        assert!(says.contains("columns 'a") && says.contains("to a model"), "{says}");
        assert!(says.contains("--drop 'a"), "{says}");
    }
    // Names in a row with one that a value makes: column `a=x` with value `y`, and column `a` whose values have a `=`.
    let says = fails("a,a=x,label\n1,y,x\n2,z,y\n", &labelled());
    assert!(says.contains("columns 'a' and 'a=x' would both be 'a=x=y'"), "{says}");
}

#[test]
fn a_column_that_was_dropped_for_its_name_is_not_read_by_the_model() {
    let text = "a,a_0,label\n1 2,5,x\n3 4 9,6,y\n";
    let (dataset, _) = read_text(text, &dropping("a_0")).unwrap();
    assert_eq!(features(&dataset)[..2], ["a_0", "a_1"]);
    let columns = answered(text, &dataset.schema).unwrap();
    assert_eq!((columns[0].as_slice(), columns[1].as_slice()), (&[1.0, 3.0][..], &[2.0, 4.0][..]));
    let (dataset, _) = read_text(text, &dropping("a")).unwrap();
    assert_eq!(answered(text, &dataset.schema).unwrap(), [[5.0, 6.0]]);
}

#[test]
fn a_schema_that_names_a_column_twice_is_refused() {
    let (dataset, _) = read_text("a,b,label\n1,2,x\n", &labelled()).unwrap();
    let mut schema = dataset.schema;
    schema.features[1].name = "a".into();
    let error = answered("a,b\n1,2\n", &schema).unwrap_err();
    assert!(error.to_string().contains("fit it anew"), "{error}");
}

#[test]
fn a_quote_that_is_not_closed_is_told_with_its_line() {
    let text = "a,label\n1,x\n2,\"y\n3,x\n4,y\n";
    assert!(fails(text, &labelled()).contains("line 3: a quote is opened and not closed"));
    let whole = "a,label\n1,x\n2,\"y\n3,x\"\n4,y\n";
    let (dataset, _) = read_text(whole, &labelled()).unwrap();
    assert_eq!(dataset.labels.unwrap().values, ["x", "y", "y\n3,x"]);
    assert!(fails("a,\"label\n1,x\n", &labelled()).contains("line 1: a quote is opened"));
    // It is so at whatever the swallowed rows would have been an error.
    assert!(fails("a,b,label\n1,\"2,x\n", &labelled()).contains("line 2: a quote is opened"));
}

#[test]
fn lines_are_the_files_own() {
    let rows = |range: std::ops::Range<u32>| {
        range.map(|row| format!("{},{}", noise(row), kind(row))).collect::<Vec<_>>().join("\n")
    };
    let check = |text: &str, line: u32| {
        for text in [text.to_string(), text.replace('\n', "\r\n")] {
            for end in ["", "\r\n5,web"] {
                let end = if text.contains('\r') { end.to_string() } else { end.replace('\r', "") };
                let says = fails(&format!("{text}{end}"), &labelled());
                assert!(says.starts_with(&format!(", line {line}")), "{says} not {line}: {text:?}");
            }
        }
    };
    check(&format!("size,label\n{}\nx,web", rows(0..8)), 10);
    check(&format!("\n\nsize,label\n{}\n\n\nx,web", rows(0..8)), 14);
    check(&format!("size,label\n{}\n1,\"we\nb\"\nx,\"we\nb\"", rows(0..8)), 12);
    check(&format!("size,label\n{}\n\n1,web,2", rows(0..8)), 11);
}

#[test]
fn numbers_of_rows_are_left_out_by_name() {
    let text = rows(",Unnamed: 0.1,No.,size,label", 6, |row| {
        format!("{},{},{},{},{}", noise(row), noise(row + 7), noise(row + 9), row * row, kind(row))
    });
    let (dataset, report) = read_text(&text, &labelled()).unwrap();
    assert_eq!(features(&dataset), ["size"]);
    for name in ["Unnamed: 0", "Unnamed: 0.1", "No."] {
        assert_eq!(why(&report, name), Some(Why::RowNumber), "{name}");
    }
    let keep = ReadParams { keep: vec!["Unnamed: 0".into()], ..labelled() };
    let (dataset, _) = read_text(&text, &keep).unwrap();
    assert_eq!(features(&dataset), ["Unnamed: 0", "size"]);
    assert_eq!(bits(&answered(&text, &dataset.schema).unwrap()), bits(&dataset.columns));
}

#[test]
fn a_column_that_rises_by_one_is_left_out_whatever_its_name() {
    let table = |count| {
        // Some rows have no label: the numbers go on all the same.
        rows("wert,size,label", count, |row| {
            let label = if row % 5 == 0 { String::new() } else { kind(row).to_string() };
            format!("{},{},{label}", row + 7_000_000, noise(row))
        })
    };
    let (dataset, report) = read_text(&table(40), &labelled()).unwrap();
    assert_eq!(features(&dataset), ["size"]);
    assert_eq!(why(&report, "wert"), Some(Why::RowNumber));
    // In a few rows it may be a measurement.
    let (dataset, _) = read_text(&table(20), &labelled()).unwrap();
    assert_eq!(features(&dataset), ["wert", "size"]);
    // Whoever asks for it gets it.
    let keep = ReadParams { keep: vec!["wert".into()], ..labelled() };
    assert_eq!(features(&read_text(&table(40), &keep).unwrap().0), ["wert", "size"]);
    // Each table may count from its own start, and one step that is another is enough.
    let files = Files::new(&[("a.csv", &table(30)), ("b.csv", &table(15))]);
    let (dataset, _) = read(&[&files.path("a.csv"), &files.path("b.csv")], &labelled()).unwrap();
    assert_eq!(features(&dataset), ["size"]);
    let jump = table(40).replace("7000039,", "7000040,");
    assert_eq!(features(&read_text(&jump, &labelled()).unwrap().0), ["wert", "size"]);
}

#[test]
fn answers_of_this_program_are_no_inputs() {
    let answers = "prediction,confidence,prediction_2,confidence_2,prediction_set,prediction_category,confidence_category,fold_0,ours_0";
    let text = rows(&format!("size,{answers},label"), 4, |row| {
        format!("{row},web,0.5,chat,{row},web|chat,use,0.7,{},chat,{}", row % 2, kind(row))
    });
    let (dataset, report) = read_text(&text, &labelled()).unwrap();
    assert_eq!(features(&dataset), ["size"]);
    for name in answers.split(',') {
        assert_eq!(why(&report, name), Some(Why::OtherLabel), "{name}");
    }
}

#[test]
fn names_that_come_twice_are_told_apart() {
    let text = "size,Gap,Gap,prediction,prediction,label\n1,2,3,a,b,x\n4,5,6,a,b,y\n";
    let (dataset, report) = read_text(text, &labelled()).unwrap();
    assert_eq!(features(&dataset), ["size", "Gap", "Gap.1"]);
    assert_eq!(why(&report, "prediction.1"), Some(Why::OtherLabel));
    let told = report.notices.join("; ");
    assert!(
        told.contains("columns 2 and 3 are both called 'Gap': the second is read as 'Gap.1'"),
        "{told}"
    );
    assert_eq!(bits(&answered(text, &dataset.schema).unwrap()), bits(&dataset.columns));
    let (dataset, _) = read_text(text, &dropping("Gap.1")).unwrap();
    assert_eq!(features(&dataset), ["size", "Gap"]);
    assert_eq!(answered(text, &dataset.schema).unwrap(), [[1.0, 4.0], [2.0, 5.0]]);
}

#[test]
fn columns_of_one_name_that_are_equal_are_one() {
    let text = "kind,Gap,kind,Gap,label\ntcp,2,tcp,2.0,x\nudp,,udp,,y\n";
    let (dataset, report) = read_text(text, &labelled()).unwrap();
    assert_eq!(features(&dataset), ["kind=tcp", "kind=udp", "Gap"]);
    assert_eq!(why(&report, "Gap.1"), Some(Why::Twin));
    assert_eq!(why(&report, "kind.1"), Some(Why::Twin));
    assert_eq!(report.one_hot, [("kind".to_string(), 2)]);
    assert_eq!(bits(&answered(text, &dataset.schema).unwrap()), bits(&dataset.columns));
}

#[test]
fn jsonl_may_have_a_member_twice() {
    let text = "{\"a\": 1, \"b\": 2, \"a\": 3}\n{\"a\": 4, \"a\": 5, \"b\": 6}\n";
    let files = Files::new(&[
        ("t.jsonl", text),
        ("more.jsonl", &format!("{text}{}", r#"{"a": 1, "a": 2, "a": 3}"#)),
    ]);
    let (dataset, _) = read(&[&files.path("t.jsonl")], &ReadParams::default()).unwrap();
    assert_eq!(features(&dataset), ["a", "b", "a.1"]);
    assert_eq!(dataset.columns, [[1.0, 4.0], [2.0, 6.0], [3.0, 5.0]]);
    let error = read(&[&files.path("more.jsonl")], &ReadParams::default()).unwrap_err();
    assert!(error.to_string().contains("line 3: has a member 'a'"), "{error}");
}

#[test]
fn words_for_nothing_are_missing_in_numbers_and_text_elsewhere() {
    let words =
        ["N/A", "n/a", "NA", "na", "null", "NULL", "None", "none", "-", "#N/A", "nan", "?", ""];
    let text = rows("size,kind,sizes,label", 30, |row| {
        let word = words.get(row as usize).map_or(String::new(), ToString::to_string);
        let size = if word.is_empty() { noise(row).to_string() } else { word.clone() };
        let kind_of = if row % 2 == 0 { "none" } else { "tcp" };
        let sizes = if word.is_empty() { "40 1400".to_string() } else { word };
        format!("{size},{kind_of},{sizes},{}", kind(row))
    });
    let (dataset, _) = read_text(&text, &labelled()).unwrap();
    assert_eq!(features(&dataset)[..5], ["size", "kind=none", "kind=tcp", "sizes_0", "sizes_1"]);
    for row in 0..12 {
        assert!(dataset.columns[0][row].is_nan() && dataset.columns[3][row].is_nan(), "{row}");
        assert_eq!(dataset.columns[1][row] + dataset.columns[2][row], 1.0);
    }
    assert_eq!(dataset.columns[3][12..14], [40.0, 40.0]);
    assert_eq!(bits(&answered(&text, &dataset.schema).unwrap()), bits(&dataset.columns));
}

#[test]
fn a_number_with_a_space_is_no_list_among_numbers() {
    let table = |odd: &str| {
        rows("size,label", 30, |row| {
            let size = if row == 8 { odd.to_string() } else { noise(row).to_string() };
            format!("{size},{}", kind(row))
        })
    };
    let says = fails(&table("1 102"), &labelled());
    assert!(says.contains("line 10, column 1 (size): '1 102' is not a number"), "{says}");
    // Flows of one packet may be many; a list that is no number in groups of three tells what the column is.
    let (dataset, report) = read_text(&table("40 1400"), &labelled()).unwrap();
    assert_eq!(features(&dataset)[..2], ["size_0", "size_1"]);
    assert_eq!((report.lists[0].column.as_str(), &report.lists[0].doubtful), ("size", &None));
    // Where most cells are several numbers they are lists, and what they may be else is said.
    let text = rows("size,label", 30, |row| format!("1 {},{}", 100 + row, kind(row)));
    let (_, report) = read_text(&text, &labelled()).unwrap();
    assert_eq!(report.lists[0].doubtful.as_deref(), Some("'1 100' in line 2"));
}

#[test]
fn text_that_is_left_out_shows_its_first_cell() {
    let table = |end: &str| {
        rows("gap,size,label", 30, |row| {
            format!("\"{},{}{end}\",{},{}", row, row + 1, noise(row), kind(row))
        })
    };
    let first = |text: &str| {
        let (_, report) = read_text(text, &labelled()).unwrap();
        report.left_out.into_iter().find(|left| left.column == "gap").unwrap().first.unwrap()
    };
    assert_eq!(first(&table("")), "'0,1' in line 2");
    assert_eq!(first(&table(" ms")), "'0,1 ms' in line 2");
    let long = first(&table(&format!("\u{7}{}", "é".repeat(100))));
    assert_eq!(long, format!("'0,1\u{fffd}{}…' in line 2", "é".repeat(36)));
}

#[test]
fn files_that_are_not_what_their_name_says() {
    for (separator, told) in [(";", "';'"), ("\t", "tabs"), ("|", "'|'")] {
        let text = "dur,bytes,label\n1,2,x\n".replace(',', separator);
        let says = fails(&text, &labelled());
        assert!(says.contains(&format!("line 1: it looks separated by {told}")), "{says}");
    }
    let utf16: Vec<u8> =
        "\u{feff}a,label\n1,x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let parquet = [b"PAR1".as_slice(), &[0x15, 0x04, 0x15, 0x10]].concat();
    let files = Files::new(&[]);
    for (content, told) in [(utf16, "UTF-16"), (parquet, "Parquet")] {
        for name in ["t.csv", "t.jsonl"] {
            std::fs::write(files.path(name), &content).unwrap();
            let says = read(&[&files.path(name)], &labelled()).unwrap_err().to_string();
            assert!(says.contains(told), "{says}");
        }
    }
}

#[test]
fn what_is_not_there_is_told_by_what_is() {
    let (dataset, _) = read_text("dur,size,label\n1,2,x\n", &labelled()).unwrap();
    let says = answered("Dur,SIZE\n1,2\n", &dataset.schema).unwrap_err().to_string();
    assert!(says.contains("dur (did you mean 'Dur'?), size (did you mean 'SIZE'?)"), "{says}");
    let files = Files::new(&[
        ("a.csv", "dur,day,label\n1,2,x\n"),
        ("b.csv", "dur,day,Label\n1,2,x\n"),
        ("c.csv", "dur,label\n1,x\n"),
    ]);
    let both = |name: &str, params: &ReadParams| {
        let (a, other) = (files.path("a.csv"), files.path(name));
        let paths: [&Path; 2] = [&a, &other];
        read(&paths, params).unwrap_err().to_string()
    };
    let says = both("b.csv", &labelled());
    assert!(
        says.contains("b.csv has no column 'label' to take labels from; did you mean 'Label'?"),
        "{says}"
    );
    let grouped = ReadParams { groups: vec!["day".into()], ..labelled() };
    let says = both("c.csv", &grouped);
    assert!(says.contains("c.csv has no column 'day' (to group by)"), "{says}");
}
