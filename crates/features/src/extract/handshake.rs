//! How it shook hands: numbers of the ClientHello that do not name anybody.

use flowgait_flow::handshake::Carrier;

use super::{FLOW, Row};
use crate::schema::Value;

const FLOWGAIT: &str = "flowgait";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { name: "handshake", unit: "yes or no", scopes: FLOW, index: 0,
        rule: "1 when a whole ClientHello was seen, 0 otherwise", source: FLOWGAIT,
        value: Value::Integer(|v| Some(v.record.handshake.is_some().into())) },
    Row { name: "handshake_carrier", unit: "number", scopes: FLOW, index: 0,
        rule: "1 TLS over TCP, 2 DTLS, 3 QUIC; missing without a ClientHello", source: FLOWGAIT,
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| match h.carrier { Carrier::Tls => 1, Carrier::Dtls => 2, Carrier::Quic => 3 })) },
    Row { name: "handshake_version_offered", unit: "number", scopes: FLOW, index: 0,
        rule: "highest version offered, 0x0304 (772) is TLS 1.3, reserved (GREASE) values left out; missing without a ClientHello", source: "RFC 8446, section 4.2.1",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.version_offered.into())) },
    Row { name: "handshake_quic_version", unit: "number", scopes: FLOW, index: 0,
        rule: "QUIC version of the Initial packet, 0 when not QUIC; missing without a ClientHello", source: "RFC 9000, section 15",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.quic_version.into())) },
    Row { name: "handshake_client_hello_octets", unit: "octets", scopes: FLOW, index: 0,
        rule: "the ClientHello message with its four-octet header; missing without one", source: "RFC 8446, section 4.1.2",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.client_hello_octets.into())) },
    Row { name: "handshake_ciphers", unit: "count", scopes: FLOW, index: 0,
        rule: "cipher suites offered, reserved (GREASE) values left out; missing without a ClientHello", source: "RFC 8446, section 4.1.2; RFC 8701",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.ciphers.into())) },
    Row { name: "handshake_extensions", unit: "count", scopes: FLOW, index: 0,
        rule: "extensions offered, reserved (GREASE) values left out; missing without a ClientHello", source: "RFC 8446, section 4.2; RFC 8701",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.extensions.into())) },
    Row { name: "handshake_alpn_protocols", unit: "count", scopes: FLOW, index: 0,
        rule: "application protocols offered; missing without a ClientHello", source: "RFC 7301",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.alpn.len() as u64)) },
    Row { name: "handshake_server_name", unit: "yes or no", scopes: FLOW, index: 0,
        rule: "1 when a server name is there, whatever it says; missing without a ClientHello", source: "RFC 6066, section 3",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.sni.is_some().into())) },
    Row { name: "handshake_encrypted_client_hello", unit: "yes or no", scopes: FLOW, index: 0,
        rule: "1 when the extension encrypted_client_hello (0xfe0d) is there; missing without a ClientHello", source: "RFC 9849",
        value: Value::Integer(|v| v.record.handshake.as_ref().map(|h| h.ech.into())) },
];
