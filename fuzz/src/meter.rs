//! A stream of packets through the meter.

use std::convert::Infallible;
use std::time::Duration;

use flowgait_capture::{Address, Block, Packet, Protocol, TcpFlags, Timestamp};
use flowgait_flow::{FlowRecord, Meter, MeterParams, MeterReport};

use crate::pieces::Pieces;

/// Packets in a block: a few, so that there are several blocks.
const BLOCK_PACKETS: usize = 8;

/// Packets among four ends, with any flags, sizes and times: nothing is lost, and threads cannot be seen.
///
/// A packet is eight octets (ends and ports, protocol and time scale, time step, flags, two of size, TCP sequence number, payload octets) and
/// that payload.
pub fn meter(bytes: &[u8]) {
    let (alone, report) = run(bytes, 1);
    let octets: u64 = alone.iter().map(|record| record.both.octets.sum).sum();
    let packets: u64 = alone.iter().map(|record| record.both.octets.count).sum();
    assert_eq!((packets, octets), (report.packets, report.octets), "packets or octets were lost");
    for record in &alone {
        check(record);
    }
    let (shared, _) = run(bytes, 2);
    assert_eq!(alone, shared, "the number of threads shows");
}

fn run(bytes: &[u8], threads: usize) -> (Vec<FlowRecord>, MeterReport) {
    // As small as may be, so that every limit is reached.
    let params = MeterParams::new()
        .flow_limit(16)
        .idle_timeout(Duration::from_secs(1))
        .active_timeout(Duration::from_secs(4))
        .linger(Duration::from_millis(200))
        .packets(3)
        .reassembly_octets_max(16 * 1024)
        .names_max(2)
        .threads(threads);
    let mut meter = Meter::new(&params.check().expect("each is in its range"));
    meter.set_capture("fuzzed");
    let mut records = Vec::new();
    let mut emit = |record| {
        records.push(record);
        Ok::<(), Infallible>(())
    };
    let (mut pieces, mut clock, mut number) = (Pieces(bytes), 0, 0);
    while !pieces.is_empty() {
        let mut block = Block::default();
        while block.packets.len() < BLOCK_PACKETS && !pieces.is_empty() {
            number += 1;
            let packet = packet(&mut pieces, &mut clock, &mut block.bytes);
            block.packets.push(Packet { number, ..packet });
        }
        let Ok(()) = meter.block(&mut block, &mut emit);
    }
    let Ok(()) = meter.finish(&mut emit);
    (records, meter.report())
}

fn packet(pieces: &mut Pieces<'_>, clock: &mut i64, bytes: &mut Vec<u8>) -> Packet {
    let (ends, kind, step, flags) = (pieces.u8(), pieces.u8(), pieces.u8(), pieces.u8());
    let (ip_octets, sequence, payload_octets) = (pieces.u16(), pieces.u8(), pieces.u8());
    let payload = pieces.take(usize::from(payload_octets));
    let scale = [1_000, 1_000_000, 50_000_000, -1_000_000][usize::from(kind >> 2 & 3)];
    *clock += i64::from(step) * scale;
    let address = |end: u8| Address::v4([192, 0, 2, end & 3]);
    let port = |end: u8| [53, 443, 40_000, 40_001][usize::from(end & 3)];
    let protocol =
        [Protocol::TCP, Protocol::UDP, Protocol(1), Protocol::TCP][usize::from(kind & 3)];
    let payload_start = u32::try_from(bytes.len()).expect("a block is small");
    bytes.extend_from_slice(payload);
    Packet {
        time: Timestamp(*clock),
        source: address(ends),
        destination: address(ends >> 2),
        source_port: port(ends >> 4),
        destination_port: port(ends >> 6),
        ip_octets,
        payload_octets: payload_octets.into(),
        tcp_flags: if protocol == Protocol::TCP { TcpFlags(flags) } else { TcpFlags(0) },
        tcp_sequence: u32::from(sequence) << 4,
        ip_header_octets: 20,
        protocol,
        payload_start,
        payload_captured: u16::try_from(payload.len()).expect("at most 255 octets"),
        ..Packet::default()
    }
}

/// What holds for every record.
fn check(record: &FlowRecord) {
    assert!(record.start <= record.end, "{record:?}");
    let (forward, backward) = (&record.forward, &record.backward);
    assert_eq!(forward.octets.count + backward.octets.count, record.both.octets.count);
    assert_eq!(forward.octets.sum + backward.octets.sum, record.both.octets.sum);
    assert!(record.packets.len() <= 3 && record.payload_packets.len() <= 3);
    assert_eq!(record.both.gaps.count, record.both.octets.count - 1, "a gap between each two");
    let span = record.end.micros() - record.start.micros();
    assert!(record.both.gaps.sum >= u64::try_from(span).expect("checked above"), "{record:?}");
}
