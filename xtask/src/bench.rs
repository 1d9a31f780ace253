//! `cargo xtask bench`: every bench of the workspace.

use crate::error::Error;
use crate::process;

/// What was typed after `bench`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Passed on to `cargo bench` (`-p flowgait-model`, or a bench's name)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let mut command = process::cargo(["bench"]);
    if !arguments.passed.iter().any(|word| word == "-p" || word.starts_with("--package")) {
        command.arg("--workspace");
    }
    // Only bench targets: libraries' and binaries' unit tests do not know divan's arguments.
    command.arg("--benches").args(&arguments.passed);
    process::run(&mut command)
}
