//! What every run's folder has: a lock, so that one process at a time runs in it, and a ledger whose lines are on disk one by one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::ledger::{Entry, Ledger};

const LEDGER: &str = "ledger.jsonl";
const LOCK: &str = "run.lock";

/// A run's folder that no other process runs in. It is let go when this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    _file: File,
}

impl Locked {
    /// Takes a folder, which is made where it is not there.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process runs in it; [`Error::File`] when it cannot be made or locked.
    pub fn take(path: &Path) -> Result<Self, Error> {
        let failed = |what| move |source| Error::File { what, path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed("make the folder"))?;
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK));
        let file = file.map_err(failed("lock the folder"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed("lock the folder")(source)),
        }
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The ledger in a folder that is locked.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) folder: Locked,
    pub(super) ledger: Ledger,
}

impl Lines {
    /// Reads the ledger, and mends its end.
    pub(super) fn open(folder: Locked) -> Result<Self, Error> {
        let failed = |what| {
            let path = folder.path().to_owned();
            move |source| Error::File { what, path, source }
        };
        let ledger = folder.path().join(LEDGER);
        let text = match fs::read_to_string(&ledger) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(failed("read the ledger in"))?,
        };
        // A line without its end was being written when the run was killed: its round was never told.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            cut(&ledger, whole as u64).map_err(failed("mend the ledger in"))?;
        }
        let ledger = Ledger::read(&text[..whole])?;
        Ok(Self { folder, ledger })
    }

    /// Adds a round's line, which is on disk then.
    pub(super) fn add(&mut self, entry: Entry) -> Result<(), Error> {
        let mut line = self.ledger.add(entry);
        line.push('\n');
        let path = self.folder.path().join(LEDGER);
        append(&path, line.as_bytes()).map_err(|source| Error::File {
            what: "add to",
            path,
            source,
        })
    }
}

/// Adds to the end of a file, which is made where it is not there, and waits until that is on disk.
pub(super) fn append(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(octets)?;
    file.sync_data()
}

/// Cuts a file off behind so many octets.
pub(super) fn cut(path: &Path, octets: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(octets)
}
