//! A data scientist whose notebooks read another tool's table gets that table from captures, and learns from it here.

use crate::support::{self, Place};

/// Made traffic of drawn applications with its truth, metered into another tool's table.
fn metered(place: &Place, schema: &str, table: &str) -> (Vec<String>, Vec<Vec<String>>) {
    if !place.path("t.pcap").exists() {
        let labels = ["--labels", "truth.csv", "--flows", "240", "--seed", "5"];
        place.ok(&[["synth", "demo", "-o", "t.pcap"].as_slice(), &labels].concat());
    }
    place.ok(&["meter", "t.pcap", "-o", table, "--schema", schema, "--labels", "truth.csv"]);
    support::csv(&place.text(table))
}

#[test]
fn the_competition_table_is_the_one_they_know() {
    let place = Place::new();
    let (header, rows) = metered(&place, "radcom", "r.csv");
    assert_eq!(header.len(), 113, "111 columns and both labels");
    assert_eq!(header[10], "max_fwd_packet ", "the space is theirs");
    assert_eq!((header[28].as_str(), header[110].as_str()), ("first_packet_sizes_0", "ACK_count"));
    assert_eq!(header[111..], ["label", "attribution"]);
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    for row in &rows {
        let number = |name: &str| row[at(name)].parse::<f64>().unwrap();
        // Their total is mean size by count; ours agrees with the sizes listed where all are listed.
        let packets = number("fwd_packets_length") + number("bwd_packets_length");
        let sizes: Vec<f64> = (0..30).map(|k| number(&format!("first_packet_sizes_{k}"))).collect();
        if packets <= 30.0 {
            let total: f64 = sizes.iter().map(|s| s.abs()).sum();
            assert!((number("mean_packet_size") * packets - total).abs() < 1e-6 * total);
            assert_eq!(
                sizes.iter().filter(|s| **s > 0.0).count() as f64,
                number("fwd_packets_length")
            );
        }
        assert!(["tcp", "udp"].contains(&row[at("Protocol")].as_str()));
    }
    // Without labels it is the 111 columns alone.
    place.ok(&["meter", "t.pcap", "-o", "plain.csv", "--schema", "radcom"]);
    assert_eq!(support::csv(&place.text("plain.csv")).0, header[..111]);
}

#[test]
fn it_is_learnt_from_as_the_original_files_are() {
    let place = Place::new();
    metered(&place, "radcom", "r.csv");
    // Some of the original files end their lines as Windows does.
    place.write("crlf.csv", place.text("r.csv").replace('\n', "\r\n"));
    let fit = ["fit", "crlf.csv", "--label", "attribution", "-o", "m.fgm", "--trees", "20"];
    let run = place.ok(&fit);
    run.tells(&["Source_IP, Source_port, Destination_IP, Destination_port, Timestamp", "label"]);
    let run = place.ok(&["predict", "--model", "m.fgm", "crlf.csv", "-o", "p.csv"]);
    assert!(!run.err.contains("panicked"));
    let (header, _) = support::csv(&place.text("p.csv"));
    assert_eq!(header.len(), 114);
    assert_eq!((header[10].as_str(), header[113].as_str()), ("max_fwd_packet ", "prediction"));
    let place_of = |name: &str| support::column(&place.text("p.csv"), name);
    let right =
        place_of("attribution").iter().zip(place_of("prediction")).filter(|(a, b)| *a == b).count();
    assert!(right * 10 > 240 * 9, "{right} of 240 of its own training rows");

    // The same model answers for the capture itself, which is metered into the columns that it knows.
    place.ok(&["predict", "--model", "m.fgm", "t.pcap", "-o", "c.csv"]);
    let straight = support::column(&place.text("c.csv"), "prediction");
    assert_eq!(straight, place_of("prediction"));
}

#[test]
fn the_tables_of_nfstream_and_cicflowmeter_have_their_columns() {
    let place = Place::new();
    let (header, rows) = metered(&place, "nfstream", "n.csv");
    assert_eq!(header.len(), 89);
    assert_eq!(header[78..81], ["splt_ps", "splt_piat_ms", "application_name"]);
    assert!(rows.iter().all(|row| row[78].starts_with('[') && row[78].ends_with(']')));
    let (header, rows) = metered(&place, "cicflowmeter", "c.csv");
    assert_eq!(header.len(), 84);
    assert_eq!((header[0].as_str(), header[83].as_str()), ("Flow ID", "Label"));
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    for row in &rows {
        let number = |name: &str| row[at(name)].parse::<f64>().unwrap();
        let packets = number("Total Fwd Packet") + number("Total Bwd packets");
        let octets = number("Total Length of Fwd Packet") + number("Total Length of Bwd Packet");
        assert!((number("Packet Length Mean") * packets - octets).abs() < 1e-6 * octets.max(1.0));
    }
    // No address is left anywhere when none is wanted, not even within an identifier.
    place.ok(&["meter", "t.pcap", "-o", "h.csv", "--schema", "cicflowmeter", "--no-addresses"]);
    let text = place.text("h.csv");
    for column in ["Flow ID", "Src IP", "Dst IP"] {
        assert!(support::column(&text, column).iter().all(String::is_empty), "{column}");
    }
}

#[test]
fn a_hundred_and_twenty_eight_applications_from_five_rows_each() {
    let place = Place::new();
    let made = ["--labels", "truth.csv", "--flows", "3000", "--seed", "3"];
    place.ok(&[["synth", "crowd", "-o", "crowd.pcap"].as_slice(), &made].concat());
    place.ok(&[
        "meter",
        "crowd.pcap",
        "-o",
        "all.csv",
        "--schema",
        "radcom",
        "--labels",
        "truth.csv",
    ]);
    // Five rows of each of 128 applications to learn from and five others to be asked; names with spaces, lines as Windows ends them.
    let all = place.text("all.csv");
    let labels = support::column(&all, "label");
    let mut seen: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    let header = all.lines().next().unwrap();
    let (mut train, mut test) = (format!("{header}\r\n"), format!("{header}\r\n"));
    for (row, label) in all.lines().skip(1).zip(&labels).filter(|(_, label)| !label.is_empty()) {
        let known = seen.len();
        let count = match seen.get_mut(label.as_str()) {
            Some(count) => count,
            None if known < 128 => seen.entry(label).or_default(),
            None => continue,
        };
        *count += 1;
        let row = row.replace(label.as_str(), &label.replace('-', " ")) + "\r\n";
        match *count {
            1..=5 => train += &row,
            6..=10 => test += &row,
            _ => {}
        }
    }
    place.write("train.csv", &train);
    place.write("test.csv", &test);
    let learn = ["train.csv", "--label", "label", "--estimator", "linear"];
    place.ok(&[["fit"].as_slice(), &learn, &["-o", "m.fgm"]].concat());
    let judge = ["evaluate", "--model", "m.fgm", "test.csv", "--label", "label", "-o", "r.json"];
    place.ok(&judge);
    let report: serde_json::Value = serde_json::from_str(&place.text("r.json")).unwrap();
    assert_eq!(report["classes"].as_array().unwrap().len(), 128);
    // By chance it would be 1 in 128.
    let accuracy = report["scores"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.45, "{accuracy}");
    place.ok(&["predict", "--model", "m.fgm", "test.csv", "-o", "p.csv", "--proba"]);
    let answers = place.text("p.csv");
    let written = support::csv(&answers).0;
    assert_eq!(written[..113], support::csv(&test).0[..]);
    assert!(written.contains(&"max_fwd_packet ".to_owned()));
    let said = support::column(&answers, "prediction");
    assert!(said.len() == 640 && said.iter().all(|name| name.contains(' ')), "{:?}", said.first());
}
