//! What holds for every stream.

use std::time::Duration;

use flowgait_capture::{Address, Packet, Protocol, TcpFlags, Timestamp, Tunnel};
use flowgait_flow::{FlowRecord, MeterParams, PortReuse};
use proptest::prelude::*;

use crate::naive::{self, Rules};
use crate::support::{ACK, FIN, RST, SECOND, SYN, meter_blocks, swapped};

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![6 => Just(Protocol::TCP), 3 => Just(Protocol::UDP), 1 => Just(Protocol(1))]
}

fn flags() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => Just(ACK),
        2 => Just(SYN),
        2 => Just(SYN | ACK),
        2 => Just(FIN | ACK),
        1 => Just(RST),
        1 => any::<u8>(),
    ]
}

/// Microseconds from one packet to the next: mostly short, sometimes over a timeout, sometimes backwards.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![
        10 => 0..200_000_i64,
        6 => 0..20_000_000_i64,
        1 => 0..400_000_000_i64,
        1 => Just(4_300_000_000_i64),
        2 => -3_000_000..0_i64,
    ]
}

prop_compose! {
    fn packet(ends: u8)(
        (a, b) in (0..ends, 0..ends),
        ports in (0..2_u16, 0..2_u16),
        protocol in protocol(),
        (flags, sequence) in (flags(), 0..3_u32),
        (payload, header) in (prop_oneof![Just(0_u16), 1..1_400_u16], 28..80_u16),
        (window, ttl, vlan) in (any::<u16>(), any::<u8>(), 0..3_u16),
        fragment in prop::bool::weighted(0.05),
    ) -> Packet {
        let is_tcp = protocol == Protocol::TCP;
        let port = |port| if protocol == Protocol(1) { 0 } else { port };
        Packet {
            source: Address::v4([10, 0, 0, a]),
            destination: Address::v4([10, 0, 1, b]),
            source_port: port(ports.0),
            destination_port: port(ports.1),
            protocol,
            ip_octets: header + payload,
            payload_octets: payload,
            tcp_window: if is_tcp { window } else { 0 },
            tcp_sequence: if is_tcp { sequence } else { 0 },
            tcp_flags: TcpFlags(if is_tcp { flags } else { 0 }),
            fragment,
            ttl,
            vlan_plus_one: vlan,
            tunnel: if vlan == 2 { Tunnel::Vxlan } else { Tunnel::None },
            ip_header_octets: 20,
            ..Packet::default()
        }
    }
}

/// A stream between so many hosts a side; with one, every packet is of one of a few pairs.
fn stream(ends: u8, packets: usize) -> impl Strategy<Value = Vec<Packet>> {
    let one = (packet(ends), any::<bool>(), step());
    prop::collection::vec(one, 1..packets).prop_map(|packets| {
        let mut time = 1_700_000_000 * SECOND;
        let set = |(packet, swap, step): (Packet, bool, i64)| {
            time += step;
            let packet = Packet { time: Timestamp(time * 1_000 + 999), ..packet };
            if swap { swapped(packet) } else { packet }
        };
        packets.into_iter().map(set).collect()
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    (
        prop::sample::select(vec![60, 120, 10_000]),
        prop::sample::select(vec![50, 300, 1_800, 100_000]),
        prop::sample::select(vec![0, 5, 30]),
        prop::sample::select(vec![1, 5, 30]),
        any::<bool>(),
    )
        .prop_map(|(idle, active, linger, packets, keep)| Rules {
            idle: idle * SECOND,
            active: active * SECOND,
            linger: linger * SECOND,
            packets,
            keep,
        })
}

fn params(rules: &Rules) -> MeterParams {
    let duration = |micros: i64| Duration::from_micros(micros.unsigned_abs());
    MeterParams::new()
        .idle_timeout(duration(rules.idle))
        .active_timeout(duration(rules.active))
        .linger(duration(rules.linger))
        .packets(rules.packets)
        .port_reuse(if rules.keep { PortReuse::Keep } else { PortReuse::Split })
}

fn by_first_packet(mut flows: Vec<FlowRecord>) -> Vec<FlowRecord> {
    flows.sort_by_key(|flow| flow.first_packet);
    flows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_naive_meter_agrees(stream in stream(1, 120), rules in rules(), block in 1..50_usize) {
        let (flows, _) = meter_blocks(params(&rules), &stream, block);
        prop_assert_eq!(flows, naive::meter(&stream, &rules));
    }

    #[test]
    fn a_naive_meter_agrees_on_many_pairs(stream in stream(3, 200), rules in rules(), block in 1..80_usize) {
        let (flows, _) = meter_blocks(params(&rules), &stream, block);
        prop_assert_eq!(flows, naive::meter(&stream, &rules));
    }

    #[test]
    fn all_packets_and_octets_that_go_in_come_out(
        stream in stream(40, 300), rules in rules(), limit in 16..60_usize, block in 1..80_usize,
    ) {
        let (flows, report) = meter_blocks(params(&rules).flow_limit(limit), &stream, block);
        let sum = |of: fn(&FlowRecord) -> u64| flows.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(|f| f.both.octets.count), stream.len() as u64);
        prop_assert_eq!(report.packets, stream.len() as u64);
        let octets: u64 = stream.iter().map(|p| u64::from(p.ip_octets)).sum();
        prop_assert_eq!(sum(|f| f.forward.octets.sum + f.backward.octets.sum), octets);
        prop_assert_eq!(report.octets, octets);
        prop_assert_eq!(report.flows, flows.len() as u64);
        prop_assert_eq!(
            report.flows_idle + report.flows_active + report.flows_closed + report.flows_forced + report.flows_evicted,
            report.flows
        );
        prop_assert!(report.open_peak <= limit as u64);
        for flow in &flows {
            prop_assert_eq!(flow.both.gaps.sum as i64, flow.end.micros() - flow.start.micros());
        }
    }

    #[test]
    fn threads_change_nothing(
        stream in stream(40, 300), rules in rules(), limit in 16..60_usize, block in 1..80_usize,
    ) {
        let params = params(&rules).flow_limit(limit);
        let one = meter_blocks(params.clone(), &stream, block);
        for threads in [2, 3, 5] {
            prop_assert_eq!(&one, &meter_blocks(params.clone().threads(threads), &stream, block));
        }
    }

    #[test]
    fn blocks_change_nothing(
        stream in stream(40, 300), rules in rules(), limit in 16..60_usize, blocks in (1..80_usize, 1..80_usize),
    ) {
        let roomy = |block| meter_blocks(params(&rules), &stream, block).0;
        prop_assert_eq!(roomy(blocks.0), roomy(blocks.1));
        // When too many records wait, where a block ends decides on their order, but not on what they say.
        let tight = |block| by_first_packet(meter_blocks(params(&rules).flow_limit(limit), &stream, block).0);
        prop_assert_eq!(tight(blocks.0), tight(blocks.1));
    }

    #[test]
    fn swapping_both_ends_of_every_packet_swaps_the_endpoints(stream in stream(3, 200), rules in rules()) {
        let other: Vec<Packet> = stream.iter().map(|&packet| swapped(packet)).collect();
        let (flows, _) = meter_blocks(params(&rules), &stream, 50);
        let (others, _) = meter_blocks(params(&rules), &other, 50);
        let back: Vec<FlowRecord> = others
            .into_iter()
            .map(|flow| FlowRecord { initiator: flow.responder, responder: flow.initiator, ..flow })
            .collect();
        prop_assert_eq!(flows, back);
    }

    #[test]
    fn records_come_in_the_stated_order(stream in stream(40, 300), rules in rules(), block in 1..80_usize) {
        let (flows, report) = meter_blocks(params(&rules), &stream, block);
        prop_assert_eq!(report.out_of_order, 0);
        if stream.is_sorted_by_key(|packet| packet.time) {
            prop_assert!(flows.is_sorted_by_key(|flow| (flow.end, flow.first_packet)));
        }
    }
}

#[test]
fn the_defaults_are_the_rules() {
    assert_eq!(params(&Rules::DEFAULT).check().unwrap(), MeterParams::new().check().unwrap());
}
