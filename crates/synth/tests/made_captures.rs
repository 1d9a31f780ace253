//! Made captures, read back by an independent parser.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use flowgait_synth::framing::Transport;
use flowgait_synth::pcap::Resolution;
use flowgait_synth::process::Kind;
use flowgait_synth::scenario::{self, EPOCH, Params};
use flowgait_synth::truth::Truth;

type End = (IpAddr, u16);
type Pair = (Transport, End, End);
/// A sequence number, and the octets from it on.
type Said = (u32, Vec<u8>);

fn made(name: &str, flows: u64, seed: u64) -> (Vec<(u64, Vec<u8>)>, Truth) {
    let params =
        Params::new(scenario::find(name).unwrap()).flows(flows).seed(seed).check().unwrap();
    let mut frames = Vec::new();
    let truth = scenario::generate(&params, |time, frame| {
        frames.push((time, frame.to_vec()));
        Ok::<(), std::convert::Infallible>(())
    })
    .unwrap();
    (frames, truth)
}

fn bytes(name: &str, flows: u64, seed: u64) -> (Vec<u8>, Vec<u8>) {
    let params =
        Params::new(scenario::find(name).unwrap()).flows(flows).seed(seed).check().unwrap();
    let mut capture = Vec::new();
    let truth = scenario::write(&params, &mut capture).unwrap();
    let mut table = Vec::new();
    truth.write_csv("x.pcap", &mut table).unwrap();
    (capture, table)
}

/// Both ends, sender first, with lengths and checksums verified.
fn verified(frame: &[u8]) -> (Transport, End, End, Vec<u8>) {
    let packet = SlicedPacket::from_ethernet(frame).expect("a frame of ours parses");
    let net = packet.net.expect("it is IP");
    let (source, destination) = match &net {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            assert_eq!(usize::from(header.total_len()), frame.len() - 14, "total length");
            assert_eq!(
                header.to_header().calc_header_checksum(),
                header.header_checksum(),
                "IPv4 checksum"
            );
            (IpAddr::V4(header.source_addr()), IpAddr::V4(header.destination_addr()))
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            assert_eq!(usize::from(header.payload_length()), frame.len() - 54, "payload length");
            (IpAddr::V6(header.source_addr()), IpAddr::V6(header.destination_addr()))
        }
        NetSlice::Arp(_) => panic!("no ARP is made"),
    };
    match packet.transport.expect("it is TCP or UDP") {
        TransportSlice::Tcp(tcp) => {
            let expected = match &net {
                NetSlice::Ipv4(ip) => {
                    tcp.calc_checksum_ipv4(ip.header().source(), ip.header().destination())
                }
                NetSlice::Ipv6(ip) => {
                    tcp.calc_checksum_ipv6(ip.header().source(), ip.header().destination())
                }
                NetSlice::Arp(_) => unreachable!(),
            };
            assert_eq!(expected.unwrap(), tcp.checksum(), "TCP checksum");
            (
                Transport::Tcp,
                (source, tcp.source_port()),
                (destination, tcp.destination_port()),
                tcp.payload().to_vec(),
            )
        }
        TransportSlice::Udp(udp) => {
            assert_eq!(usize::from(udp.length()), udp.payload().len() + 8, "UDP length");
            let header = udp.to_header();
            let expected = match &net {
                NetSlice::Ipv4(ip) => {
                    header.calc_checksum_ipv4(&ip.header().to_header(), udp.payload())
                }
                NetSlice::Ipv6(ip) => {
                    header.calc_checksum_ipv6(&ip.header().to_header(), udp.payload())
                }
                NetSlice::Arp(_) => unreachable!(),
            };
            assert_eq!(expected.unwrap(), udp.checksum(), "UDP checksum");
            (
                Transport::Udp,
                (source, udp.source_port()),
                (destination, udp.destination_port()),
                udp.payload().to_vec(),
            )
        }
        other => panic!("{other:?}"),
    }
}

fn pair(transport: Transport, a: End, b: End) -> Pair {
    if a <= b { (transport, a, b) } else { (transport, b, a) }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let first = bytes("tiny", 40, 9);
    assert_eq!(first, bytes("tiny", 40, 9));
    let other = bytes("tiny", 40, 10);
    assert_ne!(first.0, other.0);
    assert_ne!(first.1, other.1);
}

/// Seen on x86-64. Whoever changes it changes what everybody's seeds mean, and says so in the change log.
#[test]
fn a_seed_means_the_same_on_every_machine() {
    let (capture, table) = bytes("tiny", 60, 1);
    let fnv = |octets: &[u8]| {
        octets.iter().fold(0xcbf2_9ce4_8422_2325, |h: u64, o| {
            (h ^ u64::from(*o)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    assert_eq!((fnv(&capture), fnv(&table)), (8335322489883568773, 1270354604250771264));
}

#[test]
fn every_packet_parses_and_time_never_goes_back() {
    for (name, flows) in [("tiny", 60), ("poor-lines", 80), ("crowd", 150)] {
        let (frames, truth) = made(name, flows, 3);
        assert_eq!(frames.len() as u64, truth.packets);
        assert_eq!(frames.iter().map(|(_, f)| f.len() as u64).sum::<u64>(), truth.octets);
        assert!(frames[0].0 >= EPOCH);
        assert!(frames.windows(2).all(|w| w[0].0 <= w[1].0), "{name}: time goes back");
        for (_, frame) in &frames {
            assert!(frame.len() <= 1_514, "{name}: a frame of {} octets", frame.len());
            verified(frame);
        }
    }
}

#[test]
fn the_truth_names_every_flow_and_no_other() {
    for seed in 1..4 {
        let (frames, truth) = made("mixed", 200, seed);
        assert_eq!(truth.rows.len(), 200);
        let mut first: HashMap<Pair, (u64, End)> = HashMap::new();
        for (time, frame) in &frames {
            let (transport, from, to, _) = verified(frame);
            if transport == Transport::Udp && (from.1 == 53 || to.1 == 53) {
                continue;
            }
            first.entry(pair(transport, from, to)).or_insert((*time, from));
        }
        assert_eq!(first.len(), truth.rows.len());
        for row in &truth.rows {
            let (time, from) = first[&pair(row.transport, row.source, row.destination)];
            assert_eq!((time, from), (row.start, row.source), "{row:?}");
        }
        let kinds: HashSet<Kind> = truth.rows.iter().map(|r| r.kind).collect();
        assert_eq!(kinds.len(), Kind::ALL.len());
    }
}

/// Nobody acknowledges what the capture has not seen, and lost octets are seen at last.
#[test]
fn tcp_numbers_add_up() {
    let (frames, _) = made("poor-lines", 150, 5);
    let mut sides: HashMap<(End, End), (u32, u64)> = HashMap::new();
    let mut checked = 0;
    for (_, frame) in &frames {
        let packet = SlicedPacket::from_ethernet(frame).unwrap();
        let Some(TransportSlice::Tcp(tcp)) = packet.transport else { continue };
        let (_, from, to, payload) = verified(frame);
        let side = sides.entry((from, to)).or_insert((tcp.sequence_number(), 0));
        let offset = u64::from(tcp.sequence_number().wrapping_sub(side.0));
        let end = offset + payload.len() as u64 + u64::from(tcp.syn()) + u64::from(tcp.fin());
        side.1 = side.1.max(end);
        if tcp.ack()
            && let Some((isn, end)) = sides.get(&(to, from))
        {
            let acknowledged = u64::from(tcp.acknowledgment_number().wrapping_sub(*isn));
            assert!(acknowledged <= *end, "{acknowledged} of {end}");
            checked += 1;
        }
    }
    assert!(checked > 1_000);
}

/// Name and ALPN of the ClientHello in a flow's first client octets.
fn client_hello_name(record: &[u8]) -> Option<String> {
    assert_eq!(record[..2], [22, 3]);
    let body = &record[9..];
    let mut at = 34;
    at += 1 + usize::from(body[at]);
    at += 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    at += 1 + usize::from(body[at]);
    let end = at + 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    at += 2;
    let mut name = None;
    while at < end {
        let kind = u16::from_be_bytes([body[at], body[at + 1]]);
        let octets = usize::from(u16::from_be_bytes([body[at + 2], body[at + 3]]));
        if kind == 0 {
            name = Some(String::from_utf8(body[at + 9..at + 4 + octets].to_vec()).unwrap());
        }
        at += 4 + octets;
    }
    assert_eq!(at, end, "extensions fill their list");
    assert_eq!(end, body.len(), "and the list the message");
    name
}

#[test]
fn every_tcp_flow_opens_with_a_client_hello_for_its_application() {
    let (frames, truth) = made("demo", 250, 2);
    let names: HashMap<Pair, String> = truth
        .rows
        .iter()
        .map(|r| (pair(r.transport, r.source, r.destination), r.application.to_string()))
        .collect();
    // The client's octets by sequence number, so that loss and reordering do not matter.
    let mut said: HashMap<(End, End), Vec<Said>> = HashMap::new();
    for (_, frame) in &frames {
        let packet = SlicedPacket::from_ethernet(frame).unwrap();
        let Some(TransportSlice::Tcp(tcp)) = packet.transport else { continue };
        let (_, from, to, payload) = verified(frame);
        if to.1 == 443 {
            if tcp.syn() {
                said.entry((from, to)).or_default().insert(0, (tcp.sequence_number(), Vec::new()));
            } else if !payload.is_empty() {
                said.entry((from, to)).or_default().push((tcp.sequence_number(), payload));
            }
        }
    }
    let mut seen = 0;
    for ((from, to), segments) in said {
        let start = segments[0].0.wrapping_add(1);
        let mut stream = vec![0; 6_000];
        for (sequence, payload) in &segments[1..] {
            let at = sequence.wrapping_sub(start) as usize;
            if at + payload.len() <= stream.len() {
                stream[at..at + payload.len()].copy_from_slice(payload);
            }
        }
        if stream[0] == 0 {
            continue;
        }
        let octets = usize::from(u16::from_be_bytes([stream[3], stream[4]]));
        let name = client_hello_name(&stream[..5 + octets]).expect("a name");
        let application = &names[&pair(Transport::Tcp, from, to)];
        assert!(name.ends_with(&format!("{application}.example")), "{name} for {application}");
        seen += 1;
    }
    assert!(seen > 120, "{seen}");
}

#[test]
fn limits_are_checked_at_the_door() {
    let demo = || Params::new(scenario::find("demo").unwrap());
    assert!(demo().flows(0).check().is_err());
    assert!(demo().flows(1).check().is_ok());
    assert!(demo().flows(1_000_001).check().is_err());
    assert!(demo().clients(0).check().is_err());
    assert!(demo().clients(16_001).check().is_err());
    assert!(demo().minutes(0).check().is_err());
    assert!(demo().packets_most(5).check().is_err());
    assert!(demo().snap(10).check().is_err());
    assert!(demo().applications(6).check().is_err());
    let message = scenario::find("nowhere").unwrap_err().to_string();
    assert!(message.contains("nowhere") && message.contains("demo"), "{message}");
    assert!(scenario::names().iter().all(|(name, about)| !name.is_empty() && !about.is_empty()));
}

#[test]
fn every_scenario_can_be_made() {
    for (name, _) in scenario::names() {
        let params =
            Params::new(scenario::find(name).unwrap()).flows(14).packets_most(40).check().unwrap();
        let truth = scenario::write(&params, std::io::sink()).unwrap();
        assert_eq!(truth.rows.len(), 14, "{name}");
    }
}

#[test]
fn nanoseconds_and_the_snap_length_change_the_file_only() {
    let tiny = || Params::new(scenario::find("tiny").unwrap()).flows(10);
    let mut full = Vec::new();
    let truth = scenario::write(&tiny().check().unwrap(), &mut full).unwrap();
    let mut cut = Vec::new();
    let params = tiny().snap(96).resolution(Resolution::Nanoseconds).check().unwrap();
    assert_eq!(scenario::write(&params, &mut cut).unwrap(), truth);
    assert!(cut.len() < full.len());
    assert!(cut.len() as u64 <= 24 + truth.packets * (16 + 96));
    assert_eq!(cut[..4], [0x4d, 0x3c, 0xb2, 0xa1]);
}

#[test]
fn a_writer_that_refuses_is_reported() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(octets.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(octets.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let params = Params::new(scenario::find("tiny").unwrap()).check().unwrap();
    let error = scenario::write(&params, Full(10_000)).unwrap_err();
    assert!(matches!(error, flowgait_synth::Error::Write { what: "capture", .. }), "{error}");
}

/// Kinds differ where they should: else a model could learn nothing, or only names.
#[test]
fn kinds_differ_in_size_and_pace() {
    let (frames, truth) = made("mixed", 350, 4);
    let kinds: HashMap<Pair, Kind> =
        truth.rows.iter().map(|r| (pair(r.transport, r.source, r.destination), r.kind)).collect();
    let mut sum: HashMap<(Kind, bool), (f64, f64)> = HashMap::new();
    for (_, frame) in &frames {
        let (transport, from, to, payload) = verified(frame);
        // Media only, for calls and games: their signalling is like anybody's.
        let media = transport == Transport::Udp && from.1 != 443 && to.1 != 443;
        if let Some(kind) = kinds.get(&pair(transport, from, to)) {
            let entry = sum.entry((*kind, media)).or_default();
            entry.0 += payload.len() as f64;
            entry.1 += 1.0;
        }
    }
    let mean = |kind, media| sum[&(kind, media)].0 / sum[&(kind, media)].1;
    assert!(mean(Kind::Video, false) > 700.0);
    assert!(mean(Kind::Transfer, false) > 600.0);
    assert!(mean(Kind::Chat, false) < mean(Kind::Video, false));
    assert!(mean(Kind::Voice, true) < 200.0);
    assert!(mean(Kind::Game, true) < 250.0);
    assert!(mean(Kind::CloudGame, true) > 600.0);
}
