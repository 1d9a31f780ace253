//! Meters on the big capture: NFStream and nDPI's own reader.

use std::path::Path;
use std::process::Command;

use super::{Arguments, Contest, folder, peers};
use crate::error::Error;
use crate::{bench_capture, process, project};

pub fn nfstream(arguments: &Arguments) -> Result<(), Error> {
    let capture = bench_capture::ready(arguments.capture.as_deref())?;
    let mut peer = Command::new(peers::python(&["nfstream"])?);
    peer.arg(peers::script("nfstream_meter.py")?).arg(&capture).arg(folder()?.join("nfstream.csv"));
    contest("nfstream", "meter to CSV: statistics, sequences, names", &capture, peer)?
        .run(arguments.runs)
}

pub fn ndpi(arguments: &Arguments) -> Result<(), Error> {
    let capture = bench_capture::ready(arguments.capture.as_deref())?;
    let mut peer = peers::debian("ndpiReader", "libndpi-bin")?;
    peer.arg("-i").arg(&capture).arg("-C").arg(folder()?.join("ndpi.csv")).arg("-q");
    contest("ndpi", "meter to CSV: statistics, names", &capture, peer)?.run(arguments.runs)
}

fn contest(
    name: &'static str,
    work: &str,
    capture: &Path,
    peer: Command,
) -> Result<Contest, Error> {
    process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
    let mut ours = Command::new(project::target().join("release/flowgait"));
    // One timeline of one file; a name that ends in .csv chooses the columns in full.
    ours.arg("meter").arg(capture).arg("-o").arg(folder()?.join("flowgait.csv"));
    let amount = bench_capture::packets(capture)? as f64;
    Ok(Contest { name, work: work.to_owned(), unit: "packets", amount, ours, peer })
}
