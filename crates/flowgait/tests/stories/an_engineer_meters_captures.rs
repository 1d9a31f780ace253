//! A network engineer meters captures: real ones of every kind, on any number of threads, from files and from a pipe.

use std::io::Write;
use std::process::Stdio;

use crate::support::{self, Place, Run};

/// The shared captures, or none.
fn captures() -> Vec<String> {
    let Some(folder) = support::shared("ndpi/captures") else { return Vec::new() };
    let mut paths: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
        .collect();
    paths.sort();
    paths
}

#[test]
fn one_two_and_four_threads_write_the_same_bytes() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "300", "--seed", "11"]);
    let mut inputs = vec![place.path("made.pcap").to_string_lossy().into_owned()];
    inputs.extend(captures());
    for threads in ["1", "2", "4"] {
        let out = format!("t{threads}.csv");
        let mut args = vec!["meter", "-o", &out, "--threads", threads, "--label-by", "sni"];
        args.extend(inputs.iter().map(String::as_str));
        let run = place.run(&args);
        assert!(run.status == 0 || run.status == 3, "{}", run.err);
        run.tells(&[]);
    }
    let one = place.bytes("t1.csv");
    assert!(one.len() > 100_000);
    assert!(one == place.bytes("t2.csv"), "2 threads differ from 1");
    assert!(one == place.bytes("t4.csv"), "4 threads differ from 1");
}

#[test]
fn a_pipe_gives_the_same_bytes_as_the_file() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "200", "--seed", "5"]);
    let from_file = place.ok(&["meter", "made.pcap", "-o", "-"]).out;
    let mut child = place
        .command(&["meter", "-", "-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = place.bytes("made.pcap");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // Pieces of odd sizes, as a network would deliver them.
        for piece in bytes.chunks(1_237) {
            stdin.write_all(piece).unwrap();
        }
    });
    let run = Run::from(child.wait_with_output().unwrap());
    writer.join().unwrap();
    assert_eq!(run.status, 0, "{}", run.err);
    // The capture's name is the one thing that a pipe cannot know.
    assert_eq!(run.out.replace("\n-,", "\nmade.pcap,"), from_file);
}

#[test]
fn every_format_holds_the_same_flows() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "100", "--seed", "2"]);
    for out in ["f.csv", "f.csv.zst", "f.jsonl", "f.parquet"] {
        place.ok(&["meter", "made.pcap", "-o", out, "--label-by", "sni"]);
    }
    let flows = place.text("f.csv").lines().count() - 1;
    assert!(flows >= 100);
    assert_eq!(place.text("f.jsonl").lines().count(), flows);
    assert!(place.text("f.schema.json").contains("flowgait/1"));
    place.ok(&[
        "synth",
        "demo",
        "-o",
        "other.pcap",
        "--labels",
        "truth.csv",
        "--flows",
        "150",
        "--seed",
        "4",
    ]);
    place.ok(&["meter", "other.pcap", "-o", "train.csv", "--labels", "truth.csv"]);
    place.ok(&[
        "fit",
        "train.csv",
        "--label",
        "category",
        "-o",
        "m.fgm",
        "--estimator",
        "forest",
        "--trees",
        "10",
    ]);
    let answers: Vec<Vec<String>> = ["f.csv", "f.csv.zst", "f.jsonl", "f.parquet"]
        .iter()
        .map(|table| {
            place.ok(&["predict", "--model", "m.fgm", table, "-o", "p.csv"]);
            support::column(&place.text("p.csv"), "prediction")
        })
        .collect();
    assert_eq!(answers[0].len(), flows);
    assert!(answers.iter().all(|a| *a == answers[0]), "the format changes the answers");
}

#[test]
fn rotated_files_are_one_timeline_when_asked() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "whole.pcap", "--flows", "200", "--seed", "9"]);
    let whole = place.bytes("whole.pcap");
    let cut = record_boundary_near(&whole, whole.len() / 2);
    place.write("a.pcap", &whole[..cut]);
    place.write("b.pcap", [&whole[..24], &whole[cut..]].concat());
    let lines = |args: &[&str]| place.ok(args).out.lines().count();
    let one = lines(&["meter", "whole.pcap", "-o", "-"]);
    let joined = lines(&["meter", "--continue", "a.pcap", "b.pcap", "-o", "-"]);
    let apart = lines(&["meter", "a.pcap", "b.pcap", "-o", "-"]);
    assert_eq!(joined, one);
    assert!(apart > one, "flows across the cut are two when each file is its own timeline");
}

/// Where a record of a little-endian pcap file begins, at `target` or after it.
fn record_boundary_near(pcap: &[u8], target: usize) -> usize {
    let mut at = 24;
    while at < target {
        let length = u32::from_le_bytes(pcap[at + 8..at + 12].try_into().unwrap()) as usize;
        at += 16 + length;
    }
    at
}

#[test]
fn a_filter_leaves_only_what_it_names() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "100", "--seed", "2"]);
    place.ok(&["meter", "made.pcap", "-o", "f.csv", "--filter", "tcp port 443"]);
    let table = place.text("f.csv");
    let protocols = support::column(&table, "protocol");
    assert!(!protocols.is_empty());
    assert!(protocols.iter().all(|p| p == "6"), "{protocols:?}");
    assert!(support::column(&table, "responder_port").iter().all(|p| p == "443"));
}

#[test]
fn a_filter_compares_sizes_and_ports_and_knows_no_columns() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "30"]);
    let meter = ["meter", "made.pcap", "-o", "-", "--filter"];
    let flows = |filter: &str| {
        let out = place.ok(&[&meter[..], &[filter]].concat()).out;
        out.lines().count() - 1
    };
    let (below, above) = (flows("port < 444"), flows("src port >= 444 and dst port > 443"));
    assert!(below > 0 && below + above == flows("ip or ip6"), "{below} {above}");
    assert_eq!(flows("len > 65534"), 0);
    for octets in support::column(
        &place.ok(&[&meter[..], &["len<=60"]].concat()).out,
        "both_packet_max_octets",
    ) {
        assert!(octets.parse::<f64>().unwrap() <= 60.0, "{octets}");
    }
    let run = place.run(&[&meter[..], &["packets > 5"]].concat());
    assert_eq!(run.status, 2);
    run.tells(&[
        "column 1",
        "`len`",
        "`packets`",
        "It picks packets of captures, not flows or rows",
    ]);
}

#[test]
fn addresses_leave_as_pseudonyms_or_not_at_all() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "60", "--seed", "2"]);
    place.write("key", [7_u8; 32]);
    place.write("short", [7_u8; 5]);
    place.ok(&["meter", "made.pcap", "-o", "plain.csv"]);
    place.ok(&["meter", "made.pcap", "-o", "named.csv", "--pseudonyms", "key"]);
    place.ok(&["meter", "made.pcap", "-o", "bare.csv", "--no-addresses"]);
    let run = place.run(&["meter", "made.pcap", "-o", "x.csv", "--pseudonyms", "short"]);
    assert_eq!(run.status, 2);
    run.tells(&["short", "32"]);
    let addresses = |file: &str| support::column(&place.text(file), "initiator_address");
    let (plain, named, bare) =
        (addresses("plain.csv"), addresses("named.csv"), addresses("bare.csv"));
    assert!(bare.iter().all(String::is_empty));
    assert_eq!(plain.len(), named.len());
    for (i, (p, n)) in plain.iter().zip(&named).enumerate() {
        assert_ne!(p, n);
        let j = plain.iter().position(|q| q == p).unwrap();
        assert_eq!(named[i], named[j], "the same address always has the same pseudonym");
    }
}

#[test]
fn inspect_accounts_for_every_packet_of_the_real_captures() {
    let inputs = captures();
    if inputs.is_empty() {
        return;
    }
    let place = Place::new();
    let mut args = vec!["inspect"];
    args.extend(inputs.iter().map(String::as_str));
    let run = place.run(&args);
    assert!(run.status == 0 || run.status == 3, "{}", run.err);
    assert!(run.out.contains(&format!("all {} captures", inputs.len())), "{}", run.out);
}

#[test]
fn without_addresses_none_is_written_nor_shown() {
    let Some(data) = support::shared("ndpi/captures") else { return };
    let place = Place::new();
    let teams = data.join("teams.pcap");
    let meter =
        ["meter", teams.to_str().unwrap(), "-o", "t.csv", "--label-by", "sni", "--no-addresses"];
    let run = place.ok(&meter);
    assert!(
        run.err.contains("no known application") && !run.err.contains("such as"),
        "{}",
        run.err
    );
    // Some programs put an address where a server's name belongs.
    let table = place.text("t.csv");
    for name in ["sni", "dns_name"] {
        let names = support::column(&table, name);
        assert!(names.iter().all(|name| name.parse::<std::net::IpAddr>().is_err()), "{names:?}");
    }
    place.write(
        "truth.csv",
        "capture,transport,source_address,source_port,destination_address,destination_port,start,application,category\n\
         other.pcap,tcp,10.1.2.3,1,10.4.5.6,443,,a,b\n",
    );
    let teams = teams.to_str().unwrap();
    let run =
        place.run(&["meter", teams, "-o", "l.csv", "--labels", "truth.csv", "--no-addresses"]);
    assert_eq!(run.status, 3, "{}", run.err);
    run.tells(&["no row of the truth table fits any flow", "line 2"]);
    assert!(!run.err.contains("10.1.2.3"), "{}", run.err);
}
