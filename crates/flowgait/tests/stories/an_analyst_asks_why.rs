//! An analyst asks why a flow got its answer, and finds the column that gives it away.

use crate::support::Place;

/// A table in which a column that nobody recognises as identity names the class, among columns that say nothing.
fn planted(place: &Place) {
    let mut table = String::from("octets,shelf_mark,gap,label\n");
    for row in 0..400_u32 {
        let noise = row.wrapping_mul(2_654_435_761) >> 16;
        let class = noise % 3;
        table += &format!(
            "{},{},{},{}\n",
            row.wrapping_mul(40_503) % 977,
            class * 100 + 7,
            row.wrapping_mul(9_973) % 613,
            ["chat", "video", "web"][class as usize]
        );
    }
    place.write("planted.csv", &table);
}

#[test]
fn the_planted_column_is_named_first() {
    let place = Place::new();
    planted(&place);
    for estimator in ["forest", "boost"] {
        place.ok(&[
            "fit",
            "planted.csv",
            "--label",
            "label",
            "-o",
            "m.fgm",
            "--estimator",
            estimator,
        ]);
        let run = place.ok(&[
            "explain",
            "--model",
            "m.fgm",
            "planted.csv",
            "--row",
            "9",
            "-o",
            "why.json",
        ]);
        let first = run.out.lines().skip_while(|line| !line.contains("for it")).nth(1);
        assert!(first.is_some_and(|line| line.contains("shelf_mark")), "{}", run.out);
        assert!(run.out.contains("as its label says"), "{}", run.out);
        let why: serde_json::Value = serde_json::from_str(&place.text("why.json")).unwrap();
        let of = &why["classes"][0];
        let columns = of["columns"].as_array().unwrap();
        let sum: f64 = columns.iter().map(|part| part["contribution"].as_f64().unwrap()).sum();
        let moved = of["value"].as_f64().unwrap() - of["base"].as_f64().unwrap();
        assert!((sum - moved).abs() < 1e-4, "{sum} of {moved}");
        assert_eq!(why["neighbours"].as_array().unwrap().len(), 5);
        assert_eq!(why["neighbours"][0]["label"], why["label"]);
    }
}

#[test]
fn a_usual_value_is_called_so() {
    let place = Place::new();
    let mut table = String::from("octets,is_rare,label\n");
    for row in 0..300_u32 {
        let rare = row % 10 == 0;
        table += &format!(
            "{},{},{}\n",
            row * 37 % 101,
            u32::from(rare),
            if rare { "game" } else { "web" }
        );
    }
    place.write("t.csv", &table);
    place.ok(&["fit", "t.csv", "--label", "label", "-o", "m.fgm", "--estimator", "forest"]);
    // Row 2 is as most are; row 1 is not.
    let run = place.ok(&["explain", "--model", "m.fgm", "t.csv", "--row", "2"]);
    assert!(run.out.contains("is_rare  (0, as usual)"), "{}", run.out);
    assert!(run.out.contains("it counts only because some rows have other values"), "{}", run.out);
    let run = place.ok(&["explain", "--model", "m.fgm", "t.csv", "--row", "1"]);
    assert!(run.out.contains("is_rare  (1, usually 0)"), "{}", run.out);
}

#[test]
fn a_capture_is_explained_as_its_table_is() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "a.pcap", "--labels", "truth.csv", "--flows", "150"]);
    place.ok(&["meter", "a.pcap", "-o", "a.csv", "--labels", "truth.csv"]);
    place.ok(&["fit", "a.csv", "--label", "category", "-o", "m.fgm", "--estimator", "boost"]);
    let of = |input| {
        let out = place.ok(&["explain", "--model", "m.fgm", input, "--row", "4"]).out;
        out.lines()
            .filter(|line| line.starts_with("    ") && !line.contains("row"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert!(of("a.pcap").len() > 5);
    assert_eq!(of("a.pcap"), of("a.csv"));
}

#[test]
fn what_cannot_be_explained_is_said() {
    let place = Place::new();
    planted(&place);
    place.ok(&["fit", "planted.csv", "--label", "label", "-o", "m.fgm", "--estimator", "forest"]);
    let why = |more: &[&str]| {
        let mut line = vec!["explain", "--model", "m.fgm", "planted.csv"];
        line.extend_from_slice(more);
        let run = place.run(&line);
        assert_eq!(run.status, 2, "{}", run.err);
        run.err
    };
    assert!(why(&["--row", "401"]).contains("400 rows, so there is no row 401"));
    assert!(why(&["--row", "1", "--class", "mail"]).contains("knows no 'mail'"));
    assert!(why(&["--row", "1", "-o", "why.html"]).contains(".json"));
    assert!(why(&["--row", "0"]).contains("--row"));
}
