//! Values that can be worked out by hand, and what is missing when there is too little.

use flowgait_capture::{Protocol, Timestamp};
use flowgait_flow::FlowRecord;
use flowgait_flow::record::{FirstPacket, FirstPayload, Moments};

use super::{dataset, extract, prefix};
use crate::dataset::Dataset;
use crate::schema::flow_schema;

fn moments(values: &[u64]) -> Moments {
    let mean = values.iter().sum::<u64>() as f64 / values.len().max(1) as f64;
    Moments {
        count: values.len() as u64,
        min: values.iter().copied().min().unwrap_or(0),
        max: values.iter().copied().max().unwrap_or(0),
        sum: values.iter().sum(),
        squares: values.iter().map(|&value| (value as f64 - mean).powi(2)).sum(),
    }
}

fn packet(octets: i32, payload: i32, gap_micros: u64) -> FirstPacket {
    FirstPacket { octets, payload, gap_micros, window: 64_240 }
}

/// Three packets: 60 forward, 60 backward after 20 ms, 560 forward after 30 ms.
fn three_packets() -> FlowRecord {
    let mut record = FlowRecord {
        protocol: Protocol::TCP,
        start: Timestamp(1_000_000_000),
        end: Timestamp(1_050_000_000),
        packets: vec![packet(60, 0, 0), packet(-60, 0, 20_000), packet(560, 500, 30_000)],
        payload_packets: vec![FirstPayload { octets: 500, gap_micros: 0 }],
        octets_delta: moments(&[0, 500]),
        ..FlowRecord::default()
    };
    record.forward.octets = moments(&[60, 560]);
    record.forward.payload = moments(&[500]);
    record.forward.gaps = moments(&[50_000]);
    record.backward.octets = moments(&[60]);
    record.both.octets = moments(&[60, 60, 560]);
    record.both.payload = moments(&[500]);
    record.both.gaps = moments(&[20_000, 30_000]);
    record
}

fn value(dataset: &Dataset, name: &str) -> f32 {
    let place = dataset.schema.position(name).unwrap_or_else(|| panic!("no feature {name}"));
    dataset.columns[place][0]
}

fn check(dataset: &Dataset, expected: &[(&str, f32)]) {
    for &(name, expected) in expected {
        let found = value(dataset, name);
        assert!(
            (found - expected).abs() <= expected.abs() * 1e-6
                || (found.is_nan() && expected.is_nan()),
            "{name}: {found} and not {expected}"
        );
    }
}

const MISSING: f32 = f32::NAN;

#[test]
fn values_by_hand() {
    #[rustfmt::skip]
    check(&dataset(&[three_packets()]), &[
        ("protocol", 6.0), ("duration_micros", 50_000.0),
        ("forward_packets", 2.0), ("forward_octets", 620.0), ("forward_packet_mean_octets", 310.0),
        ("forward_packet_sd_octets", 353.553_4), ("forward_payload_packets", 1.0), ("forward_payload_mean_octets", 500.0),
        ("forward_gap_mean_micros", 50_000.0), ("both_gap_sd_micros", 7_071.068), ("both_gap_min_micros", 20_000.0),
        ("forward_share_packets", 2.0 / 3.0), ("forward_share_octets", 620.0 / 680.0), ("forward_share_payload", 1.0),
        ("both_octets_per_second", 13_600.0), ("both_packets_per_second", 60.0),
        ("packet_delta_mean_octets", 250.0), ("handshake", 0.0),
        ("packet_octets_0", 60.0), ("packet_octets_1", -60.0), ("packet_octets_2", 560.0), ("packet_gap_micros_2", 30_000.0),
        ("packet_window_0", 64_240.0), ("payload_octets_sequence_0", 500.0),
    ]);
}

#[test]
fn too_little_is_missing_and_not_zero() {
    #[rustfmt::skip]
    check(&dataset(&[three_packets()]), &[
        // One backward packet: no deviation, no gap; no payload from there at all.
        ("backward_packet_mean_octets", 60.0), ("backward_packet_sd_octets", MISSING), ("backward_gap_min_micros", MISSING),
        ("backward_payload_mean_octets", MISSING), ("backward_payload_octets", 0.0), ("forward_payload_sd_octets", MISSING),
        ("forward_gap_sd_micros", MISSING), ("packet_octets_3", MISSING), ("payload_octets_sequence_1", MISSING),
        ("handshake_ciphers", MISSING), ("both_burst_period_variation", MISSING),
    ]);
    // One packet has no duration, so no rate either.
    let lone = FlowRecord { end: Timestamp(1_000_000_000), ..three_packets() };
    check(&dataset(&[lone]), &[("duration_micros", 0.0), ("both_octets_per_second", MISSING)]);
    // An empty record is nonsense, yet must not divide by zero.
    let mut values = Vec::new();
    extract(&FlowRecord::default(), &mut values);
    assert_eq!(values.len(), flow_schema().features.len());
    assert!(values.iter().all(|value| !value.is_infinite()));
}

#[test]
fn a_window_is_one_of_tcp() {
    let mut record = three_packets();
    record.forward.window_first = 512;
    check(&dataset(&[record.clone()]), &[("forward_window_first_octets", 512.0)]);
    record.protocol = Protocol::UDP;
    check(&dataset(&[record]), &[("forward_window_first_octets", MISSING)]);
}

#[test]
fn a_prefix_of_the_whole_flow_agrees_with_the_flow() {
    let whole = dataset(&[three_packets()]);
    let cut = prefix(&whole, 30).unwrap();
    for (name, _) in super::prefix::STATISTICS {
        let (found, expected) = (value(&cut, &format!("prefix_{name}")), value(&whole, name));
        check(&cut, &[(&format!("prefix_{name}"), expected)]);
        assert!(found.is_nan() == expected.is_nan(), "{name}");
    }
    check(&cut, &[("payload_octets_sequence_0", 500.0), ("packet_octets_29", MISSING)]);
}

#[test]
fn a_prefix_knows_nothing_of_later_packets() {
    let mut other = three_packets();
    other.packets[2] = packet(-1500, -1460, 7);
    other.packets.push(packet(100, 60, 9));
    other.payload_packets = vec![FirstPayload { octets: -1460, gap_micros: 0 }];
    other.end = Timestamp(9_000_000_000);
    other.forward.octets = moments(&[60, 100]);
    let bits = |record: &FlowRecord, packets| -> Vec<Vec<u32>> {
        let cut = prefix(&dataset(&[record.clone()]), packets).unwrap();
        cut.columns
            .iter()
            .map(|column| column.iter().map(|value| value.to_bits()).collect())
            .collect()
    };
    for packets in [1, 2] {
        assert_eq!(bits(&three_packets(), packets), bits(&other, packets), "{packets}");
    }
    assert_ne!(bits(&three_packets(), 3), bits(&other, 3));
    assert!(prefix(&Dataset::default(), 3).is_err());
}
