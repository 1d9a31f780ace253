//! A convolutional network on made flows: ours and PyTorch's, the same layers, one thread each.

use std::process::Command;

use serde_json::{Value, json};

use super::{Arguments, folder, number, peers, record};
use crate::error::Error;
use crate::{process, project};

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let python = peers::python(&["torch", "numpy"])?;
    let script = peers::script("net.py")?;
    let build = ["build", "--release", "--package", "flowgait-model", "--example", "net_speed"];
    process::run(&mut process::cargo(build))?;
    let table = folder()?.join("net.table");
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        let program = project::target().join("release/examples/net_speed");
        ours.push(turn("ours", Command::new(program).arg(&table))?);
        peer.push(turn("peer", Command::new(&python).arg(&script).arg(&table))?);
    }
    println!("{}", row(&ours, &peer));
    Ok(())
}

fn turn(side: &str, command: &mut Command) -> Result<Value, Error> {
    let figures = process::answer(command)?;
    eprintln!("{side}: {figures}");
    record("net", &json!({ "name": "net", "side": side, "figures": figures }))?;
    Ok(figures)
}

/// A row of the table in `docs/BENCHMARKS.md`: the cheapest run of each side.
fn row(ours: &[Value], peer: &[Value]) -> String {
    let least = |runs: &[Value], name: &str| {
        runs.iter().map(|run| number(run, name)).fold(f64::NAN, f64::min)
    };
    let most = |runs: &[Value], name: &str| {
        runs.iter().map(|run| number(run, name)).fold(f64::NAN, f64::max)
    };
    let [a, b] = [ours, peer].map(|runs| least(runs, "row_micros"));
    let [c, d] = [ours, peer].map(|runs| most(runs, "predict_rows_per_cpu_s"));
    let [e, f] = [ours, peer].map(|runs| most(runs, "accuracy"));
    format!(
        "| {a:.0} µs | {b:.0} µs | **{:.1} ×** | {:.0} k | {:.0} k | {e:.3} | {f:.3} |",
        b / a,
        c / 1e3,
        d / 1e3,
    )
}
