//! The service, for chores that ask it: the debug binary on a free port, over a fresh folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::server::{self, Server};
use crate::{process, project};

/// A running service; ended when this is dropped.
pub struct Service {
    _server: Server,
    port: u16,
}

/// Builds the binary as the tests do, so that nothing large is built twice.
pub fn build() -> Result<PathBuf, Error> {
    process::run(&mut process::cargo(["test", "--workspace", "--no-run", "--quiet"]))?;
    Ok(project::target().join("debug/flowgait"))
}

impl Service {
    /// Starts it over a folder of this name below `target`, which is emptied before.
    pub fn start(program: &Path, name: &str, keys: Option<&str>) -> Result<Self, Error> {
        let folder = project::target().join(name);
        let write = |source| Error::Write { path: folder.clone(), source };
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(write)?;
        }
        fs::create_dir_all(&folder).map_err(write)?;
        let port = server::free_port()?;
        let mut command = Command::new(program);
        // Nothing of the tester's own set-up changes its answers.
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.current_dir(&folder).env_clear().env("PATH", path);
        command.args(["serve", "--bind", &format!("127.0.0.1:{port}")]);
        command.args(["--store", "sqlite:data", "--blobs", "data"]);
        if let Some(keys) = keys {
            fs::write(folder.join("keys"), keys).map_err(write)?;
            command.args(["--keys-file", "keys"]);
        }
        let mut server = Server::start("service", &mut command, &folder)?;
        server.wait_for_page(port, "/readyz")?;
        Ok(Self { _server: server, port })
    }

    /// Where it is, `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
