//! DNS names and handshakes on their way into records.

use std::convert::Infallible;

use flowgait_capture::{Address, Block, Packet, Protocol, TcpFlags};
use flowgait_flow::{FlowRecord, Meter, MeterParams, MeterReport};

use crate::support::{ACK, SECOND, SYN, tcp, udp};

/// Packets with their payloads.
type Stream = Vec<(Packet, Vec<u8>)>;

fn meter(params: MeterParams, stream: &Stream, block: usize) -> (Vec<FlowRecord>, MeterReport) {
    let mut flows = Vec::new();
    let mut emit = |flow: FlowRecord| {
        flows.push(flow);
        Ok::<(), Infallible>(())
    };
    let mut meter = Meter::new(&params.check().expect("a test asks for what can be"));
    meter.set_capture("made");
    let mut number = 0;
    for part in stream.chunks(block) {
        let mut block = Block::default();
        for (packet, payload) in part {
            number += 1;
            let octets = u16::try_from(payload.len()).expect("a small payload");
            block.packets.push(Packet {
                number,
                payload_start: u32::try_from(block.bytes.len()).expect("a small block"),
                payload_captured: octets,
                payload_octets: octets,
                ip_octets: 40 + octets,
                ..*packet
            });
            block.bytes.extend(payload);
        }
        let Ok(()) = meter.block(&mut block, &mut emit);
    }
    let Ok(()) = meter.finish(&mut emit);
    (flows, meter.report())
}

/// A DNS response (RFC 1035, section 4.1) that gives `name` the address of the tests' server, and its packet.
fn answer(time: i64, name: &str) -> (Packet, Vec<u8>) {
    let mut message = vec![0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).expect("a short label"));
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]);
    let resolver = Address::v4([9, 9, 9, 9]);
    let packet = Packet {
        source: resolver,
        source_port: 53,
        destination_port: 5_353,
        ..udp(time, false, 0)
    };
    (packet, message)
}

fn name(flow: &FlowRecord) -> Option<&str> {
    flow.dns_name.as_deref()
}

#[test]
fn an_answer_names_later_flows_of_who_asked() {
    let stream = vec![
        (tcp(0, true, SYN, 0), vec![]),
        answer(SECOND, "one.example"),
        (udp(2 * SECOND, true, 0), vec![1]),
        answer(3 * SECOND, "two.example"),
        (Packet { source_port: 9, ..udp(4 * SECOND, true, 0) }, vec![1]),
        (Packet { source: Address::v4([10, 0, 0, 3]), ..udp(4 * SECOND, true, 0) }, vec![1]),
        // The server spoke first, but the SYN-ACK tells who asked.
        (Packet { destination_port: 77, ..tcp(5 * SECOND, false, SYN | ACK, 0) }, vec![]),
    ];
    for block in 1..stream.len() {
        for threads in [1, 3] {
            let (mut flows, report) = meter(MeterParams::new().threads(threads), &stream, block);
            flows.retain(|flow| flow.initiator.port != 53);
            let names: Vec<_> = flows.iter().map(name).collect();
            let (one, two) = (Some("one.example"), Some("two.example"));
            assert_eq!(names, [None, one, two, None, two], "blocks of {block}, {threads} threads");
            assert_eq!(report.names, 2);
        }
    }
}

#[test]
fn no_names_are_read_when_none_are_wanted() {
    let stream = vec![answer(0, "one.example"), (udp(2, true, 0), vec![1])];
    let (flows, report) = meter(MeterParams::new().names_max(0), &stream, 9);
    assert!(flows.iter().all(|flow| flow.dns_name.is_none()));
    assert_eq!(report.names, 0);
}

/// The beginning of a TLS record that promises a ClientHello of 2,000 octets.
fn hello_begins() -> Vec<u8> {
    let mut payload = vec![0x16, 3, 1, 0x07, 0xd4, 1, 0, 0x07, 0xd0, 3, 3];
    payload.resize(1_000, 7);
    payload
}

#[test]
fn searches_are_given_up_when_too_much_is_held() {
    let stream: Stream = (0..64_u16)
        .map(|n| {
            let packet = Packet {
                source_port: 1_000 + n,
                tcp_flags: TcpFlags(ACK),
                protocol: Protocol::TCP,
                ..tcp(i64::from(n), true, ACK, 0)
            };
            (packet, hello_begins())
        })
        .collect();
    let dropped = |octets| {
        let (flows, report) = meter(MeterParams::new().reassembly_octets_max(octets), &stream, 9);
        assert_eq!(flows.len(), 64, "the flows themselves are kept");
        report.watches_dropped
    };
    assert_eq!(dropped(64 << 20), 0);
    assert_eq!(dropped(0), 64);
    // Room for one of them in each of 16 shards.
    let some = dropped(16 * 1_500);
    assert!((48..64).contains(&some), "{some}");
}
