//! One cell of a table: runs of `flowgait simulate` under some seeds, and what they came to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::Error;
use crate::{process, project};

/// A federation of ten clients that tables are dealt to.
pub fn ten_clients(tables: &[String], label: &str) -> String {
    format!(
        r#"
rounds = 30
[data]
tables = {tables:?}
label = "{label}"
[clients]
count = 10
[model]
hidden = [64, 32]
dropout = 0.1
[learning]
effort = {{ epochs = 1 }}
batch = 32
rate = 0.05
"#
    )
}

/// The same of the flows of UC Davis.
pub fn uc_davis() -> Result<String, Error> {
    shared(&ten_clients(&["ucdavis19-quic/flows.csv".to_owned()], "label"))
}

/// One cell: its keys beside those of the table.
pub struct Cell {
    pub name: String,
    pub keys: Vec<String>,
}

/// What a cell's runs came to: mean and standard deviation over the seeds.
pub struct Scores {
    runs: Vec<Value>,
}

/// Where runs and what is made for them lie.
pub fn folder() -> PathBuf {
    project::target().join("federation")
}

/// The program that is run.
pub fn flowgait() -> Command {
    Command::new(project::target().join("release/flowgait"))
}

/// A federation's text, whose tables lie in the shared data.
pub fn shared(base: &str) -> Result<String, Error> {
    let data = project::shared_data().ok_or(Error::NoSharedData)?;
    Ok(base.replace("tables = [\"", &format!("tables = [\"{}/", data.display())))
}

/// Runs a cell under each seed.
pub fn scores(base: &str, cell: &Cell, seeds: u64) -> Result<Scores, Error> {
    let folder = folder();
    make(&folder)?;
    let mut runs = Vec::new();
    for seed in 1..=seeds {
        let file = folder.join("federation.toml");
        fs::write(&file, base).map_err(|source| Error::Write { path: file.clone(), source })?;
        let output = folder.join("run");
        let _ = fs::remove_dir_all(&output);
        let mut simulate = flowgait();
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

/// Makes a folder where it is not there.
pub fn make(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_owned(), source })
}

impl Scores {
    /// Two numbers of a summary, each with its spread; the second may be none.
    pub fn pair(&self, first: &[&str], second: &[&str]) -> String {
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
