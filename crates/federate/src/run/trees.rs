//! The folder of a run that makes a forest: its ledger, and its trees in one file, each of which is on disk before its line is.
//!
//! Killed between the two, the round was never told: the tree that no line tells of is cut off and grown again, from the same chance.
//! A line has the hash of all trees up to its round.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::lines::{Lines, Locked, append, cut};
use crate::error::Error;
use crate::forest::TreeRound;
use crate::ledger::{Entry, Ledger, hex};

const TREES: &str = "trees.bin";

/// The folder of a forest's run.
#[derive(Debug)]
pub struct TreeFolder {
    lines: Lines,
    /// Of all trees so far.
    hash: Sha256,
}

impl TreeFolder {
    /// Opens a folder that was taken; gives the rounds of a run that was begun in it.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read; [`Error::Ledger`] for a ledger that was changed; [`Error::State`] for trees that are not
    /// those that the ledger tells of.
    pub fn open(folder: Locked) -> Result<(Self, Vec<TreeRound>), Error> {
        let lines = Lines::open(folder)?;
        let path = lines.folder.path().join(TREES);
        let octets = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => {
                other.map_err(|source| Error::File { what: "read", path: path.clone(), source })?
            }
        };
        let (mut hash, mut rest, mut rounds) = (Sha256::new(), &octets[..], Vec::new());
        for entry in lines.ledger.entries() {
            let round = entry.round;
            let lost = |why: String| Error::State {
                why: format!(
                    "{TREES} has not the trees of round {round}, which the ledger tells of: {why}"
                ),
            };
            let (kept, after) = TreeRound::read(rest).map_err(|error| lost(error.to_string()))?;
            hash.update(&rest[..rest.len() - after.len()]);
            if hex(&hash.clone().finalize()) != entry.model {
                return Err(lost("their hash is another".to_owned()));
            }
            rounds.push(TreeRound { epsilon: entry.epsilon, ..kept });
            rest = after;
        }
        if !rest.is_empty() {
            // One tree may be there whose line was not yet written; more are of lines that were taken away.
            if TreeRound::read(rest).is_ok_and(|(_, after)| !after.is_empty()) {
                let why = format!(
                    "{TREES} has trees that the ledger does not tell of: put ledger.jsonl back, or take another folder"
                );
                return Err(Error::State { why });
            }
            let whole = (octets.len() - rest.len()) as u64;
            cut(&path, whole).map_err(|source| Error::File { what: "mend", path, source })?;
        }
        Ok((Self { lines, hash }, rounds))
    }

    /// Keeps a round: its tree and its line, whose hash and epsilon are filled in.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be written.
    pub fn keep(&mut self, round: &TreeRound, entry: Entry) -> Result<(), Error> {
        let octets = round.to_octets();
        let path = self.path().join(TREES);
        append(&path, &octets).map_err(|source| Error::File { what: "add to", path, source })?;
        self.hash.update(&octets);
        let model = hex(&self.hash.clone().finalize());
        self.lines.add(Entry { model, epsilon: round.epsilon, ..entry })
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.lines.ledger
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.lines.folder.path()
    }
}
