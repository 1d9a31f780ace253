//! What a person may type.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands;

/// Tells which application an encrypted network flow belongs to, from how it moves, never from its content.
#[derive(Debug, Parser)]
#[command(
    name = "flowgait",
    version,
    about,
    long_about = None,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
New here?   flowgait demo
Your own:   flowgait inspect my.pcap
            flowgait meter my.pcap -o flows.csv --label-by sni
            flowgait fit flows.csv --label application -o mine.fgm
            flowgait predict --model mine.fgm other.pcap -o answers.csv

Exit status: 0 done, 1 the work failed, 2 the command line or configuration was wrong, 3 done but some input was bad."
)]
pub struct Cli {
    /// Configuration file; without it FLOWGAIT_CONFIG, then ./flowgait.toml where there is one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Command,
}

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Made traffic → flows → model → honest report, in under a minute, nothing else needed
    Demo(commands::demo::Args),
    /// What is in a capture: link types, packets by kind, what was skipped and why
    Inspect(commands::inspect::Args),
    /// Captures → flow records
    Meter(commands::meter::Args),
    /// Flow records or any table → a model
    Fit(commands::fit::Args),
    /// How good a model is: scores, calibration, confusion, with baselines beside
    Evaluate(commands::evaluate::Args),
    /// A table or captures → the same rows with a prediction
    Predict(commands::predict::Args),
    /// Why a row got its answer: what spoke for it, what against, and which rows are like it
    Explain(commands::explain::Args),
    /// A registry of models: list, show, promote, import, export
    Models(commands::models::Args),
    /// What rounds under noise cost in privacy; how much noise or how many rounds a budget allows
    Budget(commands::budget::Args),
    /// Many sites that learn together and show nobody their rows, simulated in this process
    Simulate(commands::simulate::Args),
    /// The service: tables and captures over HTTP, jobs, models
    Serve(commands::serve::Args),
    /// One more worker for a service that keeps its jobs in Redis
    Worker(commands::worker::Args),
    /// The jobs of a service: list, show, retry, cancel, drain, backup
    Jobs(commands::jobs::Args),
    /// The keys of a service: add, list, revoke
    Keys(commands::keys::Args),
    /// Whether a service is ready
    Health(commands::health::Args),
    /// Made traffic from a seed: a capture and the truth about it
    Synth(commands::synth::Args),
    /// Every setting, its value and where that came from
    Config(commands::config::Args),
    /// A completion script for your shell
    Completions(commands::completions::Args),
}

impl Command {
    /// Whether it runs for long and logs what it does, as its configuration says.
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Worker(_))
    }
}

/// Shows a command line error, or the help that was asked for.
pub fn report(error: &clap::Error) -> ExitCode {
    let wrong = error.use_stderr();
    // Nothing can be done about a terminal that went away while help was shown.
    let _ = error.print();
    if wrong { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_a_worked_example() {
        let cli = Cli::command();
        for command in cli.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{} has no example", command.get_name());
            assert!(help.contains(&format!("flowgait {}", command.get_name())));
        }
    }
}
