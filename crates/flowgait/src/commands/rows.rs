//! Rows for a model: those of a table, or a capture's flows, metered on the way.

use std::path::Path;
use std::thread;

use flowgait_features::Schema;
use flowgait_features::table::RowReader;

use super::flow_table::{Columns, FlowTable};
use super::metering::{Account, Metering};
use super::sources;
use crate::failure::Failure;

/// What errors call the flows of a capture.
pub const METERED: &str = "the table of metered flows";

/// What went wrong: with one input, so that others may still be used; or with what becomes of the rows, which ends it all.
pub enum Trouble {
    /// The input.
    Input(Failure),
    /// The output.
    Output(Failure),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Input(failure) | Trouble::Output(failure) => failure,
        }
    }
}

/// The input is to blame.
pub fn bad_input(error: impl Into<Failure>) -> Trouble {
    Trouble::Input(error.into())
}

/// What becomes of the rows is to blame.
pub fn bad_output(error: impl Into<Failure>) -> Trouble {
    Trouble::Output(error.into())
}

/// Opens a table whose rows a model with this schema is to answer; `-` is CSV on standard input.
pub fn open(path: &Path, schema: &Schema) -> Result<RowReader, Failure> {
    let reader = if sources::is_standard_input(path) {
        RowReader::csv("standard input", Box::new(std::io::stdin()), schema)
    } else {
        RowReader::open(path, schema)
    };
    Ok(reader?)
}

/// Meters a capture and has its flows read while it goes on. They go through the very table that `meter` would write, so that both
/// ways give the same answers.
pub fn metered<T>(
    metering: Metering,
    schema: &Schema,
    read: impl FnOnce(RowReader) -> Result<T, Trouble>,
) -> Result<(T, Account), Trouble> {
    let (reader, writer) =
        std::io::pipe().map_err(|e| bad_output(Failure::work("Cannot open a pipe").because(e)))?;
    // A model that learnt from another tool's columns is given those.
    let columns = Columns::of_model(&schema.name);
    let meter = thread::spawn(move || {
        let mut table = FlowTable::over(METERED, Box::new(writer), columns);
        let account = metering.run(&mut |record| table.push(record))?;
        table.finish()?;
        Ok::<_, Failure>(account)
    });
    let done = RowReader::csv(METERED, Box::new(reader), schema).map_err(bad_input).and_then(read);
    // A meter whose flows nobody reads any longer fails with a closed pipe: then it is the reader that failed first.
    match (done, meter.join().expect("metering does not panic")) {
        (_, Err(metered)) if !metered.is_closed_pipe() => Err(bad_input(metered)),
        (Err(done), _) => Err(done),
        (Ok(done), metered) => metered.map(|account| (done, account)).map_err(bad_input),
    }
}
