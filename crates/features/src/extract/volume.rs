//! How much: packets, octets, payload, headers, flags, by direction.

use flowgait_capture::Protocol;
use flowgait_flow::record::Moments;

use super::{ENDS, FLOW, Row, SIDES};
use crate::schema::Value;

const EVERY: &str = "every packet, with payload or without; 0 without one";
const EXTREME: &str = "IP octets of every packet; missing without one";
const DEVIATION: &str = "IP octets of every packet; missing below two";
const PAYLOAD: &str = "packets that bear payload; 0 without one";
const PAYLOAD_EXTREME: &str = "packets that bear payload; missing without one";
const PAYLOAD_DEVIATION: &str = "packets that bear payload; missing below two";
const DELTA: &str = "absolute difference of the IP octets of consecutive packets, either direction; missing below two packets";
const DELTA_DEVIATION: &str = "absolute difference of the IP octets of consecutive packets, either direction; missing below three packets";
const FLOWGAIT: &str = "flowgait";
const MOORE: &str = "Moore, Zuev, Crogan 2005 (discriminators)";
const HISTOGRAM: &str = "flowgait, bins by powers of two";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { name: "protocol", unit: "number", scopes: FLOW, index: 0,
        rule: "IANA number of the protocol above IP: 6 is TCP, 17 is UDP", source: "IPFIX protocolIdentifier (4)",
        value: Value::Integer(|v| Some(v.record.protocol.0.into())) },
    Row { name: "{}_packets", unit: "packets", scopes: SIDES, index: 0,
        rule: EVERY, source: "IPFIX packetDeltaCount (2), RFC 5103",
        value: Value::Integer(|v| Some(v.side.octets.count)) },
    Row { name: "{}_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: EVERY, source: "IPFIX octetDeltaCount (1), RFC 5103",
        value: Value::Integer(|v| Some(v.side.octets.sum)) },
    Row { name: "{}_packet_min_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: EXTREME, source: MOORE,
        value: Value::Integer(|v| some(&v.side.octets, v.side.octets.min)) },
    Row { name: "{}_packet_max_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: EXTREME, source: MOORE,
        value: Value::Integer(|v| some(&v.side.octets, v.side.octets.max)) },
    Row { name: "{}_packet_mean_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: EXTREME, source: MOORE,
        value: Value::Float(|v| v.side.octets.mean()) },
    Row { name: "{}_packet_sd_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: DEVIATION, source: MOORE,
        value: Value::Float(|v| v.side.octets.sd_sample()) },
    Row { name: "{}_payload_packets", unit: "packets", scopes: SIDES, index: 0,
        rule: PAYLOAD, source: "Moore, Zuev, Crogan 2005",
        value: Value::Integer(|v| Some(v.side.payload.count)) },
    Row { name: "{}_payload_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: PAYLOAD, source: "Moore, Zuev, Crogan 2005",
        value: Value::Integer(|v| Some(v.side.payload.sum)) },
    Row { name: "{}_payload_min_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: PAYLOAD_EXTREME, source: MOORE,
        value: Value::Integer(|v| some(&v.side.payload, v.side.payload.min)) },
    Row { name: "{}_payload_max_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: PAYLOAD_EXTREME, source: MOORE,
        value: Value::Integer(|v| some(&v.side.payload, v.side.payload.max)) },
    Row { name: "{}_payload_mean_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: PAYLOAD_EXTREME, source: MOORE,
        value: Value::Float(|v| v.side.payload.mean()) },
    Row { name: "{}_payload_sd_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: PAYLOAD_DEVIATION, source: MOORE,
        value: Value::Float(|v| v.side.payload.sd_sample()) },
    Row { name: "{}_header_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: "IP and transport headers of every packet together", source: MOORE,
        value: Value::Integer(|v| Some(v.side.header_octets)) },
    Row { name: "forward_share_packets", unit: "share", scopes: FLOW, index: 0,
        rule: "forward packets among all; missing without a packet", source: FLOWGAIT,
        value: Value::Float(|v| share(v.record.forward.octets.count, v.record.both.octets.count)) },
    Row { name: "forward_share_octets", unit: "share", scopes: FLOW, index: 0,
        rule: "forward octets among all; missing without a packet", source: FLOWGAIT,
        value: Value::Float(|v| share(v.record.forward.octets.sum, v.record.both.octets.sum)) },
    Row { name: "forward_share_payload", unit: "share", scopes: FLOW, index: 0,
        rule: "forward payload octets among all; missing without payload", source: FLOWGAIT,
        value: Value::Float(|v| share(v.record.forward.payload.sum, v.record.both.payload.sum)) },
    Row { name: "{}_share_payload_packets", unit: "share", scopes: SIDES, index: 0,
        rule: "packets that bear payload among all of this direction; missing without a packet", source: FLOWGAIT,
        value: Value::Float(|v| share(v.side.payload.count, v.side.octets.count)) },
    Row { name: "packet_delta_min_octets", unit: "octets", scopes: FLOW, index: 0,
        rule: DELTA, source: "Radcom table `mean_delta_byte`, `STD_delta_byte`",
        value: Value::Integer(|v| some(&v.record.octets_delta, v.record.octets_delta.min)) },
    Row { name: "packet_delta_max_octets", unit: "octets", scopes: FLOW, index: 0,
        rule: DELTA, source: "Radcom table `mean_delta_byte`, `STD_delta_byte`",
        value: Value::Integer(|v| some(&v.record.octets_delta, v.record.octets_delta.max)) },
    Row { name: "packet_delta_mean_octets", unit: "octets", scopes: FLOW, index: 0,
        rule: DELTA, source: "Radcom table `mean_delta_byte`, `STD_delta_byte`",
        value: Value::Float(|v| v.record.octets_delta.mean()) },
    Row { name: "packet_delta_sd_octets", unit: "octets", scopes: FLOW, index: 0,
        rule: DELTA_DEVIATION, source: "Radcom table `mean_delta_byte`, `STD_delta_byte`",
        value: Value::Float(|v| v.record.octets_delta.sd_sample()) },
    Row { name: "forward_big_packets", unit: "packets", scopes: FLOW, index: 0,
        rule: "forward packets of more than 200 octets", source: "Radcom table `count_big_requests`",
        value: Value::Integer(|v| Some(v.record.big_requests.into())) },
    Row { name: "{}_histogram_octets_0_15", unit: "packets", scopes: SIDES, index: 0,
        rule: "packets of 0 to 15 IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_histogram_octets_16_31", unit: "packets", scopes: SIDES, index: 1,
        rule: "packets of 16 to 31 IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_histogram_octets_32_63", unit: "packets", scopes: SIDES, index: 2,
        rule: "packets of 32 to 63 IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_histogram_octets_64_127", unit: "packets", scopes: SIDES, index: 3,
        rule: "packets of 64 to 127 IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_histogram_octets_128_255", unit: "packets", scopes: SIDES, index: 4,
        rule: "packets of 128 to 255 IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_histogram_octets_256_511", unit: "packets", scopes: SIDES, index: 5,
        rule: "packets of 256 to 511 IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_histogram_octets_512_1023", unit: "packets", scopes: SIDES, index: 6,
        rule: "packets of 512 to 1023 IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_histogram_octets_1024_up", unit: "packets", scopes: SIDES, index: 7,
        rule: "packets of 1024 or more IP octets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.octets_histogram[v.index].into())) },
    Row { name: "{}_flag_fin_packets", unit: "packets", scopes: SIDES, index: 0,
        rule: "packets with the TCP flag FIN; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_flag_syn_packets", unit: "packets", scopes: SIDES, index: 1,
        rule: "packets with the TCP flag SYN; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_flag_rst_packets", unit: "packets", scopes: SIDES, index: 2,
        rule: "packets with the TCP flag RST; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_flag_psh_packets", unit: "packets", scopes: SIDES, index: 3,
        rule: "packets with the TCP flag PSH; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_flag_ack_packets", unit: "packets", scopes: SIDES, index: 4,
        rule: "packets with the TCP flag ACK; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_flag_urg_packets", unit: "packets", scopes: SIDES, index: 5,
        rule: "packets with the TCP flag URG; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_flag_ece_packets", unit: "packets", scopes: SIDES, index: 6,
        rule: "packets with the TCP flag ECE; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_flag_cwr_packets", unit: "packets", scopes: SIDES, index: 7,
        rule: "packets with the TCP flag CWR; 0 for other protocols", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| Some(v.side.flags[v.index].into())) },
    Row { name: "{}_window_first_octets", unit: "octets", scopes: ENDS, index: 0,
        rule: "TCP window of this direction's first packet, as sent, not scaled; missing for other protocols and without a packet", source: "RFC 9293, section 3.1",
        value: Value::Integer(|v| (v.record.protocol == Protocol::TCP).then_some(v.side.window_first.into()).filter(|_| v.side.octets.count > 0)) },
];

/// An extreme, where there is any value.
pub(super) fn some(moments: &Moments, extreme: u64) -> Option<u64> {
    (moments.count > 0).then_some(extreme)
}

/// A part of a whole, where there is a whole.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
