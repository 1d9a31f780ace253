//! What privacy costs at a thousand clients, by epsilon.

use super::cell::{Cell, scores, shared};
use crate::error::Error;

/// A thousand clients that the rows of ISCX are dealt to, about fifteen to learn from each.
const ISCX: &str = r#"
rounds = 60
[data]
tables = ["iscxvpn/TimeBasedFeatures-Dataset-15s.arff"]
label = "class1"
[clients]
count = 1000
[model]
hidden = [32]
dropout = 0.0
[learning]
effort = { epochs = 2 }
batch = 16
rate = 0.1
[baselines]
central = false
local = false
"#;

pub fn run(seeds: u64) -> Result<(), Error> {
    let central = "cohort={poisson={rate=0.2}}";
    let base = shared(ISCX)?;
    println!(
        "| epsilon at delta 1e-4 | noise of the coordinator | noise of the clients | forest, noise of the coordinator |"
    );
    println!("| --- | --- | --- | --- |");
    for epsilon in [None, Some(8), Some(4), Some(2), Some(1)] {
        let name = epsilon.map_or("none".to_owned(), |epsilon| epsilon.to_string());
        let keys = |mechanism: &str| match epsilon {
            None => vec!["clip_norm=0.5".to_owned()],
            Some(epsilon) => vec![format!(
                "privacy={{epsilon={epsilon}.0,delta=1e-4,clip_norm=0.5,mechanism=\"{mechanism}\"}}"
            )],
        };
        let mut first = keys("central");
        first.push(central.to_owned());
        let mut second = keys("distributed");
        second.push("cohort={fixed={size=200}}".to_owned());
        if epsilon.is_some() {
            // Without noise masks change nothing in a sum, and take most of the time.
            second.push("secure={corrupt_share=0.05,lost_share=0.1}".to_owned());
        }
        // Few trees of few levels, since each level of each is paid for; the one without noise is of the same size.
        let mut third = vec!["forest={trees=4,depth=4,rows_max=15}".to_owned()];
        third.extend(epsilon.map(|epsilon| format!("privacy={{epsilon={epsilon}.0,delta=1e-4}}")));
        let mut cells = Vec::new();
        for (kind, keys) in [("central", first), ("distributed", second), ("forest", third)] {
            let cell = Cell { name: format!("{name}, {kind}"), keys };
            let found = scores(&base, &cell, seeds)?;
            cells.push(found.pair(&["federated", "accuracy"], &["federated", "f1_macro"]));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}
