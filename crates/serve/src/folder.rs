//! A folder that a service makes for itself.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Makes a folder, if it is not there, that nobody else on this machine may look into: it holds what others sent.
pub(crate) fn make_private(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
