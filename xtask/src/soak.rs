//! `cargo xtask soak`: the service under mixed load for half an hour, while its processes are killed.
//!
//! An API and two workers over Redis, or all in one over SQLite. In the first third something is killed or made to stand still every twenty
//! seconds, Redis among it; afterwards only the first worker is, so that the memory of the others can be seen to be flat. Every answer is
//! held against that of `flowgait predict` on the same rows, octet by octet, and every job that was accepted must have ended.

mod caller;
mod crew;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::{process, project};
use caller::{Caller, Count, Counts, Wish};
use crew::Crew;

/// What was typed after `soak`.
#[derive(clap::Args)]
pub struct Arguments {
    /// How long
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// What the jobs are kept in
    #[arg(long, value_enum, default_value = "redis")]
    store: Store,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Store {
    Redis,
    Sqlite,
}

/// Between two blows while everything is struck.
const BLOW: Duration = Duration::from_secs(20);

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
    let program = project::target().join("release/flowgait");
    let folder = project::target().join("soak");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
    let wishes = wishes(&program, &folder)?;
    let mut crew = Crew::start(program, folder, arguments.store == Store::Redis)?;
    let (ends, counts, port) = (AtomicBool::new(false), Counts::default(), crew.port());
    let outcome = thread::scope(|scope| {
        let callers: Vec<_> = wishes
            .iter()
            .enumerate()
            .map(|(number, wish)| {
                let caller = Caller { number, wish, port, counts: &counts, ends: &ends };
                scope.spawn(move || caller.run())
            })
            .collect();
        let outcome = disturb(&mut crew, &counts, Duration::from_secs(60 * arguments.minutes));
        ends.store(true, Ordering::Relaxed);
        let all = callers.into_iter().map(|caller| caller.join().expect("a caller does not panic"));
        all.fold(outcome, Result::and)
    });
    println!("{}", counts.told());
    outcome
}

/// Strikes, waits, and tells each minute how things stand.
fn disturb(crew: &mut Crew, counts: &Counts, lasts: Duration) -> Result<(), Error> {
    println!("{}", crew.header());
    let begin = Instant::now();
    let (mut minute, mut blow) = (0, 0);
    while begin.elapsed() < lasts {
        thread::sleep(BLOW);
        if counts.get(Count::Wrong) > 0 {
            return Err(Error::Peer("an answer was wrong; it is told above".to_owned()));
        }
        if begin.elapsed() < lasts / 3 {
            crew.strike(blow)?;
            blow += 1;
        }
        let passed = begin.elapsed().as_secs() / 60;
        if passed > minute {
            minute = passed;
            println!("{}", crew.row(minute, counts));
            if begin.elapsed() >= lasts / 3 {
                crew.strike_a_worker()?;
            }
        }
    }
    Ok(())
}

/// What is asked for over and over, with the answers that are right.
fn wishes(program: &Path, folder: &Path) -> Result<Vec<Wish>, Error> {
    let run = |args: &[&str]| process::run(Command::new(program).current_dir(folder).args(args));
    let file = |name: &str| -> PathBuf { folder.join(name) };
    let read = |name: &str| {
        fs::read(file(name)).map_err(|source| Error::Read { path: file(name), source })
    };
    run(&["synth", "demo", "-o", "made.pcap", "--flows", "300", "--seed", "7"])?;
    run(&["synth", "demo", "-o", "more.pcap", "--flows", "2000", "--seed", "8"])?;
    run(&["meter", "more.pcap", "-o", "more.csv"])?;
    let more = read("more.csv")?;
    let header = more.iter().position(|octet| *octet == b'\n').map_or(more.len(), |at| at + 1);
    let end_of = |rows: usize| {
        let ends = more.iter().enumerate().filter(|(_, octet)| **octet == b'\n');
        ends.map(|(at, _)| at + 1).nth(rows).unwrap_or(more.len())
    };
    let write = |name: &str, octets: &[u8]| {
        fs::write(file(name), octets).map_err(|source| Error::Write { path: file(name), source })
    };
    write("few.csv", &more[..end_of(100)])?;
    write("many.csv", &[&more[..], &more[header..].repeat(6)].concat())?;
    let mut wishes = Vec::new();
    for (name, every) in
        [("more.csv", 50), ("more.csv", 50), ("many.csv", 2_000), ("made.pcap", 300)]
    {
        let answers = format!("{name}.answers.csv");
        run(&["predict", name, "-o", &answers])?;
        wishes.push(Wish::job(name, &read(name)?, read(&answers)?, Duration::from_millis(every)));
    }
    wishes.push(Wish::job_taken_back("many.csv", &read("many.csv")?, Duration::from_secs(5)));
    wishes.push(Wish::at_once(&read("few.csv")?, Duration::from_millis(20)));
    Ok(wishes)
}
