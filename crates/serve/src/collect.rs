//! What is kept has an end: jobs with all that is theirs, uploads that never became a job, keys, leases.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::api::{App, seconds_now};
use crate::blobs::Blobs;
use crate::job::{Job, JobId, Query, State};
use crate::order::names;
use crate::work::told;

/// How often leases are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How often what belongs to nobody is looked for.
const SWEEP: Duration = Duration::from_secs(600);
/// How long something may be without a job: an upload takes its time.
const ORPHAN_SECONDS: i64 = 24 * 3600;
/// Changes read at a time.
const BATCH: usize = 500;

/// Tidies until the process ends.
pub(crate) async fn run(app: Arc<App>, mut ends: watch::Receiver<bool>) {
    take_leftovers(&app).await;
    let mut swept = Instant::now();
    // What ended before this process began is not its to count.
    let known = *app.store.revision().borrow();
    let mut since = app.store.latest().await.unwrap_or(known);
    let mut running: HashMap<JobId, ()> = HashMap::new();
    loop {
        tokio::select! {
            _ = ends.wait_for(|ends| *ends) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        match app.store.tidy().await {
            Ok(tidied) => {
                if tidied.redelivered > 0 {
                    tracing::warn!(
                        parts = tidied.redelivered,
                        "leases ended without an end; delivered again"
                    );
                }
                metrics::counter!("flowgait_redeliveries_total").increment(tidied.redelivered);
                metrics::counter!("flowgait_collected_total", "what" => "idempotency-keys")
                    .increment(tidied.keys);
                for job in &tidied.gone {
                    forget(&app, job).await;
                }
            }
            Err(error) => tracing::warn!(error = told(&error), "the store could not be tidied"),
        }
        app.rate.tidy();
        // What histograms are told is only kept until then, one number each, and a worker is seldom asked for its metrics.
        app.metrics.run_upkeep();
        since = follow(&app, since, &mut running).await;
        if swept.elapsed() >= SWEEP {
            sweep(&app).await;
            swept = Instant::now();
        }
    }
}

/// Jobs whose leftovers are looked for when a process begins.
const LEFTOVERS: usize = 200;

/// Takes away what jobs needed that succeeded just before the last process ended, so that nobody did.
async fn take_leftovers(app: &App) {
    let states = vec![State::Succeeded];
    let query = Query { states, most: LEFTOVERS, ..Query::default() };
    let Ok(jobs) = app.store.jobs(&query).await else { return };
    for job in jobs {
        if matches!(app.blobs.octets(&names::input(job.id)).await, Ok(Some(_))) {
            forget_input(&app.blobs, job.id).await;
        }
    }
}

/// Takes away what only the work on a job needed. What is left when this fails goes with the job.
pub(crate) async fn forget_input(blobs: &Blobs, job: JobId) {
    let chunks = blobs.delete_all(&names::chunks(job)).await;
    // The upload last: while it is there, what else is left is looked for.
    let input = blobs.delete(&names::input(job)).await;
    if let Err(error) = chunks.map(drop).and(input) {
        tracing::debug!(job.id = %job, error = told(&error), "what the job needed is still there");
    }
}

/// Takes away what was a job's.
async fn forget(app: &App, job: &Job) {
    match app.blobs.delete_all(&names::folder(job.id)).await {
        Ok(blobs) => {
            metrics::counter!("flowgait_collected_total", "what" => "blobs").increment(blobs);
            metrics::counter!("flowgait_collected_total", "what" => "jobs").increment(1);
        }
        // The sweep finds it later.
        Err(error) => {
            tracing::warn!(job.id = %job.id, error = told(&error), "its blobs are still there")
        }
    }
}

/// Counts what ended since it was last looked, here or elsewhere: what the backlog is reckoned by.
async fn follow(app: &App, mut since: u64, ended: &mut HashMap<JobId, ()>) -> u64 {
    loop {
        let Ok(jobs) = app.store.changes(since, BATCH).await else { return since };
        let Some(last) = jobs.last() else { return since };
        since = last.revision;
        for job in &jobs {
            if job.state.is_end() {
                // One that is tried again may end again.
                if ended.insert(job.id, ()).is_none() {
                    app.backlog.done(job.octets);
                    if job.state == State::Dead {
                        let labels = [("kind", job.kind.clone()), ("state", "dead".to_owned())];
                        metrics::counter!("flowgait_jobs_ended_total", &labels).increment(1);
                    }
                }
            } else {
                ended.remove(&job.id);
            }
        }
        if ended.len() > 10_000 {
            ended.clear();
        }
    }
}

/// Takes away what belongs to no job: uploads that broke off with the process.
async fn sweep(app: &App) {
    let Ok((folders, _)) = app.blobs.names("jobs").await else { return };
    for folder in folders {
        let Ok(id) = folder.parse::<JobId>() else { continue };
        if !matches!(app.store.job(id).await, Ok(None)) {
            continue;
        }
        let Ok(written) = app.blobs.last_written(&names::folder(id)).await else { continue };
        let now = seconds_now() as i64;
        // An upload that is under way is half-written, and listed nowhere.
        if written.is_some_and(|written| now - written > ORPHAN_SECONDS) {
            tracing::info!(job.id = folder, "blobs without a job are taken away");
            match app.blobs.delete_all(&names::folder(id)).await {
                Ok(blobs) => metrics::counter!("flowgait_collected_total", "what" => "blobs")
                    .increment(blobs),
                Err(error) => tracing::warn!(error = told(&error), "they are still there"),
            }
        }
    }
}
