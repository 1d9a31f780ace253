//! Sites learn one model together, in a simulation, and see what it cost and whether it was worth it.

use serde_json::Value;

use crate::support::{self, Place};

/// A federation on a table whose column `client` says whose a row is.
const FEDERATION: &str = r#"
rounds = 6
[data]
tables = ["four.csv"]
[clients]
column = "client"
[learning]
effort = { epochs = 1 }
"#;

pub fn made(place: &Place) {
    place.ok(&["synth", "four-classes", "-o", "four.csv", "--flows", "120", "--skewed"]);
    place.write("federation.toml", FEDERATION);
}

pub fn summary(place: &Place, run: &str) -> Value {
    serde_json::from_str(&place.text(&format!("{run}/summary.json"))).unwrap()
}

#[test]
fn the_four_classes_are_learnt_without_a_file() {
    let place = Place::new();
    let run = place.ok(&["simulate", "-o", "demo"]);
    run.says(&["3 clients, 720 rows to learn from", "clients much alike", "clients unlike"]);
    for kind in ["iid", "skewed"] {
        let summary = summary(&place, &format!("demo/{kind}"));
        let accuracy = |side: &str| summary[side]["accuracy"].as_f64().unwrap();
        assert!(accuracy("federated") > 0.95, "{summary}");
        assert!(accuracy("central") > 0.95 && accuracy("local") > 0.9);
        assert_eq!(summary["rounds"], 5);
    }
    // The same seed is the same run; another is another.
    let again = place.ok(&["simulate", "--threads", "1"]);
    let numbers =
        |out: &str| out.lines().filter(|l| l.starts_with("federated")).collect::<String>();
    assert_eq!(numbers(&again.out), numbers(&run.out));
    // Dealt as a person says, it is one run.
    let shards = "clients.partition={shards={per_client=1}}";
    let dealt = place.ok(&["simulate", "--set", shards, "-o", "shards"]);
    assert_eq!(dealt.out.lines().filter(|line| line.starts_with("federated")).count(), 1);
    assert!(place.text("shards/federation.toml").contains("per_client = 1"));
}

#[test]
fn privacy_is_paid_for_and_a_run_ends_before_it_overspends() {
    let place = Place::new();
    made(&place);
    let keys = [
        "clients={count=40,partition=\"iid\"}",
        "privacy={epsilon=6.0,delta=1e-4,clip_norm=1.0}",
        "cohort={poisson={rate=0.5}}",
    ];
    let set: Vec<&str> = keys.iter().flat_map(|key| ["--set", key]).collect();
    let run = place.ok(&[&["simulate", "federation.toml", "-o", "all"][..], &set].concat());
    run.says(&["privacy of clients: epsilon 6", "added by the coordinator"]);
    // The noise was found for six rounds: they are all run, and spend what may be spent.
    let spent = summary(&place, "all");
    assert_eq!(spent["rounds"], 6);
    let epsilon = spent["epsilon"].as_f64().unwrap();
    assert!((5.99..=6.0).contains(&epsilon), "{epsilon}");
    // Who took part is not told: amplification counts on it.
    assert!(place.text("all/ledger.jsonl").lines().all(|line| line.contains("\"survivors\":null")));

    let dear = ["--set", "privacy.noise_multiplier=0.8"];
    let run = place.ok(&[&["simulate", "federation.toml", "-o", "dear"][..], &set, &dear].concat());
    run.says(&["ended before its last round: round", "over the budget of 6"]);
    let spent = summary(&place, "dear");
    assert_eq!(spent["ended"], "budget spent");
    assert!(spent["epsilon"].as_f64().unwrap() <= 6.0);
}

#[test]
fn a_coordinator_sees_sums_only() {
    let place = Place::new();
    made(&place);
    let keys = [
        "clients={count=30,partition=\"iid\"}",
        "privacy={epsilon=20.0,delta=1e-4,clip_norm=1.0,mechanism=\"distributed\"}",
        "secure={lost_share=0.2}",
        "faults={lost=0.05}",
    ];
    let set: Vec<&str> = keys.iter().flat_map(|key| ["--set", key]).collect();
    let run = place.ok(&[&["simulate", "federation.toml", "-o", "run"][..], &set].concat());
    run.says(&["secure aggregation: the coordinator sees sums only", "added by the clients"]);
    let epsilon = summary(&place, "run")["epsilon"].as_f64().unwrap();
    assert!(epsilon > 5.0 && epsilon <= 20.0, "{epsilon}");
}

#[test]
fn a_run_tells_what_it_begins_with_and_what_came_of_each_client() {
    let place = Place::new();
    made(&place);
    let keys = [
        "rounds=8",
        "clients={count=10,partition={favourite={share=0.7}}}",
        "privacy={epsilon=6.0,delta=1e-4,clip_norm=0.5,noise_multiplier=2.0}",
        "secure={lost_share=0.3}",
        "survivors_least=0.1",
        "faults={lost=0.1,wrong=0.1}",
        "attack={share=0.2,kind=\"sign-flip\"}",
    ];
    let set: Vec<&str> = keys.iter().flat_map(|key| ["--set", key]).collect();
    place.ok(&[&["simulate", "federation.toml", "-o", "run"][..], &set].concat());
    let setup: Value = serde_json::from_str(&place.text("run/setup.json")).unwrap();
    assert_eq!(setup["format"], "flowgait federation setup 1");
    // The table was read from a file; where it lies is nobody's to know.
    assert_eq!((setup["made"].as_bool(), setup["masked"].as_bool()), (Some(false), Some(true)));
    assert!(!place.text("run/setup.json").contains("four.csv"));
    let list = |value: &Value| value.as_array().unwrap().clone();
    let numbers = |value: &Value| -> Vec<u64> {
        list(value).iter().map(|number| number.as_u64().unwrap()).collect()
    };
    let samples = numbers(&setup["samples"]);
    let mix: Vec<Vec<u64>> = list(&setup["mix"]).iter().map(numbers).collect();
    assert_eq!(mix.iter().map(|of| of.iter().sum()).collect::<Vec<u64>>(), samples);
    assert_eq!(numbers(&setup["held_out"]["clients"]).len(), 10);
    assert_eq!(numbers(&setup["network"]["layers"]), [4, 64, 32, 4]);
    assert_eq!(setup["network"]["parameters"], 4 * 64 + 64 + 64 * 32 + 32 + 32 * 4 + 4);
    assert_eq!(numbers(&setup["liars"]).len(), 2);
    assert!(setup["masks"]["suffice"].as_u64() <= setup["masks"]["neighbours"].as_u64());

    // What each round will cost is what it cost, and the last that can be paid for was known.
    let rounds = lines(&place, "run/metrics.jsonl");
    let costs = list(&setup["privacy"]["costs"]);
    assert_eq!((rounds.len() as u64, costs.len()), (setup["privacy"]["last"].as_u64().unwrap(), 8));
    for (round, cost) in rounds.iter().zip(costs) {
        assert_eq!(round["round"], cost[0]);
        let [spent, known] = [&round["epsilon"], &cost[1]].map(|of| of.as_f64().unwrap());
        assert!((spent - known).abs() < 1e-9, "{spent} {known}");
        let asked = &round["asked"];
        assert_eq!(numbers(&asked["client"]), (0..10).collect::<Vec<u64>>());
        let answered = list(&asked["came"]).iter().filter(|came| **came == "answered").count();
        assert_eq!(answered as u64, round["survivors"].as_u64().unwrap());
        for (came, octets) in list(&asked["came"]).iter().zip(numbers(&asked["octets"])) {
            assert_eq!(came == "answered", octets > 0, "{round}");
        }
        assert_eq!(list(&round["recalls"]).len(), 10);
    }
    // A forest has no rounds of updates to tell of, and begins with as much.
    place.ok(&["simulate", "federation.toml", "-o", "forest", "--set", "forest={trees=2}"]);
    let setup: Value = serde_json::from_str(&place.text("forest/setup.json")).unwrap();
    assert!(setup["network"].is_null() && list(&setup["clients"]).len() == 3);
}

/// The lines of a run's file, one JSON object each.
fn lines(place: &Place, file: &str) -> Vec<Value> {
    place.text(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_clip_norm_follows_and_updates_are_packed() {
    let place = Place::new();
    made(&place);
    let private = [
        "--set",
        "clients={count=40,partition=\"iid\"}",
        "--set",
        "privacy={epsilon=20.0,delta=1e-4,clip_norm=1.0}",
    ];
    let run = |name: &str, more: &[&str]| {
        place.ok(&[&["simulate", "federation.toml", "-o", name][..], &private, more].concat())
    };
    run("fixed", &[]);
    let more =
        ["--set", "adaptive_clipping={count_deviation=20.0}", "--set", "compression={top_k=0.1}"];
    let told = run("followed", &more);
    told.says(&["50 % of the updates need no clipping", "the largest 10 % of entries"]);
    let (fixed, followed) = (summary(&place, "fixed"), summary(&place, "followed"));
    assert_eq!(fixed["epsilon"], followed["epsilon"]);
    let up = |summary: &Value| summary["octets_up"].as_u64().unwrap();
    assert!(up(&followed) < up(&fixed) / 6, "{followed}");
    for file in ["followed/ledger.jsonl", "followed/metrics.jsonl"] {
        let norms: Vec<f64> =
            lines(&place, file).iter().map(|line| line["clip_norm"].as_f64().unwrap()).collect();
        assert!(norms[0] == 1.0 && norms[1..].iter().all(|norm| *norm != 1.0), "{norms:?}");
    }
    let mut refused = [&["simulate", "federation.toml"][..], &private].concat();
    refused.extend(["--set", "compression={bits=8}"]);
    let refused = place.run(&refused);
    assert_eq!(refused.status, 2);
    refused.tells(&["Rounding to few bits cannot go with privacy or a clip norm"]);
}

#[test]
fn a_server_steps_without_waiting_for_all() {
    let place = Place::new();
    made(&place);
    let base = ["simulate", "federation.toml", "--set", "clients={count=8,partition=\"iid\"}"];
    let strategy = ["--set", "strategy={name=\"fed-buff\",buffer=3}"];
    let rounds = |count: &'static str| ["--set", count];
    let go = |folder: &'static str, count| {
        place.ok(&[&base[..], &strategy, &rounds(count), &["-o", folder]].concat())
    };
    go("whole", "rounds=12").says(&[
        "everyone learns at any time",
        "a step of the server for each 3 updates",
        "times what a client of middling speed takes",
    ]);
    assert!(summary(&place, "whole")["federated"]["accuracy"].as_f64().unwrap() > 0.9);
    let metrics = lines(&place, "whole/metrics.jsonl");
    assert!(metrics.iter().any(|line| line["staleness"].as_f64().unwrap() > 0.0));
    go("cut", "rounds=5");
    let configuration = place.text("cut/federation.toml").replace("rounds = 5", "rounds = 12");
    place.write("cut/federation.toml", configuration);
    go("cut", "rounds=12").tells(&["going on after round 5"]);
    for file in ["ledger.jsonl", "metrics.jsonl", "model.fgm", "summary.json"] {
        let read = |run: &str| place.bytes(&format!("{run}/{file}"));
        assert_eq!(read("cut"), read("whole"), "{file}");
    }
    let refused =
        place.run(&[&base[..], &strategy, &["--set", "personal.name=\"ditto\""]].concat());
    assert_eq!(refused.status, 2);
    refused.tells(&["The strategy FedBuff cannot go with [personal]"]);
}

#[test]
fn a_forest_of_sums_is_that_of_one_place() {
    let place = Place::new();
    made(&place);
    let base = ["simulate", "federation.toml", "--set", "forest={trees=10}"];
    let run = place.ok(&[&base[..], &["-o", "forest"]].concat());
    run.says(&["random forest of 10 trees · grown from summed counts"]);
    run.tells(&["the forest is, bit for bit, that of one place with all rows"]);
    let plain = place.bytes("forest/model.fgm");
    place.ok(&["predict", "--model", "forest/model.fgm", "four.csv", "-o", "answers.csv"]);
    // Masked sums are the same sums.
    let clients = ["--set", "clients={count=4,partition=\"iid\"}", "--set", "forest.trees=2"];
    let masked = ["--set", "secure={lost_share=0.0,corrupt_share=0.0}"];
    place.ok(&[&base[..], &clients, &["-o", "bare"]].concat());
    let run = place.ok(&[&base[..], &clients, &masked, &["-o", "masked"]].concat());
    run.says(&["each sum under masks"]);
    let scores = |run: &str| summary(&place, run)["federated"].clone();
    assert_eq!(scores("bare"), scores("masked"));
    assert_ne!(plain, place.bytes("bare/model.fgm"));

    let run = place.ok(&[&base[..], &["--set", "forest.way=\"pooled\""]].concat());
    run.says(&["trees of each client put together"]);
    let run = place.run(&[&base[..], &["--set", "personal.name=\"ditto\""]].concat());
    assert_eq!(run.status, 2);
    run.tells(&["A forest cannot go with [personal] or robust"]);
}

#[test]
fn a_private_forest_is_paid_for_and_held_against_the_plain_one() {
    let place = Place::new();
    made(&place);
    let keys = [
        "data={rows=20}",
        "clients={count=200,partition=\"iid\"}",
        "forest={trees=4,depth=3}",
        "privacy={epsilon=20.0,delta=1e-4}",
        "baselines.local=false",
    ];
    let set: Vec<&str> = keys.iter().flat_map(|key| ["--set", key]).collect();
    let base = [&["simulate", "federation.toml"][..], &set].concat();
    let run = place.ok(&[&base[..], &["-o", "central"]].concat());
    run.says(&[
        "epsilon 20 at delta 1e-4, 3 levels of 4 trees",
        "added by the coordinator",
        "epsilon spent: ",
    ]);
    run.tells(&["plain forests, without noise"]);
    let told = summary(&place, "central");
    // The noise was found for twelve releases, which spend what may be spent.
    let epsilon = |told: &Value| told["epsilon"].as_f64().unwrap();
    assert!((19.9..=20.0).contains(&epsilon(&told)), "{told}");
    let accuracy = |side: &str| told[side]["accuracy"].as_f64().unwrap();
    assert!(accuracy("central") > 0.9 && accuracy("federated") > 0.6, "{told}");
    assert!(place.text("central/report.html").contains("cut at values that were fixed beforehand"));
    let ledger = place.text("central/ledger.jsonl");
    assert_eq!(ledger.lines().count(), 4);
    assert!(ledger.contains("\"clip_norm\":29.0"), "{ledger}");

    // The same with noise of the clients, inside secure aggregation.
    let shared = [
        "--set",
        "privacy.mechanism=\"distributed\"",
        "--set",
        "clients.count=12",
        "--set",
        "secure={}",
    ];
    let run = place.ok(&[&base[..], &shared, &["-o", "shared"]].concat());
    run.says(&["each sum under masks", "added by the clients"]);
    let told = summary(&place, "shared");
    assert!(epsilon(&told) > 10.0 && epsilon(&told) < 20.0, "{told}");
    // Nobody adds noise to a sum that nobody hides.
    let run = place.run(&[&base[..], &shared[..2]].concat());
    assert_eq!(run.status, 2);
    run.tells(&["Noise that clients add cannot go with plain aggregation"]);

    // More noise than was asked for ends before the last tree.
    let dear = ["--set", "privacy.noise_multiplier=0.6"];
    let run = place.ok(&[&base[..], &dear, &["-o", "dear"]].concat());
    run.says(&["ended before its last round: ", "one more would pass the budget"]);
    assert_eq!(summary(&place, "dear")["ended"], "budget spent");
    for (set, told) in [
        ("forest.way=\"pooled\"", "A pooled forest cannot go with [privacy]"),
        ("forest.depth=13", "1 to 12 under privacy"),
        ("forest.rows_max=0", "rows_max is 0, but must be at least 1"),
        ("model.balanced=true", "A forest of balanced classes cannot go with [privacy]"),
        ("cohort={fixed={size=9}}", "A forest cannot go with a cohort that is drawn"),
    ] {
        let run = place.run(&[&base[..], &["--set", set]].concat());
        assert_eq!(run.status, 2, "{set}: {}", run.err);
        run.tells(&[told]);
    }
}

#[test]
fn a_federation_that_cannot_be_is_refused_with_the_reason() {
    let place = Place::new();
    made(&place);
    for (set, told) in [
        ("rounds=0", "The number of rounds is 0, but must be from 1 to 1,000,000"),
        ("cohort={fixed={size=9}}", "A cohort of 9 cannot be drawn from 3 clients"),
        ("strategy.name=\"fed-best\"", "unknown variant `fed-best`"),
        ("strategy.mu=1", "missing field `name`"),
        ("roundz=3", "unknown field `roundz`"),
        ("privacy={epsilon=-1.0,delta=1e-5,clip_norm=1.0}", "Epsilon is -1, but must be"),
        ("robust={krum={f=1}}", "5 clients or more"),
        ("nonsense", "--set nonsense is no KEY=VALUE"),
    ] {
        let run = place.run(&["simulate", "federation.toml", "--set", set]);
        assert_eq!(run.status, 2, "{set}: {}", run.err);
        run.tells(&[told]);
    }
    let clash = ["--set", "secure={}", "--set", "clip_norm=1.0", "--set", "robust=\"median\""];
    let run = place.run(&[&["simulate", "--set", "clients.count=9"][..], &clash].concat());
    assert_eq!(run.status, 2);
    run.tells(&["A robust rule cannot go with secure aggregation: it must see single updates"]);
    let run = place.run(&["simulate", "absent.toml"]);
    assert_eq!(run.status, 2);
    run.tells(&["Cannot read absent.toml"]);
}

#[test]
fn the_default_file_is_what_is_run_without_one() {
    let place = Place::new();
    let default = place.ok(&["simulate", "--print-default"]).out;
    place.write("federation.toml", &default);
    let from_file = place.ok(&["simulate", "federation.toml"]);
    let without = place.ok(&["simulate"]);
    assert!(without.out.starts_with(&from_file.out));
}

#[test]
fn a_budget_is_found_from_two_of_three() {
    let place = Place::new();
    let ask = |args: &[&str]| place.run(&[&["budget", "--delta", "1e-5"][..], args].concat());
    let run = ask(&["--noise-multiplier", "1", "--sampling-rate", "0.01", "--rounds", "1000"]);
    run.says(&[
        "epsilon 2.1014 by Rényi divergence",
        "epsilon 1.8282 by privacy loss distribution",
    ]);
    let run = ask(&[
        "--noise-multiplier",
        "1",
        "--cohort",
        "10",
        "--clients",
        "1000",
        "--rounds",
        "1000",
    ]);
    run.says(&["10 of 1,000 clients a round", "epsilon 3.5761 by Rényi divergence"]);
    let run = ask(&["--epsilon", "4.7286", "--noise-multiplier", "1"]);
    run.says(&["everyone takes part", "1 round by Rényi divergence"]);
    let run = ask(&["--epsilon", "1"]);
    assert_eq!(run.status, 2);
    run.tells(&["Which two of --epsilon, --noise-multiplier and --rounds?"]);
    let run = ask(&["--epsilon", "1", "--rounds", "10", "--cohort", "9", "--clients", "3"]);
    assert_eq!(run.status, 2);
    run.tells(&["A cohort of 9 cannot be drawn from 3 clients"]);
}

#[test]
fn what_cannot_be_of_a_federation_is_told_by_its_key() {
    let place = Place::new();
    made(&place);
    for (set, told) in [
        ("robust=\"krum\"", &["--set robust: "][..]),
        ("rounds=-1", &["--set rounds: "][..]),
        (
            "privacy={epsilon=1.0,delta=1e-5,noise_multiplier=0.3}",
            &["not one round could be paid for", "without noise_multiplier"][..],
        ),
        ("privacy={epsilon=1.0,delta=0.5}", &["must be below one over the number of clients"][..]),
        (
            "personal={name=\"fed-per\",parts=[\"head\"]}",
            &["No part of the network has a name that begins as one of [\"head\"]", "last"][..],
        ),
    ] {
        let run = place.run(&["simulate", "federation.toml", "--set", set]);
        assert_ne!(run.status, 0, "{set}: {}", run.out);
        run.tells(told);
    }
    let run = place.run(&["simulate", "--set", "clients.column=site"]);
    assert_eq!(run.status, 2);
    run.tells(&["rows that are made", "data.tables"]);
    // The example of the file that is printed.
    place.ok(&[
        "simulate",
        "federation.toml",
        "--set",
        "personal={name=\"fed-per\",parts=[\"last\"]}",
    ]);
}

#[test]
fn learning_that_blows_up_is_told_and_does_not_end_the_run() {
    let place = Place::new();
    made(&place);
    // Noise that no number of 32 bits survives.
    let noisy = "privacy={epsilon=30.0,delta=1e-2,noise_multiplier=20.0,clip_norm=1e30}";
    let run = place.ok(&["simulate", "federation.toml", "--set", noisy]);
    run.says(&["0 of 3"]);
}

#[test]
fn a_forest_s_report_has_no_empty_chart() {
    let place = Place::new();
    made(&place);
    let forest = ["--set", "forest={trees=4}"];
    place.ok(&[&["simulate", "federation.toml", "-o", "forest"][..], &forest].concat());
    let report = place.text("forest/report.html");
    for absent in ["How it learnt", "<h2>Loss", "Privacy spent", "1 rounds", "the same network"] {
        assert!(!report.contains(absent), "{absent}");
    }
    for part in ["<b>4</b> <span></span><small>trees", "the same kind of forest", "For whom"] {
        assert!(report.contains(part), "{part}");
    }
    // A network of the same rows has a curve.
    place.ok(&["simulate", "federation.toml", "-o", "network"]);
    assert!(place.text("network/report.html").contains("How it learnt"));
}

#[test]
fn the_most_frequent_class_stands_beside_the_scores() {
    let place = Place::new();
    place.ok(&["synth", "four-classes", "-o", "four.csv", "--flows", "120"]);
    // Six in ten rows are of one class.
    let csv = place.text("four.csv");
    let labels = support::column(&csv, "label");
    let common = labels[0].to_owned();
    let mut lines = csv.lines();
    let mut table = lines.next().unwrap().to_owned() + "\n";
    let mut kept = [0, 0];
    for (line, label) in lines.zip(&labels) {
        let is_common = *label == common;
        let so_far = &mut kept[usize::from(is_common)];
        if *so_far < if is_common { 60 } else { 40 } {
            *so_far += 1;
            table += &format!("{line}\n");
        }
    }
    assert_eq!(kept, [40, 60]);
    place.write("four.csv", &table);
    let keys = ["--set", "rounds=1", "--set", "data.held_out=0.5"];
    place.write("federation.toml", FEDERATION.replace("column = \"client\"", "count = 2"));
    let run = place.ok(&[&["simulate", "federation.toml", "-o", "run"][..], &keys].concat());
    run.says(&["the most frequent class"]);
    let told = summary(&place, "run");
    let accuracy = told["majority"]["accuracy"].as_f64().unwrap();
    assert!((0.4..0.8).contains(&accuracy), "{told}");
    // One class is answered of those that occur: its F1, 2a / (1 + a), and zeros for the others.
    let f1 = told["majority"]["f1_macro"].as_f64().unwrap();
    let classes = [2.0, 3.0, 4.0].map(|classes| 2.0 * accuracy / (1.0 + accuracy) / classes);
    assert!(classes.iter().any(|one| (one - f1).abs() < 1e-9), "{told}");
    assert!(place.text("run/report.html").contains("the most frequent class"));
}

#[test]
fn who_lies_is_counted() {
    let place = Place::new();
    let go = |share: &str, folder: &str| {
        let set = [
            "clients={count=10,partition=\"iid\"}",
            "rounds=1",
            "data={rows=30}",
            &format!("attack={{share={share},kind=\"sign-flip\"}}"),
            "robust={multi-krum={f=2}}",
            "personal={name=\"ditto\"}",
        ];
        let set: Vec<&str> = set.iter().flat_map(|key| ["--set", key]).collect();
        place.ok(&[&["simulate", "-o", folder][..], &set].concat())
    };
    let run = go("0.2", "two");
    run.says(&[
        "2 of 10 clients lie (sign-flip)",
        "robust: multi-Krum of f = 2",
        "Ditto: own models held near by lambda 0.1",
    ]);
    assert!(place.text("two/report.html").contains("2 of 10 clients lie (sign-flip)"));
    let run = go("0.01", "none");
    run.tells(&["nobody lies: 1 % of 10 clients is none"]);
    assert!(place.text("none/report.html").contains("obody lies: 1 % of 10 clients is none"));
}
