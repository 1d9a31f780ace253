//! Captures of a handful of packets between made addresses.

use std::io::Write;

use super::Seed;

pub fn seeds() -> Vec<Seed> {
    let plain = pcap(1, &ethernet_frames());
    let ng = pcapng(1, &ethernet_frames());
    [
        ("pcap-little", plain.clone()),
        ("pcap-big-nanos", pcap_big_nanos(101, &[ipv4(17, &udp(53, 40_000, b"\0\0"))])),
        ("pcap-sll", pcap(113, &[[&[0; 14], &[8, 0][..], &ipv4(6, &tcp(2))].concat()])),
        ("pcap-null", pcap(0, &[[&[2, 0, 0, 0][..], &ipv4(6, &tcp(16))].concat()])),
        ("pcap-ppp", pcap(9, &[[&[0xff, 3, 0, 0x21][..], &ipv4(6, &tcp(16))].concat()])),
        ("pcap-hdlc", pcap(104, &[[&[0x0f, 0, 8, 0][..], &ipv4(6, &tcp(16))].concat()])),
        ("pcapng", ng.clone()),
        ("pcap-gzip", gzip(&plain)),
        ("pcapng-zstd", zstd::bulk::compress(&ng, 1).expect("memory")),
        ("pcap-cut", plain[..plain.len() - 9].to_vec()),
        ("pcapng-cut", ng[..ng.len() - 9].to_vec()),
    ]
    .map(|(name, bytes)| ("capture_reader", name, bytes))
    .to_vec()
}

/// One frame for each header that the walker knows.
fn ethernet_frames() -> Vec<Vec<u8>> {
    let inner = ipv4(6, &tcp(2));
    let inner_frame = ethernet(0x0800, &inner);
    // Hop-by-hop options, then a first fragment.
    let options = [&[44, 0, 0, 0, 0, 0, 0, 0][..], &[17, 0, 0, 1, 0, 0, 0, 9]].concat();
    let pptp = [0x30, 1, 0x88, 0x0b, 0, 42, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21];
    let over_udp = |port: u16, head: &[u8], inside: &[u8]| {
        ethernet(0x0800, &ipv4(17, &udp(9, port, &[head, inside].concat())))
    };
    vec![
        inner_frame.clone(),
        ethernet(0x86dd, &ipv6(17, &udp(443, 50_000, b"payload"))),
        ethernet(0x86dd, &ipv6(0, &[&options[..], &udp(1, 2, b"xy")].concat())),
        ethernet(0x0800, &ipv4_fragment(0x2000, &udp(1, 2, b"12345678"))),
        ethernet(0x0800, &ipv4_fragment(0x0002, b"the rest")),
        ethernet(0x8100, &[&[0, 7, 8, 0][..], &inner].concat()),
        ethernet(0x88a8, &[&[0, 7, 0x81, 0, 0, 8, 8, 0][..], &inner].concat()),
        ethernet(0x8847, &[&[0, 1, 0, 64, 0, 1, 1, 64][..], &inner].concat()),
        ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 42, 0, 0x21][..], &inner].concat()),
        ethernet(0x0800, &ipv4(4, &inner)),
        ethernet(0x0800, &ipv4(41, &ipv6(6, &tcp(16)))),
        ethernet(0x0800, &ipv4(47, &[&[0x20, 0, 8, 0, 0, 0, 0, 9][..], &inner].concat())),
        ethernet(0x0800, &ipv4(47, &[&pptp[..], &inner].concat())),
        over_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &inner_frame),
        over_udp(2152, &[0x30, 0xff, 0, 40, 0, 0, 0, 1], &inner),
        over_udp(5247, &[0, 0x10, 0x02, 0, 0, 0, 0, 0], &inner_frame),
        ethernet(0x0806, &[0, 1, 8, 0, 6, 4, 0, 1]),
    ]
}

fn ethernet(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &ethertype.to_be_bytes(), rest].concat()
}

fn ipv4(protocol: u8, rest: &[u8]) -> Vec<u8> {
    let length = octets(rest.len() + 20);
    let ends = [192, 0, 2, 1, 198, 51, 100, 2];
    [&[0x45, 0][..], &length, &[0, 7, 0, 0, 64, protocol, 0, 0], &ends, rest].concat()
}

fn ipv4_fragment(flags_and_offset: u16, rest: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(17, rest);
    packet[6..8].copy_from_slice(&flags_and_offset.to_be_bytes());
    packet
}

fn ipv6(next: u8, rest: &[u8]) -> Vec<u8> {
    let end = |last: u8| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    [&[0x60, 0, 0, 0][..], &octets(rest.len()), &[next, 64], &end(1), &end(2), rest].concat()
}

fn tcp(flags: u8) -> Vec<u8> {
    [0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0].to_vec()
}

fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = octets(payload.len() + 8);
    [&source.to_be_bytes()[..], &destination.to_be_bytes(), &length, &[0, 0], payload].concat()
}

fn octets(count: usize) -> [u8; 2] {
    u16::try_from(count).expect("seeds are small").to_be_bytes()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("seeds are small")
}

/// A little-endian pcap in microseconds; a packet each 10 ms.
fn pcap(link_type: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link_type] {
        bytes.extend(u32::to_le_bytes(field));
    }
    for (at, frame) in (0..).zip(frames) {
        for field in [1_700_000_000, at * 10_000, length(frame), length(frame)] {
            bytes.extend(u32::to_le_bytes(field));
        }
        bytes.extend(frame);
    }
    bytes
}

fn pcap_big_nanos(link_type: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in [0xa1b2_3c4d, 0x0002_0004, 0, 0, 65_535, link_type] {
        bytes.extend(u32::to_be_bytes(field));
    }
    for frame in frames {
        for field in [1_700_000_000, 999_999_999, length(frame), length(frame)] {
            bytes.extend(u32::to_be_bytes(field));
        }
        bytes.extend(frame);
    }
    bytes
}

/// A section with two interfaces (one in nanoseconds), enhanced, simple and unknown blocks.
fn pcapng(link_type: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let link = link_type.to_le_bytes();
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let micros = [&link[..], &[0, 0, 0, 0, 4, 0]].concat();
    let nanos = [&link[..], &[0, 0, 0, 0, 4, 0], &[9, 0, 1, 0, 9, 0, 0, 0], &[0; 4]].concat();
    let mut bytes = [block(0x0a0d_0d0a, &section), block(1, &micros), block(1, &nanos)].concat();
    for (at, frame) in (0_u32..).zip(frames) {
        let fields = [at % 2, 0x0006_0a24, at * 1_000, length(frame), length(frame)];
        let head: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        bytes.extend(block(6, &[&head[..], frame].concat()));
    }
    let simple = [&length(&frames[0]).to_le_bytes()[..], &frames[0]].concat();
    bytes.extend(block(3, &simple));
    bytes.extend(block(0x0bad_b10c, b"what is this"));
    bytes
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let total = (length(&body) + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &total, &body, &total].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
}
