//! An analyst takes answers to the flows of another tool: few columns, and a plain word where an answer is of no use.

use std::fmt::Write;

use crate::support::{self, Place};

const FIT: [&str; 9] =
    ["fit", "t.csv", "--label", "label", "--estimator", "forest", "--trees", "9", "-o"];

/// A table of flows as other tools write them, in which the sizes tell the label, or nothing does.
fn table(place: &Place, labels: &[&str], tells: bool) {
    let mut text = String::from("uid,id.orig_h,src_ip,ts,octets,gap,label\n");
    for row in 0..300_usize {
        let class = row * 7 % labels.len();
        let octets = if tells { 100 * class + row % 30 } else { row * 7_919 % 997 };
        let _ = writeln!(
            text,
            "C{row},h{},10.0.0.{},{row}.5,{octets},{},{}",
            row % 9,
            row % 40,
            row * 31 % 17,
            labels[class]
        );
    }
    place.write("t.csv", text);
}

#[test]
fn few_columns_are_enough_to_join_by() {
    let place = Place::new();
    table(&place, &["web", "chat"], true);
    place.ok(&[&FIT[..], &["m.fgm"]].concat());
    let predict = ["predict", "--model", "m.fgm", "t.csv", "--only-predictions"];
    place.ok(&[&predict[..], &["-o", "few.csv"]].concat());
    let (header, rows) = support::csv(&place.text("few.csv"));
    assert_eq!(header, ["row", "uid", "id.orig_h", "src_ip", "ts", "prediction"]);
    assert_eq!((rows.len(), rows[0][..2].join(" ").as_str()), (300, "1 C0"));
    assert_eq!(rows[299][0], "300");
    // The answers are those of the whole table, and go on being numbered in a second one.
    place.ok(&["predict", "--model", "m.fgm", "t.csv", "-o", "all.csv"]);
    let answers = |name| support::column(&place.text(name), "prediction");
    assert_eq!(answers("few.csv"), answers("all.csv"));
    place.ok(&[
        "predict",
        "--model",
        "m.fgm",
        "t.csv",
        "t.csv",
        "--only-predictions",
        "--proba",
        "-o",
        "two.csv",
    ]);
    let two = place.text("two.csv");
    assert_eq!(support::column(&two, "row").last().map(String::as_str), Some("600"));
    assert_eq!(support::column(&two, "confidence").len(), 600);
    // A capture's flows, and a table whose own column has the name.
    place.ok(&["synth", "demo", "-o", "a.pcap", "--labels", "truth.csv", "--flows", "30"]);
    let run = place.ok(&["predict", "a.pcap", "--only-predictions"]);
    let (header, _) = support::csv(&run.out);
    assert!(header.starts_with(&["row".to_owned(), "capture".to_owned()]), "{header:?}");
    assert!(header.contains(&"responder_port".to_owned()) && header.len() < 30, "{header:?}");
    place.write("own.csv", place.text("t.csv").replacen("uid", "row", 1));
    let run = place.ok(&["predict", "--model", "m.fgm", "own.csv", "--only-predictions"]);
    assert!(run.out.starts_with("row,id.orig_h,src_ip,ts,prediction\nC0,"), "{}", run.out);
}

#[test]
fn numbers_stay_numbers_where_the_format_has_them() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "a.pcap", "--labels", "truth.csv", "--flows", "30"]);
    // Straight from a capture, and from there through Parquet to JSON.
    place.ok(&["predict", "a.pcap", "-o", "a.parquet"]);
    place.ok(&["predict", "a.parquet", "-o", "a.jsonl"]);
    place.ok(&["predict", "a.pcap", "-o", "direct.jsonl"]);
    let first = |name| place.text(name).lines().next().unwrap_or_default().to_owned();
    let direct = first("direct.jsonl");
    for part in ["\"responder_port\":4", "\"forward_packets\":", "\"packet_octets\":["] {
        assert!(direct.contains(part), "{direct}");
    }
    assert!(direct.contains("\"capture\":\"a.pcap\"") && !direct.contains("\"17\""), "{direct}");
    assert!(first("a.jsonl").starts_with(&direct[..direct.len() - 1]), "{}", first("a.jsonl"));
    // A flow table that somebody wrote in by hand.
    place.ok(&["meter", "a.pcap", "-o", "flows.csv"]);
    let flows = place.text("flows.csv");
    let port = support::column(&flows, "responder_port")[0].clone();
    place.write("flows.csv", flows.replacen(&format!(",{port},"), ",https,", 1));
    place.ok(&["predict", "flows.csv", "-o", "by_hand.csv"]);
    let run = place.run(&["predict", "flows.csv", "-o", "by_hand.jsonl"]);
    assert_eq!(run.status, 1, "{}", run.err);
    run.tells(&["'responder_port' of row 1 holds 'https', which is no integer", "Write .csv"]);
}

#[test]
fn sets_that_tell_nothing_are_called_so() {
    let place = Place::new();
    let labels = ["a", "b", "c", "d", "e"];
    table(&place, &labels, false);
    place.ok(&[&FIT[..], &["m.fgm"]].concat());
    let sets = ["predict", "--model", "m.fgm", "t.csv", "-o", "sets.csv", "--conformal", "0.02"];
    place.ok(&sets).tells(&["of 5 labels on average, so it tells next to nothing"]);
    table(&place, &labels, true);
    place.ok(&[&FIT[..], &["m.fgm"]].concat());
    let run = place.ok(&sets);
    run.tells(&["a prediction_set holds 1."]);
    assert!(!run.err.contains("next to nothing"), "{}", run.err);
    // Of two labels a set of one tells all, and one of both nothing.
    for (tells, mean) in [(true, "1.0 of 2"), (false, "of 2 labels on average, so it tells next")] {
        table(&place, &labels[..2], tells);
        place.ok(&[&FIT[..], &["m.fgm"]].concat());
        let run = place.ok(&sets);
        run.tells(&[mean]);
        assert_eq!(run.err.contains("next to nothing"), !tells, "{}", run.err);
    }
}

#[test]
fn the_starter_model_says_what_to_give_it_instead() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "a.pcap", "--labels", "truth.csv", "--flows", "30"]);
    place.ok(&["meter", "a.pcap", "-o", "n.csv", "--schema", "nfstream"]);
    let run = place.run(&["predict", "n.csv"]);
    assert_eq!(run.status, 1);
    run.tells(&["n.csv lacks", "Give it the capture itself", "--schema", "flowgait fit"]);
    // A model that was named is another's business.
    table(&place, &["web", "chat"], true);
    place.ok(&[&FIT[..], &["m.fgm"]].concat());
    let run = place.run(&["predict", "--model", "m.fgm", "a.pcap"]);
    run.tells(&["The table of metered flows lacks"]);
    assert!(!run.err.contains("starter"), "{}", run.err);
}

#[test]
fn what_cannot_stand_beside_a_model_is_told() {
    let place = Place::new();
    table(&place, &["web", "chat"], true);
    let judge = ["evaluate", "t.csv", "--label", "label", "--split", "random", "--brief"];
    let recipe = ["--estimator", "forest", "--trees", "5"];
    let run = place.ok(&[&judge[..], &recipe].concat());
    run.says(&["No nearest neighbour stands beside it: the table does not list the sizes"]);
    place.ok(&[&FIT[..], &["m.fgm"]].concat());
    let given = ["evaluate", "--model", "m.fgm", "t.csv", "--label", "label", "--split", "given"];
    place.ok(&given).says(&["No baselines stand beside it", "by --split"]);
    // A list of sizes under another name than ours is one.
    let mut text = String::from("sizes,label\n");
    for row in 0..60 {
        let size = |at: usize| {
            (100 + at + row % 2 * 500) as i64 * if at.is_multiple_of(2) { 1 } else { -1 }
        };
        let sizes: Vec<String> = (0..12).map(|at| size(at).to_string()).collect();
        let _ = writeln!(text, "{},{}", sizes.join(" "), ["web", "chat"][row % 2]);
    }
    place.write("t.csv", text);
    let run = place.ok(&[&judge[..], &recipe].concat());
    assert!(run.out.contains("\nnearest neighbour "), "{}", run.out);
    assert!(!run.out.contains("No nearest neighbour stands"), "{}", run.out);
}
