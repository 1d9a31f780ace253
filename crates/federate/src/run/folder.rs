//! A run's folder: its ledger and its state, written so that being killed at any moment loses no round that was told.
//!
//! After a round the state is written beside the old one, then the ledger gets its line, then the new state takes the old one's place.
//! Killed before the ledger's line, the round was never told and is run again; killed behind it, the new state is found by the
//! model's hash in the line and put in its place. So what the ledger says was spent is what was shown.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::lines::{Lines, Locked};
use super::state::State;
use crate::coordinator::Past;
use crate::error::Error;
use crate::ledger::{Entry, Ledger};

/// The folder of a run.
#[derive(Debug)]
pub struct Folder {
    lines: Lines,
}

const STATE: &str = "state.safetensors";
const NEXT: &str = "state.next.safetensors";

impl Folder {
    /// Takes a folder, which is made where it is not there; gives the state of a run that was begun in it.
    ///
    /// # Errors
    /// As [`Locked::take`] and [`opened`](Self::opened).
    pub fn open(path: &Path) -> Result<(Self, Option<State>), Error> {
        Self::opened(Locked::take(path)?)
    }

    /// Opens a folder that was taken; gives the state of a run that was begun in it.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read; [`Error::Ledger`] for a ledger that was changed; [`Error::State`] for a state
    /// that is not the one that the ledger tells of.
    pub fn opened(folder: Locked) -> Result<(Self, Option<State>), Error> {
        let folder = Self { lines: Lines::open(folder)? };
        let state = folder.state()?;
        Ok((folder, state))
    }

    /// The state that the ledger's last line tells of.
    fn state(&self) -> Result<Option<State>, Error> {
        let Some(last) = self.ledger().entries().last() else {
            // A state is put in place behind a line only: what was spent must not be forgotten with the ledger.
            if self.path().join(STATE).exists() {
                let why = format!(
                    "{STATE} is there and the ledger is not, which tells what was spent: put ledger.jsonl back, or take another folder"
                );
                return Err(Error::State { why });
            }
            return Ok(None);
        };
        for name in [STATE, NEXT] {
            let path = self.path().join(name);
            let Ok(octets) = fs::read(&path) else { continue };
            let Ok(state) = State::from_octets(&octets) else { continue };
            if state.round == last.round && state.model() == last.model {
                if state.line.as_deref().is_some_and(|line| Some(line) != self.ledger().last()) {
                    let why = "it is not the line that was kept with the state: it was changed";
                    return Err(Error::Ledger { line: last.round as usize, why: why.to_owned() });
                }
                if name == NEXT {
                    self.put_in_place()?;
                }
                return Ok(Some(state));
            }
        }
        let round = last.round;
        Err(Error::State {
            why: format!("no state of round {round}, which the ledger tells of last"),
        })
    }

    /// Keeps a round: its state and its line.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be written.
    pub fn keep(&mut self, state: State, entry: Entry) -> Result<(), Error> {
        let next = self.path().join(NEXT);
        let state = State { line: Some(self.ledger().hash_of(entry.clone())), ..state };
        written(&next, &state.to_octets()).map_err(|source| Error::File {
            what: "write the state to",
            path: next,
            source,
        })?;
        self.lines.add(entry)?;
        self.put_in_place()
    }

    /// The rounds of the ledger, as their cost depends on them.
    #[must_use]
    pub fn past(&self) -> Vec<Past> {
        self.ledger().past()
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

    fn put_in_place(&self) -> Result<(), Error> {
        let state = self.path().join(STATE);
        fs::rename(self.path().join(NEXT), &state).map_err(|source| Error::File {
            what: "put in place",
            path: state,
            source,
        })
    }
}

fn written(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(octets)?;
    file.sync_data()
}
