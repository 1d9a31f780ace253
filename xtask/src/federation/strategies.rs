//! Strategies by how unlike clients are.

use super::cell::{Cell, Scores, scores, uc_davis};
use super::made;
use crate::error::Error;

/// A row's name and its keys.
type Row = (&'static str, &'static [&'static str]);

const STRATEGIES: [Row; 5] = [
    ("FedAvg", &["strategy.name=\"fed-avg\""]),
    ("FedProx", &["strategy={name=\"fed-prox\",mu=0.1}"]),
    ("SCAFFOLD", &["strategy.name=\"scaffold\""]),
    ("FedAdam", &["strategy={name=\"fed-adam\",rate=0.03}"]),
    ("Ditto", &["personal.name=\"ditto\""]),
];
/// Packets in order, where the table has them; one place and each alone take as long again, and are of another network than the others'.
const CONVOLUTIONS: Row =
    ("FedAvg, convolutions", &["model.estimator=\"cnn\"", "baselines={central=false,local=false}"]);
const FORESTS: [Row; 2] = [
    (
        "forest grown from sums",
        &["forest.way=\"histogram\"", "baselines={central=false,local=false}"],
    ),
    ("pooled forest", &["forest.way=\"pooled\"", "baselines={central=false,local=false}"]),
];

/// How rows are dealt: what it is called, and its key.
type Partitions = [(&'static str, &'static str); 4];

const fn partitions(own: (&'static str, &'static str)) -> Partitions {
    [
        ("iid", "clients.partition=\"iid\""),
        ("Dirichlet 0.5", "clients.partition={dirichlet={alpha=0.5}}"),
        ("Dirichlet 0.1", "clients.partition={dirichlet={alpha=0.1}}"),
        own,
    ]
}

/// The flows of UC Davis, whose days are clients.
pub fn recorded(seeds: u64) -> Result<(), Error> {
    let base = uc_davis()?;
    let partitions = partitions(("by day", "clients.column=\"capture_day\""));
    let rows: Vec<Row> = STRATEGIES.into_iter().chain([CONVOLUTIONS]).chain(FORESTS).collect();
    println!("UC Davis QUIC\n");
    table(&base, &partitions, &rows, seeds)
}

/// Made traffic, whose sites are clients.
pub fn made(seeds: u64) -> Result<(), Error> {
    let base = made::federation()?;
    let partitions = partitions(("by site", "clients.column=\"capture\""));
    let rows: Vec<Row> = STRATEGIES.into_iter().chain(FORESTS).collect();
    println!("\nMade traffic\n");
    table(&base, &partitions, &rows, seeds)
}

fn table(base: &str, partitions: &Partitions, rows: &[Row], seeds: u64) -> Result<(), Error> {
    println!("| accuracy / worst client | {} |", partitions.map(|(name, _)| name).join(" | "));
    println!("| --- |{}", " --- |".repeat(partitions.len()));
    let mut beside = [Vec::new(), Vec::new()];
    for &(name, kind) in rows {
        let mut cells = Vec::new();
        for (partition, key) in partitions {
            let keys = kind.iter().chain([key]).map(|&key| key.to_owned()).collect();
            let cell = Cell { name: format!("{name}, {partition}"), keys };
            let found = scores(base, &cell, seeds)?;
            cells.push(shown(name, &found));
            if name == "FedAvg" {
                for (cells, side) in beside.iter_mut().zip(["central", "local"]) {
                    cells.push(found.pair(&[side, "accuracy"], &[side, "clients", "worst"]));
                }
            }
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    for (name, cells) in
        ["one place, the same network", "each alone, the same network"].into_iter().zip(beside)
    {
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

/// Of all rows held out and at the worst client; of Ditto, clients' own models, the median and the worst.
fn shown(name: &str, found: &Scores) -> String {
    match name {
        "Ditto" => found.pair(&["federated", "own", "median"], &["federated", "own", "worst"]),
        _ => found.pair(&["federated", "accuracy"], &["federated", "clients", "worst"]),
    }
}
