//! Accuracy on the same columns and folds: ours and scikit-learn's random forest.

use std::process::Command;

use serde_json::Value;

use super::{Arguments, answer, folder, number, peers, record};
use crate::error::Error;

/// Both sides are scored by `xtask/peers/folds.py`, whose head says what the table holds.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let table = arguments.table.clone().unwrap_or(folder()?.join("folds.csv"));
    if !table.exists() {
        let missing =
            format!("{} is missing: xtask/peers/folds.py says what it holds", table.display());
        return Err(Error::Peer(missing));
    }
    let mut peer = Command::new(peers::python(&["scikit-learn", "numpy"])?);
    let scores = answer(peer.arg(peers::script("folds.py")?).arg(&table))?;
    record("folds", &scores)?;
    for side in ["ours", "scikit_learn"] {
        println!("{}", row(side, &scores[side]));
    }
    Ok(())
}

/// A row of the table in `docs/BENCHMARKS.md`.
fn row(side: &str, scores: &Value) -> String {
    let get = |name: &str| number(scores, name);
    format!(
        "| {side} | {:.3} ± {:.3} | {:.3} ± {:.3} |",
        get("accuracy"),
        get("accuracy_sd"),
        get("macro_f1"),
        get("macro_f1_sd")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_mean_and_spread() {
        let scores = serde_json::json!({"accuracy": 0.5, "accuracy_sd": 0.01, "macro_f1": 0.25, "macro_f1_sd": 0.02});
        assert_eq!(row("ours", &scores), "| ours | 0.500 ± 0.010 | 0.250 ± 0.020 |");
    }
}
