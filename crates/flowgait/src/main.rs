//! The one binary: reads the command line, runs one command, turns its end into an exit status.

mod areas;
mod args;
mod commands;
mod config;
mod failure;
mod output;
mod parent;
mod progress;
#[cfg(feature = "otel")]
mod telemetry;
mod units;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::report(&error),
    };
    if cli.command.is_service() {
        areas::limit();
    }
    parent::follow();
    if !cli.command.is_service() {
        output::install_log();
    }
    match commands::run(cli) {
        Ok(outcome) => outcome.code(),
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.code();
            output::failure(failure);
            code
        }
    }
}
