//! The dashboard's stories: the real binary, seen through Chromium.

use std::path::{Path, PathBuf};

use super::node::Node;
use crate::compare::peers;
use crate::error::Error;
use crate::{process, project, service};

/// A person's own choice of a browser.
const BROWSER: &str = "FLOWGAIT_CHROMIUM";

/// Runs them; without a browser they are left out, and that is said.
pub fn run(node: &Node, runner: &[String]) -> Result<(), Error> {
    if std::env::var_os(BROWSER).is_none()
        && let Err(error) = peers::debian("chromium", "chromium")
    {
        eprintln!("skipped: the stories of web/ in a browser ({error})");
        return Ok(());
    }
    if let Err(error) = peers::debian("redis-server", "redis-server") {
        eprintln!("redis: absent ({error}); stories that need it say `skipped:` below");
    }
    let program = program()?;
    let mut command = node.npm(["run", "stories", "--"]);
    process::run(command.args(runner).env("FLOWGAIT_BIN", program))
}

/// The binary that a person names, else the one that the tests build.
fn program() -> Result<PathBuf, Error> {
    match std::env::var_os("FLOWGAIT_BIN") {
        Some(named) => Ok(absolute(Path::new(&named))),
        None => Ok(absolute(&service::build()?)),
    }
}

/// The stories run in `web/`, and a build folder may be named from elsewhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| project::root().join(path))
}
