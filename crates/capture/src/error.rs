//! What can end a run: a source that cannot be read at all, or a filter that makes no sense.

use std::io;
use std::path::PathBuf;

/// A capture that cannot be read, or a filter expression that cannot be understood.
///
/// Damage behind a good file header is no error: what came before it is used, and
/// [`CaptureReport::damage`](crate::CaptureReport::damage) tells what was found and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened.
    #[error("cannot open capture {path}")]
    Open {
        /// The capture.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The operating system failed to deliver octets.
    #[error("cannot read capture {path} at octet {offset}")]
    Read {
        /// The capture.
        path: PathBuf,
        /// Where, in the (decompressed) content.
        offset: u64,
        /// The reason.
        source: io::Error,
    },
    /// A gzip or zstd stream broke before a capture's header was complete.
    #[error("cannot decompress capture {path} at octet {offset} of its content")]
    Decompress {
        /// The capture.
        path: PathBuf,
        /// Where, in the decompressed content.
        offset: u64,
        /// The decompressor's reason.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("capture {path} is empty: there is nothing at octet 0")]
    Empty {
        /// The capture.
        path: PathBuf,
    },
    /// The content begins like no known capture format.
    #[error(
        "{path} is no capture: octets {magic} at octet 0 begin neither pcap, pcapng, gzip nor zstd"
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The first octets, in hexadecimal.
        magic: String,
    },
    /// The format is known, but the header of the file is cut short or wrong.
    #[error("capture {path} has an unusable file header at octet {offset}: {what}")]
    Header {
        /// The capture.
        path: PathBuf,
        /// Where, in the (decompressed) content.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// Compressed again and again.
    #[error("capture {path} is compressed more than {limit} times over")]
    CompressedTooDeep {
        /// The capture.
        path: PathBuf,
        /// How many times are followed.
        limit: usize,
    },
    /// A filter expression that cannot be understood.
    #[error("filter, column {column}: expected {expected}, found {found}")]
    Filter {
        /// Column of the first character that does not fit, from 1.
        column: usize,
        /// What would have fitted there.
        expected: String,
        /// What is there.
        found: String,
    },
}
