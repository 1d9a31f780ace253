//! Speed of the numbers of a flow, of writing them as a table, and of reading that back: flows per second, on one core.
#![allow(clippy::unwrap_used, reason = "a bench")]

use std::path::PathBuf;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use flowgait_capture::{Address, Protocol, Timestamp};
use flowgait_features::{extract, schema, table};
use flowgait_flow::FlowRecord;
use flowgait_flow::export::TableWriter;
use flowgait_flow::record::{Bursts, Endpoint, FirstPacket, FirstPayload, Moments, Side};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FLOWS: usize = 10_000;

fn main() {
    divan::main();
}

fn moments(count: u64, max: u64, rng: &mut impl Rng) -> Moments {
    let sum = (0..count.min(50)).map(|_| rng.random_range(0..=max)).sum();
    Moments {
        count,
        min: max / 20,
        max,
        sum,
        squares: rng.random::<f64>() * (max * max) as f64 * count as f64,
    }
}

fn side(packets: u64, rng: &mut impl Rng) -> Side {
    Side {
        octets: moments(packets, 1_500, rng),
        payload: moments(packets / 2, 1_448, rng),
        gaps: moments(packets.saturating_sub(1), 3_000_000, rng),
        header_octets: packets * 52,
        flags: std::array::from_fn(|_| rng.random_range(0..3)),
        octets_histogram: std::array::from_fn(|_| rng.random_range(0..9)),
        gaps_histogram: std::array::from_fn(|_| rng.random_range(0..9)),
        window_first: 64_240,
        ttl_first: 64,
    }
}

fn bursts(rng: &mut impl Rng) -> Bursts {
    Bursts {
        octets: moments(5, 90_000, rng),
        packets: moments(5, 80, rng),
        periods: moments(4, 2_000_000, rng),
        on_micros: rng.random_range(0..500_000),
        largest: [90_000, 20_000, 3_000],
    }
}

/// Flows of about the length that captures have: half of them short, sequences of 2 to 30 packets.
fn records() -> Vec<FlowRecord> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    (0..FLOWS as u64)
        .map(|number| {
            let packets = if rng.random() { rng.random_range(2..10) } else { 30 };
            let start = 1_581_113_120_000_000_000 + number as i64 * 1_234_567_891;
            FlowRecord {
                capture: "capture.pcap".into(),
                first_packet: number * 9,
                initiator: Endpoint { address: Address::v4(rng.random()), port: rng.random() },
                responder: Endpoint { address: Address::v4(rng.random()), port: 443 },
                protocol: Protocol::TCP,
                start: Timestamp(start),
                end: Timestamp(start + 4_000_000_000),
                forward: side(packets / 2, &mut rng),
                backward: side(packets - packets / 2, &mut rng),
                both: side(packets, &mut rng),
                octets_delta: moments(packets - 1, 1_400, &mut rng),
                packets: (0..packets)
                    .map(|_| FirstPacket {
                        octets: rng.random_range(-1_500..1_500),
                        payload: rng.random_range(-1_448..1_448),
                        gap_micros: rng.random_range(0..100_000),
                        window: rng.random(),
                    })
                    .collect(),
                payload_packets: (0..packets / 2)
                    .map(|_| FirstPayload {
                        octets: rng.random_range(-1_448..1_448),
                        gap_micros: rng.random_range(0..100_000),
                    })
                    .collect(),
                bursts: bursts(&mut rng),
                bursts_forward: bursts(&mut rng),
                bursts_backward: bursts(&mut rng),
                ..FlowRecord::default()
            }
        })
        .collect()
}

fn write(path: &std::path::Path, records: &[FlowRecord]) {
    let mut writer = TableWriter::create(path, schema::flow_row_schema()).unwrap();
    for record in records {
        table::native::write_row(record, &mut writer);
        writer.end_row().unwrap();
    }
    writer.finish().unwrap();
}

#[divan::bench]
fn extract_features(bencher: Bencher<'_, '_>) {
    let records = records();
    bencher.counter(ItemsCount::new(FLOWS)).bench(|| {
        let mut values = Vec::with_capacity(400);
        for record in &records {
            values.clear();
            extract::extract(black_box(record), &mut values);
        }
        values
    });
}

#[divan::bench]
fn csv_to_nowhere(bencher: Bencher<'_, '_>) {
    let records = records();
    bencher.counter(ItemsCount::new(FLOWS)).bench(|| {
        let sink = Box::new(std::io::sink());
        let mut writer = TableWriter::stream("-", sink, schema::flow_row_schema());
        for record in &records {
            table::native::write_row(record, &mut writer);
            writer.end_row().unwrap();
        }
        writer.finish().unwrap();
    });
}

#[divan::bench(args = ["csv", "csv.zst", "jsonl", "parquet"])]
fn write_file(bencher: Bencher<'_, '_>, ending: &str) {
    let records = records();
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(format!("flows.{ending}"));
    bencher.counter(ItemsCount::new(FLOWS)).bench(|| write(&path, &records));
}

#[divan::bench(args = ["csv", "csv.zst", "jsonl", "parquet"])]
fn read_file(bencher: Bencher<'_, '_>, ending: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(format!("flows.{ending}"));
    write(&path, &records());
    bencher
        .counter(ItemsCount::new(FLOWS))
        .bench(|| table::read(&[&path], &table::ReadParams::default()).unwrap());
}
