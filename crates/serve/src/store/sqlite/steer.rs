//! What a person does to a job.

use rusqlite::params;

use super::rows;
use super::writer::Transaction;
use crate::job::{JobId, Millis, State, Steer, Steered};

impl Transaction<'_> {
    pub(super) fn steer(&self, id: JobId, steer: Steer, now: Millis) -> rusqlite::Result<Steered> {
        let Some(job) = rows::find(self.connection, id)? else { return Ok(Steered::Unknown) };
        let set = |sql: &str| {
            self.connection.prepare_cached(sql)?.execute(params![id.to_string()]).map(drop)
        };
        match (steer, job.state) {
            (Steer::Cancel, State::Queued | State::Running | State::Paused) => {
                self.end(id, State::Cancelled, None, now)?;
            }
            (Steer::Retry, State::Failed | State::Cancelled | State::Dead) => {
                set(
                    "UPDATE jobs SET state = 'queued', ended = NULL, reason = NULL, attempt = 0 WHERE id = ?1",
                )?;
                self.release(id, true)?;
            }
            (Steer::Pause, State::Queued) => {
                set("UPDATE parts SET state = 'held' WHERE job = ?1 AND state = 'waiting'")?;
                set("UPDATE jobs SET state = 'paused' WHERE id = ?1")?;
            }
            (Steer::Pause, State::Running) => {
                set("UPDATE jobs SET wish = 'pause' WHERE id = ?1")?;
            }
            (Steer::Resume, State::Paused) => {
                set("UPDATE jobs SET state = 'queued', wish = 'run' WHERE id = ?1")?;
                self.release(id, false)?;
            }
            (Steer::Resume, State::Running) => set("UPDATE jobs SET wish = 'run' WHERE id = ?1")?,
            (Steer::Stop, State::Queued | State::Paused) if job.started.is_none() => {
                self.end(id, State::Cancelled, None, now)?;
            }
            (Steer::Stop, State::Queued | State::Running) => {
                set("UPDATE jobs SET wish = 'stop' WHERE id = ?1")?;
            }
            (Steer::Stop, State::Paused) => {
                set("UPDATE jobs SET state = 'queued', wish = 'stop' WHERE id = ?1")?;
                self.release(id, false)?;
            }
            (_, state) => return Ok(Steered::NotNow(state)),
        }
        self.touch(id)?;
        let job = rows::find(self.connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Steered::Done(Box::new(job)))
    }
}
