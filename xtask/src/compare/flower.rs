//! Rounds of a simulated federation: `flowgait simulate` and Flower's simulation, on the same rows, with as many processors.
//!
//! What a round costs is the difference of a long and a short run over the rounds between them, so that starting Ray, Python
//! and PyTorch, and reading a table, are told apart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Arguments, cost, folder, number, peers, record};
use crate::error::Error;
use crate::{process, project};

/// What clients do in a round, and how many rounds a short and a long run have.
struct Work {
    name: &'static str,
    steps: u32,
    ours: [u32; 2],
    peer: [u32; 2],
}

/// Ours are longer: CPU time comes in ticks of 10 ms, which is more than one of its rounds.
const WORKS: [Work; 2] = [
    Work { name: "without learning", steps: 0, ours: [3, 1_003], peer: [3, 33] },
    Work { name: "8 steps of 32 rows", steps: 8, ours: [3, 103], peer: [3, 33] },
];

/// The rows of `flower.py make`, each client its own; nothing is held out, and nobody judges between rounds.
const FEDERATION: &str = r#"
[data]
tables = ["learnt.csv"]
held_out = 0.0
[clients]
column = "client"
[model]
hidden = [128, 72]
dropout = 0.0
[learning]
batch = 32
rate = 0.1
[baselines]
central = false
local = false
"#;

/// What a run, a round or a start took.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Took {
    cpu_seconds: f64,
    wall_seconds: f64,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let side = Sides::set_up()?;
    println!(
        "| clients' work | ours, a round: CPU / wall | Flower's | ratio | start, ours | Flower's | accuracy, ours | Flower's |"
    );
    println!("|{}", " --- |".repeat(8));
    for work in &WORKS {
        let (mut ours, mut peer) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let mut theirs = Value::Null;
        for _ in 0..arguments.runs {
            for at in 0..2 {
                ours[at].push(side.ours(work, work.ours[at])?);
                let (took, figures) = side.peer(work, work.peer[at])?;
                peer[at].push(took);
                theirs = figures;
            }
        }
        let accuracy = match work.steps {
            0 => [f64::NAN; 2],
            _ => [side.accuracy(work)?, number(&theirs, "accuracy")],
        };
        println!("{}", row(work, &ours, &peer, accuracy));
    }
    Ok(())
}

/// Both programs, and where their rows are.
struct Sides {
    folder: PathBuf,
    flowgait: PathBuf,
    python: PathBuf,
    script: PathBuf,
    threads: String,
}

impl Sides {
    fn set_up() -> Result<Self, Error> {
        let python = peers::python(&["flwr[simulation]", "ray", "torch", "numpy"])?;
        let script = peers::script("flower.py")?;
        process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
        let folder = folder()?.join("flower");
        fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
        process::run(Command::new(&python).arg(&script).arg("make").arg(&folder))?;
        let file = folder.join("federation.toml");
        fs::write(&file, FEDERATION).map_err(|source| failed(&file, source))?;
        let flowgait = project::target().join("release/flowgait");
        let threads = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        Ok(Self { folder, flowgait, python, script, threads })
    }

    fn simulate(&self, work: &Work, rounds: u32) -> Command {
        let mut command = Command::new(&self.flowgait);
        command.arg("simulate").arg(self.folder.join("federation.toml"));
        command.args(["--threads", &self.threads, "--set", &format!("rounds={rounds}")]);
        command.args(["--set", &format!("learning.effort={{steps={}}}", work.steps)]);
        command
    }

    fn ours(&self, work: &Work, rounds: u32) -> Result<Took, Error> {
        let cost = cost::measure(&mut self.simulate(work, rounds))?;
        let took = Took { cpu_seconds: cost.cpu_seconds, wall_seconds: cost.wall_seconds };
        note("ours", work, rounds, took, &json!({ "memory_mib": cost.memory_mib }))?;
        Ok(took)
    }

    fn peer(&self, work: &Work, rounds: u32) -> Result<(Took, Value), Error> {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).arg("run").arg(&self.folder).args(["--threads", &self.threads]);
        command.args(["--rounds", &rounds.to_string(), "--steps", &work.steps.to_string()]);
        let figures = process::answer(&mut command)?;
        let took = Took {
            cpu_seconds: number(&figures, "cpu_s"),
            wall_seconds: number(&figures, "wall_s"),
        };
        note("peer", work, rounds, took, &figures)?;
        Ok((took, figures))
    }

    /// How much of the rows that nobody learnt from our model answers rightly, after as many rounds as Flower's.
    fn accuracy(&self, work: &Work) -> Result<f64, Error> {
        let (run, answers) = (self.folder.join("run"), self.folder.join("answers.csv"));
        // A run that is there would be gone on with.
        let _ = fs::remove_dir_all(&run);
        let mut simulate = self.simulate(work, work.peer[1]);
        process::run(simulate.arg("-o").arg(&run).stdout(Stdio::null()))?;
        let mut predict = Command::new(&self.flowgait);
        predict.arg("predict").arg("--model").arg(run.join("model.fgm"));
        predict.arg(self.folder.join("asked.csv")).arg("--only-predictions").arg("-o");
        process::run(predict.arg(&answers))?;
        let mut judge = Command::new(&self.python);
        judge.arg(&self.script).arg("judge").arg(&self.folder).arg(&answers);
        Ok(number(&process::answer(&mut judge)?, "accuracy"))
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Write { path: path.to_owned(), source }
}

fn note(side: &str, work: &Work, rounds: u32, took: Took, figures: &Value) -> Result<(), Error> {
    let Took { cpu_seconds, wall_seconds } = took;
    eprintln!(
        "{side}, {}, {rounds} rounds: {cpu_seconds:.2} CPU s, {wall_seconds:.2} s",
        work.name
    );
    let line = json!({
        "name": "flower", "side": side, "steps": work.steps, "rounds": rounds,
        "cpu_seconds": cpu_seconds, "wall_seconds": wall_seconds, "figures": figures,
    });
    record("flower", &line)
}

/// What one round takes, and what is left for the start, from the cheapest runs of two lengths.
fn split(lengths: [u32; 2], runs: &[Vec<Took>; 2]) -> [Took; 2] {
    let least = |at: usize, of: fn(&Took) -> f64| runs[at].iter().map(of).fold(f64::NAN, f64::min);
    let between = f64::from(lengths[1] - lengths[0]);
    let of = |of: fn(&Took) -> f64| {
        let round = (least(1, of) - least(0, of)) / between;
        [round, least(0, of) - f64::from(lengths[0]) * round]
    };
    let (cpu, wall) = (of(|took| took.cpu_seconds), of(|took| took.wall_seconds));
    [0, 1].map(|at| Took { cpu_seconds: cpu[at], wall_seconds: wall[at] })
}

/// A row of the table in `docs/BENCHMARKS.md`.
fn row(work: &Work, ours: &[Vec<Took>; 2], peer: &[Vec<Took>; 2], accuracy: [f64; 2]) -> String {
    let [own_round, own_start] = split(work.ours, ours);
    let [round, start] = split(work.peer, peer);
    let millis =
        |of: Took| format!("{:.1} / {:.1} ms", of.cpu_seconds * 1e3, of.wall_seconds * 1e3);
    let seconds = |of: Took| format!("{:.1} / {:.1} s", of.cpu_seconds, of.wall_seconds);
    let share = |of: f64| if of.is_nan() { "–".to_owned() } else { format!("{of:.3}") };
    format!(
        "| {} | {} | {} | {:.0} × / {:.0} × | {} | {} | {} | {} |",
        work.name,
        millis(own_round),
        millis(round),
        round.cpu_seconds / own_round.cpu_seconds,
        round.wall_seconds / own_round.wall_seconds,
        seconds(own_start),
        seconds(start),
        share(accuracy[0]),
        share(accuracy[1]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(cpu_seconds: f64, wall_seconds: f64) -> Took {
        Took { cpu_seconds, wall_seconds }
    }

    #[test]
    fn a_round_is_told_apart_from_the_start() {
        // A start of 5 s, rounds of 2 s; the clock on the wall half of both, and one run of each length that was disturbed.
        let runs =
            [vec![took(11.0, 5.5), took(13.0, 6.0)], vec![took(40.0, 15.5), took(31.0, 16.0)]];
        assert_eq!(split([3, 13], &runs), [took(2.0, 1.0), took(5.0, 2.5)]);
    }

    #[test]
    fn a_row_tells_rounds_starts_and_ratios() {
        let work = Work { name: "nothing", steps: 0, ours: [1, 101], peer: [1, 11] };
        let ours = [vec![took(0.25, 0.125)], vec![took(0.5, 0.25)]];
        let peer = [vec![took(10.0, 5.0)], vec![took(15.0, 7.5)]];
        assert_eq!(
            row(&work, &ours, &peer, [f64::NAN, 0.5]),
            "| nothing | 2.5 / 1.2 ms | 500.0 / 250.0 ms | 200 × / 200 × | 0.2 / 0.1 s | 9.5 / 4.8 s | – | 0.500 |"
        );
    }
}
