//! What liars can do, and which rules stand it.

use super::cell::{Cell, scores, uc_davis};
use crate::error::Error;

pub fn run(seeds: u64) -> Result<(), Error> {
    // Sizes of the first three packets (columns 7 to 9 of that table) with which no flow begins.
    let backdoor =
        "attack.kind={backdoor={trigger=[[7,777.0],[8,-777.0],[9,777.0]],target=0,share=0.5}}";
    let kinds = [
        ("labels flipped together", "attack.kind={colluding-flip={seed=7}}"),
        ("sign flipped", "attack.kind=\"sign-flip\""),
        ("scaled by −10", "attack.kind={scaling={by=-10.0}}"),
        ("backdoor", backdoor),
    ];
    let base = uc_davis()?;
    let rules = ["none", "clipping", "median", "multi-Krum"];
    println!("| attack | liars | {} |", rules.join(" | "));
    println!("| --- | --- |{}", " --- |".repeat(rules.len()));
    for (name, kind) in kinds {
        for percent in [0, 10, 20, 30] {
            let mut cells = Vec::new();
            for rule in rules {
                let mut keys = vec![
                    "clients.count=20".to_owned(),
                    "clients.partition={dirichlet={alpha=1.0}}".to_owned(),
                    "baselines={central=false,local=false}".to_owned(),
                    kind.to_owned(),
                    format!("attack.share={}", f64::from(percent) / 100.0),
                ];
                match rule {
                    "clipping" => keys.push("robust={norm-clipping={}}".to_owned()),
                    "median" => keys.push("robust=\"median\"".to_owned()),
                    // Six of twenty is what 30 % are; multi-Krum is told as many in each row.
                    "multi-Krum" => keys.push("robust={multi-krum={f=6}}".to_owned()),
                    _ => {}
                }
                let cell = Cell { name: format!("{name}, {percent} %, {rule}"), keys };
                let found = scores(&base, &cell, seeds)?;
                let success: &[&str] =
                    if name == "backdoor" { &["federated", "backdoor"] } else { &[] };
                cells.push(found.pair(&["federated", "accuracy"], success));
            }
            println!("| {name} | {percent} % | {} |", cells.join(" | "));
        }
    }
    Ok(())
}
