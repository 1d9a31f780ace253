//! In what order: the first packets, and the first that bear payload.

use super::{FLOW, Row};
use crate::schema::Value;

const PACKETS: &str = "the first packets of any kind, retransmitted ones and those without payload too: positive from the initiator, negative from the responder";
const SPLT: &str = "Anderson, McGrew 2016 (sequence of packet lengths and times)";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { name: "packet_octets", unit: "octets", scopes: FLOW, index: 0,
        rule: PACKETS, source: SPLT,
        value: Value::List(|r, list| list.extend(r.packets.iter().map(|p| i64::from(p.octets)))) },
    Row { name: "packet_payload", unit: "octets", scopes: FLOW, index: 0,
        rule: PACKETS, source: SPLT,
        value: Value::List(|r, list| list.extend(r.packets.iter().map(|p| i64::from(p.payload)))) },
    Row { name: "packet_gap_micros", unit: "micros", scopes: FLOW, index: 0,
        rule: "the first packets of any kind: time since the flow's packet before, 0 for the first", source: SPLT,
        value: Value::List(|r, list| list.extend(r.packets.iter().map(|p| gap(p.gap_micros)))) },
    Row { name: "packet_window", unit: "octets", scopes: FLOW, index: 0,
        rule: "the first packets of any kind: TCP window as sent, not scaled; 0 for other protocols", source: "RFC 9293, section 3.1; Radcom table `bandwidth_i`",
        value: Value::List(|r, list| list.extend(r.packets.iter().map(|p| i64::from(p.window)))) },
    Row { name: "payload_octets_sequence", unit: "octets", scopes: FLOW, index: 0,
        rule: "the first packets that bear payload: payload octets, positive from the initiator, negative from the responder", source: SPLT,
        value: Value::List(|r, list| list.extend(r.payload_packets.iter().map(|p| i64::from(p.octets)))) },
    Row { name: "payload_gap_micros_sequence", unit: "micros", scopes: FLOW, index: 0,
        rule: "the first packets that bear payload: time since the payload-bearing packet before, 0 for the first", source: SPLT,
        value: Value::List(|r, list| list.extend(r.payload_packets.iter().map(|p| gap(p.gap_micros)))) },
];

/// A gap of more than 292,000 years is taken as that long.
fn gap(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}
