//! What the report of a run says around its numbers.

use flowgait_federate::cohort::Sampling;
use flowgait_federate::coordinator::{Mechanism, ValidPlan};
use flowgait_federate::federation::{Federation, Own};
use flowgait_federate::report::RunReport;
use flowgait_federate::run::Ended;
use flowgait_model::report::Origin;

use super::homes::Prepared;
use super::runs::Outcome;
use super::show::{self, words};
use crate::failure::sentence;
use crate::units;

/// The report of a run.
pub fn report<'a>(
    federation: &Federation,
    prepared: &'a Prepared,
    plan: &ValidPlan,
    outcome: &'a Outcome,
) -> RunReport<'a> {
    let mut tags = vec![match federation.forest {
        None => federation.strategy.name().to_owned(),
        Some(forest) => show::forest_way(federation, forest).to_owned(),
    }];
    match &federation.personal {
        None => {}
        Some(Own::Ditto { .. }) => tags.push("Ditto".to_owned()),
        Some(Own::FedPer { .. }) => tags.push("FedPer".to_owned()),
    }
    if let Some(rule) = federation.robust {
        tags.push(words::robust(rule));
    }
    if federation.adaptive_clipping.is_some() {
        tags.push("adaptive clipping".to_owned());
    }
    if plan.compression().is_some() {
        tags.push("packed updates".to_owned());
    }
    if plan.secure().is_some() {
        tags.push("secure aggregation".to_owned());
    }
    if plan.privacy().is_some() {
        tags.push("client-level privacy".to_owned());
    }
    if prepared.origin == Origin::Made {
        tags.push("made rows".to_owned());
    }
    let rows: usize = prepared.homes.rows.iter().map(Vec::len).sum();
    RunReport {
        title: words::title(prepared),
        tags,
        facts: vec![
            format!("{} to learn from", units::counted(rows as u64, "row")),
            format!("{} held out", units::grouped(prepared.held_out.rows().len() as u64)),
            units::counted(prepared.classes.len() as u64, "class"),
            rounds(outcome),
        ],
        notes: notes(federation, prepared, plan, outcome),
        trees: outcome.trees,
        records: &outcome.records,
        majority: outcome.baselines.majority.as_ref(),
        alike: alike(federation).to_owned(),
        central: outcome.baselines.central.as_ref(),
        local: outcome.baselines.local.as_ref(),
        clients: &prepared.clients,
        classes: &prepared.classes,
        mix: prepared.homes.class_rows(),
        configuration: toml::to_string(federation).expect("a federation has plain fields"),
    }
}

/// How long it took, in rounds.
fn rounds(outcome: &Outcome) -> String {
    match (outcome.trees, outcome.records.last()) {
        (Some(_), Some(last)) => format!("clients asked {}", units::counted(last.round, "time")),
        _ => units::counted(outcome.records.len() as u64, "round"),
    }
}

/// What one place and each client alone learn.
fn alike(federation: &Federation) -> &'static str {
    match (federation.forest.is_some(), federation.privacy.is_some()) {
        (false, false) => "the same network, for as many rounds",
        (false, true) => "the same network, for as many rounds and without noise",
        (true, false) => "the same kind of forest, of as many trees",
        (true, true) => "plain forests, without noise, a limit of depth, or edges fixed beforehand",
    }
}

/// What a reader must know before the numbers; `true` for what warns.
fn notes(
    federation: &Federation,
    prepared: &Prepared,
    plan: &ValidPlan,
    outcome: &Outcome,
) -> Vec<(bool, String)> {
    let mut notes = Vec::new();
    if prepared.origin == Origin::Made {
        notes.push((
            true,
            "The rows are made: what is learnt of them measures how they were made.".to_owned(),
        ));
    } else {
        notes.push((false, "Rows held out are drawn by chance within each client, so a client's rows of one session may be on both sides.".to_owned()));
    }
    if federation.clients.column.is_none() {
        notes.push((
            false,
            "Rows were dealt to clients by a rule, not as sites have them.".to_owned(),
        ));
    }
    match plan.privacy() {
        None => notes.push((true, "Without privacy: who sees the model, or a client's update, may learn what was in a client's rows.".to_owned())),
        Some(privacy) => {
            let who = match privacy.mechanism {
                Mechanism::Central => "the coordinator, who is trusted to do so",
                Mechanism::Distributed => "clients, so that nobody sees a sum without it",
            };
            let not = match federation.forest {
                None => "the scale of the columns, the scores on rows held out, the clients' learning loss, and the share of updates that were clipped",
                Some(_) => "the scores on rows held out; columns are cut at values that were fixed beforehand",
            };
            notes.push((false, format!(
                "Privacy is of each client as a whole, at delta {:e}, with noise of {who}. Not part of it: {not}.",
                privacy.delta
            )));
            if matches!(federation.cohort, Sampling::Poisson { .. }) {
                notes.push((true, "Cohorts are drawn by coins, and the privacy counts on nobody knowing who joined; this report tells how many did, and the metrics who.".to_owned()));
            }
        }
    }
    if plan.secure().is_some() {
        notes.push((false, "All parties of the secure aggregation were in one process: this shows that it works and what it costs, and hides nothing.".to_owned()));
    }
    match words::liars(federation, prepared.clients.len()) {
        Ok(liars) => {
            notes.push((true, format!("{liars}; clients are judged on rows as they are.")));
        }
        Err(Some(nobody)) => notes.push((true, sentence(&format!("{nobody}.")))),
        Err(None) => {}
    }
    if let Some(few) = words::few_held_out(prepared) {
        notes.push((true, format!("{few}.")));
    }
    if plan.strategy().buffer().is_some() {
        notes.push((
            false,
            "A round is one step of the server. Clients' speeds are made, so the time is too."
                .to_owned(),
        ));
    }
    let abandoned = outcome.records.iter().filter(|record| !record.is_done).count();
    if abandoned > 0 {
        let rounds = units::counted(abandoned as u64, "round");
        notes.push((true, format!("{rounds} had too few answers and left the model as it was.")));
    }
    if let Ended::BudgetSpent(why) = &outcome.ended {
        notes.push((true, format!("The run ended before its last round: {why}.")));
    }
    notes
}
