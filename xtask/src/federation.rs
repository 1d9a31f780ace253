//! `cargo xtask federation`: the tables of `docs/FEDERATION.md`, each cell a number of whole runs of `flowgait simulate`.
//!
//! A row is printed once it is whole; what is being run is said on standard error.

mod attacks;
mod cell;
mod made;
mod privacy;
mod strategies;

use crate::error::Error;
use crate::process;

/// What was typed after `federation`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Which table
    #[arg(value_enum)]
    table: Table,
    /// Seeds of each cell
    #[arg(long, default_value_t = 5)]
    seeds: u64,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Table {
    /// Strategies by how unlike clients are, on recorded and on made traffic
    Strategies,
    /// The same on made traffic alone, which needs no shared data
    Made,
    /// What privacy costs, at a thousand clients
    Privacy,
    /// What liars can do, and which rules stand it
    Attacks,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
    match arguments.table {
        Table::Strategies => {
            strategies::recorded(arguments.seeds)?;
            strategies::made(arguments.seeds)
        }
        Table::Made => strategies::made(arguments.seeds),
        Table::Privacy => privacy::run(arguments.seeds),
        Table::Attacks => attacks::run(arguments.seeds),
    }
}
