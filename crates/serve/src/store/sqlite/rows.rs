//! Jobs as rows, and back.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde_json::Value;

use crate::job::{Job, JobId, Wish};

/// The columns of a job, in the order that [`job`] reads them.
pub(super) const COLUMNS: &str = "id, kind, ordered, owner, state, wish, rows, octets, created, started, ended, attempt, \
     parts_done, parts, progress, result, reason, worker, revision";

/// A job from a row of [`COLUMNS`].
pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: parsed(row, 0)?,
        kind: row.get(1)?,
        order: json(row, 2)?,
        owner: row.get(3)?,
        state: parsed(row, 4)?,
        wish: Wish::of(row.get_ref(5)?.as_str()?),
        rows: unsigned(row, 6)?,
        octets: unsigned(row, 7)?,
        created: unsigned(row, 8)?,
        started: row.get::<_, Option<i64>>(9)?.map(|n| n as u64),
        ended: row.get::<_, Option<i64>>(10)?.map(|n| n as u64),
        attempt: row.get(11)?,
        parts_done: row.get(12)?,
        parts: row.get(13)?,
        progress: json(row, 14)?,
        result: optional(row, 15)?,
        reason: optional(row, 16)?,
        worker: row.get(17)?,
        revision: unsigned(row, 18)?,
    })
}

/// A job by its id.
pub(super) fn find(connection: &Connection, id: JobId) -> rusqlite::Result<Option<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row([id.to_string()], job).optional()
}

/// What SQLite keeps as a signed number and is none.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|n| n as u64)
}

fn parsed<T: std::str::FromStr<Err = crate::Error>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// A value that is kept as JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn optional<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => json(row, column).map(Some),
    }
}

/// A value as it is kept.
pub(super) fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("invariant: text keys and plain values only")
}

/// A payload as it is kept.
pub(super) fn payload(value: &Value) -> String {
    value.to_string()
}
