//! A federation that makes a forest, kept round by round in its folder, beside the forest of one place and those of each client alone.

mod beside;
mod grow;

use std::path::Path;

use flowgait_federate::coordinator::ValidPlan;
use flowgait_federate::federation::{Federation, ForestWay};
use flowgait_federate::forest::private::sensitivity;
use flowgait_federate::forest::{Ground, TreeRound, judge};
use flowgait_federate::ledger::Entry;
use flowgait_federate::record::Record;
use flowgait_federate::run::TreeFolder;
use flowgait_model::Estimator;

use super::homes::Prepared;
use super::runs::{self, CONFIGURATION, METRICS, Outcome, REPORT, SETUP, SUMMARY};
use super::setup::setup;
use super::{show, told};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use grow::Grown;

/// Makes a forest, and writes its folder where one is wanted.
pub fn run(
    federation: &Federation,
    prepared: &Prepared,
    output: Option<&Path>,
) -> Result<(), Failure> {
    let plan = federation.plan(prepared.clients.len()).map_err(runs::usage)?;
    output::out(&show::forest_head(federation, prepared, &plan))?;
    let mut keeper = Keeper::open(federation, prepared, &plan, output)?;
    let past = std::mem::take(&mut keeper.past);
    let grown = grow::grow(federation, prepared, &plan, &past, &mut keeper)?;
    keeper.progress.finish();
    let (outcome, forest) = judged(federation, prepared, grown)?;
    output::out(&show::closing(&outcome))?;
    note(federation, &outcome, &forest);
    let Some(path) = output else { return Ok(()) };
    let lines: String = outcome.records.iter().map(runs::line).collect();
    output::save(&path.join(METRICS), &lines)?;
    output::save(&path.join(SUMMARY), &runs::summary(&outcome))?;
    let report = told::report(federation, prepared, &plan, &outcome);
    output::save(&path.join(REPORT), &report.to_html())?;
    runs::model(federation, prepared, &prepared.homes, forest, &outcome)?
        .save(&path.join("model.fgm"))?;
    output::note(&format!("report: {}", path.join(REPORT).display()));
    Ok(())
}

/// The forest, measured and held against the others.
fn judged(
    federation: &Federation,
    prepared: &Prepared,
    grown: Grown,
) -> Result<(Outcome, Estimator), Failure> {
    let Grown { forest, edges, traffic, rounds, epsilon, ended } = grown;
    let trees = Some(forest.trees());
    let estimator = Estimator::Forest(forest);
    let measured = judge(&prepared.homes, &prepared.held_out, &estimator)?;
    let record = Record {
        epsilon,
        octets_down: traffic.down,
        octets_up: traffic.up,
        ..Record::alone(rounds, prepared.clients.len(), measured)
    };
    let plan = federation.forest.expect("called for a forest");
    // Under privacy too these are without noise, and as deep as a forest without it: that is what privacy costs.
    let depth = plan.depth.filter(|_| federation.privacy.is_none());
    let plain = flowgait_federate::federation::ForestPlan { depth, ..plan };
    let params = plain.params(federation.model.balanced).map_err(runs::usage)?;
    let ground =
        Ground { homes: &prepared.homes, params: &params, edges: &edges, seed: federation.seed };
    let baselines = beside::baselines(federation, prepared, &ground)?;
    Ok((Outcome { trees, records: vec![record], ended, baselines }, estimator))
}

/// What the way promises, said of this run.
fn note(federation: &Federation, outcome: &Outcome, forest: &Estimator) {
    if federation.privacy.is_some() {
        output::note(
            "one place and each alone are plain forests, without noise, a limit of depth, or edges fixed beforehand",
        );
        return;
    }
    let is_histogram = federation.forest.is_some_and(|plan| plan.way == ForestWay::Histogram);
    if let (true, Some(Estimator::Forest(central)), Estimator::Forest(own)) =
        (is_histogram, &outcome.baselines.forest, forest)
    {
        let word = if own == central { "is, bit for bit," } else { "is NOT" };
        output::note(&format!("the forest {word} that of one place with all rows"));
    }
}

/// Keeps rounds as they end, where there is a folder.
struct Keeper {
    folder: Option<TreeFolder>,
    past: Vec<TreeRound>,
    /// A line of the ledger, but for what differs from round to round.
    line: Entry,
    rounds: u64,
    progress: Progress,
}

impl Keeper {
    /// Opens a run's folder and takes up where it was.
    fn open(
        federation: &Federation,
        prepared: &Prepared,
        plan: &ValidPlan,
        output: Option<&Path>,
    ) -> Result<Self, Failure> {
        let forest = federation.forest.expect("called for a forest");
        let (mut folder, mut past) = (None, Vec::new());
        if let Some(path) = output {
            let (locked, text) = runs::take(path, federation)?;
            let (opened, begun) = TreeFolder::open(locked)?;
            output::save(&path.join(CONFIGURATION), &text)?;
            let setup = setup(federation, prepared, &prepared.homes, plan, &[])?;
            runs::save_json(&path.join(SETUP), &setup)?;
            if !begun.is_empty() {
                output::note(&format!("going on after round {}", begun.len()));
            }
            (folder, past) = (Some(opened), begun);
        }
        let clients = prepared.clients.len();
        let columns = prepared.homes.columns.len();
        let clip_norm = match plan.privacy() {
            None => None,
            Some(_) => {
                let tried = forest.params_private().map_err(runs::usage)?.features(columns);
                Some(sensitivity(forest.rows_max, tried) as f64)
            }
        };
        let line = Entry {
            round: 0,
            cohort: clients as f64,
            survivors: Some(clients),
            is_done: true,
            clip_norm,
            noise_multiplier: plan.privacy().map(|privacy| privacy.noise_multiplier),
            epsilon: None,
            model: String::new(),
            previous: String::new(),
        };
        let rounds = past.len() as u64;
        let all = match forest.way {
            ForestWay::Histogram => forest.trees as u64,
            ForestWay::Pooled => clients as u64,
        };
        let progress = Progress::count("trees", all);
        progress.advance(rounds);
        Ok(Self { folder, past, line, rounds, progress })
    }

    /// Keeps a round.
    fn keep(&mut self, round: &TreeRound) -> Result<(), Failure> {
        self.rounds += 1;
        self.progress.advance(1);
        let Some(folder) = &mut self.folder else { return Ok(()) };
        Ok(folder.keep(round, Entry { round: self.rounds, ..self.line.clone() })?)
    }
}
