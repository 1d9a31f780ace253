//! A table of made traffic: ten sites, each with homes, lines and applications of its own, from fixed seeds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::cell::{flowgait, folder, make, ten_clients};
use crate::error::Error;
use crate::process;

/// A site's traffic: homes on good lines, the same applications over slow and lossy ones, and applications of its own.
const SITES: [&str; 10] = [
    "demo",
    "demo",
    "demo",
    "demo",
    "poor-lines",
    "poor-lines",
    "poor-lines",
    "crowd",
    "crowd",
    "crowd",
];
/// Flows of a site.
const FLOWS: &str = "500";

/// A federation of ten clients that the flows of all sites are dealt to; what is learnt is their kind.
///
/// The tables are made once, and kept for the next time.
pub fn federation() -> Result<String, Error> {
    let folder = folder().join("made");
    make(&folder)?;
    let mut tables = Vec::new();
    for (seed, scenario) in (1..).zip(SITES) {
        tables.push(site(&folder, seed, scenario)?.display().to_string());
    }
    Ok(ten_clients(&tables, "category"))
}

/// One site's flows with the truth about them.
fn site(folder: &Path, seed: u64, scenario: &str) -> Result<PathBuf, Error> {
    let file = |kind: &str| folder.join(format!("site-{seed:02}{kind}"));
    let table = file(".csv");
    if table.is_file() {
        return Ok(table);
    }
    let (capture, truth) = (file(".pcap"), file("-truth.csv"));
    let mut synth = flowgait();
    synth.args(["synth", scenario, "--flows", FLOWS, "--seed", &seed.to_string(), "-o"]);
    synth.arg(&capture).arg("--labels").arg(&truth);
    process::run(synth.stderr(Stdio::null()))?;
    let mut meter = flowgait();
    meter.arg("meter").arg(&capture).arg("-o").arg(&table).arg("--labels").arg(&truth);
    process::run(meter.stderr(Stdio::null()))?;
    // Tens of megabytes each, which the table says all of.
    let _ = fs::remove_file(&capture);
    Ok(table)
}
