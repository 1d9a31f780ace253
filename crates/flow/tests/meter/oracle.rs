//! Against another program's reading of real captures: `flows_seq.csv`, the first 100 packets of each flow, never split.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flowgait_capture::{Address, Protocol, Reader, ReaderParams};
use flowgait_flow::record::Endpoint;
use flowgait_flow::{Error, FlowRecord, Meter, MeterParams, PortReuse};

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
    let found = data.join("ndpi/flows_seq.csv").exists();
    if !found {
        println!("skipped: no real captures in {}", data.display());
    }
    found.then(|| data.join("ndpi"))
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
    let numbers = ["capture", "l4", "client_ip", "client_port", "server_ip", "server_port"].map(column);
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

/// The flows of a capture as the other program understands flows.
fn flows(path: &Path) -> HashMap<Pair, FlowRecord> {
    let month = Duration::from_secs(30 * 86_400);
    let params = MeterParams::new()
        .idle_timeout(100 * month)
        .active_timeout(100 * month)
        .packets(LISTED)
        .port_reuse(PortReuse::Keep);
    let mut meter = Meter::new(&params.check().expect("these can be"));
    let mut flows = HashMap::new();
    let mut emit = |flow: FlowRecord| {
        let pair = pair(flow.initiator, flow.responder, flow.protocol);
        assert!(flows.insert(pair, flow).is_none(), "nothing splits a pair");
        Ok::<(), Error>(())
    };
    let mut reader = Reader::open(path, &ReaderParams::default()).expect("it opens");
    meter.run(&mut reader, "it", &mut emit).expect("it reads");
    meter.finish(&mut emit).expect("nothing fails");
    flows
}

/// How the two differ, if they do. Signs are by the other program's client, which it does not always tell by the SYN.
fn difference(row: &Row, flow: Option<&FlowRecord>) -> Option<&'static str> {
    let Some(flow) = flow else { return Some("no such flow") };
    let sign = if flow.initiator == row.client { 1 } else { -1 };
    let octets: Vec<i32> = flow.packets.iter().map(|p| sign * p.octets).collect();
    let payload: Vec<i32> = flow.packets.iter().map(|p| sign * p.payload).collect();
    let gaps: Vec<u64> = flow.packets.iter().map(|p| p.gap_micros).collect();
    if octets == row.octets && payload == row.payload && gaps == row.gaps {
        return None;
    }
    let sizes = |list: &[i32]| list.iter().map(|v| v.abs()).collect::<Vec<_>>();
    Some(match octets.len().cmp(&row.octets.len()) {
        std::cmp::Ordering::Greater => "we have more packets",
        std::cmp::Ordering::Less => "we have fewer packets",
        _ if octets == row.octets && payload == row.payload => "only gaps differ",
        _ if octets == row.octets && gaps == row.gaps => "only payload sizes differ",
        _ if sizes(&octets) == sizes(&row.octets) => "only directions differ",
        _ if payload == row.payload => "IP sizes differ",
        _ => "sizes differ",
    })
}

#[test]
fn sizes_and_gaps_of_real_flows_equal_another_programs() {
    let Some(ndpi) = data() else { return };
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
