//! Hand-made packets, and running them through a meter.

use std::convert::Infallible;

use flowgait_capture::{Address, Block, Packet, Protocol, TcpFlags, Timestamp};
use flowgait_flow::{FlowRecord, Meter, MeterParams, MeterReport};

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;
pub const SECOND: i64 = 1_000_000;

/// A TCP packet between client 10.0.0.2:40000 and server 10.0.0.1:443, without options, at a time in microseconds.
pub fn tcp(time: i64, from_client: bool, flags: u8, payload: u16) -> Packet {
    let (client, server) = (Address::v4([10, 0, 0, 2]), Address::v4([10, 0, 0, 1]));
    let packet = Packet {
        time: Timestamp(time * 1_000),
        source: client,
        destination: server,
        source_port: 40_000,
        destination_port: 443,
        ip_octets: 40 + payload,
        payload_octets: payload,
        tcp_window: 1_000,
        tcp_sequence: 7,
        protocol: Protocol::TCP,
        tcp_flags: TcpFlags(flags),
        ttl: 64,
        ip_header_octets: 20,
        ..Packet::default()
    };
    if from_client { packet } else { swapped(packet) }
}

/// A UDP packet between the same ends.
pub fn udp(time: i64, from_client: bool, payload: u16) -> Packet {
    Packet {
        protocol: Protocol::UDP,
        ip_octets: 28 + payload,
        tcp_window: 0,
        tcp_sequence: 0,
        ..tcp(time, from_client, 0, payload)
    }
}

/// Another flow's packet, which only lets time pass.
pub fn tick(time: i64) -> Packet {
    Packet { source_port: 1, destination_port: 2, ..udp(time, true, 1) }
}

pub fn swapped(packet: Packet) -> Packet {
    Packet {
        source: packet.destination,
        destination: packet.source,
        source_port: packet.destination_port,
        destination_port: packet.source_port,
        ..packet
    }
}

/// Meters one stream in blocks of the given length; packets are numbered in order.
pub fn meter_blocks(
    params: MeterParams,
    packets: &[Packet],
    block: usize,
) -> (Vec<FlowRecord>, MeterReport) {
    let mut flows = Vec::new();
    let mut emit = |record: FlowRecord| {
        flows.push(record);
        Ok::<(), Infallible>(())
    };
    let mut meter = Meter::new(&params.check().expect("a test asks for what can be"));
    meter.set_capture("made");
    let numbered: Vec<Packet> =
        packets.iter().zip(1..).map(|(packet, number)| Packet { number, ..*packet }).collect();
    for packets in numbered.chunks(block) {
        let mut block = Block { packets: packets.to_vec(), bytes: vec![0; 2_000] };
        let Ok(()) = meter.block(&mut block, &mut emit);
    }
    let Ok(()) = meter.finish(&mut emit);
    let report = meter.report();
    (flows, report)
}

pub fn meter(params: MeterParams, packets: &[Packet]) -> Vec<FlowRecord> {
    meter_blocks(params, packets, 1_000).0
}

/// The records of the pair of [`tcp`] and [`udp`], with default parameters.
pub fn flows(packets: &[Packet]) -> Vec<FlowRecord> {
    let mut flows = meter(MeterParams::new(), packets);
    flows.retain(|flow| flow.initiator.port != 1);
    flows
}

/// The one record of these packets.
pub fn flow(packets: &[Packet]) -> FlowRecord {
    let mut flows = flows(packets);
    assert_eq!(flows.len(), 1, "{flows:#?}");
    flows.remove(0)
}
