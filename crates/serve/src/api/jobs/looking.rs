//! What is computed while somebody waits: few at a time, and no longer than anybody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::problem::Problem;

/// How long a place is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Views made at a time: each needs some 60 MB, and 250 MB at the worst.
const VIEWS: usize = 1;
/// Rows looked at in detail at a time.
const ROWS: usize = 2;

/// How many may be computed at a time.
pub(crate) struct Looking {
    pub views: Arc<Semaphore>,
    pub rows: Arc<Semaphore>,
}

impl Default for Looking {
    fn default() -> Self {
        Self { views: Arc::new(Semaphore::new(VIEWS)), rows: Arc::new(Semaphore::new(ROWS)) }
    }
}

/// Says, when it is dropped, that nobody waits any longer.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Whether to go on.
pub(crate) struct Asked {
    is_gone: Arc<AtomicBool>,
    /// Until when it may compute.
    until: Instant,
}

impl Asked {
    /// Whether somebody waits.
    pub(crate) fn is_waited_for(&self) -> bool {
        !self.is_gone.load(Ordering::Acquire)
    }

    /// Whether somebody waits, and its time is not over.
    pub(crate) fn goes_on(&self) -> bool {
        self.is_waited_for() && Instant::now() < self.until
    }
}

/// Computes on a thread of its own, once there is a place. It is to stop when it is told so, and soon.
pub(crate) async fn compute<T: Send + 'static>(
    places: &Arc<Semaphore>,
    time: Duration,
    work: impl FnOnce(&Asked) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let place = tokio::time::timeout(PATIENCE, places.clone().acquire_owned()).await;
    let Ok(Ok(place)) = place else {
        let told = "Others wait for the same kind of look at their rows. Ask again later.";
        return Err(Problem::unavailable(told).after(5));
    };
    let waiting = Waiting(Arc::default());
    let asked = Asked { is_gone: waiting.0.clone(), until: Instant::now() + time };
    let done = tokio::task::spawn_blocking(move || {
        // The place is free when the thread is, not when nobody waits any longer.
        let _place = place;
        work(&asked)
    });
    let done = done.await;
    drop(waiting);
    done.map_err(|_| Problem::internal("The log has the reason under this request's id."))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_nobody_waits_for_ends_and_frees_its_place() {
        let places = Arc::new(Semaphore::new(1));
        let long = Duration::from_secs(3600);
        let endless = |asked: &Asked| {
            while asked.goes_on() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(asked.is_waited_for())
        };
        let given_up = compute(&places, long, endless);
        assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
        // The next one has the place, and ends with its time.
        assert!(compute(&places, Duration::ZERO, endless).await.unwrap());
        assert_eq!(places.available_permits(), 1);
    }
}
