//! Accuracy of every estimator beside well-known learners, on the shared tables, columns and folds.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Arguments, folder, folds, peers, record};
use crate::error::Error;
use crate::{process, project};

/// A table, what is learnt from it, and how rows come apart.
struct Task {
    name: &'static str,
    table: PathBuf,
    label: &'static str,
    split: &'static str,
    folds: &'static str,
    repeats: &'static str,
    estimators: &'static [&'static str],
}

const COLUMNS: [&str; 6] = ["auto", "forest", "extra-trees", "boost", "voting", "mlp"];
const WITH_SIZES: [&str; 8] =
    ["auto", "forest", "extra-trees", "boost", "voting", "linear", "mlp", "cnn"];

pub fn run(_: &Arguments) -> Result<(), Error> {
    let python = peers::python(&["scikit-learn", "lightgbm", "numpy", "scipy"])?;
    process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
    for task in tasks(&python)? {
        let mut peer = Command::new(&python);
        peer.arg(peers::script("tables.py")?);
        if let Some(own) = attributes(&task.table) {
            peer.arg("--own").arg(own.join(","));
        }
        for estimator in task.estimators {
            let export = task.export(estimator)?;
            let ours =
                if *estimator == "auto" { "auto".to_owned() } else { format!("ours: {estimator}") };
            peer.arg(format!("{ours}={}", export.display()));
        }
        let scores = process::answer(&mut peer)?;
        record("tables", &serde_json::json!({ "task": task.name, "scores": &scores }))?;
        println!("{}", page(task.name, &scores));
    }
    Ok(())
}

fn tasks(python: &Path) -> Result<Vec<Task>, Error> {
    let data = project::shared_data().ok_or(Error::NoSharedData)?;
    let [categories, applications] = [("category", "flows.csv"), ("app", "flows-of-apps.csv")]
        .map(|(by, name)| folds::ndpi_flows(python, by, name));
    Ok(vec![
        Task {
            name: "nDPI categories, by capture",
            table: categories?,
            label: "category",
            split: "group:capture",
            folds: "5",
            repeats: "2",
            estimators: &WITH_SIZES,
        },
        Task {
            name: "nDPI applications in three captures or more, by capture",
            table: applications?,
            label: "application",
            split: "group:capture",
            folds: "5",
            repeats: "2",
            estimators: &WITH_SIZES,
        },
        Task {
            name: "UC Davis QUIC, by time within class",
            table: data.join("ucdavis19-quic/flows.csv"),
            label: "label",
            split: "time-in-class",
            folds: "2",
            repeats: "1",
            estimators: &WITH_SIZES,
        },
        Task {
            name: "ISCX 15 s, 14 kinds, in 200 blocks of neighbouring rows (a stand-in for sessions)",
            table: data.join("iscxvpn/TimeBasedFeatures-Dataset-15s.arff"),
            label: "class1",
            split: "block:200",
            folds: "5",
            repeats: "2",
            estimators: &COLUMNS,
        },
        Task {
            name: "mobilegt, 20 applications, in 200 blocks of neighbouring rows (a stand-in for sessions)",
            table: data.join("mobilegt/App-BiFlowFeatures.arff"),
            label: "appName",
            split: "block:200",
            folds: "5",
            repeats: "2",
            estimators: &COLUMNS,
        },
    ])
}

impl Task {
    /// Our answers on the folds, as a table.
    fn export(&self, estimator: &str) -> Result<PathBuf, Error> {
        let short: String =
            self.name.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
        let path = folder()?.join(format!("{short}-{estimator}.csv"));
        let mut evaluate = Command::new(project::target().join("release/flowgait"));
        evaluate.arg("evaluate").arg(&self.table).args(["--label", self.label, "--brief"]);
        evaluate.args(["--split", self.split, "--folds", self.folds, "--repeats", self.repeats]);
        evaluate.args(["--estimator", estimator, "--export"]).arg(&path);
        process::run(evaluate.stdout(std::process::Stdio::null()))?;
        Ok(path)
    }
}

/// The columns of an ARFF table as it came, which known tables' derived columns are not among; `None` of another kind of table.
fn attributes(table: &Path) -> Option<Vec<String>> {
    if table.extension().is_none_or(|ending| ending != "arff") {
        return None;
    }
    let text = String::from_utf8_lossy(&std::fs::read(table).ok()?).into_owned();
    let head = text.lines().take_while(|line| !line.to_lowercase().starts_with("@data"));
    let name = |line: &str| {
        let mut words = line.split_whitespace();
        let keyword = words.next()?;
        keyword.eq_ignore_ascii_case("@attribute").then(|| words.next().map(str::to_owned))?
    };
    Some(head.filter_map(name).collect())
}

/// A table of `docs/BENCHMARKS.md`.
fn page(task: &str, scores: &Value) -> String {
    let mut text = format!(
        "\n**{task}** ({} rows, {} columns, {} classes, {} trials)\n\n| | accuracy | macro-F1 |\n| --- | --- | --- |\n",
        scores["rows"], scores["columns"], scores["classes"], scores["trials"]
    );
    let empty = serde_json::Map::new();
    for (name, values) in scores["scores"].as_object().unwrap_or(&empty) {
        let value = |at: usize| values[at].as_f64().unwrap_or(f64::NAN);
        text += &format!(
            "| {name} | {:.3} ± {:.3} | {:.3} ± {:.3} |\n",
            value(0),
            value(1),
            value(2),
            value(3)
        );
    }
    for measure in ["accuracy", "macro_f1"] {
        let verdict = &scores["against_the_best_peer"][measure];
        let value = |name: &str| verdict[name].as_f64().unwrap_or(f64::NAN);
        text += &format!(
            "\n{measure}: auto leads {} by {:+.3}, p {:.3}.",
            verdict["best_peer"].as_str().unwrap_or_default(),
            value("lead"),
            value("p")
        );
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_scores_and_the_verdict() {
        let scores = serde_json::json!({
            "rows": 9, "columns": 3, "classes": 2, "trials": 10,
            "scores": { "auto": [0.5, 0.01, 0.4, 0.02] },
            "against_the_best_peer": {
                "accuracy": { "best_peer": "LightGBM", "lead": 0.02, "p": 0.04 },
                "macro_f1": { "best_peer": "LightGBM", "lead": -0.01, "p": 0.6 },
            },
        });
        let page = page("made", &scores);
        assert!(page.contains("| auto | 0.500 ± 0.010 | 0.400 ± 0.020 |"), "{page}");
        assert!(page.contains("accuracy: auto leads LightGBM by +0.020, p 0.040."), "{page}");
    }
}
