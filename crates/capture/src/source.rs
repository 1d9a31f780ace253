//! Reads capture files block by block and hands each record to the header walker.
//!
//! One block is about a mebibyte: large enough that a system call is nothing (17 M packets of 330 octets a CPU-second for the bare walk on the machine
//! of November 2026), small enough to stay in the second-level cache while its headers and, later, its handshakes are read. A memory map and
//! whole-file reads were slower.

mod compressed;
mod pcap;
mod pcapng;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::filter::Filter;
use crate::packet::{Block, Timestamp};
use crate::report::{CaptureReport, Damage, DamageKind, LinkType, Skip, Tally};
use crate::wire::{Decoder, Frame};

/// Octets of records in a block; more only when a single record is larger.
pub const BLOCK_OCTETS: usize = 1 << 20;

/// The largest record that is read: a pcap record whose file header states a larger snap length, or a pcapng block. What claims to be larger is
/// taken for damage, so that a hostile length cannot claim memory.
pub const RECORD_OCTETS_MAX: usize = 16 << 20;

/// The largest pcap record when the file header states no larger snap length; what libpcap calls the maximum snap length.
const PCAP_RECORD_OCTETS: usize = 256 << 10;

/// How to read a capture. Any value is legal.
#[derive(Clone, Debug)]
pub struct ReaderParams {
    /// Which packets to give; all when there is none.
    pub filter: Option<Filter>,
    /// How many first fragments are remembered, so that later fragments get their ports. The oldest is forgotten first.
    pub fragment_limit: usize,
}

impl Default for ReaderParams {
    fn default() -> Self {
        Self { filter: None, fragment_limit: 8_192 }
    }
}

/// One record of a capture file, not looked into yet. Positions are in the block.
#[derive(Clone, Copy, Debug)]
struct Record {
    time: Timestamp,
    link: LinkType,
    start: usize,
    captured: usize,
    original: usize,
}

/// What lies at a position of a block. `next` is the position behind it.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A packet.
    Packet { record: Record, next: usize },
    /// A packet that cannot be placed, for the reason given.
    Unusable { skip: Skip, original: usize, next: usize },
    /// Something known that is no packet: interface descriptions, names, statistics, secrets.
    Metadata { next: usize },
    /// A pcapng block of a type that nobody here knows.
    Unknown { next: usize },
    /// The record is not wholly here: it takes this many octets from its start.
    More { octets: usize },
    /// No record can begin like this.
    Bad(Flaw),
}

/// Why a record cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Flaw {
    #[error("a record of {octets} octets is larger than the limit of {limit}")]
    TooLarge { octets: usize, limit: usize },
    #[error("a block states a length of {0} octets, which no block can have")]
    BlockLength(u32),
    #[error("a block's two lengths differ: {first} before, {second} behind")]
    BlockLengths { first: u32, second: u32 },
    #[error("a section header has the byte-order magic {0:#010x}")]
    ByteOrder(u32),
    #[error("a section has the version {0}, only 1 is known")]
    Version(u16),
    #[error("an interface description has no room for its fields")]
    Interface,
    #[error("a section describes more than {0} interfaces")]
    Interfaces(usize),
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::Records),
    Pcapng(pcapng::Section),
}

impl Format {
    #[inline]
    fn step(&mut self, bytes: &[u8], at: usize, time_last: Timestamp) -> Step {
        match self {
            Self::Pcap(records) => records.step(bytes, at),
            Self::Pcapng(section) => section.step(bytes, at, time_last),
        }
    }
}

/// Octets in the order of the machine that wrote the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    #[inline]
    fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }

    #[inline]
    fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    fn u64(self, octets: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(octets),
            Self::Big => u64::from_be_bytes(octets),
        }
    }
}

/// Why walking a block ended.
enum Stop {
    /// At the end of the octets, between two records.
    Between,
    /// A record begins here and needs this many octets.
    Within { at: usize, octets: usize },
    /// No record can begin here.
    Bad { at: usize, flaw: Flaw },
}

/// Why there is no more input.
#[derive(Debug)]
enum End {
    File,
    Decompress(String),
}

/// Reads one capture: pcap or pcapng, plain, gzip or zstd, told apart by their content.
///
/// # Example
/// ```no_run
/// # fn main() -> Result<(), flowgait_capture::Error> {
/// use flowgait_capture::{Block, Reader, ReaderParams};
/// let mut reader = Reader::open("a.pcap".as_ref(), &ReaderParams::default())?;
/// let mut block = Block::default();
/// while reader.read_block(&mut block)? {
///     for packet in &block.packets {
///         let _seen = (packet.source, packet.payload_octets, block.payload(packet));
///     }
/// }
/// assert!(reader.report().is_balanced());
/// # Ok(())
/// # }
/// ```
pub struct Reader {
    path: PathBuf,
    input: Box<dyn Read + Send>,
    format: Format,
    /// Octets of content before the carried ones.
    offset: u64,
    /// The beginning of a record that did not fit into the last block.
    carry: Vec<u8>,
    end: Option<End>,
    /// Set once there is nothing more to give.
    finished: bool,
    decoder: Decoder,
    filter: Option<Filter>,
    time_last: Timestamp,
    tally: Tally,
    damage: Option<Damage>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("path", &self.path).field("offset", &self.offset).finish()
    }
}

impl Reader {
    /// Opens a capture file.
    ///
    /// # Errors
    /// The file cannot be opened or read, is empty, is no capture, or its file header is unusable.
    pub fn open(path: &Path, params: &ReaderParams) -> Result<Self, Error> {
        let file =
            File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        Self::from_read(Box::new(file), path, params)
    }

    /// Reads a capture from any stream, standard input for one; `name` is what errors and the report call it.
    ///
    /// # Errors
    /// As for [`Reader::open`].
    pub fn from_read(
        input: Box<dyn Read + Send>,
        name: &Path,
        params: &ReaderParams,
    ) -> Result<Self, Error> {
        let (mut input, magic) = compressed::unwrap(input, name)?;
        let mut header = magic;
        let format = if pcapng::is_magic(&header) {
            complete(&mut *input, name, &mut header, pcapng::HEAD_OCTETS)?;
            let octets = pcapng::first_section_octets(&header)
                .map_err(|flaw| header_error(name, flaw.to_string()))?;
            complete(&mut *input, name, &mut header, octets)?;
            let mut section = pcapng::Section::default();
            if let Step::Bad(flaw) = section.step(&header, 0, Timestamp(0)) {
                return Err(header_error(name, flaw.to_string()));
            }
            Format::Pcapng(section)
        } else if let Some(kind) = pcap::Kind::of_magic(&header) {
            complete(&mut *input, name, &mut header, pcap::FILE_HEADER_OCTETS)?;
            Format::Pcap(pcap::Records::new(kind, &header))
        } else {
            return Err(Error::UnknownFormat {
                path: name.to_owned(),
                magic: hexadecimal(&header),
            });
        };
        Ok(Self {
            path: name.to_owned(),
            input,
            format,
            offset: header.len() as u64,
            carry: Vec::new(),
            end: None,
            finished: false,
            decoder: Decoder::new(params.fragment_limit),
            filter: params.filter.clone(),
            time_last: Timestamp(0),
            tally: Tally::default(),
            damage: None,
        })
    }

    /// The name that errors and the report use.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Octets of content walked so far; of the decompressed content when the capture is compressed.
    #[must_use]
    pub fn octets_read(&self) -> u64 {
        self.offset
    }

    /// Fills `block` with the next whole records and their packets; `false` at the end of the capture.
    ///
    /// A block may hold no packet, when every record in it was skipped or filtered out.
    ///
    /// # Errors
    /// [`Error::Read`] when the operating system fails. Damaged content is no error but ends the capture, and is told by [`Reader::report`].
    pub fn read_block(&mut self, block: &mut Block) -> Result<bool, Error> {
        block.packets.clear();
        if self.finished {
            block.bytes.clear();
            return Ok(false);
        }
        let mut filled = self.carry.len();
        let mut goal = BLOCK_OCTETS.max(filled);
        if block.bytes.len() < goal {
            block.bytes.resize(goal, 0);
        }
        block.bytes[..filled].copy_from_slice(&self.carry);
        self.carry.clear();
        loop {
            if block.bytes.len() < goal {
                block.bytes.resize(goal, 0);
            }
            filled += self.fill(&mut block.bytes[filled..goal], filled)?;
            let whole = match self.walk(block, filled) {
                Stop::Within { at: 0, octets } if self.end.is_none() => {
                    // One record is larger than a block. Take it alone, so that the boundary depends on the content only.
                    goal = octets;
                    continue;
                }
                Stop::Within { at, .. } if self.end.is_none() => {
                    self.carry.extend_from_slice(&block.bytes[at..filled]);
                    at
                }
                Stop::Between if self.end.is_none() => filled,
                stop => self.finish(stop, filled),
            };
            block.bytes.truncate(whole);
            self.offset += whole as u64;
            return Ok(whole > 0);
        }
    }

    /// What was read so far, with every packet accounted for.
    #[must_use]
    pub fn report(&self) -> CaptureReport {
        let mut report = self.tally.report();
        report.damage.extend(self.damage.clone());
        report
    }

    /// Reads until `room` is full or the input ends, however small the pieces are in which it arrives.
    fn fill(&mut self, room: &mut [u8], before: usize) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < room.len() && self.end.is_none() {
            match self.input.read(&mut room[filled..]) {
                Ok(0) => self.end = Some(End::File),
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => match compressed::blame(error) {
                    compressed::Blame::System(source) => {
                        let offset = self.offset + (before + filled) as u64;
                        self.finished = true;
                        return Err(Error::Read { path: self.path.clone(), offset, source });
                    }
                    compressed::Blame::CutShort => self.end = Some(End::File),
                    compressed::Blame::Content(error) => {
                        self.end = Some(End::Decompress(error.to_string()));
                    }
                },
            }
        }
        Ok(filled)
    }

    /// The end of the capture: notes what is left over, and says how many octets are whole records.
    fn finish(&mut self, stop: Stop, filled: usize) -> usize {
        self.finished = true;
        let (whole, kind) = match (stop, self.end.take()) {
            (Stop::Bad { at, flaw }, _) => (at, Some(DamageKind::Corrupt(flaw.to_string()))),
            (Stop::Within { at, .. }, None | Some(End::File)) => (at, Some(DamageKind::CutShort)),
            (Stop::Between, None | Some(End::File)) => (filled, None),
            (Stop::Within { at, .. }, Some(End::Decompress(what))) => {
                (at, Some(DamageKind::Decompress(what)))
            }
            (Stop::Between, Some(End::Decompress(what))) => {
                (filled, Some(DamageKind::Decompress(what)))
            }
        };
        self.damage = kind.map(|kind| Damage {
            capture: self.path.clone(),
            offset: self.offset + whole as u64,
            kind,
        });
        whole
    }

    /// Walks over the whole records among the first `filled` octets of the block and decodes them.
    fn walk(&mut self, block: &mut Block, filled: usize) -> Stop {
        let Block { bytes, packets } = block;
        let bytes = &bytes[..filled];
        let mut at = 0;
        while at < filled {
            match self.format.step(bytes, at, self.time_last) {
                Step::Packet { record, next } => {
                    at = next;
                    let frame = Frame {
                        bytes: &bytes[record.start..record.start + record.captured],
                        start: record.start,
                        original: record.original,
                    };
                    self.tally.record(record.link, record.time, self.time_last, &frame);
                    self.time_last = record.time;
                    let number = self.tally.packets_read;
                    match self.decoder.decode(record.link, record.time, number, &frame) {
                        Ok((packet, layers)) => {
                            self.tally.layers(layers);
                            if self.filter.as_ref().is_some_and(|filter| !filter.passes(&packet)) {
                                self.tally.packets_filtered += 1;
                            } else {
                                self.tally.used(&packet);
                                packets.push(packet);
                            }
                        }
                        Err((skip, layers)) => {
                            self.tally.layers(layers);
                            self.tally.skip(skip);
                        }
                    }
                }
                Step::Unusable { skip, original, next } => {
                    at = next;
                    self.tally.unusable(skip, original);
                }
                Step::Metadata { next } => {
                    at = next;
                    self.tally.metadata_blocks += 1;
                }
                Step::Unknown { next } => {
                    at = next;
                    self.tally.unknown_blocks += 1;
                }
                Step::More { octets } => return Stop::Within { at, octets },
                Step::Bad(flaw) => return Stop::Bad { at, flaw },
            }
        }
        Stop::Between
    }
}

/// Reads on until `header` has `octets` octets.
fn complete(
    input: &mut dyn Read,
    path: &Path,
    header: &mut Vec<u8>,
    octets: usize,
) -> Result<(), Error> {
    compressed::read_up_to(input, path, header, octets)?;
    if header.len() < octets {
        let what = format!("the file ends after {} of {octets} octets", header.len());
        return Err(header_error(path, what));
    }
    Ok(())
}

fn header_error(path: &Path, what: String) -> Error {
    Error::Header { path: path.to_owned(), offset: 0, what }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ")
}
