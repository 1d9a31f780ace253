//! Made packets from a seed: flows of 12 packets on the average, half of them 1 to 6, one in twenty above 60.

use flowgait_capture::{Address, Block, Packet, Protocol, TcpFlags, Timestamp};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BLOCK: usize = 3_000;

struct Flow {
    packet: Packet,
    left: u32,
    total: u32,
}

fn fresh(rng: &mut impl Rng) -> Flow {
    let total = match rng.random_range(0..20) {
        0..10 => rng.random_range(1..=6),
        10..19 => rng.random_range(7..=20),
        _ => rng.random_range(60..=100),
    };
    let is_tcp = rng.random_bool(0.6);
    Flow {
        packet: Packet {
            source: Address::v4([10, rng.random(), rng.random(), rng.random()]),
            destination: Address::v4([93, rng.random(), rng.random(), 1]),
            source_port: rng.random_range(1_024..=u16::MAX),
            destination_port: 443,
            tcp_sequence: rng.random(),
            protocol: if is_tcp { Protocol::TCP } else { Protocol::UDP },
            ip_header_octets: 20,
            ttl: 64,
            tcp_window: if is_tcp { 501 } else { 0 },
            ..Packet::default()
        },
        left: total,
        total,
    }
}

/// A stream of about so many packets in blocks, with so many flows alive at a time.
pub fn stream(packets: usize, alive: usize) -> impl Iterator<Item = Block> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut flows: Vec<Flow> = (0..alive).map(|_| fresh(&mut rng)).collect();
    let mut time = 1_700_000_000_000_000_000_i64;
    let mut number = 0;
    (0..packets.div_ceil(BLOCK)).map(move |_| {
        let mut block = Block { bytes: vec![0; 2_000], packets: Vec::with_capacity(BLOCK) };
        for _ in 0..BLOCK {
            let at = rng.random_range(0..flows.len());
            let flow = &mut flows[at];
            time += rng.random_range(0..20_000);
            number += 1;
            let payload = if rng.random_bool(0.6) { rng.random_range(1..1_400) } else { 0 };
            let is_tcp = flow.packet.protocol == Protocol::TCP;
            let flags = match (is_tcp, flow.total - flow.left, flow.left) {
                (false, ..) => 0,
                (_, 0, _) => 0x02,
                (_, _, 1) => 0x14,
                _ => 0x10,
            };
            let packet = Packet {
                time: Timestamp(time),
                number,
                payload_octets: payload,
                payload_captured: payload,
                ip_octets: payload + if is_tcp { 52 } else { 28 },
                tcp_flags: TcpFlags(flags),
                ..flow.packet
            };
            let is_back = flow.left < flow.total && rng.random_bool(0.5);
            block.packets.push(if is_back { swapped(packet) } else { packet });
            flow.left -= 1;
            if flow.left == 0 {
                *flow = fresh(&mut rng);
            }
        }
        block
    })
}

fn swapped(packet: Packet) -> Packet {
    Packet {
        source: packet.destination,
        destination: packet.source,
        source_port: packet.destination_port,
        destination_port: packet.source_port,
        ..packet
    }
}
