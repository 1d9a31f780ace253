//! Rounds of a simulated federation: 19,000 parameters, with and without learning, privacy and masks.

use std::sync::LazyLock;

use divan::Bencher;
use flowgait_features::{Feature, Schema};
use flowgait_federate::Error;
use flowgait_federate::client::Personal;
use flowgait_federate::coordinator::{Coordinator, Mechanism, Plan, PrivacyPlan};
use flowgait_federate::homes::{Dealing, Homes};
use flowgait_federate::learner::{Learner, Learnt};
use flowgait_federate::network::{Effort, NetLearner, Stepping};
use flowgait_federate::partition::Partition;
use flowgait_federate::secure::SecurePlan;
use flowgait_federate::simulation::{Faults, Simulation};
use flowgait_federate::strategy::StrategyKind;
use flowgait_model::net::{GradientHook, NetKind, NetParams};

const PARAMETERS: usize = 19_000;
const CLIENTS: [usize; 2] = [100, 1_000];

fn main() {
    divan::main();
}

/// Clients that learn nothing: what is left is the round itself.
struct Idle;

impl Learner for Idle {
    fn parameters(&self) -> usize {
        PARAMETERS
    }

    fn rows(&self, client: u32) -> u64 {
        u64::from(client % 7) + 1
    }

    fn rate(&self) -> f32 {
        0.1
    }

    fn learn(
        &self,
        client: u32,
        _: u64,
        values: &mut [f32],
        _: &mut GradientHook<'_>,
    ) -> Result<Learnt, Error> {
        values[client as usize % PARAMETERS] += 0.5;
        Ok(Learnt { steps: 1, loss: 0.0 })
    }

    fn slope(&self, _: u32, values: &[f32]) -> Result<(f64, Vec<f32>), Error> {
        Ok((0.0, vec![0.0; values.len()]))
    }
}

fn simulation<'a>(plan: Plan, start: &[f32], learner: &'a dyn Learner) -> Simulation<'a> {
    let plan = plan.check().expect("a plan");
    let coordinator = Coordinator::new(plan, start).expect("a coordinator");
    Simulation::new(coordinator, learner, Personal::Nothing, Faults::default())
}

fn first_round(bencher: Bencher<'_, '_>, plan: Plan, start: &[f32], learner: &dyn Learner) {
    bencher
        .with_inputs(|| simulation(plan, start, learner))
        .bench_local_values(|mut simulation| simulation.round().expect("a round"));
}

fn private(plan: Plan, mechanism: Mechanism) -> Plan {
    let privacy =
        PrivacyPlan { epsilon: 1e6, delta: 1e-5, noise_multiplier: 1.0, clip_norm: 1.0, mechanism };
    Plan { privacy: Some(privacy), ..plan }
}

/// The goal at 100 clients: 1 ms, the first round included.
#[divan::bench(args = CLIENTS)]
fn without_learning(bencher: Bencher<'_, '_>, clients: usize) {
    let plan = Plan::new(clients, StrategyKind::FedAvg);
    first_round(bencher, plan, &[0.0; PARAMETERS], &Idle);
}

#[divan::bench(args = CLIENTS)]
fn scaffold_without_learning(bencher: Bencher<'_, '_>, clients: usize) {
    let strategy = StrategyKind::Scaffold { rate: 1.0, renewal: Default::default() };
    first_round(bencher, Plan::new(clients, strategy), &[0.0; PARAMETERS], &Idle);
}

#[divan::bench(args = CLIENTS)]
fn private_without_learning(bencher: Bencher<'_, '_>, clients: usize) {
    let plan = private(Plan::new(clients, StrategyKind::FedAvg), Mechanism::Central);
    first_round(bencher, plan, &[0.0; PARAMETERS], &Idle);
}

/// The goal at 100 clients: half a second for all of them together.
#[divan::bench(args = [100])]
fn masked_without_learning(bencher: Bencher<'_, '_>, clients: usize) {
    let secure = Some(SecurePlan { lost_share: 0.1, ..SecurePlan::default() });
    let plan = Plan { secure, ..Plan::new(clients, StrategyKind::FedAvg) };
    let plan = private(plan, Mechanism::Distributed);
    first_round(bencher, plan, &[0.0; PARAMETERS], &Idle);
}

/// Rows for a network of 19,000 parameters: 64 columns, 20 classes, 256 rows a client.
static HOMES: LazyLock<Homes> = LazyLock::new(|| {
    let rows = 256 * 100;
    let value = |row: u32, column: u32| {
        let mixed = (row * 31 + column).wrapping_mul(0x9e37_79b9);
        ((mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 8) as f32 / (1 << 24) as f32
    };
    let columns = (0..64).map(|column| (0..rows).map(|row| value(row, column)).collect()).collect();
    let codes = (0..rows).map(|row| row % 20).collect();
    let feature = |at| Feature { name: format!("column {at}"), unit: String::new() };
    let schema = Schema { name: "made".into(), features: (0..64).map(feature).collect() };
    let mut homes = Homes { schema, columns, codes, classes: 20, rows: Vec::new() };
    let dealing = Dealing::Partition(Partition::Iid, 100);
    homes.deal(rows as usize, dealing, 0.0, 1).expect("rows for all");
    homes
});

/// The goal at 100 clients, 8 steps of 32 rows each: 0.1 s.
#[divan::bench(sample_count = 10)]
fn eight_steps_of_32_at_100_clients(bencher: Bencher<'_, '_>) {
    let params = NetParams::new(NetKind::Mlp).hidden(&[128, 72]).dropout(0.0).batch(32);
    let effort = Effort::Steps(8);
    let learner = NetLearner::new(&HOMES, &params, effort, Stepping::Sgd, 0.1, 1);
    let learner = learner.expect("a network");
    assert!(learner.start().len().abs_diff(PARAMETERS) < 500, "{}", learner.start().len());
    let start = learner.start().to_vec();
    first_round(bencher, Plan::new(100, StrategyKind::FedAvg), &start, &learner);
}
