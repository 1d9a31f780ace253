//! The Metering Process: packets in, closed flow records out.
//!
//! *Takes* [`flowgait_capture::Block`]s.
//! *Gives* [`FlowRecord`]s in a stated order, the same for any number of threads; and writers of tables.
//! *Never* lets payload into a record, reads a clock, or drops a packet without counting it.
//! *Start at* [`Meter`] and [`FlowRecord`].

mod error;
mod expiry;
pub mod export;
pub mod handshake;
mod key;
pub mod label;
mod meter;
pub mod names;
pub mod pseudonym;
pub mod record;
mod samples;
mod stats;
mod table;

pub use error::Error;
pub use meter::{Meter, MeterParams, MeterReport, PortReuse, ValidMeterParams};
pub use record::FlowRecord;
