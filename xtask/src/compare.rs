//! `cargo xtask compare NAME`: ours and a well-known tool on the same work, in alternating runs.
//!
//! Machines are shared, so CPU seconds count, not the clock on the wall. Each run's figures go to
//! `target/compare/NAME.jsonl`; the row for `docs/BENCHMARKS.md` is printed.

mod boost;
pub(crate) mod celery;
pub(crate) mod cost;
mod flower;
mod folds;
mod forest;
mod meters;
mod net;
pub mod peers;
mod tables;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::error::Error;
use crate::project;
use cost::Cost;

/// What was typed after `compare`.
#[derive(clap::Args)]
pub struct Arguments {
    /// What to compare
    #[arg(value_enum)]
    name: Name,
    /// Alternating runs of each side; the cheapest of each counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// The capture for nfstream and ndpi [default: target/bench/big.pcap, made when it is missing]
    #[arg(long)]
    capture: Option<PathBuf>,
    /// The table for folds [default: nDPI's categories, made from the shared captures]
    #[arg(long)]
    table: Option<PathBuf>,
    /// Also the task that takes the peer minutes (forest: 200 trees)
    #[arg(long)]
    long: bool,
    /// One side alone (celery)
    #[arg(long, value_enum)]
    only: Option<Side>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Side {
    Ours,
    Peer,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Name {
    /// Meter: NFStream with statistics, 20-packet sequences and nDPI
    Nfstream,
    /// Meter: nDPI's own reader, writing flows
    Ndpi,
    /// Fit and predict: scikit-learn's random forest on made rows
    Forest,
    /// Boosting at equal log loss: LightGBM on made rows
    Boost,
    /// Networks: PyTorch on the same layers and made flows
    Net,
    /// Rounds of a simulated federation: Flower on Ray, with PyTorch at the clients
    Flower,
    /// Jobs over HTTP: FastAPI, Celery, Redis and scikit-learn beside `flowgait serve`; five runs at least
    Celery,
    /// Accuracy: scikit-learn's random forest on our columns and folds of nDPI's categories
    Folds,
    /// Accuracy: scikit-learn's and LightGBM's learners beside each of ours, on the shared tables
    Tables,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    match arguments.name {
        Name::Nfstream => meters::nfstream(arguments),
        Name::Ndpi => meters::ndpi(arguments),
        Name::Forest => forest::run(arguments),
        Name::Boost => boost::run(arguments),
        Name::Net => net::run(arguments),
        Name::Flower => flower::run(arguments),
        Name::Celery => celery::run(arguments),
        Name::Folds => folds::run(arguments),
        Name::Tables => tables::run(arguments),
    }
}

/// Two programs that do the same work.
struct Contest {
    name: &'static str,
    /// What both do, for the row.
    work: String,
    /// How much of it: what a speed counts, and how many.
    unit: &'static str,
    amount: f64,
    ours: Command,
    peer: Command,
}

impl Contest {
    fn run(mut self, runs: u8) -> Result<(), Error> {
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for turn in 1..=runs {
            ours.push(self.turn(turn, "ours")?);
            peer.push(self.turn(turn, "peer")?);
        }
        println!(
            "{}",
            row(self.name, &self.work, self.unit, self.amount, cheapest(&ours), cheapest(&peer))
        );
        Ok(())
    }

    fn turn(&mut self, turn: u8, side: &'static str) -> Result<Cost, Error> {
        let command = if side == "ours" { &mut self.ours } else { &mut self.peer };
        let cost = cost::measure(command)?;
        eprintln!(
            "{side}: {:.2} CPU s, {:.2} s, {:.0} MiB",
            cost.cpu_seconds, cost.wall_seconds, cost.memory_mib
        );
        let line = json!({
            "name": self.name, "side": side, "turn": turn, "work": self.work, "unit": self.unit, "amount": self.amount,
            "cpu_seconds": cost.cpu_seconds, "wall_seconds": cost.wall_seconds, "memory_mib": cost.memory_mib,
        });
        record(self.name, &line)?;
        Ok(cost)
    }
}

/// Noise only adds, so the cheapest run is the nearest to the truth.
fn cheapest(costs: &[Cost]) -> Cost {
    *costs
        .iter()
        .min_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds))
        .expect("at least one run was asked for")
}

/// A row of the table in `docs/BENCHMARKS.md`: peer, work, both speeds, ratio, both peaks.
fn row(name: &str, work: &str, unit: &str, amount: f64, ours: Cost, peer: Cost) -> String {
    let speed = |cost: Cost| amount / cost.cpu_seconds / 1e6;
    let ratio = peer.cpu_seconds / ours.cpu_seconds;
    format!(
        "| {name} | {work} | {:.2} CPU s ({:.3} M {unit}/s) | {:.2} CPU s ({:.3} M {unit}/s) | {ratio:.1} × | {:.0} / {:.0} MiB |",
        ours.cpu_seconds,
        speed(ours),
        peer.cpu_seconds,
        speed(peer),
        ours.memory_mib,
        peer.memory_mib,
    )
}

/// A number of an answer; not-a-number where there is none, so that a missing figure shows.
fn number(answer: &serde_json::Value, name: &str) -> f64 {
    answer[name].as_f64().unwrap_or(f64::NAN)
}

/// Adds a line to `target/compare/NAME.jsonl`.
fn record(name: &str, line: &serde_json::Value) -> Result<(), Error> {
    let path = folder()?.join(format!("{name}.jsonl"));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{line}"))
        .map_err(|source| Error::Write { path, source })
}

/// Where results and both sides' outputs go.
fn folder() -> Result<PathBuf, Error> {
    let path = project::target().join("compare");
    fs::create_dir_all(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(cpu_seconds: f64) -> Cost {
        Cost { cpu_seconds, wall_seconds: 9.0, memory_mib: 10.0 }
    }

    #[test]
    fn a_row_tells_both_speeds_and_their_ratio() {
        let told = row("ndpi", "meter", "packets", 2e6, cost(1.0), cost(5.0));
        assert_eq!(
            told,
            "| ndpi | meter | 1.00 CPU s (2.000 M packets/s) | 5.00 CPU s (0.400 M packets/s) | 5.0 × | 10 / 10 MiB |"
        );
    }

    #[test]
    fn the_cheapest_run_counts() {
        assert_eq!(cheapest(&[cost(3.0), cost(2.0), cost(4.0)]), cost(2.0));
    }
}
