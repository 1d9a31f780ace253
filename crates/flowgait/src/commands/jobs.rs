//! `flowgait jobs`: what a service has to do, for its operator.

use std::time::Duration;

use clap::Subcommand;
use flowgait_serve::job::{Job, JobId, Query, State, Steer, Steered};
use flowgait_serve::order::Order;
use flowgait_serve::store::sqlite::Visit;

use super::service::{self, StoreArgs};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait jobs list --state dead
  flowgait jobs retry 019b1e6c-3a0f-7c3e-9d59-0c0f2b0c4f11
  flowgait jobs drain --timeout 10m

It works on the store itself, also while no service runs.")]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The newest jobs
    List {
        /// Only those in these states
        #[arg(long, value_delimiter = ',')]
        state: Vec<State>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// All that is known of a job, as JSON
    Show {
        /// Its id
        id: JobId,
    },
    /// Have a job done again that failed, was cancelled, or died
    Retry {
        /// Its id
        id: JobId,
    },
    /// Take a job back
    Cancel {
        /// Its id
        id: JobId,
    },
    /// Wait until nothing waits and nothing runs
    Drain {
        /// Give up after this
        #[arg(long, default_value = "1h", value_parser = units::duration)]
        timeout: Duration,
    },
    /// Copy a sqlite store to a new file while it is used
    Backup {
        /// The file
        file: std::path::PathBuf,
    },
}

/// Does it.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    service::runtime()?.block_on(act(args, &mut config))
}

async fn act(args: &Args, config: &mut Config) -> Result<Outcome, Failure> {
    if let What::Backup { file } = &args.what {
        return back_up(args, file, config);
    }
    let store = args.store.visit(Visit::Look, config).await?;
    match &args.what {
        What::List { state, limit } => {
            let query = Query { states: state.clone(), most: *limit, ..Query::default() };
            output::out(&table(&store.jobs(&query).await?))?;
            let load = store.load().await?;
            output::note(&format!(
                "{} waiting, {} running, {} dead",
                units::grouped(load.queued),
                units::grouped(load.running),
                units::grouped(load.dead)
            ));
        }
        What::Show { id } => {
            let job = store.job(*id).await?.ok_or_else(|| none(*id))?;
            output::out(&format!("{}\n", shown(&job)))?;
        }
        What::Retry { id } => steer(&*store, *id, Steer::Retry).await?,
        What::Cancel { id } => steer(&*store, *id, Steer::Cancel).await?,
        What::Drain { timeout } => {
            let begun = std::time::Instant::now();
            loop {
                let load = store.load().await?;
                if load.queued + load.running == 0 {
                    output::note("nothing waits, nothing runs");
                    break;
                }
                if begun.elapsed() >= *timeout {
                    return Err(Failure::work(format!(
                        "{} still wait and {} run",
                        units::grouped(load.queued),
                        units::grouped(load.running)
                    )));
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
        What::Backup { .. } => {}
    }
    Ok(Outcome::Done)
}

fn back_up(args: &Args, file: &std::path::Path, config: &mut Config) -> Result<Outcome, Failure> {
    let place = args.store.place(config)?;
    let Some(folder) = place.strip_prefix("sqlite:") else {
        return Err(Failure::usage("Only a sqlite store is copied by this")
            .help("Redis is copied by its own means: BGSAVE, or its append-only file."));
    };
    let store = flowgait_serve::store::sqlite::SqliteStore::open(
        std::path::Path::new(folder),
        flowgait_serve::store::Limits::default(),
        Visit::Look,
    )?;
    store.back_up(file)?;
    output::note(&format!("copied to {}", file.display()));
    Ok(Outcome::Done)
}

fn none(id: JobId) -> Failure {
    Failure::work(format!("There is no job {id}")).help("flowgait jobs list shows the newest.")
}

async fn steer(
    store: &dyn flowgait_serve::store::JobStore,
    id: JobId,
    steer: Steer,
) -> Result<(), Failure> {
    match store.steer(id, steer).await? {
        Steered::Done(job) => {
            output::note(&format!("job {id} is {}", job.state.name()));
            Ok(())
        }
        Steered::NotNow(state) => {
            Err(Failure::work(format!("Job {id} is {}, which does not allow this", state.name())))
        }
        Steered::Unknown => Err(none(id)),
    }
}

fn table(jobs: &[Job]) -> String {
    if jobs.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "{:36}  {:9}  {:8}  {:20}  {:>9}  WHAT\n",
        "ID", "STATE", "KIND", "TAKEN IN", "SIZE"
    );
    for job in jobs {
        let order = Order::of(&job.order).ok();
        let upload = order.as_ref().and_then(Order::input);
        let mut what: Vec<String> = upload.map(|upload| upload.name.clone()).into_iter().collect();
        if job.parts > 1 && !job.state.is_end() {
            what.push(format!("{} of {} parts", job.parts_done, job.parts));
        }
        what.extend(job.reason.as_ref().map(|reason| reason.detail.clone()));
        let line = format!(
            "{:36}  {:9}  {:8}  {:20}  {:>9}  {}",
            job.id.to_string(),
            job.state.name(),
            job.kind,
            units::utc(job.created as i64 * 1_000_000),
            units::octets(job.octets),
            what.join(": ")
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn shown(job: &Job) -> String {
    let value = serde_json::json!({
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "owner": job.owner,
        "attempt": job.attempt,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "parts": job.parts,
        "parts_done": job.parts_done,
        "rows": job.rows,
        "octets": job.octets,
        "progress": job.progress,
        "reason": job.reason,
        "worker": job.worker,
        "order": job.order,
        "result": job.result,
    });
    serde_json::to_string_pretty(&value).expect("invariant: plain values")
}
