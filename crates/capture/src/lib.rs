//! An Observation Point: capture files in, time-stamped packets out.
//!
//! *Takes* bytes of pcap or pcapng files, plain, gzip or zstd.
//! *Gives* [`Block`]s of [`Packet`]s, and a `CaptureReport` that accounts for every packet that was not used.
//! *Never* keeps payload, keeps state about a flow, or reads a clock.
//! *Start at* `Reader::open` and `Reader::read_block`.

mod error;
mod filter;
mod packet;
mod report;
mod source;
mod wire;

pub use error::Error;
pub use filter::Filter;
pub use packet::{Address, Block, Packet, Protocol, TcpFlags, Timestamp, Tunnel};
pub use report::{CaptureReport, Damage, DamageKind, LinkType, Skip};
pub use source::{BLOCK_OCTETS, RECORD_OCTETS_MAX, Reader, ReaderParams};
