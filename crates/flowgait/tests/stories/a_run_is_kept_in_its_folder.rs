//! A federation's run is kept in a folder: it goes on after being killed, alone, and does not forget what was spent.

use flowgait_federate::forest::TreeRound;

use crate::sites_learn_together::made;
use crate::support::{self, Place};

#[test]
fn a_run_has_a_folder_and_goes_on_where_it_was() {
    let place = Place::new();
    made(&place);
    place.ok(&["simulate", "federation.toml", "-o", "whole"]);
    for file in [
        "federation.toml",
        "setup.json",
        "ledger.jsonl",
        "metrics.jsonl",
        "model.fgm",
        "report.html",
    ] {
        assert!(place.path(&format!("whole/{file}")).is_file(), "{file}");
    }
    assert_eq!(place.text("whole/ledger.jsonl").lines().count(), 6);
    let report = place.text("whole/report.html");
    for part in ["How it learnt", "For whom", "Who has what", "Beside one place", "made rows"] {
        // The table was read from a file, so nothing says that it was made.
        assert_eq!(report.contains(part), part != "made rows", "{part}");
    }

    // Killed after three rounds: the files of a run of three rounds, but for how many there are to be.
    place.ok(&["simulate", "federation.toml", "-o", "cut", "--set", "rounds=3"]);
    let configuration = place.text("cut/federation.toml").replace("rounds = 3", "rounds = 6");
    place.write("cut/federation.toml", configuration);
    let run = place.ok(&["simulate", "federation.toml", "-o", "cut"]);
    run.tells(&["going on after round 3"]);
    for file in ["setup.json", "ledger.jsonl", "metrics.jsonl", "model.fgm", "summary.json"] {
        assert_eq!(
            place.bytes(&format!("cut/{file}")),
            place.bytes(&format!("whole/{file}")),
            "{file}"
        );
    }
    let other = place.run(&["simulate", "federation.toml", "-o", "cut", "--set", "seed=2"]);
    assert_eq!(other.status, 2);
    other.tells(&["cut holds the run of another federation"]);

    // What was learnt answers, as any model does.
    place.ok(&["predict", "--model", "whole/model.fgm", "four.csv", "-o", "answers.csv"]);
    let answers = place.text("answers.csv");
    let right = support::column(&answers, "label")
        .iter()
        .zip(support::column(&answers, "prediction"))
        .filter(|(truth, answer)| *truth == answer)
        .count();
    assert!(right > 330, "{right} of 360");
}

#[test]
fn a_forest_goes_on_where_it_was_killed() {
    let place = Place::new();
    made(&place);
    let ways = [
        "forest={trees=6}",
        "forest={trees=6,way=\"pooled\"}",
        "forest={trees=3,depth=2}\nprivacy={epsilon=30.0,delta=1e-4}",
    ];
    for (number, way) in ways.iter().enumerate() {
        let set: Vec<&str> = way.lines().flat_map(|key| ["--set", key]).collect();
        let go = |folder: &str| {
            place.ok(&[&["simulate", "federation.toml", "-o", folder][..], &set].concat())
        };
        let (whole, cut) = (format!("whole{number}"), format!("cut{number}"));
        go(&whole);
        go(&cut);
        // As it was killed: the first line of the ledger, half of the second behind its tree, and no result.
        let ledger = place.text(&format!("{whole}/ledger.jsonl"));
        assert_eq!(ledger.lines().count(), if number == 0 { 6 } else { 3 }, "{ledger}");
        let line = ledger.find('\n').unwrap();
        place.write(&format!("{cut}/ledger.jsonl"), &ledger[..line + 50]);
        let trees = place.bytes(&format!("{whole}/trees.bin"));
        let after = |octets| TreeRound::read(octets).unwrap().1;
        let two = trees.len() - after(after(&trees)).len();
        std::fs::write(place.path(&format!("{cut}/trees.bin")), &trees[..two]).unwrap();
        for file in ["model.fgm", "summary.json", "metrics.jsonl"] {
            std::fs::remove_file(place.path(&format!("{cut}/{file}"))).unwrap();
        }
        go(&cut).tells(&["going on after round 1"]);
        for file in ["ledger.jsonl", "trees.bin", "metrics.jsonl", "model.fgm", "summary.json"] {
            let bytes = |folder: &str| place.bytes(&format!("{folder}/{file}"));
            assert!(bytes(&cut) == bytes(&whole), "{way} {file}");
        }
        // The last line has none behind it that would tell; what was spent follows from the trees.
        if let Some(at) = ledger.rfind("\"epsilon\":").filter(|_| number == 2) {
            let (before, behind) = ledger.split_at(at + "\"epsilon\":".len());
            let edited = behind.split_once(',').map(|(_, rest)| format!("{before}29.0,{rest}"));
            place.write(&format!("{cut}/ledger.jsonl"), edited.unwrap());
            let run = place.run(&[&["simulate", "federation.toml", "-o", &cut][..], &set].concat());
            assert_eq!(run.status, 1);
            run.tells(&["Ledger, line 3: it tells of epsilon 29"]);
        }
        place.write(
            &format!("{cut}/ledger.jsonl"),
            ledger.replacen("\"cohort\":3", "\"cohort\":4", 1),
        );
        let run = place.run(&[&["simulate", "federation.toml", "-o", &cut][..], &set].concat());
        assert_eq!(run.status, 1);
        run.tells(&["Ledger, line 2: the hash of the line before does not fit"]);
        std::fs::remove_file(place.path(&format!("{cut}/ledger.jsonl"))).unwrap();
        let run = place.run(&[&["simulate", "federation.toml", "-o", &cut][..], &set].concat());
        assert_eq!(run.status, 1);
        run.tells(&["trees that the ledger does not tell of"]);
    }
}

#[test]
fn a_folder_has_one_run_at_a_time() {
    let place = Place::new();
    for forest in [&[][..], &["--set", "forest={trees=2}"]] {
        made(&place);
        let command =
            [&["simulate", "federation.toml", "--set", "rounds=1", "-o", "run"][..], forest]
                .concat();
        let other = place.path("run");
        let _ = std::fs::remove_dir_all(&other);
        std::fs::create_dir(&other).unwrap();
        // As another process would hold it.
        let lock = std::fs::File::create(other.join("run.lock")).unwrap();
        lock.lock().unwrap();
        let run = place.run(&command);
        assert_eq!(run.status, 1);
        run.tells(&["Another process runs in run: let it end, or name another folder"]);
        assert!(!other.join("ledger.jsonl").exists());
        lock.unlock().unwrap();
        place.ok(&command);
    }
}

#[test]
fn what_was_spent_is_not_forgotten_with_a_file() {
    let place = Place::new();
    made(&place);
    let private = "privacy={epsilon=30.0,delta=1e-2,clip_norm=1.0}";
    let run = ["simulate", "federation.toml", "-o", "run", "--set", private];
    place.ok(&run);
    let [ledger, metrics] = ["run/ledger.jsonl", "run/metrics.jsonl"].map(|file| place.text(file));
    let refused = |file: &str, text: Option<&str>, told: &[&str]| {
        match text {
            Some(text) => drop(place.write(file, text)),
            None => std::fs::remove_file(place.path(file)).unwrap(),
        }
        let again = place.run(&run);
        assert_eq!(again.status, 1, "{}{}", again.out, again.err);
        again.tells(told);
        place.write("run/ledger.jsonl", &ledger);
        place.write("run/metrics.jsonl", &metrics);
    };
    refused("run/ledger.jsonl", None, &["what was spent", "put ledger.jsonl back"]);
    // The last line has no line behind it that would tell.
    let last = ledger.lines().last().unwrap();
    let edited = ledger.replace(last, &last.replace("\"survivors\":3", "\"survivors\":2"));
    assert_ne!(edited, ledger);
    refused("run/ledger.jsonl", Some(&edited), &["line 6", "it was changed"]);
    refused("run/metrics.jsonl", Some(""), &["metrics.jsonl tells of 0 of the 6 rounds"]);
    place.ok(&run);
}
