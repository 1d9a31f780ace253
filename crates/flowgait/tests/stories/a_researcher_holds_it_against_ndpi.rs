//! A researcher holds flowgait against two other programs on 407 real captures: sizes and gaps, server names and JA4, and what can be learnt.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::Path;

use crate::support::{self, Place};

type Row = HashMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// Capture, protocol and both ends, the smaller first.
fn ends(row: &Row, protocol: &str, columns: [&str; 4]) -> String {
    let end = |address: &str, port: &str| {
        // nDPI spells some IPv6 addresses otherwise than we do, and one of pinterest.pcap with two gaps.
        let text = row[address].replace("1901::7a0b::", "1901:0:7a0b::");
        let address = text.parse::<IpAddr>().map_or(text, |address| address.to_string());
        format!("{address}:{}", row[port])
    };
    let (a, b) = (end(columns[0], columns[1]), end(columns[2], columns[3]));
    format!("{} {protocol} {} {}", row["capture"], a.clone().min(b.clone()), a.max(b))
}

fn protocol_number(name: &str) -> String {
    match name {
        "TCP" => "6",
        "UDP" => "17",
        "ICMP" => "1",
        "ICMPV6" => "58",
        other => other,
    }
    .to_owned()
}

const OURS: [&str; 4] =
    ["initiator_address", "initiator_port", "responder_address", "responder_port"];

fn meter(place: &Place, out: &str, more: &[&str]) -> Option<Vec<Row>> {
    let folder = support::shared("ndpi/captures")?;
    let mut captures: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path().to_string_lossy().into_owned())
        .collect();
    captures.sort();
    let mut args = vec!["meter", "-o", out];
    args.extend(more);
    args.extend(captures.iter().map(String::as_str));
    let run = place.run(&args);
    assert!(run.status == 0 || run.status == 3, "{}", run.err);
    run.tells(&[]);
    Some(rows(&place.path(out)))
}

#[test]
fn sizes_and_gaps_are_those_of_another_program() {
    let place = Place::new();
    let whole = [
        "--idle-timeout",
        "400d",
        "--active-timeout",
        "400d",
        "--port-reuse",
        "keep",
        "--packets",
        "100",
    ];
    let Some(ours) = meter(&place, "f.csv", &whole) else { return };
    let mut by_ends: HashMap<String, Vec<&Row>> = HashMap::new();
    for row in &ours {
        by_ends.entry(ends(row, &row["protocol"], OURS)).or_default().push(row);
    }
    let theirs = rows(&support::shared("ndpi/flows_seq.csv").unwrap());
    let (mut several, mut equal) = (0, 0);
    let mut differing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in theirs.iter().filter(|r| r["ip_sizes"].contains(' ')) {
        several += 1;
        let key = ends(
            row,
            &protocol_number(&row["l4"]),
            ["client_ip", "client_port", "server_ip", "server_port"],
        );
        let Some(found) = by_ends.get(&key) else {
            differing.entry("not found").or_default().push(key);
            continue;
        };
        match found.iter().map(|f| difference(f, row)).min().unwrap() {
            None => equal += 1,
            Some(kind) => differing.entry(kind).or_default().push(key),
        }
    }
    for (kind, keys) in &differing {
        println!("{kind}: {} flows, such as {}", keys.len(), keys[0]);
    }
    println!("{equal} of {several} flows of two packets or more have equal sizes and gaps");
    assert_eq!(several, 3_012);
    assert!(equal as f64 >= 0.98 * several as f64, "{equal} of {several}: {differing:#?}");
}

/// The first list in which a flow of ours differs from theirs. Signs count from their client's side, whom we may call the responder.
fn difference(ours: &Row, theirs: &Row) -> Option<&'static str> {
    let same_side = ours["initiator_address"] == theirs["client_ip"]
        && ours["initiator_port"] == theirs["client_port"];
    let sign = if same_side { 1 } else { -1 };
    // The other program keeps seconds as floating-point numbers, which round nanosecond captures; we take whole microseconds.
    let slack = i64::from(theirs["capture"].ends_with(".pcapng"));
    let list = |row: &Row, column: &str, sign: i64| -> Vec<i64> {
        row[column].split_whitespace().map(|n| sign * n.parse::<i64>().unwrap()).collect()
    };
    let differ = |mine: &str, other: &str, sign, slack| {
        let (mine, other) = (list(ours, mine, sign), list(theirs, other, 1));
        mine.len() != other.len() || mine.iter().zip(&other).any(|(a, b)| (a - b).abs() > slack)
    };
    [
        ("sizes differ", differ("packet_octets", "ip_sizes", sign, 0)),
        ("payload sizes differ", differ("packet_payload", "payload_sizes", sign, 0)),
        ("gaps differ", differ("packet_gap_micros", "iats_us", 1, slack)),
    ]
    .into_iter()
    .find(|(_, differs)| *differs)
    .map(|(kind, _)| kind)
}

/// nDPI's habits, mapped in its favour: it writes the first two letters of the ALPN where JA4 has the first and the last (and `h0` for a lone
/// `h3`), `i` where the server name is an address, and a hash of nothing where JA4 has zeros.
fn same_but_for_habits(ours: &str, theirs: &str, alpn: &str) -> bool {
    const HASH_OF_NOTHING: &str = "e3b0c44298fc";
    let first_alpn = alpn.split_whitespace().next().unwrap_or("");
    let two: String = first_alpn.chars().take(2).collect();
    let theirs = theirs.replace(HASH_OF_NOTHING, "000000000000");
    let mut mine = ours.to_owned();
    if theirs.get(8..10) == Some(if first_alpn == "h3" { "h0" } else { &two }) {
        mine.replace_range(8..10, &theirs[8..10]);
    }
    if theirs.get(3..4) == Some("i") {
        mine.replace_range(3..4, "i");
    }
    mine == theirs
}

#[test]
fn server_names_and_ja4_are_those_of_ndpi() {
    let place = Place::new();
    let Some(ours) = meter(&place, "f.csv", &[]) else { return };
    let mut by_ends: HashMap<String, Vec<&Row>> = HashMap::new();
    for row in &ours {
        by_ends.entry(ends(row, &row["protocol"], OURS)).or_default().push(row);
    }
    let theirs = rows(&support::shared("ndpi/flows.csv").unwrap());
    let (mut known, mut named, mut ciphers, mut whole, mut common) = (0, 0, 0, 0, 0);
    for row in theirs.iter().filter(|r| !r["ja4"].is_empty() && !r["sni"].is_empty()) {
        known += 1;
        let key = ends(row, &protocol_number(&row["l4"]), ["ip_a", "port_a", "ip_b", "port_b"]);
        let found = by_ends.get(&key).cloned().unwrap_or_default();
        let Some(ours) = found.iter().find(|f| f["sni"].eq_ignore_ascii_case(&row["sni"])) else {
            println!(
                "{key}: {} not among {:?}",
                row["sni"],
                found.iter().map(|f| &f["sni"]).collect::<Vec<_>>()
            );
            continue;
        };
        named += 1;
        common += 1;
        let cipher_part = |ja4: &str| ja4.split('_').nth(1).unwrap_or("").to_owned();
        ciphers += usize::from(cipher_part(&ours["ja4"]) == cipher_part(&row["ja4"]));
        if same_but_for_habits(&ours["ja4"], &row["ja4"], &ours["alpn"]) {
            whole += 1;
        } else {
            println!("{key}: JA4 {} where nDPI has {}", ours["ja4"], row["ja4"]);
        }
    }
    println!(
        "{named} of {known} with the same name; of {common}: ciphers {ciphers}, whole {whole}"
    );
    assert_eq!(known, 655);
    assert!(named * 100 >= known * 97, "{named} of {known}");
    assert_eq!(ciphers, common);
    assert!(whole * 100 >= common * 99, "{whole} of {common}");
}

/// nDPI's verdicts as a truth table: encrypted flows, told by inspection alone, of two packets or more, of categories seen in three captures or more.
fn truth(path: &Path) -> String {
    let all = rows(path);
    let counts: Vec<&Row> = all
        .iter()
        .filter(|r| r["encrypted"] == "1" && r["confidence"] == "DPI" && !r["category"].is_empty())
        .filter(|r| {
            r["c2s_pkts"].parse::<u64>().unwrap() + r["s2c_pkts"].parse::<u64>().unwrap() >= 2
        })
        .collect();
    let mut captures: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for row in &counts {
        captures.entry(&row["category"]).or_default().insert(&row["capture"]);
    }
    let mut text = String::from(
        "capture,transport,source_address,source_port,destination_address,destination_port,start,application,category\n",
    );
    for row in counts.iter().filter(|r| captures[r["category"].as_str()].len() >= 3) {
        let (ip_a, ip_b) = (&row["ip_a"], &row["ip_b"]);
        text += &format!(
            "{},{},{ip_a},{},{ip_b},{},,{},{}\n",
            row["capture"],
            row["l4"].to_lowercase(),
            row["port_a"],
            row["port_b"],
            row["app"],
            row["category"]
        );
    }
    text
}

#[test]
fn trees_learn_categories_across_captures() {
    let place = Place::new();
    let Some(flows) = support::shared("ndpi/flows.csv") else { return };
    place.write("truth.csv", truth(&flows));
    meter(&place, "f.csv", &["--labels", "truth.csv"]).unwrap();
    let run = place.run(&[
        "evaluate",
        "f.csv",
        "--label",
        "category",
        "--estimator",
        "extra-trees",
        "--split",
        "group:capture",
        "--folds",
        "5",
        "--repeats",
        "5",
        "-o",
        "r.json",
    ]);
    assert_eq!(run.status, 0, "{}", run.err);
    let report: serde_json::Value = serde_json::from_str(&place.text("r.json")).unwrap();
    println!("{}", run.out);
    for score in ["accuracy", "f1_macro"] {
        let model = report["spreads"][score]["mean"].as_f64().unwrap();
        for kind in ["majority", "nearest"] {
            let baselines = report["baselines"].as_array().unwrap();
            let baseline =
                baselines.iter().find(|b| b["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
            let baseline = baseline[score]["mean"].as_f64().unwrap();
            assert!(model > baseline, "{score}: {model} of the model, {baseline} of {kind}");
        }
    }
}
