//! Damaged and random captures: never a panic, and every packet stays accounted for.

use std::fs;

use proptest::prelude::*;

use crate::support::{captures, read_octets};

/// Link types that are decoded, and one that is not.
const LINKS: [u16; 15] = [0, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 127, 228, 229, 276];

/// Reads what may be a capture; `read_octets` checks the account.
fn read(octets: Vec<u8>) {
    let _ = read_octets(octets);
}

/// A good file header, and one record around each frame.
fn pcap(link: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    file.extend(u32::from(link).to_le_bytes());
    for frame in frames {
        let octets = u32::try_from(frame.len()).unwrap().to_le_bytes();
        file.extend([[0; 4], [0; 4], octets, octets].concat());
        file.extend(frame);
    }
    file
}

/// Octets that often look like the beginning of a header.
fn likely_octets() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        &[0x45, 0, 0, 60, 0, 1, 0x20, 0, 64, 17],
        &[0x45, 0, 0, 60, 0, 1, 0, 5, 64, 6],
        &[0x45, 0, 0, 0, 0, 1, 0, 0, 64, 47],
        &[0x4f, 0, 1, 0, 0, 1, 0, 0, 64, 4],
        &[0x60, 0, 0, 0, 0, 60, 0, 64],
        &[0x60, 0, 0, 0, 0, 60, 44, 64],
        &[8, 0],
        &[0x86, 0xdd],
        &[0x81, 0],
        &[0x88, 0x47, 0, 1, 0x11, 64],
        &[0x88, 0x64, 0x11, 0],
        &[0xff, 3, 0, 0x21],
        &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
        &[0x12, 0xb5, 0x12, 0xb5, 0, 60, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0],
        &[8, 0x68, 8, 0x68, 0, 60, 0, 0, 0x34, 0xff, 0, 50, 0, 0, 0, 1, 0, 0, 0, 0x85],
        &[0x14, 0x7f, 0x14, 0x7f, 0, 60, 0, 0, 0, 0x10, 3, 0, 0, 0, 0, 0, 8, 1],
        &[0x30, 0x81, 0x88, 0x0b],
        &[0, 0, 0x65, 0x58],
    ];
    let piece = prop_oneof![
        prop::sample::select(known).prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..24),
        (0_usize..40).prop_map(|octets| vec![0; octets]),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_frames_of_each_link_type(
        link in prop::sample::select(&LINKS[..]),
        frames in prop::collection::vec(likely_octets(), 1..8),
    ) {
        let read = read_octets(pcap(link, &frames)).unwrap();
        prop_assert_eq!(read.report.packets_read, frames.len() as u64);
        prop_assert_eq!(read.report.damage.len(), 0);
    }

    #[test]
    fn random_octets_behind_each_magic(
        magic in prop::sample::select(vec![
            &[0xd4, 0xc3, 0xb2, 0xa1][..],
            &[0xa1, 0xb2, 0x3c, 0x4d],
            &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0],
            &[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0],
            &[0x1f, 0x8b, 8, 0],
            &[0x28, 0xb5, 0x2f, 0xfd],
            &[],
        ]),
        octets in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        read([magic, &octets].concat());
    }
}

/// A small deterministic generator, so that the damage is the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

#[test]
fn damaged_real_captures() {
    let mut chance = Chance(7);
    for path in captures() {
        let octets = fs::read(path).unwrap();
        // The first packets hold what is peculiar to a capture.
        let octets = &octets[..octets.len().min(20_000)];
        for _ in 0..12 {
            let mut damaged = octets.to_vec();
            for _ in 0..1 + chance.below(60) {
                let at = chance.below(damaged.len());
                damaged[at] ^= 1 << chance.below(8);
            }
            damaged.truncate(chance.below(2 * damaged.len()).max(4));
            read(damaged);
        }
    }
}
