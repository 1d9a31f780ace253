//! Jobs as Redis keeps them, and back.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::job::{Claim, Job, JobId, Lease, Steered, Wish};

/// The fields of a job's hash, as `FIELDS` in `base.lua`.
pub(super) const FIELDS: [&str; 18] = [
    "kind",
    "order",
    "owner",
    "state",
    "wish",
    "rows",
    "octets",
    "created",
    "started",
    "ended",
    "attempt",
    "parts_done",
    "parts",
    "progress",
    "result",
    "reason",
    "worker",
    "revision",
];

/// A job's [`FIELDS`]; scripts put its id in front.
pub(super) type Row = Vec<Option<String>>;

/// What a script gives a worker: a job's row, and number, fence, attempt, payload and kind of the part.
pub(super) type LeaseRow = (Row, Row);

/// A job from its row with its id in front.
pub(super) fn job(row: Row) -> Result<Job, Error> {
    let mut cells = Cells { cells: row.into_iter(), name: "id" };
    let id = cells.parsed()?;
    fields(id, cells)
}

/// A job from its fields; none where there is no such hash.
pub(super) fn found(id: JobId, row: Row) -> Result<Option<Job>, Error> {
    if row.iter().all(Option::is_none) {
        return Ok(None);
    }
    fields(id, Cells { cells: row.into_iter(), name: "id" }).map(Some)
}

/// Jobs from rows.
pub(super) fn jobs(rows: Vec<Row>) -> Result<Vec<Job>, Error> {
    rows.into_iter().map(job).collect()
}

/// A lease from what a script gave.
pub(super) fn lease((row, part): LeaseRow) -> Result<Lease, Error> {
    let job = job(row)?;
    let mut cells = Cells { cells: part.into_iter(), name: "part" };
    let claim = Claim { job: job.id, part: cells.parsed()?, fence: cells.parsed()? };
    let attempt = cells.parsed()?;
    let payload = cells.maybe_json()?.unwrap_or(Value::Null);
    let is_join = cells.next().as_deref() == Some("1");
    Ok(Lease { claim, job, payload, is_join, attempt })
}

/// What a person's wish came to, and the revision that it made.
pub(super) fn steered(answer: Vec<redis::Value>) -> Result<(Steered, Option<String>), Error> {
    fn read<T: redis::FromRedisValue>(value: redis::Value) -> Result<T, Error> {
        T::from_redis_value(value).map_err(|error| Error::store("steering a job", error))
    }
    let mut answer = answer.into_iter();
    let mut next =
        || answer.next().ok_or_else(|| Error::store("steering a job", "the answer is cut short"));
    match read::<String>(next()?)?.as_str() {
        "done" => {
            let job = job(read(next()?)?)?;
            Ok((Steered::Done(Box::new(job)), read(next()?)?))
        }
        "no" => Ok((Steered::NotNow(parsed(&read::<String>(next()?)?, "state")?), None)),
        _ => Ok((Steered::Unknown, None)),
    }
}

/// A value as it is kept.
pub(super) fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("invariant: text keys and plain values only")
}

/// A value from how it is kept.
pub(super) fn value<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| unreadable(what, &error))
}

/// A text that has another form, such as an id.
pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
    text: &str,
    what: &str,
) -> Result<T, Error> {
    text.parse().map_err(|error| unreadable(what, &error))
}

fn unreadable(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::StoreContent { what: format!("{what} of a job: {error}") }
}

fn fields(id: JobId, mut cells: Cells) -> Result<Job, Error> {
    Ok(Job {
        id,
        kind: cells.named("kind").text()?,
        order: cells.named("order").json()?,
        owner: cells.named("owner").text()?,
        state: cells.named("state").parsed()?,
        wish: Wish::of(&cells.named("wish").text()?),
        rows: cells.named("rows").parsed()?,
        octets: cells.named("octets").parsed()?,
        created: cells.named("created").parsed()?,
        started: cells.named("started").maybe()?,
        ended: cells.named("ended").maybe()?,
        attempt: cells.named("attempt").parsed()?,
        parts_done: cells.named("parts_done").parsed()?,
        parts: cells.named("parts").parsed()?,
        progress: cells.named("progress").json()?,
        result: cells.named("result").maybe_json()?,
        reason: cells.named("reason").maybe_json()?,
        worker: cells.named("worker").next(),
        revision: cells.named("revision").parsed()?,
    })
}

/// The cells of a row, one after the other.
struct Cells {
    cells: std::vec::IntoIter<Option<String>>,
    /// What is read, for errors.
    name: &'static str,
}

impl Cells {
    fn named(&mut self, name: &'static str) -> &mut Self {
        self.name = name;
        self
    }

    fn next(&mut self) -> Option<String> {
        self.cells.next().flatten()
    }

    fn text(&mut self) -> Result<String, Error> {
        self.next().ok_or_else(|| unreadable(self.name, &"nothing is there"))
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self) -> Result<T, Error> {
        let text = self.text()?;
        parsed(&text, self.name)
    }

    fn maybe<T: FromStr<Err: std::fmt::Display>>(&mut self) -> Result<Option<T>, Error> {
        self.next().map(|text| parsed(&text, self.name)).transpose()
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let text = self.text()?;
        value(&text, self.name)
    }

    fn maybe_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        self.next().map(|text| value(&text, self.name)).transpose()
    }
}
