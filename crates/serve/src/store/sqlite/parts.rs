//! The life of parts: claimed, renewed, ended, lost.

use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;

use super::rows;
use super::writer::Transaction;
use crate::job::{Claim, End, JobId, Lease, Millis, Reason, Standing, State, Wish};
use crate::store::Limits;

impl Transaction<'_> {
    fn run(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }

    fn next(&self, counter: &str) -> rusqlite::Result<i64> {
        let sql = "UPDATE meta SET value = value + 1 WHERE name = ?1 RETURNING value";
        self.connection.prepare_cached(sql)?.query_row([counter], |row| row.get(0))
    }

    /// Gives a job a new revision: whoever follows the changes sees it.
    pub(super) fn touch(&self, id: JobId) -> rusqlite::Result<()> {
        let revision = self.next("revision")?;
        self.run("UPDATE jobs SET revision = ?2 WHERE id = ?1", params![id.to_string(), revision])?;
        Ok(())
    }

    /// A part behind all others that wait.
    pub(super) fn add_part(
        &self,
        job: JobId,
        part: u32,
        payload: &Value,
        state: &str,
    ) -> rusqlite::Result<()> {
        let sequence = self.next("sequence")?;
        self.run(
            "INSERT INTO parts VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, ?6, NULL)",
            params![
                job.to_string(),
                part,
                rows::payload(payload),
                state == "pending",
                state,
                sequence
            ],
        )?;
        self.made_work();
        Ok(())
    }

    /// Gives the oldest parts that wait to a worker.
    pub(super) fn claim(
        &self,
        worker: &str,
        most: usize,
        now: Millis,
        limits: &Limits,
    ) -> rusqlite::Result<Vec<Lease>> {
        let found: Vec<(String, u32)> = self
            .connection
            .prepare_cached(
                "SELECT job, part FROM parts WHERE state = 'waiting' AND due <= ?1 ORDER BY sequence LIMIT ?2",
            )?
            .query_map(params![now as i64, most as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        found.iter().map(|(job, part)| self.lease(job, *part, worker, now, limits)).collect()
    }

    fn lease(
        &self,
        job: &str,
        part: u32,
        worker: &str,
        now: Millis,
        limits: &Limits,
    ) -> rusqlite::Result<Lease> {
        let until = now + limits.lease.as_millis() as u64;
        let sql = "UPDATE parts SET state = 'running', fence = fence + 1, due = ?3 WHERE job = ?1 AND part = ?2 \
                   RETURNING fence, lost, payload, is_join";
        let (fence, lost, payload, is_join) = self.connection.prepare_cached(sql)?.query_row(
            params![job, part, until as i64],
            |row| {
                Ok((
                    rows::unsigned(row, 0)?,
                    row.get::<_, u32>(1)?,
                    rows::json(row, 2)?,
                    row.get::<_, bool>(3)?,
                ))
            },
        )?;
        self.run(
            "UPDATE jobs SET state = 'running', started = coalesce(started, ?2), attempt = max(attempt, ?3), worker = ?4 WHERE id = ?1",
            params![job, now as i64, lost + 1, worker],
        )?;
        let id = job.parse().map_err(|_| rusqlite::Error::InvalidQuery)?;
        self.touch(id)?;
        let job = rows::find(self.connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let claim = Claim { job: id, part, fence };
        Ok(Lease { claim, job, payload, is_join, attempt: lost + 1 })
    }

    /// How a claim stands.
    pub(super) fn standing(&self, claim: &Claim) -> rusqlite::Result<Standing> {
        let sql = "SELECT j.wish FROM parts p JOIN jobs j ON j.id = p.job \
                   WHERE p.job = ?1 AND p.part = ?2 AND p.fence = ?3 AND p.state = 'running'";
        let wish: Option<String> = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![claim.job.to_string(), claim.part, claim.fence as i64], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(wish.map_or(Standing::Lost, |wish| Standing::Held(Wish::of(&wish))))
    }

    /// Makes a lease last anew.
    pub(super) fn renew(&self, claim: &Claim, until: Millis) -> rusqlite::Result<Standing> {
        let standing = self.standing(claim)?;
        if standing.is_held() {
            self.run(
                "UPDATE parts SET due = ?3 WHERE job = ?1 AND part = ?2",
                params![claim.job.to_string(), claim.part, until as i64],
            )?;
        }
        Ok(standing)
    }

    /// Ends a part.
    pub(super) fn finish(
        &self,
        claim: &Claim,
        end: &End,
        now: Millis,
        limits: &Limits,
    ) -> rusqlite::Result<Standing> {
        let standing = self.standing(claim)?;
        if !standing.is_held() {
            return Ok(standing);
        }
        let (job, part) = (claim.job, claim.part);
        match end {
            End::Succeeded(result) => self.succeed(job, result, now)?,
            End::Chunk(came_to) => self.done(job, part, came_to)?,
            End::Split(payloads) => self.split(job, payloads)?,
            End::Failed(reason) => self.end(job, State::Failed, Some(reason), now)?,
            End::Retry(reason, after) => {
                let due = now + after.as_millis() as u64;
                self.deliver_again((job, part), reason, due, now, limits)?;
            }
            End::GivenBack => {
                self.run(
                    "UPDATE parts SET state = 'waiting', due = 0 WHERE job = ?1 AND part = ?2",
                    params![job.to_string(), part],
                )?;
                self.made_work();
                self.settle(job)?;
            }
            End::Paused(payload) => {
                self.run(
                    "UPDATE parts SET state = 'held', payload = ?3 WHERE job = ?1 AND part = ?2",
                    params![job.to_string(), part, rows::payload(payload)],
                )?;
                self.run(
                    "UPDATE jobs SET state = 'paused', wish = 'run' WHERE id = ?1",
                    [job.to_string()],
                )?;
            }
        }
        self.touch(job)?;
        Ok(standing)
    }

    fn succeed(&self, job: JobId, result: &Value, now: Millis) -> rusqlite::Result<()> {
        self.run(
            "UPDATE jobs SET state = 'succeeded', ended = ?2, result = ?3, parts_done = parts, reason = NULL WHERE id = ?1",
            params![job.to_string(), now as i64, rows::text(result)],
        )?;
        // What parts came to is in the result by now.
        self.run("DELETE FROM parts WHERE job = ?1", [job.to_string()])?;
        Ok(())
    }

    fn done(&self, job: JobId, part: u32, came_to: &Value) -> rusqlite::Result<()> {
        self.run(
            "UPDATE parts SET state = 'done', came_to = ?3 WHERE job = ?1 AND part = ?2",
            params![job.to_string(), part, rows::text(came_to)],
        )?;
        self.count_done(job)
    }

    /// One more part is done; when that leaves only the join, it may begin.
    fn count_done(&self, job: JobId) -> rusqlite::Result<()> {
        let sql = "UPDATE jobs SET parts_done = parts_done + 1 WHERE id = ?1 RETURNING parts_done = parts - 1";
        let is_last: bool =
            self.connection.prepare_cached(sql)?.query_row([job.to_string()], |row| row.get(0))?;
        if is_last {
            self.run(
                "UPDATE parts SET state = 'waiting' WHERE job = ?1 AND state = 'pending'",
                [job.to_string()],
            )?;
            self.made_work();
        }
        Ok(())
    }

    fn split(&self, job: JobId, payloads: &[Value]) -> rusqlite::Result<()> {
        for (number, payload) in (1..).zip(payloads) {
            self.add_part(job, number, payload, "waiting")?;
        }
        let parts = payloads.len() as u32 + 2;
        self.add_part(job, parts - 1, &Value::Null, "pending")?;
        self.run("UPDATE jobs SET parts = ?2 WHERE id = ?1", params![job.to_string(), parts])?;
        self.done(job, 0, &Value::Null)
    }

    /// Ends a job that did not succeed; its parts are held, so that another try knows what is done.
    pub(super) fn end(
        &self,
        job: JobId,
        state: State,
        reason: Option<&Reason>,
        now: Millis,
    ) -> rusqlite::Result<()> {
        self.run(
            "UPDATE parts SET state = 'held' WHERE job = ?1 AND state IN ('waiting', 'running')",
            [job.to_string()],
        )?;
        self.run(
            "UPDATE jobs SET state = ?2, ended = ?3, reason = ?4, wish = 'run' WHERE id = ?1",
            params![job.to_string(), state.name(), now as i64, reason.map(rows::text)],
        )?;
        Ok(())
    }

    /// A delivery had no end: the part waits for the next, or it was the last. Whether the job is dead now.
    pub(super) fn deliver_again(
        &self,
        (job, part): (JobId, u32),
        reason: &Reason,
        due: Millis,
        now: Millis,
        limits: &Limits,
    ) -> rusqlite::Result<bool> {
        let sql = "UPDATE parts SET state = 'waiting', lost = lost + 1, due = ?3 WHERE job = ?1 AND part = ?2 RETURNING lost";
        let lost: u32 = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![job.to_string(), part, due as i64], |row| row.get(0))?;
        if lost >= limits.deliveries {
            self.end(job, State::Dead, Some(reason), now)?;
            return Ok(true);
        }
        self.made_work();
        self.settle(job)?;
        Ok(false)
    }

    /// A job none of whose parts is with a worker waits again; or is paused, if a person wished that.
    fn settle(&self, job: JobId) -> rusqlite::Result<()> {
        let sql = "SELECT EXISTS (SELECT 1 FROM parts WHERE state = 'running' AND job = ?1)";
        let runs: bool =
            self.connection.prepare_cached(sql)?.query_row([job.to_string()], |row| row.get(0))?;
        if runs {
            return Ok(());
        }
        let paused = self.run(
            "UPDATE jobs SET state = 'paused', wish = 'run' WHERE id = ?1 AND wish = 'pause'",
            [job.to_string()],
        )? > 0;
        if paused {
            self.run(
                "UPDATE parts SET state = 'held' WHERE job = ?1 AND state = 'waiting'",
                [job.to_string()],
            )?;
        } else {
            self.run("UPDATE jobs SET state = 'queued' WHERE id = ?1", [job.to_string()])?;
        }
        Ok(())
    }

    /// Parts that were held wait again.
    pub(super) fn release(&self, job: JobId, anew: bool) -> rusqlite::Result<()> {
        let sql = if anew {
            "UPDATE parts SET state = 'waiting', lost = 0, due = 0 WHERE job = ?1 AND state = 'held'"
        } else {
            "UPDATE parts SET state = 'waiting', due = 0 WHERE job = ?1 AND state = 'held'"
        };
        self.run(sql, [job.to_string()])?;
        self.made_work();
        Ok(())
    }
}
