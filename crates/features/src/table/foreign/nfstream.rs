//! NFStream's flow table, version 6.

use flowgait_capture::Tunnel;
use flowgait_flow::export::{CellSink, Kind};
use flowgait_flow::label::LabelSource;
use flowgait_flow::record::{EndReason, FirstPacket, FlowRecord};

use crate::schema::SEQUENCE_LENGTH;

use super::{Row, application, category, double, duration_micros, extreme, integer, text};

const UNKNOWN: &str = "always missing: not known to our meter";
const SIDE_TIME: &str =
    "always missing: our meter keeps the flow's first and latest packet, not each side's";
const OCTETS: &str = "IP octets (theirs are of the link layer unless `accounting_mode` is 1)";
const SIZE: &str = "IP octets; missing without a packet";
const SIZE_SD: &str = "IP octets, divided by n - 1; missing below two packets";
const GAP: &str = "milliseconds between consecutive packets of this side, microseconds behind the point; missing below two packets";
const GAP_SD: &str = "the same, divided by n - 1; missing below three packets";
const FLAG: &str = "packets with this TCP flag";

#[rustfmt::skip]
pub(super) const COLUMNS: &[Row] = &[
    ("id", Kind::Integer, 1, "number of the flow's first packet in its capture", |r, _, s| integer(s, Some(r.first_packet))),
    ("expiration_id", Kind::Integer, 1, "0 ended idle or by its own end, 1 cut by the active timeout, -1 otherwise", |r, _, s| s.integer(match r.end_reason { EndReason::Idle | EndReason::EndOfFlow => 0, EndReason::Active => 1, _ => -1 })),
    ("src_ip", Kind::Text, 1, "address of the initiator", |r, _, s| s.formatted(&r.initiator.address)),
    ("src_mac", Kind::Text, 1, UNKNOWN, |_, _, s| s.missing()),
    ("src_oui", Kind::Text, 1, UNKNOWN, |_, _, s| s.missing()),
    ("src_port", Kind::Integer, 1, "port of the initiator", |r, _, s| s.integer(r.initiator.port.into())),
    ("dst_ip", Kind::Text, 1, "address of the responder", |r, _, s| s.formatted(&r.responder.address)),
    ("dst_mac", Kind::Text, 1, UNKNOWN, |_, _, s| s.missing()),
    ("dst_oui", Kind::Text, 1, UNKNOWN, |_, _, s| s.missing()),
    ("dst_port", Kind::Integer, 1, "port of the responder", |r, _, s| s.integer(r.responder.port.into())),
    ("protocol", Kind::Integer, 1, "IANA number", |r, _, s| s.integer(r.protocol.0.into())),
    ("ip_version", Kind::Integer, 1, "4 or 6, of the innermost IP packet", |r, _, s| s.integer(if r.initiator.address.is_v4() { 4 } else { 6 })),
    ("vlan_id", Kind::Integer, 1, "outermost VLAN, 0 without one", |r, _, s| s.integer(r.vlan.unwrap_or(0).into())),
    ("tunnel_id", Kind::Integer, 1, "0 none, 1 any tunnel (theirs numbers tunnels otherwise)", |r, _, s| s.integer((r.tunnel != Tunnel::None).into())),
    ("bidirectional_first_seen_ms", Kind::Integer, 1, "milliseconds since 1970 of the first packet", |r, _, s| s.integer(r.start.micros() / 1_000)),
    ("bidirectional_last_seen_ms", Kind::Integer, 1, "milliseconds since 1970 of the latest packet", |r, _, s| s.integer(r.end.micros() / 1_000)),
    ("bidirectional_duration_ms", Kind::Integer, 1, "from first to latest packet", |r, _, s| integer(s, Some(duration_micros(r) / 1_000))),
    ("bidirectional_packets", Kind::Integer, 1, "packets", |r, _, s| integer(s, Some(r.both.octets.count))),
    ("bidirectional_bytes", Kind::Integer, 1, OCTETS, |r, _, s| integer(s, Some(r.both.octets.sum))),
    ("src2dst_first_seen_ms", Kind::Integer, 1, SIDE_TIME, |_, _, s| s.missing()),
    ("src2dst_last_seen_ms", Kind::Integer, 1, SIDE_TIME, |_, _, s| s.missing()),
    ("src2dst_duration_ms", Kind::Integer, 1, "sum of the gaps between this side's packets", |r, _, s| integer(s, Some(r.forward.gaps.sum / 1_000))),
    ("src2dst_packets", Kind::Integer, 1, "packets", |r, _, s| integer(s, Some(r.forward.octets.count))),
    ("src2dst_bytes", Kind::Integer, 1, OCTETS, |r, _, s| integer(s, Some(r.forward.octets.sum))),
    ("dst2src_first_seen_ms", Kind::Integer, 1, SIDE_TIME, |_, _, s| s.missing()),
    ("dst2src_last_seen_ms", Kind::Integer, 1, SIDE_TIME, |_, _, s| s.missing()),
    ("dst2src_duration_ms", Kind::Integer, 1, "sum of the gaps between this side's packets", |r, _, s| integer(s, Some(r.backward.gaps.sum / 1_000))),
    ("dst2src_packets", Kind::Integer, 1, "packets", |r, _, s| integer(s, Some(r.backward.octets.count))),
    ("dst2src_bytes", Kind::Integer, 1, OCTETS, |r, _, s| integer(s, Some(r.backward.octets.sum))),
    ("bidirectional_min_ps", Kind::Integer, 1, SIZE, |r, _, s| integer(s, extreme(&r.both.octets, r.both.octets.min))),
    ("bidirectional_mean_ps", Kind::Double, 1, SIZE, |r, _, s| double(s, r.both.octets.mean())),
    ("bidirectional_stddev_ps", Kind::Double, 1, SIZE_SD, |r, _, s| double(s, r.both.octets.sd_sample())),
    ("bidirectional_max_ps", Kind::Integer, 1, SIZE, |r, _, s| integer(s, extreme(&r.both.octets, r.both.octets.max))),
    ("src2dst_min_ps", Kind::Integer, 1, SIZE, |r, _, s| integer(s, extreme(&r.forward.octets, r.forward.octets.min))),
    ("src2dst_mean_ps", Kind::Double, 1, SIZE, |r, _, s| double(s, r.forward.octets.mean())),
    ("src2dst_stddev_ps", Kind::Double, 1, SIZE_SD, |r, _, s| double(s, r.forward.octets.sd_sample())),
    ("src2dst_max_ps", Kind::Integer, 1, SIZE, |r, _, s| integer(s, extreme(&r.forward.octets, r.forward.octets.max))),
    ("dst2src_min_ps", Kind::Integer, 1, SIZE, |r, _, s| integer(s, extreme(&r.backward.octets, r.backward.octets.min))),
    ("dst2src_mean_ps", Kind::Double, 1, SIZE, |r, _, s| double(s, r.backward.octets.mean())),
    ("dst2src_stddev_ps", Kind::Double, 1, SIZE_SD, |r, _, s| double(s, r.backward.octets.sd_sample())),
    ("dst2src_max_ps", Kind::Integer, 1, SIZE, |r, _, s| integer(s, extreme(&r.backward.octets, r.backward.octets.max))),
    ("bidirectional_min_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, extreme(&r.both.gaps, r.both.gaps.min).map(whole_millis))),
    ("bidirectional_mean_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, r.both.gaps.mean().map(millis))),
    ("bidirectional_stddev_piat_ms", Kind::Double, 1, GAP_SD, |r, _, s| double(s, r.both.gaps.sd_sample().map(millis))),
    ("bidirectional_max_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, extreme(&r.both.gaps, r.both.gaps.max).map(whole_millis))),
    ("src2dst_min_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, extreme(&r.forward.gaps, r.forward.gaps.min).map(whole_millis))),
    ("src2dst_mean_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, r.forward.gaps.mean().map(millis))),
    ("src2dst_stddev_piat_ms", Kind::Double, 1, GAP_SD, |r, _, s| double(s, r.forward.gaps.sd_sample().map(millis))),
    ("src2dst_max_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, extreme(&r.forward.gaps, r.forward.gaps.max).map(whole_millis))),
    ("dst2src_min_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, extreme(&r.backward.gaps, r.backward.gaps.min).map(whole_millis))),
    ("dst2src_mean_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, r.backward.gaps.mean().map(millis))),
    ("dst2src_stddev_piat_ms", Kind::Double, 1, GAP_SD, |r, _, s| double(s, r.backward.gaps.sd_sample().map(millis))),
    ("dst2src_max_piat_ms", Kind::Double, 1, GAP, |r, _, s| double(s, extreme(&r.backward.gaps, r.backward.gaps.max).map(whole_millis))),
    ("bidirectional_syn_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[1].into())),
    ("bidirectional_cwr_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[7].into())),
    ("bidirectional_ece_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[6].into())),
    ("bidirectional_urg_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[5].into())),
    ("bidirectional_ack_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[4].into())),
    ("bidirectional_psh_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[3].into())),
    ("bidirectional_rst_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[2].into())),
    ("bidirectional_fin_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[0].into())),
    ("src2dst_syn_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[1].into())),
    ("src2dst_cwr_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[7].into())),
    ("src2dst_ece_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[6].into())),
    ("src2dst_urg_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[5].into())),
    ("src2dst_ack_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[4].into())),
    ("src2dst_psh_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[3].into())),
    ("src2dst_rst_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[2].into())),
    ("src2dst_fin_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[0].into())),
    ("dst2src_syn_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[1].into())),
    ("dst2src_cwr_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[7].into())),
    ("dst2src_ece_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[6].into())),
    ("dst2src_urg_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[5].into())),
    ("dst2src_ack_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[4].into())),
    ("dst2src_psh_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[3].into())),
    ("dst2src_rst_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[2].into())),
    ("dst2src_fin_packets", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[0].into())),
    ("splt_direction", Kind::Text, 1, "of the first packets: 0 from the initiator, 1 from the responder; -1 behind the last", |r, _, s| list(s, r, |p| (p.octets < 0).into())),
    ("splt_ps", Kind::Text, 1, "IP octets of the first packets; -1 behind the last", |r, _, s| list(s, r, |p| p.octets.unsigned_abs().into())),
    ("splt_piat_ms", Kind::Text, 1, "whole milliseconds before each of the first packets; -1 behind the last", |r, _, s| list(s, r, |p| i64::try_from(p.gap_micros / 1_000).unwrap_or(i64::MAX))),
    ("application_name", Kind::Text, 1, "the application; missing without a label", application),
    ("application_category_name", Kind::Text, 1, "the kind of use; missing without a label", category),
    ("application_is_guessed", Kind::Integer, 1, "0 where a table of truth says so, 1 where a name does; missing without a label", guessed),
    ("application_confidence", Kind::Integer, 1, UNKNOWN, |_, _, s| s.missing()),
    ("requested_server_name", Kind::Text, 1, "server name of the ClientHello", |r, _, s| text(s, r.handshake.as_ref().and_then(|h| h.sni.as_deref()))),
    ("client_fingerprint", Kind::Text, 1, "JA4 of the ClientHello", |r, _, s| text(s, r.handshake.as_ref().map(|h| &*h.ja4).filter(|ja4| !ja4.is_empty()))),
    ("server_fingerprint", Kind::Text, 1, UNKNOWN, |_, _, s| s.missing()),
    ("user_agent", Kind::Text, 1, UNKNOWN, |_, _, s| s.missing()),
    ("content_type", Kind::Text, 1, UNKNOWN, |_, _, s| s.missing()),
];

pub(super) const LABELS: &[Row] = &[];

fn millis(micros: f64) -> f64 {
    micros / 1e3
}

fn whole_millis(micros: u64) -> f64 {
    millis(micros as f64)
}

/// A list as NFStream's CSV has it: `[0, 1, -1]`, with -1 behind the flow's last packet.
fn list(sink: &mut dyn CellSink, record: &FlowRecord, value: fn(&FirstPacket) -> i64) {
    let mut values: Vec<String> = record.packets.iter().map(|p| value(p).to_string()).collect();
    if values.len() < SEQUENCE_LENGTH {
        values.resize(SEQUENCE_LENGTH, "-1".to_string());
    }
    sink.text(&format!("[{}]", values.join(", ")));
}

fn guessed(record: &FlowRecord, _: usize, sink: &mut dyn CellSink) {
    match &record.label {
        Some(label) => sink.integer((label.source != LabelSource::Truth).into()),
        None => sink.missing(),
    }
}
