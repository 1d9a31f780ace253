//! The commands, one file each, in pipeline order.

pub mod budget;
pub mod completions;
pub mod config;
pub mod demo;
pub mod early;
pub mod evaluate;
pub mod explain;
pub mod fit;
mod flow_table;
pub mod health;
pub mod inspect;
pub mod jobs;
mod judging;
pub mod keys;
mod learning;
pub mod meter;
mod metering;
pub mod models;
pub mod predict;
mod recipe;
mod rows;
pub mod serve;
mod service;
pub mod simulate;
mod sources;
mod splitting;
mod starter;
pub mod synth;
pub mod worker;

use crate::args::{Cli, Command};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Runs one command.
pub fn run(cli: Cli) -> Result<Outcome, Failure> {
    let config = Config::load(cli.config.as_deref(), &|name| std::env::var(name).ok())?;
    match cli.command {
        Command::Demo(args) => demo::run(&args, config),
        Command::Inspect(args) => inspect::run(&args),
        Command::Meter(args) => meter::run(&args, config),
        Command::Fit(args) => fit::run(&args, config),
        Command::Evaluate(args) => evaluate::run(&args, config),
        Command::Predict(args) => predict::run(&args, config),
        Command::Explain(args) => explain::run(&args, config),
        Command::Models(args) => models::run(&args, &config),
        Command::Budget(args) => budget::run(&args),
        Command::Simulate(args) => simulate::run(&args, config),
        Command::Serve(args) => serve::run(&args, config),
        Command::Worker(args) => worker::run(&args, config),
        Command::Jobs(args) => jobs::run(&args, config),
        Command::Keys(args) => keys::run(&args, config),
        Command::Health(args) => health::run(&args),
        Command::Synth(args) => synth::run(&args, config),
        Command::Config(args) => self::config::run(&args, &config),
        Command::Completions(args) => completions::run(&args),
    }
}
