//! Where the project's things lie.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The workspace's root.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("the xtask package lies in the workspace's root").to_path_buf()
}

/// The cargo that runs us, so that a `+toolchain` is kept.
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folder that cargo builds into.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Real captures and tables to test against, where they are: `FLOWGAIT_DATA`, or `../shared/data`.
pub fn shared_data() -> Option<PathBuf> {
    let named = env::var_os("FLOWGAIT_DATA").map(PathBuf::from);
    named.or_else(|| Some(root().join("../shared/data"))).filter(|folder| folder.is_dir())
}

/// The captures of a folder, by name, so that their order is always the same.
pub fn captures(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Error::Peer(format!("cannot list {}: {error}", folder.display())))?;
    let mut captures: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    captures.sort();
    Ok(captures)
}
