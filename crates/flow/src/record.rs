//! The noun of this crate: everything that is known about one closed flow.

use std::sync::Arc;

use flowgait_capture::{Address, Protocol, Timestamp, Tunnel};

use crate::handshake::Handshake;
use crate::label::Label;

/// One bidirectional flow (a Biflow, RFC 5103), closed.
///
/// "Forward" is from initiator to responder. Times are packet times in whole microseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowRecord {
    /// Name of the capture it was seen in (the file's name without folders): a group for splitting, never an input.
    pub capture: Arc<str>,
    /// Number of its first packet in the capture, from 1.
    pub first_packet: u64,
    /// Who opened it.
    pub initiator: Endpoint,
    /// Who answered.
    pub responder: Endpoint,
    /// How the initiator was told.
    pub initiator_rule: InitiatorRule,
    /// Protocol above IP.
    pub protocol: Protocol,
    /// Outermost tunnel of its first packet.
    pub tunnel: Tunnel,
    /// Outermost VLAN of its first packet.
    pub vlan: Option<u16>,
    /// Time of the first packet.
    pub start: Timestamp,
    /// Latest packet time.
    pub end: Timestamp,
    /// Why it ended.
    pub end_reason: EndReason,
    /// Initiator to responder.
    pub forward: Side,
    /// Responder to initiator.
    pub backward: Side,
    /// Both directions as one sequence.
    pub both: Side,
    /// Absolute differences of consecutive packets' IP octets.
    pub octets_delta: Moments,
    /// Gaps that were negative (the capture's clock went back) and were taken as zero.
    pub gaps_clamped: u32,
    /// The first packets, of any kind; at most the meter's `packets`.
    pub packets: Vec<FirstPacket>,
    /// The first packets that bear payload; at most the meter's `packets`.
    pub payload_packets: Vec<FirstPayload>,
    /// Gaps of at least 50 ms, 200 ms, 1 s and 5 s, in this order ([`SILENCE_THRESHOLDS_MICROS`]).
    pub silences: [Silence; 4],
    /// Gaps longer than 15 ms (the Radcom table's `silence_windows`).
    pub gaps_over_15_ms: u32,
    /// Forward packets with more than 200 IP octets (the Radcom table's `count_big_requests`).
    pub big_requests: u32,
    /// Bursts flow-wide: runs of packets with gaps below [`BURST_GAP_MICROS`].
    pub bursts: Bursts,
    /// Bursts of the forward packets alone.
    pub bursts_forward: Bursts,
    /// Bursts of the backward packets alone.
    pub bursts_backward: Bursts,
    /// What the handshake showed in the clear.
    pub handshake: Option<Box<Handshake>>,
    /// Name that an earlier DNS answer to this initiator gave the responder's address.
    pub dns_name: Option<Arc<str>>,
    /// What a person or a rule says it is.
    pub label: Option<Label>,
}

/// Thresholds of [`FlowRecord::silences`], in microseconds.
pub const SILENCE_THRESHOLDS_MICROS: [u64; 4] = [50_000, 200_000, 1_000_000, 5_000_000];
/// A gap of this many microseconds or more ends a burst.
pub const BURST_GAP_MICROS: u64 = 100_000;
/// Histogram bins: 0–15, 16–31, 32–63, 64–127, 128–255, 256–511, 512–1023, ≥ 1024 (octets of IP packets, or milliseconds of gaps).
pub const HISTOGRAM_BINS: usize = 8;

/// An address and a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// IP address.
    pub address: Address,
    /// Port, or 0 where the protocol has none.
    pub port: u16,
}

/// How the initiator of a flow was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitiatorRule {
    /// It sent the SYN.
    Syn,
    /// It received the SYN-ACK; the SYN was not captured.
    SynAck,
    /// It sent the first packet that was captured.
    #[default]
    FirstPacket,
}

/// Why a flow ended; the numbers are IPFIX' `flowEndReason` (136).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    /// No packet for the idle timeout.
    Idle = 1,
    /// It was cut because it lasted longer than the active timeout.
    Active = 2,
    /// FIN from both ends and the last ACK, or RST, or a new SYN on the closed pair.
    EndOfFlow = 3,
    /// The capture ended.
    #[default]
    ForcedEnd = 4,
    /// The table was full.
    LackOfResources = 5,
}

/// Running sums of a quantity, enough for its mean and deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// How many values.
    pub count: u64,
    /// Smallest value; 0 when there is none.
    pub min: u64,
    /// Largest value; 0 when there is none.
    pub max: u64,
    /// Sum of the values.
    pub sum: u64,
    /// Sum of squared differences from the mean.
    pub squares: f64,
}

/// One direction of a flow, or both as one sequence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// Octets of IP packets: count = packets, sum = octets.
    pub octets: Moments,
    /// Octets of payload, over packets that bear some.
    pub payload: Moments,
    /// Gaps between this side's consecutive packets, in microseconds.
    pub gaps: Moments,
    /// Octets of IP and transport headers together.
    pub header_octets: u64,
    /// Packets with the TCP flag FIN, SYN, RST, PSH, ACK, URG, ECE, CWR (bit 0 first).
    pub flags: [u32; 8],
    /// Packets by IP octets ([`HISTOGRAM_BINS`]).
    pub octets_histogram: [u32; HISTOGRAM_BINS],
    /// Gaps by milliseconds ([`HISTOGRAM_BINS`]).
    pub gaps_histogram: [u32; HISTOGRAM_BINS],
    /// TCP window of the *first* packet of this side.
    pub window_first: u16,
    /// TTL or hop limit of the first packet of this side.
    pub ttl_first: u8,
}

/// One of a flow's first packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstPacket {
    /// IP octets; positive from the initiator, negative from the responder.
    pub octets: i32,
    /// Payload octets, with the same sign.
    pub payload: i32,
    /// Microseconds since the flow's packet before; 0 for the first.
    pub gap_micros: u64,
    /// TCP receive window as sent.
    pub window: u16,
}

/// One of a flow's first payload-bearing packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstPayload {
    /// Payload octets; positive from the initiator, negative from the responder.
    pub octets: i32,
    /// Microseconds since the flow's payload-bearing packet before; 0 for the first.
    pub gap_micros: u64,
}

/// Gaps at or above one threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// How many.
    pub count: u32,
    /// Their sum in microseconds.
    pub sum_micros: u64,
    /// The longest in microseconds.
    pub longest_micros: u64,
}

/// Runs of packets with short gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bursts {
    /// IP octets of a burst, over all bursts; count = number of bursts.
    pub octets: Moments,
    /// Packets of a burst.
    pub packets: Moments,
    /// Microseconds between the starts of consecutive bursts.
    pub periods: Moments,
    /// Microseconds spent inside bursts.
    pub on_micros: u64,
    /// The three largest bursts' IP octets, largest first.
    pub largest: [u64; 3],
}

impl Moments {
    /// The mean, or `None` without values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The population standard deviation (divides by n), or `None` without values.
    #[must_use]
    pub fn sd_population(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.squares / self.count as f64).max(0.0).sqrt())
    }

    /// The sample standard deviation (divides by n − 1), or `None` below two values.
    #[must_use]
    pub fn sd_sample(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).max(0.0).sqrt())
    }
}
