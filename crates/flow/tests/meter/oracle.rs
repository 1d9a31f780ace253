//! Against another program's reading of real captures: `flows_seq.csv`, the first 100 packets of each flow, never split.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flowgait_capture::{Address, Block, Protocol, Reader, ReaderParams};
use flowgait_flow::record::Endpoint;
use flowgait_flow::{FlowRecord, Meter, MeterParams, PortReuse};

/// Packets that the other program lists.
const LISTED: usize = 100;

type Pair = (Endpoint, Endpoint, Protocol);

/// A row of the other program.
struct Row {
    pair: Pair,
    client: Endpoint,
    octets: Vec<i32>,
    payload: Vec<i32>,
    gaps: Vec<u64>,
}

fn data() -> Option<PathBuf> {
    let data = std::env::var_os("FLOWGAIT_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let ndpi = data.join("ndpi");
    ndpi.join("flows_seq.csv").exists().then_some(ndpi)
}

fn pair(a: Endpoint, b: Endpoint, protocol: Protocol) -> Pair {
    if a <= b { (a, b, protocol) } else { (b, a, protocol) }
}

fn list<T: std::str::FromStr>(cell: &str) -> Vec<T> {
    cell.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// The rows by capture. No cell of this file holds a quoted comma but one column of names, which is not read.
fn rows(ndpi: &Path) -> BTreeMap<String, Vec<Row>> {
    let text = std::fs::read_to_string(ndpi.join("flows_seq.csv")).expect("the file is there");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|h| *h == name).expect("the column is there");
    let numbers =
        ["capture", "l4", "client_ip", "client_port", "server_ip", "server_port"].map(column);
    let lists = ["ip_sizes", "payload_sizes", "iats_us"].map(|name| header.len() - column(name));
    let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [capture, l4, client, client_port, server, server_port] = numbers.map(|at| cells[at]);
        let [octets, payload, gaps] = lists.map(|from_end| cells[cells.len() - from_end]);
        let end = |ip: &str, port: &str| Endpoint {
            address: Address::from(ip.parse::<std::net::IpAddr>().expect("an address")),
            port: port.parse().expect("a port"),
        };
        let (client, server) = (end(client, client_port), end(server, server_port));
        let protocol = if l4 == "TCP" { Protocol::TCP } else { Protocol::UDP };
        rows.entry(capture.to_string()).or_default().push(Row {
            pair: pair(client, server, protocol),
            client,
            octets: list(octets),
            payload: list(payload),
            gaps: list(gaps),
        });
    }
    rows
}

/// A flow of ours, and the times of its packets in nanoseconds.
#[derive(Default)]
struct Ours {
    flow: FlowRecord,
    times: Vec<i64>,
}

/// The flows of a capture as the other program understands flows.
fn flows(path: &Path) -> HashMap<Pair, Ours> {
    let year = Duration::from_secs(366 * 86_400);
    let params = MeterParams::new()
        .idle_timeout(50 * year)
        .active_timeout(50 * year)
        .packets(LISTED)
        .port_reuse(PortReuse::Keep);
    let mut meter = Meter::new(&params.check().expect("these can be"));
    let mut reader = Reader::open(path, &ReaderParams::default()).expect("it opens");
    let mut block = Block::default();
    let mut ours: HashMap<Pair, Ours> = HashMap::new();
    let mut records = Vec::new();
    let mut emit = |flow: FlowRecord| {
        records.push(flow);
        Ok::<(), Infallible>(())
    };
    while reader.read_block(&mut block).expect("it reads") {
        for packet in &block.packets {
            let source = Endpoint { address: packet.source, port: packet.source_port };
            let destination =
                Endpoint { address: packet.destination, port: packet.destination_port };
            let pair = pair(source, destination, packet.protocol);
            ours.entry(pair).or_default().times.push(packet.time.0);
        }
        let Ok(()) = meter.block(&mut block, &mut emit);
    }
    let Ok(()) = meter.finish(&mut emit);
    assert_eq!(records.len(), ours.len(), "nothing splits a pair");
    for flow in records {
        let pair = pair(flow.initiator, flow.responder, flow.protocol);
        ours.get_mut(&pair).expect("its packets were seen").flow = flow;
    }
    ours
}

/// Whether gaps are equal. The other program holds times as binary fractions of seconds, 0.24 µs apart, and rounds their difference;
/// we drop what is finer than a microsecond first. So where a capture has nanoseconds, its gap is made from these in its way.
fn gaps_are_equal(ours: &Ours, row: &Row) -> bool {
    let seconds = |time: i64| time as f64 * 1e-9;
    // Where a capture's clock goes back, both take the latest time so far.
    let mut latest = i64::MIN;
    let mut times = Vec::new();
    for &time in &ours.times {
        latest = latest.max(time);
        times.push(seconds(latest));
    }
    let theirs = times.windows(2).map(|t| ((t[1] - t[0]) * 1e6).round() as u64);
    let gaps: Vec<u64> = ours.flow.packets.iter().map(|packet| packet.gap_micros).collect();
    let is_fine = ours.times.iter().any(|time| time % 1_000 != 0);
    gaps.len() == row.gaps.len()
        && [0].into_iter().chain(theirs).zip(gaps.iter().zip(&row.gaps)).all(
            |(in_their_way, (our, their))| {
                our == their
                    || (is_fine && our.abs_diff(*their) <= 1 && in_their_way.abs_diff(*their) == 0)
            },
        )
}

/// How the two differ, if they do. Signs are by the other program's client, which it does not always tell by the SYN.
fn difference(row: &Row, ours: Option<&Ours>) -> Option<&'static str> {
    let Some(ours) = ours else { return Some("no such flow") };
    let flow = &ours.flow;
    let sign = if flow.initiator == row.client { 1 } else { -1 };
    let octets: Vec<i32> = flow.packets.iter().map(|p| sign * p.octets).collect();
    let payload: Vec<i32> = flow.packets.iter().map(|p| sign * p.payload).collect();
    let gaps_are_equal = gaps_are_equal(ours, row);
    let sizes = |list: &[i32]| list.iter().map(|v| v.abs()).collect::<Vec<_>>();
    Some(match octets.len().cmp(&row.octets.len()) {
        _ if octets == row.octets && payload == row.payload && gaps_are_equal => return None,
        std::cmp::Ordering::Greater => "we have more packets",
        std::cmp::Ordering::Less => "we have fewer packets",
        _ if octets == row.octets && payload == row.payload => "only gaps differ",
        _ if octets == row.octets && gaps_are_equal => "only payload sizes differ",
        _ if sizes(&octets) == sizes(&row.octets) => "only directions differ",
        _ if payload == row.payload => "IP sizes differ",
        _ => "sizes differ",
    })
}

#[test]
fn sizes_and_gaps_of_real_flows_equal_another_programs() {
    let Some(ndpi) = data() else {
        println!("skipped: no real captures (FLOWGAIT_DATA or ../shared/data)");
        return;
    };
    let (mut equal, mut compared) = (0_u32, 0_u32);
    let mut kinds: BTreeMap<&str, BTreeMap<String, u32>> = BTreeMap::new();
    for (capture, rows) in rows(&ndpi) {
        let flows = flows(&ndpi.join("captures").join(&capture));
        for row in rows.iter().filter(|row| row.octets.len() >= 2) {
            compared += 1;
            match difference(row, flows.get(&row.pair)) {
                None => equal += 1,
                Some(kind) => {
                    *kinds.entry(kind).or_default().entry(capture.clone()).or_default() += 1;
                }
            }
        }
    }
    println!("{equal} of {compared} flows are equal; the others: {kinds:#?}");
    assert_eq!(compared, 3_012);
    assert!(equal * 100 >= compared * 98, "{equal} of {compared}: {kinds:#?}");
}

#[test]
fn threads_change_nothing_on_real_captures() {
    let Some(ndpi) = data() else {
        println!("skipped: no real captures (FLOWGAIT_DATA or ../shared/data)");
        return;
    };
    let mut paths: Vec<_> = std::fs::read_dir(ndpi.join("captures"))
        .expect("captures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let run = |threads: usize| {
        let params = MeterParams::new().threads(threads).check().expect("these can be");
        let mut meter = Meter::new(&params);
        let mut flows = Vec::new();
        let mut emit = |flow: FlowRecord| {
            flows.push(flow);
            Ok::<(), flowgait_capture::Error>(())
        };
        for (number, path) in paths.iter().enumerate() {
            let Ok(mut reader) = Reader::open(path, &ReaderParams::default()) else { continue };
            meter.run(&mut reader, &path.to_string_lossy(), &mut emit).expect("it reads");
            // Some captures follow each other in one stream, whatever their times say.
            if number % 3 == 0 {
                meter.finish(&mut emit).expect("nothing fails");
            }
        }
        meter.finish(&mut emit).expect("nothing fails");
        (flows, meter.report())
    };
    let (flows, report) = run(1);
    let sum = |of: fn(&FlowRecord) -> u64| flows.iter().map(of).sum::<u64>();
    assert_eq!(sum(|flow| flow.both.octets.count), report.packets);
    assert_eq!(sum(|flow| flow.both.octets.sum), report.octets);
    for threads in [2, 4] {
        let (others, other) = run(threads);
        assert_eq!(other, report);
        assert!(others == flows, "{threads} threads");
    }
    println!("{report:#?}");
}
