//! Captures: pcap and pcapng, plain, gzip or zstd.

use std::io::{Cursor, Read};
use std::path::Path;

use flowgait_capture::{Block, CaptureReport, Packet, Reader, ReaderParams};

/// A small input may decompress to much; this is enough to reach every state of the reader.
const BLOCKS_MAX: usize = 8;

/// Any bytes as a capture, read at once and in small pieces: the same packets, every one accounted for.
pub fn capture_reader(bytes: &[u8]) {
    let whole = read(Box::new(Cursor::new(bytes.to_vec())));
    let pieces = read(Box::new(SmallReads { bytes: bytes.to_vec(), at: 0 }));
    assert_eq!(whole, pieces, "what is read depends on how it arrives");
}

/// Opens and walks a capture; `None` when it is refused.
fn read(input: Box<dyn Read + Send>) -> Option<(Vec<Packet>, CaptureReport)> {
    // Few fragments, so that forgetting them happens too.
    let params = ReaderParams { fragment_limit: 4, ..ReaderParams::default() };
    let mut reader = Reader::from_read(input, Path::new("fuzzed"), &params).ok()?;
    let mut block = Block::default();
    let mut packets = Vec::new();
    for _ in 0..BLOCKS_MAX {
        if !reader.read_block(&mut block).ok()? {
            break;
        }
        for packet in &block.packets {
            let captured = usize::from(packet.payload_captured);
            assert_eq!(block.payload(packet).len(), captured, "the payload lies in its block");
            assert!(
                packet.payload_captured <= packet.payload_octets,
                "no more was captured than was sent"
            );
        }
        packets.extend_from_slice(&block.packets);
    }
    let report = reader.report();
    assert!(report.is_balanced(), "a packet was dropped and not counted: {report:?}");
    assert_eq!(report.packets_used, packets.len() as u64);
    Some((packets, report))
}

/// Gives at most seven octets at a time, as a slow pipe does.
struct SmallReads {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for SmallReads {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let count = room.len().min(7).min(self.bytes.len() - self.at);
        room[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
