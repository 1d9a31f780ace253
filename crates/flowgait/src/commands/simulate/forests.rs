//! A federation that makes a forest, beside the forest of one place and those of each client alone.

use flowgait_federate::federation::{Federation, ForestWay};
use flowgait_federate::forest::{
    EdgeParams, Ground, Grown, Plain, Secured, SharedEdges, TreeShares, central_forest,
    histogram_forest, judge, local_forest, pooled_forest, shared_edges,
};
use flowgait_federate::measure::Measured;
use flowgait_federate::record::Record;
use flowgait_federate::run::Ended;
use flowgait_federate::{Error as FederateError, baseline::Local};
use flowgait_model::Estimator;
use flowgait_model::forest::{ClassWeights, Edges, Forest, ForestParams, ValidForestParams};

use super::homes::Prepared;
use super::runs::{Baselines, Outcome};
use super::show;
use crate::failure::{Failure, sentence};
use crate::output;

/// Greatest count that a client may give: rows of a client are fewer.
const COUNT_MAX: u64 = 1 << 20;

/// What was made, and what it is held against.
pub fn run(federation: &Federation, prepared: &Prepared) -> Result<(Outcome, Estimator), Failure> {
    let plan = federation.forest.expect("called for a forest");
    let base = if plan.extra_trees { ForestParams::extra_trees() } else { ForestParams::new() };
    let weights =
        if federation.model.balanced { ClassWeights::Balanced } else { ClassWeights::Equal };
    let params = base.trees(plan.trees).class_weights(weights).check();
    let params = params.map_err(|error| Failure::usage(sentence(&error.to_string())))?;
    output::out(&show::forest_head(federation, prepared, plan))?;
    let (edges, grown, summed) = grow(federation, prepared, &params)?;
    let estimator = Estimator::Forest(grown.forest);
    let measured = judge(&prepared.homes, &prepared.held_out, &estimator)?;
    let record = Record {
        octets_down: grown.traffic.down + summed.0,
        octets_up: grown.traffic.up + summed.1,
        ..Record::alone(grown.rounds, prepared.clients.len(), measured)
    };
    let ground =
        Ground { homes: &prepared.homes, params: &params, edges: &edges, seed: federation.seed };
    let baselines = baselines(federation, prepared, &ground)?;
    let outcome = Outcome { records: vec![record], ended: Ended::Done, baselines };
    output::out(&show::closing(&outcome))?;
    if let Some(Estimator::Forest(central)) = outcome.baselines.forest.as_ref()
        && plan.way == ForestWay::Histogram
        && let Estimator::Forest(own) = &estimator
    {
        // What the way promises, said of this run.
        let word = if own == central { "is, bit for bit," } else { "is NOT" };
        output::note(&format!("the forest {word} that of one place with all rows"));
    }
    Ok((outcome, estimator))
}

/// Agrees on edges and grows the forest; with it what the sums took beside the plain counts.
fn grow(
    federation: &Federation,
    prepared: &Prepared,
    params: &ValidForestParams,
) -> Result<(Edges, Grown, (u64, u64)), Failure> {
    let plan = federation.forest.expect("called for a forest");
    let homes = &prepared.homes;
    let seed = federation.seed;
    let told = |error: FederateError| Failure::from(error);
    match federation.secure {
        None => {
            let SharedEdges { edges, traffic, rounds } =
                shared_edges(homes, EdgeParams::default(), &mut Plain)?;
            let ground = Ground { homes, params, edges: &edges, seed };
            let grown = match plan.way {
                ForestWay::Histogram => histogram_forest(&ground, &mut Plain).map_err(told)?,
                ForestWay::Pooled => pooled_forest(&ground, TreeShares::default())?,
            };
            let grown = Grown { rounds: grown.rounds + rounds, ..grown };
            Ok((edges, grown, (traffic.down, traffic.up)))
        }
        Some(secure) => {
            let mut summing = Secured::new(secure, COUNT_MAX, seed);
            let SharedEdges { edges, rounds, .. } =
                shared_edges(homes, EdgeParams::default(), &mut summing)?;
            let ground = Ground { homes, params, edges: &edges, seed };
            let grown = histogram_forest(&ground, &mut summing).map_err(told)?;
            let traffic = summing.traffic();
            // Masked vectors are what was sent, and not the counts behind them.
            let grown = Grown {
                rounds: grown.rounds + rounds,
                traffic: flowgait_federate::secure::Traffic::default(),
                ..grown
            };
            Ok((edges, grown, (traffic.down, traffic.up)))
        }
    }
}

fn baselines(
    federation: &Federation,
    prepared: &Prepared,
    ground: &Ground<'_>,
) -> Result<Baselines, Failure> {
    let (homes, held_out) = (&prepared.homes, &prepared.held_out);
    let mut found = Baselines::default();
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
        let Measured { scores: all, clients: of } =
            judge(homes, held_out, &Estimator::Forest(forest))?;
        clients.push(of.get(client).copied().flatten());
        scores.extend(all);
    }
    if scores.is_empty() {
        return Ok(None);
    }
    let count = scores.len() as f64;
    Ok(Some(Local {
        clients,
        accuracy: scores.iter().map(|scores| scores.accuracy).sum::<f64>() / count,
        f1_macro: scores.iter().map(|scores| scores.f1_macro).sum::<f64>() / count,
    }))
}
