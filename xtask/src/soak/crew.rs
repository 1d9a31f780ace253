//! The processes that are soaked: started, struck, started again, and looked at.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::caller::{Count, Counts};
use crate::error::Error;
use crate::server::{self, Server};

/// Longer than a lease.
const ASLEEP: Duration = Duration::from_secs(12);
/// Longer than seven.
const REDIS_ASLEEP: Duration = Duration::from_mins(1);

/// Ended jobs go soon, so that what is kept is as much after an hour as after a few minutes.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("FLOWGAIT_SERVE_KEEP", "2m"),
    ("FLOWGAIT_SERVE_LEASE", "8s"),
    ("FLOWGAIT_SERVE_CHUNK_OCTETS", "500k"),
];

/// A process, by what it is.
struct Member {
    name: &'static str,
    arguments: Vec<String>,
    server: Option<Server>,
}

/// All of them.
pub struct Crew {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    members: Vec<Member>,
    /// With its port. Last, so that it ends after those that use it.
    redis: Option<(Server, u16)>,
}

impl Crew {
    pub fn start(program: PathBuf, folder: PathBuf, over_redis: bool) -> Result<Self, Error> {
        let port = server::free_port()?;
        let redis = if over_redis {
            let port = server::free_port()?;
            Some((server::redis_at(&folder, port, "always")?, port))
        } else {
            None
        };
        let store = match &redis {
            Some((_, port)) => format!("redis://127.0.0.1:{port}"),
            None => "sqlite:data".to_owned(),
        };
        let bind = format!("127.0.0.1:{port}");
        let member = |name, words: &[&str]| -> Member {
            let words = [words, &["--store", &store, "--blobs", "data"]].concat();
            let arguments = words.into_iter().map(str::to_owned).collect();
            Member { name, arguments, server: None }
        };
        let members = if over_redis {
            vec![
                member("worker 1", &["worker", "--workers", "1"]),
                member("worker 2", &["worker", "--workers", "1"]),
                member("API", &["serve", "--workers", "0", "--bind", &bind]),
            ]
        } else {
            vec![member("service", &["serve", "--workers", "2", "--bind", &bind])]
        };
        let mut crew = Self { program, folder, port, members, redis };
        for member in 0..crew.members.len() {
            crew.begin(member)?;
        }
        let api = crew.members.last_mut().and_then(|member| member.server.as_mut());
        api.expect("just started").wait_for_page(port, "/readyz")?;
        Ok(crew)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn begin(&mut self, member: usize) -> Result<(), Error> {
        let member = &mut self.members[member];
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args(&member.arguments).envs(ENVIRONMENT);
        member.server = Some(Server::start(member.name, &mut command, &self.folder)?);
        Ok(())
    }

    /// Kills one, and starts it again.
    fn kill(&mut self, member: usize) -> Result<(), Error> {
        if let Some(mut server) = self.members[member].server.take() {
            server.kill();
        }
        self.begin(member)
    }

    /// The next of everything that can be done to them, in turn.
    pub fn strike(&mut self, blow: usize) -> Result<(), Error> {
        let members = self.members.len();
        let redis = self.redis.as_mut();
        match (blow % (members + 3)).checked_sub(members) {
            None => self.kill(blow % (members + 3)),
            Some(0) => {
                let first = self.members[0].server.as_ref();
                first.map_or(Ok(()), |worker| worker.sleep(ASLEEP))
            }
            Some(1) => redis.map_or(Ok(()), |(server, _)| server.sleep(REDIS_ASLEEP)),
            Some(_) => redis.map_or(Ok(()), |(server, port)| {
                server.kill();
                *server = server::redis_at(&self.folder, *port, "always")?;
                Ok(())
            }),
        }
    }

    /// The first worker dies. Where no worker is a process of its own nothing does, so that memory can be looked at.
    pub fn strike_a_worker(&mut self) -> Result<(), Error> {
        if self.members.len() > 1 { self.kill(0) } else { Ok(()) }
    }

    fn servers(&self) -> impl Iterator<Item = (&'static str, &Server)> {
        let redis = self.redis.iter().map(|(server, _)| ("Redis", server));
        let members = self.members.iter();
        members.filter_map(|member| Some((member.name, member.server.as_ref()?))).chain(redis)
    }

    /// The head of a table of a row a minute.
    pub fn header(&self) -> String {
        let mut text = String::from("| minute | jobs | at once | p50, p99 (ms) | sent again |");
        for (name, _) in self.servers() {
            let _ = write!(text, " {name} (MB) |");
        }
        text += " blobs (MB) |";
        let columns = text.matches('|').count() - 1;
        text + "\n|" + &" ---: |".repeat(columns)
    }

    /// How things stand after so many minutes.
    pub fn row(&self, minute: u64, counts: &Counts) -> String {
        let (half, most) = counts.took();
        let mut text = format!(
            "| {minute} | {} | {} | {half:.1}, {most:.1} | {} |",
            counts.get(Count::Jobs),
            counts.get(Count::Answers),
            counts.get(Count::Again)
        );
        for (_, server) in self.servers() {
            let _ = write!(text, " {:.0} |", resident_mb(server.id()));
        }
        // It complains of what is taken away while it counts.
        let size = Command::new("du").args(["-sm", "data"]).current_dir(&self.folder).output();
        let size = size.map(|size| String::from_utf8_lossy(&size.stdout).into_owned());
        let size = size.unwrap_or_default();
        text + " " + size.split_whitespace().next().unwrap_or("?") + " |"
    }
}

/// What a process holds in memory, in megabytes.
fn resident_mb(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) * 1.024e-3
}
