//! Packet streams for the meter, DNS answers, filter expressions.

use super::Seed;

pub fn seeds() -> Vec<Seed> {
    [meter(), dns(), filter()].concat()
}

/// Ends and ports 1 → 2, from port 40,000 to 443; and back.
const THERE: u8 = 0b01_10_10_01;
const BACK: u8 = 0b10_01_01_10;
const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 17;
const RST: u8 = 4;
const TCP_MILLIS: u8 = 0b01_00;
const TCP_LONG: u8 = 0b10_00;
const TCP_BACKWARDS: u8 = 0b11_00;
const UDP_MILLIS: u8 = 0b01_01;

/// As the target `meter` reads it.
fn packet(ends: u8, kind: u8, step: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let octets = u8::try_from(payload.len()).expect("seeds are small");
    [&[ends, kind, step, flags, 0, 40 + octets, 1, octets][..], payload].concat()
}

fn meter() -> Vec<Seed> {
    let open = [
        packet(THERE, TCP_MILLIS, 1, SYN, b""),
        packet(BACK, TCP_MILLIS, 9, SYN | ACK, b""),
        packet(THERE, TCP_MILLIS, 9, ACK, b"hello"),
    ]
    .concat();
    let close = [
        packet(THERE, TCP_MILLIS, 1, FIN, b""),
        packet(BACK, TCP_MILLIS, 1, FIN, b""),
        packet(THERE, TCP_MILLIS, 1, ACK, b""),
    ]
    .concat();
    let answer = [b"\0\x01\x81\x80\0\x01\0\x01\0\0\0\0", &answer_body()[..]].concat();
    let many: Vec<u8> = (0..=255).flat_map(|ends| packet(ends, UDP_MILLIS, 1, 0, b"x")).collect();
    [
        ("tcp-closed-and-reused", [&open[..], &close, &open].concat()),
        ("tcp-reset", [&open[..], &packet(BACK, TCP_MILLIS, 1, RST, b"")].concat()),
        ("idle-and-active", [&open[..], &packet(THERE, TCP_LONG, 30, ACK, b""), &open].concat()),
        ("clock-goes-back", [&open[..], &packet(BACK, TCP_BACKWARDS, 99, ACK, b"y")].concat()),
        ("dns-names-a-flow", [packet(0b10_00_01_10, UDP_MILLIS, 1, 0, &answer), open].concat()),
        ("more-flows-than-fit", many),
    ]
    .map(|(name, bytes)| ("meter", name, bytes))
    .to_vec()
}

/// One question and its answer: gait.example is 192.0.2.1.
fn answer_body() -> Vec<u8> {
    let question = b"\x04gait\x07example\0\0\x01\0\x01";
    let answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";
    [&question[..], answer].concat()
}

fn dns() -> Vec<Seed> {
    let alias = b"\x04gait\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x11\
        \xc0\x2a\0\x1c\0\x01\0\0\0\x3c\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01";
    [
        ("one-address", [&b"\0\x01\x81\x80\0\x01\0\x01\0\0\0\0"[..], &answer_body()].concat()),
        ("alias-and-ipv6", [&b"\0\x01\x81\x80\0\x01\0\x02\0\0\0\0"[..], alias].concat()),
        ("pointer-to-itself", b"\0\x01\x81\x80\0\x01\0\x01\0\0\0\0\xc0\x0c\0\x01\0\x01".to_vec()),
    ]
    .map(|(name, bytes)| ("dns_answers", name, bytes))
    .to_vec()
}

fn filter() -> Vec<Seed> {
    [
        ("words", "tcp port 443 and not net 10.0.0.0/8"),
        ("nested", "(src host 192.0.2.1 or dst host 2001:db8::1) && ! (vlan 7 or icmp6)"),
        ("repeated", "udp portrange 50000-50010 or 443 and ip6 proto 17"),
        ("wrong", "tcp prot 443"),
    ]
    .map(|(name, text)| ("filter", name, text.as_bytes().to_vec()))
    .to_vec()
}
