//! Where answers are written: pieces of a few megabytes, each under the digest of its content.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use crate::blobs::Blobs;
use crate::job::JobId;
use crate::order::{Piece, names};

/// Octets of a piece, as a rule.
const PIECE_OCTETS: usize = 8 << 20;

/// Writes pieces; cloned, since a table writer keeps the one it writes to.
#[derive(Clone)]
pub(super) struct PieceSink(Arc<Mutex<Inner>>);

struct Inner {
    job: JobId,
    blobs: Blobs,
    runtime: Handle,
    /// Octets to leave out yet: a header that an earlier piece has.
    skip: usize,
    open: Vec<u8>,
    pieces: Vec<Piece>,
}

impl PieceSink {
    /// Writes what belongs to a job, but for its first `skip` octets.
    pub(super) fn new(job: JobId, blobs: Blobs, skip: usize) -> Self {
        let (runtime, open, pieces) = (Handle::current(), Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Inner { job, blobs, runtime, skip, open, pieces })))
    }

    /// All pieces, the last one among them.
    pub(super) fn finish(&self) -> io::Result<Vec<Piece>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.open.is_empty() {
            inner.cut()?;
        }
        Ok(std::mem::take(&mut inner.pieces))
    }
}

impl Inner {
    fn cut(&mut self) -> io::Result<()> {
        let octets = std::mem::take(&mut self.open);
        let piece = Piece { sha256: hex(&Sha256::digest(&octets)), octets: octets.len() as u64 };
        // The name is the content's: written again by another worker, it is the same thing in the same place.
        let name = names::piece(self.job, &piece.sha256);
        self.runtime.block_on(self.blobs.put(&name, octets)).map_err(io::Error::other)?;
        self.pieces.push(piece);
        Ok(())
    }
}

impl Write for PieceSink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left_out = inner.skip.min(octets.len());
        inner.skip -= left_out;
        inner.open.extend_from_slice(&octets[left_out..]);
        if inner.open.len() >= PIECE_OCTETS {
            inner.cut()?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
