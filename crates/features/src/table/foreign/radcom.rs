//! The competition table of 2026: 111 columns, whose meaning was never published and is here what the numbers turned out to mean.

use flowgait_flow::export::{CellSink, Kind};
use flowgait_flow::record::{FlowRecord, Moments, Side};

use super::{Row, application, category, double, extreme, integer, per_second};

const SECONDS: &str = "seconds between consecutive packets; missing below two packets";
const EXTREME: &str = "IP octets; missing without a packet";
const WHOLE: &str = "IP octets of every packet of the flow";
const FLAG: &str = "packets of the flow with this TCP flag";

#[rustfmt::skip]
pub(super) const COLUMNS: &[Row] = &[
    ("Source_IP", Kind::Text, 1, "address of the initiator", |r, _, s| s.formatted(&r.initiator.address)),
    ("Source_port", Kind::Integer, 1, "port of the initiator", |r, _, s| s.integer(r.initiator.port.into())),
    ("Destination_IP", Kind::Text, 1, "address of the responder", |r, _, s| s.formatted(&r.responder.address)),
    ("Destination_port", Kind::Integer, 1, "port of the responder", |r, _, s| s.integer(r.responder.port.into())),
    ("Protocol", Kind::Text, 1, "`tcp`, `udp`, another keyword of IANA's, or `protocol-` and the number", protocol),
    ("Timestamp", Kind::Double, 1, "seconds since 1970 of the first packet", |r, _, s| s.double(r.start.micros() as f64 / 1e6)),
    ("fwd_packets_amount", Kind::Integer, 1, "gaps behind the forward gap statistics (theirs is of the host or session)", |r, _, s| integer(s, Some(r.forward.gaps.count))),
    ("bwd_packets_amount", Kind::Integer, 1, "gaps behind the backward gap statistics (theirs is of the host or session)", |r, _, s| integer(s, Some(r.backward.gaps.count))),
    ("fwd_packets_length", Kind::Integer, 1, "packets from the initiator: a count, in spite of the name", |r, _, s| integer(s, Some(r.forward.octets.count))),
    ("bwd_packets_length", Kind::Integer, 1, "packets from the responder: a count, in spite of the name", |r, _, s| integer(s, Some(r.backward.octets.count))),
    // The space behind the name is theirs.
    ("max_fwd_packet ", Kind::Integer, 1, EXTREME, |r, _, s| largest(s, &r.forward)),
    ("min_fwd_packet", Kind::Integer, 1, EXTREME, |r, _, s| smallest(s, &r.forward)),
    ("max_bwd_packet", Kind::Integer, 1, EXTREME, |r, _, s| largest(s, &r.backward)),
    ("min_bwd_packet", Kind::Integer, 1, EXTREME, |r, _, s| smallest(s, &r.backward)),
    ("FIN_count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[0].into())),
    ("SYN_count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[1].into())),
    ("RST_count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[2].into())),
    ("PSH_count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[3].into())),
    ("silence_windows", Kind::Integer, 1, "gaps longer than 15 ms", |r, _, s| s.integer(r.gaps_over_15_ms.into())),
    ("min_fwd_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| shortest(s, &r.forward.gaps)),
    ("max_fwd_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| longest(s, &r.forward.gaps)),
    ("mean_fwd_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| double(s, r.forward.gaps.mean().map(seconds))),
    ("min_bwd_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| shortest(s, &r.backward.gaps)),
    ("max_bwd_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| longest(s, &r.backward.gaps)),
    ("mean_bwd_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| double(s, r.backward.gaps.mean().map(seconds))),
    ("min_bib_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| shortest(s, &r.both.gaps)),
    ("max_bib_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| longest(s, &r.both.gaps)),
    ("mean_bib_inter_arrival_time", Kind::Double, 1, SECONDS, |r, _, s| double(s, r.both.gaps.mean().map(seconds))),
    ("first_packet_sizes_{}", Kind::Integer, 30, "IP octets of the first packets, negative from the responder; 0 behind the last", |r, k, s| s.integer(r.packets.get(k).map_or(0, |p| p.octets.into()))),
    ("min_packet_size", Kind::Integer, 1, WHOLE, |r, _, s| smallest(s, &r.both)),
    ("max_packet_size", Kind::Integer, 1, WHOLE, |r, _, s| largest(s, &r.both)),
    ("mean_packet_size", Kind::Double, 1, WHOLE, |r, _, s| double(s, r.both.octets.mean())),
    ("STD_packet_size", Kind::Double, 1, "IP octets of every packet of the flow, divided by n", |r, _, s| double(s, r.both.octets.sd_population())),
    ("mean_delta_byte", Kind::Double, 1, "absolute difference of the IP octets of consecutive packets; missing below two packets", |r, _, s| double(s, r.octets_delta.mean())),
    ("STD_delta_byte", Kind::Double, 1, "the same, divided by n", |r, _, s| double(s, r.octets_delta.sd_population())),
    ("bandwidth_{}", Kind::Integer, 20, "TCP receive windows of the first packets, as sent; 0 for other protocols and behind the last", |r, k, s| s.integer(r.packets.get(k).map_or(0, |p| p.window.into()))),
    ("bpp_{}", Kind::Integer, 3, "IP octets of the three largest bursts (gaps below 100 ms), largest first", |r, k, s| integer(s, r.bursts.largest.get(k).copied())),
    ("beaconning_{}", Kind::Integer, 20, "always 0: what theirs means is unknown, and nine in ten of them are 0", |_, _, s| s.integer(0)),
    ("pps_fwd", Kind::Double, 1, "forward packets a second of the flow; missing in a flow without duration", |r, _, s| double(s, per_second(r, r.forward.octets.count))),
    ("pps_bwd", Kind::Double, 1, "backward packets a second of the flow; missing in a flow without duration", |r, _, s| double(s, per_second(r, r.backward.octets.count))),
    ("count_big_requests", Kind::Integer, 1, "forward packets of more than 200 IP octets", |r, _, s| s.integer(r.big_requests.into())),
    ("ACK_count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[4].into())),
];

#[rustfmt::skip]
pub(super) const LABELS: &[Row] = &[
    ("label", Kind::Text, 1, "the application; only with labels", application),
    ("attribution", Kind::Text, 1, "the kind of use; only with labels", category),
];

fn protocol(record: &FlowRecord, _: usize, sink: &mut dyn CellSink) {
    match record.protocol.0 {
        1 => sink.text("icmp"),
        6 => sink.text("tcp"),
        17 => sink.text("udp"),
        58 => sink.text("ipv6-icmp"),
        132 => sink.text("sctp"),
        // Never a bare number: the column is one of texts.
        other => sink.text(&format!("protocol-{other}")),
    }
}

fn seconds(micros: f64) -> f64 {
    micros / 1e6
}

fn shortest(sink: &mut dyn CellSink, gaps: &Moments) {
    double(sink, extreme(gaps, gaps.min).map(|micros| seconds(micros as f64)));
}

fn longest(sink: &mut dyn CellSink, gaps: &Moments) {
    double(sink, extreme(gaps, gaps.max).map(|micros| seconds(micros as f64)));
}

fn smallest(sink: &mut dyn CellSink, side: &Side) {
    integer(sink, extreme(&side.octets, side.octets.min));
}

fn largest(sink: &mut dyn CellSink, side: &Side) {
    integer(sink, extreme(&side.octets, side.octets.max));
}
