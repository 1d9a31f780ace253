//! Fit and predict on made rows: ours and scikit-learn's random forest, one thread each.
//!
//! Both programs time their own phases and print them, because loading a table and starting Python are not the work.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Arguments, folder, number, peers, record};
use crate::error::Error;
use crate::{process, project};

/// Trees and classes of a task.
struct Task {
    trees: u32,
    classes: u32,
}

/// What the project's measures name; scikit-learn needs minutes and gigabytes for the last.
const TASKS: [Task; 3] = [
    Task { trees: 20, classes: 128 },
    Task { trees: 20, classes: 6 },
    Task { trees: 200, classes: 128 },
];

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let python = peers::python(&["scikit-learn", "numpy"])?;
    let script = peers::script("forest.py")?;
    let build = ["build", "--release", "--package", "flowgait-model", "--example", "forest_speed"];
    process::run(&mut process::cargo(build))?;
    let table = folder()?.join("forest.table");
    if !table.exists() {
        process::run(Command::new(&python).arg(&script).arg("make").arg(&table))?;
    }
    let tasks = if arguments.long { &TASKS[..] } else { &TASKS[..2] };
    for task in tasks {
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        // The long one once: it takes scikit-learn five minutes.
        for seed in 0..if task.trees > 20 { 1 } else { arguments.runs } {
            let mut program = Command::new(project::target().join("release/examples/forest_speed"));
            ours.push(turn("ours", task, seed, program.arg(&table))?);
            let mut program = Command::new(&python);
            peer.push(turn(
                "peer",
                task,
                seed,
                program.arg(&script).arg("run").arg(Path::new(&table)),
            )?);
        }
        println!("{}", row(task, &ours, &peer));
    }
    Ok(())
}

fn turn(side: &str, task: &Task, seed: u8, command: &mut Command) -> Result<Value, Error> {
    for (name, value) in
        [("--trees", task.trees), ("--classes", task.classes), ("--seed", seed.into())]
    {
        command.args([name, &value.to_string()]);
    }
    let figures = process::answer(command)?;
    eprintln!("{side}: {figures}");
    let line = json!({
        "name": "forest", "side": side, "trees": task.trees, "classes": task.classes, "seed": seed, "figures": figures
    });
    record("forest", &line)?;
    Ok(figures)
}

/// A row of the table in `docs/BENCHMARKS.md`: cheapest fit, fastest prediction, mean accuracy.
fn row(task: &Task, ours: &[Value], peer: &[Value]) -> String {
    let all =
        |runs: &[Value], name: &str| runs.iter().map(|run| number(run, name)).collect::<Vec<_>>();
    let fit = |runs| all(runs, "fit_cpu_s").into_iter().fold(f64::INFINITY, f64::min);
    let rate = |runs| all(runs, "predict_rows_per_cpu_s").into_iter().fold(0.0, f64::max) / 1e3;
    let accuracy = |runs: &[Value]| all(runs, "accuracy").iter().sum::<f64>() / runs.len() as f64;
    format!(
        "| {} trees, {} classes | fit {:.2} s, predict {:.0} k rows/s, accuracy {:.4} | fit {:.2} s, predict {:.0} k \
         rows/s, accuracy {:.4} | fit {:.1} ×, predict {:.1} × |",
        task.trees,
        task.classes,
        fit(peer),
        rate(peer),
        accuracy(peer),
        fit(ours),
        rate(ours),
        accuracy(ours),
        fit(peer) / fit(ours),
        rate(ours) / rate(peer),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_best_of_each_side() {
        let run = |fit: f64, rate: f64| json!({"fit_cpu_s": fit, "predict_rows_per_cpu_s": rate, "accuracy": 0.5});
        let told = row(&TASKS[1], &[run(2.0, 8e3), run(1.0, 9e3)], &[run(10.0, 3e3)]);
        assert!(told.ends_with("| fit 10.0 ×, predict 3.0 × |"), "{told}");
    }
}
