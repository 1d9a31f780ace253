//! The words, their meaning, and what is told about nonsense.

use super::parse::NESTING_MAX;
use super::*;

/// TCP 10.1.2.3:51000 → 192.0.2.7:443 in VLAN 12.
fn tcp() -> Packet {
    Packet {
        source: Address::v4([10, 1, 2, 3]),
        destination: Address::v4([192, 0, 2, 7]),
        source_port: 51_000,
        destination_port: 443,
        protocol: Protocol::TCP,
        vlan_plus_one: 13,
        ip_octets: 1_400,
        ..Packet::default()
    }
}

/// UDP `[2001:db8::1]`:53 → `[2001:db8::2]`:53 in no VLAN.
fn udp6() -> Packet {
    let address = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
    Packet {
        source: address("2001:db8::1"),
        destination: address("2001:db8::2"),
        source_port: 53,
        destination_port: 53,
        protocol: Protocol::UDP,
        ip_octets: 80,
        ..Packet::default()
    }
}

fn icmp() -> Packet {
    let ip_octets = 84;
    Packet { protocol: Protocol::ICMP, source_port: 0, destination_port: 0, ip_octets, ..tcp() }
}

fn check(text: &str, expected: [bool; 3]) {
    let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let passes = [tcp(), udp6(), icmp()].map(|packet| filter.passes(&packet));
    assert_eq!(passes, expected, "{text} for TCP, UDP over IPv6, ICMP");
}

fn check_error(text: &str, column: usize, expected: &str, found: &str) {
    match text.parse::<Filter>() {
        Err(Error::Filter { column: c, expected: e, found: f }) => {
            assert_eq!((c, f.as_str()), (column, found), "{text}: expected {e}");
            assert!(e.contains(expected), "{text}: {e}");
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn addresses() {
    check("host 10.1.2.3", [true, false, true]);
    check("src host 10.1.2.3", [true, false, true]);
    check("dst host 10.1.2.3", [false, false, false]);
    check("src 10.1.2.3", [true, false, true]);
    check("dst 2001:db8::2", [false, true, false]);
    check("host 2001:db8::2", [false, true, false]);
    check("net 10.0.0.0/8", [true, false, true]);
    check("net 10.1.2.0/23", [true, false, true]);
    check("net 10.1.4.0/23", [false, false, false]);
    check("src net 192.0.2.0/24", [false, false, false]);
    check("dst net 192.0.2.0/24", [true, false, true]);
    check("src and dst net 2001:db8::/126", [false, true, false]);
    check("src or dst net 192.0.2.0/24", [true, false, true]);
    check("net 0.0.0.0/0", [true, false, true]);
    check("net ::/0", [false, true, false]);
    check("net 10.1.2.3", [true, false, true]);
}

#[test]
fn ports() {
    check("port 443", [true, false, false]);
    check("port 53", [false, true, false]);
    check("src port 443", [false, false, false]);
    check("dst port 443", [true, false, false]);
    check("tcp port 443", [true, false, false]);
    check("udp port 443", [false, false, false]);
    check("udp src and dst port 53", [false, true, false]);
    check("portrange 440-450", [true, false, false]);
    check("tcp dst portrange 443-443", [true, false, false]);
    check("portrange 0-65535", [true, true, false]);
    check("port 0", [false, false, false]);
}

#[test]
fn comparisons() {
    check("port < 1024", [true, true, false]);
    check("port<443", [false, true, false]);
    check("port <= 443", [true, true, false]);
    check("src port > 1024", [true, false, false]);
    check("tcp dst port >= 443", [true, false, false]);
    check("port = 53 or 443", [true, true, false]);
    check("port == 53", [false, true, false]);
    check("len < 84", [false, true, false]);
    check("len<=84", [false, true, true]);
    check("len > 80 and len < 1400", [false, false, true]);
    check("not len >= 84", [false, true, false]);
    check("len = 1400", [true, false, false]);
    // As in pcap-filter(7), both include the number.
    check("less 84", [false, true, true]);
    check("greater 84", [true, false, true]);
    check_error("len 84", 5, "`<`, `<=`, `=`, `>=` or `>`", "`84`");
    check_error("len <", 6, "a number from 0 to 65535", "the end");
    check_error("len < = 5", 7, "a number from 0 to 65535", "`=`");
    check_error("len < 0", 7, "others on that side", "`0`");
    check_error("port > 65535", 8, "others on that side", "`65535`");
    check_error("less 65536", 6, "a number of octets", "`65536`");
    check_error("host > 5", 6, "an IPv4 or IPv6 address", "`>`");
}

#[test]
fn kinds() {
    check("tcp", [true, false, false]);
    check("udp", [false, true, false]);
    check("icmp", [false, false, true]);
    check("icmp6", [false, false, false]);
    check("ip", [true, false, true]);
    check("ip6", [false, true, false]);
    check("proto 17", [false, true, false]);
    check("ip6 proto 17", [false, true, false]);
    check("ip proto udp", [false, false, false]);
    check("vlan", [true, false, true]);
    check("vlan 12", [true, false, true]);
    check("vlan 13", [false, false, false]);
    check("ip host 10.1.2.3", [true, false, true]);
}

#[test]
fn joints() {
    check("tcp and port 443", [true, false, false]);
    check("tcp && port 53", [false, false, false]);
    check("tcp or udp", [true, true, false]);
    check("tcp||udp", [true, true, false]);
    check("not tcp", [false, true, true]);
    check("!tcp", [false, true, true]);
    check("! tcp and ip", [false, false, true]);
    check("not (tcp or ip6)", [false, false, true]);
    check("not not tcp", [true, false, false]);
    check("port 80 or 443", [true, false, false]);
    check("host 10.1.2.9 or 2001:db8::1", [false, true, false]);
    check("vlan and tcp", [true, false, false]);
    // Equal binding from left to right: (udp or tcp) and ip.
    check("udp or tcp and ip", [true, false, false]);
    check("udp or (tcp and ip)", [true, true, false]);
}

#[test]
fn nonsense_is_told_with_its_column() {
    check_error("", 1, "`host`", "the end");
    check_error("tcp prot 443", 5, "`port`", "`prot`");
    check_error("tcp and", 8, "`host`", "the end");
    check_error("host example.org", 6, "address", "`example.org`");
    check_error("net 10.0.0.1/8", 5, "no bits beyond", "`10.0.0.1/8`");
    check_error("net 10.0.0.0/33", 5, "ADDRESS/LENGTH", "`10.0.0.0/33`");
    check_error("port 65536", 6, "65535", "`65536`");
    check_error("port +1", 6, "65535", "`+1`");
    check_error("portrange 5-4", 11, "smaller first", "`5-4`");
    check_error("(tcp", 5, "`)`", "the end");
    check_error("tcp)", 4, "the end", "`)`");
    check_error("tcp udp", 5, "`and`", "`udp`");
    check_error("vlan 4096", 6, "4095", "`4096`");
    check_error("proto 256", 7, "255", "`256`");
    check_error("tcp host 10.1.2.3", 5, "`port`", "`host`");
    check_error("port 80 & port 81", 9, "`and`", "`&`");
    check_error("ünd", 1, "`host`", "`ünd`");
    check_error("443", 1, "`host`", "`443`");
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| format!("{}tcp{}", "(".repeat(levels), ")".repeat(levels));
    check(&nested(NESTING_MAX - 1), [true, false, false]);
    check_error(&nested(NESTING_MAX), NESTING_MAX + 1, "nesting", "`tcp`");
    check_error(&"!".repeat(100_000), NESTING_MAX + 1, "nesting", "`!`");
    check(&format!("tcp{}", " and ip".repeat(100_000)), [true, false, false]);
}
