//! A small federation on made rows.

use flowgait_features::{Feature, Schema};
use flowgait_federate::client::Personal;
use flowgait_federate::coordinator::{Coordinator, Plan};
use flowgait_federate::homes::{Dealing, HeldOut, Homes};
use flowgait_federate::network::{Effort, NetLearner, Stepping};
use flowgait_federate::partition::Partition;
use flowgait_federate::simulation::{Faults, Simulation};
use flowgait_model::net::{NetKind, NetParams};

/// Three classes that two columns tell, on very different scales.
pub fn homes(clients: usize, partition: Partition) -> (Homes, HeldOut) {
    let noise = |row: u32, column: u32| {
        let mixed = (row * 7 + column).wrapping_mul(0x9e37_79b9);
        f64::from((mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 8) / f64::from(1_u32 << 24)
    };
    let rows = 900;
    let codes: Vec<u32> = (0..rows).map(|row| (noise(row, 0) * 3.0) as u32).collect();
    let at = |row: u32, column: u32, by: [f64; 3], scale: f64| {
        let centre = by[codes[row as usize] as usize];
        ((centre + noise(row, column)) * scale) as f32
    };
    let columns = vec![
        (0..rows).map(|row| at(row, 1, [0.0, 0.9, 1.8], 1_000.0)).collect(),
        (0..rows).map(|row| at(row, 2, [0.8, 0.0, 0.8], 0.01)).collect(),
        (0..rows).map(|row| noise(row, 3) as f32).collect(),
    ];
    let feature = |at| Feature { name: format!("column {at}"), unit: String::new() };
    let schema = Schema { name: "made".into(), features: (0..3).map(feature).collect() };
    let mut homes = Homes { schema, columns, codes, classes: 3, rows: Vec::new() };
    let dealing = Dealing::Partition(partition, clients);
    let held_out = homes.deal(900, dealing, 0.2, 5).expect("rows for all");
    (homes, held_out)
}

pub fn learner(homes: &Homes) -> NetLearner<'_> {
    let params = NetParams::new(NetKind::Mlp).hidden(&[8]).dropout(0.1).batch(16);
    NetLearner::new(homes, &params, Effort::Steps(6), Stepping::Sgd, 0.2, 1).expect("a network")
}

pub fn simulation<'a>(plan: Plan, learner: &'a NetLearner<'a>, faults: Faults) -> Simulation<'a> {
    let coordinator = Coordinator::new(plan.check().expect("a plan"), learner.start());
    Simulation::new(coordinator.expect("a coordinator"), learner, Personal::Nothing, faults)
}
