//! Where the shared captures are, and reading a whole capture from octets.

use std::env;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use flowgait_capture::{Block, CaptureReport, Error, Packet, Reader, ReaderParams};

/// All shared captures, sorted; none, with a note, when they are not there.
pub fn captures() -> Vec<PathBuf> {
    let root = env::var_os("FLOWGAIT_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let Ok(entries) = fs::read_dir(root.join("ndpi/captures")) else {
        println!("skipped: no shared captures below {}", root.display());
        return Vec::new();
    };
    let mut captures: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    captures.sort();
    captures
}

/// One packet and its payload, as a caller sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub packet: Packet,
    pub payload: Vec<u8>,
}

/// Everything a reader gives: packets, the first packet number of each block, and the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    pub packets: Vec<Seen>,
    pub blocks: Vec<usize>,
    pub report: CaptureReport,
}

pub fn read_all(mut reader: Reader) -> Result<Whole, Error> {
    let mut block = Block::default();
    let (mut packets, mut blocks) = (Vec::new(), Vec::new());
    while reader.read_block(&mut block)? {
        blocks.push(block.bytes.len());
        for packet in &block.packets {
            let payload = block.payload(packet);
            assert_eq!(payload.len(), usize::from(packet.payload_captured));
            packets.push(Seen { packet: *packet, payload: payload.to_vec() });
        }
    }
    assert!(!reader.read_block(&mut block)?, "the end stays the end");
    let report = reader.report();
    assert!(report.is_balanced(), "{report:?}");
    assert_eq!(report.packets_used, packets.len() as u64);
    Ok(Whole { packets, blocks, report })
}

pub fn read_octets(octets: Vec<u8>) -> Result<Whole, Error> {
    read_from(Cursor::new(octets))
}

pub fn read_from(input: impl Read + Send + 'static) -> Result<Whole, Error> {
    let name = Path::new("made");
    read_all(Reader::from_read(Box::new(input), name, &ReaderParams::default())?)
}
