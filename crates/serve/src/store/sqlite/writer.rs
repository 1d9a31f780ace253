//! The one thread that writes: what many callers want at a time becomes one transaction, and one wait for the disk.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{Notify, oneshot, watch};

use crate::error::Error;

/// Callers whose work goes into one transaction.
const GROUP_MAX: usize = 512;

/// Whether a caller's work must be on disk before the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasting {
    /// It must: somebody is told that it is so.
    Yes,
    /// A power cut may take it back: whoever held a lease is gone with it, too.
    No,
}

/// A transaction under way.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    pub(super) made_work: &'a Cell<bool>,
}

impl Transaction<'_> {
    /// Workers that wait are to look again.
    pub(super) fn made_work(&self) {
        self.made_work.set(true);
    }
}

/// Tells a caller once the transaction is on disk, or that it is not.
type Tell = Box<dyn FnOnce(Result<(), Arc<rusqlite::Error>>) + Send>;
/// A caller's work; whether it went well, and how the caller is told.
type Work = Box<dyn FnOnce(&Transaction<'_>) -> (bool, Tell) + Send>;

/// The thread, as callers see it.
pub(super) struct Writer {
    queue: Option<Sender<(Lasting, Work)>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        work: Arc<Notify>,
        revision: watch::Sender<u64>,
    ) -> Self {
        let (queue, orders) = channel();
        let thread = std::thread::Builder::new()
            .name("flowgait-sqlite".to_owned())
            .spawn(move || run(&connection, &orders, &work, &revision))
            .expect("invariant: a program that just started may start a thread");
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// Has some work done in a transaction, together with whatever else waits.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        lasting: Lasting,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |transaction| {
            let found = work(transaction);
            let is_well = found.is_ok();
            let tell = move |committed: Result<(), Arc<rusqlite::Error>>| {
                let outcome = match (found, committed) {
                    (Err(error), _) => Err(Error::store(doing, error)),
                    (_, Err(error)) => Err(Error::store(doing, error)),
                    (Ok(found), Ok(())) => Ok(found),
                };
                // A caller that went away is not told.
                let _ = tell.send(outcome);
            };
            (is_well, Box::new(tell))
        });
        let queue = self.queue.as_ref().expect("invariant: taken only when dropped");
        let gone = || Error::store(doing, "its thread has ended");
        queue.send((lasting, work)).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It ends when its queue does; a panic of its own was told when it happened.
            let _ = thread.join();
        }
    }
}

fn run(
    connection: &Connection,
    orders: &Receiver<(Lasting, Work)>,
    work: &Notify,
    revision: &watch::Sender<u64>,
) {
    let mut waits_for_disk = true;
    while let Ok(first) = orders.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_MAX
            && let Ok(next) = orders.try_recv()
        {
            group.push(next);
        }
        let lasting = group.iter().any(|(lasting, _)| *lasting == Lasting::Yes);
        let made_work = Cell::new(false);
        let mut tells = Vec::with_capacity(group.len());
        let committed = set_disk(connection, lasting, &mut waits_for_disk)
            .and_then(|()| commit(connection, group, &made_work, &mut tells));
        match committed {
            Ok(highest) => {
                revision.send_if_modified(|known| std::mem::replace(known, highest) != highest);
                tells.into_iter().for_each(|tell| tell(Ok(())));
                if made_work.get() {
                    work.notify_waiters();
                }
            }
            Err(error) => {
                // A transaction that cannot even be rolled back ends with the connection; the next one says so.
                let _ = connection.execute_batch("ROLLBACK");
                let error = Arc::new(error);
                tells.into_iter().for_each(|tell| tell(Err(error.clone())));
            }
        }
    }
}

/// In WAL mode FULL waits for the disk at each commit, NORMAL at none; a later wait covers what came before it.
fn set_disk(connection: &Connection, lasting: bool, now: &mut bool) -> rusqlite::Result<()> {
    if lasting != *now {
        connection.pragma_update(None, "synchronous", if lasting { "FULL" } else { "NORMAL" })?;
        *now = lasting;
    }
    Ok(())
}

/// One transaction of all; what fails within is taken back alone. Gives the highest revision.
fn commit(
    connection: &Connection,
    group: Vec<(Lasting, Work)>,
    made_work: &Cell<bool>,
    tells: &mut Vec<Tell>,
) -> rusqlite::Result<u64> {
    let batch = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(drop);
    batch("BEGIN IMMEDIATE")?;
    let transaction = Transaction { connection, made_work };
    for (_, work) in group {
        batch("SAVEPOINT one")?;
        let (is_well, tell) = work(&transaction);
        tells.push(tell);
        if !is_well {
            batch("ROLLBACK TO one")?;
        }
        batch("RELEASE one")?;
    }
    let highest = super::revision(connection)?;
    batch("COMMIT")?;
    Ok(highest)
}

/// Opens the database for writing or reading, as every connection is set up.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(20))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What a savepoint would need to go back is a file otherwise: a quarter of an empty job.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Statements are not planned anew for other parameters.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
