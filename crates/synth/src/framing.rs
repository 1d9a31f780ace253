//! How messages become packets: transports, security, and the path between a home and a server.
//!
//! A flow is made whole when it begins, as a list of small [`Packet`]s without payload; the payload is computed when a
//! packet is written. So memory holds the flows that are open, not the capture.

pub mod datagram;
pub mod dns;
pub mod hello;
pub mod path;
pub mod quic;
pub mod stream;
pub mod tcp;
pub mod tls;
pub mod wire;

use crate::process::{Direction, Nanos};
use stream::Stream;

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The client's addresses and port.
    pub client: Endpoint,
    /// The server's.
    pub server: Endpoint,
}

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Ethernet address.
    pub mac: [u8; 6],
    /// IP address.
    pub address: std::net::IpAddr,
    /// Port.
    pub port: u16,
    /// Time to live, or hop limit, as the capture sees it.
    pub ttl: u8,
}

/// TCP flag FIN.
pub const FIN: u8 = 0x01;
/// TCP flag SYN.
pub const SYN: u8 = 0x02;
/// TCP flag RST.
pub const RST: u8 = 0x04;
/// TCP flag PSH.
pub const PSH: u8 = 0x08;
/// TCP flag ACK.
pub const ACK: u8 = 0x10;

/// A packet, but for its payload.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// When the capture sees it, in nanoseconds from the flow's beginning.
    pub time: Nanos,
    /// Which way it goes.
    pub direction: Direction,
    /// Octets of payload above TCP or UDP.
    pub payload: u16,
    /// Where its payload comes from.
    pub source: Source,
    /// TCP's own fields; not used for UDP.
    pub tcp: TcpFields,
}

/// TCP's own fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpFields {
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// Flags.
    pub flags: u8,
    /// Window as it stands in the header.
    pub window: u16,
    /// Timestamps option: value and echo; none when both are 0.
    pub timestamps: (u32, u32),
    /// A duplicate acknowledgement's first SACK block, as offsets from the acknowledgement number; none when 0.
    pub sack: (u32, u32),
}

/// Where a packet's payload comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The sender's stream, from this offset.
    Stream(u64),
    /// So many literal octets from the flow's store, from this place; noise from `salt` after them.
    Datagram {
        /// Where the literal octets begin.
        start: u32,
        /// How many there are.
        octets: u16,
        /// What the noise after them is made from.
        salt: u32,
    },
}

/// What lies above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP (6).
    Tcp,
    /// UDP (17).
    Udp,
}

/// A flow, made whole.
#[derive(Debug)]
pub struct Flow {
    /// TCP or UDP.
    pub transport: Transport,
    /// Its ends.
    pub endpoints: Endpoints,
    /// Its packets, by time.
    pub packets: Vec<Packet>,
    /// What each direction says (TCP).
    pub streams: [Stream; 2],
    /// Literal octets of datagrams (UDP).
    pub store: Vec<u8>,
    /// SYN options of both ends (TCP).
    pub syn_options: [tcp::SynOptions; 2],
    /// Noise is made from this.
    pub key: u64,
}

impl Flow {
    /// Writes a packet's payload to `out`.
    pub fn payload(&self, packet: &Packet, out: &mut [u8]) {
        match packet.source {
            Source::Stream(offset) => self.streams[packet.direction.index()].fill(offset, out),
            Source::Datagram { start, octets, salt } => {
                let (head, rest) = out.split_at_mut(usize::from(octets).min(out.len()));
                head.copy_from_slice(&self.store[start as usize..][..head.len()]);
                stream::noise(self.key ^ u64::from(salt) << 20, 0, rest);
            }
        }
    }
}
