//! A meter as one would write it without a thought for speed: every flow keeps all its packets, every packet looks at every flow,
//! and statistics are made at the end from lists. It says the rules a second time, in other words.

use std::sync::Arc;

use flowgait_capture::{Packet, Protocol, TcpFlags, Timestamp};
use flowgait_flow::FlowRecord;
use flowgait_flow::record::{
    Bursts, EndReason, Endpoint, FirstPacket, FirstPayload, InitiatorRule, Moments, Side, Silence,
};

use crate::support::SECOND;

/// What the naive meter can be told.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub idle: i64,
    pub active: i64,
    pub linger: i64,
    pub packets: usize,
    pub keep: bool,
}

impl Rules {
    pub const DEFAULT: Self = Self {
        idle: 120 * SECOND,
        active: 1_800 * SECOND,
        linger: 30 * SECOND,
        packets: 30,
        keep: false,
    };
}

/// A pair that is known at a moment.
struct Live {
    ends: [Endpoint; 2],
    protocol: Protocol,
    /// The current record's packets and clocks.
    packets: Vec<(Packet, i64)>,
    last_clock: i64,
    /// Who opened, as an endpoint, and how that was told.
    initiator: (Endpoint, InitiatorRule),
    /// Everything that was seen since the pair is known, over all its records.
    history: Vec<Packet>,
    closed: Option<i64>,
}

fn source(packet: &Packet) -> Endpoint {
    Endpoint { address: packet.source, port: packet.source_port }
}

fn destination(packet: &Packet) -> Endpoint {
    Endpoint { address: packet.destination, port: packet.destination_port }
}

fn flags(packet: &Packet) -> TcpFlags {
    let has_flags = packet.protocol == Protocol::TCP && !packet.fragment;
    if has_flags { packet.tcp_flags } else { TcpFlags(0) }
}

fn is_syn(packet: &Packet) -> bool {
    flags(packet).has(TcpFlags::SYN) && !flags(packet).has(TcpFlags::ACK)
}

impl Live {
    fn is_of(&self, packet: &Packet) -> bool {
        let (a, b) = (source(packet), destination(packet));
        self.protocol == packet.protocol && (self.ends == [a, b] || self.ends == [b, a])
    }

    /// The next thing that will happen by itself.
    fn deadline(&self, rules: &Rules) -> (i64, u8) {
        let idle = (self.last_clock + rules.idle, 1);
        if let Some(closed) = self.closed {
            return (closed + rules.linger, 0).min(idle);
        }
        match self.packets.first() {
            Some((_, start)) => idle.min((start + rules.active, 2)),
            None => idle,
        }
    }

    fn is_split_by(&self, packet: &Packet) -> bool {
        if !is_syn(packet) {
            return false;
        }
        // The sender's last SYN, with or without ACK.
        let last_syn = |end: Endpoint| {
            let mut syns = self.history.iter().filter(|p| flags(p).has(TcpFlags::SYN));
            syns.rfind(|p| source(p) == end)
        };
        let (mine, theirs) = (last_syn(source(packet)), last_syn(destination(packet)));
        if mine.is_some_and(|syn| syn.tcp_sequence == packet.tcp_sequence) {
            return false;
        }
        let is_opening = self.closed.is_none()
            && self.history.iter().all(|p| flags(p).has(TcpFlags::SYN))
            && (mine.is_none() || theirs.is_none());
        !is_opening
    }

    fn push(&mut self, packet: &Packet, clock: i64, rules: &Rules) {
        let flags = flags(packet);
        if is_syn(packet) && self.initiator.1 != InitiatorRule::Syn {
            self.initiator = (source(packet), InitiatorRule::Syn);
        } else if flags.has(TcpFlags::SYN)
            && flags.has(TcpFlags::ACK)
            && self.initiator.1 == InitiatorRule::FirstPacket
        {
            self.initiator = (destination(packet), InitiatorRule::SynAck);
        }
        let had_fin = |end: Endpoint| {
            let fin = |p: &&Packet| {
                p.protocol == Protocol::TCP && !p.fragment && p.tcp_flags.has(TcpFlags::FIN)
            };
            self.history.iter().filter(fin).any(|p| source(p) == end)
        };
        let last_ack = had_fin(self.ends[0])
            && had_fin(self.ends[1])
            && flags.has(TcpFlags::ACK)
            && !flags.has(TcpFlags::FIN);
        if !rules.keep && self.closed.is_none() && (last_ack || flags.has(TcpFlags::RST)) {
            self.closed = Some(clock);
        }
        self.last_clock = clock;
        self.packets.push((*packet, clock));
        self.history.push(*packet);
    }
}

/// Meters a stream; packets are numbered from 1.
pub fn meter(packets: &[Packet], rules: &Rules) -> Vec<FlowRecord> {
    let mut clock = i64::MIN;
    let mut live: Vec<Live> = Vec::new();
    let mut done: Vec<(i64, FlowRecord)> = Vec::new();
    for (packet, number) in packets.iter().zip(1..) {
        let packet = Packet { number, ..*packet };
        clock = clock.max(packet.time.micros());
        live.retain_mut(|flow| {
            loop {
                let (deadline, kind) = flow.deadline(rules);
                if deadline > clock {
                    return true;
                }
                let reason =
                    [EndReason::EndOfFlow, EndReason::Idle, EndReason::Active][usize::from(kind)];
                finish(flow, reason, rules, &mut done);
                if kind != 2 {
                    return false;
                }
            }
        });
        if !rules.keep
            && let Some(at) = live.iter().position(|f| f.is_of(&packet) && f.is_split_by(&packet))
        {
            finish(&mut live.remove(at), EndReason::EndOfFlow, rules, &mut done);
        }
        let at = live.iter().position(|flow| flow.is_of(&packet)).unwrap_or_else(|| {
            live.push(Live {
                ends: [source(&packet), destination(&packet)],
                protocol: packet.protocol,
                packets: Vec::new(),
                last_clock: clock,
                initiator: (source(&packet), InitiatorRule::FirstPacket),
                history: Vec::new(),
                closed: None,
            });
            live.len() - 1
        });
        live[at].push(&packet, clock, rules);
    }
    for mut flow in live {
        finish(&mut flow, EndReason::ForcedEnd, rules, &mut done);
    }
    done.sort_by_key(|(clock, record)| (*clock, record.first_packet));
    done.into_iter().map(|(_, record)| record).collect()
}

fn finish(flow: &mut Live, reason: EndReason, rules: &Rules, done: &mut Vec<(i64, FlowRecord)>) {
    let packets: Vec<Packet> =
        std::mem::take(&mut flow.packets).into_iter().map(|(p, _)| p).collect();
    if !packets.is_empty() {
        let reason = if flow.closed.is_some() { EndReason::EndOfFlow } else { reason };
        done.push((flow.last_clock, record(flow, &packets, reason, rules)));
    }
}

/// A packet with its time, not before that of any packet before it.
#[derive(Clone, Copy)]
struct Timed {
    packet: Packet,
    at: i64,
    is_forward: bool,
}

fn record(flow: &Live, packets: &[Packet], reason: EndReason, rules: &Rules) -> FlowRecord {
    let initiator = flow.initiator.0;
    let responder = if flow.ends[0] == initiator { flow.ends[1] } else { flow.ends[0] };
    let mut latest = i64::MIN;
    let mut clamped = 0;
    let timed: Vec<Timed> = packets
        .iter()
        .map(|packet| {
            let time = packet.time.micros();
            clamped += u32::from(time < latest);
            latest = latest.max(time);
            Timed { packet: *packet, at: latest, is_forward: source(packet) == initiator }
        })
        .collect();
    // With equal endpoints nobody can tell the directions apart: all is forward.
    let forward: Vec<Timed> = timed.iter().filter(|t| t.is_forward).copied().collect();
    let backward: Vec<Timed> = timed.iter().filter(|t| !t.is_forward).copied().collect();
    let bearing: Vec<Timed> =
        timed.iter().filter(|t| t.packet.payload_octets > 0).copied().collect();
    let signed =
        |t: &Timed, value: u16| if t.is_forward { i32::from(value) } else { -i32::from(value) };
    let all_gaps = gaps(&timed);
    let first = packets[0];
    FlowRecord {
        capture: Arc::from("made"),
        first_packet: first.number,
        initiator,
        responder,
        initiator_rule: flow.initiator.1,
        protocol: flow.protocol,
        tunnel: first.tunnel,
        vlan: first.vlan(),
        start: Timestamp(first.time.micros() * 1_000),
        end: Timestamp(latest * 1_000),
        end_reason: reason,
        forward: side(&forward),
        backward: side(&backward),
        both: side(&timed),
        octets_delta: moments(
            packets.windows(2).map(|p| u64::from(p[0].ip_octets.abs_diff(p[1].ip_octets))),
        ),
        gaps_clamped: clamped,
        packets: timed
            .iter()
            .zip([0].into_iter().chain(all_gaps.iter().copied()))
            .take(rules.packets)
            .map(|(t, gap_micros)| FirstPacket {
                octets: signed(t, t.packet.ip_octets),
                payload: signed(t, t.packet.payload_octets),
                gap_micros,
                window: t.packet.tcp_window,
            })
            .collect(),
        payload_packets: bearing
            .iter()
            .zip([0].into_iter().chain(gaps(&bearing)))
            .take(rules.packets)
            .map(|(t, gap_micros)| FirstPayload {
                octets: signed(t, t.packet.payload_octets),
                gap_micros,
            })
            .collect(),
        silences: [50_000, 200_000, 1_000_000, 5_000_000].map(|threshold| {
            let long: Vec<u64> = all_gaps.iter().copied().filter(|gap| *gap >= threshold).collect();
            Silence {
                count: long.len() as u32,
                sum_micros: long.iter().sum(),
                longest_micros: long.iter().max().copied().unwrap_or(0),
            }
        }),
        gaps_over_15_ms: all_gaps.iter().filter(|gap| **gap > 15_000).count() as u32,
        big_requests: forward.iter().filter(|t| t.packet.ip_octets > 200).count() as u32,
        bursts: bursts(&timed),
        bursts_forward: bursts(&forward),
        bursts_backward: bursts(&backward),
        handshake: None,
        dns_name: None,
        label: None,
    }
}

fn gaps(packets: &[Timed]) -> Vec<u64> {
    packets.windows(2).map(|pair| (pair[1].at - pair[0].at) as u64).collect()
}

/// By the definition of variance, in whole numbers: Σ (n x − S)² / n².
fn moments(values: impl Iterator<Item = u64>) -> Moments {
    let values: Vec<u64> = values.collect();
    let (n, sum) = (values.len() as i128, values.iter().map(|v| i128::from(*v)).sum::<i128>());
    let scaled: i128 = values.iter().map(|v| (n * i128::from(*v) - sum).pow(2)).sum();
    Moments {
        count: values.len() as u64,
        min: values.iter().min().copied().unwrap_or(0),
        max: values.iter().max().copied().unwrap_or(0),
        sum: sum as u64,
        squares: if n == 0 { 0.0 } else { (scaled / n) as f64 / n as f64 },
    }
}

fn histogram(values: impl Iterator<Item = u64>) -> [u32; 8] {
    let mut bins = [0; 8];
    let uppers = [15, 31, 63, 127, 255, 511, 1_023, u64::MAX];
    for value in values {
        bins[uppers.iter().take_while(|upper| value > **upper).count()] += 1;
    }
    bins
}

fn side(packets: &[Timed]) -> Side {
    let gaps = gaps(packets);
    let octets = || packets.iter().map(|t| u64::from(t.packet.ip_octets));
    let payload = packets.iter().map(|t| u64::from(t.packet.payload_octets));
    Side {
        octets: moments(octets()),
        payload: moments(payload.filter(|octets| *octets > 0)),
        gaps: moments(gaps.iter().copied()),
        header_octets: packets
            .iter()
            .map(|t| u64::from(t.packet.ip_octets) - u64::from(t.packet.payload_octets))
            .sum(),
        flags: std::array::from_fn(|bit| {
            packets.iter().filter(|t| t.packet.tcp_flags.0 >> bit & 1 == 1).count() as u32
        }),
        octets_histogram: histogram(octets()),
        gaps_histogram: histogram(gaps.iter().map(|gap| gap / 1_000)),
        window_first: packets.first().map_or(0, |t| t.packet.tcp_window),
        ttl_first: packets.first().map_or(0, |t| t.packet.ttl),
    }
}

fn bursts(packets: &[Timed]) -> Bursts {
    let runs: Vec<&[Timed]> = packets.chunk_by(|a, b| b.at - a.at < 100_000).collect();
    let octets = |run: &&[Timed]| run.iter().map(|t| u64::from(t.packet.ip_octets)).sum::<u64>();
    let mut largest: Vec<u64> = runs.iter().map(octets).collect();
    largest.sort_by(|a, b| b.cmp(a));
    largest.resize(3, 0);
    Bursts {
        octets: moments(runs.iter().map(octets)),
        packets: moments(runs.iter().map(|run| run.len() as u64)),
        periods: moments(runs.windows(2).map(|pair| (pair[1][0].at - pair[0][0].at) as u64)),
        on_micros: runs.iter().map(|run| (run[run.len() - 1].at - run[0].at) as u64).sum(),
        largest: [largest[0], largest[1], largest[2]],
    }
}
