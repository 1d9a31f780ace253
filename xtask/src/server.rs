//! Servers that run for a chore: started with a log of their own, stopped by their process ids.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::compare::{cost, peers};
use crate::error::Error;
use crate::http::{Connection, Request};
use crate::process;

/// How long a server may take until it answers, and until it has ended.
const START_MAX: Duration = Duration::from_mins(1);
const END_MAX: Duration = Duration::from_secs(15);

/// A running program that ends when this is dropped.
pub struct Server {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Server {
    /// Starts a program; what it says goes to `FOLDER/NAME.log`.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> Result<Self, Error> {
        let shown = process::show(command);
        eprintln!("$ {shown} &");
        let log = folder.join(format!("{name}.log"));
        let files = File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, errors) = files.map_err(|source| Error::Write { path: log.clone(), source })?;
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        let child = command.spawn().map_err(|source| Error::Start { program: shown, source })?;
        Ok(Self { name: name.to_owned(), log, child })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Has it stand still for so long.
    pub fn sleep(&self, time: Duration) -> Result<(), Error> {
        let signal =
            |name: &str| process::run(Command::new("kill").args([name, &self.id().to_string()]));
        signal("-STOP")?;
        thread::sleep(time);
        signal("-CONT")
    }

    /// Waits until `ready` says so.
    pub fn wait_for(&mut self, mut ready: impl FnMut() -> bool) -> Result<(), Error> {
        let begin = Instant::now();
        while !ready() {
            let ended = !matches!(self.child.try_wait(), Ok(None));
            if ended || begin.elapsed() > START_MAX {
                let how = if ended { "ended" } else { "does not answer" };
                let log = self.log.display();
                return Err(Error::Peer(format!("{} {how}; {log} may say why", self.name)));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Waits until a GET of `path` is answered by 200.
    pub fn wait_for_page(&mut self, port: u16, path: &str) -> Result<(), Error> {
        let page = Request::get(path);
        let ask = || Connection::open(port).and_then(|mut to| to.ask(&page));
        self.wait_for(|| ask().is_ok_and(|answer| answer.status == 200))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let signal = |name: &str, id: u32| {
            process::works(Command::new("kill").args([name, &id.to_string()]));
        };
        signal("-TERM", self.id());
        let begin = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if begin.elapsed() > END_MAX {
                eprintln!("{} does not end; it is killed with all below it", self.name);
                cost::family(&[self.id()]).into_iter().for_each(|id| signal("-KILL", id));
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A port that is free now.
pub fn free_port() -> Result<u16, Error> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    let bound = bound.map_err(|source| Error::Ask { service: "for a free port".into(), source })?;
    Ok(bound.port())
}

/// A Redis that forgets nothing: every write in a file within a second, and none thrown out. Its snapshots are off, as
/// the file is enough.
pub fn redis(folder: &Path) -> Result<(Server, String), Error> {
    let port = free_port()?;
    Ok((redis_at(folder, port, "everysec")?, format!("redis://127.0.0.1:{port}")))
}

/// The same at a port, with what was in its file, and syncs as often as that.
pub fn redis_at(folder: &Path, port: u16, appendfsync: &str) -> Result<Server, Error> {
    let mut command = peers::debian("redis-server", "redis-server")?;
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
    command.args(["--appendonly", "yes", "--appendfsync", appendfsync]);
    command.args(["--maxmemory-policy", "noeviction"]).arg("--dir").arg(folder);
    let mut server = Server::start("redis", &mut command, folder)?;
    server.wait_for(|| std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_ends_when_it_is_dropped_and_one_that_ended_is_told() {
        let folder = std::env::temp_dir().join(format!("flowgait-server-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let server = Server::start("sleeper", Command::new("sleep").arg("60"), &folder);
        let server = server.expect("it starts");
        let id = server.id();
        assert_eq!(cost::family(&[id]), [id]);
        drop(server);
        assert!(cost::family(&[id]).is_empty());

        let mut gone =
            Server::start("gone", &mut Command::new("true"), &folder).expect("it starts");
        assert!(gone.wait_for(|| false).is_err());
        let _ = std::fs::remove_dir_all(&folder);
    }
}
