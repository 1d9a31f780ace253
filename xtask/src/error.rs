//! Why a chore failed.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// What we were doing when it failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot start {program}")]
    Start { program: String, source: io::Error },
    #[error("{command} failed ({status})")]
    Failed { command: String, status: ExitStatus },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read the workspace's metadata")]
    Metadata(#[from] cargo_metadata::Error),
    #[error("lint failed: {}", .0.join(", "))]
    Lint(Vec<String>),
    #[error("deploy/ is not as it should be: {}", .0.join(", "))]
    Deploy(Vec<String>),
    #[error("web/ is not as it should be: {}", .0.join(", "))]
    Web(Vec<String>),
    #[error("tidy found {0} things to mend")]
    Tidy(usize),
    #[error("{path}, octet {offset}: {what}")]
    Capture { path: PathBuf, offset: usize, what: &'static str },
    #[error("no shared data: set FLOWGAIT_DATA, or put it into ../shared/data")]
    NoSharedData,
    #[error("{command} did not answer in JSON")]
    Answer { command: String, source: serde_json::Error },
    #[error("cannot ask {service}")]
    Ask { service: String, source: io::Error },
    #[error("{0}")]
    Peer(String),
}
