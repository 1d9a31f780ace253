//! Jobs in SQLite, for one machine: nothing else has to be installed or run.
//!
//! One thread writes. What waits for it at a time becomes one transaction, and so one wait for the disk (`sqlite/writer.rs`); a
//! transaction that only hands out or renews leases does not wait for the disk at all, since a power cut takes their holders too.
//! Readers have a connection of their own and see the last whole transaction.
//!
//! Sketch: with many callers at a time some 10,000 transitions a second on one core; with one, as many as the disk syncs.

mod clock;
mod parts;
mod rows;
mod steer;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::{JobStore, KeyRecord, Limits};
use crate::error::Error;
use crate::folder::make_private;
use crate::job::{
    Claim, End, Job, JobId, Lease, Load, Millis, NewJob, Progress, Query, Standing, Steer, Steered,
    Submitted, Tidied,
};
use clock::Clock;
use writer::{Lasting, Transaction, Writer};

/// The database's file in its folder.
const FILE: &str = "flowgait.sqlite";
/// Held by the one process that serves from it.
const LOCK: &str = "flowgait.lock";
/// The version of the tables that this program knows.
const VERSION: i64 = 1;
/// When a full queue is worth another try.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Jobs forgotten in one transaction.
const GONE_MAX: usize = 500;

/// Who opens a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The process that serves from it: leases of an earlier one are void.
    Serve,
    /// Somebody who looks at it or changes a little, while a server may run; it has to be there.
    Look,
    /// The same, who makes it where it is not there yet.
    Prepare,
}

/// Jobs in SQLite.
pub struct SqliteStore {
    writer: Writer,
    reader: Arc<Mutex<Connection>>,
    path: PathBuf,
    limits: Limits,
    clock: Clock,
    work: Arc<Notify>,
    revision: watch::Receiver<u64>,
    /// Kept so that no other process serves from the folder.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens the store in a folder, which is made if it is not there; an older version's tables are brought up to date.
    ///
    /// # Errors
    /// [`Error::StoreUnfit`] when another process serves from it, or a newer program wrote it; [`Error::Store`].
    pub fn open(folder: &Path, limits: Limits, visit: Visit) -> Result<Self, Error> {
        let doing = "opening it";
        let failed = |error: rusqlite::Error| Error::store(doing, error);
        let path = folder.join(FILE);
        if visit == Visit::Look && !path.exists() {
            let told = "name the one of your service by --store; flowgait serve makes one";
            let problem = format!("there is no store of jobs in {}: {told}", folder.display());
            return Err(Error::StoreUnfit { problem });
        }
        make_private(folder).map_err(|error| unfit(folder, &error))?;
        let lock = match visit {
            Visit::Serve => Some(take(folder)?),
            Visit::Look | Visit::Prepare => None,
        };
        let connection = writer::connect(&path).map_err(failed)?;
        migrate(&connection, &path)?;
        let latest = "SELECT max(coalesce(max(created), 0), coalesce(max(ended), 0)) FROM jobs";
        let latest: i64 = connection.query_row(latest, [], |row| row.get(0)).map_err(failed)?;
        let clock = Clock::start(latest as u64);
        if visit == Visit::Serve {
            take_back(&connection, &limits, clock.now()).map_err(failed)?;
        }
        let known = revision(&connection).map_err(failed)?;
        let reader = Arc::new(Mutex::new(writer::connect(&path).map_err(failed)?));
        let work = Arc::new(Notify::new());
        let (tell, revision) = watch::channel(known);
        let writer = Writer::start(connection, work.clone(), tell);
        Ok(Self { writer, reader, path, limits, clock, work, revision, _lock: lock })
    }

    /// Copies the store, as it is at one moment, to a new file, while it is used.
    ///
    /// # Errors
    /// [`Error::StoreUnfit`] when there is a file already; [`Error::Store`].
    pub fn back_up(&self, to: &Path) -> Result<(), Error> {
        if to.exists() {
            let problem = format!("{} is there already: name another file", to.display());
            return Err(Error::StoreUnfit { problem });
        }
        let copy = || -> rusqlite::Result<()> {
            let source = writer::connect(&self.path)?;
            let mut target = Connection::open(to)?;
            let backup = rusqlite::backup::Backup::new(&source, &mut target)?;
            backup.run_to_completion(1_000, Duration::from_millis(2), None)
        };
        copy().map_err(|error| Error::store("copying it", error))
    }

    /// Reads, on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let reader = self.reader.clone();
        let read = tokio::task::spawn_blocking(move || {
            work(&reader.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let found = read.await.map_err(|error| Error::store(doing, error))?;
        found.map_err(|error| Error::store(doing, error))
    }

    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        lasting: Lasting,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer.run(doing, lasting, work).await
    }
}

fn unfit(folder: &Path, error: &std::io::Error) -> Error {
    let folder = folder.display();
    Error::StoreUnfit { problem: format!("{folder} cannot be the folder of a store: {error}") }
}

/// Takes the folder for this process alone, until it ends.
fn take(folder: &Path) -> Result<File, Error> {
    let file = File::create(folder.join(LOCK)).map_err(|error| unfit(folder, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::StoreUnfit {
            problem: format!(
                "another flowgait serves from {}: end it, name another folder, or use --store redis://… for many machines",
                folder.display()
            ),
        }),
        Err(std::fs::TryLockError::Error(error)) => Err(Error::store("locking it", error)),
    }
}

/// Brings the tables up to date.
fn migrate(connection: &Connection, path: &Path) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| Error::store("bringing its tables up to date", error);
    let version = || connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    if version().map_err(failed)? == VERSION {
        return Ok(());
    }
    // Several may open it at once; the first brings it up to date.
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let outcome = match version().map_err(failed)? {
        0 => connection
            .execute_batch(include_str!("sqlite/schema.sql"))
            .and_then(|()| connection.pragma_update(None, "user_version", VERSION))
            .map_err(failed),
        VERSION => Ok(()),
        newer => Err(Error::StoreUnfit {
            problem: format!(
                "{} was written by a newer flowgait (tables of version {newer}, this one knows {VERSION}): use that one, or name another folder",
                path.display()
            ),
        }),
    };
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    outcome.and(connection.execute_batch(end).map_err(failed))
}

/// Whoever held leases when the last process ended is gone with it.
fn take_back(connection: &Connection, limits: &Limits, now: Millis) -> rusqlite::Result<()> {
    let made_work = std::cell::Cell::new(false);
    let transaction = Transaction { connection, made_work: &made_work };
    connection.execute_batch("BEGIN IMMEDIATE")?;
    transaction.expire(Millis::MAX >> 1, now, limits)?;
    connection.execute_batch("COMMIT")
}

/// The highest revision.
fn revision(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT value FROM meta WHERE name = 'revision'";
    connection.prepare_cached(sql)?.query_row([], |row| rows::unsigned(row, 0))
}

impl Transaction<'_> {
    fn submit(&self, job: &NewJob, now: Millis, limits: &Limits) -> rusqlite::Result<Submitted> {
        let id = job.id.to_string();
        if let Some(idempotency) = &job.idempotency {
            let sql = "SELECT job, digest FROM idempotency WHERE owner = ?1 AND key = ?2 AND expires > ?3";
            let known: Option<(String, String)> = self
                .connection
                .prepare_cached(sql)?
                .query_row(params![job.owner, idempotency.key, now as i64], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            if let Some((known, digest)) = known {
                let known = known.parse().map_err(|_| rusqlite::Error::InvalidQuery)?;
                return Ok(if digest == idempotency.digest {
                    Submitted::Known(known)
                } else {
                    Submitted::KeyReused(known)
                });
            }
        }
        let sql = "SELECT sum(jobs), sum(rows), sum(octets) FROM totals WHERE state IN ('queued', 'running', 'paused')";
        let (jobs, rows, octets) = self.connection.prepare_cached(sql)?.query_row([], |row| {
            Ok((rows::unsigned(row, 0)?, rows::unsigned(row, 1)?, rows::unsigned(row, 2)?))
        })?;
        let over = jobs + 1 > limits.jobs
            || rows.saturating_add(job.rows) > limits.rows
            || octets.saturating_add(job.octets) > limits.octets;
        if over {
            return Ok(Submitted::Full { retry_after: RETRY_AFTER });
        }
        let sql = "INSERT INTO jobs VALUES (?1, ?2, ?3, ?4, 'queued', 'run', ?5, ?6, ?7, NULL, NULL, 0, 1, 0, ?8, NULL, NULL, NULL, \
                   (SELECT -1 - value FROM meta WHERE name = 'revision'))";
        self.connection.prepare_cached(sql)?.execute(params![
            id,
            job.kind,
            rows::payload(&job.order),
            job.owner,
            job.rows as i64,
            job.octets as i64,
            now as i64,
            rows::text(&Progress::default()),
        ])?;
        self.add_part(job.id, 0, &Value::Null, "waiting")?;
        if let Some(idempotency) = &job.idempotency {
            let expires = now + limits.keep_keys.as_millis() as u64;
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO idempotency VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    job.owner,
                    idempotency.key,
                    idempotency.digest,
                    id,
                    expires as i64
                ])?;
        }
        self.touch(job.id)?;
        Ok(Submitted::New)
    }

    /// Takes back parts whose lease ended before `until`; how many were delivered again, and how many jobs died.
    fn expire(&self, until: Millis, now: Millis, limits: &Limits) -> rusqlite::Result<(u64, u64)> {
        let lost: Vec<(String, u32)> = self
            .connection
            .prepare_cached("SELECT job, part FROM parts WHERE state = 'running' AND due < ?1")?
            .query_map([until as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let (mut redelivered, mut died) = (0, 0);
        for (job, part) in lost {
            let job: JobId = job.parse().map_err(|_| rusqlite::Error::InvalidQuery)?;
            // An earlier one of the same job may just have been its death.
            let sql = "SELECT state = 'running' FROM parts WHERE job = ?1 AND part = ?2";
            let runs: bool = self
                .connection
                .prepare_cached(sql)?
                .query_row(params![job.to_string(), part], |row| row.get(0))?;
            if !runs {
                continue;
            }
            let reason = super::lost_workers(limits);
            if self.deliver_again((job, part), &reason, 0, now, limits)? {
                died += 1;
            } else {
                redelivered += 1;
            }
            self.touch(job)?;
        }
        Ok((redelivered, died))
    }

    /// Forgets jobs that were kept long enough.
    fn forget(&self, now: Millis, limits: &Limits) -> rusqlite::Result<(Vec<Job>, u64)> {
        let before = now.saturating_sub(limits.keep.as_millis() as u64) as i64;
        let sql = format!(
            "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ended < ?1 LIMIT {GONE_MAX}) RETURNING {}",
            rows::COLUMNS
        );
        let gone = self
            .connection
            .prepare_cached(&sql)?
            .query_map([before], rows::job)?
            .collect::<rusqlite::Result<_>>()?;
        let sql = "DELETE FROM idempotency WHERE expires <= ?1";
        let keys = self.connection.prepare_cached(sql)?.execute([now as i64])?;
        Ok((gone, keys as u64))
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn now(&self) -> Result<u64, Error> {
        Ok(self.clock.now())
    }

    async fn submit(&self, job: NewJob) -> Result<Submitted, Error> {
        let (now, limits) = (self.clock.now(), self.limits.clone());
        self.write("taking a job in", Lasting::Yes, move |transaction| {
            transaction.submit(&job, now, &limits)
        })
        .await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, Error> {
        self.read("reading a job", move |connection| rows::find(connection, id)).await
    }

    async fn jobs(&self, query: &Query) -> Result<Vec<Job>, Error> {
        let query = query.clone();
        self.read("listing jobs", move |connection| {
            let states: Vec<&str> = query.states.iter().map(|state| state.name()).collect();
            let sql = format!(
                "SELECT {} FROM jobs WHERE (?1 IS NULL OR owner = ?1) AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR id < ?3) \
                 AND (?4 = '' OR instr(?4, ' ' || state || ' ') > 0) ORDER BY id DESC LIMIT ?5",
                rows::COLUMNS
            );
            let states =
                if states.is_empty() { String::new() } else { format!(" {} ", states.join(" ")) };
            let before = query.before.map(|id| id.to_string());
            connection
                .prepare_cached(&sql)?
                .query_map(
                    params![query.owner, query.kind, before, states, query.most as i64],
                    rows::job,
                )?
                .collect()
        })
        .await
    }

    async fn claim(&self, worker: &str, most: usize, wait: Duration) -> Result<Vec<Lease>, Error> {
        let end = tokio::time::Instant::now() + wait;
        loop {
            // Enlisted before looking, so that work that comes in between is not slept over.
            let woken = self.work.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let (now, limits, worker) = (self.clock.now(), self.limits.clone(), worker.to_owned());
            let leases = self
                .write("handing out work", Lasting::No, move |transaction| {
                    transaction.claim(&worker, most, now, &limits)
                })
                .await?;
            if !leases.is_empty() || tokio::time::timeout_at(end, woken).await.is_err() {
                return Ok(leases);
            }
        }
    }

    async fn renew(&self, claims: &[Claim]) -> Result<Vec<Standing>, Error> {
        let claims = claims.to_vec();
        let until = self.clock.now() + self.limits.lease.as_millis() as u64;
        self.write("renewing leases", Lasting::No, move |transaction| {
            claims.iter().map(|claim| transaction.renew(claim, until)).collect()
        })
        .await
    }

    async fn progress(&self, claim: &Claim, progress: &Progress) -> Result<Standing, Error> {
        let (claim, progress) = (claim.clone(), rows::text(progress));
        self.write("noting progress", Lasting::No, move |transaction| {
            let standing = transaction.standing(&claim)?;
            if standing.is_held() {
                let sql = "UPDATE jobs SET progress = ?2 WHERE id = ?1";
                transaction
                    .connection
                    .prepare_cached(sql)?
                    .execute(params![claim.job.to_string(), progress])?;
                transaction.touch(claim.job)?;
            }
            Ok(standing)
        })
        .await
    }

    async fn finish(&self, claim: &Claim, end: End) -> Result<Standing, Error> {
        let (claim, now, limits) = (claim.clone(), self.clock.now(), self.limits.clone());
        self.write("ending a part", Lasting::Yes, move |transaction| {
            transaction.finish(&claim, &end, now, &limits)
        })
        .await
    }

    async fn chunks(&self, id: JobId) -> Result<Vec<Option<Value>>, Error> {
        self.read("reading what chunks came to", move |connection| {
            connection
                .prepare_cached(
                    "SELECT came_to FROM parts WHERE job = ?1 AND part > 0 AND NOT is_join ORDER BY part",
                )?
                .query_map([id.to_string()], |row| match row.get_ref(0)? {
                    rusqlite::types::ValueRef::Null => Ok(None),
                    _ => rows::json(row, 0).map(Some),
                })?
                .collect()
        })
        .await
    }

    async fn steer(&self, id: JobId, steer: Steer) -> Result<Steered, Error> {
        let now = self.clock.now();
        self.write("steering a job", Lasting::Yes, move |transaction| {
            transaction.steer(id, steer, now)
        })
        .await
    }

    async fn changes(&self, since: u64, most: usize) -> Result<Vec<Job>, Error> {
        self.read("reading changes", move |connection| {
            let sql = format!(
                "SELECT {} FROM jobs WHERE revision > ?1 ORDER BY revision LIMIT ?2",
                rows::COLUMNS
            );
            connection
                .prepare_cached(&sql)?
                .query_map(params![since as i64, most as i64], rows::job)?
                .collect()
        })
        .await
    }

    async fn latest(&self) -> Result<u64, Error> {
        self.read("reading the revision", revision).await
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.revision.clone()
    }

    async fn tidy(&self) -> Result<Tidied, Error> {
        let (now, limits) = (self.clock.now(), self.limits.clone());
        let (redelivered, died) = {
            let limits = limits.clone();
            let lasting = Lasting::No;
            self.write("taking leases back", lasting, move |transaction| {
                // Parts that had to wait may be due now, and another process may have made work.
                transaction.made_work();
                transaction.expire(now, now, &limits)
            })
            .await?
        };
        let old = self
            .read("looking for what was kept long enough", {
                let before = now.saturating_sub(limits.keep.as_millis() as u64) as i64;
                move |connection| {
                    connection
                        .prepare_cached("SELECT EXISTS (SELECT 1 FROM jobs WHERE ended < ?1) OR EXISTS (SELECT 1 FROM idempotency WHERE expires <= ?2)")?
                        .query_row([before, now as i64], |row| row.get::<_, bool>(0))
                }
            })
            .await?;
        let (gone, keys) = if old {
            let forget = move |transaction: &Transaction<'_>| transaction.forget(now, &limits);
            self.write("forgetting old jobs", Lasting::Yes, forget).await?
        } else {
            (Vec::new(), 0)
        };
        Ok(Tidied { redelivered, died, gone, keys })
    }

    async fn load(&self) -> Result<Load, Error> {
        let now = self.clock.now();
        self.read("adding up the load", move |connection| {
            let mut load = Load::default();
            let mut totals =
                connection.prepare_cached("SELECT state, jobs, rows, octets FROM totals")?;
            let mut found = totals.query([])?;
            while let Some(row) = found.next()? {
                let jobs = rows::unsigned(row, 1)?;
                match row.get_ref(0)?.as_str()? {
                    "queued" => load.queued = jobs,
                    "running" => load.running = jobs,
                    "dead" => load.dead = jobs,
                    _ => {}
                }
                if matches!(row.get_ref(0)?.as_str()?, "queued" | "running") {
                    load.rows += rows::unsigned(row, 2)?;
                    load.octets += rows::unsigned(row, 3)?;
                }
            }
            let oldest: Option<i64> = connection
                .prepare_cached("SELECT min(created) FROM jobs WHERE state = 'queued'")?
                .query_row([], |row| row.get(0))?;
            load.oldest = oldest.map_or(0, |oldest| now.saturating_sub(oldest as u64));
            Ok(load)
        })
        .await
    }

    async fn ready(&self) -> Result<(), Error> {
        self.write("being asked whether it is ready", Lasting::No, |_| Ok(())).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, Error> {
        self.read("reading keys", |connection| {
            connection
                .prepare_cached("SELECT name, digest, scopes, created FROM keys ORDER BY name")?
                .query_map([], |row| {
                    Ok(KeyRecord {
                        name: row.get(0)?,
                        digest: row.get(1)?,
                        scopes: rows::json(row, 2)?,
                        created: rows::unsigned(row, 3)?,
                    })
                })?
                .collect()
        })
        .await
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<bool, Error> {
        let key = key.clone();
        self.write("adding a key", Lasting::Yes, move |transaction| {
            let sql = "INSERT OR IGNORE INTO keys VALUES (?1, ?2, ?3, ?4)";
            let added = transaction.connection.execute(
                sql,
                params![key.name, key.digest, rows::text(&key.scopes), key.created as i64],
            )?;
            Ok(added > 0)
        })
        .await
    }

    async fn revoke_key(&self, name: &str) -> Result<bool, Error> {
        let name = name.to_owned();
        self.write("taking a key away", Lasting::Yes, move |transaction| {
            let sql = "DELETE FROM keys WHERE name = ?1";
            Ok(transaction.connection.execute(sql, [name])? > 0)
        })
        .await
    }

    async fn secret(&self) -> Result<[u8; 32], Error> {
        let fresh: [u8; 32] = rand::random();
        let found: Vec<u8> = self
            .write("reading the secret of links", Lasting::Yes, move |transaction| {
                let connection = transaction.connection;
                connection
                    .execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?1)", [&fresh[..]])?;
                let sql = "SELECT value FROM meta WHERE name = 'secret'";
                connection.query_row(sql, [], |row| row.get(0))
            })
            .await?;
        found
            .try_into()
            .map_err(|_| Error::StoreContent { what: "a secret of another length".into() })
    }
}

#[cfg(test)]
mod tests;
