//! A file that appears under its name only when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file under a temporary name; [`AtomicFile::commit`] gives it its own, dropping it removes it.
///
/// What is no regular file (a device, a named pipe) cannot be replaced by a rename and is written directly.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Direct,
    Temporary { temporary: PathBuf, target: PathBuf },
    Committed,
}

/// Temporary names tried before giving up; one is taken only when a run with this process number died.
const NAMES_MAX: u32 = 100;

impl AtomicFile {
    /// Begins a file.
    ///
    /// # Errors
    /// When the folder is not there or not writable, or when `path` is a folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        // A link keeps pointing to its file: the file is replaced, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        match fs::metadata(&target) {
            Ok(found) if found.is_dir() => {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
            }
            Ok(found) if !found.is_file() => {
                let file = OpenOptions::new().write(true).open(&target)?;
                return Ok(Self { file, place: Place::Direct });
            }
            _ => {}
        }
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        for attempt in 0..NAMES_MAX {
            let temporary =
                target.with_file_name(format!(".{name}.{}-{attempt}.partial", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    return Ok(Self { file, place: Place::Temporary { temporary, target } });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "every temporary name beside it is taken"))
    }

    /// Whether this is a file with a name, and not a device or a pipe.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        !matches!(self.place, Place::Direct)
    }

    /// Makes the content durable, then gives the file its name.
    ///
    /// # Errors
    /// When the system cannot do either; the file is then removed.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Place::Temporary { temporary, target } = &self.place {
            self.file.sync_all()?;
            fs::rename(temporary, target)?;
            // The new name is on disk when its folder is; not every system lets one sync a folder.
            if let Some(Ok(folder)) = target.parent().map(File::open) {
                let _ = folder.sync_all();
            }
            self.place = Place::Committed;
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Place::Temporary { temporary, .. } = &self.place {
            // Nothing can be done about a file that cannot be removed, and the error that led here matters more.
            let _ = fs::remove_file(temporary);
        }
    }
}
