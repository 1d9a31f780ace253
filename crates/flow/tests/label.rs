//! Labels by truth tables and by names.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::net::IpAddr;
use std::path::PathBuf;

use flowgait_capture::{Address, Protocol, Timestamp};
use flowgait_flow::handshake::Handshake;
use flowgait_flow::label::{LabelReport, LabelSource, Labeller, NameReport, TruthReport};
use flowgait_flow::record::Endpoint;
use flowgait_flow::{Error, FlowRecord};

fn endpoint(text: &str, port: u16) -> Endpoint {
    Endpoint { address: Address::from(text.parse::<IpAddr>().unwrap()), port }
}

/// A flow of 10.0.0.1:4000 to 10.0.0.2:443 over TCP, from one second to another.
fn flow(capture: &str, start: i64, end: i64) -> FlowRecord {
    FlowRecord {
        capture: capture.into(),
        protocol: Protocol::TCP,
        initiator: endpoint("10.0.0.1", 4000),
        responder: endpoint("10.0.0.2", 443),
        start: Timestamp(start * 1_000_000_000),
        end: Timestamp(end * 1_000_000_000),
        ..FlowRecord::default()
    }
}

struct Table {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn table(text: &str) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truth.csv");
    std::fs::write(&path, text).unwrap();
    Table { _folder: folder, path }
}

const HEADER: &str = "capture,transport,source_address,source_port,destination_address,destination_port,start,application,category\n";

/// The applications of flows under a table with our header.
fn judge(rows: &str, flows: &[FlowRecord]) -> (Vec<Option<String>>, TruthReport) {
    let table = table(&format!("{HEADER}{rows}"));
    let mut labeller = Labeller::truth(&table.path).unwrap();
    let mut labels = Vec::new();
    for flow in flows {
        let mut flow = flow.clone();
        labeller.label(&mut flow);
        assert!(flow.label.iter().all(|label| label.source == LabelSource::Truth));
        labels.push(flow.label.map(|label| label.application.to_string()));
    }
    let LabelReport::Truth(report) = labeller.report() else { panic!("a report of a truth table") };
    (labels, report)
}

fn check(rows: &str, flows: &[FlowRecord], expected: &[Option<&str>]) -> TruthReport {
    let (labels, report) = judge(rows, flows);
    let labels: Vec<_> = labels.iter().map(Option::as_deref).collect();
    assert_eq!(labels, expected, "{rows}");
    report
}

#[test]
fn either_end_may_come_first() {
    let forward = "a.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,,Web,\n";
    let backward = "a.pcap,TCP,10.0.0.2,443,10.0.0.1,4000,,Web,Browsing\n";
    for row in [forward, backward] {
        let report = check(row, &[flow("a.pcap", 0, 1)], &[Some("Web")]);
        assert_eq!((report.rows, report.rows_matched, report.flows_labelled), (1, 1, 1));
        assert!(report.rows_unmatched.is_empty() && report.rows_ambiguous.is_empty());
    }
}

#[test]
fn everything_else_must_fit() {
    let row = "a.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,,Web,\n";
    let fits = flow("a.pcap", 0, 1);
    for other in [
        FlowRecord { capture: "b.pcap".into(), ..fits.clone() },
        FlowRecord { protocol: Protocol::UDP, ..fits.clone() },
        FlowRecord { initiator: endpoint("10.0.0.1", 4001), ..fits.clone() },
        FlowRecord { responder: endpoint("10.0.0.3", 443), ..fits.clone() },
        // Ports belong to their own addresses.
        FlowRecord {
            initiator: endpoint("10.0.0.1", 443),
            responder: endpoint("10.0.0.2", 4000),
            ..fits.clone()
        },
    ] {
        let report = check(row, &[other], &[None]);
        assert_eq!(report.rows_unmatched.len(), 1);
        assert_eq!(report.rows_unmatched[0].line, 2);
        assert_eq!(report.flows_labelled, 0);
    }
    check(",tcp,10.0.0.1,4000,10.0.0.2,443,,Web,\n", &[flow("any.pcap", 0, 1)], &[Some("Web")]);
    check("folder/a.pcap,6,::ffff:10.0.0.1,4000,10.0.0.2,443,,Web,\n", &[fits], &[Some("Web")]);
}

#[test]
fn ends_that_were_used_again_are_told_apart_by_time() {
    let rows = "a.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,100.25,Chat,\na.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,1970-01-01T00:05:00Z,Video,\n";
    let flows = [flow("a.pcap", 100, 160), flow("a.pcap", 299, 400)];
    let report = check(rows, &flows, &[Some("Chat"), Some("Video")]);
    assert_eq!((report.rows_matched, report.flows_ambiguous), (2, 0));
    // A later piece of a long flow belongs to the row before it, even when the next row is nearer.
    check(
        rows,
        &[flow("a.pcap", 200, 290), flow("a.pcap", 2_000, 2_100), flow("a.pcap", 50, 60)],
        &[Some("Chat"), Some("Video"), Some("Chat")],
    );
}

#[test]
fn rows_that_disagree_label_nothing_and_are_listed() {
    let rows = "a.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,,Chat,\na.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,,Video,\n";
    let report = check(rows, &[flow("a.pcap", 0, 1)], &[None]);
    assert_eq!((report.flows_ambiguous, report.rows_matched), (1, 0));
    assert_eq!(report.rows_ambiguous.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
    // Two that start within one flow are no better.
    let rows = "a.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,10,Chat,\na.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,20,Video,\n";
    check(rows, &[flow("a.pcap", 5, 30)], &[None]);
    // Rows that say the same agree.
    let rows = "a.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,10,Chat,c\na.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,20,Chat,c\n";
    let report = check(rows, &[flow("a.pcap", 5, 30)], &[Some("Chat")]);
    assert_eq!(report.rows_matched, 2);
}

#[test]
fn what_is_wrong_with_a_table_is_told_with_its_place() {
    let fails = |text: &str| Labeller::truth(&table(text).path).unwrap_err().to_string();
    let row = |row: &str| {
        let good = "a.pcap,tcp,10.0.0.1,4000,10.0.0.2,443,,Web,\n";
        let report = check(&format!("{good}{row}"), &[flow("a.pcap", 0, 1)], &[Some("Web")]);
        assert_eq!(
            (report.rows, report.rows_unreadable.len(), report.rows_unreadable[0].line),
            (1, 1, 3)
        );
        report.rows_unreadable[0].text.clone()
    };
    assert!(
        row("a,tcp,ten,4000,10.0.0.2,443,,Web,\n")
            .ends_with("line 3, column address: 'ten' is not an IPv4 or IPv6 address")
    );
    assert!(
        row("a,tcp,10.0.0.1,99999,10.0.0.2,443,,Web,\n").contains("line 3, column port: '99999'")
    );
    assert!(
        row("a,quic,10.0.0.1,1,10.0.0.2,2,,Web,\n").contains("line 3, column transport: 'quic'")
    );
    assert!(
        row("a,tcp,10.0.0.1,1,10.0.0.2,2,noon,Web,\n").contains("line 3, column start: 'noon'")
    );
    assert!(fails("capture,transport\n").contains("has no column source_address"));
    assert!(fails("").contains("has no column"));
    let missing = Labeller::truth(&table("").path.with_file_name("none.csv")).unwrap_err();
    assert!(matches!(missing, Error::ReadLabels { .. }));
    let uneven = fails(&format!("{HEADER}a,tcp\n"));
    assert!(uneven.starts_with("cannot read"), "{uneven}");
}

#[test]
fn byte_order_mark_crlf_spaces_and_other_spellings() {
    let text = "\u{feff}Capture, L4 ,ip_a,port_a,ip_b,port_b,app\r\na.pcap, TCP ,10.0.0.1,4000,10.0.0.2,443,\"Web, mostly\"\r\n";
    let table = table(text);
    let mut labeller = Labeller::truth(&table.path).unwrap();
    let mut flow = flow("a.pcap", 0, 1);
    labeller.label(&mut flow);
    assert_eq!(&*flow.label.unwrap().application, "Web, mostly");
}

fn named(sni: Option<&str>, dns: Option<&str>) -> FlowRecord {
    FlowRecord {
        handshake: sni
            .map(|name| Box::new(Handshake { sni: Some(name.into()), ..Handshake::default() })),
        dns_name: dns.map(Into::into),
        ..FlowRecord::default()
    }
}

fn by_names(
    own: Option<&str>,
    flows: &[FlowRecord],
) -> (Vec<Option<(String, LabelSource)>>, NameReport) {
    let own = own.map(table);
    let mut labeller = Labeller::names(own.as_ref().map(|table| table.path.as_path())).unwrap();
    let mut labels = Vec::new();
    for flow in flows {
        let mut flow = flow.clone();
        labeller.label(&mut flow);
        labels.push(flow.label.map(|label| (label.application.to_string(), label.source)));
    }
    let LabelReport::Names(report) = labeller.report() else { panic!("a report of names") };
    (labels, report)
}

#[test]
fn a_server_name_goes_before_a_dns_name() {
    let flows = [
        named(Some("www.youtube.com"), Some("www.google.com")),
        named(Some("unknown.example"), Some("www.google.com")),
        named(None, Some("scontent.fbcdn.net")),
        named(Some("unknown.example"), None),
        named(None, None),
    ];
    let (labels, report) = by_names(None, &flows);
    let label = |name: &str, source| Some((name.to_string(), source));
    assert_eq!(
        labels,
        [
            label("YouTube", LabelSource::Sni),
            label("Google", LabelSource::Dns),
            label("Facebook", LabelSource::Dns),
            None,
            None,
        ]
    );
    assert_eq!(
        (report.flows, report.flows_by_sni, report.flows_by_dns, report.flows_nameless),
        (5, 1, 2, 1)
    );
    assert_eq!(
        report.unknown.into_iter().collect::<Vec<_>>(),
        [("unknown.example".to_string(), 1)]
    );
}

#[test]
fn a_person_s_table_extends_and_replaces() {
    let own = "suffix,application,category\n*.intra.example,Intranet,Work\nwww.youtube.com,Lectures,\nnetflix.com,Forbidden,Video\n";
    let flows = [
        named(Some("wiki.intra.example"), None),
        named(Some("www.youtube.com"), None),
        named(Some("m.youtube.com"), None),
        named(Some("netflix.com"), None),
    ];
    let names: Vec<_> =
        by_names(Some(own), &flows).0.into_iter().map(|label| label.unwrap().0).collect();
    assert_eq!(names, ["Intranet", "Lectures", "YouTube", "Forbidden"]);
    for (bad, says) in [
        ("suffix,application\n", "has no column category"),
        ("suffix,application,category\n,Web,\n", "line 2, column suffix"),
        ("suffix,application,category\na.b,,\n", "line 2, column application"),
    ] {
        let error = Labeller::names(Some(&table(bad).path)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_shared_truth_labels_flows_with_its_ends() {
    let data = std::env::var("FLOWGAIT_DATA").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_string()
    });
    let path = PathBuf::from(data).join("ndpi/flows.csv");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    // The first row of the table.
    let mut record = flow("443-curl.pcap", 0, 1);
    record.initiator = endpoint("178.62.197.130", 443);
    record.responder = endpoint("192.168.1.13", 55523);
    let mut labeller = Labeller::truth(&path).unwrap();
    labeller.label(&mut record);
    let label = record.label.unwrap();
    assert_eq!((&*label.application, label.category.as_deref()), ("ntop", Some("Network")));
    let LabelReport::Truth(report) = labeller.report() else { panic!("a report of a truth table") };
    // A few addresses of IPv6 are not as RFC 4291 writes them.
    assert_eq!(report.rows + report.rows_unreadable.len() as u64, 8_039);
    assert!(report.rows_unreadable.len() < 80, "{:?}", report.rows_unreadable);
}
