//! The same captures, read by `pcap-parser` and `etherparse`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use flowgait_capture::{Address, Packet, Protocol, Reader, ReaderParams, Tunnel};
use pcap_parser::{Block, PcapBlockOwned, PcapError};

use crate::support::{captures, read_all};

/// A packet as `pcap-parser` sees it.
struct Frame {
    link: u16,
    nanoseconds: i64,
    captured: Vec<u8>,
    original: u64,
}

fn frames(octets: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut reader = pcap_parser::create_reader(4 << 20, octets).unwrap();
    let (mut link, mut unit) = (0, 1_000);
    // Link type, units a second, and offset in seconds of each interface.
    let mut interfaces: Vec<(u16, u64, i64)> = Vec::new();
    loop {
        let consumed = match reader.next() {
            Ok((consumed, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        link = header.network.0 as u16;
                        unit = if header.is_nanosecond_precision() { 1 } else { 1_000 };
                    }
                    PcapBlockOwned::Legacy(packet) => frames.push(Frame {
                        link,
                        nanoseconds: i64::from(packet.ts_sec) * 1_000_000_000
                            + i64::from(packet.ts_usec) * unit,
                        captured: packet.data.to_vec(),
                        original: u64::from(packet.origlen),
                    }),
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        interfaces.push((
                            interface.linktype.0 as u16,
                            interface.ts_resolution().unwrap(),
                            interface.ts_offset(),
                        ))
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let (link, resolution, offset) = interfaces[packet.if_id as usize];
                        let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                        let nanoseconds =
                            i128::from(units) * 1_000_000_000 / i128::from(resolution);
                        frames.push(Frame {
                            link,
                            nanoseconds: i64::try_from(nanoseconds).unwrap()
                                + offset * 1_000_000_000,
                            captured: packet.data[..packet.caplen as usize].to_vec(),
                            original: u64::from(packet.origlen),
                        });
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => frames.push(Frame {
                        link: interfaces[0].0,
                        nanoseconds: 0,
                        captured: packet.data.to_vec(),
                        original: u64::from(packet.origlen),
                    }),
                    PcapBlockOwned::NG(_) => {}
                }
                consumed
            }
            Err(PcapError::Eof) => return frames,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().unwrap();
                continue;
            }
            // It stops with different words than we do; the packets before count.
            Err(_) => return frames,
        };
        reader.consume(consumed);
    }
}

/// What `etherparse` finds in a frame, with tunnels not followed.
#[derive(Debug, PartialEq, Eq)]
struct Headers {
    source: Address,
    destination: Address,
    protocol: Protocol,
    ports: [u16; 2],
    ip_octets: u16,
    ttl: u8,
    payload_octets: u16,
    tcp: Option<(u32, u8, u16)>,
}

impl Headers {
    fn ours(packet: &Packet) -> Self {
        Self {
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            ports: [packet.source_port, packet.destination_port],
            ip_octets: packet.ip_octets,
            ttl: packet.ttl,
            payload_octets: packet.payload_octets,
            tcp: (packet.protocol == Protocol::TCP).then_some((
                packet.tcp_sequence,
                packet.tcp_flags.0,
                packet.tcp_window,
            )),
        }
    }

    /// None when it is not a whole TCP or UDP header of an unfragmented packet that states its length.
    fn theirs(frame: &Frame) -> Option<Self> {
        let sliced = LaxSlicedPacket::from_ethernet(&frame.captured).ok()?;
        let net = sliced.net?;
        let (source, destination, ip_octets, header_octets, ttl) = match &net {
            LaxNetSlice::Ipv4(ip) if !ip.is_payload_fragmented() => {
                let header = ip.header();
                let extensions = ip.extensions().to_header().header_len();
                let source = Address::v4(header.source());
                let destination = Address::v4(header.destination());
                let octets = header.slice().len() + extensions;
                (source, destination, header.total_len(), octets, header.ttl())
            }
            LaxNetSlice::Ipv6(ip) if !ip.is_payload_fragmented() => {
                let header = ip.header();
                let source = Address::v6(header.source());
                let destination = Address::v6(header.destination());
                let octets = 40 + ip.extensions().slice().len();
                let total = header.payload_length() + 40;
                (source, destination, total, octets, header.hop_limit())
            }
            _ => return None,
        };
        let above = ip_octets.checked_sub(u16::try_from(header_octets).unwrap())?;
        let (protocol, ports, payload_octets, tcp) = match sliced.transport? {
            TransportSlice::Tcp(tcp) => {
                let flags = tcp.slice()[13];
                let payload = above.checked_sub(u16::from(tcp.data_offset()) * 4)?;
                let fields = (tcp.sequence_number(), flags, tcp.window_size());
                (Protocol::TCP, [tcp.source_port(), tcp.destination_port()], payload, Some(fields))
            }
            TransportSlice::Udp(udp) => {
                let stated = if udp.length() < 8 { above } else { udp.length().min(above) };
                let ports = [udp.source_port(), udp.destination_port()];
                (Protocol::UDP, ports, stated - 8, None)
            }
            _ => return None,
        };
        Some(Self { source, destination, protocol, ports, ip_octets, ttl, payload_octets, tcp })
    }
}

fn has_transport(packet: &Packet) -> bool {
    let is_tcp_or_udp = matches!(packet.protocol, Protocol::TCP | Protocol::UDP);
    is_tcp_or_udp && !packet.fragment && packet.tunnel == Tunnel::None
}

/// Compares one capture; gives the packets compared, and those that only we decode.
fn compare(path: &Path) -> (u64, u64) {
    let frames = frames(&fs::read(path).unwrap());
    let ours = read_all(Reader::open(path, &ReaderParams::default()).unwrap()).unwrap();
    let place = path.display();
    assert_eq!(ours.report.packets_read, frames.len() as u64, "{place}: number of packets");
    let octets: u64 = frames.iter().map(|frame| frame.original).sum();
    assert_eq!(ours.report.octets, octets, "{place}: octets");
    let by_number: HashMap<u64, &Packet> =
        ours.packets.iter().map(|seen| (seen.packet.number, &seen.packet)).collect();
    let (mut compared, mut only_ours) = (0, 0);
    for (number, frame) in (1..).zip(&frames) {
        let our = by_number.get(&number);
        if let Some(our) = our {
            assert_eq!(our.time.0, frame.nanoseconds, "{place}: time of packet {number}");
        }
        if frame.link != 1 {
            continue;
        }
        match (our.filter(|our| has_transport(our)), Headers::theirs(frame)) {
            (Some(our), Some(their)) => {
                assert_eq!(Headers::ours(our), their, "{place}: packet {number}");
                compared += 1;
            }
            (None, Some(their)) => {
                let is_tunnel = our.is_some_and(|our| our.tunnel != Tunnel::None);
                assert!(is_tunnel, "{place}: packet {number} only theirs: {their:?}, ours {our:?}");
            }
            (Some(_), None) => only_ours += 1,
            (None, None) => {}
        }
    }
    (compared, only_ours)
}

#[test]
fn two_other_libraries_read_the_same() {
    let (mut compared, mut only_ours, mut captures_compared) = (0, 0, 0);
    for path in captures() {
        let (both, ours) = compare(&path);
        if ours > 0 {
            println!("{}: {ours} packets decoded only by us", path.display());
        }
        compared += both;
        only_ours += ours;
        captures_compared += 1;
    }
    println!("{captures_compared} captures, {compared} packets equal, {only_ours} only ours");
    if captures_compared > 0 {
        assert!(compared > 30_000, "the comparison lost its subject: {compared} packets");
    }
}
