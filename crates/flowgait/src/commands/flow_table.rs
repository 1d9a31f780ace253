//! Flow records on their way into a table: which columns, and what of the addresses.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use flowgait_features::schema::flow_row_schema;
use flowgait_features::table::foreign::{self, ForeignTable};
use flowgait_features::table::native::write_row;
use flowgait_features::table::spelling;
use flowgait_flow::FlowRecord;
use flowgait_flow::export::{CellSink, RowSchema, TableWriter};
use flowgait_flow::pseudonym::Pseudonyms;

use super::sources;
use crate::failure::Failure;

/// What becomes of addresses.
#[derive(Debug)]
pub enum Addresses {
    /// They are written.
    Kept,
    /// Pseudonyms are written.
    Pseudonyms(Box<Pseudonyms>),
    /// Their cells are empty.
    Absent,
}

/// The columns of a table of flows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Columns {
    /// Ours (docs/FEATURES.md)
    #[default]
    Flowgait,
    /// The competition table of 2026, 111 columns
    Radcom,
    /// NFStream's
    Nfstream,
    /// CICFlowMeter's
    Cicflowmeter,
}

impl Columns {
    /// The columns that a model learnt from; ours where its schema is no tool's.
    pub fn of_model(schema: &str) -> Self {
        let is_it = |columns: &&Self| columns.foreign().is_some_and(|table| table.name == schema);
        Self::value_variants().iter().find(is_it).copied().unwrap_or_default()
    }

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Flowgait => "flowgait",
            Self::Radcom => "radcom",
            Self::Nfstream => "nfstream",
            Self::Cicflowmeter => "cicflowmeter",
        }
    }

    fn foreign(self) -> Option<&'static ForeignTable> {
        match self {
            Self::Flowgait => None,
            Self::Radcom => Some(&foreign::RADCOM),
            Self::Nfstream => Some(&foreign::NFSTREAM),
            Self::Cicflowmeter => Some(&foreign::CICFLOWMETER),
        }
    }
}

/// A flow table being written.
pub struct FlowTable {
    writer: TableWriter,
    columns: Columns,
    labelled: bool,
    addresses: Addresses,
    hidden: Vec<bool>,
}

impl FlowTable {
    /// Begins a table of our own columns; `-` is CSV on standard output.
    pub fn create(path: &Path, addresses: Addresses) -> Result<Self, Failure> {
        Self::create_as(path, Columns::Flowgait, true, addresses)
    }

    /// Begins a table of any columns; those for labels are left out of other tools' tables where flows have none.
    pub fn create_as(
        path: &Path,
        columns: Columns,
        labelled: bool,
        addresses: Addresses,
    ) -> Result<Self, Failure> {
        let schema = row_schema(columns, labelled);
        let hide = matches!(addresses, Addresses::Absent);
        let hidden = schema.columns.iter().map(|column| hide && tells_address(&column.name));
        let hidden = hidden.collect();
        let writer = if sources::is_standard_input(path) {
            TableWriter::stream("standard output", Box::new(std::io::stdout()), schema)
        } else {
            TableWriter::create(path, schema)?
        };
        Ok(Self { writer, columns, labelled, addresses, hidden })
    }

    /// A table of CSV on its way to a reader of this program, with addresses and without labels.
    pub fn over(name: &str, stream: Box<dyn Write + Send>, columns: Columns) -> Self {
        let writer = TableWriter::stream(name, stream, row_schema(columns, false));
        let (labelled, addresses) = (false, Addresses::Kept);
        Self { writer, columns, labelled, addresses, hidden: Vec::new() }
    }

    /// Writes one flow.
    pub fn push(&mut self, mut record: FlowRecord) -> Result<(), Failure> {
        let (columns, labelled) = (self.columns, self.labelled);
        let write = |record: &FlowRecord, sink: &mut dyn CellSink| match columns.foreign() {
            None => write_row(record, sink),
            Some(table) => table.write_row(record, labelled, sink),
        };
        if !matches!(self.addresses, Addresses::Kept) {
            // Some programs put an address where a name belongs.
            record.dns_name = record.dns_name.filter(|name| !is_address(name));
            if let Some(handshake) = &mut record.handshake
                && handshake.sni.as_deref().is_some_and(is_address)
            {
                handshake.sni = None;
            }
        }
        match &mut self.addresses {
            Addresses::Kept => write(&record, &mut self.writer),
            Addresses::Pseudonyms(pseudonyms) => {
                pseudonyms.apply(&mut record);
                write(&record, &mut self.writer);
            }
            Addresses::Absent => write(
                &record,
                &mut Hiding { inner: &mut self.writer, hidden: &self.hidden, column: 0 },
            ),
        }
        Ok(self.writer.end_row()?)
    }

    /// Puts the whole table in its place.
    pub fn finish(self) -> Result<(), Failure> {
        self.writer.finish()?;
        Ok(())
    }
}

fn row_schema(columns: Columns, labelled: bool) -> RowSchema {
    columns.foreign().map_or_else(flow_row_schema, |table| table.row_schema(labelled))
}

/// Whether a column holds an address, alone or among other things.
fn tells_address(name: &str) -> bool {
    spelling::is_near_address(name) || spelling::is_far_address(name) || name == "Flow ID"
}

/// Whether a name is an address.
pub fn is_address(name: &str) -> bool {
    name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

/// Passes cells on, but for the hidden columns', which are missing.
struct Hiding<'a> {
    inner: &'a mut TableWriter,
    hidden: &'a [bool],
    column: usize,
}

impl Hiding<'_> {
    fn sink(&mut self) -> Option<&mut TableWriter> {
        let hidden = self.hidden[self.column];
        self.column += 1;
        if hidden {
            self.inner.missing();
            return None;
        }
        Some(self.inner)
    }
}

impl CellSink for Hiding<'_> {
    fn text(&mut self, value: &str) {
        if let Some(sink) = self.sink() {
            sink.text(value);
        }
    }

    fn formatted(&mut self, value: &dyn Display) {
        if let Some(sink) = self.sink() {
            sink.formatted(value);
        }
    }

    fn integer(&mut self, value: i64) {
        if let Some(sink) = self.sink() {
            sink.integer(value);
        }
    }

    fn float(&mut self, value: f32) {
        if let Some(sink) = self.sink() {
            sink.float(value);
        }
    }

    fn double(&mut self, value: f64) {
        if let Some(sink) = self.sink() {
            sink.double(value);
        }
    }

    fn integers(&mut self, values: &[i64]) {
        if let Some(sink) = self.sink() {
            sink.integers(values);
        }
    }

    fn missing(&mut self) {
        if let Some(sink) = self.sink() {
            sink.missing();
        }
    }
}
