//! The same capture in many guises gives the same packets; a damaged one gives what came before.

use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use flowgait_capture::{
    BLOCK_OCTETS, DamageKind, Error, LinkType, RECORD_OCTETS_MAX, Reader, ReaderParams, Skip,
};

use crate::support::{Whole, captures, read_all, read_from, read_octets};

/// An IPv4 packet with UDP in it, `number` in its payload.
fn datagram(number: u32, payload_octets: u16) -> Vec<u8> {
    let total = 28 + payload_octets;
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 53, 0, 54]);
    packet.extend((total - 20).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(number.to_be_bytes());
    packet.resize(usize::from(total), 7);
    packet
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// A pcap file of raw IP packets; `more` octets follow each record header.
fn pcap(order: Order, magic: u32, more: usize, packets: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = order.u32(magic).to_vec();
    file.extend([order.u16(2), order.u16(4)].concat());
    file.extend([0, 0, 65_535, 101].map(|field| order.u32(field)).concat());
    for (seconds, fraction, packet) in packets {
        let octets = u32::try_from(packet.len()).unwrap();
        file.extend([*seconds, *fraction, octets, octets].map(|field| order.u32(field)).concat());
        file.extend(vec![0xee; more]);
        file.extend(packet);
    }
    file
}

fn simple_pcap(packets: u32, payload_octets: u16) -> Vec<u8> {
    let packets: Vec<_> = (0..packets).map(|n| (n, 0, datagram(n, payload_octets))).collect();
    pcap(Order::Little, 0xa1b2_c3d4, 0, &packets)
}

fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let octets = order.u32(u32::try_from(body.len() + 12).unwrap());
    [&order.u32(kind)[..], &octets, &body, &octets].concat()
}

fn section(order: Order) -> Vec<u8> {
    let body = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]].concat();
    block(order, 0x0a0d_0d0a, &body)
}

fn interface(order: Order, link: u16, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [&order.u16(link)[..], &[0; 2], &[0; 4]].concat();
    for (code, value) in options {
        body.extend([order.u16(*code), order.u16(u16::try_from(value.len()).unwrap())].concat());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    block(order, 1, &body)
}

fn enhanced(order: Order, interface: u32, units: u64, packet: &[u8]) -> Vec<u8> {
    let octets = u32::try_from(packet.len()).unwrap();
    let (high, low) = ((units >> 32) as u32, units as u32);
    let fields = [interface, high, low, octets, octets].map(|field| order.u32(field)).concat();
    block(order, 6, &[&fields[..], packet].concat())
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn zstd(octets: &[u8]) -> Vec<u8> {
    zstd::encode_all(octets, 1).unwrap()
}

/// Gives one to seven octets at a time, and is interrupted now and then.
struct Trickle(Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let octets = room.len().min(1 + self.1 % 7);
        self.0.read(&mut room[..octets])
    }
}

fn times(whole: &Whole) -> Vec<i64> {
    whole.packets.iter().map(|seen| seen.packet.time.0).collect()
}

#[test]
fn a_stream_in_small_pieces_and_a_compressed_file_are_the_same_capture() {
    let mut made = vec![("made".into(), simple_pcap(20_000, 200))];
    made.extend(captures().into_iter().map(|path| (path.clone(), fs::read(path).unwrap())));
    for (path, octets) in made {
        let plain = read_octets(octets.clone()).unwrap();
        let trickled = read_from(Trickle(Cursor::new(octets.clone()), 0)).unwrap();
        assert!(plain == trickled, "{}: in small pieces", path.display());
        let (head, tail) = octets.split_at(octets.len() / 2);
        let members = [gzip(head), gzip(b""), gzip(tail)].concat();
        assert!(plain == read_octets(members).unwrap(), "{}: gzip", path.display());
        let skippable = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        let frames = [&skippable[..], &zstd(head), &skippable, &zstd(tail)].concat();
        assert!(plain == read_octets(frames).unwrap(), "{}: zstd", path.display());
    }
    let octets = simple_pcap(100, 50);
    let nested = read_octets(gzip(&zstd(&gzip(&octets)))).unwrap();
    assert_eq!(read_octets(octets).unwrap(), nested);
}

#[test]
fn blocks_are_about_a_mebibyte_and_hold_whole_records() {
    let whole = read_octets(simple_pcap(20_000, 200)).unwrap();
    assert_eq!(whole.packets.len(), 20_000);
    let record = 16 + 228;
    let (last, full) = whole.blocks.split_last().unwrap();
    assert!(full.iter().all(|octets| *octets == BLOCK_OCTETS / record * record));
    assert_eq!(full.iter().sum::<usize>() + last, 20_000 * record);
    for (n, seen) in (0_u32..).zip(&whole.packets) {
        assert_eq!(seen.payload[..4], n.to_be_bytes());
        assert_eq!(seen.packet.number, u64::from(n) + 1);
    }
}

#[test]
fn a_record_larger_than_a_block_is_read_alone() {
    let order = Order::Little;
    let mut huge = datagram(2, 60_000);
    huge.resize(3 * BLOCK_OCTETS, 0);
    let mut file = [section(order), interface(order, 101, &[])].concat();
    file.extend(enhanced(order, 0, 1, &datagram(1, 100)));
    file.extend(enhanced(order, 0, 2, &huge));
    file.extend(enhanced(order, 0, 3, &datagram(3, 100)));
    let whole = read_octets(file).unwrap();
    assert_eq!(whole.blocks.len(), 3);
    assert_eq!(whole.blocks[1], huge.len() + 32);
    let payloads: Vec<_> = whole.packets.iter().map(|seen| seen.packet.payload_captured).collect();
    assert_eq!(payloads, [100, 60_000, 100]);
}

#[test]
fn pcap_in_each_order_and_resolution() {
    let packets = [(1, 2, datagram(1, 10)), (0xffff_ffff, 999_999, datagram(2, 10))];
    let micros = [1_000_002_000, 4_294_967_295_999_999_000];
    let nanos = [1_000_000_002, 4_294_967_295_000_999_999];
    for order in [Order::Little, Order::Big] {
        for (magic, more, expected) in
            [(0xa1b2_c3d4, 0, micros), (0xa1b2_3c4d, 0, nanos), (0xa1b2_cd34, 8, micros)]
        {
            let whole = read_octets(pcap(order, magic, more, &packets)).unwrap();
            assert_eq!(times(&whole), expected, "magic {magic:#x}");
            assert_eq!(whole.report.link_types.keys().collect::<Vec<_>>(), [&LinkType(101)]);
        }
    }
}

#[test]
fn pcapng_with_sections_interfaces_and_every_kind_of_packet_block() {
    let packet = datagram(1, 9);
    let with_ethernet = [&[0; 12][..], &[8, 0], &packet].concat();
    let mut file = Vec::new();
    for order in [Order::Big, Order::Little] {
        let offset = match order {
            Order::Big => 100_i64.to_be_bytes(),
            Order::Little => 100_i64.to_le_bytes(),
        };
        file.extend(section(order));
        file.extend(interface(order, 101, &[(2, b"eth0"), (9, &[9])]));
        file.extend(interface(order, 1, &[(9, &[0x8a]), (14, &offset)]));
        file.extend(interface(order, 101, &[(9, &[3])]));
        file.extend(interface(order, 101, &[(9, &[12])]));
        file.extend(interface(order, 101, &[]));
        file.extend(enhanced(order, 0, 5_000_000_001, &packet));
        file.extend(enhanced(order, 1, 1_536, &with_ethernet));
        file.extend(block(order, 0x1234, &[1, 2, 3, 4]));
        file.extend(enhanced(order, 2, 7, &packet));
        file.extend(enhanced(order, 3, 7_000_000_000_000, &packet));
        file.extend(enhanced(order, 4, 7_000_001, &packet));
        let octets = order.u32(u32::try_from(packet.len()).unwrap());
        file.extend(block(order, 3, &[&octets[..], &packet].concat()));
        let fields = [&order.u16(2)[..], &[0; 2], &[0; 4], &order.u32(8), &octets, &octets];
        file.extend(block(order, 2, &[&fields.concat()[..], &packet].concat()));
        file.extend(block(order, 5, &[0; 12]));
        file.extend(enhanced(order, 9, 7, &packet));
        file.extend(block(order, 6, &[0; 8]));
        let lying = [[0, 0, 0].map(|n| order.u32(n)).concat(), order.u32(400).repeat(2)].concat();
        file.extend(block(order, 6, &lying));
    }
    let whole = read_octets(file).unwrap();
    let seconds = 1_000_000_000;
    let one = [
        5 * seconds + 1,
        101 * seconds + seconds / 2,
        7_000_000,
        7 * seconds,
        7_000_001_000,
        7_000_001_000,
        8_000_000,
    ];
    assert_eq!(times(&whole), [one, one].concat());
    assert!(whole.packets.iter().all(|seen| seen.payload == whole.packets[0].payload));
    let report = &whole.report;
    assert_eq!((report.packets_read, report.unknown_blocks), (20, 2));
    assert_eq!(report.metadata_blocks, 13, "the first section header is the file's");
    assert_eq!(report.skipped[&Skip::UnknownInterface], 2);
    assert_eq!(report.skipped[&Skip::MalformedRecord], 4);
    assert_eq!(report.damage, []);
}

#[test]
fn a_capture_that_ends_within_a_record_gives_the_whole_ones() {
    let file = simple_pcap(10, 50);
    let record = 16 + 78;
    let whole = read_octets(file.clone()).unwrap();
    for cut in 24..file.len() {
        let expected = (cut - 24) / record;
        let part = read_octets(file[..cut].to_vec()).unwrap();
        assert_eq!(part.packets, whole.packets[..expected]);
        let offset = ((cut - 24) % record != 0).then_some((24 + expected * record) as u64);
        assert_eq!(part.report.cut_short(), offset, "cut at {cut}");
    }
    let packed = gzip(&simple_pcap(20_000, 200));
    let part = read_octets(packed[..packed.len() - 200].to_vec()).unwrap();
    assert!(!part.packets.is_empty() && part.report.cut_short().is_some());
    let packed = zstd(&simple_pcap(20_000, 200));
    let part = read_octets(packed[..packed.len() - 20].to_vec()).unwrap();
    assert!(!part.packets.is_empty() && part.report.cut_short().is_some());
}

#[test]
fn a_capture_that_breaks_in_the_middle_gives_what_came_before() {
    let check = |file: Vec<u8>, packets: usize, offset: usize, what: &str| {
        let part = read_octets(file).unwrap();
        assert_eq!(part.packets.len(), packets);
        let [damage] = &part.report.damage[..] else { panic!("{:?}", part.report.damage) };
        assert_eq!(damage.offset, offset as u64, "{damage}");
        assert!(matches!(damage.kind, DamageKind::Corrupt(_)), "{damage}");
        assert!(damage.to_string().contains(what) && damage.to_string().contains("made at octet"));
    };
    let mut file = simple_pcap(10, 50);
    let third = 24 + 2 * 94;
    file[third + 8..third + 12].copy_from_slice(&262_145_u32.to_le_bytes());
    check(file, 2, third, "262145 octets is larger than the limit of 262144");

    let order = Order::Big;
    let head = [section(order), interface(order, 101, &[])].concat();
    let good = [head, enhanced(order, 0, 1, &datagram(1, 40))].concat();
    let at = good.len();
    let broken = |octets: &[u8]| [&good[..], octets, &good].concat();
    check(broken(&[0, 0, 0, 6, 0, 0, 0, 8, 0, 0, 0, 8]), 1, at, "length of 8 octets");
    check(broken(&[0, 0, 0, 6, 0, 0, 0, 13, 0, 0, 0, 13]), 1, at, "length of 13 octets");
    check(broken(&[0, 0, 0, 6, 0, 0, 0, 12, 0, 0, 0, 16]), 1, at, "lengths differ");
    let too_large = u32::try_from(RECORD_OCTETS_MAX + 4).unwrap().to_be_bytes();
    check(
        broken(&[&[0, 0, 0, 6][..], &too_large, &[0; 4]].concat()),
        1,
        at,
        "larger than the limit",
    );
    let mut section_twice = good.clone();
    section_twice.extend(section(order));
    section_twice[at + 8] = 0x77;
    check(section_twice, 1, at, "byte-order magic");
    check(broken(&block(order, 1, &[0; 4])), 1, at, "no room");

    let mut packed = zstd(&simple_pcap(50_000, 200));
    let middle = packed.len() / 2;
    packed[middle..].fill(0x55);
    let part = read_octets(packed).unwrap();
    let [damage] = &part.report.damage[..] else { panic!("{:?}", part.report.damage) };
    assert!(matches!(damage.kind, DamageKind::Decompress(_)) && !part.packets.is_empty());
}

fn check_error(octets: &[u8], expected: &str) {
    let error = read_octets(octets.to_vec()).unwrap_err().to_string();
    assert!(error.contains(expected) && error.contains("made"), "{error}");
}

#[test]
fn what_is_no_capture_is_an_error_that_names_file_and_octet() {
    check_error(b"", "empty");
    check_error(&gzip(b""), "empty");
    check_error(b"PK\x03\x04 an archive", "octets 50 4b 03 04 at octet 0");
    check_error(b"x", "octets 78 at octet 0");
    check_error(&simple_pcap(0, 0)[..23], "octet 0: the file ends after 23 of 24");
    check_error(&section(Order::Big)[..20], "the file ends after 20 of 28");
    check_error(&section(Order::Big)[..7], "the file ends after 7 of 12");
    let mut magic = section(Order::Big);
    magic[8] = 0;
    check_error(&magic, "byte-order magic");
    let mut version = section(Order::Big);
    version[13] = 2;
    check_error(&version, "version 2");
    check_error(&gzip(&simple_pcap(3, 3))[..15], "decompress");
    let mut packed = b"x".to_vec();
    for _ in 0..6 {
        packed = gzip(&packed);
    }
    check_error(&packed, "more than 4 times");

    let params = ReaderParams::default();
    let missing = Reader::open(Path::new("/nowhere/a.pcap"), &params).unwrap_err();
    assert!(matches!(&missing, Error::Open { .. }) && missing.to_string().contains("/nowhere"));
    let folder = Reader::open(Path::new("/"), &params).unwrap_err();
    assert!(matches!(folder, Error::Read { offset: 0, .. }), "{folder}");
}

#[test]
fn a_failing_disk_ends_the_run_with_the_octet() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            match self.0.read(room)? {
                0 => Err(io::Error::other("input/output error")),
                octets => Ok(octets),
            }
        }
    }
    let octets = simple_pcap(10, 50);
    let length = octets.len() as u64;
    let error = read_from(Failing(Cursor::new(octets.clone()))).unwrap_err();
    assert!(matches!(error, Error::Read { offset, .. } if offset == length), "{error}");
    let packed = gzip(&octets);
    let part = packed[..packed.len() - 9].to_vec();
    let error = read_from(Failing(Cursor::new(part))).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "not the compression's fault: {error}");
}

#[test]
fn a_filter_holds_packets_back_and_counts_them() {
    for path in captures() {
        let all = read_all(Reader::open(&path, &ReaderParams::default()).unwrap()).unwrap();
        for text in ["tcp", "udp port 53 or 443", "ip6 and not icmp6", "not (tcp or udp)"] {
            let params =
                ReaderParams { filter: Some(text.parse().unwrap()), ..ReaderParams::default() };
            let some = read_all(Reader::open(&path, &params).unwrap()).unwrap();
            let filter = params.filter.unwrap();
            let expected: Vec<_> =
                all.packets.iter().filter(|seen| filter.passes(&seen.packet)).cloned().collect();
            assert!(some.packets == expected, "{}: {text}", path.display());
            let held_back = (all.packets.len() - expected.len()) as u64;
            assert_eq!(some.report.packets_filtered, held_back);
            assert_eq!(
                (some.blocks, some.report.skipped),
                (all.blocks.clone(), all.report.skipped.clone())
            );
        }
    }
}

#[test]
fn the_account_of_several_captures_is_the_sum() {
    let one = read_octets(simple_pcap(10, 50)).unwrap().report;
    let two = read_octets(simple_pcap(5, 50)[..100].to_vec()).unwrap().report;
    let mut sum = one.clone();
    sum.merge(&two);
    assert_eq!((sum.captures, sum.packets_read, sum.packets_used), (2, 10, 10));
    assert_eq!((sum.time_first, sum.time_last), (one.time_first, one.time_last));
    assert_eq!((sum.damage.len(), sum.cut_short()), (1, Some(24)));
    assert_eq!(sum.octets, 780);
    let backwards = [(9, 0, datagram(1, 1)), (5, 0, datagram(2, 1)), (7, 0, datagram(3, 1))];
    let report = read_octets(pcap(Order::Little, 0xa1b2_c3d4, 0, &backwards)).unwrap().report;
    assert_eq!(report.times_backwards, 1);
    let [first, last] = [report.time_first, report.time_last].map(|time| time.unwrap().0);
    assert_eq!((first, last), (5_000_000_000, 9_000_000_000));
}
