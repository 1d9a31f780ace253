//! Accuracy on the same columns and folds: ours and scikit-learn's random forest.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Arguments, folder, number, peers, record};
use crate::error::Error;
use crate::{process, project};

/// Both sides are scored by `xtask/peers/folds.py`, whose head says what the table holds.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let table = match &arguments.table {
        Some(table) => table.clone(),
        None => ndpi_categories()?,
    };
    let mut peer = Command::new(peers::python(&["scikit-learn", "numpy"])?);
    let scores = process::answer(peer.arg(peers::script("folds.py")?).arg(&table))?;
    record("folds", &scores)?;
    for side in ["ours", "scikit_learn"] {
        println!("{}", row(side, &scores[side]));
    }
    Ok(())
}

/// nDPI's categories on the shared captures: our columns, five folds by capture under five seeds, and our forest's answers.
fn ndpi_categories() -> Result<PathBuf, Error> {
    let python = peers::python(&["scikit-learn", "numpy"])?;
    process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
    let flows = ndpi_flows(&python, "category", "flows.csv")?;
    let folds = folder()?.join("folds.csv");
    let mut evaluate = Command::new(project::target().join("release/flowgait"));
    evaluate.arg("evaluate").arg(&flows).args(["--label", "category", "--estimator", "forest"]);
    evaluate.args(["--split", "group:capture", "--folds", "5", "--repeats", "5", "--export"]);
    process::run(evaluate.arg(&folds))?;
    Ok(folds)
}

/// Flows of the shared captures with nDPI's verdicts, of categories (or `app`lications) that are seen in three captures or more.
pub(super) fn ndpi_flows(python: &Path, by: &str, name: &str) -> Result<PathBuf, Error> {
    let data = project::shared_data().map(|data| data.join("ndpi")).filter(|ndpi| ndpi.is_dir());
    let data = data.ok_or(Error::NoSharedData)?;
    let folder = folder()?;
    let (truth, flows) = (folder.join(format!("truth-by-{by}.csv")), folder.join(name));
    let mut make_truth = Command::new(python);
    make_truth.arg(peers::script("ndpi_truth.py")?).arg(data.join("flows.csv")).arg(&truth);
    process::run(make_truth.arg(by))?;
    let mut meter = Command::new(project::target().join("release/flowgait"));
    meter.arg("meter").args(project::captures(&data.join("captures"))?).arg("-o").arg(&flows);
    // Some of the captures are damaged on purpose, which status 3 says.
    process::run_allowing(meter.arg("--labels").arg(&truth), &[0, 3])?;
    Ok(flows)
}

/// A row of the table in `docs/BENCHMARKS.md`.
fn row(side: &str, scores: &Value) -> String {
    let get = |name: &str| number(scores, name);
    format!(
        "| {side} | {:.3} ± {:.3} | {:.3} ± {:.3} |",
        get("accuracy"),
        get("accuracy_sd"),
        get("macro_f1"),
        get("macro_f1_sd")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_mean_and_spread() {
        let scores = serde_json::json!({"accuracy": 0.5, "accuracy_sd": 0.01, "macro_f1": 0.25, "macro_f1_sd": 0.02});
        assert_eq!(row("ours", &scores), "| ours | 0.500 ± 0.010 | 0.250 ± 0.020 |");
    }
}
