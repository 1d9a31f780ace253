//! `cargo xtask federation`: the tables of `docs/FEDERATION.md`, each cell a number of whole runs of `flowgait simulate`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::Error;
use crate::{process, project};

/// What was typed after `federation`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Which table
    #[arg(value_enum)]
    table: Table,
    /// Seeds of each cell
    #[arg(long, default_value_t = 5)]
    seeds: u64,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Table {
    /// Strategies by how unlike clients are
    Strategies,
    /// What privacy costs, at a thousand clients
    Privacy,
    /// What liars can do, and which rules stand it
    Attacks,
}

/// A federation of ten clients that the flows of UC Davis are dealt to.
const UC_DAVIS: &str = r#"
rounds = 30
[data]
tables = ["ucdavis19-quic/flows.csv"]
label = "label"
[clients]
count = 10
[model]
hidden = [64, 32]
dropout = 0.1
[learning]
effort = { epochs = 1 }
batch = 32
rate = 0.05
"#;

/// A thousand clients that the rows of ISCX are dealt to, about fifteen to learn from each.
const ISCX: &str = r#"
rounds = 60
[data]
tables = ["iscxvpn/TimeBasedFeatures-Dataset-15s.arff"]
label = "class1"
[clients]
count = 1000
[model]
hidden = [32]
dropout = 0.0
[learning]
effort = { epochs = 2 }
batch = 16
rate = 0.1
[baselines]
central = false
local = false
"#;

/// One cell: its keys beside those of the table.
struct Cell {
    name: String,
    keys: Vec<String>,
}

/// What a cell's runs came to: mean and standard deviation over the seeds.
struct Scores {
    runs: Vec<Value>,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
    match arguments.table {
        Table::Strategies => strategies(arguments.seeds),
        Table::Privacy => privacy(arguments.seeds),
        Table::Attacks => attacks(arguments.seeds),
    }
}

fn strategies(seeds: u64) -> Result<(), Error> {
    let partitions = [
        ("iid", "clients.partition=\"iid\""),
        ("Dirichlet 0.5", "clients.partition={dirichlet={alpha=0.5}}"),
        ("Dirichlet 0.1", "clients.partition={dirichlet={alpha=0.1}}"),
        ("by day", "clients.column=\"capture_day\""),
    ];
    let kinds = [
        ("FedAvg", "strategy.name=\"fed-avg\""),
        ("FedProx", "strategy={name=\"fed-prox\",mu=0.1}"),
        ("SCAFFOLD", "strategy.name=\"scaffold\""),
        ("FedAdam", "strategy={name=\"fed-adam\",rate=0.03}"),
        ("Ditto", "personal.name=\"ditto\""),
    ];
    println!("| accuracy / worst client | {} |", partitions.map(|(name, _)| name).join(" | "));
    println!("| --- |{}", " --- |".repeat(partitions.len()));
    let mut beside = vec![Vec::new(), Vec::new()];
    for (name, kind) in kinds {
        let mut cells = Vec::new();
        for (partition, key) in partitions {
            let keys = vec![kind.to_owned(), key.to_owned()];
            let cell = Cell { name: format!("{name}, {partition}"), keys };
            let found = scores(UC_DAVIS, &cell, seeds)?;
            cells.push(if name == "Ditto" {
                found.pair(&["federated", "own", "median"], &["federated", "own", "worst"])
            } else {
                found.pair(&["federated", "accuracy"], &["federated", "clients", "worst"])
            });
            if name == "FedAvg" {
                for (at, side) in ["central", "local"].into_iter().enumerate() {
                    beside[at].push(found.pair(&[side, "accuracy"], &[side, "clients", "worst"]));
                }
            }
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    for (name, way) in [("forest grown from sums", "histogram"), ("pooled forest", "pooled")] {
        let mut cells = Vec::new();
        for (partition, key) in partitions {
            let keys = vec![
                key.to_owned(),
                format!("forest.way=\"{way}\""),
                "baselines={central=false,local=false}".to_owned(),
            ];
            let cell = Cell { name: format!("{name}, {partition}"), keys };
            let found = scores(UC_DAVIS, &cell, seeds)?;
            cells.push(found.pair(&["federated", "accuracy"], &["federated", "clients", "worst"]));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    for (name, cells) in ["one place", "each alone"].into_iter().zip(beside) {
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

fn privacy(seeds: u64) -> Result<(), Error> {
    let central = "cohort={poisson={rate=0.2}}";
    println!("| epsilon at delta 1e-4 | noise of the coordinator | noise of the clients |");
    println!("| --- | --- | --- |");
    for epsilon in [None, Some(8), Some(4), Some(2), Some(1)] {
        let name = epsilon.map_or("none".to_owned(), |epsilon| epsilon.to_string());
        let keys = |mechanism: &str| match epsilon {
            None => vec!["clip_norm=0.5".to_owned()],
            Some(epsilon) => vec![format!(
                "privacy={{epsilon={epsilon}.0,delta=1e-4,clip_norm=0.5,mechanism=\"{mechanism}\"}}"
            )],
        };
        let mut first = keys("central");
        first.push(central.to_owned());
        let mut second = keys("distributed");
        second.push("cohort={fixed={size=200}}".to_owned());
        second.push("secure={corrupt_share=0.05,lost_share=0.1}".to_owned());
        let mut cells = Vec::new();
        for (kind, keys) in [("central", first), ("distributed", second)] {
            let cell = Cell { name: format!("{name}, {kind}"), keys };
            let found = scores(ISCX, &cell, seeds)?;
            cells.push(found.pair(&["federated", "accuracy"], &["federated", "f1_macro"]));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

fn attacks(seeds: u64) -> Result<(), Error> {
    // Sizes of the first three packets (columns 7 to 9 of that table) with which no flow begins.
    let backdoor =
        "attack.kind={backdoor={trigger=[[7,777.0],[8,-777.0],[9,777.0]],target=0,share=0.5}}";
    let kinds = [
        ("labels flipped together", "attack.kind={colluding-flip={seed=7}}"),
        ("sign flipped", "attack.kind=\"sign-flip\""),
        ("scaled by −10", "attack.kind={scaling={by=-10.0}}"),
        ("backdoor", backdoor),
    ];
    let rules = ["none", "clipping", "median", "multi-Krum"];
    println!("| attack | liars | {} |", rules.join(" | "));
    println!("| --- | --- |{}", " --- |".repeat(rules.len()));
    for (name, kind) in kinds {
        for percent in [0, 10, 20, 30] {
            let mut cells = Vec::new();
            for rule in rules {
                let mut keys = vec![
                    "clients.count=20".to_owned(),
                    "clients.partition={dirichlet={alpha=1.0}}".to_owned(),
                    "baselines={central=false,local=false}".to_owned(),
                    kind.to_owned(),
                    format!("attack.share={}", f64::from(percent) / 100.0),
                ];
                match rule {
                    "clipping" => keys.push("robust={norm-clipping={}}".to_owned()),
                    "median" => keys.push("robust=\"median\"".to_owned()),
                    // Six of twenty is what 30 % are; multi-Krum is told as many in each row.
                    "multi-Krum" => keys.push("robust={multi-krum={f=6}}".to_owned()),
                    _ => {}
                }
                let cell = Cell { name: format!("{name}, {percent} %, {rule}"), keys };
                let found = scores(UC_DAVIS, &cell, seeds)?;
                let success: &[&str] =
                    if name == "backdoor" { &["federated", "backdoor"] } else { &[] };
                cells.push(found.pair(&["federated", "accuracy"], success));
            }
            println!("| {name} | {percent} % | {} |", cells.join(" | "));
        }
    }
    Ok(())
}

/// Runs a cell under each seed.
fn scores(base: &str, cell: &Cell, seeds: u64) -> Result<Scores, Error> {
    let data = project::shared_data().ok_or(Error::NoSharedData)?;
    let folder = project::target().join("federation");
    make(&folder)?;
    let mut runs = Vec::new();
    for seed in 1..=seeds {
        let file = folder.join("federation.toml");
        let whole = base.replace("tables = [\"", &format!("tables = [\"{}/", data.display()));
        write(&file, &whole)?;
        let output = folder.join("run");
        let _ = fs::remove_dir_all(&output);
        let mut simulate = Command::new(project::target().join("release/flowgait"));
        simulate.arg("simulate").arg(&file).arg("-o").arg(&output);
        simulate.arg("--set").arg(format!("seed={seed}"));
        for key in &cell.keys {
            simulate.arg("--set").arg(key);
        }
        process::run(simulate.stdout(Stdio::null()).stderr(Stdio::null()))?;
        let summary = output.join("summary.json");
        let text = fs::read_to_string(&summary).map_err(|_| Error::Peer(cell.name.clone()))?;
        runs.push(serde_json::from_str(&text).map_err(|_| Error::Peer(cell.name.clone()))?);
    }
    eprintln!("{}", cell.name);
    Ok(Scores { runs })
}

fn make(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|_| Error::Peer(format!("cannot make {}", folder.display())))
}

fn write(path: &PathBuf, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|_| Error::Peer(format!("cannot write {}", path.display())))
}

impl Scores {
    /// Two numbers of a summary, each with its spread; the second may be none.
    fn pair(&self, first: &[&str], second: &[&str]) -> String {
        let mut text = self.number(first, true);
        if !second.is_empty() {
            text += &format!(" / {}", self.number(second, false));
        }
        text
    }

    fn number(&self, path: &[&str], with_spread: bool) -> String {
        let of = |run: &Value| path.iter().fold(run, |value, key| &value[*key]).as_f64();
        let values: Vec<f64> = self.runs.iter().filter_map(of).collect();
        if values.len() < self.runs.len() || values.is_empty() {
            return "–".to_owned();
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        if with_spread && values.len() > 1 {
            return format!("{mean:.3} ± {:.3}", (squares / (count - 1.0)).sqrt());
        }
        format!("{mean:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_tells_mean_and_spread() {
        let run = |accuracy: f64| serde_json::json!({ "federated": { "accuracy": accuracy, "clients": { "worst": 0.5 } } });
        let scores = Scores { runs: vec![run(0.7), run(0.9)] };
        let told = scores.pair(&["federated", "accuracy"], &["federated", "clients", "worst"]);
        assert_eq!(told, "0.800 ± 0.141 / 0.500");
        assert_eq!(scores.pair(&["federated", "own", "median"], &[]), "–");
    }
}
