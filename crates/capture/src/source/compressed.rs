//! gzip and zstd around a capture, recognised by content, also one inside the other.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::Error;

/// How many times over a capture may be compressed.
const LAYERS_MAX: usize = 4;

/// Octets that tell the format.
const MAGIC_OCTETS: usize = 4;

/// Takes off every layer of compression; gives the content with its first octets already read.
pub(super) fn unwrap(
    input: Box<dyn Read + Send>,
    path: &Path,
) -> Result<(Box<dyn Read + Send>, Vec<u8>), Error> {
    let mut input: Box<dyn Read + Send> = Box::new(System(input));
    for _ in 0..=LAYERS_MAX {
        let mut magic = Vec::new();
        read_up_to(&mut *input, path, &mut magic, MAGIC_OCTETS)?;
        if magic.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        let Some(compression) = Compression::of_magic(&magic) else {
            return Ok((input, magic));
        };
        let whole = Cursor::new(magic).chain(input);
        input = match compression {
            Compression::Gzip => Box::new(MultiGzDecoder::new(whole)),
            // The decoder's own limit on the window, 128 MiB, bounds its memory.
            Compression::Zstd => match zstd::Decoder::new(whole) {
                Ok(decoder) => Box::new(decoder),
                Err(source) => {
                    return Err(Error::Decompress { path: path.to_owned(), offset: 0, source });
                }
            },
        };
    }
    Err(Error::CompressedTooDeep { path: path.to_owned(), limit: LAYERS_MAX })
}

#[derive(Clone, Copy)]
enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    fn of_magic(magic: &[u8]) -> Option<Self> {
        match magic {
            // RFC 1952, section 2.3.1: deflate is the only method.
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            // RFC 8878, sections 3.1.1 and 3.1.2: a frame, or a skippable frame before it.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Reads until `octets` has `wanted` octets or the input ends.
pub(super) fn read_up_to(
    input: &mut dyn Read,
    path: &Path,
    octets: &mut Vec<u8>,
    wanted: usize,
) -> Result<(), Error> {
    let path = || path.to_owned();
    let mut filled = octets.len();
    octets.resize(wanted.max(filled), 0);
    while filled < wanted {
        match input.read(&mut octets[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let offset = filled as u64;
                return Err(match blame(error) {
                    Blame::System(source) => Error::Read { path: path(), offset, source },
                    Blame::Content(source) => Error::Decompress { path: path(), offset, source },
                    Blame::CutShort => {
                        let source = io::ErrorKind::UnexpectedEof.into();
                        Error::Decompress { path: path(), offset, source }
                    }
                });
            }
        }
    }
    octets.truncate(filled);
    Ok(())
}

/// Whose fault an error of a read was.
pub(super) enum Blame {
    /// The operating system's: the run ends.
    System(io::Error),
    /// The compressed content stops early: what came before is good.
    CutShort,
    /// The compressed content's: what came before is good.
    Content(io::Error),
}

/// Tells the system's errors, which passed through [`System`], from the decompressors' own.
pub(super) fn blame(error: io::Error) -> Blame {
    if error.get_ref().is_some_and(|inner| inner.is::<SystemError>()) {
        return Blame::System(error);
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Blame::CutShort;
    }
    Blame::Content(error)
}

/// The outermost reader. Marks its errors, so that they are known behind a decompressor; and fills every room that it is given, since what a
/// decompressor saves of a damaged stream depends on the pieces in which it is fed, and must not depend on how the capture arrives.
struct System(Box<dyn Read + Send>);

impl Read for System {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < room.len() {
            match self.0.read(&mut room[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What came before is given first; a source that failed once fails again.
                Err(_) if filled > 0 => break,
                Err(error) => return Err(io::Error::new(error.kind(), SystemError(error))),
            }
        }
        Ok(filled)
    }
}

#[derive(Debug)]
struct SystemError(io::Error);

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SystemError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
