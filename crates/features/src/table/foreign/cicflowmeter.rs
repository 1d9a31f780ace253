//! CICFlowMeter's flow table, version 4.

use flowgait_flow::export::{CellSink, Kind};
use flowgait_flow::record::{FlowRecord, Side};

use super::{Row, application, double, duration_micros, extreme, integer, per_second};

const PAYLOAD: &str = "payload octets";
const LENGTH: &str = "payload octets of every packet, 0 of one without; missing without a packet (theirs counts the first packet twice)";
const LENGTH_SD: &str = "the same, divided by n - 1; missing below two packets";
const RATE: &str = "packets a second of the flow; missing in a flow without duration";
const GAP: &str =
    "microseconds between consecutive packets of this side; missing below two packets";
const GAP_SD: &str = "the same, divided by n - 1; missing below three packets";
const FLAG: &str = "packets with this TCP flag";
const BULK: &str =
    "always missing: our meter keeps bursts, not theirs of four packets or more in a second";
const SUBFLOW: &str = "divided by the number of parts between gaps of one second or more";
const WINDOW: &str = "TCP window of this side's first packet; missing without one";
const ACTIVE: &str = "always missing: of silences our meter keeps number, sum and longest";
const IDLE: &str =
    "microseconds, over gaps of 5 s or more; missing without one (theirs are moments since 1970)";

#[rustfmt::skip]
pub(super) const COLUMNS: &[Row] = &[
    ("Flow ID", Kind::Text, 1, "both addresses, both ports and the protocol, with - between", flow_id),
    ("Src IP", Kind::Text, 1, "address of the initiator", |r, _, s| s.formatted(&r.initiator.address)),
    ("Src Port", Kind::Integer, 1, "port of the initiator", |r, _, s| s.integer(r.initiator.port.into())),
    ("Dst IP", Kind::Text, 1, "address of the responder", |r, _, s| s.formatted(&r.responder.address)),
    ("Dst Port", Kind::Integer, 1, "port of the responder", |r, _, s| s.integer(r.responder.port.into())),
    ("Protocol", Kind::Integer, 1, "IANA number", |r, _, s| s.integer(r.protocol.0.into())),
    ("Timestamp", Kind::Double, 1, "seconds since 1970 of the first packet (theirs is a local 12-hour clock)", |r, _, s| s.double(r.start.micros() as f64 / 1e6)),
    ("Flow Duration", Kind::Integer, 1, "microseconds from first to latest packet", |r, _, s| integer(s, Some(duration_micros(r)))),
    ("Total Fwd Packet", Kind::Integer, 1, "packets", |r, _, s| integer(s, Some(r.forward.octets.count))),
    ("Total Bwd packets", Kind::Integer, 1, "packets", |r, _, s| integer(s, Some(r.backward.octets.count))),
    ("Total Length of Fwd Packet", Kind::Integer, 1, PAYLOAD, |r, _, s| integer(s, Some(r.forward.payload.sum))),
    ("Total Length of Bwd Packet", Kind::Integer, 1, PAYLOAD, |r, _, s| integer(s, Some(r.backward.payload.sum))),
    ("Fwd Packet Length Max", Kind::Integer, 1, LENGTH, |r, _, s| integer(s, Lengths::of(&r.forward).max)),
    ("Fwd Packet Length Min", Kind::Integer, 1, LENGTH, |r, _, s| integer(s, Lengths::of(&r.forward).min)),
    ("Fwd Packet Length Mean", Kind::Double, 1, LENGTH, |r, _, s| double(s, Lengths::of(&r.forward).mean)),
    ("Fwd Packet Length Std", Kind::Double, 1, LENGTH_SD, |r, _, s| double(s, Lengths::of(&r.forward).variance.map(f64::sqrt))),
    ("Bwd Packet Length Max", Kind::Integer, 1, LENGTH, |r, _, s| integer(s, Lengths::of(&r.backward).max)),
    ("Bwd Packet Length Min", Kind::Integer, 1, LENGTH, |r, _, s| integer(s, Lengths::of(&r.backward).min)),
    ("Bwd Packet Length Mean", Kind::Double, 1, LENGTH, |r, _, s| double(s, Lengths::of(&r.backward).mean)),
    ("Bwd Packet Length Std", Kind::Double, 1, LENGTH_SD, |r, _, s| double(s, Lengths::of(&r.backward).variance.map(f64::sqrt))),
    ("Flow Bytes/s", Kind::Double, 1, "payload octets a second of the flow; missing in a flow without duration", |r, _, s| double(s, per_second(r, r.both.payload.sum))),
    ("Flow Packets/s", Kind::Double, 1, RATE, |r, _, s| double(s, per_second(r, r.both.octets.count))),
    ("Flow IAT Mean", Kind::Double, 1, GAP, |r, _, s| double(s, r.both.gaps.mean())),
    ("Flow IAT Std", Kind::Double, 1, GAP_SD, |r, _, s| double(s, r.both.gaps.sd_sample())),
    ("Flow IAT Max", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.both.gaps, r.both.gaps.max))),
    ("Flow IAT Min", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.both.gaps, r.both.gaps.min))),
    ("Fwd IAT Total", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.forward.gaps, r.forward.gaps.sum))),
    ("Fwd IAT Mean", Kind::Double, 1, GAP, |r, _, s| double(s, r.forward.gaps.mean())),
    ("Fwd IAT Std", Kind::Double, 1, GAP_SD, |r, _, s| double(s, r.forward.gaps.sd_sample())),
    ("Fwd IAT Max", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.forward.gaps, r.forward.gaps.max))),
    ("Fwd IAT Min", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.forward.gaps, r.forward.gaps.min))),
    ("Bwd IAT Total", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.backward.gaps, r.backward.gaps.sum))),
    ("Bwd IAT Mean", Kind::Double, 1, GAP, |r, _, s| double(s, r.backward.gaps.mean())),
    ("Bwd IAT Std", Kind::Double, 1, GAP_SD, |r, _, s| double(s, r.backward.gaps.sd_sample())),
    ("Bwd IAT Max", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.backward.gaps, r.backward.gaps.max))),
    ("Bwd IAT Min", Kind::Integer, 1, GAP, |r, _, s| integer(s, extreme(&r.backward.gaps, r.backward.gaps.min))),
    ("Fwd PSH Flags", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[3].into())),
    ("Bwd PSH Flags", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[3].into())),
    ("Fwd URG Flags", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.forward.flags[5].into())),
    ("Bwd URG Flags", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.backward.flags[5].into())),
    ("Fwd Header Length", Kind::Integer, 1, "octets of IP and transport headers (theirs are of the transport header)", |r, _, s| integer(s, Some(r.forward.header_octets))),
    ("Bwd Header Length", Kind::Integer, 1, "octets of IP and transport headers (theirs are of the transport header)", |r, _, s| integer(s, Some(r.backward.header_octets))),
    ("Fwd Packets/s", Kind::Double, 1, RATE, |r, _, s| double(s, per_second(r, r.forward.octets.count))),
    ("Bwd Packets/s", Kind::Double, 1, RATE, |r, _, s| double(s, per_second(r, r.backward.octets.count))),
    ("Packet Length Min", Kind::Integer, 1, LENGTH, |r, _, s| integer(s, Lengths::of(&r.both).min)),
    ("Packet Length Max", Kind::Integer, 1, LENGTH, |r, _, s| integer(s, Lengths::of(&r.both).max)),
    ("Packet Length Mean", Kind::Double, 1, LENGTH, |r, _, s| double(s, Lengths::of(&r.both).mean)),
    ("Packet Length Std", Kind::Double, 1, LENGTH_SD, |r, _, s| double(s, Lengths::of(&r.both).variance.map(f64::sqrt))),
    ("Packet Length Variance", Kind::Double, 1, LENGTH_SD, |r, _, s| double(s, Lengths::of(&r.both).variance)),
    ("FIN Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[0].into())),
    ("SYN Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[1].into())),
    ("RST Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[2].into())),
    ("PSH Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[3].into())),
    ("ACK Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[4].into())),
    ("URG Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[5].into())),
    ("CWR Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[7].into())),
    ("ECE Flag Count", Kind::Integer, 1, FLAG, |r, _, s| s.integer(r.both.flags[6].into())),
    ("Down/Up Ratio", Kind::Double, 1, "backward packets by forward packets (theirs is cut to a whole number)", |r, _, s| double(s, (r.forward.octets.count > 0).then(|| r.backward.octets.count as f64 / r.forward.octets.count as f64))),
    ("Average Packet Size", Kind::Double, 1, LENGTH, |r, _, s| double(s, Lengths::of(&r.both).mean)),
    ("Fwd Segment Size Avg", Kind::Double, 1, LENGTH, |r, _, s| double(s, Lengths::of(&r.forward).mean)),
    ("Bwd Segment Size Avg", Kind::Double, 1, LENGTH, |r, _, s| double(s, Lengths::of(&r.backward).mean)),
    ("Fwd Bytes/Bulk Avg", Kind::Double, 1, BULK, |_, _, s| s.missing()),
    ("Fwd Packet/Bulk Avg", Kind::Double, 1, BULK, |_, _, s| s.missing()),
    ("Fwd Bulk Rate Avg", Kind::Double, 1, BULK, |_, _, s| s.missing()),
    ("Bwd Bytes/Bulk Avg", Kind::Double, 1, BULK, |_, _, s| s.missing()),
    ("Bwd Packet/Bulk Avg", Kind::Double, 1, BULK, |_, _, s| s.missing()),
    ("Bwd Bulk Rate Avg", Kind::Double, 1, BULK, |_, _, s| s.missing()),
    ("Subflow Fwd Packets", Kind::Double, 1, SUBFLOW, |r, _, s| double(s, Some(r.forward.octets.count as f64 / subflows(r)))),
    ("Subflow Fwd Bytes", Kind::Double, 1, SUBFLOW, |r, _, s| double(s, Some(r.forward.payload.sum as f64 / subflows(r)))),
    ("Subflow Bwd Packets", Kind::Double, 1, SUBFLOW, |r, _, s| double(s, Some(r.backward.octets.count as f64 / subflows(r)))),
    ("Subflow Bwd Bytes", Kind::Double, 1, SUBFLOW, |r, _, s| double(s, Some(r.backward.payload.sum as f64 / subflows(r)))),
    ("FWD Init Win Bytes", Kind::Integer, 1, WINDOW, |r, _, s| integer(s, extreme(&r.forward.octets, r.forward.window_first.into()))),
    ("Bwd Init Win Bytes", Kind::Integer, 1, WINDOW, |r, _, s| integer(s, extreme(&r.backward.octets, r.backward.window_first.into()))),
    ("Fwd Act Data Pkts", Kind::Integer, 1, "forward packets that bear payload", |r, _, s| integer(s, Some(r.forward.payload.count))),
    ("Fwd Seg Size Min", Kind::Integer, 1, "always missing: the smallest header is not kept", |_, _, s| s.missing()),
    ("Active Mean", Kind::Double, 1, ACTIVE, |_, _, s| s.missing()),
    ("Active Std", Kind::Double, 1, ACTIVE, |_, _, s| s.missing()),
    ("Active Max", Kind::Double, 1, ACTIVE, |_, _, s| s.missing()),
    ("Active Min", Kind::Double, 1, ACTIVE, |_, _, s| s.missing()),
    ("Idle Mean", Kind::Double, 1, IDLE, |r, _, s| double(s, (r.silences[3].count > 0).then(|| r.silences[3].sum_micros as f64 / f64::from(r.silences[3].count)))),
    ("Idle Std", Kind::Double, 1, ACTIVE, |_, _, s| s.missing()),
    ("Idle Max", Kind::Double, 1, IDLE, |r, _, s| double(s, (r.silences[3].count > 0).then_some(r.silences[3].longest_micros as f64))),
    ("Idle Min", Kind::Double, 1, ACTIVE, |_, _, s| s.missing()),
    ("Label", Kind::Text, 1, "the application; missing without a label", application),
];

pub(super) const LABELS: &[Row] = &[];

fn flow_id(record: &FlowRecord, _: usize, sink: &mut dyn CellSink) {
    let (a, b) = (&record.initiator, &record.responder);
    let id = format!("{}-{}-{}-{}-{}", a.address, b.address, a.port, b.port, record.protocol.0);
    sink.text(&id);
}

/// Gaps of one second or more cut a flow into so many parts, one at least.
fn subflows(record: &FlowRecord) -> f64 {
    f64::from(record.silences[2].count) + 1.0
}

/// Payload octets over every packet: the record keeps them over those that bear some.
struct Lengths {
    min: Option<u64>,
    max: Option<u64>,
    mean: Option<f64>,
    variance: Option<f64>,
}

impl Lengths {
    fn of(side: &Side) -> Self {
        let (all, bearing) = (side.octets.count, &side.payload);
        let some = all > 0;
        let mean = bearing.sum as f64 / all as f64;
        // Squares about the mean of all: those about the bearers' own mean, moved (Steiner), and one of the mean for each zero.
        let own = bearing.mean().unwrap_or(0.0);
        let (bearers, empty) = (bearing.count as f64, all.saturating_sub(bearing.count) as f64);
        let squares = bearing.squares + bearers * (own - mean).powi(2) + empty * mean.powi(2);
        Self {
            min: some.then_some(if bearing.count < all { 0 } else { bearing.min }),
            max: some.then_some(if bearing.count > 0 { bearing.max } else { 0 }),
            mean: some.then_some(mean),
            variance: (all > 1).then(|| squares / (all - 1) as f64),
        }
    }
}
