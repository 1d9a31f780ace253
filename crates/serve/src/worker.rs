//! Workers: permits, claims, the work on threads of its own, and an end that gives back what it cannot finish.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use crate::collect;
use crate::error::Error;
use crate::hold::{Hold, Keeper};
use crate::job::{End, JobId, Lease, Reason, Standing};
use crate::store::JobStore;
use crate::work::{self, Shop};

/// How long a claim waits for work before it asks again; an end of the process waits as long for the last one.
const WAIT: Duration = Duration::from_secs(1);
/// How long a store that failed is left alone.
const REST: Duration = Duration::from_secs(1);
/// How often an end that could not be told is told again.
const TELL_AGAIN: Duration = Duration::from_millis(500);

/// Does a part of a job: the real one is [`ShopHands`], benches and tests have others.
pub trait Hands: Send + Sync + 'static {
    /// Does it, on a thread that may compute and wait; `None` when it is to be left alone.
    fn run(&self, lease: &Lease, hold: &Hold) -> Option<End>;

    /// The store has heard that a job succeeded: what only the work needed may go.
    fn succeeded(&self, _job: JobId) {}
}

/// The work itself.
pub struct ShopHands(pub Arc<Shop>);

impl Hands for ShopHands {
    fn run(&self, lease: &Lease, hold: &Hold) -> Option<End> {
        work::run(&self.0, lease, hold)
    }

    fn succeeded(&self, job: JobId) {
        let blobs = self.0.blobs.clone();
        tokio::spawn(async move { collect::forget_input(&blobs, job).await });
    }
}

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerParams {
    /// Its name, unlike any other's.
    pub name: String,
    /// Parts at a time.
    pub slots: usize,
    /// The store's lease.
    pub lease: Duration,
    /// How long it may take to end.
    pub grace: Duration,
}

/// Works until `ends` says so; then finishes what it has within the grace time, and gives the rest back.
///
/// # Errors
/// When the system gives no thread.
pub async fn run(
    store: Arc<dyn JobStore>,
    hands: Arc<dyn Hands>,
    params: WorkerParams,
    mut ends: watch::Receiver<bool>,
) -> Result<(), Error> {
    let keeper = Keeper::start(store.clone(), params.lease).map_err(|source| Error::System {
        doing: "start the thread that renews leases".to_owned(),
        source,
    })?;
    let keeper = Arc::new(keeper);
    let permits = Arc::new(Semaphore::new(params.slots));
    loop {
        // A permit comes before a claim: what is claimed is begun at once.
        let permit = tokio::select! {
            permit = permits.clone().acquire_owned() => permit.expect("invariant: never closed"),
            _ = ends.wait_for(|ends| *ends) => break,
        };
        let free = permits.available_permits();
        let claim = store.claim(&params.name, 1 + free, WAIT);
        tokio::pin!(claim);
        let claimed = tokio::select! {
            claimed = &mut claim => Some(claimed),
            _ = ends.wait_for(|ends| *ends) => None,
        };
        let Some(claimed) = claimed else {
            // Broken off, it might have been made all the same, and would count as a delivery lost.
            if let Ok(leases) = claim.await {
                give_back(&*store, &leases).await;
            }
            break;
        };
        let leases = match claimed {
            Ok(leases) => leases,
            Err(error) => {
                tracing::warn!(error = work::told(&error), "work could not be claimed");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let mut first = Some(permit);
        for lease in leases {
            let permit = match first.take() {
                Some(permit) => permit,
                None => permits.clone().try_acquire_owned().expect("invariant: counted above"),
            };
            let hold = keeper.hold(lease.claim.clone(), lease.job.wish);
            let (store, hands, keeper) = (store.clone(), hands.clone(), keeper.clone());
            tokio::spawn(async move {
                let job = lease.claim.job;
                one(&*store, hands, lease, hold.clone(), &keeper).await;
                tracing::debug!(job.id = %job, "part ended");
                drop(permit);
            });
        }
    }
    drain(&keeper, &permits, &params).await;
    Ok(())
}

/// Gives back what was claimed and not begun.
async fn give_back(store: &dyn JobStore, leases: &[Lease]) {
    for lease in leases {
        if let Err(error) = store.finish(&lease.claim, End::GivenBack).await {
            tracing::warn!(
                error = work::told(&error),
                "a part could not be given back; its lease ends by itself"
            );
        }
    }
}

/// Waits for what runs; after the grace time it is given back.
async fn drain(keeper: &Keeper, permits: &Semaphore, params: &WorkerParams) {
    let all = params.slots as u32;
    let running = keeper.count();
    if running > 0 {
        tracing::info!(running, "finishing what runs");
    }
    if tokio::time::timeout(params.grace, permits.acquire_many(all)).await.is_err() {
        tracing::info!(parts = keeper.count(), "giving back what did not end in time");
        keeper.give_all_back();
        // A batch may be under way; it looks up when it is through.
        let _ = tokio::time::timeout(Duration::from_secs(10), permits.acquire_many(all)).await;
    }
}

/// Does one part, and tells how it ended until the store has heard it or nobody waits for it any more.
async fn one(
    store: &dyn JobStore,
    hands: Arc<dyn Hands>,
    lease: Lease,
    hold: Arc<Hold>,
    keeper: &Keeper,
) {
    let begun = Instant::now();
    let (job, part, attempt) = (lease.claim.job, lease.claim.part, lease.attempt);
    let kind = lease.job.kind.clone();
    let claim = lease.claim.clone();
    tracing::info!(job.id = %job, part, attempt, kind, "part begun");
    let (of_thread, working) = (hold.clone(), hands.clone());
    let span = tracing::info_span!("part", job.id = %job, part, attempt);
    let done = tokio::task::spawn_blocking(move || {
        span.in_scope(|| {
            std::panic::catch_unwind(AssertUnwindSafe(|| working.run(&lease, &of_thread)))
        })
    })
    .await;
    let end = match done {
        Ok(Ok(end)) => end,
        _ => {
            tracing::error!(job.id = %job, part, "the work panicked");
            let told =
                "The program came to a state that it holds to be impossible; its log says where.";
            Some(End::Retry(Reason::new("panic", told), work::back_off(attempt)))
        }
    };
    if let Some(end) = end
        && tell(store, &hold, end, &kind, begun).await
    {
        hands.succeeded(job);
    }
    keeper.drop_claim(&claim);
}

/// Whether the job succeeded by it.
async fn tell(store: &dyn JobStore, hold: &Hold, end: End, kind: &str, begun: Instant) -> bool {
    let claim = hold.claim();
    let state = match &end {
        End::Succeeded(_) => Some("succeeded"),
        End::Failed(_) => Some("failed"),
        _ => None,
    };
    loop {
        match store.finish(claim, end.clone()).await {
            Ok(Standing::Held(_)) => {
                let seconds = begun.elapsed().as_secs_f64();
                tracing::info!(job.id = %claim.job, part = claim.part, seconds, end = name(&end), "part ended");
                if let Some(state) = state {
                    metrics::counter!("flowgait_jobs_ended_total", "kind" => kind.to_owned(), "state" => state)
                        .increment(1);
                    metrics::histogram!("flowgait_job_seconds", "kind" => kind.to_owned())
                        .record(seconds);
                }
                return state == Some("succeeded");
            }
            Ok(Standing::Lost) => {
                hold.note(Standing::Lost);
                return false;
            }
            Err(error) => {
                tracing::warn!(job.id = %claim.job, error = work::told(&error), "an end could not be told yet");
            }
        }
        if hold.next() == crate::hold::Next::Leave {
            return false;
        }
        tokio::time::sleep(TELL_AGAIN).await;
    }
}

fn name(end: &End) -> &'static str {
    match end {
        End::Succeeded(_) => "succeeded",
        End::Chunk(_) => "chunk",
        End::Split(_) => "split",
        End::Failed(_) => "failed",
        End::Retry(..) => "retry",
        End::GivenBack => "given back",
        End::Paused(_) => "paused",
    }
}
