//! Jobs in Redis or Valkey, for many machines.
//!
//! A job's hash is the truth, and each change to it is one script. Entries of two streams are *tickets*: they wake a worker and tell it which
//! part waits, and whoever starts the part checks the hash. `first` has what had begun before (delivered again, given back, a join), `work`
//! the rest. The lease of a part is its ticket in the group's list of pending entries: how long ago it was claimed is the lease's age, so
//! that only Redis' clock counts. Lost tickets are found and made anew (`redis/scan.lua`).
//!
//! Keys, all with one hash tag: `job:ID` and `parts:ID` (hashes), `first` and `work` (streams), `state:NAME` and `owner:NAME` (ids), `changes`
//! (ids by revision), `ended` (ids by the time), `delayed` (parts by the time), `totals`, `meta`, `revision`, `idem:…` and `idempotency`
//! (keys by the time), `keys`, `secret`.
//!
//! Sketch: three calls for an empty job, some 20 commands within each, so some 5,000 a second on one core of Redis.

mod address;
mod link;
mod revisions;
mod rows;
mod scripts;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::ScriptInvocation;
use serde_json::Value;
use tokio::sync::watch;

use super::{JobStore, KeyRecord, Limits};
use crate::error::Error;
use crate::job::{
    Claim, End, Job, JobId, Lease, Load, Millis, NewJob, Progress, Query, Standing, State, Steer,
    Steered, Submitted, Tidied, Wish,
};
use link::{Link, Repeat, Ticket};
use revisions::Revisions;
use rows::{LeaseRow, Row};
use scripts::Scripts;

/// When a full queue is worth another try.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Numbers above are not exact in a script.
const EXACT_MAX: u64 = 1 << 53;

/// Jobs in Redis.
pub struct RedisStore {
    link: Arc<Link>,
    scripts: Scripts,
    limits: Limits,
    revisions: Revisions,
    /// The latest time that Redis told: its clock may be set back.
    latest: AtomicU64,
    warning: Option<String>,
}

impl RedisStore {
    /// Opens the store at `redis://[user:password@]host[:port][/database][?prefix=NAME]`; its keys begin with the prefix, `flowgait` when
    /// none is given.
    ///
    /// # Errors
    /// [`Error::StoreUnfit`] when this Redis may lose jobs, with what to set; [`Error::Store`].
    pub async fn open(url: &str, limits: Limits) -> Result<Self, Error> {
        let link = Arc::new(Link::open(url).await?);
        let warning = server::check(&link).await?;
        let revisions = Revisions::follow(link.clone());
        let latest = AtomicU64::new(0);
        let store = Self { link, scripts: Scripts::new(), limits, revisions, latest, warning };
        store.ready().await?;
        Ok(store)
    }

    /// What a person should know about how this Redis keeps jobs.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Runs a script that answers how a claim stands, and the revision that it made.
    async fn stand(
        &self,
        doing: &'static str,
        repeat: Repeat,
        call: &ScriptInvocation<'_>,
    ) -> Result<Standing, Error> {
        let answer: Row = self.link.run(doing, repeat, call).await?;
        let [Some(wish), revision] = &answer[..] else { return Ok(Standing::Lost) };
        self.grew(revision.as_deref())?;
        Ok(Standing::Held(Wish::of(wish)))
    }

    /// Starts parts: first those of these tickets, then what else waits; and whether that was all there was to look at.
    async fn start(
        &self,
        worker: &str,
        most: usize,
        tickets: Vec<Ticket>,
    ) -> Result<(Vec<Lease>, bool), Error> {
        let mut call = self.link.call(&self.scripts.claim);
        call.arg(worker).arg(most);
        for Ticket { stream, entry, job, part } in tickets {
            call.arg(stream).arg(entry).arg(job).arg(part);
        }
        // A lost answer is a lost delivery: its leases end as if this process had.
        let (more, revision, leases): (bool, Option<String>, Vec<LeaseRow>) =
            self.link.run("handing out work", Repeat::Never, &call).await?;
        self.grew(revision.as_deref())?;
        Ok((leases.into_iter().map(rows::lease).collect::<Result<_, _>>()?, !more))
    }

    fn grew(&self, revision: Option<&str>) -> Result<(), Error> {
        let revision = revision.map(|text| rows::parsed(text, "revision")).transpose()?;
        self.revisions.grew(revision);
        Ok(())
    }
}

/// A script's call with a claim as its first arguments.
fn prove(call: &mut ScriptInvocation<'_>, claim: &Claim) {
    call.arg(claim.job.to_string()).arg(claim.part).arg(claim.fence);
}

/// A time as scripts take it: never nothing, and small enough to be added to a time.
fn millis(time: Duration) -> Millis {
    (time.as_millis().min(u128::from(EXACT_MAX >> 8)) as Millis).max(1)
}

#[async_trait]
impl JobStore for RedisStore {
    async fn now(&self) -> Result<u64, Error> {
        let ask = redis::cmd("TIME");
        let (seconds, micros): (u64, u64) =
            self.link.command("asking for the time", Repeat::Safe, &ask).await?;
        let now = seconds * 1_000 + micros / 1_000;
        Ok(now.max(self.latest.fetch_max(now, Ordering::Relaxed)))
    }

    async fn submit(&self, job: NewJob) -> Result<Submitted, Error> {
        let doing = "taking a job in";
        let mut call = self.link.call(&self.scripts.submit);
        call.arg(job.id.to_string()).arg(&job.kind).arg(job.order.to_string()).arg(&job.owner);
        call.arg(job.rows).arg(job.octets).arg(rows::text(&Progress::default()));
        let Limits { jobs, rows, octets, keep_keys, .. } = self.limits;
        call.arg(&[jobs, rows, octets].map(|limit| limit.min(EXACT_MAX)));
        match &job.idempotency {
            Some(it) => {
                let (owner, key) = (&job.owner, &it.key);
                let name = self.link.key(&format!("idem:{}:{owner}:{key}", owner.len()));
                call.arg(name).arg(&it.digest).arg(millis(keep_keys));
            }
            None => {
                call.arg(&["", "", ""]);
            }
        }
        // Safe, since the id makes it the same job.
        let answer: Vec<String> = self.link.run(doing, Repeat::Safe, &call).await?;
        let told = answer.get(1);
        let known = || rows::parsed(told.map_or("", String::as_str), "id");
        match answer[0].as_str() {
            "new" => {
                self.grew(told.map(String::as_str))?;
                Ok(Submitted::New)
            }
            "known" => Ok(Submitted::Known(known()?)),
            "reused" => Ok(Submitted::KeyReused(known()?)),
            "full" => Ok(Submitted::Full { retry_after: RETRY_AFTER }),
            _ => Err(Error::store(doing, format!("{} is another job's id", job.id))),
        }
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, Error> {
        let mut ask = redis::cmd("HMGET");
        ask.arg(self.link.key(&format!("job:{id}"))).arg(&rows::FIELDS);
        rows::found(id, self.link.command("reading a job", Repeat::Safe, &ask).await?)
    }

    async fn jobs(&self, query: &Query) -> Result<Vec<Job>, Error> {
        let mut before = query.before.map(|id| id.to_string()).unwrap_or_default();
        let states = if query.states.is_empty() { &State::ALL[..] } else { &query.states[..] };
        let mut jobs = Vec::new();
        while jobs.len() < query.most {
            let mut call = self.link.call(&self.scripts.list);
            call.arg(&before).arg(query.most - jobs.len());
            call.arg(query.owner.as_deref().unwrap_or_default());
            call.arg(query.kind.as_deref().unwrap_or_default());
            call.arg(u8::from(query.owner.is_none()));
            for state in states {
                call.arg(state.name());
            }
            let (reached, found): (String, Vec<Row>) =
                self.link.run("listing jobs", Repeat::Safe, &call).await?;
            jobs.extend(rows::jobs(found)?);
            if reached.is_empty() {
                break;
            }
            before = reached;
        }
        Ok(jobs)
    }

    async fn claim(&self, worker: &str, most: usize, wait: Duration) -> Result<Vec<Lease>, Error> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let end = Instant::now() + wait;
        let mut tickets = Vec::new();
        loop {
            let (leases, is_all) = self.start(worker, most, tickets).await?;
            let left = end.saturating_duration_since(Instant::now());
            if !leases.is_empty() || (is_all && left.is_zero()) {
                return Ok(leases);
            }
            tickets = if is_all { self.link.wait(left).await? } else { Vec::new() };
        }
    }

    async fn renew(&self, claims: &[Claim]) -> Result<Vec<Standing>, Error> {
        let mut call = self.link.call(&self.scripts.renew);
        claims.iter().for_each(|claim| prove(&mut call, claim));
        let wishes: Row = self.link.run("renewing leases", Repeat::Safe, &call).await?;
        let standing = |wish: Option<String>| {
            wish.map_or(Standing::Lost, |wish| Standing::Held(Wish::of(&wish)))
        };
        Ok(wishes.into_iter().map(standing).collect())
    }

    async fn progress(&self, claim: &Claim, progress: &Progress) -> Result<Standing, Error> {
        let mut call = self.link.call(&self.scripts.progress);
        prove(&mut call, claim);
        call.arg(rows::text(progress));
        self.stand("noting progress", Repeat::Safe, &call).await
    }

    async fn finish(&self, claim: &Claim, end: End) -> Result<Standing, Error> {
        let mut call = self.link.call(&self.scripts.finish);
        prove(&mut call, claim);
        match end {
            End::Succeeded(result) => call.arg("succeeded").arg(rows::text(&result)),
            End::Chunk(came_to) => call.arg("chunk").arg(rows::text(&came_to)),
            End::Split(payloads) => {
                call.arg("split").arg(payloads.iter().map(rows::text).collect::<Vec<_>>())
            }
            End::Failed(reason) => call.arg("failed").arg(rows::text(&reason)),
            End::Retry(reason, after) => {
                let deliveries = self.limits.deliveries;
                call.arg("retry").arg(rows::text(&reason)).arg(millis(after)).arg(deliveries)
            }
            End::GivenBack => call.arg("back"),
            End::Paused(payload) => call.arg("paused").arg(rows::text(&payload)),
        };
        // Not sent again: the second would answer that the claim is lost, as it is once the first has ended the part.
        self.stand("ending a part", Repeat::Never, &call).await
    }

    async fn chunks(&self, id: JobId) -> Result<Vec<Option<Value>>, Error> {
        let mut call = self.link.call(&self.scripts.chunks);
        call.arg(id.to_string());
        let doing = "reading what chunks came to";
        let found: Row = self.link.run(doing, Repeat::Safe, &call).await?;
        let value = |text: Option<String>| text.map(|text| rows::value(&text, "chunk")).transpose();
        found.into_iter().map(value).collect()
    }

    async fn steer(&self, id: JobId, steer: Steer) -> Result<Steered, Error> {
        let name = match steer {
            Steer::Cancel => "cancel",
            Steer::Retry => "retry",
            Steer::Pause => "pause",
            Steer::Resume => "resume",
            Steer::Stop => "stop",
        };
        let mut call = self.link.call(&self.scripts.steer);
        call.arg(id.to_string()).arg(name);
        let answer = self.link.run("steering a job", Repeat::Never, &call).await?;
        let (steered, revision) = rows::steered(answer)?;
        self.grew(revision.as_deref())?;
        Ok(steered)
    }

    async fn changes(&self, since: u64, most: usize) -> Result<Vec<Job>, Error> {
        let mut call = self.link.call(&self.scripts.changes);
        call.arg(since).arg(most);
        rows::jobs(self.link.run("reading changes", Repeat::Safe, &call).await?)
    }

    async fn latest(&self) -> Result<u64, Error> {
        Ok(revisions::read(&self.link).await?.unwrap_or(0))
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.revisions.subscribe()
    }

    async fn tidy(&self) -> Result<Tidied, Error> {
        let Limits { lease, deliveries, keep, .. } = self.limits;
        let mut call = self.link.call(&self.scripts.tidy);
        call.arg(millis(lease)).arg(deliveries).arg(millis(keep));
        call.arg(rows::text(&super::lost_workers(&self.limits)));
        // Jobs that are gone are told once.
        let (redelivered, died, keys, revision, gone): (u64, u64, u64, Option<String>, Vec<Row>) =
            self.link.run("tidying", Repeat::Never, &call).await?;
        self.grew(revision.as_deref())?;
        Ok(Tidied { redelivered, died, gone: rows::jobs(gone)?, keys })
    }

    async fn load(&self) -> Result<Load, Error> {
        let call = self.link.call(&self.scripts.load);
        let (queued, running, dead, rows, octets, oldest) =
            self.link.run("adding up the load", Repeat::Safe, &call).await?;
        Ok(Load { queued, running, dead, rows, octets, oldest })
    }

    async fn ready(&self) -> Result<(), Error> {
        let call = self.link.call(&self.scripts.ready);
        self.link.run("being asked whether it is ready", Repeat::Safe, &call).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, Error> {
        let mut ask = redis::cmd("HVALS");
        ask.arg(self.link.key("keys"));
        let found: Vec<String> = self.link.command("reading keys", Repeat::Safe, &ask).await?;
        let mut keys: Vec<KeyRecord> =
            found.iter().map(|text| rows::value(text, "key")).collect::<Result<_, _>>()?;
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(keys)
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<bool, Error> {
        let mut set = redis::cmd("HSETNX");
        set.arg(self.link.key("keys")).arg(&key.name).arg(rows::text(key));
        self.link.command("adding a key", Repeat::Never, &set).await
    }

    async fn revoke_key(&self, name: &str) -> Result<bool, Error> {
        let mut delete = redis::cmd("HDEL");
        delete.arg(self.link.key("keys")).arg(name);
        self.link.command("taking a key away", Repeat::Never, &delete).await
    }

    async fn secret(&self) -> Result<[u8; 32], Error> {
        let doing = "reading the secret of links";
        let key = self.link.key("secret");
        let mut get = redis::cmd("GET");
        get.arg(&key);
        let mut found: Option<Vec<u8>> = self.link.command(doing, Repeat::Safe, &get).await?;
        if found.is_none() {
            let (mut set, fresh): (_, [u8; 32]) = (redis::cmd("SET"), rand::random());
            set.arg(&key).arg(&fresh[..]).arg("NX");
            let _: Option<String> = self.link.command(doing, Repeat::Safe, &set).await?;
            // Another process may have been before.
            found = self.link.command(doing, Repeat::Safe, &get).await?;
        }
        let secret = found.and_then(|secret| secret.try_into().ok());
        secret.ok_or_else(|| Error::StoreContent { what: "a secret of another length".into() })
    }
}
