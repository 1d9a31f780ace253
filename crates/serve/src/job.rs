//! A job: what was asked for, how far it is, and what became of it.
//!
//! A job is done in one or more *parts*. Part 0 reads the order; a small job ends there. A large one is split: parts 1 to n are its
//! chunks, which any worker may take, and part n + 1 joins what they came to. What a worker holds is the lease of a part.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::Error;

/// Milliseconds since 1970, by the store's clock.
pub type Millis = u64;

/// A job's name: a UUID of version 7, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(uuid::Uuid);

impl JobId {
    /// A new one.
    #[must_use]
    pub fn new(now: Millis) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(now, &rand::random()).into_uuid())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for JobId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // One spelling an id: the store compares texts.
        match uuid::Uuid::parse_str(text) {
            Ok(id) if id.as_hyphenated().to_string() == text => Ok(Self(id)),
            _ => Err(Error::JobName { text: text.chars().take(64).collect() }),
        }
    }
}

impl Serialize for JobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits for a worker.
    Queued,
    /// A worker has a part of it, or had one while others wait.
    Running,
    /// A person holds it; only a job that trains can be held.
    Paused,
    /// It is done.
    Succeeded,
    /// It cannot be done, and another try would not change that.
    Failed,
    /// A person took it back.
    Cancelled,
    /// Its last delivery ended without an end: it may be to blame for what became of its workers. A person may try it again.
    Dead,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Paused,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Dead,
    ];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Dead)
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| Error::StateName { text: text.chars().take(32).collect() })
    }
}

/// What a person wants of a job that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wish {
    /// That it goes on.
    #[default]
    Run,
    /// That it waits, keeping what it has.
    Pause,
    /// That it ends now with what it has.
    Stop,
}

impl Wish {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }

    pub(crate) fn of(name: &str) -> Self {
        match name {
            "pause" => Self::Pause,
            "stop" => Self::Stop,
            _ => Self::Run,
        }
    }
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Progress {
    /// What is being done, in a word or two.
    pub stage: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is to do; absent where nobody knows yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What `done` and `total` count: rows, octets, rounds, trees.
    pub unit: String,
    /// How many a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Seconds that are left at that rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
}

/// Why a job did not succeed, as a person is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// A stable word, such as `bad-input`.
    pub kind: String,
    /// What happened and where, and what to do.
    pub detail: String,
}

impl Reason {
    /// A reason.
    #[must_use]
    pub fn new(kind: &str, detail: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), detail: detail.into() }
    }
}

/// A job to be taken in.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What kind of work: `predict`, `fit`, `simulate`.
    pub kind: String,
    /// What exactly; the store does not look into it.
    pub order: Value,
    /// The key that it was submitted with; empty without keys.
    pub owner: String,
    /// Rows that it brings, as far as they were counted.
    pub rows: u64,
    /// Octets that it brings.
    pub octets: u64,
    /// What makes a second submission the same one.
    pub idempotency: Option<Idempotency>,
}

/// What makes a second submission the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key; callers with other API keys have keys of their own.
    pub key: String,
    /// Digest of all that was asked for.
    pub digest: String,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// It is a job now, and on disk.
    New,
    /// The same was submitted before: this job.
    Known(JobId),
    /// The key was used for something else.
    KeyReused(JobId),
    /// The queue is full.
    Full {
        /// When to try again.
        retry_after: Duration,
    },
}

/// A job as the store knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What kind of work.
    pub kind: String,
    /// What exactly.
    pub order: Value,
    /// Who submitted it.
    pub owner: String,
    /// Where it is in its life.
    pub state: State,
    /// What a person wants of it.
    pub wish: Wish,
    /// Rows that it brought.
    pub rows: u64,
    /// Octets that it brought.
    pub octets: u64,
    /// When it was taken in.
    pub created: Millis,
    /// When a worker first had a part of it.
    pub started: Option<Millis>,
    /// When it ended.
    pub ended: Option<Millis>,
    /// The highest attempt of any of its parts, from 1 with the first delivery.
    pub attempt: u32,
    /// Parts that are done, and all there are.
    pub parts_done: u32,
    /// All parts that there are so far.
    pub parts: u32,
    /// How far it is.
    pub progress: Progress,
    /// What it came to, where it succeeded.
    pub result: Option<Value>,
    /// Why it did not succeed.
    pub reason: Option<Reason>,
    /// The worker that had its last part.
    pub worker: Option<String>,
    /// Grows with every change to any job: the changes of a store are its jobs in this order.
    pub revision: u64,
}

/// A part that a worker holds until its lease ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// What it proves itself by.
    pub claim: Claim,
    /// The job as it was when the part was taken.
    pub job: Job,
    /// What is to be done of it: nothing for part 0, a chunk, or nothing for the join.
    pub payload: Value,
    /// Whether all chunks are done and this part joins them.
    pub is_join: bool,
    /// Which delivery this is, from 1.
    pub attempt: u32,
}

/// What a worker proves itself by: a stale one changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The job.
    pub job: JobId,
    /// The part.
    pub part: u32,
    /// The fencing token: another with every delivery of the part.
    pub fence: u64,
}

/// How a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds; and what a person wants of the job.
    Held(Wish),
    /// It does not: the lease ended, or the job did. Nothing was changed.
    Lost,
}

impl Standing {
    /// Whether the claim holds.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Held(_))
    }
}

/// How a part ends.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The job succeeded; from part 0 of a job that was not split, or from its join.
    Succeeded(Value),
    /// A chunk is done, and came to this.
    Chunk(Value),
    /// The job is to be done in chunks, which hold this.
    Split(Vec<Value>),
    /// The job cannot be done.
    Failed(Reason),
    /// Another try may succeed, after this time. After the last delivery the job is dead.
    Retry(Reason, Duration),
    /// The worker stops: somebody else is to do it, as if it had not begun.
    GivenBack,
    /// As the person wished, it waits, and goes on with this payload.
    Paused(Value),
}

/// What a person does to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// Takes it back, at once: a worker that has a part of it finds its claim lost at its next batch.
    Cancel,
    /// Has it done again, after it failed, was cancelled, or died: what is done of it stays done, attempts begin anew.
    Retry,
    /// Has it wait: at once when it is queued, else when its worker ends the part as [`End::Paused`] (or loses it).
    Pause,
    /// Has a paused job go on; takes the wish to pause back from one that runs.
    Resume,
    /// Has it end with what it has: a worker is to end it. A job that no worker ever had is cancelled.
    Stop,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Steered {
    /// The job as it is now.
    Done(Box<Job>),
    /// Its state does not allow it.
    NotNow(State),
    /// There is no such job.
    Unknown,
}

/// Which jobs to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only those of this key.
    pub owner: Option<String>,
    /// Only those in these states; all when empty.
    pub states: Vec<State>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those made before this one.
    pub before: Option<JobId>,
    /// At most so many.
    pub most: usize,
}

/// How much there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs that run.
    pub running: u64,
    /// Jobs that died and are still kept.
    pub dead: u64,
    /// Rows of jobs that wait or run.
    pub rows: u64,
    /// Octets of jobs that wait or run.
    pub octets: u64,
    /// How long the oldest has waited, in milliseconds.
    pub oldest: Millis,
}

/// What a round of tidying did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tidied {
    /// Parts whose lease had ended and that wait again.
    pub redelivered: u64,
    /// Jobs that are dead now.
    pub died: u64,
    /// Jobs that were kept long enough and are gone; their uploads and results may go too.
    pub gone: Vec<Job>,
    /// Idempotency keys that are gone.
    pub keys: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_have_one_spelling() {
        let (early, late) = (JobId::new(1_000), JobId::new(2_000));
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<JobId>().unwrap(), early);
        for text in ["", "x", "../etc", &early.to_string().to_uppercase(), &format!("{{{early}}}")]
        {
            assert!(text.parse::<JobId>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_state_is_found_by_its_word() {
        for state in State::ALL {
            assert_eq!(state.name().parse::<State>().unwrap(), state);
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        assert!("done".parse::<State>().is_err());
    }
}
