//! Other addresses for each copy: a small header walker that goes into tunnels too.

use std::ops::Range;

/// How many headers deep we look; real traffic nests four or five.
const DEPTH_MAX: usize = 16;

/// Gives a frame the addresses of copy number `copy`; 0 changes nothing.
pub fn addresses(frame: &mut [u8], copy: u8) {
    for header in ip_headers(frame) {
        match header {
            Ip::V4(at) => {
                for octet in [at + 13, at + 17] {
                    frame[octet] ^= copy;
                }
                fix_checksum(frame, at);
            }
            Ip::V6(at) => {
                for octet in [at + 13, at + 29] {
                    frame[octet] ^= copy;
                }
            }
        }
    }
}

/// Both ends (smaller first), ports and protocol of the innermost IP packet.
pub fn key(frame: &[u8]) -> Option<[Vec<u8>; 3]> {
    let (protocol, ends, transport) = match *ip_headers(frame).last()? {
        Ip::V4(at) => {
            let transport = at + usize::from(frame[at] & 15) * 4;
            (frame[at + 9], [at + 12..at + 16, at + 16..at + 20], transport)
        }
        Ip::V6(at) => (frame[at + 6], [at + 8..at + 24, at + 24..at + 40], at + 40),
    };
    let end = |address: &Range<usize>, port: usize| {
        let mut end = frame[address.clone()].to_vec();
        if matches!(protocol, 6 | 17 | 132) {
            end.extend_from_slice(frame.get(port..port + 2).unwrap_or_default());
        }
        end
    };
    let (source, destination) = (end(&ends[0], transport), end(&ends[1], transport + 2));
    let (low, high) =
        if source <= destination { (source, destination) } else { (destination, source) };
    Some([low, high, vec![protocol]])
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ip {
    V4(usize),
    V6(usize),
}

/// What comes next in a frame.
#[derive(Clone, Copy)]
enum Next {
    Ethernet,
    EtherType(u16),
    Mpls,
    Protocol(u8),
    Done,
}

/// Where the IP headers of a frame start, the outermost first; only those whose fixed part was captured.
fn ip_headers(frame: &[u8]) -> Vec<Ip> {
    let mut headers = Vec::new();
    let (mut next, mut at) = (Next::Ethernet, 0);
    for _ in 0..DEPTH_MAX {
        let step = match next {
            Next::Ethernet => u16_at(frame, at + 12).map(|found| (Next::EtherType(found), at + 14)),
            Next::EtherType(found) => ether_type(frame, at, found, &mut headers),
            Next::Mpls => mpls(frame, at),
            Next::Protocol(found) => protocol(frame, at, found),
            Next::Done => None,
        };
        let Some(step) = step else { break };
        (next, at) = step;
    }
    headers
}

fn ether_type(frame: &[u8], at: usize, found: u16, headers: &mut Vec<Ip>) -> Option<(Next, usize)> {
    match found {
        0x0800 => ipv4(frame, at, headers),
        0x86dd => ipv6(frame, at, headers),
        0x8100 | 0x88a8 | 0x9100 => Some((Next::EtherType(u16_at(frame, at + 2)?), at + 4)),
        0x8847 | 0x8848 => Some((Next::Mpls, at)),
        // PPPoE session: six octets, then PPP's protocol.
        0x8864 => match u16_at(frame, at + 6)? {
            0x0021 => ipv4(frame, at + 8, headers),
            0x0057 => ipv6(frame, at + 8, headers),
            _ => None,
        },
        // Transparent Ethernet bridging (in GRE).
        0x6558 => Some((Next::Ethernet, at)),
        _ => None,
    }
}

fn ipv4(frame: &[u8], at: usize, headers: &mut Vec<Ip>) -> Option<(Next, usize)> {
    let fixed = frame.get(at..at + 20)?;
    let header_octets = usize::from(fixed[0] & 15) * 4;
    if fixed[0] >> 4 != 4 || header_octets < 20 || frame.len() < at + header_octets {
        return None;
    }
    headers.push(Ip::V4(at));
    let is_first = u16_at(frame, at + 6)? & 0x1fff == 0;
    let next = if is_first { Next::Protocol(fixed[9]) } else { Next::Done };
    Some((next, at + header_octets))
}

fn ipv6(frame: &[u8], at: usize, headers: &mut Vec<Ip>) -> Option<(Next, usize)> {
    let fixed = frame.get(at..at + 40)?;
    if fixed[0] >> 4 != 6 {
        return None;
    }
    headers.push(Ip::V6(at));
    Some((Next::Protocol(fixed[6]), at + 40))
}

fn mpls(frame: &[u8], at: usize) -> Option<(Next, usize)> {
    let is_bottom = frame.get(at + 2)? & 1 == 1;
    if !is_bottom {
        return Some((Next::Mpls, at + 4));
    }
    let next = match frame.get(at + 4)? >> 4 {
        4 => Next::EtherType(0x0800),
        6 => Next::EtherType(0x86dd),
        _ => return None,
    };
    Some((next, at + 4))
}

/// Tunnels; any other protocol ends the walk.
fn protocol(frame: &[u8], at: usize, found: u8) -> Option<(Next, usize)> {
    match found {
        4 => Some((Next::EtherType(0x0800), at)),
        41 => Some((Next::EtherType(0x86dd), at)),
        // IPv6 hop-by-hop, routing and destination options.
        0 | 43 | 60 => {
            let octets = (usize::from(*frame.get(at + 1)?) + 1) * 8;
            Some((Next::Protocol(frame[at]), at + octets))
        }
        47 => {
            let flags = u16_at(frame, at)?;
            let options =
                [0x8000, 0x2000, 0x1000].iter().filter(|flag| flags & **flag != 0).count();
            // Version 1 (RFC 2637) carries PPP, which shifting leaves alone.
            (flags & 7 == 0)
                .then_some((Next::EtherType(u16_at(frame, at + 2)?), at + 4 + 4 * options))
        }
        17 => match u16_at(frame, at + 2)? {
            4789 => Some((Next::Ethernet, at + 16)),
            2152 => gtpu(frame, at + 8),
            _ => None,
        },
        _ => None,
    }
}

fn gtpu(frame: &[u8], at: usize) -> Option<(Next, usize)> {
    let (flags, kind) = (*frame.get(at)?, *frame.get(at + 1)?);
    // G-PDU without extension headers; others keep their inner addresses.
    if flags & 0xf4 != 0x30 || kind != 0xff {
        return None;
    }
    let inner = at + 8 + if flags & 3 == 0 { 0 } else { 4 };
    match frame.get(inner)? >> 4 {
        4 => Some((Next::EtherType(0x0800), inner)),
        6 => Some((Next::EtherType(0x86dd), inner)),
        _ => None,
    }
}

/// Sets the checksum of the IPv4 header at `at` (RFC 1071).
fn fix_checksum(frame: &mut [u8], at: usize) {
    let header = at..at + usize::from(frame[at] & 15) * 4;
    frame[at + 10..at + 12].fill(0);
    let mut sum: u32 = frame[header]
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    #[expect(clippy::cast_possible_truncation, reason = "folded to 16 bits")]
    frame[at + 10..at + 12].copy_from_slice(&(!sum as u16).to_be_bytes());
}

fn u16_at(frame: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The header of RFC 1071's usual worked example; its checksum is 0xb861.
    const IPV4: [u8; 20] = [
        0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,
        0xc7,
    ];

    fn ethernet(ethertype: [u8; 2], rest: &[&[u8]]) -> Vec<u8> {
        [&[0; 12], &ethertype[..], &rest.concat()].concat()
    }

    #[test]
    fn copy_zero_changes_nothing_and_the_checksum_is_right() {
        let mut frame = ethernet([8, 0], &[&IPV4, &[0, 80, 0, 81]]);
        let before = frame.clone();
        addresses(&mut frame, 0);
        assert_eq!(frame, before);
    }

    #[test]
    fn each_copy_has_its_own_addresses_and_shifting_twice_undoes() {
        let original = ethernet([8, 0], &[&IPV4, &[0, 80, 0, 81]]);
        let mut frame = original.clone();
        addresses(&mut frame, 5);
        assert_ne!(key(&frame), key(&original));
        assert_eq!(frame[14 + 12..14 + 20], [0xc0, 0xa8 ^ 5, 0, 1, 0xc0, 0xa8 ^ 5, 0, 0xc7]);
        addresses(&mut frame, 5);
        assert_eq!(frame, original);
    }

    #[test]
    fn both_directions_have_one_key() {
        let there = ethernet([8, 0], &[&IPV4, &[0, 80, 0, 81]]);
        let mut back = there.clone();
        back[14 + 12..14 + 20].copy_from_slice(&[0xc0, 0xa8, 0, 0xc7, 0xc0, 0xa8, 0, 1]);
        back[14 + 20..14 + 24].copy_from_slice(&[0, 81, 0, 80]);
        assert_eq!(key(&there), key(&back));
    }

    fn check(frame: &[u8], expected: &[Ip]) {
        assert_eq!(ip_headers(frame), expected);
    }

    #[test]
    fn the_walk_goes_through_tags_and_into_tunnels() {
        let ip_of = |protocol: u8| {
            let mut header = IPV4;
            header[9] = protocol;
            header
        };
        check(&ethernet([0x81, 0], &[&[0, 7, 8, 0], &IPV4, &[0; 8]]), &[Ip::V4(18)]);
        check(
            &ethernet([0x88, 0x47], &[&[0, 1, 0, 64, 0, 1, 1, 64], &IPV4, &[0; 8]]),
            &[Ip::V4(22)],
        );
        check(&ethernet([0x88, 0x64], &[&[0x11, 0, 0, 1, 0, 9, 0, 0x21], &IPV4]), &[Ip::V4(22)]);
        check(&ethernet([8, 0], &[&ip_of(4), &IPV4]), &[Ip::V4(14), Ip::V4(34)]);
        check(
            &ethernet([8, 0], &[&ip_of(47), &[0x20, 0, 8, 0, 0, 0, 0, 9], &IPV4]),
            &[Ip::V4(14), Ip::V4(42)],
        );
        let vxlan = [0, 1, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0];
        let inner = ethernet([8, 0], &[&IPV4]);
        check(&ethernet([8, 0], &[&IPV4, &vxlan, &inner]), &[Ip::V4(14), Ip::V4(64)]);
        let gtpu = [0, 1, 0x08, 0x68, 0, 0, 0, 0, 0x30, 0xff, 0, 20, 0, 0, 0, 1];
        check(&ethernet([8, 0], &[&IPV4, &gtpu, &IPV4]), &[Ip::V4(14), Ip::V4(50)]);
    }

    #[test]
    fn a_cut_frame_is_walked_as_far_as_it_goes() {
        let whole = ethernet([8, 0], &[&IPV4, &[0, 80, 0, 81]]);
        for length in 0..whole.len() {
            let mut cut = whole[..length].to_vec();
            addresses(&mut cut, 3);
            let _ = key(&cut);
        }
    }
}
