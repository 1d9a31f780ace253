//! A Redis of a test's own, which it may stop, kill and fill.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A running server; it ends with this.
pub(super) struct Daemon {
    child: Child,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
}

impl Daemon {
    /// Starts one that a store can use; none, and that said aloud, where Redis is not installed.
    pub(super) async fn start(test: &str) -> Option<Self> {
        Self::with(test, &["--appendonly", "yes", "--maxmemory-policy", "noeviction"]).await
    }

    /// Starts one that loses nothing at all when it is killed.
    pub(super) async fn lasting(test: &str) -> Option<Self> {
        let settings = ["--appendonly", "yes", "--appendfsync", "always"];
        Self::with(test, &settings).await
    }

    /// Starts one with other settings.
    pub(super) async fn with(test: &str, settings: &[&str]) -> Option<Self> {
        let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if there.is_err() {
            eprintln!("skipped, for there is no redis-server: {test}");
            return None;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = TempDir::new().unwrap();
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let child = spawn(&folder, port, &settings);
        let daemon = Self { child, folder, port, settings };
        daemon.answers().await;
        Some(daemon)
    }

    /// Where it is.
    pub(super) fn place(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it is, with keys that no other store uses.
    pub(super) fn url(&self) -> String {
        fresh(&self.place())
    }

    /// As a power switch would for this process; what it gave to the operating system stays.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(super) async fn again(&mut self) {
        self.child = spawn(&self.folder, self.port, &self.settings);
        self.answers().await;
    }

    /// `STOP` or `CONT`.
    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap().success());
    }

    /// Has it do something.
    pub(super) async fn tell<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.place()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
    }

    async fn answers(&self) {
        let client = redis::Client::open(self.place()).unwrap();
        for _ in 0..400 {
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING").exec_async(&mut connection).await.is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("redis-server does not answer");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Killed, one that is stopped ends too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address with keys that no other store uses.
pub(super) fn fresh(place: &str) -> String {
    format!("{place}?prefix=test-{:016x}", rand::random::<u64>())
}

fn spawn(folder: &TempDir, port: u16, settings: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder.path())
        .args(settings)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
