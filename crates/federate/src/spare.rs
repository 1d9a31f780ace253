//! Buffers that were used and wait to be used again.
//!
//! A round in which nobody learns is mostly memory: asking the system for the room of each update anew costs more than all the sums.

use std::sync::{Mutex, PoisonError};

/// Some buffers, for any thread.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    most: usize,
    kept: Mutex<Vec<Vec<f32>>>,
}

impl Spare {
    /// Keeps so many at most; 0 for none.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// An empty buffer, which may have room; the one that was given last, since it is nearest.
    pub(crate) fn take(&self) -> Vec<f32> {
        self.lock().pop().unwrap_or_default()
    }

    /// Takes a buffer back, if there is a place for it.
    pub(crate) fn give(&self, mut buffer: Vec<f32>) {
        let mut kept = self.lock();
        if kept.len() < self.most {
            buffer.clear();
            kept.push(buffer);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<f32>>> {
        // Whoever panicked between two of these lines left whole buffers.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_no_more_than_may_be_kept() {
        let spare = Spare::new(2);
        (1..=3).for_each(|size| spare.give(vec![1.0; size * 10]));
        let taken: Vec<Vec<f32>> = (0..3).map(|_| spare.take()).collect();
        assert!(taken.iter().all(Vec::is_empty));
        let room: Vec<usize> = taken.iter().map(Vec::capacity).collect();
        assert_eq!(room, [20, 10, 0]);
        let none = Spare::default();
        none.give(vec![1.0]);
        assert_eq!(none.take().capacity(), 0);
    }
}
