//! A person gives it files that are broken, empty, foreign or hostile, and is told what is wrong and where.

use crate::support::{self, Place};

/// A pcap header of Ethernet, microseconds, little endian.
const PCAP_HEADER: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

#[test]
fn a_file_that_is_no_capture() {
    let place = Place::new();
    place.write("notes.pcap", "dear diary, this is no capture at all");
    for command in [["inspect", "notes.pcap"].as_slice(), &["meter", "notes.pcap", "-o", "f.csv"]] {
        let run = place.run(command);
        assert_eq!(run.status, 1, "{}", run.err);
        run.tells(&["notes.pcap"]);
    }
    assert_eq!(place.files(), ["notes.pcap"], "nothing half-written is left");
}

#[test]
fn an_empty_file() {
    let place = Place::new();
    place.write("empty.pcap", "");
    let run = place.run(&["meter", "empty.pcap", "-o", "f.csv"]);
    assert_eq!(run.status, 1);
    run.tells(&["empty.pcap", "empty"]);
}

#[test]
fn a_file_that_is_not_there() {
    let place = Place::new();
    let run = place.run(&["inspect", "gone.pcap"]);
    assert_eq!(run.status, 1);
    run.tells(&["gone.pcap"]);
}

#[test]
fn a_capture_that_breaks_off_gives_its_whole_packets_and_status_3() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "whole.pcap", "--flows", "20", "--seed", "3"]);
    let whole = place.bytes("whole.pcap");
    place.write("cut.pcap", &whole[..whole.len() / 2 + 1]);
    let run = place.run(&["meter", "cut.pcap", "-o", "f.csv"]);
    assert_eq!(run.status, 3, "{}", run.err);
    run.tells(&["cut.pcap at octet", "what came before it was used"]);
    assert!(place.text("f.csv").lines().count() > 2);
}

#[test]
fn a_record_that_claims_to_be_huge_costs_no_memory() {
    let place = Place::new();
    let mut bytes = PCAP_HEADER.to_vec();
    bytes.extend([0_u8; 8]);
    bytes.extend(0xffff_fff0_u32.to_le_bytes());
    bytes.extend(0xffff_fff0_u32.to_le_bytes());
    place.write("huge.pcap", bytes);
    let run = place.run(&["meter", "huge.pcap", "-o", "f.csv"]);
    assert!(run.status == 3 || run.status == 1, "{}", run.err);
    run.tells(&["huge.pcap", "24"]);
}

#[test]
fn a_table_without_the_label_or_with_a_bad_cell() {
    let place = Place::new();
    place.write("t.csv", "size,gap,kind\n1,2,a\n3,x,b\n5,6,a\n7,8,b\n");
    let run = place.run(&["fit", "t.csv", "--label", "class", "-o", "m.fgm"]);
    assert_eq!(run.status, 1);
    run.tells(&["class", "t.csv", "kind"]);

    place.write("n.csv", "size,gap,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n1,2,a\n3,4,b\n");
    place.ok(&["fit", "n.csv", "--label", "kind", "-o", "m.fgm", "--trees", "5"]);
    place.write("bad.csv", "size,gap\n1,2\n3,oops\n");
    let run = place.run(&["predict", "--model", "m.fgm", "bad.csv"]);
    assert_eq!(run.status, 1, "{} {}", run.out, run.err);
    run.tells(&["bad.csv", "gap", "oops", "3"]);

    place.write("other.csv", "size,loops\n1,2\n3,4\n");
    let run = place.run(&["predict", "--model", "m.fgm", "other.csv"]);
    assert_eq!(run.status, 1);
    run.tells(&["gap", "other.csv"]);

    place.write("foreign.csv", "apples,pears\n1,2\n3,4\n");
    let run = place.run(&["predict", "--model", "m.fgm", "foreign.csv"]);
    assert_eq!(run.status, 1);
    run.tells(&["lacks 2 of the 2 columns", "another kind of table"]);
}

#[test]
fn a_model_that_is_none_or_is_damaged() {
    let place = Place::new();
    place.write("n.csv", "size,gap,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n1,2,a\n3,4,b\n");
    place.ok(&["fit", "n.csv", "--label", "kind", "-o", "m.fgm", "--trees", "5"]);
    let whole = place.bytes("m.fgm");
    place.write("cut.fgm", &whole[..whole.len() / 2]);
    let mut flipped = whole.clone();
    let middle = whole.len() / 2;
    flipped[middle] ^= 0x10;
    place.write("flipped.fgm", flipped);
    place.write("text.fgm", "not a model");
    for model in ["cut.fgm", "flipped.fgm", "text.fgm"] {
        let run = place.run(&["predict", "--model", model, "n.csv"]);
        assert_eq!(run.status, 1, "{model}: {}", run.err);
        run.tells(&[model]);
        assert_eq!(run.out, "");
    }
}

#[test]
fn wrong_command_lines_and_configurations_end_with_status_2() {
    let place = Place::new();
    place.write("f.toml", "[meter]\nidle_timeot = \"3s\"\n");
    place.write("n.csv", "a,b\n1,2\n");
    for args in [
        ["meter"].as_slice(),
        &["meter", "a.pcap", "-o", "f.csv", "--idle-timeout", "soon"],
        &["meter", "a.pcap", "-o", "f.xlsx"],
        &["meter", "a.pcap", "-o", "f.csv", "--filter", "tcp and and"],
        &["--config", "f.toml", "config", "show"],
        &["fit", "n.csv", "--label", "b", "-o", "m.fgm", "--trees", "0"],
        &["synth", "no-such-scenario", "-o", "x.pcap"],
        &["frobnicate"],
    ] {
        let run = place.run(args);
        assert_eq!(run.status, 2, "{args:?}: {}", run.err);
        run.tells(&[]);
        assert!(!run.err.is_empty());
    }
}

#[test]
fn one_input_of_several_that_cannot_be_read_costs_only_its_own_answers() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "t.pcap", "--labels", "truth.csv", "--flows", "60"]);
    place.ok(&["meter", "t.pcap", "-o", "t.csv", "--labels", "truth.csv"]);
    place.ok(&["fit", "t.csv", "--label", "category", "-o", "m.fgm", "--trees", "5"]);
    place.write("broken.pcap", "no capture at all, whatever its name says");
    place.write("few.csv", "size,gap\n1,2\n");
    for bad in ["gone.pcap", "broken.pcap", "few.csv", "gone.csv"] {
        let run = place.run(&["predict", "--model", "m.fgm", bad, "-o", "alone.csv"]);
        assert_eq!(run.status, 1, "{bad}: {}", run.err);
        run.tells(&[bad]);
        assert!(!place.path("alone.csv").exists());

        let run = place.run(&["predict", "--model", "m.fgm", bad, "t.pcap", "-o", "both.csv"]);
        assert_eq!(run.status, 3, "{bad}: {}", run.err);
        run.tells(&[bad, "left out", "1 input of 2"]);
        let flows = place.text("t.csv").lines().count();
        assert_eq!(place.text("both.csv").lines().count(), flows, "{bad}");
    }
}

#[test]
fn a_capture_where_a_table_belongs_and_the_other_way_round() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "t.pcap", "--flows", "20"]);
    let run = place.run(&["fit", "t.pcap", "--label", "category", "-o", "m.fgm"]);
    assert_eq!(run.status, 2, "{}", run.err);
    run.tells(&["t.pcap is a capture", "flowgait meter t.pcap"]);
    place.ok(&["meter", "t.pcap", "-o", "t.csv"]);
    let run = place.run(&["meter", "t.csv", "-o", "again.csv"]);
    assert_eq!(run.status, 2, "{}", run.err);
    run.tells(&["t.csv is a table"]);
}

#[test]
fn an_input_is_never_written_over() {
    let place = Place::new();
    place.write("n.csv", "size,gap,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n1,2,a\n3,4,b\n");
    place.ok(&["fit", "n.csv", "--label", "kind", "-o", "m.fgm", "--trees", "5"]);
    let before = place.text("n.csv");
    let run = place.run(&["predict", "--model", "m.fgm", "n.csv", "-o", "./n.csv"]);
    assert_eq!(run.status, 2, "{}", run.err);
    run.tells(&["n.csv would be written over"]);
    assert_eq!(place.text("n.csv"), before);
    let (judged, predicted) = (["evaluate", "n.csv", "--label", "kind"], ["predict", "n.csv"]);
    for (command, output) in [
        (&judged[..], &["--export", "n.csv"][..]),
        (&predicted[..], &["--model", "m.fgm", "-o", "n.csv"][..]),
        (&predicted[..], &["--model", "m.fgm", "-o", "no/such/folder/n.csv"][..]),
        (&judged[..], &["-o", "no/such/folder/n.html"][..]),
    ] {
        let run = place.run(&[command, output].concat());
        assert!(run.status == 2 || run.status == 1, "{}", run.err);
        assert!(run.out.is_empty(), "{}", run.out);
    }
    assert_eq!(place.text("n.csv"), before);
}

#[test]
fn a_row_of_which_nothing_is_known_is_unknown_and_told() {
    let place = Place::new();
    let rows: String = (0..60)
        .map(|i| format!("{},{},{}\n", i % 2 * 100 + i, i % 7, ["web", "chat"][i % 2]))
        .collect();
    place.write("n.csv", format!("size,gap,kind\n{rows}"));
    place.ok(&["fit", "n.csv", "--label", "kind", "-o", "m.fgm", "--estimator", "forest"]);
    place.write("few.csv", "size,gap\n100,1\n,\n");
    let run = place.run(&["predict", "--model", "m.fgm", "few.csv", "--reject", "0"]);
    assert_eq!(run.status, 0, "{}", run.err);
    run.tells(&["1 row has no value in any of the model's columns"]);
    assert!(run.out.ends_with(",,unknown\n"), "{}", run.out);
}

#[test]
fn text_that_the_model_never_saw_is_told() {
    let place = Place::new();
    let rows: String = (0..40)
        .map(|i| format!("{},{},{}\n", i * 7 % 40, ["tcp", "udp"][i % 2], ["a", "b"][i % 2]))
        .collect();
    place.write("n.csv", format!("size,proto,kind\n{rows}"));
    place.write("new.csv", "size,proto\n1,tcp\n2,sctp\n");
    place.ok(&["fit", "n.csv", "--label", "kind", "--estimator", "forest", "-o", "m.fgm"]);
    let run = place.ok(&["predict", "--model", "m.fgm", "new.csv"]);
    run.tells(&["column 'proto': 1 row holds text that the model never saw, such as 'sctp'"]);
}

#[test]
fn a_report_says_that_rows_were_learnt_from_and_labels_were_not() {
    let place = Place::new();
    let rows = |range: std::ops::Range<usize>| -> String {
        range.map(|i| format!("{},{}\n", i * 7_919 % 997, ["web", "chat"][i % 2])).collect()
    };
    place.write("n.csv", format!("size,kind\n{}", rows(0..60)));
    place.ok(&["fit", "n.csv", "--label", "kind", "--estimator", "forest", "-o", "m.fgm"]);
    let judge = ["--label", "kind", "--brief", "-o", "r.html"];
    place.write("half.csv", format!("size,kind\n{}", rows(30..90)));
    place.ok(&[&["evaluate", "--model", "m.fgm", "half.csv"][..], &judge].concat());
    let report = place.text("r.html");
    assert!(report.contains("rows that the model learnt from: the scores flatter it"), "{report}");
    let apart = ["evaluate", "--model", "m.fgm", "half.csv", "--split", "random"];
    place.ok(&[&apart[..], &judge].concat());
    assert!(place.text("r.html").contains("Not the model is judged but its recipe"));
    place.write("renamed.csv", place.text("n.csv").replace("chat", "call"));
    let run = place.ok(&[&["evaluate", "--model", "m.fgm", "renamed.csv"][..], &judge].concat());
    run.tells(&["it never learnt call"]);
    let report = place.text("r.html");
    assert!(report.contains("Not the model is judged") && report.contains("never learnt call"));
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let place = Place::new();
    place.write("n.csv", "size,gap,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n1,2,a\n3,4,b\n");
    for (flags, told) in [
        (&["--drop", "kind"][..], "neither learnt from nor dropped"),
        (&["--group", "kind"][..], "cannot be grouped by their label"),
        (&["--keep", "gap", "--drop", "gap"][..], "both kept and dropped"),
        (&["--threads", "100000"][..], "more than 1024"),
        (
            &["--estimator", "forest", "--epochs", "5"][..],
            "--epochs means nothing to a random forest",
        ),
        (
            &["--estimator", "mlp", "--trees", "5"][..],
            "--trees means nothing to a multi-layer perceptron",
        ),
        (
            &["--estimator", "forest", "--boosters", "2"][..],
            "--boosters means nothing to a random forest",
        ),
        (&["--estimator", "boost", "--boosters", "0"][..], "1 to 64 boosters answer together"),
        (
            &["--estimator", "forest", "--device", "gpu"][..],
            "--device gpu means nothing to a random forest",
        ),
    ] {
        let run =
            place.run(&[&["fit", "n.csv", "--label", "kind", "-o", "m.fgm"][..], flags].concat());
        assert_eq!(run.status, 2, "{}", run.err);
        run.tells(&[told]);
    }
}

/// Built for cards or not, with a card here or not: a network learns, or the reason is told.
#[test]
fn a_graphics_card_is_used_or_its_lack_is_told() {
    let place = Place::new();
    let rows: String = (0..40).map(|i| format!("{i},{}\n", ["web", "chat"][i % 2])).collect();
    place.write("n.csv", format!("gap,kind\n{rows}"));
    let fit = ["fit", "n.csv", "--label", "kind", "-o", "m.fgm", "--estimator", "mlp"];
    let run = place.run(&[&fit[..], &["--epochs", "2", "--device", "gpu"]].concat());
    if run.status == 0 {
        run.tells(&["networks learn on "]);
        assert!(cfg!(feature = "gpu") && place.path("m.fgm").exists());
    } else {
        assert_eq!(run.status, 2, "{}", run.err);
        run.tells(&["No graphics card to learn on", "--features gpu"]);
    }
}

#[test]
fn labels_that_are_none_and_names_that_are_almost_right() {
    let place = Place::new();
    let rows: String =
        (0..30).map(|i| format!("{i},{},{}\n", i % 7, ["web", "chat"][i % 2])).collect();
    place.write("n.csv", format!("number,gap,application\n{rows}"));
    let run = place.run(&["fit", "n.csv", "--label", "number", "-o", "m.fgm"]);
    assert_eq!(run.status, 1, "{}", run.err);
    run.tells(&["'number' has 30 values for 30 rows", "--label"]);
    let run = place.run(&["fit", "n.csv", "--label", "aplication", "-o", "m.fgm"]);
    assert_eq!(run.status, 1, "{}", run.err);
    run.tells(&["did you mean 'application'?"]);
}

#[test]
fn rows_that_were_learnt_from_are_known_again_in_another_order() {
    let place = Place::new();
    // Labels by chance: whoever scores high has seen the rows.
    let row = |i: usize| {
        format!("{},{},{}\n", i * 37 % 1_009, i * i % 997, ["web", "chat"][i * 7 % 11 % 2])
    };
    let table = |rows: &mut dyn Iterator<Item = usize>| {
        format!("size,gap,kind\n{}", rows.map(row).collect::<String>())
    };
    place.write("n.csv", table(&mut (0..300)));
    place.write("turned.csv", table(&mut (0..300).rev()));
    place.write("half.csv", table(&mut (150..450)));
    place.write("other.csv", table(&mut (300..600)));
    place.ok(&["fit", "n.csv", "--label", "kind", "-o", "m.fgm", "--estimator", "forest"]);
    let judged = |table: &str| {
        place.ok(&["evaluate", "--model", "m.fgm", table, "--label", "kind", "--brief"])
    };
    judged("turned.csv").tells(&["trained on these very rows", "judged on folds"]);
    judged("half.csv").tells(&["about 50 % of the rows judged are the same"]);
    assert!(!judged("other.csv").err.contains("of the rows judged"));
    // Labels by chance teach nothing, and a group of each row's own is no group.
    let run = place.ok(&[
        "fit",
        "n.csv",
        "--label",
        "kind",
        "--group",
        "size",
        "-o",
        "m.fgm",
        "--estimator",
        "forest",
    ]);
    run.tells(&["every row has a size of its own"]);
    let run = place.run(&["predict", "--model", "m.fgm", "n.csv", "--after", "0"]);
    assert_eq!(run.status, 2, "{}", run.err);
    run.tells(&["the first 1 to 30 packets"]);
}

#[test]
fn a_table_from_a_notebook_says_what_of_it_is_learnt() {
    let place = Place::new();
    let label = |row: u32| ["web", "chat"][(row % 2) as usize];
    let row = |row: u32| {
        let size = row * row % 17;
        format!("{row},{size},{size},\"{row},5 ms\",40 {},{}\n", 1_400 + size, label(row))
    };
    let rows: String = (0..60).map(row).collect();
    place.write("t.csv", format!(",size,size,gap,sizes,label\n{rows}"));
    let fit = |table, model| {
        place.ok(&["fit", table, "--label", "label", "-o", model, "--estimator", "forest"])
    };
    fit("t.csv", "m.fgm").tells(&[
        "row number, or without a name: it says where in the table): Unnamed: 0",
        "equal in every row to the column whose name it has): size.1",
        "gap ('0,5 ms' in line 2)",
        "column sizes is read as lists of numbers",
    ]);
    // What was answered is no lesson, however often.
    place.ok(&["predict", "--model", "m.fgm", "t.csv", "-o", "once.csv", "--proba"]);
    place.ok(&["predict", "--model", "m.fgm", "once.csv", "-o", "twice.parquet", "--proba"]);
    let run = fit("twice.parquet", "n.fgm");
    run.tells(&["prediction, confidence, prediction_2, confidence_2, prediction.1, confidence.1"]);
    place.ok(&["predict", "--model", "n.fgm", "t.csv", "-o", "again.csv"]);
    let answers = |table: &str| support::column(&place.text(table), "prediction");
    assert_eq!(answers("again.csv").len(), 60);

    let bare: String = (0..60)
        .map(|n| format!("{},{}\n", n * n % 17, if n < 2 { label(n) } else { "" }))
        .collect();
    place.write("bare.csv", format!("size,label\n{bare}"));
    let run = place.run(&["fit", "bare.csv", "--label", "label", "-o", "x.fgm"]);
    assert_eq!(run.status, 1);
    run.tells(&["Column 'label' has 2 rows with a label, 58 without: too few"]);
}
