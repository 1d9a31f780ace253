//! The account of a capture: what was in it, what was used, and why the rest was not.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::packet::{Packet, Protocol, Timestamp, Tunnel};
use crate::wire::{Frame, Layers};

/// The number of a link type, as capture files write it.
///
/// # Reference
/// <https://www.tcpdump.org/linktypes.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// The name, where we know one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "null/loopback",
            1 => "Ethernet",
            6 => "token ring",
            7 => "ARCNET",
            8 => "SLIP",
            9 => "PPP",
            10 => "FDDI",
            12 | 14 | 101 => "raw IP",
            50 => "PPP in HDLC framing",
            51 => "PPPoE session",
            100 => "ATM",
            104 => "Cisco HDLC",
            105 => "IEEE 802.11",
            107 => "Frame Relay",
            108 => "OpenBSD loopback",
            113 => "Linux cooked capture",
            117 => "OpenBSD pflog",
            119 => "IEEE 802.11 with Prism header",
            127 => "IEEE 802.11 with radiotap header",
            147..=162 => "private use",
            163 => "IEEE 802.11 with AVS header",
            187 | 201 => "Bluetooth HCI",
            189 | 220 => "Linux USB",
            192 => "per-packet information",
            195 | 215 | 230 => "IEEE 802.15.4",
            204 => "PPP with direction",
            227 => "SocketCAN",
            228 => "raw IPv4",
            229 => "raw IPv6",
            239 => "Linux netfilter log",
            249 => "USBPcap",
            251 => "Bluetooth low energy",
            252 => "exported upper-layer PDU",
            276 => "Linux cooked capture v2",
            _ => return None,
        })
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "link type {}", self.0),
        }
    }
}

/// Why a packet was read but not used.
///
/// Three families: no IP packet in it (the normal case), a capture that was cut before the ports, and headers that contradict themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// Frames of a link type that is not decoded.
    UnsupportedLink(LinkType),
    /// A frame of a protocol other than IP, by its EtherType.
    EtherType(u16),
    /// An IEEE 802.2 frame without IP in it (spanning tree, IS-IS, …), by its destination service access point.
    Llc(u8),
    /// A PPP frame without IP in it (link control, authentication, …), by its protocol.
    Ppp(u16),
    /// A loopback frame of an address family other than IP.
    AddressFamily(u32),
    /// MPLS with neither IP nor Ethernet in it, as far as can be guessed.
    MplsPayload,
    /// The capture ends within the headers below IP.
    CutInLink,
    /// The capture ends within the IP header.
    CutInIp,
    /// The capture ends before the ports, or before the TCP flags.
    CutInTransport,
    /// Where an IP header should be, the version is neither 4 nor 6, or not the one announced.
    IpVersion,
    /// The IPv4 header length is below 20 octets or beyond the packet.
    Ipv4HeaderLength,
    /// An IPv6 extension header goes beyond the packet.
    Ipv6Extension,
    /// The transport header goes beyond the IP packet, or a TCP header is shorter than 20 octets.
    TransportLength,
    /// More headers inside each other than are followed.
    TooDeep,
    /// A packet block of an interface that was never described.
    UnknownInterface,
    /// A packet block whose captured octets do not fit into it.
    MalformedRecord,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::UnsupportedLink(link) => return write!(f, "link type not decoded: {link}"),
            Self::EtherType(number) => {
                return match ether_type_name(*number) {
                    Some(name) => write!(f, "not IP: {name} (EtherType {number:#06x})"),
                    None => write!(f, "not IP: EtherType {number:#06x}"),
                };
            }
            Self::Llc(0x42) => "not IP: spanning tree (LLC 0x42)",
            Self::Llc(0xaa) => "not IP: a vendor's protocol (SNAP)",
            Self::Llc(sap) => return write!(f, "not IP: LLC {sap:#04x}"),
            Self::Ppp(protocol) => return write!(f, "not IP: PPP protocol {protocol:#06x}"),
            Self::AddressFamily(family) => return write!(f, "not IP: address family {family}"),
            Self::MplsPayload => "not IP: unknown content of MPLS",
            Self::CutInLink => "capture cut within the link header",
            Self::CutInIp => "capture cut within the IP header",
            Self::CutInTransport => "capture cut before ports or flags",
            Self::IpVersion => "malformed: no IP version where there should be one",
            Self::Ipv4HeaderLength => "malformed: impossible IPv4 header length",
            Self::Ipv6Extension => "malformed: IPv6 extension header beyond the packet",
            Self::TransportLength => "malformed: transport header beyond the packet",
            Self::TooDeep => "too many headers inside each other",
            Self::UnknownInterface => "record of an undescribed interface",
            Self::MalformedRecord => "record whose octets do not fit into its block",
        };
        f.write_str(text)
    }
}

fn ether_type_name(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0806 => "ARP",
        0x0842 => "wake-on-LAN",
        0x2000 => "Cisco discovery",
        0x6002 => "DEC remote console",
        0x6003 => "DECnet",
        0x8035 => "reverse ARP",
        0x809b => "AppleTalk",
        0x80f3 => "AppleTalk ARP",
        0x8137 => "IPX",
        0x8808 => "Ethernet flow control",
        0x8809 => "link aggregation",
        0x8863 => "PPPoE discovery",
        0x886d => "Intel adapter fault tolerance",
        0x887b => "HomePlug",
        0x888e => "IEEE 802.1X",
        0x8892 => "PROFINET",
        0x8899 => "Realtek loop detection",
        0x88a4 => "EtherCAT",
        0x88b8 => "GOOSE",
        0x88ba => "sampled values",
        0x88cc => "LLDP",
        0x88e1 => "HomePlug AV",
        0x88e5 => "MACsec",
        0x88f7 => "precision time protocol",
        0x8902 => "connectivity fault management",
        0x890d => "IEEE 802.11 over Ethernet",
        0x893a => "IEEE 1905.1",
        0x9000 => "loopback test",
        _ => return None,
    })
}

/// Where a capture stopped making sense. All before it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The capture's name.
    pub capture: PathBuf,
    /// Octet at which the first unusable record begins; of the decompressed content when the capture is compressed.
    pub offset: u64,
    /// What is wrong there.
    pub kind: DamageKind,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}: {}", self.capture.display(), self.offset, self.kind)
    }
}

/// What is wrong with a damaged capture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// It ends within a record, as a capture does whose writer was stopped.
    CutShort,
    /// No record can begin like this.
    Corrupt(String),
    /// The compressed stream around it is broken.
    Decompress(String),
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort => f.write_str("the capture ends within a record"),
            Self::Corrupt(what) => f.write_str(what),
            Self::Decompress(what) => write!(f, "the compressed stream is broken: {what}"),
        }
    }
}

/// What was in one capture, or in several after [`CaptureReport::merge`].
///
/// Always: packets read = used + filtered out + skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureReport {
    /// How many captures this is about.
    pub captures: u64,
    /// Packets in the files.
    pub packets_read: u64,
    /// Packets given to the caller.
    pub packets_used: u64,
    /// Packets that the filter held back.
    pub packets_filtered: u64,
    /// Packets that could not be used, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Octets of all packets read, as long as they were on the wire.
    pub octets: u64,
    /// Packets read, by link type.
    pub link_types: BTreeMap<LinkType, u64>,
    /// Packets used, by IP version (4 or 6) and protocol.
    pub protocols: BTreeMap<(u8, Protocol), u64>,
    /// Packets used that came through a tunnel, by the outermost.
    pub tunnels: BTreeMap<Tunnel, u64>,
    /// Packets read with one VLAN tag or more.
    pub vlan: u64,
    /// Packets read with two VLAN tags or more.
    pub qinq: u64,
    /// Packets read with MPLS labels.
    pub mpls: u64,
    /// Packets read in a PPPoE session.
    pub pppoe: u64,
    /// Packets used that are the first fragment of a larger one.
    pub fragments_first: u64,
    /// Packets used that are later fragments whose first was seen, so that they have ports.
    pub fragments_later: u64,
    /// Packets used that are later fragments whose first was not seen; they have no ports.
    pub fragments_unattributed: u64,
    /// Packets read of which the capture holds fewer octets than were on the wire.
    pub captured_short: u64,
    /// Earliest time of a packet read.
    pub time_first: Option<Timestamp>,
    /// Latest time of a packet read.
    pub time_last: Option<Timestamp>,
    /// How often a packet was earlier than the one before it.
    pub times_backwards: u64,
    /// pcapng blocks that describe (interfaces, names, statistics, secrets).
    pub metadata_blocks: u64,
    /// pcapng blocks of an unknown type.
    pub unknown_blocks: u64,
    /// Captures that could not be read to their end. When there are any, some input was bad.
    pub damage: Vec<Damage>,
}

impl CaptureReport {
    /// Packets that could not be used, for whatever reason.
    #[must_use]
    pub fn packets_skipped(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Whether every packet read is accounted for; anything else is our bug.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.packets_read == self.packets_used + self.packets_filtered + self.packets_skipped()
    }

    /// Where a capture was cut in the middle of a record, when one was.
    #[must_use]
    pub fn cut_short(&self) -> Option<u64> {
        self.damage.iter().find(|damage| damage.kind == DamageKind::CutShort).map(|d| d.offset)
    }

    /// Packets used of a protocol, both IP versions together.
    #[must_use]
    pub fn packets_of(&self, protocol: Protocol) -> u64 {
        self.protocols.iter().filter(|((_, of), _)| *of == protocol).map(|(_, count)| count).sum()
    }

    /// Adds another capture's account to this one.
    pub fn merge(&mut self, other: &Self) {
        self.captures += other.captures;
        self.packets_read += other.packets_read;
        self.packets_used += other.packets_used;
        self.packets_filtered += other.packets_filtered;
        add(&mut self.skipped, &other.skipped);
        self.octets += other.octets;
        add(&mut self.link_types, &other.link_types);
        add(&mut self.protocols, &other.protocols);
        add(&mut self.tunnels, &other.tunnels);
        self.vlan += other.vlan;
        self.qinq += other.qinq;
        self.mpls += other.mpls;
        self.pppoe += other.pppoe;
        self.fragments_first += other.fragments_first;
        self.fragments_later += other.fragments_later;
        self.fragments_unattributed += other.fragments_unattributed;
        self.captured_short += other.captured_short;
        self.time_first = [self.time_first, other.time_first].into_iter().flatten().min();
        self.time_last = [self.time_last, other.time_last].into_iter().flatten().max();
        self.times_backwards += other.times_backwards;
        self.metadata_blocks += other.metadata_blocks;
        self.unknown_blocks += other.unknown_blocks;
        self.damage.extend_from_slice(&other.damage);
    }
}

fn add<K: Ord + Copy>(sum: &mut BTreeMap<K, u64>, other: &BTreeMap<K, u64>) {
    for (key, count) in other {
        *sum.entry(*key).or_default() += count;
    }
}

/// The running account of one reader: as [`CaptureReport`], with arrays where maps would cost time for each packet.
pub(crate) struct Tally {
    pub(crate) packets_read: u64,
    pub(crate) packets_filtered: u64,
    pub(crate) metadata_blocks: u64,
    pub(crate) unknown_blocks: u64,
    packets_used: u64,
    octets: u64,
    captured_short: u64,
    times_backwards: u64,
    time_first: Option<Timestamp>,
    time_last: Option<Timestamp>,
    /// The link type of the run of packets now being read, and how many they are so far.
    link_run: (LinkType, u64),
    link_types: BTreeMap<LinkType, u64>,
    /// Protocols of IPv4, then of IPv6.
    protocols: Box<[u64; 512]>,
    tunnels: BTreeMap<Tunnel, u64>,
    skipped: BTreeMap<Skip, u64>,
    vlan: u64,
    qinq: u64,
    mpls: u64,
    pppoe: u64,
    fragments_first: u64,
    fragments_later: u64,
    fragments_unattributed: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            packets_read: 0,
            packets_filtered: 0,
            metadata_blocks: 0,
            unknown_blocks: 0,
            packets_used: 0,
            octets: 0,
            captured_short: 0,
            times_backwards: 0,
            time_first: None,
            time_last: None,
            link_run: (LinkType::default(), 0),
            link_types: BTreeMap::new(),
            protocols: Box::new([0; 512]),
            tunnels: BTreeMap::new(),
            skipped: BTreeMap::new(),
            vlan: 0,
            qinq: 0,
            mpls: 0,
            pppoe: 0,
            fragments_first: 0,
            fragments_later: 0,
            fragments_unattributed: 0,
        }
    }
}

impl Tally {
    /// A packet was read, `before` is the time of the one before it.
    #[inline]
    pub(crate) fn record(
        &mut self,
        link: LinkType,
        time: Timestamp,
        before: Timestamp,
        frame: &Frame<'_>,
    ) {
        self.packets_read += 1;
        self.octets += frame.original as u64;
        self.captured_short += u64::from(frame.bytes.len() < frame.original);
        if link != self.link_run.0 {
            self.end_link_run();
            self.link_run.0 = link;
        }
        self.link_run.1 += 1;
        match self.time_last {
            None => (self.time_first, self.time_last) = (Some(time), Some(time)),
            Some(last) if time > last => self.time_last = Some(time),
            Some(_) if time < before => {
                self.times_backwards += 1;
                self.time_first = self.time_first.min(Some(time));
            }
            Some(_) => {}
        }
    }

    fn end_link_run(&mut self) {
        let (link, packets) = self.link_run;
        if packets > 0 {
            *self.link_types.entry(link).or_default() += packets;
        }
        self.link_run.1 = 0;
    }

    /// A packet was read that has no usable record.
    pub(crate) fn unusable(&mut self, skip: Skip, original: usize) {
        self.packets_read += 1;
        self.octets += original as u64;
        self.skip(skip);
    }

    pub(crate) fn skip(&mut self, skip: Skip) {
        *self.skipped.entry(skip).or_default() += 1;
    }

    #[inline]
    pub(crate) fn used(&mut self, packet: &Packet) {
        self.packets_used += 1;
        let version = usize::from(!packet.source.is_v4());
        self.protocols[version << 8 | usize::from(packet.protocol.0)] += 1;
        if packet.tunnel != Tunnel::None {
            *self.tunnels.entry(packet.tunnel).or_default() += 1;
        }
    }

    #[inline]
    pub(crate) fn layers(&mut self, layers: Layers) {
        if !layers.is_empty() {
            self.rare_layers(layers);
        }
    }

    fn rare_layers(&mut self, layers: Layers) {
        self.vlan += u64::from(layers.has(Layers::VLAN));
        self.qinq += u64::from(layers.has(Layers::QINQ));
        self.mpls += u64::from(layers.has(Layers::MPLS));
        self.pppoe += u64::from(layers.has(Layers::PPPOE));
        self.fragments_first += u64::from(layers.has(Layers::FRAGMENT_FIRST));
        self.fragments_later += u64::from(layers.has(Layers::FRAGMENT_LATER));
        self.fragments_unattributed += u64::from(layers.has(Layers::FRAGMENT_UNATTRIBUTED));
    }

    pub(crate) fn report(&self) -> CaptureReport {
        let mut link_types = self.link_types.clone();
        if self.link_run.1 > 0 {
            *link_types.entry(self.link_run.0).or_default() += self.link_run.1;
        }
        let protocols = (0..=u8::MAX)
            .flat_map(|number| [(4, number), (6, number)])
            .map(|(version, number)| {
                let count = self.protocols[usize::from(version == 6) << 8 | usize::from(number)];
                ((version, Protocol(number)), count)
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        CaptureReport {
            captures: 1,
            packets_read: self.packets_read,
            packets_used: self.packets_used,
            packets_filtered: self.packets_filtered,
            skipped: self.skipped.clone(),
            octets: self.octets,
            link_types,
            protocols,
            tunnels: self.tunnels.clone(),
            vlan: self.vlan,
            qinq: self.qinq,
            mpls: self.mpls,
            pppoe: self.pppoe,
            fragments_first: self.fragments_first,
            fragments_later: self.fragments_later,
            fragments_unattributed: self.fragments_unattributed,
            captured_short: self.captured_short,
            time_first: self.time_first,
            time_last: self.time_last,
            times_backwards: self.times_backwards,
            metadata_blocks: self.metadata_blocks,
            unknown_blocks: self.unknown_blocks,
            damage: Vec::new(),
        }
    }
}
