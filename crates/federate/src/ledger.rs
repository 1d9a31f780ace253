//! What each round did and cost, one line a round, each with the hash of the line before.
//!
//! A line that was changed, put in or taken out breaks the chain behind it, and reading says where. The chain tells accidents and
//! clumsy edits, not an attacker who writes all of it anew: who must be sure keeps the last hash elsewhere.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::coordinator::Past;
use crate::error::Error;

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Which round, from 1.
    pub round: u64,
    /// How many clients were asked; with amplification by sampling their expected number, since the true one would tell who took part.
    pub cohort: f64,
    /// How many answered; none where that would tell who took part.
    pub survivors: Option<usize>,
    /// Whether the parameters changed; a round with too few answers leaves them as they were.
    pub is_done: bool,
    /// The clip norm of the round.
    pub clip_norm: Option<f64>,
    /// The noise multiplier of the round.
    pub noise_multiplier: Option<f64>,
    /// Epsilon spent when the round was over.
    pub epsilon: Option<f64>,
    /// The hash of the parameters after the round, in hex.
    pub model: String,
    /// The hash of the line before, in hex; of nothing for the first.
    pub previous: String,
}

/// The lines of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// Hash of the last line.
    last: Option<String>,
}

impl Ledger {
    /// Reads a ledger and checks its chain.
    ///
    /// # Errors
    /// [`Error::Ledger`] names the first line that is no entry, does not follow the one before, or spends less than it.
    pub fn read(text: &str) -> Result<Self, Error> {
        let mut ledger = Self::default();
        for (at, line) in text.lines().enumerate() {
            let wrong = |why: String| Error::Ledger { line: at + 1, why };
            let entry: Entry = serde_json::from_str(line)
                .map_err(|error| wrong(format!("it is no entry of a ledger: {error}")))?;
            if entry.previous != ledger.previous() {
                let why = "the hash of the line before does not fit: a line was changed, put in or taken out";
                return Err(wrong(why.to_owned()));
            }
            let expected = at as u64 + 1;
            if entry.round != expected {
                return Err(wrong(format!(
                    "it tells of round {}, where round {expected} belongs",
                    entry.round
                )));
            }
            let before = ledger.entries.last().and_then(|entry| entry.epsilon).unwrap_or(0.0);
            if entry.epsilon.is_some_and(|epsilon| epsilon < before) {
                return Err(wrong("epsilon is lower than in the line before".to_owned()));
            }
            ledger.last = Some(hex(&Sha256::digest(line.as_bytes())));
            ledger.entries.push(entry);
        }
        Ok(ledger)
    }

    /// Adds a round, whose `previous` is filled in; gives its line, without a line feed.
    pub fn add(&mut self, entry: Entry) -> String {
        let (entry, line) = self.next(entry);
        self.last = Some(hex(&Sha256::digest(line.as_bytes())));
        self.entries.push(entry);
        line
    }

    /// The hash of the line that [`add`](Self::add) would give, in hex.
    #[must_use]
    pub fn hash_of(&self, entry: Entry) -> String {
        hex(&Sha256::digest(self.next(entry).1.as_bytes()))
    }

    fn next(&self, entry: Entry) -> (Entry, String) {
        let entry = Entry { previous: self.previous(), ..entry };
        let line = serde_json::to_string(&entry).expect("invariant: an entry has plain fields");
        (entry, line)
    }

    /// The hash of the last line, in hex.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// The rounds.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The rounds, as their cost depends on them. A round is paid for when epsilon is above that of the line before, whether or not its sum
    /// was shown in the end.
    #[must_use]
    pub fn past(&self) -> Vec<Past> {
        let mut before = None;
        let past = |entry: &Entry| {
            let is_paid = entry.epsilon > before;
            before = entry.epsilon;
            Past { survivors: entry.survivors.unwrap_or_default(), is_paid }
        };
        self.entries.iter().map(past).collect()
    }

    fn previous(&self) -> String {
        self.last.clone().unwrap_or_default()
    }
}

/// The hash of parameters, in hex: SHA-256 of their 32-bit floats, little end first.
#[must_use]
pub fn digest(parameters: &[f32]) -> String {
    let mut hash = Sha256::new();
    for part in parameters.chunks(1 << 12) {
        let octets: Vec<u8> = part.iter().flat_map(|value| value.to_le_bytes()).collect();
        hash.update(&octets);
    }
    hex(&hash.finalize())
}

/// Octets in hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").expect("invariant: text takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rounds: u64) -> Vec<String> {
        let mut ledger = Ledger::default();
        let entry = |round| Entry {
            round,
            cohort: 10.0,
            survivors: Some(9),
            is_done: true,
            clip_norm: Some(1.0),
            noise_multiplier: Some(1.1),
            epsilon: Some(0.1 * round as f64),
            model: digest(&[round as f32]),
            previous: String::new(),
        };
        (1..=rounds).map(|round| ledger.add(entry(round))).collect()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let lines = written(4);
        let ledger = Ledger::read(&lines.join("\n")).unwrap();
        assert_eq!(ledger.entries().len(), 4);
        assert_eq!(ledger.entries()[2].round, 3);
        assert_eq!(Ledger::read("").unwrap(), Ledger::default());
    }

    #[test]
    fn an_edited_ledger_says_where() {
        let told = |lines: &[String]| Ledger::read(&lines.join("\n")).unwrap_err().to_string();
        let mut changed = written(4);
        changed[1] = changed[1].replace("\"epsilon\":0.2", "\"epsilon\":0.1");
        assert!(told(&changed).starts_with("ledger, line 3: the hash of the line before"));
        let mut cut = written(4);
        cut.remove(1);
        assert!(told(&cut).starts_with("ledger, line 2: the hash of the line before"));
        let mut first = written(4);
        first.remove(0);
        assert!(told(&first).starts_with("ledger, line 1: "));
        assert!(told(&["nonsense".to_owned()]).starts_with("ledger, line 1: it is no entry"));
    }

    #[test]
    fn what_was_paid_for_and_came_to_nothing_stays_paid() {
        let first = Ledger::read(&written(1).join("\n")).unwrap().entries()[0].clone();
        let mut ledger = Ledger::default();
        for (round, is_done, epsilon) in [(1, true, 1.0), (2, false, 1.5), (3, false, 1.5)] {
            ledger.add(Entry { round, is_done, epsilon: Some(epsilon), ..first.clone() });
        }
        let paid: Vec<bool> = ledger.past().iter().map(|round| round.is_paid).collect();
        assert_eq!(paid, [true, true, false]);
    }

    #[test]
    fn epsilon_never_falls() {
        let mut ledger = Ledger::default();
        let first = Ledger::read(&written(1).join("\n")).unwrap().entries()[0].clone();
        let lines = [
            ledger.add(Entry { epsilon: Some(2.0), ..first.clone() }),
            ledger.add(Entry { round: 2, epsilon: Some(1.0), ..first }),
        ];
        let told = Ledger::read(&lines.join("\n")).unwrap_err().to_string();
        assert_eq!(told, "ledger, line 2: epsilon is lower than in the line before");
    }
}
