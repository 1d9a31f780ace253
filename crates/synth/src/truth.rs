//! What every made flow is: one row each, and the table that `meter --labels` reads.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use crate::error::Error;
use crate::framing::Transport;
use crate::process::Kind;

/// One flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthRow {
    /// TCP or UDP.
    pub transport: Transport,
    /// Who opened it.
    pub source: (IpAddr, u16),
    /// Who answered.
    pub destination: (IpAddr, u16),
    /// Time of its first packet in the capture, in nanoseconds since 1970.
    pub start: u64,
    /// The application.
    pub application: Arc<str>,
    /// The kind of use.
    pub kind: Kind,
    /// Whose flow it is.
    pub client: Arc<str>,
}

/// All flows of a capture but its DNS look-ups, by their start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The flows.
    pub rows: Vec<TruthRow>,
    /// Packets in the capture, look-ups included.
    pub packets: u64,
    /// Octets of the capture's frames, as they were on the wire.
    pub octets: u64,
}

/// The columns of [`Truth::write_csv`].
pub const COLUMNS: [&str; 10] = [
    "capture",
    "transport",
    "source_address",
    "source_port",
    "destination_address",
    "destination_port",
    "start",
    "application",
    "category",
    "client",
];

impl Truth {
    /// Writes the table: a header, then a row a flow; `start` in seconds since 1970 with six decimals.
    ///
    /// # Errors
    /// [`Error::Write`] when `out` refuses.
    pub fn write_csv(&self, capture: &str, mut out: impl Write) -> Result<(), Error> {
        self.lines(capture, &mut out).map_err(|source| Error::Write { what: "truth", source })
    }

    fn lines(&self, capture: &str, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", COLUMNS.join(","))?;
        let capture = quoted(capture);
        for row in &self.rows {
            let transport = match row.transport {
                Transport::Tcp => "tcp",
                Transport::Udp => "udp",
            };
            let (source, destination) = (row.source, row.destination);
            let (seconds, micros) = (row.start / 1_000_000_000, row.start % 1_000_000_000 / 1_000);
            write!(out, "{capture},{transport},{},{},", source.0, source.1)?;
            write!(out, "{},{},{seconds}.{micros:06},", destination.0, destination.1)?;
            writeln!(out, "{},{},{}", row.application, row.kind.name(), row.client)?;
        }
        out.flush()
    }
}

/// A field with what RFC 4180 says about commas and quotes.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into()
    }
}
