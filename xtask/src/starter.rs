//! The starter model: learnt from the shared captures, judged on captures that it did not learn from, and put into the binary.
//!
//! What it learns from is in `xtask/starter/starter.py`; the model goes to `crates/flowgait/src/starter.fgm`, and what was measured is
//! printed for `docs/STARTER.md`. Weights are kept in the tree, data never.

use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::{process, project};

/// Most octets of the model: everybody who installs the binary carries it.
const OCTETS_MAX: u64 = 5_000_000;

pub fn run() -> Result<(), Error> {
    let data = project::shared_data().map(|data| data.join("ndpi")).filter(|ndpi| ndpi.is_dir());
    let data = data.ok_or(Error::NoSharedData)?;
    let folder = project::target().join("starter");
    std::fs::create_dir_all(&folder)
        .map_err(|source| Error::Write { path: folder.clone(), source })?;
    process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
    let flowgait = project::target().join("release/flowgait");
    let python = |what: &str| {
        let mut command = Command::new("python3");
        command.arg(project::root().join("xtask/starter/starter.py")).arg(what);
        command
    };
    let [truth, flows, known] =
        ["truth.csv", "flows.csv", "known.csv"].map(|name| folder.join(name));
    process::run(python("truth").arg(data.join("flows.csv")).arg(&truth))?;
    let mut meter = Command::new(&flowgait);
    meter.arg("meter").args(project::captures(&data.join("captures"))?).arg("-o").arg(&flows);
    // Some of the captures are damaged on purpose, which status 3 says.
    process::run_allowing(meter.arg("--labels").arg(&truth), &[0, 3])?;
    process::run(python("known").arg(&flows).arg(&known))?;
    let judged = process::answer(python("judge").arg(&flowgait).arg(&flows).arg(&folder))?;
    let model = model();
    let mut fit = Command::new(&flowgait);
    fit.arg("fit").arg(&known).args(["--label", "category", "--group", "capture"]);
    fit.args(["--estimator", "extra-trees", "--note", NOTE, "-o"]).arg(&model);
    process::run(&mut fit)?;
    let octets = std::fs::metadata(&model).map_or(0, |found| found.len());
    println!("{octets} octets: {}", model.display());
    println!("{}", serde_json::to_string_pretty(&judged).unwrap_or_default());
    if octets > OCTETS_MAX {
        return Err(Error::Peer(format!(
            "the starter model has {octets} octets, more than {OCTETS_MAX}"
        )));
    }
    Ok(())
}

/// What the card says beside the numbers.
const NOTE: &str = "Learnt from the test captures of ntop/nDPI (commit 3b1286ab, LGPL-3.0) with nDPI's verdicts as labels: \
a few flows of many programs, years and networks, not what a network of yours carries. docs/STARTER.md says what was measured.";

fn model() -> PathBuf {
    project::root().join("crates/flowgait/src/starter.fgm")
}
