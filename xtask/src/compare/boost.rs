//! Boosting on made rows: ours and LightGBM, one thread each, at equal log loss.
//!
//! LightGBM makes its default rounds; ours as few as reach the same log loss on rows that neither learnt from.

use std::process::Command;

use serde_json::{Value, json};

use super::{Arguments, folder, number, peers, record};
use crate::error::Error;
use crate::{process, project};

/// Classes, and LightGBM's rounds: with 128 classes a round takes it two seconds, and it does not get better.
const TASKS: [(u32, u32); 2] = [(6, 100), (128, 20)];
/// Rounds that ours tries, until one is as good.
const ROUNDS: [u32; 13] = [5, 10, 20, 40, 60, 70, 80, 85, 90, 100, 150, 200, 400];

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let python = peers::python(&["lightgbm", "numpy", "scikit-learn"])?;
    let script = peers::script("boost.py")?;
    let maker = peers::script("forest.py")?;
    let build = ["build", "--release", "--package", "flowgait-model", "--example", "boost_speed"];
    process::run(&mut process::cargo(build))?;
    let table = folder()?.join("forest.table");
    if !table.exists() {
        process::run(Command::new(&python).arg(&maker).arg("make").arg(&table))?;
    }
    for (classes, rounds) in TASKS {
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..arguments.runs {
            let mut program = Command::new(&python);
            peer.push(turn("peer", classes, rounds, program.arg(&script).arg(&table))?);
            let aim = number(&peer[0], "log_loss");
            for rounds in ROUNDS {
                let program = project::target().join("release/examples/boost_speed");
                let run = turn("ours", classes, rounds, Command::new(program).arg(&table))?;
                if number(&run, "log_loss") <= aim {
                    ours.push((rounds, run));
                    break;
                }
            }
        }
        println!("{}", row(classes, rounds, &ours, &peer));
    }
    Ok(())
}

fn turn(side: &str, classes: u32, rounds: u32, command: &mut Command) -> Result<Value, Error> {
    command.args(["--classes", &classes.to_string(), "--trees", &rounds.to_string()]);
    let figures = process::answer(command)?;
    eprintln!("{side}, {rounds} rounds: {figures}");
    let line = json!({ "name": "boost", "side": side, "classes": classes, "rounds": rounds, "figures": figures });
    record("boost", &line)?;
    Ok(figures)
}

/// A row of the table in `docs/BENCHMARKS.md`: the cheapest fit of each side.
fn row(classes: u32, rounds: u32, ours: &[(u32, Value)], peer: &[Value]) -> String {
    let cost = |run: &Value| number(run, "fit_cpu_s");
    let theirs = peer.iter().min_by(|a, b| cost(a).total_cmp(&cost(b)));
    let best = ours.iter().min_by(|(_, a), (_, b)| cost(a).total_cmp(&cost(b)));
    let (Some(theirs), Some((own_rounds, best))) = (theirs, best) else {
        return format!("| {classes} classes | ours never reached the same log loss |");
    };
    format!(
        "| {classes} classes | {rounds} rounds: {:.1} CPU s, log loss {:.3} | {own_rounds} rounds: {:.1} CPU s, log loss {:.3} | {:.1} × |",
        cost(theirs),
        number(theirs, "log_loss"),
        cost(best),
        number(best, "log_loss"),
        cost(theirs) / cost(best),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_cheapest_run_that_is_as_good() {
        let run = |fit: f64| json!({"fit_cpu_s": fit, "log_loss": 0.4});
        let told = row(6, 100, &[(80, run(7.0)), (80, run(6.0))], &[run(15.0), run(13.2)]);
        assert!(told.ends_with("| 80 rounds: 6.0 CPU s, log loss 0.400 | 2.2 × |"), "{told}");
    }
}
