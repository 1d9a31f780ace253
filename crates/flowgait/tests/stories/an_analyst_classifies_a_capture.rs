//! An analyst learns from one capture and lets the model speak about another.

use crate::support::{self, Place};

#[test]
fn learn_from_one_capture_and_classify_another() {
    let place = Place::new();
    for (name, seed) in [("monday", "1"), ("tuesday", "2")] {
        place.ok(&[
            "synth",
            "demo",
            "-o",
            &format!("{name}.pcap"),
            "--labels",
            &format!("{name}-truth.csv"),
            "--flows",
            "400",
            "--seed",
            seed,
        ]);
    }
    let run =
        place.ok(&["meter", "monday.pcap", "-o", "monday.csv", "--labels", "monday-truth.csv"]);
    assert!(run.err.contains("flows"), "{}", run.err);
    let run = place.ok(&[
        "fit",
        "monday.csv",
        "--label",
        "category",
        "--group",
        "initiator_address",
        "-o",
        "mine.fgm",
    ]);
    assert!(
        run.err.contains("left out"),
        "it says which columns it did not learn from: {}",
        run.err
    );

    // Straight from the packets, without a table between.
    place.ok(&["predict", "--model", "mine.fgm", "tuesday.pcap", "-o", "answers.csv", "--proba"]);
    place.ok(&["meter", "tuesday.pcap", "-o", "tuesday.csv", "--labels", "tuesday-truth.csv"]);
    place.ok(&["predict", "--model", "mine.fgm", "tuesday.csv", "-o", "again.csv"]);
    let answers = support::column(&place.text("answers.csv"), "prediction");
    assert_eq!(answers, support::column(&place.text("again.csv"), "prediction"));

    let truth = support::column(&place.text("tuesday.csv"), "category");
    let known: Vec<_> = truth.iter().zip(&answers).filter(|(t, _)| !t.is_empty()).collect();
    assert!(known.len() >= 400);
    let right = known.iter().filter(|(t, a)| t == a).count();
    assert!(right * 10 > known.len() * 8, "{right} of {} right on made traffic", known.len());
    let confidence = support::column(&place.text("answers.csv"), "confidence");
    assert!(confidence.iter().all(|c| (0.0..=1.0).contains(&c.parse::<f64>().unwrap())));

    let run = place.ok(&[
        "evaluate",
        "--model",
        "mine.fgm",
        "tuesday.csv",
        "--label",
        "category",
        "-o",
        "report.html",
    ]);
    assert!(run.out.contains("Accuracy") && run.out.contains("as given"), "{}", run.out);
    assert!(place.text("report.html").contains("<svg"));
}

#[test]
fn a_model_judged_on_its_own_training_table_is_judged_by_folds() {
    let place = Place::new();
    place.ok(&[
        "synth",
        "demo",
        "-o",
        "t.pcap",
        "--labels",
        "truth.csv",
        "--flows",
        "300",
        "--seed",
        "1",
    ]);
    place.ok(&["meter", "t.pcap", "-o", "t.csv", "--labels", "truth.csv"]);
    place.ok(&[
        "fit",
        "t.csv",
        "--label",
        "category",
        "-o",
        "m.fgm",
        "--estimator",
        "forest",
        "--trees",
        "20",
    ]);
    let run = place.ok(&[
        "evaluate",
        "--model",
        "m.fgm",
        "t.csv",
        "--label",
        "category",
        "--group",
        "initiator_address",
    ]);
    run.tells(&["trained on"]);
    assert!(run.out.contains("initiator_address"), "{}", run.out);
}

#[test]
fn unsure_answers_can_be_refused() {
    let place = Place::new();
    place.ok(&[
        "synth",
        "demo",
        "-o",
        "t.pcap",
        "--labels",
        "truth.csv",
        "--flows",
        "300",
        "--seed",
        "1",
    ]);
    place.ok(&["meter", "t.pcap", "-o", "t.csv", "--labels", "truth.csv"]);
    place.ok(&[
        "fit",
        "t.csv",
        "--label",
        "application",
        "-o",
        "m.fgm",
        "--estimator",
        "forest",
        "--trees",
        "20",
    ]);
    place
        .ok(&["predict", "--model", "m.fgm", "t.csv", "-o", "p.csv", "--proba", "--reject", "0.9"]);
    let table = place.text("p.csv");
    let (answers, confidence) =
        (support::column(&table, "prediction"), support::column(&table, "confidence"));
    assert!(answers.iter().any(|a| a == "unknown"));
    for (answer, confidence) in answers.iter().zip(&confidence) {
        assert_eq!(
            answer == "unknown",
            confidence.parse::<f64>().unwrap() < 0.9,
            "{answer} {confidence}"
        );
    }
}

#[test]
fn the_four_classes_of_the_original_demo_are_learnt() {
    let place = Place::new();
    place.ok(&["synth", "four-classes", "-o", "train.csv", "--seed", "1"]);
    place.ok(&["synth", "four-classes", "-o", "test.csv", "--seed", "2"]);
    place.ok(&["fit", "train.csv", "--label", "label", "--group", "client", "-o", "four.fgm"]);
    place.ok(&["predict", "--model", "four.fgm", "test.csv", "-o", "p.csv"]);
    let table = place.text("p.csv");
    let (truth, answers) =
        (support::column(&table, "label"), support::column(&table, "prediction"));
    let right = truth.iter().zip(&answers).filter(|(t, a)| t == a).count();
    // The classes overlap; naive Bayes, which knows the generator's form, reaches 99.8 %.
    assert!(right as f64 > 0.97 * truth.len() as f64, "{right} of {}", truth.len());
}

/// A table of two made captures, metered with their truth.
fn two_days(place: &Place) {
    for (name, seed) in [("monday", "1"), ("tuesday", "2")] {
        let (pcap, truth) = (format!("{name}.pcap"), format!("{name}-truth.csv"));
        let synth = ["synth", "demo", "-o", &pcap, "--labels", &truth, "--flows", "200"];
        place.ok(&[synth.as_slice(), &["--seed", seed]].concat());
        place.ok(&["meter", &pcap, "-o", &format!("{name}.csv"), "--labels", &truth]);
    }
}

#[test]
fn what_must_be_beaten_stands_beside_every_score() {
    let place = Place::new();
    two_days(&place);
    let tables = ["monday.csv", "tuesday.csv", "--label", "category"];
    let fit = place.ok(&[["fit"].as_slice(), &tables, &["-o", "m.fgm", "--trees", "20"]].concat());
    fit.tells(&["expect accuracy", "the most frequent class alone", "grouped by capture"]);
    let judge = ["--trees", "20", "-o", "report.json"];
    let run = place.ok(&[["evaluate"].as_slice(), &tables, &judge].concat());
    for baseline in ["majority", "nearest neighbour", "far address"] {
        assert!(run.out.contains(baseline), "{baseline}:\n{}", run.out);
    }
    let report = place.text("report.json");
    assert!(report.contains("on folds of each trial's own training rows"), "auto is chosen within");
    assert!(
        report.contains("\"confidence\": \"calibrated\""),
        "and its confidence made true there"
    );
}

#[test]
fn sets_of_labels_hold_the_truth_as_often_as_asked() {
    let place = Place::new();
    two_days(&place);
    let tables = ["monday.csv", "--label", "category", "--estimator", "forest"];
    place.ok(&[["fit"].as_slice(), &tables, &["-o", "m.fgm", "--trees", "30"]].concat());
    let predict = ["predict", "--model", "m.fgm", "tuesday.csv"];
    place.ok(&[predict.as_slice(), &["--conformal", "0.1", "-o", "sets.csv"]].concat());
    let table = place.text("sets.csv");
    let (truth, sets) =
        (support::column(&table, "category"), support::column(&table, "prediction_set"));
    let known: Vec<_> = truth.iter().zip(&sets).filter(|(truth, _)| !truth.is_empty()).collect();
    let held = known.iter().filter(|(truth, set)| set.split('|').any(|label| label == *truth));
    // Nine in ten are asked for; another day of other homes is not quite like the one learnt from.
    assert!(held.count() * 100 >= known.len() * 80, "of {}", known.len());
    assert!(sets.iter().any(|set| set.contains('|')) && sets.iter().any(|set| !set.contains('|')));
    for wrong in ["0", "1", "-0.5"] {
        let asked = format!("--conformal={wrong}");
        assert_eq!(place.run(&[predict.as_slice(), &[&asked]].concat()).status, 2, "{wrong}");
    }
}

#[test]
fn one_capture_is_split_by_its_clients_and_one_client_by_time() {
    let place = Place::new();
    two_days(&place);
    let judge = ["--label", "category", "--estimator", "forest", "--trees", "10"];
    let run = place.ok(&[["evaluate", "monday.csv"].as_slice(), &judge].concat());
    assert!(run.out.contains("grouped by initiator_address"), "{}", run.out);

    let (header, rows) = support::csv(&place.text("monday.csv"));
    let client = header.iter().position(|name| name == "initiator_address").unwrap();
    let mut writer = csv::Writer::from_path(place.path("one.csv")).unwrap();
    writer.write_record(&header).unwrap();
    for mut row in rows {
        "10.0.0.1".clone_into(&mut row[client]);
        writer.write_record(&row).unwrap();
    }
    writer.flush().unwrap();
    let run = place.ok(&[["evaluate", "one.csv"].as_slice(), &judge].concat());
    assert!(run.out.contains("by time"), "{}", run.out);
    let split = ["--split", "group:initiator_address"];
    let run = place.run(&[["evaluate", "one.csv"].as_slice(), &judge, &split].concat());
    assert_eq!(run.status, 1);
    run.tells(&["Every row has the same initiator_address", "--split time"]);
}

#[test]
fn the_time_that_a_split_names_is_the_one_it_is_made_by() {
    let place = Place::new();
    // By `seen` the last rows are all of class b, by `start` they are mixed; a size tells the classes.
    let row = |i: u32| {
        let class = if i < 70 { ["a", "b"][(i % 2) as usize] } else { "b" };
        let size = if class == "a" { 100 + i } else { 900 + i };
        format!("{},{},{size},{class}\n", (i * 37) % 100 + 1_000_000, 2_000_000 + i)
    };
    let rows: String = (0..100).map(row).collect();
    place.write("t.csv", format!("start,seen,size,label\n{rows}"));
    let judge = ["--label", "label", "--estimator", "forest", "--trees", "5", "-o", "r.json"];
    let judged = |split: &[&str]| {
        place.ok(&[["evaluate", "t.csv"].as_slice(), &judge, split].concat());
        let report: serde_json::Value = serde_json::from_str(&place.text("r.json")).unwrap();
        let rows = report["scores"]["rows"].as_u64().unwrap();
        let a = report["per_class"][0]["support"].as_u64().unwrap();
        (rows, a)
    };
    assert_eq!(judged(&["--split", "time:seen"]), (30, 0));
    assert!(judged(&["--split", "time:start"]).1 > 0);
    // What began at a moment or later is judged, and what was before is learnt.
    let (rows, a) = judged(&["--since", "1000051"]);
    assert_eq!(rows, 49);
    assert!(a > 0);
    let run = place.run(&["evaluate", "t.csv", "--label", "label", "--since", "soon"]);
    assert_eq!(run.status, 2);
    run.tells(&["'soon' is no time"]);
}

#[test]
fn what_the_model_never_learnt_is_called_unknown_and_what_it_knows_seldom() {
    let place = Place::new();
    for (name, seed) in [("a", "5"), ("b", "6")] {
        let (capture, truth) = (format!("{name}.pcap"), format!("{name}-truth.csv"));
        place.ok(&[
            "synth", "demo", "-o", &capture, "--labels", &truth, "--flows", "500", "--seed", seed,
        ]);
        place.ok(&["meter", &capture, "-o", &format!("{name}.csv"), "--labels", &truth]);
    }
    let whole = place.text("a.csv");
    let labels = support::column(&whole, "category");
    // Each kind of use is taken out of what is learnt in turn; some are too like another to be noticed.
    let (mut strangers, mut acquaintances) = (0.0, 0.0);
    for left_out in ["chat", "game", "transfer", "video", "voice", "web"] {
        let rows = whole.lines().skip(1).zip(&labels).filter(|(_, label)| *label != left_out);
        let kept: Vec<&str> = whole.lines().take(1).chain(rows.map(|(row, _)| row)).collect();
        place.write("without.csv", kept.join("\n"));
        place.ok(&[
            "fit",
            "without.csv",
            "--label",
            "category",
            "-o",
            "m.fgm",
            "--estimator",
            "forest",
            "--trees",
            "60",
        ]);
        let run = place.ok(&[
            "predict",
            "--model",
            "m.fgm",
            "b.csv",
            "-o",
            "answers.csv",
            "--unknown",
            "0.05",
        ]);
        assert!(run.err.contains("unknown"), "{}", run.err);
        let answers = place.text("answers.csv");
        let truth = support::column(&answers, "category");
        let said = support::column(&answers, "prediction");
        let share = |of: &dyn Fn(&str) -> bool| {
            let rows: Vec<_> = truth.iter().zip(&said).filter(|(t, _)| of(t)).collect();
            rows.iter().filter(|(_, said)| *said == "unknown").count() as f64 / rows.len() as f64
        };
        strangers += share(&|t| t == left_out) / 6.0;
        acquaintances += share(&|t| !t.is_empty() && t != left_out) / 6.0;
    }
    // The clients are others than those learnt from, so the stated rate holds about.
    assert!(acquaintances < 0.12, "{acquaintances} of what it knows");
    assert!(strangers > 2.0 * acquaintances, "{strangers} of strangers, {acquaintances} of others");
}

#[test]
fn networks_learn_from_tables_and_from_packets_the_same_on_any_number_of_threads() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "a.pcap", "--labels", "truth.csv", "--flows", "400"]);
    place.ok(&["meter", "a.pcap", "-o", "a.csv", "--labels", "truth.csv"]);
    let fit = ["fit", "a.csv", "--label", "category", "--epochs", "12"];
    for estimator in ["mlp", "cnn"] {
        let answers = |threads: &str| {
            let model = format!("{estimator}-{threads}.fgm");
            let how = ["--estimator", estimator, "--threads", threads, "-o", &model];
            let run = place.ok(&[&fit[..], &how[..]].concat());
            run.tells(&["expect accuracy"]);
            let out = format!("{estimator}-{threads}.csv");
            place.ok(&["predict", "--model", &model, "a.csv", "-o", &out, "--proba"]);
            place.text(&out)
        };
        let one = answers("1");
        assert_eq!(one, answers("2"));
        let (truth, said) =
            (support::column(&one, "category"), support::column(&one, "prediction"));
        let known: Vec<_> =
            truth.iter().zip(&said).filter(|(truth, _)| !truth.is_empty()).collect();
        let right = known.iter().filter(|(truth, said)| truth == said).count();
        assert!(right * 10 > known.len() * 7, "{estimator}: {right} of {}", known.len());
    }
    place.write("n.csv", "size,gap,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n1,2,a\n3,4,b\n");
    let run = place.run(&["fit", "n.csv", "--label", "kind", "--estimator", "cnn", "-o", "n.fgm"]);
    assert_eq!(run.status, 1, "{}", run.err);
    run.tells(&["needs packet sizes in their order"]);
}

#[test]
fn one_model_answers_better_with_every_packet_of_a_flow() {
    let place = Place::new();
    for (name, seed, flows) in [("a", "5", "700"), ("b", "6", "300")] {
        let (capture, truth) = (format!("{name}.pcap"), format!("{name}-truth.csv"));
        place.ok(&[
            "synth", "demo", "-o", &capture, "--labels", &truth, "--flows", flows, "--seed", seed,
        ]);
        place.ok(&["meter", &capture, "-o", &format!("{name}.csv"), "--labels", &truth]);
    }
    let fit =
        ["fit", "a.csv", "--label", "application", "--estimator", "extra-trees", "--trees", "60"];
    place.ok(&[&fit[..], &["-o", "whole.fgm"]].concat());
    place.ok(&[&fit[..], &["--early", "-o", "early.fgm"]].concat());
    let accuracy = |model: &str, packets: &str| -> f64 {
        let answers = format!("{model}-{packets}.csv");
        let model = format!("{model}.fgm");
        let run =
            place.ok(&["predict", "--model", &model, "b.csv", "--after", packets, "-o", &answers]);
        assert_eq!(run.err.contains("fit it with --early"), model == "whole.fgm", "{}", run.err);
        let answers = place.text(&answers);
        let (truth, said) =
            (support::column(&answers, "application"), support::column(&answers, "prediction"));
        let right = truth.iter().zip(&said).filter(|(truth, said)| truth == said).count();
        right as f64 / truth.iter().filter(|truth| !truth.is_empty()).count() as f64
    };
    let after: Vec<f64> = ["1", "4", "30"].map(|packets| accuracy("early", packets)).into();
    assert!(after[0] + 0.1 < after[1] && after[1] + 0.1 < after[2], "{after:?}");
    assert!(accuracy("whole", "4") + 0.1 < after[1]);
    // The report's curve is of one model, asked again; a table without packets in order is refused.
    let judged = ["evaluate", "--model", "early.fgm", "b.csv", "--label", "application"];
    let run = place.ok(&[&judged[..], &["--packets", "4"]].concat());
    assert!(run.out.contains("known after 4 packets"), "{}", run.out);
    // On folds too it is one model that is asked, not one of four packets alone: more packets are known to it when it learns.
    let folds = [
        "evaluate",
        "a.csv",
        "--label",
        "application",
        "--estimator",
        "extra-trees",
        "--trees",
        "30",
    ];
    let run = place.ok(&[&folds[..], &["--early", "--packets", "4", "--brief"]].concat());
    assert!(
        run.out.contains("387 features") && run.out.contains("known after 4 packets"),
        "{}",
        run.out
    );
    let run = place.run(&[
        "predict",
        "--model",
        "early.fgm",
        "b.csv",
        "--after",
        "4",
        "--unknown",
        "0.05",
    ]);
    assert_eq!(run.status, 2, "{}", run.err);
    place.write("n.csv", "size,gap,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n1,2,a\n3,4,b\n");
    let run = place.run(&["fit", "n.csv", "--label", "kind", "--early", "-o", "n.fgm"]);
    assert_eq!(run.status, 1, "{}", run.err);
    run.tells(&["sequence columns of our flow table", "packet_octets_0"]);
}

#[test]
fn without_a_model_the_starter_answers_and_says_how_little_it_knows() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "a.pcap", "--flows", "120"]);
    let run = place.ok(&["predict", "a.pcap", "-o", "answers.csv", "--proba"]);
    run.tells(&["starter model", "Network, VoIP, Web", "docs/STARTER.md", "--label-by sni"]);
    let answers = place.text("answers.csv");
    let said = support::column(&answers, "prediction");
    let sure = support::column(&answers, "confidence");
    assert!(said.len() > 100);
    for (said, sure) in said.iter().zip(&sure) {
        assert_eq!(said == "unknown", sure.parse::<f32>().unwrap() < 0.8, "{said} at {sure}");
    }
    assert!(said.iter().any(|said| said == "unknown") && said.iter().any(|said| said != "unknown"));
    // Whoever asks for every answer gets it.
    place.ok(&["predict", "a.pcap", "-o", "all.csv", "--reject", "0"]);
    assert!(!support::column(&place.text("all.csv"), "prediction").contains(&"unknown".to_owned()));
}

#[test]
fn application_and_category_in_one_run_and_the_category_where_the_application_is_unsure() {
    let place = Place::new();
    for (name, seed) in [("a", "5"), ("b", "6")] {
        let (capture, truth) = (format!("{name}.pcap"), format!("{name}-truth.csv"));
        place.ok(&[
            "synth", "demo", "-o", &capture, "--labels", &truth, "--flows", "500", "--seed", seed,
        ]);
        place.ok(&["meter", &capture, "-o", &format!("{name}.csv"), "--labels", &truth]);
    }
    let run = place.ok(&[
        "fit",
        "a.csv",
        "--label",
        "application",
        "--category",
        "category",
        "-o",
        "m.fgm",
        "--estimator",
        "forest",
    ]);
    // The split is by capture or client still, not by what else was read.
    run.tells(&["by category alone", "grouped by initiator_address"]);
    place
        .ok(&["predict", "--model", "m.fgm", "b.csv", "-o", "p.csv", "--reject", "0.6", "--proba"]);
    let answers = place.text("p.csv");
    let column = |name: &str| support::column(&answers, name);
    let (application, category) = (column("prediction"), column("prediction_category"));
    let sure = column("confidence_category");
    assert!(
        sure.iter()
            .zip(&category)
            .all(|(sure, said)| { (sure.parse::<f32>().unwrap() < 0.6) == (said == "unknown") })
    );
    // Where the application is unsure, the category often is not.
    let unsure: Vec<&String> = application
        .iter()
        .zip(&category)
        .filter(|(a, _)| *a == "unknown")
        .map(|(_, c)| c)
        .collect();
    let told = unsure.iter().filter(|category| **category != "unknown").count();
    assert!(told * 5 > unsure.len() && told > 20, "{told} of {}", unsure.len());
    let known: Vec<_> = column("category")
        .into_iter()
        .zip(&category)
        .filter(|(t, c)| !t.is_empty() && *c != "unknown")
        .collect();
    let right = known.iter().filter(|(truth, said)| truth == *said).count();
    assert!(right * 10 > known.len() * 8, "{right} of {}", known.len());
}
