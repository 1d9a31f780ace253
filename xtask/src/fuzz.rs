//! `cargo xtask fuzz`: coverage-guided fuzzing of every reader of outside bytes.
//!
//! The targets' bodies are plain functions in `fuzz/src/`, so `cargo xtask test` replays every seed and every past
//! crash on the stable toolchain; only the search for new ones needs nightly and `cargo-fuzz`.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use crate::error::Error;
use crate::{process, project};

/// What was typed after `fuzz`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Minutes for each target
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Targets to run; all of them when none is named
    targets: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    set_up()?;
    let targets = if arguments.targets.is_empty() { targets()? } else { arguments.targets.clone() };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "minutes to whole seconds; floats saturate"
    )]
    let seconds = (arguments.minutes * 60.0).round() as u64;
    let mut failed = Vec::new();
    for target in &targets {
        // A new crash lands in fuzz/artifacts; mend it, then move it to fuzz/crashes/<target>/ to keep it as a test.
        let options = [
            format!("-max_total_time={seconds}"),
            "-timeout=10".into(),
            "-rss_limit_mb=2048".into(),
        ];
        let mut command = nightly(["fuzz", "run", "--features", "fuzzing", target]);
        command.arg(format!("fuzz/corpus-found/{target}")).arg(format!("fuzz/corpus/{target}"));
        make_folder(&format!("fuzz/corpus-found/{target}"))?;
        make_folder(&format!("fuzz/corpus/{target}"))?;
        if process::run(command.arg("--").args(options)).is_err() {
            failed.push(target.clone());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::Peer(format!("fuzzing found crashes in: {}", failed.join(", "))))
}

fn set_up() -> Result<(), Error> {
    if !process::works(&mut nightly(["--version"])) {
        return Err(Error::Peer(
            "fuzzing needs a nightly toolchain: rustup toolchain install nightly".into(),
        ));
    }
    if !process::works(&mut nightly(["fuzz", "--version"])) {
        process::run(&mut process::cargo(["install", "--locked", "cargo-fuzz"]))?;
    }
    Ok(())
}

/// A command of the nightly toolchain; only rustup's own `cargo` knows `+nightly`, the one that runs us does not.
fn nightly<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(project::root()).arg("+nightly").args(arguments);
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    // Optimising across crates costs minutes of building, and the coverage that the fuzzer follows is lost in it.
    command
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command
}

/// The targets' names, from the thin programs in `fuzz/fuzz_targets/`.
fn targets() -> Result<Vec<String>, Error> {
    let folder = project::root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|source| Error::Read { path: folder, source })?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut names: Vec<String> =
        paths.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

fn make_folder(name: &str) -> Result<(), Error> {
    let path = project::root().join(name);
    fs::create_dir_all(&path).map_err(|source| Error::Write { path, source })
}
