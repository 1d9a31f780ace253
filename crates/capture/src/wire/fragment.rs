//! Remembers the ports of first fragments, for those that follow them without.
//!
//! # Reference
//! RFC 791, section 3.2, and RFC 8200, section 4.5: source, destination, protocol and identification tell a datagram.

use std::collections::{HashMap, VecDeque};

use crate::packet::{Address, Protocol, Timestamp};

/// After this much packet time a datagram is given up; what Linux waits before it discards fragments.
const LIFETIME_NANOSECONDS: i64 = 30_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FragmentKey {
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) protocol: Protocol,
    pub(super) id: u32,
}

/// What a first fragment tells about the later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) protocol: Protocol,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
}

/// A bounded memory of first fragments, the oldest forgotten first.
#[derive(Debug)]
pub(super) struct Fragments {
    limit: usize,
    /// The value's last part is the turn in which it was remembered.
    origins: HashMap<FragmentKey, (Origin, Timestamp, u64)>,
    order: VecDeque<(FragmentKey, u64)>,
    turn: u64,
}

impl Fragments {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, origins: HashMap::new(), order: VecDeque::new(), turn: 0 }
    }

    pub(super) fn origin(&self, key: &FragmentKey, now: Timestamp) -> Option<Origin> {
        let (origin, time, _) = self.origins.get(key)?;
        // Time may run backwards a little; a datagram from the far future is another one just the same.
        let age = now.0.saturating_sub(time.0).saturating_abs();
        (age <= LIFETIME_NANOSECONDS).then_some(*origin)
    }

    pub(super) fn remember(&mut self, key: FragmentKey, origin: Origin, now: Timestamp) {
        if self.limit == 0 {
            return;
        }
        while self.order.len() >= self.limit {
            self.forget_oldest();
        }
        self.turn += 1;
        self.origins.insert(key, (origin, now, self.turn));
        self.order.push_back((key, self.turn));
    }

    fn forget_oldest(&mut self) {
        let Some((key, turn)) = self.order.pop_front() else { return };
        // The same datagram may have been remembered again since.
        if self.origins.get(&key).is_some_and(|(_, _, last)| *last == turn) {
            self.origins.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { protocol: Protocol::UDP, source_port: 1, destination_port: 2 };

    fn key(id: u32) -> FragmentKey {
        FragmentKey { source: Address(1), destination: Address(2), protocol: Protocol::UDP, id }
    }

    #[test]
    fn a_datagram_is_known_for_thirty_seconds() {
        let mut fragments = Fragments::new(4);
        fragments.remember(key(7), ORIGIN, Timestamp(0));
        assert_eq!(fragments.origin(&key(7), Timestamp(LIFETIME_NANOSECONDS)), Some(ORIGIN));
        assert_eq!(fragments.origin(&key(7), Timestamp(LIFETIME_NANOSECONDS + 1)), None);
        assert_eq!(fragments.origin(&key(7), Timestamp(-LIFETIME_NANOSECONDS - 1)), None);
        assert_eq!(fragments.origin(&key(8), Timestamp(0)), None);
    }

    #[test]
    fn the_oldest_is_forgotten_at_the_limit() {
        let mut fragments = Fragments::new(2);
        for id in 0..3 {
            fragments.remember(key(id), ORIGIN, Timestamp(0));
        }
        assert_eq!(fragments.origin(&key(0), Timestamp(0)), None);
        assert!(fragments.origin(&key(1), Timestamp(0)).is_some());
        assert!(fragments.origin(&key(2), Timestamp(0)).is_some());
        for _ in 0..100 {
            fragments.remember(key(9), ORIGIN, Timestamp(0));
        }
        assert!(fragments.origin(&key(9), Timestamp(0)).is_some(), "remembered again and again");
        assert!(fragments.origins.len() <= 2 && fragments.order.len() <= 2);
    }

    #[test]
    fn a_limit_of_nothing_remembers_nothing() {
        let mut fragments = Fragments::new(0);
        fragments.remember(key(1), ORIGIN, Timestamp(0));
        assert_eq!(fragments.origin(&key(1), Timestamp(0)), None);
    }
}
