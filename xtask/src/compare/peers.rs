//! The tools we are measured against, set up by their package names below `target/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::{process, project};

/// A Python with these packages, in `target/peers/venv`; the first call installs them from PyPI.
pub fn python(packages: &[&str]) -> Result<PathBuf, Error> {
    let venv = project::target().join("peers/venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        make_environment(&venv)?;
    }
    // One by one, because `pip show` is content when it finds any of several; it knows neither extras in brackets nor versions.
    let is_there = |package: &&str| {
        let name = package.split(['[', '=']).next().unwrap_or(package);
        process::works(Command::new(&python).args(["-m", "pip", "show", "--quiet", name]))
    };
    if !packages.iter().all(is_there) {
        process::run(
            Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages),
        )?;
    }
    Ok(python)
}

/// An empty Python environment; on Debian its maker is a package of its own, which is installed where it is not there.
fn make_environment(venv: &Path) -> Result<(), Error> {
    let make = || {
        let made = process::run(Command::new("python3").args(["-m", "venv"]).arg(venv)).is_ok();
        if !made {
            // What is half made would be taken for whole the next time.
            let _ = std::fs::remove_dir_all(venv);
        }
        made
    };
    let installed = |words: &[&str]| {
        apt(words);
        make()
    };
    // A machine that is new has no list of packages, or an old one.
    let install = ["install", "--yes", "python3-venv"];
    if make() || installed(&install) || (apt(&["update"]), installed(&install)).1 {
        return Ok(());
    }
    Err(Error::Peer(
        "cannot make a Python environment; on Debian: apt-get install python3-venv".into(),
    ))
}

fn apt(words: &[&str]) {
    let mut command = Command::new("apt-get");
    let _ = process::run(command.env("DEBIAN_FRONTEND", "noninteractive").args(words));
}

/// A program of a Debian package; installs the package when the program is not there.
pub fn debian(program: &str, package: &str) -> Result<Command, Error> {
    // Only whether it starts matters; tools differ in what they answer to `-h`.
    let is_there = || {
        Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !is_there() {
        apt(&["install", "--yes", package]);
    }
    if !is_there() {
        // A machine that is new has no list of packages, or an old one.
        apt(&["update"]);
        apt(&["install", "--yes", package]);
    }
    if is_there() {
        return Ok(Command::new(program));
    }
    Err(Error::Peer(format!(
        "{program} is missing; on Debian: apt-get update && apt-get install {package}"
    )))
}

/// One of our scripts that drives a peer.
pub fn script(name: &str) -> Result<PathBuf, Error> {
    let path = project::root().join("xtask/peers").join(name);
    if path.exists() {
        Ok(path)
    } else {
        Err(Error::Peer(format!("{} is missing", path.display())))
    }
}
