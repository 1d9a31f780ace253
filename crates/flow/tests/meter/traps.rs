//! One test for each trap that a widely used tool fell into, and for each rule of a flow's life.

use std::time::Duration;

use flowgait_capture::{Address, Packet, Protocol, TcpFlags, Timestamp, Tunnel};
use flowgait_flow::record::{EndReason, Endpoint, InitiatorRule};
use flowgait_flow::{FlowRecord, MeterParams, PortReuse};

use crate::support::{
    ACK, FIN, RST, SECOND, SYN, flow, flows, meter, meter_blocks, swapped, tcp, tick, udp,
};

const CLIENT: bool = true;
const SERVER: bool = false;

fn reasons(flows: &[FlowRecord]) -> Vec<(EndReason, u64)> {
    flows.iter().map(|flow| (flow.end_reason, flow.both.octets.count)).collect()
}

fn syn(time: i64, from_client: bool, sequence: u32) -> Packet {
    Packet { tcp_sequence: sequence, ..tcp(time, from_client, SYN, 0) }
}

/// A connection that is opened, used and closed in 60 ms.
fn connection(at: i64, sequence: u32) -> Vec<Packet> {
    vec![
        syn(at, CLIENT, sequence),
        tcp(at + 10_000, SERVER, SYN | ACK, 0),
        tcp(at + 20_000, CLIENT, ACK, 100),
        tcp(at + 30_000, SERVER, FIN | ACK, 0),
        tcp(at + 40_000, CLIENT, FIN | ACK, 0),
        tcp(at + 50_000, SERVER, ACK, 0),
    ]
}

#[test]
fn the_first_packets_length_counts_once() {
    let flow = flow(&[udp(0, CLIENT, 100), udp(10, SERVER, 50)]);
    assert_eq!(flow.both.octets.sum, 128 + 78);
    assert_eq!(flow.forward.octets.sum, 128);
    assert_eq!(flow.forward.octets.count, 1);
    assert_eq!(flow.forward.payload.sum, 100);
}

#[test]
fn means_and_variances_are_not_cut_to_integers() {
    let flow = flow(&[udp(0, CLIENT, 100), udp(3, CLIENT, 101), udp(10, CLIENT, 103)]);
    let (mean, gap_mean) = (flow.forward.octets.mean().unwrap(), flow.forward.gaps.mean().unwrap());
    assert!((mean - (128.0 + 129.0 + 131.0) / 3.0).abs() < 1e-12);
    assert!((gap_mean - 5.0).abs() < 1e-12);
    // 128, 129, 131: the sum of squared differences from 129 1/3 is 14/3.
    assert!((flow.forward.octets.squares - 14.0 / 3.0).abs() < 1e-12);
    assert!((flow.both.gaps.squares - 8.0).abs() < 1e-12);
}

#[test]
fn fins_of_one_direction_alone_do_not_close() {
    let packets = [
        syn(0, CLIENT, 1),
        tcp(10, SERVER, SYN | ACK, 0),
        tcp(20, CLIENT, FIN | ACK, 0),
        tcp(30, CLIENT, FIN | ACK, 0),
        tcp(40, SERVER, ACK, 500),
        // Were it closed, this would lie behind the linger, in a second flow.
        tcp(40 * SECOND, SERVER, ACK, 500),
    ];
    assert_eq!(reasons(&flows(&packets)), [(EndReason::ForcedEnd, 6)]);
}

#[test]
fn fin_fin_ack_closes() {
    let mut packets = connection(0, 1);
    packets.push(tick(200 * SECOND));
    let flow = flow(&packets);
    assert_eq!((flow.end_reason, flow.both.octets.count), (EndReason::EndOfFlow, 6));
    assert_eq!(flow.both.flags[0], 2, "FINs");
}

#[test]
fn rst_closes() {
    let packets = [syn(0, CLIENT, 1), tcp(10, SERVER, RST | ACK, 0), tick(31 * SECOND)];
    assert_eq!(reasons(&flows(&packets)), [(EndReason::EndOfFlow, 2)]);
}

#[test]
fn the_window_is_that_of_the_first_packet() {
    let window = |packet: Packet, tcp_window| Packet { tcp_window, ..packet };
    let flow = flow(&[
        window(tcp(0, CLIENT, SYN, 0), 64_240),
        window(tcp(1, SERVER, SYN | ACK, 0), 65_535),
        window(tcp(2, CLIENT, ACK, 0), 502),
        window(tcp(3, SERVER, ACK, 9), 501),
    ]);
    assert_eq!((flow.forward.window_first, flow.backward.window_first), (64_240, 65_535));
    assert_eq!(flow.both.window_first, 64_240);
    assert_eq!(
        flow.packets.iter().map(|p| p.window).collect::<Vec<_>>(),
        [64_240, 65_535, 502, 501]
    );
}

#[test]
fn the_smallest_gap_is_not_always_zero() {
    let flow = flow(&[
        udp(0, CLIENT, 1),
        udp(700, CLIENT, 1),
        udp(1_200, SERVER, 1),
        udp(1_900, SERVER, 1),
    ]);
    assert_eq!((flow.both.gaps.min, flow.both.gaps.max, flow.both.gaps.count), (500, 700, 3));
    assert_eq!((flow.forward.gaps.min, flow.backward.gaps.min), (700, 700));
    assert_eq!(flow.forward.gaps.count, 1);
}

#[test]
fn silences_and_periods_are_lengths_and_not_moments() {
    let epoch = 1_700_000_000 * SECOND;
    let flow = flow(&[
        udp(epoch, CLIENT, 100),
        udp(epoch + 50_000, CLIENT, 100),
        udp(epoch + 1_050_000, SERVER, 1_000),
        udp(epoch + 1_060_000, SERVER, 1_000),
        udp(epoch + 7_060_000, CLIENT, 10),
    ]);
    let silences = flow.silences.map(|s| (s.count, s.sum_micros, s.longest_micros));
    assert_eq!(
        silences,
        [
            (3, 7_050_000, 6_000_000),
            (2, 7_000_000, 6_000_000),
            (2, 7_000_000, 6_000_000),
            (1, 6_000_000, 6_000_000)
        ]
    );
    assert_eq!(flow.gaps_over_15_ms, 3);
    let bursts = &flow.bursts;
    assert_eq!((bursts.octets.count, bursts.on_micros), (3, 60_000));
    assert_eq!(
        (bursts.periods.count, bursts.periods.min, bursts.periods.max),
        (2, 1_050_000, 6_010_000)
    );
    assert_eq!(bursts.largest, [2_056, 256, 38]);
    assert_eq!((bursts.packets.max, bursts.packets.sum), (2, 5));
}

#[test]
fn times_are_epoch_times_on_a_24_hour_clock() {
    // 2023-11-14T22:13:20.000000999Z, and 23 hours later.
    let first = Packet { time: Timestamp(1_700_000_000_000_000_999), ..udp(0, CLIENT, 1) };
    let last = Packet { time: Timestamp(1_700_082_800_000_000_000), ..udp(0, CLIENT, 1) };
    let day = Duration::from_secs(86_400);
    let params = MeterParams::new().idle_timeout(day).active_timeout(day);
    let flows = meter(params, &[first, last]);
    assert_eq!(
        flows[0].start,
        Timestamp(1_700_000_000_000_000_000),
        "whole microseconds, downwards"
    );
    assert_eq!(flows[0].end, last.time);
    assert_eq!(flows[0].both.gaps.sum, 82_800 * 1_000_000);
}

#[test]
fn times_before_1970_are_times_too() {
    let flow = flow(&[udp(-3, CLIENT, 1), udp(-1, CLIENT, 1), udp(2, CLIENT, 1)]);
    assert_eq!((flow.start, flow.end), (Timestamp(-3_000), Timestamp(2_000)));
    assert_eq!(flow.both.gaps.sum, 5);
}

#[test]
fn records_are_cut_by_packet_time() {
    // The wall clock hardly moves while this test runs.
    let packets = [udp(0, CLIENT, 1), udp(121 * SECOND, CLIENT, 1), udp(240 * SECOND, CLIENT, 1)];
    assert_eq!(reasons(&flows(&packets)), [(EndReason::Idle, 1), (EndReason::ForcedEnd, 2)]);
}

#[test]
fn one_packet_flows_are_kept() {
    let flow = flow(&[udp(5, CLIENT, 9)]);
    assert_eq!((flow.both.octets.count, flow.both.gaps.count), (1, 0));
    assert_eq!(flow.start, flow.end);
    assert_eq!(flow.packets.len(), 1);
}

#[test]
fn ipv6_is_metered_like_ipv4() {
    let v6 = |packet: Packet| {
        let address = |a: Address| Address(a.0 << 64 | 0x2001_0db8);
        Packet {
            source: address(packet.source),
            destination: address(packet.destination),
            ..packet
        }
    };
    let four = connection(0, 1);
    let six: Vec<Packet> = four.iter().map(|&packet| v6(packet)).collect();
    let (four, six) = (flow(&four), flow(&six));
    assert!(!six.initiator.address.is_v4());
    let back = FlowRecord { initiator: four.initiator, responder: four.responder, ..six };
    assert_eq!(back, four);
}

#[test]
fn timers_advance_without_packets_of_their_own_flow() {
    let packets = [udp(0, CLIENT, 1), tick(60 * SECOND), tick(119 * SECOND), tick(230 * SECOND)];
    let mut seen = Vec::new();
    let mut emit = |flow: FlowRecord| {
        seen.push(flow);
        Ok::<(), std::convert::Infallible>(())
    };
    let mut meter = flowgait_flow::Meter::new(&MeterParams::new().check().unwrap());
    for packets in [&packets[..3], &packets[3..], &[tick(240 * SECOND)]] {
        let mut block = flowgait_capture::Block { packets: packets.to_vec(), bytes: Vec::new() };
        meter.block(&mut block, &mut emit).unwrap();
    }
    assert_eq!(reasons(&seen), [(EndReason::Idle, 1)], "given out long before the stream ends");
}

#[test]
fn an_active_cut_keeps_direction_and_comes_before_the_packet() {
    let mut packets = vec![syn(0, CLIENT, 1)];
    packets.extend((1..=18).map(|n| tcp(n * 100 * SECOND, CLIENT, ACK, 10)));
    // At 1800 s the record was cut; the packet at that moment is in the next one. From there on only the server speaks.
    packets.extend((1..=2).map(|n| tcp((1_800 + n) * SECOND, SERVER, ACK, 20)));
    let cut = flows(&packets);
    assert_eq!(reasons(&cut), [(EndReason::Active, 18), (EndReason::ForcedEnd, 3)]);
    assert_eq!(cut[0].end, Timestamp(1_700 * SECOND * 1_000));
    assert_eq!(cut[1].start, Timestamp(1_800 * SECOND * 1_000));
    assert_eq!(cut[1].packets[0].gap_micros, 0);

    packets.remove(18);
    let cut = flows(&packets);
    assert_eq!(reasons(&cut), [(EndReason::Active, 18), (EndReason::ForcedEnd, 2)]);
    assert_eq!(cut[1].initiator, cut[0].initiator, "though the server sent its first packet");
    assert_eq!(cut[1].initiator_rule, InitiatorRule::Syn);
    assert_eq!((cut[1].forward.octets.count, cut[1].backward.octets.count), (0, 2));
    assert_eq!(cut[1].packets[0].octets, -60);
}

#[test]
fn an_active_cut_leaves_no_empty_record() {
    let mut packets: Vec<_> = (0..=17).map(|n| udp(n * 100 * SECOND, CLIENT, 10)).collect();
    packets.push(tick(1_810 * SECOND));
    packets.push(tick(4_000 * SECOND));
    assert_eq!(reasons(&flows(&packets)), [(EndReason::Active, 18)]);
}

#[test]
fn of_two_timeouts_the_earlier_is_the_reason() {
    // Idle since 1700 s, so idle at 1820 s; but active at 1800 s.
    let mut packets: Vec<_> = (0..=17).map(|n| udp(n * 100 * SECOND, CLIENT, 10)).collect();
    packets.push(tick(9_000 * SECOND));
    assert_eq!(reasons(&flows(&packets))[0], (EndReason::Active, 18));
    // Idle since 1600 s, so idle at 1720 s.
    packets.remove(17);
    assert_eq!(reasons(&flows(&packets))[0], (EndReason::Idle, 17));
}

#[test]
fn stray_packets_after_the_close_open_no_flow() {
    let mut packets = connection(0, 1);
    packets.push(tcp(SECOND, SERVER, ACK, 0));
    packets.push(tcp(29 * SECOND, CLIENT, RST, 0));
    let (flows, report) = meter_blocks(MeterParams::new(), &packets, 100);
    assert_eq!(reasons(&flows), [(EndReason::EndOfFlow, 8)]);
    assert_eq!(report.strays, 2);
    // Behind the linger it is a stranger.
    packets.push(tcp(31 * SECOND, CLIENT, ACK, 0));
    let (flows, _) = meter_blocks(MeterParams::new(), &packets, 100);
    assert_eq!(reasons(&flows), [(EndReason::EndOfFlow, 8), (EndReason::ForcedEnd, 1)]);
}

#[test]
fn a_syn_on_a_closed_pair_opens_a_flow() {
    let mut packets = connection(0, 1);
    packets.extend(connection(SECOND, 99));
    assert_eq!(reasons(&flows(&packets)), [(EndReason::EndOfFlow, 6), (EndReason::EndOfFlow, 6)]);
}

#[test]
fn a_syn_on_an_open_pair_splits_it() {
    let mut packets = connection(0, 1);
    packets.truncate(3);
    packets.extend(connection(SECOND, 99));
    assert_eq!(reasons(&flows(&packets)), [(EndReason::EndOfFlow, 3), (EndReason::EndOfFlow, 6)]);
}

#[test]
fn a_retransmitted_syn_does_not_split() {
    // Not answered, with the same and with another sequence number.
    let unanswered = [syn(0, CLIENT, 1), syn(SECOND, CLIENT, 1), syn(3 * SECOND, CLIENT, 2)];
    assert_eq!(flow(&unanswered).both.octets.count, 3);
    // Answered, used, and the copy comes late.
    let mut packets = connection(0, 1);
    packets.insert(3, syn(25_000, CLIENT, 1));
    assert_eq!(flow(&packets).both.octets.count, 7);
    // Both ends at once (RFC 9293, figure 8).
    let both = [
        syn(0, CLIENT, 1),
        syn(1, SERVER, 50),
        tcp(2, CLIENT, SYN | ACK, 0),
        tcp(3, SERVER, SYN | ACK, 0),
        tcp(4, CLIENT, ACK, 5),
    ];
    let flow = flow(&both);
    assert_eq!((flow.both.octets.count, flow.initiator.port), (5, 40_000));
}

#[test]
fn with_keep_nothing_but_timeouts_ends_a_flow() {
    let mut packets = connection(0, 1);
    packets.extend(connection(SECOND, 99));
    packets.push(tcp(2 * SECOND, CLIENT, RST, 0));
    packets.push(tcp(100 * SECOND, CLIENT, ACK, 0));
    packets.push(tick(300 * SECOND));
    let mut flows = meter(MeterParams::new().port_reuse(PortReuse::Keep), &packets);
    flows.retain(|flow| flow.initiator.port != 1);
    assert_eq!(reasons(&flows), [(EndReason::Idle, 14)]);
}

#[test]
fn negative_gaps_are_zero_and_counted() {
    let (flows, report) = meter_blocks(
        MeterParams::new(),
        &[udp(1_000, CLIENT, 1), udp(400, SERVER, 1), udp(1_600, CLIENT, 1)],
        100,
    );
    let flow = &flows[0];
    assert_eq!((flow.gaps_clamped, report.gaps_clamped, report.packets_behind), (1, 1, 1));
    assert_eq!(flow.packets.iter().map(|p| p.gap_micros).collect::<Vec<_>>(), [0, 0, 600]);
    assert_eq!((flow.both.gaps.min, flow.both.gaps.sum), (0, 600));
    assert_eq!((flow.start, flow.end), (Timestamp(1_000_000), Timestamp(1_600_000)));
}

#[test]
fn the_syn_tells_the_initiator() {
    let told = flow(&[syn(0, CLIENT, 1), tcp(1, SERVER, SYN | ACK, 0)]);
    assert_eq!((told.initiator.port, told.initiator_rule), (40_000, InitiatorRule::Syn));
    let ack_first = flow(&[tcp(0, SERVER, SYN | ACK, 0), tcp(1, CLIENT, ACK, 0)]);
    assert_eq!(
        (ack_first.initiator.port, ack_first.initiator_rule),
        (40_000, InitiatorRule::SynAck)
    );
    assert_eq!(ack_first.packets[0].octets, -40);
    let reordered = flow(&[tcp(0, SERVER, SYN | ACK, 0), syn(1, CLIENT, 1)]);
    assert_eq!((reordered.initiator.port, reordered.initiator_rule), (40_000, InitiatorRule::Syn));
    let midway = flow(&[tcp(0, SERVER, ACK, 9), tcp(1, CLIENT, ACK, 0)]);
    assert_eq!((midway.initiator.port, midway.initiator_rule), (443, InitiatorRule::FirstPacket));
}

#[test]
fn other_protocols_are_flows_between_addresses() {
    let icmp = |packet: Packet| Packet {
        protocol: Protocol(1),
        source_port: 0,
        destination_port: 0,
        ..packet
    };
    let flow = flow(&[icmp(udp(0, CLIENT, 56)), icmp(udp(9, SERVER, 56))]);
    assert_eq!(flow.protocol, Protocol(1));
    assert_eq!((flow.forward.octets.count, flow.backward.octets.count), (1, 1));
}

#[test]
fn flags_of_other_protocols_and_of_fragments_mean_nothing() {
    let flow = flow(&[
        tcp(0, CLIENT, ACK, 100),
        Packet { fragment: true, ..tcp(1, CLIENT, RST, 100) },
        tcp(40 * SECOND, CLIENT, ACK, 100),
    ]);
    assert_eq!((flow.both.octets.count, flow.end_reason), (3, EndReason::ForcedEnd));
}

#[test]
fn tunnel_vlan_and_ttl_are_those_of_the_first_packet() {
    let first = Packet { tunnel: Tunnel::Gre, vlan_plus_one: 8, ttl: 9, ..udp(0, CLIENT, 1) };
    let flow = flow(&[first, udp(1, SERVER, 1), udp(2, CLIENT, 1)]);
    assert_eq!((flow.tunnel, flow.vlan), (Tunnel::Gre, Some(7)));
    assert_eq!((flow.forward.ttl_first, flow.backward.ttl_first, flow.both.ttl_first), (9, 64, 9));
}

#[test]
fn packets_beyond_the_list_still_count() {
    let packets: Vec<_> = (0..200).map(|n| udp(n * 1_000, n % 3 == 0, (n % 7) as u16)).collect();
    let flow = flow(&packets);
    assert_eq!((flow.both.octets.count, flow.packets.len()), (200, 30));
    assert_eq!(flow.payload_packets.len(), 30);
    // Every seventh packet bears nothing, so the thirtieth payload is in packet 35.
    assert_eq!(flow.payload_packets[29].octets, -6);
    assert_eq!(flow.both.payload.count, 171);
}

#[test]
fn the_fullest_shard_evicts_its_least_recently_active_flow() {
    let from = |port: u16, time| Packet { source_port: port, ..udp(time, CLIENT, 1) };
    // Room for one flow in each of 16 shards: a second flow of a shard evicts the first.
    let packets: Vec<_> = (0..160_u16).map(|n| from(1_000 + n, i64::from(n))).collect();
    let (flows, report) = meter_blocks(MeterParams::new().flow_limit(16), &packets, 10);
    assert_eq!(flows.len(), 160);
    let evicted = flows.iter().filter(|f| f.end_reason == EndReason::LackOfResources).count();
    assert_eq!((evicted as u64, report.evictions, report.flows_evicted), (144, 144, 144));
    assert!(report.open_peak <= 16);
}

#[test]
fn captures_in_a_row_are_one_stream_or_many() {
    use flowgait_capture::Block;
    let run = |finish: bool| {
        let mut seen = Vec::new();
        let mut emit = |flow: FlowRecord| {
            seen.push((flow.capture.to_string(), flow.first_packet, flow.both.octets.count));
            Ok::<(), std::convert::Infallible>(())
        };
        let mut meter = flowgait_flow::Meter::new(&MeterParams::new().check().unwrap());
        for (name, at, number) in [("a", 100, 5), ("b", 99, 3), ("c", 100, 4)] {
            meter.set_capture(name);
            let mine = Packet { number, ..udp(at * SECOND, CLIENT, 1) };
            let other = Packet { number: number + 1, ..tick(at * SECOND) };
            let packets = if name == "a" { vec![mine] } else { vec![mine, other] };
            meter.block(&mut Block { packets, bytes: Vec::new() }, &mut emit).unwrap();
            if finish {
                meter.finish(&mut emit).unwrap();
            }
        }
        meter.finish(&mut emit).unwrap();
        seen
    };
    let row = |name: &str, first, count| (name.to_string(), first, count);
    assert_eq!(run(false), [row("a", 5, 3), row("b", 4, 2)]);
    assert_eq!(
        run(true),
        [row("a", 5, 1), row("b", 3, 1), row("b", 4, 1), row("c", 4, 1), row("c", 5, 1)]
    );
}

#[test]
fn swapping_all_ends_swaps_only_the_endpoints() {
    let packets = connection(0, 1);
    let other: Vec<_> = packets.iter().map(|&packet| swapped(packet)).collect();
    let (one, two) = (flow(&packets), flow(&other));
    let ends = |e: Endpoint| (e.address, e.port);
    assert_eq!(ends(one.initiator), ends(two.responder));
    let back = FlowRecord { initiator: one.initiator, responder: one.responder, ..two };
    assert_eq!(back, one);
}

#[test]
fn a_lone_reset_is_a_flow() {
    let flow = flow(&[Packet { tcp_flags: TcpFlags(RST), ..tcp(0, SERVER, RST, 0) }]);
    assert_eq!((flow.end_reason, flow.both.octets.count), (EndReason::EndOfFlow, 1));
}
