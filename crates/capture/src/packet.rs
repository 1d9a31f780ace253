//! The noun of this crate: one packet's headers, decoded, and the block of bytes it lies in.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Time of a packet.
///
/// # Units
/// Nanoseconds since 1970-01-01T00:00:00Z, as the capture file tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Whole microseconds since 1970, rounded towards the past.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.div_euclid(1_000)
    }
}

/// An IPv4 or IPv6 address in 128 bits; IPv4 as `::ffff:a.b.c.d`, so that both compare and hash as one integer.
///
/// # Reference
/// RFC 4291, section 2.5.5.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u128);

impl Address {
    const V4_PREFIX: u128 = 0xffff_0000_0000;

    /// An IPv4 address from its four octets in network order.
    #[must_use]
    pub fn v4(octets: [u8; 4]) -> Self {
        Self(Self::V4_PREFIX | u128::from(u32::from_be_bytes(octets)))
    }

    /// An IPv6 address from its sixteen octets in network order.
    #[must_use]
    pub fn v6(octets: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(octets))
    }

    /// Whether this is an IPv4 address.
    #[must_use]
    pub fn is_v4(self) -> bool {
        self.0 >> 32 == Self::V4_PREFIX >> 32
    }

    /// The standard library's form.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        if self.is_v4() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the low 32 bits are the IPv4 address"
            )]
            IpAddr::V4(Ipv4Addr::from(self.0 as u32))
        } else {
            IpAddr::V6(Ipv6Addr::from(self.0))
        }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(a) => Self::v4(a.octets()),
            IpAddr::V6(a) => Self::v6(a.octets()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

/// The IANA number of the protocol above IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    /// Transmission Control Protocol.
    pub const TCP: Self = Self(6);
    /// User Datagram Protocol.
    pub const UDP: Self = Self(17);
    /// Internet Control Message Protocol.
    pub const ICMP: Self = Self(1);
    /// ICMP for IPv6.
    pub const ICMP6: Self = Self(58);

    /// Its keyword in IANA's registry of protocol numbers, of those that are met; `protocol 200` of the others.
    #[must_use]
    pub fn keyword(self) -> Cow<'static, str> {
        match self.0 {
            1 => "ICMP".into(),
            2 => "IGMP".into(),
            6 => "TCP".into(),
            17 => "UDP".into(),
            47 => "GRE".into(),
            50 => "ESP".into(),
            51 => "AH".into(),
            58 => "ICMPv6".into(),
            89 => "OSPF".into(),
            103 => "PIM".into(),
            112 => "VRRP".into(),
            132 => "SCTP".into(),
            other => format!("protocol {other}").into(),
        }
    }
}

/// The low eight bits of the TCP flags field: CWR ECE URG ACK PSH RST SYN FIN; zero when the packet is not TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement field is significant.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer is significant.
    pub const URG: Self = Self(0x20);
    /// Explicit congestion notification echo.
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced.
    pub const CWR: Self = Self(0x80);

    /// Whether every flag of `flags` is set here.
    #[must_use]
    pub fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

/// What carried the packet, when it came through a tunnel; the outermost one when there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tunnel {
    /// No tunnel.
    #[default]
    None,
    /// IP in IP, 6in4, 4in6 (RFC 2003, RFC 4213, RFC 2473).
    IpInIp,
    /// Generic Routing Encapsulation (RFC 2784, RFC 2890), also with PPP (RFC 2637) or Ethernet inside.
    Gre,
    /// Virtual eXtensible LAN (RFC 7348).
    Vxlan,
    /// GPRS tunnelling, user plane (3GPP TS 29.281).
    Gtpu,
    /// CAPWAP data channel (RFC 5415).
    Capwap,
}

/// The headers of one packet; of the innermost IP packet when it was tunnelled.
///
/// Sizes are those the headers state, so a capture that was cut short (snap length) gives the same sizes as a whole one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// When it was captured.
    pub time: Timestamp,
    /// Number of the packet in its capture, from 1; also counts those that were skipped, as Wireshark does.
    pub number: u64,
    /// Sender.
    pub source: Address,
    /// Receiver.
    pub destination: Address,
    /// Sender's port; 0 when the protocol has none, or in a later fragment whose first was not seen.
    pub source_port: u16,
    /// Receiver's port; 0 as above.
    pub destination_port: u16,
    /// Octets of the IP packet, its header included, as the header states them.
    pub ip_octets: u16,
    /// Octets above the transport header (above the IP header when the protocol is neither TCP nor UDP).
    pub payload_octets: u16,
    /// TCP receive window as sent, not scaled.
    pub tcp_window: u16,
    /// TCP sequence number.
    pub tcp_sequence: u32,
    /// Protocol above IP.
    pub protocol: Protocol,
    /// TCP flags.
    pub tcp_flags: TcpFlags,
    /// Outermost tunnel.
    pub tunnel: Tunnel,
    /// Whether this is a later fragment, whose ports were copied from the first.
    pub fragment: bool,
    /// IPv4 time to live or IPv6 hop limit.
    pub ttl: u8,
    /// Octets of the IP header with options and extensions.
    pub ip_header_octets: u16,
    /// Outermost VLAN identifier plus one; 0 when there is no tag.
    pub vlan_plus_one: u16,
    /// Where the captured payload starts in [`Block::bytes`].
    pub payload_start: u32,
    /// How many octets of the payload were captured.
    pub payload_captured: u16,
}

impl Packet {
    /// The outermost VLAN identifier.
    #[must_use]
    pub fn vlan(&self) -> Option<u16> {
        self.vlan_plus_one.checked_sub(1)
    }
}

/// A stretch of a capture: about one mebibyte of whole records, and the packets found in them.
///
/// Block boundaries depend only on the capture's content, never on how it was read, so that whoever acts at the end of a block acts at the same
/// packet for a file and for standard input.
#[derive(Debug, Default)]
pub struct Block {
    /// The raw records.
    pub bytes: Vec<u8>,
    /// The packets that passed, in capture order.
    pub packets: Vec<Packet>,
}

impl Block {
    /// The captured part of a packet's payload.
    #[must_use]
    pub fn payload(&self, packet: &Packet) -> &[u8] {
        let start = packet.payload_start as usize;
        self.bytes.get(start..start + usize::from(packet.payload_captured)).unwrap_or_default()
    }
}
