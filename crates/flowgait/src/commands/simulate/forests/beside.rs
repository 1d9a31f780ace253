//! What a forest of many is held against: the forest of one place, and that of each client alone.

use flowgait_federate::baseline::{self, Local};
use flowgait_federate::federation::Federation;
use flowgait_federate::forest::{Ground, central_forest, judge, local_forest};
use flowgait_federate::measure::Measured;
use flowgait_model::Estimator;
use flowgait_model::forest::Forest;
use flowgait_model::metrics::Scores;

use super::super::homes::Prepared;
use super::super::runs::Baselines;
use crate::failure::Failure;

/// Both, as far as they are wanted, of this ground.
pub fn baselines(
    federation: &Federation,
    prepared: &Prepared,
    ground: &Ground<'_>,
) -> Result<Baselines, Failure> {
    let (homes, held_out) = (&prepared.homes, &prepared.held_out);
    let majority = baseline::majority(homes, held_out)?;
    let mut found = Baselines { majority, ..Baselines::default() };
    if federation.baselines.central {
        let central = Estimator::Forest(central_forest(ground)?);
        found.central = Some(judge(homes, held_out, &central)?);
        found.forest = Some(central);
    }
    if federation.baselines.local {
        found.local = local(prepared, ground)?;
    }
    Ok(found)
}

/// Each client's own forest, of as many trees.
fn local(prepared: &Prepared, ground: &Ground<'_>) -> Result<Option<Local>, Failure> {
    let (homes, held_out) = (&prepared.homes, &prepared.held_out);
    let (mut clients, mut scores) = (Vec::new(), Vec::new());
    for (client, rows) in homes.rows.iter().enumerate() {
        if rows.is_empty() {
            clients.push(None);
            continue;
        }
        let forest: Forest = local_forest(ground, client as u32, ground.params.trees())?;
        let Measured { scores: all, clients: of, .. } =
            judge(homes, held_out, &Estimator::Forest(forest))?;
        clients.push(of.get(client).copied().flatten());
        scores.extend(all);
    }
    if scores.is_empty() {
        return Ok(None);
    }
    let mean = |of: fn(&Scores) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
    Ok(Some(Local {
        clients,
        accuracy: mean(|scores| scores.accuracy),
        f1_macro: mean(|scores| scores.f1_macro),
        log_loss: mean(|scores| scores.log_loss),
    }))
}
