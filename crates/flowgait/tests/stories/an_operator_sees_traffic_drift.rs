//! An operator holds what a model says of today's traffic against what it said before a moment, and learns what drifted.

use serde_json::Value;

use crate::support::{Place, Run};

/// The first moment of 1 November 2026.
const NOVEMBER: u32 = 1_793_491_200;

/// Mean packet size and packets a second of each kind of use.
const KINDS: [(&str, u32, u32); 3] = [("voice", 150, 50), ("web", 700, 20), ("video", 1_300, 90)];

/// A row of a kind that began so many seconds after a start; all that varies follows from the number.
fn row(number: u32, start: &str, (kind, size, rate): (&str, u32, u32)) -> String {
    // Numbers that follow each other are to have nothing in common (C. Wellons' hash `lowbias32`).
    let noise = |salt: u32| {
        let mut x = number * 7 + salt;
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^ (x >> 16)
    };
    format!(
        "{start},{},{},{},{kind}\n",
        size + noise(1) % 120,
        rate + noise(2) % 9,
        noise(3) % 1_000
    )
}

fn table(rows: impl Iterator<Item = String>) -> String {
    format!("start,packet_octets_mean,packets_per_second,noise,kind\n{}", rows.collect::<String>())
}

/// A model of October, and a table that goes on through November, in which kinds are what `since` says of them.
fn watched(
    place: &Place,
    since: impl Fn(u32, (&'static str, u32, u32)) -> (&'static str, u32, u32),
) {
    let kind = |number: u32| KINDS[(number % 3) as usize];
    let learnt = |n: u32| row(n, &(NOVEMBER - 2_000_000 + n).to_string(), kind(n));
    place.write("october.csv", table((0..450).map(learnt)));
    let fit = ["fit", "october.csv", "--label", "kind", "--estimator", "forest", "--trees", "30"];
    place.ok(&[fit.as_slice(), &["-o", "kinds.fgm"]].concat());
    let before = (1_000..1_300).map(|n| row(n, &(NOVEMBER - 90_000 + n).to_string(), kind(n)));
    let after = (2_000..2_300).map(|n| row(n, &(NOVEMBER + n).to_string(), since(n, kind(n))));
    place.write("watched.csv", table(before.chain(after)));
}

const EVALUATE: [&str; 6] = ["evaluate", "--model", "kinds.fgm", "watched.csv", "--label", "kind"];

fn since(place: &Place, time: &str) -> (Run, Value) {
    let run = place.ok(&[EVALUATE.as_slice(), &["--since", time, "-o", "r.json"]].concat());
    let report: Value = serde_json::from_str(&place.text("r.json")).unwrap();
    (run, report["drift"].clone())
}

/// The classes with an alarm, and the kind of it.
fn alarms(drift: &Value) -> Vec<(&str, &str)> {
    let classes = drift["classes"].as_array().unwrap().iter();
    classes
        .filter_map(|class| Some((class["class"].as_str()?, class["alarm"]["kind"].as_str()?)))
        .collect()
}

#[test]
fn the_kind_that_behaves_otherwise_is_told_and_the_others_are_not() {
    let place = Place::new();
    // From November on, voice sends packets as large as those of the web.
    watched(&place, |_, kind| if kind.0 == "voice" { ("voice", 690, 21) } else { kind });
    let (run, drift) = since(&place, "2026-11-01T00:00:00Z");
    assert_eq!(alarms(&drift), [("voice", "changed")]);
    assert!(run.out.contains("Drift since 2026-11-01 00:00:00 UTC"), "{}", run.out);
    run.says(&["These scores are of the model itself, as all others are."]);
    let said = "▲ voice: recall fell from 1.000 to 0.000, now mostly missed as web";
    assert!(run.out.contains(said), "{}", run.out);
    assert!(run.out.contains("1 of 3 classes raises an alarm"), "{}", run.out);
    assert_eq!(
        (drift["before"]["rows"].as_u64(), drift["since"]["rows"].as_u64()),
        (Some(300), Some(300))
    );
    let accuracy = |side: &str| drift[side]["accuracy"].as_f64().unwrap();
    assert!(accuracy("before") > 0.98 && accuracy("since") < 0.7, "{drift}");
    // What moved is the size, and not the noise.
    let first = &drift["shift"]["features"][0];
    assert!(
        ["packet_octets_mean", "packets_per_second"].contains(&first["name"].as_str().unwrap())
    );
    let shift = |name: &str| drift["shift"]["all"][name].as_f64().unwrap();
    assert!(shift("sum") > 2.0 * shift("chance"), "{drift}");

    // A day, and seconds or microseconds since 1970, say the same moment; so does any number of threads.
    for time in ["2026-11-01", "1793491200", "1793491200000000"] {
        assert_eq!(since(&place, time).1, drift, "{time}");
    }
    place.ok(&[EVALUATE.as_slice(), &["--since", "2026-11-01", "--threads", "1", "-o", "1.json"]]
        .concat());
    assert_eq!(place.text("1.json"), place.text("r.json"));
    // The page has the section, and without a moment there is none.
    place.ok(&[EVALUATE.as_slice(), &["--since", "2026-11-01", "-o", "r.html"]].concat());
    assert!(place.text("r.html").contains("<h2>Drift <small>"));
    let run = place.ok(&[EVALUATE.as_slice(), &["-o", "r.json"]].concat());
    assert!(!run.out.contains("Drift") && !place.text("r.json").contains("drift"));
}

#[test]
fn what_was_learnt_from_is_not_held_against_what_is_new() {
    let place = Place::new();
    watched(&place, |_, kind| kind);
    // Some labels are wrong by chance: a model knows them by heart where it learnt from them, and nowhere else.
    let text = place.text("watched.csv");
    let swapped = |(place, line): (usize, &str)| match line.rsplit_once(',') {
        Some((rest, "web" | "video")) if place % 5 == 0 => format!("{rest},voice\n"),
        _ => format!("{line}\n"),
    };
    let text: String = text.lines().enumerate().map(swapped).collect();
    let before: Vec<&str> = text.lines().take(301).collect();
    place.write("watched.csv", &text);
    place.write("october.csv", before.join("\n") + "\n");
    let fit = ["fit", "october.csv", "--label", "kind", "--estimator", "forest", "--trees", "30"];
    place.ok(&[fit.as_slice(), &["-o", "kinds.fgm"]].concat());
    let (run, drift) = since(&place, "2026-11-01");
    run.tells(&[
        "the model learnt from what was before, so drift is told by its recipe on folds of that",
    ]);
    // Where two models' scores stand on one page, each section says whose its own are.
    run.says(&[
        "These scores are not of the model that all others are of",
        "These scores are of what is judged on flows since 2026-11-01",
    ]);
    place.ok(&[EVALUATE.as_slice(), &["--since", "2026-11-01", "-o", "r.html"]].concat());
    let page = place.text("r.html");
    assert!(
        page.contains("These scores are not of the model")
            && page.contains("Scores of what is judged on flows since")
    );
    assert_eq!(alarms(&drift), [], "{}", run.out);
    let accuracy = drift["before"]["accuracy"].as_f64().unwrap();
    assert!((0.7..0.95).contains(&accuracy), "{accuracy}");
    // Also where it is only a part of what was before.
    let both = ["evaluate", "--model", "kinds.fgm", "october.csv", "watched.csv"];
    let run = place.ok(&[both.as_slice(), &["--label", "kind", "--since", "2026-11-01"]].concat());
    run.tells(&["drift is told by its recipe on folds of that"]);

    // A model that learnt from all of it is fitted anew on what was before; so is a recipe.
    let fit = ["fit", "watched.csv", "--label", "kind", "--estimator", "forest", "--trees", "30"];
    place.ok(&[fit.as_slice(), &["-o", "kinds.fgm"]].concat());
    let (run, of_model) = since(&place, "2026-11-01");
    run.tells(&["the model was trained on these very rows"]);
    assert_eq!(alarms(&of_model), [], "{}", run.out);
    let recipe =
        ["--estimator", "forest", "--trees", "30", "--since", "2026-11-01", "-o", "r.json"];
    place.ok(&[["evaluate", "watched.csv", "--label", "kind"].as_slice(), &recipe].concat());
    let report: Value = serde_json::from_str(&place.text("r.json")).unwrap();
    assert_eq!(report["drift"]["before"], of_model["before"]);
}

#[test]
fn traffic_that_stays_as_it_was_raises_no_alarm() {
    let place = Place::new();
    watched(&place, |_, kind| kind);
    let (run, drift) = since(&place, "2026-11-01");
    assert_eq!(alarms(&drift), []);
    assert!(run.out.contains("No drift is seen"), "{}", run.out);
}

#[test]
fn a_kind_that_was_never_learnt_is_an_alarm_of_its_own() {
    let place = Place::new();
    // A few flows of the web are a game now.
    let game = |n, kind: (&'static str, u32, u32)| {
        if kind.0 == "web" && n % 25 == 0 { ("game", 130, 48) } else { kind }
    };
    watched(&place, game);
    let (run, drift) = since(&place, "2026-11-01");
    assert_eq!(alarms(&drift), [("game", "never_learnt")]);
    assert!(run.out.contains("▲ game: not among what was learnt: 4 flows (1.3"), "{}", run.out);
    assert!(run.out.contains("answered as voice most often"), "{}", run.out);
}

#[test]
fn what_stands_in_the_way_is_told() {
    let place = Place::new();
    watched(&place, |_, kind| kind);
    // A side without rows: the span of the table is told.
    let run = place.run(&[EVALUATE.as_slice(), &["--since", "2027-01-01"]].concat());
    assert_eq!(run.status, 1);
    run.tells(&[
        "No row began at or after 2027-01-01 00:00:00 UTC",
        "began from 2026-10-",
        "--since",
    ]);
    let run = place.run(&[EVALUATE.as_slice(), &["--since", "2020-01-01"]].concat());
    run.tells(&["No row began before 2020-01-01 00:00:00 UTC"]);
    // Rows without a time are left out and counted, aloud and in the report.
    let text = place.text("watched.csv");
    let untimed = |(place, line): (usize, &str)| match (place, line.split_once(',')) {
        (7 | 8 | 400, Some((_, rest))) => format!(",{rest}\n"),
        _ => format!("{line}\n"),
    };
    place.write("watched.csv", text.lines().enumerate().map(untimed).collect::<String>());
    let (run, drift) = since(&place, "2026-11-01");
    run.tells(&["3 rows without a time were not used"]);
    assert!(run.out.contains("Left out, as nothing tells when they began: 3 rows."), "{}", run.out);
    assert_eq!(
        (drift["before"]["rows"].as_u64(), drift["since"]["rows"].as_u64()),
        (Some(298), Some(299))
    );
    // No column with times; one that is not known by its name can be named.
    place.write("watched.csv", text.replacen("start", "noticed", 1));
    let run = place.run(&[EVALUATE.as_slice(), &["--since", "2026-11-01"]].concat());
    assert_eq!(run.status, 1);
    run.tells(&["No column tells when rows began", "--split time:COLUMN"]);
    let named = ["--since", "2026-11-01", "--split", "time:noticed"];
    let run = place.ok(&[EVALUATE.as_slice(), &named].concat());
    assert!(run.out.contains("No drift is seen"), "{}", run.out);
    let run =
        place.run(&[EVALUATE.as_slice(), &["--since", "2026-11-01", "--split", "random"]].concat());
    assert_eq!(run.status, 2);
    run.tells(&["--since is a split by itself"]);
}
