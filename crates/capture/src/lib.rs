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
pub use packet::{Address, Block, Packet, Protocol, TcpFlags, Timestamp, Tunnel};
