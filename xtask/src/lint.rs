//! `cargo xtask lint`: what must hold before a commit.

use std::process::Command;

use crate::error::Error;
use crate::{process, tidy};

/// What was typed after `lint`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Do not ask cargo-deny for advisories, which it fetches
    #[arg(long)]
    offline: bool,
}

/// Runs every step even when one fails, so that one run tells everything.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let mut failed = Vec::new();
    let mut note = |name: &str, outcome: Result<(), Error>| {
        if let Err(error) = outcome {
            eprintln!("error: {error}");
            failed.push(name.to_owned());
        }
    };
    for (name, mut command) in steps() {
        note(name, process::run(&mut command));
    }
    eprintln!("$ cargo xtask tidy");
    note("tidy", tidy::run());
    if process::works(&mut process::cargo(["deny", "--version"])) {
        note(
            "deny",
            process::run(&mut process::cargo(["deny", "check", "bans", "licenses", "sources"])),
        );
        if !arguments.offline {
            note("advisories", process::run(&mut process::cargo(["deny", "check", "advisories"])));
        }
    } else {
        eprintln!("cargo-deny is not installed: licences, sources and advisories were not checked");
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Lint(failed)) }
}

fn steps() -> Vec<(&'static str, Command)> {
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let mut docs = process::cargo(["doc", "--workspace", "--no-deps"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    vec![
        ("fmt", process::cargo(["fmt", "--all", "--check"])),
        ("clippy", process::cargo(clippy)),
        ("docs", docs),
    ]
}
