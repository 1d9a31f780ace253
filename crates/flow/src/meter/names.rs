//! The names that DNS answers gave to addresses, as each packet of the stream may know them.
//!
//! Whether a flow sees an answer depends only on packet numbers, never on when the answer was entered: a flow is named by the latest
//! answer before its first packet, among the `names_max` answers that are the latest at that packet. So it makes no difference
//! that answers are entered a block at a time, nor where blocks end.

use std::collections::VecDeque;
use std::sync::Arc;

use flowgait_capture::{Block, Packet, Protocol};
use hashbrown::HashMap;

use crate::key::Pair;
use crate::names::answers;

const DNS_PORT: u16 = 53;

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Who asked, and the address it was given.
    pub pair: Pair,
    /// Number in the stream of the packet that gave it.
    pub ordinal: u64,
    pub name: Arc<str>,
}

#[derive(Debug)]
struct Known {
    answer: Answer,
    /// The answer before it about the same pair, counted from the first of all.
    before: Option<u64>,
}

/// The latest answers.
#[derive(Debug)]
pub(crate) struct KnownNames {
    latest: HashMap<Pair, u64, foldhash::fast::FixedState>,
    answers: VecDeque<Known>,
    /// Answers forgotten so far.
    forgotten: u64,
    names_max: usize,
}

impl KnownNames {
    pub fn new(names_max: usize) -> Self {
        Self { latest: HashMap::default(), answers: VecDeque::new(), forgotten: 0, names_max }
    }

    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Self::new(self.names_max);
    }

    /// Enters the answers of the next block, in order; before that, forgets those that none of its packets may know.
    pub fn enter(&mut self, answers: impl Iterator<Item = Answer>) {
        while self.answers.len() > self.names_max
            && let Some(oldest) = self.answers.pop_front()
        {
            if self.latest.get(&oldest.answer.pair) == Some(&self.forgotten) {
                self.latest.remove(&oldest.answer.pair);
            }
            self.forgotten += 1;
        }
        for answer in answers {
            let number = self.forgotten + self.answers.len() as u64;
            let before = self.latest.insert(answer.pair, number);
            self.answers.push_back(Known { answer, before });
        }
    }

    /// The name of the latest answer for a pair before packet `first`, as packet `now` may know it.
    pub fn find(&self, pair: Pair, first: u64, now: u64) -> Option<Arc<str>> {
        let mut number = *self.latest.get(&pair)?;
        loop {
            let at = usize::try_from(number.checked_sub(self.forgotten)?).ok()?;
            let known = self.answers.get(at)?;
            if known.answer.ordinal < first {
                let upto = self.answers.partition_point(|known| known.answer.ordinal < now);
                return (at + self.names_max >= upto).then(|| Arc::clone(&known.answer.name));
            }
            number = known.before?;
        }
    }
}

/// The answers in a packet, if it is a DNS response over UDP.
pub(crate) fn answers_of(packet: &Packet, ordinal: u64, block: &Block) -> Vec<Answer> {
    if packet.protocol != Protocol::UDP || packet.source_port != DNS_PORT || packet.fragment {
        return Vec::new();
    }
    let Some((name, addresses)) = answers(block.payload(packet)) else { return Vec::new() };
    let name: Arc<str> = name.into();
    addresses
        .into_iter()
        .map(|address| Answer {
            pair: (packet.destination, address),
            ordinal,
            name: Arc::clone(&name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use flowgait_capture::Address;

    use super::*;

    fn answer(server: u128, ordinal: u64, name: &str) -> Answer {
        Answer { pair: (Address(1), Address(server)), ordinal, name: name.into() }
    }

    fn find(names: &KnownNames, server: u128, first: u64) -> Option<String> {
        names.find((Address(1), Address(server)), first, first).map(|name| name.to_string())
    }

    #[test]
    fn the_latest_answer_before_the_flow_names_it() {
        let mut names = KnownNames::new(10);
        names.enter([answer(7, 3, "old"), answer(7, 9, "new")].into_iter());
        assert_eq!(find(&names, 7, 3), None);
        assert_eq!(find(&names, 7, 9), Some("old".into()));
        assert_eq!(find(&names, 7, 10), Some("new".into()));
        assert_eq!(find(&names, 8, 10), None);
    }

    #[test]
    fn what_is_forgotten_depends_on_packets_and_not_on_blocks() {
        let all = |blocks: &[usize]| {
            let mut names = KnownNames::new(2);
            let mut number = 0;
            let mut seen = Vec::new();
            for &length in blocks {
                let range = number..number + length as u64;
                names.enter(range.clone().map(|n| answer(u128::from(n % 4), n, &n.to_string())));
                for n in range {
                    seen.push((0..4).map(|server| find(&names, server, n)).collect::<Vec<_>>());
                }
                number += length as u64;
            }
            seen
        };
        let once = all(&[12]);
        assert_eq!(once, all(&[1; 12]));
        assert_eq!(once, all(&[5, 4, 3]));
        assert_eq!(once[4], [None, None, Some("2".into()), Some("3".into())]);
    }

    #[test]
    fn none_are_kept_when_none_are_wanted() {
        let mut names = KnownNames::new(0);
        names.enter([answer(7, 3, "a")].into_iter());
        assert_eq!(find(&names, 7, 4), None);
    }
}
