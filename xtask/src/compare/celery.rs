//! Jobs over HTTP: `flowgait serve`, and a service of FastAPI, Celery, Redis and scikit-learn, asked about the same rows.
//!
//! CPU seconds are those of all server processes: API, workers and Redis; who asks is one program for both. Jobs are asked
//! for twice over: briskly, for how long they take, and patiently, for what they cost, because each question whether a job
//! is done costs too.

mod service;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Arguments, Side, folder, peers, record};
use crate::error::Error;
use crate::process;
use service::{Empty, Pace, Service};

/// What is asked for, and how often in a turn.
struct Work {
    name: &'static str,
    way: Way,
    rows: usize,
    jobs: usize,
    /// The pace at which the cost is measured: most jobs of either side are done when they are first asked about.
    patient: Pace,
}

/// Labels in the answer itself, or by a job that is asked about later.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    AtOnce,
    Job,
}

const WORKS: [Work; 3] = [
    Work { name: "100 rows, at once", way: Way::AtOnce, rows: 100, jobs: 500, patient: pace(0, 0) },
    Work { name: "100 rows, a job", way: Way::Job, rows: 100, jobs: 200, patient: pace(60, 20) },
    Work {
        name: "10,000 rows, a job",
        way: Way::Job,
        rows: 10_000,
        jobs: 5,
        patient: pace(500, 100),
    },
];

const BRISK: Pace = pace(2, 2);

const fn pace(first: u64, then: u64) -> Pace {
    Pace { first: Duration::from_millis(first), then: Duration::from_millis(then) }
}

/// Jobs of nothing that are queued at a time.
const EMPTY_JOBS: u32 = 3_000;

/// CPU time comes in ticks, and a job of 10,000 rows is over in a few of ours.
const RUNS_MIN: u8 = 5;

/// What a server still does when it has answered, such as putting away what is done, is part of the cost.
const AFTERMATH: Duration = Duration::from_millis(200);

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let rows = Rows::make()?;
    let mut services = Vec::new();
    if arguments.only != Some(Side::Ours) {
        services.push(Service::peer(&rows)?);
    }
    if arguments.only != Some(Side::Peer) {
        services.extend(Service::ours(&rows)?);
    }
    for service in &services {
        // The first jobs wait for workers that still load their models.
        for work in WORKS.iter().filter(|work| service.knows(work.way)) {
            jobs(service, &rows, work, 4, BRISK)?;
        }
    }
    eprintln!("load before: {}", load());
    let mut figures = vec![Figures::default(); services.len()];
    for turn in 1..=arguments.runs.max(RUNS_MIN) {
        for (service, figures) in services.iter().zip(&mut figures) {
            figures.add(turn, service, &rows)?;
        }
    }
    eprintln!("load after: {}", load());
    let sides: Vec<_> = services.iter().map(|service| service.name).zip(&figures).collect();
    print!("{}", table(&sides));
    println!("\nOur empty jobs: cargo bench --package flowgait-serve --bench jobs");
    Ok(())
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// The rows of `celery_service.py make`: some to learn from, others to ask about.
struct Rows {
    folder: PathBuf,
    python: PathBuf,
    script: PathBuf,
    /// A header and the rows that are asked about, a line each.
    asked: String,
    truth: Vec<String>,
}

impl Rows {
    fn make() -> Result<Self, Error> {
        let python = peers::python(&[
            "fastapi",
            "python-multipart",
            "uvicorn[standard]",
            "celery[redis]",
            "redis",
            "scikit-learn",
            "pandas",
        ])?;
        let script = peers::script("celery_service.py")?;
        let folder = folder()?.join("celery");
        fresh(&folder)?;
        process::run(Command::new(&python).arg(&script).arg("make").arg(&folder))?;
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| Error::Read { path, source })
        };
        let truth = read("truth.csv")?.lines().skip(1).map(str::to_owned).collect();
        Ok(Self { asked: read("asked.csv")?, truth, folder, python, script })
    }

    /// The peer's program.
    fn program(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(&self.script);
        command
    }

    /// A module of the peer's Python that runs the peer's program.
    fn module(&self, name: &str, redis: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", name]).env("REDIS", redis).env("FOLDER", &self.folder);
        command.env("PYTHONPATH", self.script.parent().unwrap_or(&self.folder));
        command
    }

    /// The header and the first rows.
    fn first(&self, rows: usize) -> &[u8] {
        let mut ends = self.asked.match_indices('\n').map(|(at, _)| at + 1);
        &self.asked.as_bytes()[..ends.nth(rows).unwrap_or(self.asked.len())]
    }

    /// The share of labels that are right; an error where there are not as many as rows.
    fn right(&self, rows: usize, labels: &[String]) -> Result<f64, Error> {
        if labels.len() != rows {
            let told = format!("{} labels came back for {rows} rows", labels.len());
            return Err(Error::Peer(told));
        }
        let right = labels.iter().zip(&self.truth).filter(|(said, truth)| said == truth).count();
        Ok(right as f64 / rows as f64)
    }
}

/// A folder with nothing in it, so that no queue begins with jobs of another run.
fn fresh(folder: &Path) -> Result<(), Error> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.into(), source })
}

/// Some jobs, one after the other.
struct Took {
    /// From sending to the last label, of each.
    seconds: Vec<f64>,
    /// Of all server processes, a job.
    cpu_seconds: f64,
    /// The share of labels that are right.
    right: f64,
}

fn jobs(
    service: &Service,
    rows: &Rows,
    work: &Work,
    count: usize,
    pace: Pace,
) -> Result<Took, Error> {
    let request = service.request(work.way, rows.first(work.rows));
    let before = service.cpu_seconds();
    let (mut seconds, mut right) = (Vec::new(), f64::NAN);
    for _ in 0..count {
        let begin = Instant::now();
        let labels = service.labels(work.way, &request, pace)?;
        seconds.push(begin.elapsed().as_secs_f64());
        right = rows.right(work.rows, &labels)?;
    }
    thread::sleep(AFTERMATH);
    let cpu_seconds = (service.cpu_seconds() - before) / count as f64;
    Ok(Took { seconds, cpu_seconds, right })
}

/// What was measured of a service.
#[derive(Clone, Default)]
struct Figures {
    works: [Option<Figure>; WORKS.len()],
    empty: Option<Empty>,
}

/// The cheapest turn's CPU seconds a job, and how long every job of every turn took.
#[derive(Clone, Debug, PartialEq)]
struct Figure {
    cpu_seconds: f64,
    seconds: Vec<f64>,
    right: f64,
}

impl Figures {
    fn add(&mut self, turn: u8, service: &Service, rows: &Rows) -> Result<(), Error> {
        for (work, figure) in WORKS.iter().zip(&mut self.works) {
            if !service.knows(work.way) {
                continue;
            }
            let brisk = jobs(service, rows, work, work.jobs, BRISK)?;
            let patient = jobs(service, rows, work, work.jobs, work.patient)?;
            let line = json!({
                "service": service.name, "work": work.name, "turn": turn, "jobs": work.jobs, "load": load(),
                "cpu_seconds": patient.cpu_seconds, "cpu_seconds_brisk": brisk.cpu_seconds,
                "p50_s": rank(&brisk.seconds, 0.5), "p99_s": rank(&brisk.seconds, 0.99), "right": brisk.right,
            });
            eprintln!("{line}");
            record("celery", &line)?;
            let right = brisk.right;
            let all = figure.get_or_insert(Figure {
                cpu_seconds: f64::INFINITY,
                seconds: Vec::new(),
                right,
            });
            all.cpu_seconds = all.cpu_seconds.min(patient.cpu_seconds);
            all.seconds.extend(brisk.seconds);
        }
        if let Some(empty) = service.empty(rows, EMPTY_JOBS)? {
            let best = self.empty.get_or_insert(empty);
            best.cpu_seconds = best.cpu_seconds.min(empty.cpu_seconds);
            best.rate = best.rate.max(empty.rate);
        }
        Ok(())
    }
}

/// The value that a share of all do not pass: the nearest rank.
fn rank(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The table of `docs/BENCHMARKS.md`: the peer first where it was measured, and each of ours with its ratio.
fn table(sides: &[(&str, &Figures)]) -> String {
    let peer = sides.iter().find(|(name, _)| *name == service::PEER).map(|(_, figures)| *figures);
    let mut told = "| work: CPU, p50, p99 |".to_owned();
    for (name, _) in sides {
        told += &format!(" {name} |");
        if *name != service::PEER {
            told += " ratio: CPU, p50 |";
        }
    }
    let columns = told.matches('|').count() - 1;
    told += &format!("\n|{}\n", " --- |".repeat(columns));
    for (at, work) in WORKS.iter().enumerate() {
        told += &format!("| {} |", work.name);
        for (name, figures) in sides {
            told += &format!(" {} |", figures.works[at].as_ref().map_or("–".into(), shown));
            if *name != service::PEER {
                // The peer has no answer at once; there its job is what a caller would have to take.
                let theirs = peer.and_then(|peer| {
                    let same_rows = |at: &usize| WORKS[*at].rows == work.rows;
                    (0..WORKS.len()).filter(same_rows).find_map(|at| peer.works[at].as_ref())
                });
                let ratio = figures.works[at].as_ref().zip(theirs);
                told +=
                    &format!(" {} |", ratio.map_or("–".into(), |(own, peer)| ratios(own, peer)));
            }
        }
        told += "\n";
    }
    told += "| an empty job: CPU, a second |";
    for (name, figures) in sides {
        let empty =
            figures.empty.map(|it| format!("{:.2} ms, {:.0}", it.cpu_seconds * 1e3, it.rate));
        told += &format!(" {} |", empty.unwrap_or("–".into()));
        if *name != service::PEER {
            told += " – |";
        }
    }
    told + "\n"
}

fn shown(figure: &Figure) -> String {
    let [p50, p99] = [0.5, 0.99].map(|share| rank(&figure.seconds, share) * 1e3);
    format!(
        "{:.1} ms, {p50:.1} ms, {p99:.1} ms ({:.3} right)",
        figure.cpu_seconds * 1e3,
        figure.right
    )
}

fn ratios(own: &Figure, peer: &Figure) -> String {
    let p50 = |of: &Figure| rank(&of.seconds, 0.5);
    format!("{:.1} ×, {:.1} ×", peer.cpu_seconds / own.cpu_seconds, p50(peer) / p50(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(cpu_seconds: f64, seconds: &[f64]) -> Option<Figure> {
        Some(Figure { cpu_seconds, seconds: seconds.to_vec(), right: 0.5 })
    }

    #[test]
    fn a_table_tells_both_sides_and_their_ratios() {
        let peer = Figures {
            works: [None, figure(0.04, &[0.05, 0.05, 0.1]), figure(1.0, &[1.0])],
            empty: Some(Empty { cpu_seconds: 0.0025, rate: 340.4 }),
        };
        let ours =
            Figures { works: [figure(0.001, &[0.002]), figure(0.004, &[0.01]), None], empty: None };
        assert_eq!(
            table(&[(service::PEER, &peer), ("ours, SQLite", &ours)]),
            "| work: CPU, p50, p99 | Celery | ours, SQLite | ratio: CPU, p50 |\n\
             | --- | --- | --- | --- |\n\
             | 100 rows, at once | – | 1.0 ms, 2.0 ms, 2.0 ms (0.500 right) | 40.0 ×, 25.0 × |\n\
             | 100 rows, a job | 40.0 ms, 50.0 ms, 100.0 ms (0.500 right) | 4.0 ms, 10.0 ms, 10.0 ms (0.500 right) | 10.0 ×, 5.0 × |\n\
             | 10,000 rows, a job | 1000.0 ms, 1000.0 ms, 1000.0 ms (0.500 right) | – | – |\n\
             | an empty job: CPU, a second | 2.50 ms, 340 | – | – |\n"
        );
        let alone = table(&[(service::PEER, &peer)]);
        assert!(alone.starts_with("| work: CPU, p50, p99 | Celery |\n| --- | --- |\n"), "{alone}");
    }

    #[test]
    fn ranks_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            [rank(&values, 0.5), rank(&values, 0.99), rank(&values, 1.0)],
            [50.0, 99.0, 100.0]
        );
        assert_eq!(rank(&[3.0], 0.99), 3.0);
        assert!(rank(&[], 0.5).is_nan());
    }
}
