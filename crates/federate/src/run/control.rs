//! What somebody outside wants of a run.

use std::sync::{Condvar, Mutex, PoisonError};

/// What is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Go on.
    #[default]
    Run,
    /// Wait before the next round.
    Pause,
    /// End before the next round.
    Stop,
}

/// Shared between a run and whoever leads it. A wish is looked at between rounds.
#[derive(Debug, Default)]
pub struct Control {
    wish: Mutex<Wish>,
    changed: Condvar,
}

impl Control {
    /// Says what is wanted from now on.
    pub fn wish(&self, wish: Wish) {
        *self.wish.lock().unwrap_or_else(PoisonError::into_inner) = wish;
        self.changed.notify_all();
    }

    /// Waits as long as a pause is wanted; gives what is wanted then.
    pub(super) fn wait(&self) -> Wish {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        while *wish == Wish::Pause {
            wish = self.changed.wait(wish).unwrap_or_else(PoisonError::into_inner);
        }
        *wish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_when_something_else_is_wanted() {
        let control = Control::default();
        assert_eq!(control.wait(), Wish::Run);
        control.wish(Wish::Pause);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| control.wait());
            control.wish(Wish::Stop);
            assert_eq!(waiting.join().unwrap(), Wish::Stop);
        });
    }
}
