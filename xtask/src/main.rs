//! The project's chores: `cargo xtask` lists them, CI and people call the same ones.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod bench;
mod bench_capture;
mod compare;
mod deploy;
mod error;
mod federation;
mod fuzz;
mod http;
mod inference;
mod lint;
mod process;
mod project;
mod schemathesis;
mod server;
mod service;
mod soak;
mod starter;
mod test;
mod tidy;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Every test: unit, story, documentation, fuzz replay and dashboard; arguments narrow it (`-p flowgait-flow`)
    Test(test::Arguments),
    /// What must hold before a commit: fmt, clippy, tidy, docs, and cargo-deny where it is installed
    Lint(lint::Arguments),
    /// What the compiler cannot check: crate edges, module docs, words, stray files
    Tidy,
    /// The dashboard: built anew into web/dist; --check says whether that was done
    Web(web::Arguments),
    /// Every bench, in release; arguments narrow it
    Bench(bench::Arguments),
    /// Make the big capture that the meter is measured on
    BenchCapture(bench_capture::Arguments),
    /// Measure against a well-known tool: nfstream, ndpi, forest, boost, net, flower, celery, folds or tables
    Compare(compare::Arguments),
    /// The tables of docs/FEDERATION.md, from whole runs of `simulate`
    Federation(federation::Arguments),
    /// What linters say of deploy/: image, compose file, alerts, dashboard, chart; installs them below target/deploy
    DeployCheck,
    /// Ask the API by its own description what it does not say of itself, and what breaks it (Schemathesis)
    Schemathesis(schemathesis::Arguments),
    /// Half an hour of mixed load while processes are killed, every answer checked, memory watched
    Soak(soak::Arguments),
    /// Drive the Open Inference Protocol with Triton's own client
    Inference,
    /// Learn the starter model anew from the shared captures, and judge it
    Starter,
    /// Fuzz every reader of outside bytes for some minutes (needs the nightly toolchain)
    Fuzz(fuzz::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test(arguments) => test::run(&arguments),
        Task::Lint(arguments) => lint::run(&arguments),
        Task::Tidy => tidy::run(),
        Task::Web(arguments) => web::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::BenchCapture(arguments) => bench_capture::run(&arguments),
        Task::Compare(arguments) => compare::run(&arguments),
        Task::Federation(arguments) => federation::run(&arguments),
        Task::DeployCheck => deploy::run(),
        Task::Schemathesis(arguments) => schemathesis::run(&arguments),
        Task::Soak(arguments) => soak::run(&arguments),
        Task::Inference => inference::run(),
        Task::Starter => starter::run(),
        Task::Fuzz(arguments) => fuzz::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}
