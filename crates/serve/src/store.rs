//! Where jobs are kept: one trait, and what every store promises.
//!
//! 1. What [`submit`](JobStore::submit) took in is on disk when it returns.
//! 2. A part is with at most one worker whose claim holds. A worker whose lease ended changes nothing.
//! 3. A lease that ends without an end is a delivery lost: the part waits again as the next attempt; after the last one the job is dead.
//! 4. A part that is given back waits again as the same attempt.
//! 5. Chunks end once; when the last has ended the join waits, exactly once.
//! 6. A job that ended changes no more, but by [`Steer::Retry`].
//! 7. Every change to a job gives it a new, higher revision.
//!
//! `store/conformance.rs` is the suite that holds every store to this.

#[cfg(test)]
mod conformance;
pub mod redis;
pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::watch;

use crate::error::Error;
use crate::job::{
    Claim, End, Job, JobId, Lease, Load, NewJob, Progress, Query, Reason, Standing, Steer, Steered,
    Submitted, Tidied,
};

/// What a store allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// How often a part is delivered before its job is dead.
    pub deliveries: u32,
    /// Jobs that may wait or run.
    pub jobs: u64,
    /// Rows of all that wait or run.
    pub rows: u64,
    /// Octets of all that wait or run.
    pub octets: u64,
    /// How long a job is kept after its end.
    pub keep: Duration,
    /// How long an idempotency key is kept.
    pub keep_keys: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            deliveries: 3,
            jobs: 100_000,
            rows: 1_000_000_000,
            octets: 100 << 30,
            keep: Duration::from_secs(7 * 24 * 3600),
            keep_keys: Duration::from_secs(24 * 3600),
        }
    }
}

/// Why a job is dead whose workers all vanished.
pub(crate) fn lost_workers(limits: &Limits) -> Reason {
    let times = limits.deliveries;
    Reason::new(
        "lost-workers",
        format!(
            "It was given to a worker {times} times, and each time the worker vanished without an end: it may be what ends them. \
             Look at the workers' logs before you try it again."
        ),
    )
}

/// An API key as the store knows it: its digest, never itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyRecord {
    /// The name that a person gave it; also who a job belongs to.
    pub name: String,
    /// SHA-256 of the key, lower-case hexadecimal.
    pub digest: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created: u64,
}

/// Where jobs are kept.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// The store's clock: it never goes back while the program runs.
    async fn now(&self) -> Result<u64, Error>;

    /// Takes a job in.
    ///
    /// # Errors
    /// [`Error::Store`]; then nobody knows whether it was taken in, and submitting it again under its idempotency key is safe.
    async fn submit(&self, job: NewJob) -> Result<Submitted, Error>;

    /// A job.
    async fn job(&self, id: JobId) -> Result<Option<Job>, Error>;

    /// Some jobs, newest first.
    async fn jobs(&self, query: &Query) -> Result<Vec<Job>, Error>;

    /// Takes up to `most` parts for a worker, waiting up to `wait` for the first.
    async fn claim(&self, worker: &str, most: usize, wait: Duration) -> Result<Vec<Lease>, Error>;

    /// Makes leases last anew; says of each how it stands.
    async fn renew(&self, claims: &[Claim]) -> Result<Vec<Standing>, Error>;

    /// Says how far a part is. Of a job in chunks only what is not counted by chunks is shown.
    async fn progress(&self, claim: &Claim, progress: &Progress) -> Result<Standing, Error>;

    /// Ends a part; [`Standing::Lost`] when the claim does not hold, and then nothing was changed.
    async fn finish(&self, claim: &Claim, end: End) -> Result<Standing, Error>;

    /// What the chunks of a job came to, in their order, as far as they are done.
    async fn chunks(&self, id: JobId) -> Result<Vec<Option<Value>>, Error>;

    /// Does what a person wants to a job.
    async fn steer(&self, id: JobId, steer: Steer) -> Result<Steered, Error>;

    /// Jobs that changed after a revision, in order; each as it is now, so that one that changed twice comes once.
    async fn changes(&self, since: u64, most: usize) -> Result<Vec<Job>, Error>;

    /// The highest revision so far.
    async fn latest(&self) -> Result<u64, Error>;

    /// The highest revision that this process has heard of; a receiver is woken when it grew (or may have).
    fn revision(&self) -> watch::Receiver<u64>;

    /// Ends what has timed out, and forgets what was kept long enough; called every second or so by every process.
    async fn tidy(&self) -> Result<Tidied, Error>;

    /// How much there is to do.
    async fn load(&self) -> Result<Load, Error>;

    /// Whether the store answers and can write.
    async fn ready(&self) -> Result<(), Error>;

    /// All API keys.
    async fn keys(&self) -> Result<Vec<KeyRecord>, Error>;

    /// Adds a key; false when the name is taken.
    async fn add_key(&self, key: &KeyRecord) -> Result<bool, Error>;

    /// Takes a key away; false when there was none.
    async fn revoke_key(&self, name: &str) -> Result<bool, Error>;

    /// The secret that links are signed with, made once and then always the same.
    async fn secret(&self) -> Result<[u8; 32], Error>;
}
