//! Flow records on their way into a table: which columns, and what of the addresses.

use std::fmt::Display;
use std::path::Path;

use flowgait_features::schema::{flow_columns, flow_row_schema};
use flowgait_features::table::native::write_row;
use flowgait_flow::FlowRecord;
use flowgait_flow::export::{CellSink, TableWriter};
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

/// Columns that hold an address.
const ADDRESS_COLUMNS: [&str; 2] = ["initiator_address", "responder_address"];

/// A flow table being written.
pub struct FlowTable {
    writer: TableWriter,
    addresses: Addresses,
    hidden: Vec<bool>,
}

impl FlowTable {
    /// Begins a table; `-` is CSV on standard output.
    pub fn create(path: &Path, addresses: Addresses) -> Result<Self, Failure> {
        let schema = flow_row_schema();
        let writer = if sources::is_standard_input(path) {
            TableWriter::stream("standard output", Box::new(std::io::stdout()), schema)
        } else {
            TableWriter::create(path, schema)?
        };
        Ok(Self::over(writer, addresses))
    }

    /// A table through a writer that is open already.
    pub fn over(writer: TableWriter, addresses: Addresses) -> Self {
        let hide = matches!(addresses, Addresses::Absent);
        let hidden = flow_columns()
            .iter()
            .map(|c| hide && ADDRESS_COLUMNS.contains(&c.name.as_str()))
            .collect();
        Self { writer, addresses, hidden }
    }

    /// Writes one flow.
    pub fn push(&mut self, mut record: FlowRecord) -> Result<(), Failure> {
        match &mut self.addresses {
            Addresses::Kept => write_row(&record, &mut self.writer),
            Addresses::Pseudonyms(pseudonyms) => {
                pseudonyms.apply(&mut record);
                write_row(&record, &mut self.writer);
            }
            Addresses::Absent => {
                write_row(
                    &record,
                    &mut Hiding { inner: &mut self.writer, hidden: &self.hidden, column: 0 },
                );
            }
        }
        Ok(self.writer.end_row()?)
    }

    /// Puts the whole table in its place.
    pub fn finish(self) -> Result<(), Failure> {
        self.writer.finish()?;
        Ok(())
    }
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
