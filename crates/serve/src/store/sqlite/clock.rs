//! The time of jobs in SQLite.

use std::time::{Instant, SystemTime};

use crate::job::Millis;

/// Wall time that does not go back while the program runs, whatever becomes of the machine's clock.
#[derive(Debug)]
pub(super) struct Clock {
    begun: Instant,
    at: Millis,
}

impl Clock {
    /// `least` is the latest time that is known to have been.
    pub(super) fn start(least: Millis) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { begun: Instant::now(), at: (since.as_millis() as u64).max(least) }
    }

    /// The time, in milliseconds since 1970.
    pub(super) fn now(&self) -> Millis {
        self.at + self.begun.elapsed().as_millis() as u64
    }
}
