//! What a run begins with, for whoever watches it: `setup.json`, written before the first round.

use flowgait_federate::coordinator::ValidPlan;
use flowgait_federate::federation::Federation;
use flowgait_federate::homes::Homes;
use flowgait_federate::partition::skew;
use flowgait_federate::simulation::Liars;
use flowgait_model::net::{NetKind, Slice};
use flowgait_model::report::Origin;
use serde::Serialize;

use super::homes::Prepared;
use super::runs;
use super::show::words;
use crate::failure::Failure;

/// The name of its form.
const FORMAT: &str = "flowgait federation setup 1";
/// Most rounds of which it is told beforehand what they will have cost.
const COSTS_MAX: u64 = 60;

/// The file.
#[derive(Serialize)]
pub struct Setup<'a> {
    format: &'static str,
    title: String,
    /// Whether the rows were made, and are nobody's traffic.
    made: bool,
    label: &'a str,
    rounds: u64,
    clients: &'a [String],
    /// Rows that each client learns from.
    samples: Vec<usize>,
    classes: &'a [String],
    /// `[client][class]`: of these rows, how many are of which class. Liars' are as they were before they lied.
    mix: Vec<Vec<u64>>,
    /// How far clients are from all having the same classes, 0 to 1.
    skew: f64,
    held_out: HeldOut,
    /// What is learnt; none for a forest.
    network: Option<Network>,
    strategy: &'static str,
    /// Places of clients that lie.
    liars: Vec<u32>,
    /// Whether the server sees sums only. Of single clients the simulation knows all the same.
    masked: bool,
    /// How the masks hold, where there are some.
    masks: Option<Masks>,
    privacy: Option<Privacy>,
    /// The configuration as it is run, but for where its tables lie.
    configuration: Federation,
}

/// Rows that nobody learns from.
#[derive(Serialize)]
struct HeldOut {
    /// On which the common model is judged.
    rows: usize,
    /// Whether these are nobody's, rather than those of all clients.
    common: bool,
    /// Of each client's own.
    clients: Vec<usize>,
}

#[derive(Serialize)]
struct Network {
    kind: NetKind,
    parameters: usize,
    /// Widths from the columns to the classes, of a perceptron.
    layers: Vec<usize>,
}

#[derive(Serialize)]
struct Masks {
    /// With how many others a client has masks.
    neighbours: u32,
    /// How many of them suffice to take its masks off.
    suffice: u32,
}

#[derive(Serialize)]
struct Privacy {
    epsilon: f64,
    delta: f64,
    noise_multiplier: f64,
    clip_norm: f64,
    accountant: &'static str,
    /// Rounds and the epsilon spent after them, if everybody answers; empty for a forest, whose rounds differ.
    costs: Vec<(u64, f64)>,
    /// The last round that the budget can pay for, where it is none that is planned.
    last: Option<u64>,
}

/// What a federation begins with; `homes` are the rows as they were before anybody lied, `slices` the parts of the network.
pub fn setup<'a>(
    federation: &Federation,
    prepared: &'a Prepared,
    homes: &Homes,
    plan: &ValidPlan,
    slices: &[Slice],
) -> Result<Setup<'a>, Failure> {
    let clients = prepared.clients.len();
    let mut configuration = federation.clone();
    configuration.data.tables.clear();
    let held_out = &prepared.held_out;
    let masks = match plan.secure() {
        None => None,
        Some(secure) => {
            let cohort = plan.sampling().expected(clients) as usize;
            let degree = secure.degree(cohort).map_err(runs::usage)?;
            Some(Masks { neighbours: degree.neighbours, suffice: degree.threshold })
        }
    };
    Ok(Setup {
        format: FORMAT,
        title: words::title(prepared),
        made: prepared.origin == Origin::Made,
        label: &prepared.label,
        rounds: federation.rounds,
        clients: &prepared.clients,
        samples: homes.rows.iter().map(Vec::len).collect(),
        classes: &prepared.classes,
        mix: homes.class_rows(),
        skew: skew(&homes.rows, &homes.codes, homes.classes),
        held_out: HeldOut {
            rows: held_out.rows().len(),
            common: !held_out.common.is_empty(),
            clients: held_out.of_clients.iter().map(Vec::len).collect(),
        },
        network: (!slices.is_empty()).then(|| network(federation, slices)),
        strategy: federation.strategy.name(),
        liars: liars(federation, homes)?,
        masked: plan.secure().is_some(),
        masks,
        privacy: privacy(federation, plan, slices)?,
        configuration,
    })
}

fn network(federation: &Federation, slices: &[Slice]) -> Network {
    let weights = slices.iter().filter(|slice| slice.shape.len() == 2);
    let is_perceptron = slices.iter().all(|slice| slice.shape.len() <= 2);
    let mut layers: Vec<usize> = Vec::new();
    for weight in weights.filter(|_| is_perceptron) {
        if layers.is_empty() {
            layers.push(weight.shape[0]);
        }
        layers.push(weight.shape[1]);
    }
    let parameters = slices.iter().map(|slice| slice.shape.iter().product::<usize>()).sum();
    Network { kind: federation.model.estimator, parameters, layers }
}

fn liars(federation: &Federation, homes: &Homes) -> Result<Vec<u32>, Failure> {
    let Some(plan) = &federation.attack else { return Ok(Vec::new()) };
    let attack = plan.kind.clone().check(homes.classes, homes.columns.len());
    let attack = attack.map_err(runs::usage)?;
    let liars = Liars::new(attack, plan.share, homes.rows.len(), federation.seed);
    Ok(liars.clients().iter().copied().collect())
}

fn privacy(
    federation: &Federation,
    plan: &ValidPlan,
    slices: &[Slice],
) -> Result<Option<Privacy>, Failure> {
    let Some(of) = plan.privacy() else { return Ok(None) };
    let (mut costs, mut last) = (Vec::new(), None);
    if federation.forest.is_none() {
        let entries = slices.iter().map(|slice| slice.shape.iter().product::<usize>()).sum();
        let planned = federation.rounds;
        let shown = COSTS_MAX.min(planned);
        let rounds: Vec<u64> = (1..=shown).map(|at| at * planned / shown).collect();
        let after = plan.epsilon_after(entries, &rounds).map_err(runs::usage)?;
        costs = rounds.into_iter().zip(after).collect();
        let costs_of = |round| plan.epsilon_after(entries, &[round]).map(|after| after[0]);
        let (mut paid, mut unpaid) = (0, planned + 1);
        // Epsilon grows with every round, so the last that is paid for is found by halving.
        while unpaid - paid > 1 {
            let middle = u64::midpoint(paid, unpaid);
            match costs_of(middle).map_err(runs::usage)? <= of.epsilon {
                true => paid = middle,
                false => unpaid = middle,
            }
        }
        last = (paid < planned).then_some(paid);
    }
    Ok(Some(Privacy {
        epsilon: of.epsilon,
        delta: of.delta,
        noise_multiplier: of.noise_multiplier,
        clip_norm: of.clip_norm,
        accountant: "RDP",
        costs,
        last,
    }))
}
