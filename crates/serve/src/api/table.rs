//! Rows of a request as a table for a model: CSV as it stands, JSON as CSV.

use std::io::Cursor;

use axum::body::{Body, Bytes};
use flowgait_features::table::{Batch, RowReader};
use flowgait_features::{Counted, Error};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::models::Loaded;
use crate::problem::Problem;
use crate::work::TableLimits;

/// What errors call the rows of a request.
const NAME: &str = "the request";

/// All of a body, within limits of size and of patience.
pub(crate) async fn body(
    body: Body,
    most: usize,
    idle: std::time::Duration,
) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let mut all = Vec::new();
    loop {
        let piece = tokio::time::timeout(idle, stream.next()).await;
        let Some(piece) = piece.map_err(|_| too_slow(idle))? else { return Ok(all.into()) };
        let piece = piece.map_err(|_| Problem::bad_request("The body broke off."))?;
        if all.len() + piece.len() > most {
            let told = format!(
                "The body is larger than {most} octets. Submit a job for larger tables: POST /v1/jobs."
            );
            return Err(Problem::too_large(told));
        }
        all.extend_from_slice(&piece);
    }
}

pub(crate) fn too_slow(idle: std::time::Duration) -> Problem {
    Problem::too_slow(format!("Nothing came for {} seconds.", idle.as_secs()))
}

/// How the rows of a request were written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// As CSV.
    Csv,
    /// As JSON, of which [`csv_of_json`] made CSV.
    Json,
}

/// Rows of a request for a model.
pub(crate) struct Rows {
    reader: RowReader,
    written: Written,
}

impl Rows {
    pub(crate) fn of(
        text: Bytes,
        written: Written,
        model: &Loaded,
        limits: &TableLimits,
    ) -> Result<Self, Problem> {
        let mut scanner = crate::work::scan::Scanner::new(limits);
        let mut rest = &text[..];
        while !rest.is_empty() {
            let (passed, _) = scanner.next_record(rest).map_err(of_trouble)?;
            rest = &rest[passed..];
        }
        let reader = RowReader::csv(NAME, Box::new(Cursor::new(text)), model.model.schema());
        let mut reader = reader.map_err(crate::Error::from)?;
        // Nobody is told his own cells.
        reader.keep(vec![false; reader.header().len()]);
        Ok(Self { reader, written })
    }

    /// The next rows.
    pub(crate) fn next_batch(&mut self, most: usize) -> Result<Option<Batch>, Problem> {
        let batch = self.reader.next_batch(most).map_err(|error| match error {
            // Whoever sent JSON knows rows, and no header before them.
            Error::Cell { path, line, number, column, value, expected, .. }
                if self.written == Written::Json =>
            {
                let (counted, line) = (Counted::Row, line.saturating_sub(1));
                Error::Cell { path, counted, line, number, column, value, expected }
            }
            other => other,
        });
        Ok(batch.map_err(crate::Error::from)?)
    }
}

fn of_trouble(trouble: crate::work::Trouble) -> Problem {
    match trouble {
        crate::work::Trouble::Bad(reason) if reason.kind == "too-large" => {
            Problem::too_large(reason.detail)
        }
        crate::work::Trouble::Bad(reason) => Problem::bad_input(reason.detail),
        _ => Problem::internal("The log has the reason under this request's id."),
    }
}

/// Rows of JSON as CSV: objects by column, or columns once and rows as lists.
pub(crate) fn csv_of_json(
    columns: Option<Vec<String>>,
    rows: Vec<Value>,
    limits: &TableLimits,
) -> Result<Bytes, Problem> {
    let columns = match columns {
        Some(columns) => columns,
        None => {
            let mut names: Vec<String> = Vec::new();
            let mut known = std::collections::HashSet::new();
            for (row, number) in rows.iter().zip(1..) {
                let object = row.as_object().ok_or_else(|| {
                    let told =
                        "is no object: give objects by column, or 'columns' once and rows as lists";
                    Problem::bad_input(format!("Row {number} {told}."))
                })?;
                for name in object.keys() {
                    if known.insert(name.as_str()) {
                        names.push(name.clone());
                    }
                }
            }
            names
        }
    };
    // As a table, rows that each have columns of their own are far more than they were as objects.
    if columns.len() > limits.columns {
        let told = format!("The rows have more than {} columns.", limits.columns);
        return Err(Problem::too_large(told));
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |_| Problem::internal("The log has the reason under this request's id.");
    writer.write_record(&columns).map_err(failed)?;
    let mut record = Vec::with_capacity(columns.len());
    for (row, number) in rows.iter().zip(1_usize..) {
        record.clear();
        match row {
            Value::Array(cells) if cells.len() == columns.len() => {
                for (cell, column) in cells.iter().zip(&columns) {
                    record.push(text(cell, number, column)?);
                }
            }
            Value::Array(cells) => {
                return Err(Problem::bad_input(format!(
                    "Row {number} has {} cells where there are {} columns.",
                    cells.len(),
                    columns.len()
                )));
            }
            Value::Object(cells) => {
                for column in &columns {
                    let cell = cells.get(column).unwrap_or(&Value::Null);
                    record.push(text(cell, number, column)?);
                }
            }
            _ => {
                return Err(Problem::bad_input(format!(
                    "Row {number} is neither an object nor a list."
                )));
            }
        }
        writer.write_record(&record).map_err(failed)?;
    }
    writer
        .into_inner()
        .map(Bytes::from)
        .map_err(|_| Problem::internal("The log has the reason under this request's id."))
}

fn text(cell: &Value, row: usize, column: &str) -> Result<String, Problem> {
    Ok(match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(is) => if *is { "1" } else { "0" }.to_owned(),
        Value::Array(items) if items.iter().all(Value::is_number) => {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        _ => {
            return Err(Problem::bad_input(format!(
                "Row {row}, column '{column}': a cell is a number, a text, true, false, null, or a list of numbers."
            )));
        }
    })
}
