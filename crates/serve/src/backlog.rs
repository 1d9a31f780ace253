//! How long the queue would take at the rate of late: what workers are added by.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::job::{Load, Millis};

/// What is measured over.
const WINDOW: Duration = Duration::from_secs(300);
/// A rate is that of at least this long.
const LEAST: Duration = Duration::from_secs(10);

/// Follows how much is done.
#[derive(Default)]
pub struct Backlog {
    /// When, and octets and jobs done by then.
    done: Mutex<Vec<(Instant, u64, u64)>>,
}

/// A job that is waited for without anything known of the rate is thought to take so long.
const UNKNOWN_SECONDS: f64 = 1.0;

impl Backlog {
    /// A job of so many octets is done.
    pub fn done(&self, octets: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, all, jobs) = done.last().copied().unwrap_or((Instant::now(), 0, 0));
        // One entry a second is enough.
        match done.last_mut() {
            Some(last) if last.0.elapsed() < Duration::from_secs(1) && jobs > 1 => {
                (last.1, last.2) = (all + octets, jobs + 1);
            }
            _ => done.push((Instant::now(), all + octets, jobs + 1)),
        }
        let old = done.iter().take_while(|(at, ..)| at.elapsed() > WINDOW).count();
        done.drain(..old);
    }

    /// Seconds until the queue is empty, at the rate of the last minutes; never less than the oldest has waited would say of a queue that stands.
    pub fn seconds(&self, load: &Load) -> f64 {
        if load.queued == 0 {
            return 0.0;
        }
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = seconds(load.oldest);
        let (Some(first), Some(last)) = (done.first(), done.last()) else {
            return waited.max(load.queued as f64 * UNKNOWN_SECONDS);
        };
        let window = first.0.elapsed().max(LEAST).as_secs_f64();
        let (octets, jobs) = ((last.1 - first.1) as f64, (last.2 - first.2 + 1) as f64);
        let by_jobs = load.queued as f64 * window / jobs;
        // Small jobs take as long as their number says, large ones as their octets.
        let by_octets = if octets > 0.0 { load.octets as f64 * window / octets } else { 0.0 };
        by_jobs.min(by_octets.max(UNKNOWN_SECONDS)).max(if by_octets > 0.0 {
            by_octets
        } else {
            by_jobs
        })
    }
}

fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_nothing_when_nothing_waits_and_grows_with_what_does() {
        let backlog = Backlog::default();
        assert_eq!(backlog.seconds(&Load::default()), 0.0);
        let load = |queued, octets| Load { queued, octets, ..Load::default() };
        let unknown = backlog.seconds(&load(10, 100));
        assert!(unknown.is_finite() && unknown >= 10.0);
        for _ in 0..10 {
            backlog.done(100);
        }
        let (some, more) = (backlog.seconds(&load(10, 1_000)), backlog.seconds(&load(40, 4_000)));
        assert!(some > 0.0 && more > some && more.is_finite());
    }
}
