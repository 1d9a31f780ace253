//! Ethernet, IP, TCP and UDP headers around a payload, with valid lengths and checksums.

use std::net::IpAddr;

use super::{Endpoint, Flow, Packet, TcpFields, Transport};
use crate::framing::SYN;
use crate::process::Direction;

const ETHERNET_OCTETS: usize = 14;

/// Writes a packet of `flow` as an Ethernet frame to `out`, replacing what is there. `number` counts the flow's packets.
pub fn frame(flow: &Flow, packet: &Packet, number: u32, out: &mut Vec<u8>) {
    out.clear();
    let (from, to) = match packet.direction {
        Direction::Up => (&flow.endpoints.client, &flow.endpoints.server),
        Direction::Down => (&flow.endpoints.server, &flow.endpoints.client),
    };
    out.extend_from_slice(&to.mac);
    out.extend_from_slice(&from.mac);
    let mut options = [0; 40];
    let options_octets = match flow.transport {
        Transport::Tcp => tcp_options(flow, packet, &mut options),
        Transport::Udp => 0,
    };
    let header_octets = match flow.transport {
        Transport::Tcp => 20 + options_octets,
        Transport::Udp => 8,
    };
    let above_ip = header_octets + usize::from(packet.payload);
    ip_header(flow, from, to, (above_ip, number), out);
    let transport_at = out.len();
    match flow.transport {
        Transport::Tcp => tcp_header(from, to, &packet.tcp, &options[..options_octets], out),
        Transport::Udp => udp_header(from, to, above_ip as u16, out),
    }
    let payload_at = out.len();
    out.resize(payload_at + usize::from(packet.payload), 0);
    flow.payload(packet, &mut out[payload_at..]);
    let sum = transport_checksum(from, to, flow.transport, &out[transport_at..]);
    let at = transport_at + if flow.transport == Transport::Tcp { 16 } else { 6 };
    out[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

fn ip_header(flow: &Flow, from: &Endpoint, to: &Endpoint, (above, number): (usize, u32), out: &mut Vec<u8>) {
    let protocol = protocol_number(flow.transport);
    match (from.address, to.address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            out.extend_from_slice(&[0x08, 0x00]);
            let at = out.len();
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&((20 + above) as u16).to_be_bytes());
            let id = (flow.key as u32).wrapping_add(number) as u16;
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&[0x40, 0, from.ttl, protocol, 0, 0]);
            out.extend_from_slice(&a.octets());
            out.extend_from_slice(&b.octets());
            let sum = fold(sum_words(0, &out[at..at + 20]));
            out[at + 10..at + 12].copy_from_slice(&sum.to_be_bytes());
        }
        (a, b) => {
            out.extend_from_slice(&[0x86, 0xdd]);
            // The flow label stays the same for a flow (RFC 6437).
            let label = (flow.key >> 32) as u32 & 0x000f_ffff;
            out.extend_from_slice(&(0x6000_0000 | label).to_be_bytes());
            out.extend_from_slice(&(above as u16).to_be_bytes());
            out.extend_from_slice(&[protocol, from.ttl]);
            out.extend_from_slice(&v6(a));
            out.extend_from_slice(&v6(b));
        }
    }
    debug_assert_eq!(out.len() - ETHERNET_OCTETS, if from.address.is_ipv4() { 20 } else { 40 });
}

fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(a) => a.to_ipv6_mapped().octets(),
        IpAddr::V6(a) => a.octets(),
    }
}

fn protocol_number(transport: Transport) -> u8 {
    match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
    }
}

/// Octets of the options of a segment that is no SYN.
#[must_use]
pub fn segment_option_octets(timestamps: bool) -> u32 {
    if timestamps { 12 } else { 0 }
}

fn tcp_options(flow: &Flow, packet: &Packet, out: &mut [u8; 40]) -> usize {
    let tcp = &packet.tcp;
    if tcp.flags & SYN != 0 {
        return flow.syn_options[packet.direction.index()].write(tcp.timestamps, out);
    }
    let mut n = 0;
    if tcp.timestamps != (0, 0) {
        out[..4].copy_from_slice(&[1, 1, 8, 10]);
        out[4..8].copy_from_slice(&tcp.timestamps.0.to_be_bytes());
        out[8..12].copy_from_slice(&tcp.timestamps.1.to_be_bytes());
        n = 12;
    }
    if tcp.sack.1 > 0 {
        out[n..n + 4].copy_from_slice(&[1, 1, 5, 10]);
        let left = tcp.acknowledgement.wrapping_add(tcp.sack.0);
        let right = tcp.acknowledgement.wrapping_add(tcp.sack.1);
        out[n + 4..n + 8].copy_from_slice(&left.to_be_bytes());
        out[n + 8..n + 12].copy_from_slice(&right.to_be_bytes());
        n += 12;
    }
    n
}

fn tcp_header(from: &Endpoint, to: &Endpoint, tcp: &TcpFields, options: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&from.port.to_be_bytes());
    out.extend_from_slice(&to.port.to_be_bytes());
    out.extend_from_slice(&tcp.sequence.to_be_bytes());
    out.extend_from_slice(&tcp.acknowledgement.to_be_bytes());
    out.push((((20 + options.len()) / 4) << 4) as u8);
    out.push(tcp.flags);
    out.extend_from_slice(&tcp.window.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(options);
}

fn udp_header(from: &Endpoint, to: &Endpoint, length: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&from.port.to_be_bytes());
    out.extend_from_slice(&to.port.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
}

/// Checksum over the pseudo-header and what follows (RFC 9293, 3.1; RFC 8200, 8.1).
fn transport_checksum(from: &Endpoint, to: &Endpoint, transport: Transport, segment: &[u8]) -> u16 {
    let mut sum = u64::from(protocol_number(transport)) + segment.len() as u64;
    sum = match (from.address, to.address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => sum_words(sum_words(sum, &a.octets()), &b.octets()),
        (a, b) => sum_words(sum_words(sum, &v6(a)), &v6(b)),
    };
    let folded = fold(sum_words(sum, segment));
    // In UDP, zero means "no checksum" (RFC 768).
    if folded == 0 && transport == Transport::Udp { 0xffff } else { folded }
}

/// Adds 32-bit words; folding later gives the same one's complement sum as 16-bit words.
fn sum_words(mut sum: u64, octets: &[u8]) -> u64 {
    let mut chunks = octets.chunks_exact(4);
    for c in &mut chunks {
        sum += u64::from(u32::from_be_bytes([c[0], c[1], c[2], c[3]]));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        sum += u64::from(u32::from_be_bytes(last));
    }
    sum
}

fn fold(mut sum: u64) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
