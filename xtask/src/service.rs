//! The service, for chores that ask it: the debug binary on a free port, over a fresh folder.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use crate::error::Error;
use crate::{process, project};

/// A running service; ended when this is dropped.
pub struct Service {
    child: Child,
    /// Where it is, `http://127.0.0.1:PORT`.
    pub url: String,
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
        let mut command = Command::new(program);
        // Nothing of the tester's own set-up changes its answers.
        command
            .current_dir(&folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args([
            "serve",
            "--bind",
            "127.0.0.1:0",
            "--store",
            "sqlite:data",
            "--blobs",
            "data",
        ]);
        if let Some(keys) = keys {
            fs::write(folder.join("keys"), keys).map_err(write)?;
            command.args(["--keys-file", "keys"]);
        }
        let shown = process::show(&command);
        eprintln!("$ {shown} &");
        let spawned =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|source| Error::Start { program: shown, source })?;
        let words = child.stderr.take().expect("piped above");
        let mut service = Self { child, url: String::new() };
        service.url = listening(words, &folder.join("log"))?;
        Ok(service)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

/// Where it says that it listens; what it says afterwards goes to a file.
fn listening(words: impl std::io::Read + Send + 'static, log: &Path) -> Result<String, Error> {
    let mut words = BufReader::new(words);
    let mut said = String::new();
    loop {
        let mut line = String::new();
        let count = words.read_line(&mut line);
        let count = count.map_err(|source| Error::Ask { service: "the service".into(), source })?;
        if count == 0 {
            return Err(Error::Peer(format!("the service did not begin: {said}")));
        }
        if let Some((_, url)) = line.trim_end().split_once("flowgait listens on ") {
            let url = url.to_owned();
            let file = fs::File::create(log);
            let mut file = file.map_err(|source| Error::Write { path: log.into(), source })?;
            thread::spawn(move || std::io::copy(&mut words.by_ref(), &mut file));
            return Ok(url);
        }
        said.push_str(&line);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
