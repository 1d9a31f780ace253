//! What a forest's run keeps of each of its rounds, so that it can go on where it was.
//!
//! A round is a tree where the forest is grown from sums, and all trees of a client where they are pooled. In a file it is a line of JSON that
//! ends with a line feed and tells how long the tree is, and then the tree.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::secure::Traffic;

/// Most octets of a round's first line.
const LINE_MAX: usize = 1 << 16;

/// A round of a forest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeRound {
    /// What has grown.
    pub tree: Vec<u8>,
    /// How often all clients were asked.
    pub asked: u64,
    /// What went to all clients and came from them, in octets.
    pub traffic: Traffic,
    /// How many counts each release under noise showed; nothing without noise.
    pub releases: Vec<u64>,
    /// Epsilon spent when it was over, which the ledger keeps.
    pub epsilon: Option<f64>,
}

/// The first line of a round.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    octets: usize,
    asked: u64,
    down: u64,
    up: u64,
    releases: Vec<u64>,
}

impl TreeRound {
    /// The round as it stands in a file.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let line = Line {
            octets: self.tree.len(),
            asked: self.asked,
            down: self.traffic.down,
            up: self.traffic.up,
            releases: self.releases.clone(),
        };
        let mut octets = serde_json::to_vec(&line).expect("invariant: a line has plain fields");
        octets.push(b'\n');
        octets.extend_from_slice(&self.tree);
        octets
    }

    /// Reads a round from the begin of some octets; gives the others too.
    ///
    /// # Errors
    /// [`Error::State`] says what does not fit.
    pub fn read(octets: &[u8]) -> Result<(Self, &[u8]), Error> {
        let wrong = |why: &str| Error::State { why: why.to_owned() };
        let end = octets.iter().take(LINE_MAX).position(|octet| *octet == b'\n');
        let end = end.ok_or_else(|| wrong("a round of trees does not begin with a line"))?;
        let line: Line = serde_json::from_slice(&octets[..end])
            .map_err(|error| wrong(&format!("the line of a round of trees: {error}")))?;
        let (tree, rest) = octets[end + 1..]
            .split_at_checked(line.octets)
            .ok_or_else(|| wrong("a round of trees is cut off"))?;
        let Line { asked, down, up, releases, .. } = line;
        let traffic = Traffic { down, up };
        Ok((Self { tree: tree.to_vec(), asked, traffic, releases, epsilon: None }, rest))
    }

    /// Adds what one answer took.
    pub(super) fn took(&mut self, traffic: Traffic) {
        self.asked += 1;
        self.traffic = self.traffic + traffic;
    }
}

/// Rounds that were kept before, and what is to be done with each new one.
pub struct Keeping<'a, F> {
    /// What was kept, from the first round.
    pub past: &'a [TreeRound],
    /// Called when a round is over, before the next begins.
    pub after: F,
}

impl Keeping<'static, fn(&TreeRound) -> Result<(), Error>> {
    /// Nothing is kept.
    #[must_use]
    pub fn nothing() -> Self {
        Self { past: &[], after: |_| Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_come_back_from_their_file() {
        let round = |tree: &[u8]| TreeRound {
            tree: tree.to_vec(),
            asked: 4,
            traffic: Traffic { down: 9, up: 70 },
            releases: vec![12, 24],
            epsilon: None,
        };
        let rounds = [round(b"first\n"), round(b""), round(b"third")];
        let octets: Vec<u8> = rounds.iter().flat_map(TreeRound::to_octets).collect();
        let mut rest = &octets[..];
        for round in &rounds {
            let (read, after) = TreeRound::read(rest).unwrap();
            assert_eq!(&read, round);
            rest = after;
        }
        assert!(rest.is_empty());
        let one = rounds[0].to_octets();
        assert!((0..one.len()).all(|cut| TreeRound::read(&one[..cut]).is_err()));
    }
}
