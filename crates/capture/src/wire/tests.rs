//! Hand-made frames: each link type, each header between, each tunnel, and what is skipped.

use super::*;
use crate::packet::{Address, Protocol, TcpFlags, Tunnel};

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [192, 0, 2, 9];
const CLIENT6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const SERVER6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

const ETHERNET: u16 = 1;
const RAW: u16 = 101;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn length(octets: usize) -> [u8; 2] {
    u16::try_from(octets).unwrap().to_be_bytes()
}

fn ipv4_of(source: [u8; 4], destination: [u8; 4], protocol: u8, above: &[u8]) -> Vec<u8> {
    let total = length(20 + above.len());
    let header = [0x45, 0, total[0], total[1], 0, 7, 0, 0, 64, protocol, 0, 0];
    join(&[&header, &source, &destination, above])
}

fn ipv4(protocol: u8, above: &[u8]) -> Vec<u8> {
    ipv4_of(CLIENT, SERVER, protocol, above)
}

/// The outer packet of a tunnel.
fn outer(protocol: u8, above: &[u8]) -> Vec<u8> {
    ipv4_of([172, 16, 0, 1], [172, 16, 0, 2], protocol, above)
}

fn ipv6(next: u8, above: &[u8]) -> Vec<u8> {
    let octets = length(above.len());
    join(&[&[0x60, 0, 0, 0, octets[0], octets[1], next, 61], &CLIENT6, &SERVER6, above])
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let ports = [0xc7, 0x38, 0x01, 0xbb];
    let rest = [0, 0, 1, 2, 0, 0, 0, 0, 0x60, 0x18, 0x12, 0x34, 0, 0, 0, 0, 2, 4, 5, 180];
    join(&[&ports, &rest, payload])
}

fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let octets = length(8 + payload.len());
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &octets, &[0, 0], payload])
}

fn ethernet(kind: u16, above: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &kind.to_be_bytes(), above])
}

/// The packet that most frames here carry.
fn inner() -> Vec<u8> {
    ipv4(6, &tcp(b"hello"))
}

fn decode_cut(link: u16, frame: &[u8], original: usize) -> Result<(Packet, Layers), Skip> {
    let frame = Frame { bytes: frame, start: 1_000, original };
    let outcome = Decoder::new(16).decode(LinkType(link), Timestamp(5), 1, &frame);
    outcome.map_err(|(skip, _)| skip)
}

fn decode(link: u16, frame: &[u8]) -> Result<(Packet, Layers), Skip> {
    decode_cut(link, frame, frame.len())
}

/// The frame carries `inner()` through this tunnel; `at` is where its payload starts.
fn check_inner(link: u16, frame: &[u8], tunnel: Tunnel) -> Layers {
    let (packet, layers) = decode(link, frame).unwrap();
    let payload_at = frame.windows(5).position(|octets| octets == b"hello").unwrap();
    let expected = Packet {
        time: Timestamp(5),
        number: 1,
        source: Address::v4(CLIENT),
        destination: Address::v4(SERVER),
        source_port: 51_000,
        destination_port: 443,
        ip_octets: 49,
        payload_octets: 5,
        tcp_window: 0x1234,
        tcp_sequence: 0x0102,
        protocol: Protocol::TCP,
        tcp_flags: TcpFlags(0x18),
        tunnel,
        fragment: false,
        ttl: 64,
        ip_header_octets: 20,
        vlan_plus_one: packet.vlan_plus_one,
        payload_start: u32::try_from(1_000 + payload_at).unwrap(),
        payload_captured: 5,
    };
    assert_eq!(packet, expected);
    layers
}

/// The inside cannot be decoded, so that the outer packet is given.
fn check_outer(link: u16, frame: &[u8]) {
    let (packet, _) = decode(link, frame).unwrap();
    assert_eq!(packet.source, Address::v4([172, 16, 0, 1]), "{packet:?}");
    assert_eq!(packet.tunnel, Tunnel::None);
}

fn check_skip(link: u16, frame: &[u8], skip: Skip) {
    assert_eq!(decode(link, frame).map(|(packet, _)| packet), Err(skip), "{frame:02x?}");
}

#[test]
fn link_types() {
    check_inner(ETHERNET, &ethernet(0x0800, &inner()), Tunnel::None);
    for link in [RAW, 12, 14, 228] {
        check_inner(link, &inner(), Tunnel::None);
    }
    check_inner(0, &join(&[&[2, 0, 0, 0], &inner()]), Tunnel::None);
    check_inner(0, &join(&[&[0, 0, 0, 2], &inner()]), Tunnel::None);
    check_inner(108, &join(&[&[0, 0, 0, 2], &inner()]), Tunnel::None);
    check_inner(9, &join(&[&[0xff, 3, 0, 0x21], &inner()]), Tunnel::None);
    check_inner(9, &join(&[&[0, 0x21], &inner()]), Tunnel::None);
    check_inner(9, &join(&[&[0x21], &inner()]), Tunnel::None);
    check_inner(9, &join(&[&[0x0f, 0, 8, 0], &inner()]), Tunnel::None);
    check_inner(50, &join(&[&[0xff, 3, 0, 0x21], &inner()]), Tunnel::None);
    check_inner(104, &join(&[&[0x0f, 0, 8, 0], &inner()]), Tunnel::None);
    let session = [0x11, 0, 0, 1, 0, 51, 0, 0x21];
    check_inner(51, &join(&[&session, &inner()]), Tunnel::None);
    let cooked = [0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0];
    check_inner(113, &join(&[&cooked, &inner()]), Tunnel::None);
    let cooked2 = [8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0];
    check_inner(276, &join(&[&cooked2, &inner()]), Tunnel::None);
    let ip6 = ipv6(17, &udp(53, 54, b"x"));
    for (link, before) in [
        (RAW, &[][..]),
        (229, &[]),
        (0, &[30, 0, 0, 0]),
        (0, &[0, 0, 0, 24]),
        (0, &[10, 0, 0, 0]),
        (9, &[0x57]),
        (113, &[0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x86, 0xdd]),
    ] {
        let (packet, _) = decode(link, &join(&[before, &ip6])).unwrap();
        assert_eq!(packet.destination, Address::v6(SERVER6), "link type {link}");
    }
}

#[test]
fn headers_between_link_and_ip() {
    let tagged = |id: u8, kind: u16, above: &[u8]| join(&[&[0x20, id], &kind.to_be_bytes(), above]);
    let one = ethernet(0x8100, &tagged(12, 0x0800, &inner()));
    let layers = check_inner(ETHERNET, &one, Tunnel::None);
    assert!(layers.has(Layers::VLAN) && !layers.has(Layers::QINQ));
    assert_eq!(decode(ETHERNET, &one).unwrap().0.vlan(), Some(12), "without its priority");
    let two = ethernet(0x88a8, &tagged(200, 0x8100, &tagged(12, 0x0800, &inner())));
    let layers = check_inner(ETHERNET, &two, Tunnel::None);
    assert!(layers.has(Layers::VLAN) && layers.has(Layers::QINQ));
    assert_eq!(decode(ETHERNET, &two).unwrap().0.vlan(), Some(200), "the outermost");

    let labels = [[0, 1, 0x10, 64], [0, 1, 0x11, 64]].concat();
    let layers =
        check_inner(ETHERNET, &ethernet(0x8847, &join(&[&labels, &inner()])), Tunnel::None);
    assert!(layers.has(Layers::MPLS));
    let carried = ethernet(0x0800, &inner());
    check_inner(ETHERNET, &ethernet(0x8848, &join(&[&labels, &carried])), Tunnel::None);
    let control_word = [0, 0, 0, 9];
    let frame = ethernet(0x8847, &join(&[&labels, &control_word, &carried]));
    check_inner(ETHERNET, &frame, Tunnel::None);
    // An address that looks like the first octet of IPv4.
    let mut alike = carried;
    alike[0] = 0x46;
    check_inner(ETHERNET, &ethernet(0x8847, &join(&[&labels, &alike])), Tunnel::None);

    let session = [0x11, 0, 0, 1, 0, 51, 0, 0x21];
    let layers =
        check_inner(ETHERNET, &ethernet(0x8864, &join(&[&session, &inner()])), Tunnel::None);
    assert!(layers.has(Layers::PPPOE));

    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    check_inner(ETHERNET, &ethernet(57, &join(&[&snap, &inner()])), Tunnel::None);
    check_inner(ETHERNET, &ethernet(52, &join(&[&[6, 6, 3], &inner()])), Tunnel::None);
    let cooked_llc = [0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 4];
    check_inner(113, &join(&[&cooked_llc, &snap, &inner()]), Tunnel::None);
}

#[test]
fn tunnels() {
    let (packet, carried) = (inner(), ethernet(0x0800, &inner()));
    check_inner(RAW, &outer(4, &packet), Tunnel::IpInIp);
    check_inner(RAW, &ipv6(4, &packet), Tunnel::IpInIp);
    let (in4, _) = decode(RAW, &outer(41, &ipv6(17, &udp(1, 2, b"")))).unwrap();
    assert_eq!((in4.source, in4.tunnel), (Address::v6(CLIENT6), Tunnel::IpInIp));

    let gre = |header: &[u8], above: &[u8]| outer(47, &join(&[header, above]));
    check_inner(RAW, &gre(&[0, 0, 8, 0], &packet), Tunnel::Gre);
    check_inner(RAW, &gre(&[0x80, 0, 8, 0, 1, 2, 0, 0], &packet), Tunnel::Gre);
    let all = [0xb0, 0, 8, 0, 1, 2, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1];
    check_inner(RAW, &gre(&all, &packet), Tunnel::Gre);
    check_inner(RAW, &gre(&[0, 0, 0x65, 0x58], &carried), Tunnel::Gre);
    check_inner(
        RAW,
        &gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0], &carried),
        Tunnel::Gre,
    );
    let pptp = [0x30, 0x81, 0x88, 0x0b, 0, 55, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21];
    check_inner(RAW, &gre(&pptp, &packet), Tunnel::Gre);
    check_inner(RAW, &gre(&[0x20, 1, 0x88, 0x0b, 0, 55, 0, 1, 0x21], &packet), Tunnel::Gre);

    let vxlan = |port| outer(17, &udp(9, port, &join(&[&[8, 0, 0, 0, 0, 0, 5, 0], &carried])));
    check_inner(RAW, &vxlan(4_789), Tunnel::Vxlan);
    check_inner(RAW, &vxlan(8_472), Tunnel::Vxlan);

    let gtpu = |header: &[u8]| {
        let octets = length(header.len() - 8 + packet.len());
        let mut header = header.to_vec();
        header[2..4].copy_from_slice(&octets);
        outer(17, &udp(2_152, 2_152, &join(&[&header, &packet])))
    };
    check_inner(RAW, &gtpu(&[0x30, 0xff, 0, 0, 0, 0, 0, 1]), Tunnel::Gtpu);
    check_inner(RAW, &gtpu(&[0x32, 0xff, 0, 0, 0, 0, 0, 1, 0, 5, 0, 0]), Tunnel::Gtpu);
    let extended = [0x34, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0x10, 9, 0x40, 1, 0, 0, 0];
    check_inner(RAW, &gtpu(&extended), Tunnel::Gtpu);

    let capwap =
        |header: &[u8], above: &[u8]| outer(17, &udp(5_247, 40_000, &join(&[header, above])));
    check_inner(RAW, &capwap(&[0, 0x10, 2, 0, 0, 0, 0, 0], &carried), Tunnel::Capwap);
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let wireless =
        |control: [u8; 2], more: usize| join(&[&control, &[0; 22], &vec![0; more], &snap, &packet]);
    let native = [0, 0x10, 3, 0, 0, 0, 0, 0];
    check_inner(RAW, &capwap(&native, &wireless([0x08, 0x01], 0)), Tunnel::Capwap);
    check_inner(RAW, &capwap(&native, &wireless([0x88, 0x02], 2)), Tunnel::Capwap);
    check_inner(RAW, &capwap(&native, &wireless([0x88, 0x03], 8)), Tunnel::Capwap);
    check_inner(RAW, &capwap(&native, &wireless([0x01, 0x08], 0)), Tunnel::Capwap);

    // The outermost is noted.
    check_inner(RAW, &outer(47, &join(&[&[0, 0, 8, 0], &outer(4, &packet)])), Tunnel::Gre);
}

#[test]
fn a_tunnel_whose_inside_cannot_be_decoded_gives_the_outer_packet() {
    let (packet, carried) = (inner(), ethernet(0x0800, &inner()));
    let arp = ethernet(0x0806, &[0; 28]);
    check_outer(RAW, &outer(4, b"no IP packet at all, but long enough"));
    check_outer(RAW, &outer(4, &packet[..12]));
    check_outer(RAW, &outer(47, &[0, 0]));
    check_outer(RAW, &outer(47, &join(&[&[0x40, 0, 8, 0], &packet])));
    check_outer(RAW, &outer(47, &join(&[&[0, 0, 0x65, 0x58], &arp])));
    check_outer(RAW, &outer(47, &[0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 1]));
    let vxlan = |header: [u8; 8], above: &[u8]| outer(17, &udp(9, 4_789, &join(&[&header, above])));
    check_outer(RAW, &vxlan([8, 0, 0, 0, 0, 0, 5, 0], &arp));
    check_outer(RAW, &vxlan([0, 0, 0, 0, 0, 0, 5, 0], &carried));
    check_outer(RAW, &vxlan([8, 0, 0, 0, 0, 0, 5, 1], &carried));
    // A packet inside that claims to be longer than the outer one.
    let mut long = carried.clone();
    long[16..18].copy_from_slice(&[4, 0]);
    check_outer(RAW, &vxlan([8, 0, 0, 0, 0, 0, 5, 0], &long));
    let gtpu = |header: &[u8]| outer(17, &udp(2_152, 2_152, &join(&[header, &packet])));
    check_outer(RAW, &gtpu(&[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0]));
    check_outer(RAW, &gtpu(&[0x30, 0xff, 9, 0, 0, 0, 0, 1]));
    check_outer(RAW, &gtpu(&[0x34, 0xff, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0x85, 0]));
    let capwap = |header: &[u8]| outer(17, &udp(5_247, 5_247, &join(&[header, &carried])));
    check_outer(RAW, &capwap(&[1, 0, 0, 0, 0x16, 0xfe, 0xff, 0]));
    check_outer(RAW, &capwap(&[0, 0x10, 2, 8, 0, 0, 0, 0]));
    check_outer(RAW, &capwap(&[0, 0x10, 2, 0x80, 0, 1, 0, 16]));
    let (packet, _) = decode(RAW, &vxlan([8, 0, 0, 0, 0, 0, 5, 0], &arp)).unwrap();
    assert_eq!((packet.destination_port, packet.payload_octets), (4_789, 50));
}

#[test]
fn nesting_is_bounded_and_keeps_the_outer_packet() {
    let mut nested = inner();
    for _ in 0..200 {
        nested = ipv4_of([172, 16, 0, 1], [172, 16, 0, 2], 4, &nested);
    }
    let (packet, _) = decode(RAW, &nested).unwrap();
    assert_eq!(packet.source, Address::v4([172, 16, 0, 1]));
    let tags = [0, 1, 0x81, 0].repeat(100);
    check_skip(ETHERNET, &ethernet(0x8100, &tags), Skip::TooDeep);
    let labels = [0, 1, 0x10, 64].repeat(100);
    check_skip(ETHERNET, &ethernet(0x8847, &labels), Skip::TooDeep);
}

#[test]
fn ipv6_extension_headers() {
    let datagram = udp(53, 54, b"abc");
    let options = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let chain = join(&[&options(60), &options(43), &options(17), &datagram]);
    let (packet, _) = decode(RAW, &ipv6(0, &chain)).unwrap();
    assert_eq!((packet.protocol, packet.source_port), (Protocol::UDP, 53));
    assert_eq!((packet.ip_octets, packet.ip_header_octets, packet.payload_octets), (75, 64, 3));
    let authenticated = join(&[&[17, 4, 0, 0], &[0; 20], &datagram]);
    for frame in [ipv6(51, &authenticated), ipv4(51, &authenticated)] {
        let (packet, _) = decode(RAW, &frame).unwrap();
        assert_eq!((packet.protocol, packet.payload_octets), (Protocol::UDP, 3));
    }
    let mobility = ipv6(135, &[59, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(decode(RAW, &mobility).unwrap().0.protocol, Protocol(135));
    let encrypted = ipv6(50, &[0; 32]);
    assert_eq!(decode(RAW, &encrypted).unwrap().0.protocol, Protocol(50));
    check_skip(RAW, &ipv6(0, &[17, 9, 0, 0, 0, 0, 0, 0]), Skip::Ipv6Extension);
    // Ethernet pads short frames; six octets of it here are no payload.
    let padded = ethernet(0x86dd, &join(&[&ipv6(59, &[]), &[0; 6]]));
    assert_eq!(decode(ETHERNET, &padded).unwrap().0.payload_octets, 0);
}

#[test]
fn protocols_without_ports_are_packets_too() {
    let (echo, _) = decode(RAW, &ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 2])).unwrap();
    assert_eq!((echo.protocol, echo.source_port, echo.payload_octets), (Protocol::ICMP, 0, 8));
    let (sctp, _) = decode(RAW, &ipv4(132, &[0, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0])).unwrap();
    assert_eq!((sctp.source_port, sctp.destination_port, sctp.payload_octets), (5, 6, 12));
    let (other, _) = decode(RAW, &ipv4(89, &[])).unwrap();
    assert_eq!((other.protocol, other.payload_octets), (Protocol(89), 0));
}

#[test]
fn sizes_are_those_of_the_headers() {
    let frame = ethernet(0x0800, &ipv4(6, &tcp(&[7; 900])));
    let whole = decode(ETHERNET, &frame).unwrap().0;
    let cut = decode_cut(ETHERNET, &frame[..68], frame.len()).unwrap().0;
    assert_eq!(Packet { payload_captured: 10, ..whole }, cut, "a cut capture has the same sizes");
    let cut = decode_cut(ETHERNET, &frame[..50], frame.len()).unwrap().0;
    let at = u32::try_from(1_000 + 58).unwrap();
    assert_eq!((cut.payload_octets, cut.payload_captured, cut.payload_start), (900, 0, at));

    let padded = ethernet(0x0800, &join(&[&ipv4(17, &udp(1, 2, b"x")), &[0; 17]]));
    assert_eq!(decode(ETHERNET, &padded).unwrap().0.payload_octets, 1, "padding is no payload");

    let mut offloaded = ipv4(6, &tcp(&[7; 5_000]));
    offloaded[2..4].copy_from_slice(&[0, 0]);
    let packet = decode_cut(ETHERNET, &ethernet(0x0800, &offloaded)[..100], 14 + 5_044).unwrap().0;
    assert_eq!((packet.ip_octets, packet.payload_octets), (5_044, 5_000), "length 0");
    let packet = decode_cut(RAW, &offloaded[..100], 1 << 30).unwrap().0;
    assert_eq!(packet.ip_octets, u16::MAX);

    let mut trailing = ipv4(17, &udp(1, 2, b"abcdef"));
    trailing[25] = 10;
    assert_eq!(decode(RAW, &trailing).unwrap().0.payload_octets, 2, "UDP's own length");
    for unusable in [0, 7, 200] {
        trailing[25] = unusable;
        assert_eq!(decode(RAW, &trailing).unwrap().0.payload_octets, 6, "UDP length {unusable}");
    }
}

#[test]
fn what_is_not_used_has_its_reason() {
    let packet = inner();
    check_skip(ETHERNET, &ethernet(0x0806, &[0; 28]), Skip::EtherType(0x0806));
    check_skip(ETHERNET, &ethernet(0x88cc, &[0; 28]), Skip::EtherType(0x88cc));
    check_skip(ETHERNET, &ethernet(38, &[0x42, 0x42, 3, 0, 0]), Skip::Llc(0x42));
    check_skip(
        ETHERNET,
        &ethernet(38, &[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0]),
        Skip::EtherType(0x2000),
    );
    check_skip(ETHERNET, &ethernet(0x8864, &[0x11, 0, 0, 1, 0, 4, 0xc0, 0x21]), Skip::Ppp(0xc021));
    check_skip(
        ETHERNET,
        &ethernet(0x8864, &[0x11, 9, 0, 1, 0, 4, 0, 0x21]),
        Skip::EtherType(0x8864),
    );
    check_skip(ETHERNET, &ethernet(0x8847, &[0, 1, 0x11, 64, 0x99, 0, 0, 0]), Skip::MplsPayload);
    check_skip(ETHERNET, &[0; 13], Skip::CutInLink);
    check_skip(ETHERNET, &ethernet(0x8100, &[0]), Skip::CutInLink);
    check_skip(ETHERNET, &ethernet(0x0800, &packet[..19]), Skip::CutInIp);
    check_skip(ETHERNET, &ethernet(0x0800, &packet[..33]), Skip::CutInTransport);
    check_skip(ETHERNET, &ethernet(0x86dd, &packet), Skip::IpVersion);
    check_skip(RAW, &[0x90; 40], Skip::IpVersion);
    check_skip(RAW, &[], Skip::CutInIp);
    check_skip(0, &[9, 0, 0, 0], Skip::AddressFamily(9));
    check_skip(127, &packet, Skip::UnsupportedLink(LinkType(127)));
    let changed = |at: usize, octet: u8| {
        let mut packet = packet.clone();
        packet[at] = octet;
        packet
    };
    check_skip(RAW, &changed(0, 0x44), Skip::Ipv4HeaderLength);
    check_skip(RAW, &changed(3, 19), Skip::Ipv4HeaderLength);
    check_skip(RAW, &changed(3, 39), Skip::TransportLength);
    check_skip(RAW, &changed(32, 0x40), Skip::TransportLength);
    check_skip(RAW, &changed(32, 0xf0), Skip::TransportLength);
    check_skip(RAW, &ipv4(17, &[0; 7]), Skip::TransportLength);
}

/// A piece of a datagram: flags and offset in the header's own form.
fn fragment(flags_offset: u16, id: u8, above: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(17, above);
    packet[5] = id;
    packet[6..8].copy_from_slice(&flags_offset.to_be_bytes());
    packet
}

fn fragment6(offset_more: u16, id: u8, above: &[u8]) -> Vec<u8> {
    let [high, low] = offset_more.to_be_bytes();
    ipv6(44, &join(&[&[17, 0, high, low, 0, 0, 0, id], above]))
}

#[test]
fn later_fragments_get_the_ports_of_the_first() {
    let mut decoder = Decoder::new(16);
    let mut check = |frame: &[u8], ports: [u16; 2], is_later: bool, payload: u16, layer| {
        let frame = Frame { bytes: frame, start: 0, original: frame.len() };
        let outcome = decoder.decode(LinkType(RAW), Timestamp(0), 1, &frame);
        let (packet, layers) = outcome.unwrap();
        assert_eq!([packet.source_port, packet.destination_port], ports);
        assert_eq!((packet.fragment, packet.payload_octets), (is_later, payload));
        assert_eq!(packet.protocol, Protocol::UDP);
        assert!(layers.has(layer), "{layers:?}");
    };
    let mut first = udp(53, 5_353, &[1; 24]);
    first[4..6].copy_from_slice(&length(88));
    check(&fragment(4, 7, &[2; 16]), [0, 0], true, 16, Layers::FRAGMENT_UNATTRIBUTED);
    check(&fragment(0x2000, 7, &first), [53, 5_353], false, 24, Layers::FRAGMENT_FIRST);
    check(&fragment(0x2004, 7, &[2; 32]), [53, 5_353], true, 32, Layers::FRAGMENT_LATER);
    check(&fragment(8, 7, &[2; 20]), [53, 5_353], true, 20, Layers::FRAGMENT_LATER);
    check(&fragment(8, 8, &[2; 20]), [0, 0], true, 20, Layers::FRAGMENT_UNATTRIBUTED);
    check(&fragment6(1, 7, &first), [53, 5_353], false, 24, Layers::FRAGMENT_FIRST);
    check(&fragment6(32, 7, &[2; 20]), [53, 5_353], true, 20, Layers::FRAGMENT_LATER);
    check(&fragment6(32, 9, &[2; 20]), [0, 0], true, 20, Layers::FRAGMENT_UNATTRIBUTED);
    // Neither offset nor more to come: a whole packet (RFC 6946).
    let (atomic, layers) = decode(RAW, &fragment6(0, 7, &udp(1, 2, b"x"))).unwrap();
    assert_eq!((atomic.source_port, atomic.fragment, layers.is_empty()), (1, false, true));
}

#[test]
fn the_first_fragment_of_a_tunnel_gives_the_inner_packet_and_the_rest_the_outer() {
    let mut decoder = Decoder::new(16);
    let mut decode = |frame: &[u8]| {
        let frame = Frame { bytes: frame, start: 0, original: frame.len() };
        decoder.decode(LinkType(RAW), Timestamp(0), 1, &frame).unwrap().0
    };
    let carried = ethernet(0x0800, &ipv4(6, &tcp(&[9; 100])));
    let whole = udp(9, 4_789, &join(&[&[8, 0, 0, 0, 0, 0, 5, 0], &carried]));
    let first = decode(&fragment(0x2000, 3, &whole[..80]));
    assert_eq!((first.tunnel, first.ip_octets, first.source_port), (Tunnel::Vxlan, 144, 51_000));
    let later = decode(&fragment(10, 3, &whole[80..]));
    assert_eq!((later.tunnel, later.source_port, later.destination_port), (Tunnel::None, 9, 4_789));
}

#[test]
fn a_packet_is_small() {
    assert!(size_of::<Packet>() <= 88, "{} octets", size_of::<Packet>());
}
