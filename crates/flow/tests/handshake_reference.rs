//! Server names and JA4 in the shared captures, against what nDPI says of the same flows.
//!
//! nDPI's JA4 departs from FoxIO's definition in habits that this test, and not the code, maps:
//! 1. the first two letters of the first application protocol, `ht`, where JA4 takes the first and the last, `h1`;
//! 2. `d` also where there is no server name;
//! 3. the hash of nothing where JA4 has zeros;
//! 4. `i` also where the server name is an address (`src/lib/protocols/tls.c`: "SNI contains IP address");
//! 5. `0` for the last letter where the only protocol has two letters: `h0` for `h3`.
//!
//! The first three are those that the shared data's description names; the last two were found here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use flowgait_capture::{Address, Block, Packet, Protocol, Reader, ReaderParams};
use flowgait_flow::handshake::{Handshake, Look, Segment, Watch};

/// One end of a flow.
type End = (Address, u16);

/// Protocol and both ends, the smaller first.
type Key = (Protocol, End, End);

/// A flow that is never split, and what its watch found.
struct Flow {
    initiator: End,
    watch: Option<Watch>,
    handshake: Option<Handshake>,
}

fn data() -> PathBuf {
    std::env::var_os("FLOWGAIT_DATA").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(),
        PathBuf::from,
    )
}

fn key(protocol: Protocol, a: End, b: End) -> Key {
    (protocol, a.min(b), a.max(b))
}

fn watched(capture: &Path) -> HashMap<Key, Flow> {
    let mut flows = HashMap::new();
    // A capture that cannot be read has no flows, and so its rows are not found.
    let Ok(mut reader) = Reader::open(capture, &ReaderParams::default()) else { return flows };
    let mut block = Block::default();
    while let Ok(true) = reader.read_block(&mut block) {
        for packet in block.packets.iter().filter(|packet| packet.payload_octets > 0) {
            push(&mut flows, packet, block.payload(packet));
        }
    }
    flows
}

fn push(flows: &mut HashMap<Key, Flow>, packet: &Packet, payload: &[u8]) {
    let source = (packet.source, packet.source_port);
    let destination = (packet.destination, packet.destination_port);
    let flow = flows.entry(key(packet.protocol, source, destination)).or_insert_with(|| Flow {
        initiator: source,
        watch: Some(Watch::new(packet.protocol)),
        handshake: None,
    });
    let Some(watch) = &mut flow.watch else { return };
    let look = watch.push(&Segment {
        forward: source == flow.initiator,
        tcp_sequence: packet.tcp_sequence,
        payload_octets: packet.payload_octets,
        payload,
    });
    match look {
        Look::More => return,
        Look::Done(handshake) => flow.handshake = Some(*handshake),
        Look::Stop => {}
    }
    flow.watch = None;
}

/// Our fingerprint with nDPI's habits put on: the first three, and all.
fn habits(handshake: &Handshake) -> [String; 2] {
    let nothing = |part: &str| part.replace("000000000000", "e3b0c44298fc");
    let ja4 = &handshake.ja4;
    let (ciphers, extensions) = (nothing(&ja4[11..23]), nothing(&ja4[24..]));
    let letters = handshake.alpn.first().and_then(|first| first.get(..2)).unwrap_or(&ja4[8..10]);
    let three = format!("{}d{}{letters}_{ciphers}_{extensions}", &ja4[..3], &ja4[4..8]);
    let is_address = handshake.sni.as_ref().is_some_and(|name| name.parse::<IpAddr>().is_ok());
    let named = if is_address { "i" } else { "d" };
    let letters = match &handshake.alpn[..] {
        [only] if only.len() == 2 => format!("{}0", &only[..1]),
        _ => letters.to_owned(),
    };
    let all = format!("{}{named}{}{letters}_{ciphers}_{extensions}", &ja4[..3], &ja4[4..8]);
    [three, all]
}

/// How many rows were so.
#[derive(Debug, Default)]
struct Tally {
    rows: usize,
    found: usize,
    same_name: usize,
    same_ciphers: usize,
    same_after_three_habits: usize,
    same_after_all_habits: usize,
    differing: Vec<String>,
}

impl Tally {
    fn add(&mut self, row: &HashMap<String, String>, handshake: Option<&Handshake>) {
        self.rows += 1;
        let what = format!("{} flow {}", row["capture"], row["flow_no"]);
        let Some(handshake) = handshake else {
            self.differing.push(format!("{what}: no ClientHello found"));
            return;
        };
        self.found += 1;
        let theirs = row["ja4"].as_str();
        let [three, all] = habits(handshake);
        let same_name = handshake.sni.as_deref().unwrap_or_default() == row["sni"];
        let same_ciphers = handshake.ja4[11..23] == theirs[11..23];
        self.same_name += usize::from(same_name);
        self.same_ciphers += usize::from(same_ciphers);
        self.same_after_three_habits += usize::from(*handshake.ja4 == *theirs || three == theirs);
        self.same_after_all_habits += usize::from(*handshake.ja4 == *theirs || all == theirs);
        if !(same_name && same_ciphers && (*handshake.ja4 == *theirs || all == theirs)) {
            self.differing.push(format!("{what}: {handshake:?}, theirs {} {theirs}", row["sni"]));
        }
    }
}

#[test]
fn names_and_fingerprints_are_those_of_ndpi() {
    let ndpi = data().join("ndpi");
    let Ok(mut table) = csv::Reader::from_path(ndpi.join("flows.csv")) else {
        eprintln!("skipped: no {}", ndpi.display());
        return;
    };
    let mut captures: HashMap<String, HashMap<Key, Flow>> = HashMap::new();
    let mut tally = Tally::default();
    for row in table.deserialize::<HashMap<String, String>>() {
        let row = row.unwrap();
        if row["ja4"].is_empty() || row["sni"].is_empty() {
            continue;
        }
        let flows = captures
            .entry(row["capture"].clone())
            .or_insert_with(|| watched(&ndpi.join("captures").join(&row["capture"])));
        let end = |address: &str, port: &str| {
            // nDPI writes one address of pinterest.pcap with two gaps.
            let address = row[address].replace("1901::7a0b::", "1901:0:7a0b::");
            (Address::from(address.parse::<IpAddr>().unwrap()), row[port].parse().unwrap())
        };
        let protocol = if row["l4"] == "TCP" { Protocol::TCP } else { Protocol::UDP };
        let flow = flows.get(&key(protocol, end("ip_a", "port_a"), end("ip_b", "port_b")));
        tally.add(&row, flow.and_then(|flow| flow.handshake.as_ref()));
    }
    eprintln!("{tally:#?}");
    assert_eq!(tally.rows, 655);
    assert!(tally.same_name * 100 >= tally.rows * 97, "same name {}", tally.same_name);
    assert_eq!(tally.same_ciphers, tally.found);
    assert!(tally.same_after_three_habits * 100 >= tally.found * 97);
    assert!(tally.same_after_all_habits * 100 >= tally.found * 99);
}
