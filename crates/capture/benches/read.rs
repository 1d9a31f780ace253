//! Packets a second through the reader, on made captures of 330 octets a packet.
//!
//! `cargo bench -p flowgait-capture`. The bar: 8 M packets a CPU-second for plain Ethernet, so that the meter on top can reach 3 M.

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use flowgait_capture::{Block, Reader, ReaderParams};

fn main() {
    divan::main();
}

const PACKETS: usize = 200_000;

/// A small generator with a fixed seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// TCP and UDP over IPv4 and IPv6 in Ethernet, as sizes are seen at a home: many small, some full.
fn frame(chance: &mut Chance, is_tagged: bool) -> Vec<u8> {
    let dice = chance.next();
    let above = match dice % 10 {
        0..=5 => 20 + (dice >> 8) % 80,
        6..=7 => 100 + (dice >> 8) % 500,
        _ => 1_000 + (dice >> 8) % 400,
    } as u16;
    let (is_tcp, is_v6) = (dice >> 20 & 3 != 0, dice >> 22 & 7 == 0);
    let mut frame = vec![2; 12];
    if is_tagged {
        frame.extend([0x81, 0, 0, 12]);
    }
    let host = (dice >> 32) as u16;
    let protocol = if is_tcp { 6 } else { 17 };
    if is_v6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(above.to_be_bytes());
        frame.extend([protocol, 64]);
        frame.extend([0x20; 30]);
        frame.extend(host.to_be_bytes());
    } else {
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((above + 20).to_be_bytes());
        frame.extend([0, 1, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 10, 0]);
        frame.extend(host.to_be_bytes());
    }
    let transport = frame.len();
    frame.extend([1, 187, (dice >> 48) as u8 | 0x80, (dice >> 56) as u8]);
    frame.extend(above.to_be_bytes());
    frame.resize(transport + usize::from(above), 0x50);
    frame
}

fn frames(is_tagged: bool) -> impl Iterator<Item = Vec<u8>> {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    (0..PACKETS).map(move |_| frame(&mut chance, is_tagged))
}

fn pcap(is_tagged: bool) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    file.extend(1_u32.to_le_bytes());
    for (number, frame) in (0_u32..).zip(frames(is_tagged)) {
        let octets = u32::try_from(frame.len()).unwrap_or(0);
        let fields = [number / 10_000, number % 10_000 * 100, octets, octets];
        file.extend(fields.map(u32::to_le_bytes).concat());
        file.extend(frame);
    }
    file
}

fn pcapng() -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let octets = u32::try_from(body.len().next_multiple_of(4) + 12).unwrap_or(0).to_le_bytes();
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        [&kind.to_le_bytes()[..], &octets, body, &padding, &octets].concat()
    };
    let mut file = block(
        0x0a0d_0d0a,
        &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255],
    );
    file.extend(block(1, &[1, 0, 0, 0, 0, 0, 0, 0]));
    for (number, frame) in (0_u32..).zip(frames(false)) {
        let octets = u32::try_from(frame.len()).unwrap_or(0);
        let fields = [0, 0, number * 100, octets, octets].map(u32::to_le_bytes).concat();
        file.extend(block(6, &[&fields[..], &frame].concat()));
    }
    file
}

fn read(bencher: Bencher, file: Vec<u8>, filter: Option<&str>) {
    let file: &'static [u8] = file.leak();
    let filter = filter.map(|text| text.parse().expect("a good filter"));
    let params = ReaderParams { filter, ..ReaderParams::default() };
    let mut block = Block::default();
    bencher.counter(ItemsCount::new(PACKETS)).counter(BytesCount::new(file.len())).bench_local(
        || {
            let input = Box::new(Cursor::new(file));
            let mut reader =
                Reader::from_read(input, Path::new("made"), &params).expect("a good header");
            while reader.read_block(&mut block).expect("good octets") {
                black_box(&block.packets);
            }
            assert_eq!(reader.report().packets_read, PACKETS as u64);
        },
    );
}

#[divan::bench]
fn pcap_ethernet(bencher: Bencher) {
    read(bencher, pcap(false), None);
}

#[divan::bench]
fn pcap_vlan(bencher: Bencher) {
    read(bencher, pcap(true), None);
}

#[divan::bench]
fn pcapng_ethernet(bencher: Bencher) {
    read(bencher, pcapng(), None);
}

#[divan::bench]
fn pcap_ethernet_filtered(bencher: Bencher) {
    read(bencher, pcap(false), Some("tcp port 443 and net 10.0.0.0/8"));
}
