//! The columns that say which flow a row is and what it is called: cells of the table, never inputs unless a person names them.

use flowgait_capture::Tunnel;
use flowgait_flow::export::{CellSink, Kind};
use flowgait_flow::label::LabelSource;
use flowgait_flow::record::{EndReason, FlowRecord, InitiatorRule};

use super::{Column, Role, Scope, Value};

type Cell = fn(&FlowRecord, &mut dyn CellSink);
type Row = (&'static str, Kind, Role, &'static str, &'static str, &'static str, Cell);

const NONE: &str = "–";

pub(super) fn columns(columns: &mut Vec<Column>) {
    for &(name, kind, role, unit, rule, source, cell) in ROWS {
        let value = Value::Cell(cell);
        let name = name.to_string();
        columns.push(Column {
            name,
            kind,
            role,
            unit,
            scope: Scope::Flow,
            rule,
            source,
            index: 0,
            value,
        });
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("capture", Kind::Text, Role::Group, NONE, "name of the capture file, without folders", "flowgait",
        |r, s| s.text(&r.capture)),
    ("first_packet", Kind::Integer, Role::Identity, "number", "number of the flow's first packet in its capture, from 1, skipped packets counted too", "Wireshark `frame.number`",
        |r, s| s.integer(integer(r.first_packet))),
    ("initiator_address", Kind::Text, Role::Identity, NONE, "of the innermost IP packet", "RFC 5103",
        |r, s| s.formatted(&r.initiator.address)),
    ("initiator_port", Kind::Integer, Role::Identity, "number", "0 where the protocol has none", "RFC 5103",
        |r, s| s.integer(r.initiator.port.into())),
    ("responder_address", Kind::Text, Role::Identity, NONE, "of the innermost IP packet", "RFC 5103",
        |r, s| s.formatted(&r.responder.address)),
    ("responder_port", Kind::Integer, Role::Identity, "number", "0 where the protocol has none", "RFC 5103",
        |r, s| s.integer(r.responder.port.into())),
    ("initiator_rule", Kind::Text, Role::Identity, NONE, "how the initiator was told: `syn`, `syn_ack` or `first_packet`", "RFC 5103 (biflowDirection)",
        |r, s| s.text(match r.initiator_rule {
            InitiatorRule::Syn => "syn",
            InitiatorRule::SynAck => "syn_ack",
            InitiatorRule::FirstPacket => "first_packet",
        })),
    ("vlan", Kind::Integer, Role::Identity, "number", "outermost VLAN of the first packet; missing without one", "IPFIX dot1qVlanId (243)",
        |r, s| match r.vlan { Some(vlan) => s.integer(vlan.into()), None => s.missing() }),
    ("tunnel", Kind::Text, Role::Identity, NONE, "outermost tunnel of the first packet: `ip_in_ip`, `gre`, `vxlan`, `gtpu`, `capwap`; missing without one", "flowgait",
        |r, s| match tunnel(r.tunnel) { Some(name) => s.text(name), None => s.missing() }),
    ("start", Kind::Double, Role::Time, "seconds since 1970", "time of the first packet, whole microseconds", "IPFIX flowStartMicroseconds (154)",
        |r, s| s.double(seconds(r.start.micros()))),
    ("end", Kind::Double, Role::Time, "seconds since 1970", "latest packet time, whole microseconds", "IPFIX flowEndMicroseconds (155)",
        |r, s| s.double(seconds(r.end.micros()))),
    ("end_reason", Kind::Text, Role::Identity, NONE, "`idle`, `active`, `end_of_flow`, `forced_end` or `lack_of_resources`", "IPFIX flowEndReason (136)",
        |r, s| s.text(match r.end_reason {
            EndReason::Idle => "idle",
            EndReason::Active => "active",
            EndReason::EndOfFlow => "end_of_flow",
            EndReason::ForcedEnd => "forced_end",
            EndReason::LackOfResources => "lack_of_resources",
        })),
    ("gaps_clamped", Kind::Integer, Role::Identity, "count", "gaps that the capture's clock made negative and that count as 0", "flowgait",
        |r, s| s.integer(r.gaps_clamped.into())),
    ("forward_ttl_first", Kind::Integer, Role::Identity, "hops", "time to live of the first forward packet; missing without one", "IPFIX ipTTL (192)",
        |r, s| if r.forward.octets.count > 0 { s.integer(r.forward.ttl_first.into()) } else { s.missing() }),
    ("backward_ttl_first", Kind::Integer, Role::Identity, "hops", "time to live of the first backward packet; missing without one", "IPFIX ipTTL (192)",
        |r, s| if r.backward.octets.count > 0 { s.integer(r.backward.ttl_first.into()) } else { s.missing() }),
    ("sni", Kind::Text, Role::Identity, NONE, "server name of the ClientHello, lower case; missing without one", "RFC 6066, section 3",
        |r, s| match r.handshake.as_ref().and_then(|h| h.sni.as_deref()) { Some(name) => s.text(name), None => s.missing() }),
    ("alpn", Kind::Text, Role::Identity, NONE, "offered application protocols, in order, with spaces between; missing without any", "RFC 7301",
        |r, s| match &r.handshake { Some(h) if !h.alpn.is_empty() => s.text(&h.alpn.join(" ")), _ => s.missing() }),
    ("ja4", Kind::Text, Role::Identity, NONE, "fingerprint of the ClientHello; missing without one", "FoxIO JA4",
        |r, s| match &r.handshake { Some(h) if !h.ja4.is_empty() => s.text(&h.ja4), _ => s.missing() }),
    ("dns_name", Kind::Text, Role::Identity, NONE, "name that an earlier DNS answer to the initiator gave the responder's address; missing without one", "RFC 1035",
        |r, s| match &r.dns_name { Some(name) => s.text(name), None => s.missing() }),
    ("application", Kind::Text, Role::Label, NONE, "the application, when a person or a rule says so", "`--labels`, `--label-by`",
        |r, s| match &r.label { Some(label) => s.text(&label.application), None => s.missing() }),
    ("category", Kind::Text, Role::Label, NONE, "the kind of use, when a person or a rule says so", "`--labels`, `--label-by`",
        |r, s| match r.label.as_ref().and_then(|label| label.category.as_deref()) { Some(name) => s.text(name), None => s.missing() }),
    ("label_source", Kind::Text, Role::Label, NONE, "who says so: `truth`, `sni` or `dns`", "flowgait",
        |r, s| match &r.label { Some(label) => s.text(source(label.source)), None => s.missing() }),
];

fn source(source: LabelSource) -> &'static str {
    match source {
        LabelSource::Truth => "truth",
        LabelSource::Sni => "sni",
        LabelSource::Dns => "dns",
    }
}

fn tunnel(tunnel: Tunnel) -> Option<&'static str> {
    Some(match tunnel {
        Tunnel::None => return None,
        Tunnel::IpInIp => "ip_in_ip",
        Tunnel::Gre => "gre",
        Tunnel::Vxlan => "vxlan",
        Tunnel::Gtpu => "gtpu",
        Tunnel::Capwap => "capwap",
        _ => "other",
    })
}

/// Counts and octets stay far below 2^63; should one not, its largest value stands for it.
fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
