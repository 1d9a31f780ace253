//! What a service keeps its jobs in, and workers of their own over it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::service::{Process, Service, until};
use crate::support::Place;

/// A Redis of a story's own, with its append-only file; none, and that said aloud, where Redis is not installed.
pub struct Redis {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Redis {
    pub fn start() -> Option<Self> {
        let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if there.is_err() {
            eprintln!("skipped: there is no redis-server (cargo xtask test installs it)");
            return None;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = tempfile::tempdir().unwrap();
        let child = Self::spawn(&folder, port);
        Some(Self { child, folder, port })
    }

    fn spawn(folder: &tempfile::TempDir, port: u16) -> Child {
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ])
            .args(["--maxmemory-policy", "noeviction", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("redis", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok());
        child
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn again(&mut self) {
        self.child = Self::spawn(&self.folder, self.port);
    }

    /// `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap().success());
    }

    /// Less than it needs to begin with makes it full; `0` is no limit.
    pub fn limit_memory(&self, octets: &str) {
        let port = self.port.to_string();
        let mut ask = Command::new("redis-cli");
        ask.args(["-p", &port, "config", "set", "maxmemory", octets]);
        assert!(ask.output().unwrap().status.success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a service keeps its jobs in.
pub enum Backing {
    Sqlite,
    Redis(Redis),
}

impl Backing {
    /// A Redis of its own; none, and that said aloud, where Redis is not installed.
    pub fn redis() -> Option<Self> {
        Redis::start().map(Self::Redis)
    }

    /// The store's name.
    pub fn store(&self) -> String {
        match self {
            Self::Sqlite => "sqlite:data".to_owned(),
            Self::Redis(redis) => redis.url(),
        }
    }

    /// Starts a service over it.
    pub fn serve(&self, place: &Place, args: &[&str], environment: &[(&str, &str)]) -> Service {
        let store = self.store();
        let base = ["--store", &store, "--blobs", "data"];
        Service::start(place, &[&base[..], args].concat(), environment)
    }
}

/// Starts a worker of its own.
pub fn worker(place: &Place, redis: &Redis, environment: &[(&str, &str)]) -> Process {
    worker_over(place, redis, "data", environment)
}

/// The same where uploads and results lie elsewhere.
pub fn worker_over(
    place: &Place,
    redis: &Redis,
    blobs: &str,
    environment: &[(&str, &str)],
) -> Process {
    let url = redis.url();
    let mut command =
        place.command(&["worker", "--store", &url, "--blobs", blobs, "--workers", "1"]);
    command.envs(environment.iter().copied()).env("PATH", std::env::var("PATH").unwrap());
    Process::start(command, "flowgait works for").0
}
