//! What a federation was told to do, in words, for the terminal and the report.

use flowgait_federate::attack::{Attack, FreeRide};
use flowgait_federate::federation::{Federation, Own};
use flowgait_federate::robust::RobustKind;
use flowgait_federate::simulation::Liars;

use crate::commands::simulate::homes::Prepared;
use crate::units;

/// The rule in place of the mean.
pub fn robust(rule: RobustKind) -> String {
    match rule {
        RobustKind::Median => "median".to_owned(),
        RobustKind::TrimmedMean { beta } => format!("trimmed mean of beta = {beta}"),
        RobustKind::GeometricMedian { .. } => "geometric median".to_owned(),
        RobustKind::Krum { f } => format!("Krum of f = {f}"),
        RobustKind::MultiKrum { f, m: None } => format!("multi-Krum of f = {f}"),
        RobustKind::MultiKrum { f, m: Some(m) } => format!("multi-Krum of f = {f}, m = {m}"),
        RobustKind::Bulyan { f } => format!("Bulyan of f = {f}"),
        RobustKind::NormClipping { bound: None } => {
            "norm clipping at the round's median norm".to_owned()
        }
        RobustKind::NormClipping { bound: Some(bound) } => format!("norm clipping at {bound}"),
    }
}

/// What stays with each client.
pub fn own(own: &Own) -> String {
    match own {
        Own::Ditto { lambda } => format!("Ditto: own models held near by lambda {lambda}"),
        Own::FedPer { parts } => format!("FedPer: own parts are {}", parts.join(", ")),
    }
}

/// How many lie and how: `2 of 10 clients lie (sign-flip)`; as an error that nobody does, though some were asked for.
pub fn liars(federation: &Federation, clients: usize) -> Result<String, Option<String>> {
    let plan = federation.attack.as_ref().ok_or(None)?;
    let all = units::counted(clients as u64, "client");
    match Liars::count(plan.share, clients) {
        0 => {
            let share = (plan.share * 1e5).round() / 1e3;
            Err(Some(format!("nobody lies: {share} % of {all} is none")))
        }
        count => {
            let count = units::grouped(count as u64);
            Ok(format!("{count} of {all} lie ({})", attack(&plan.kind)))
        }
    }
}

/// An attack by its name in the file, with its number.
fn attack(kind: &Attack) -> String {
    match kind {
        Attack::LabelFlip { .. } => "label-flip".to_owned(),
        Attack::LabelRotation { by } => format!("label-rotation by {by}"),
        Attack::ColludingFlip { .. } => "colluding-flip".to_owned(),
        Attack::SignFlip => "sign-flip".to_owned(),
        Attack::Scaling { by } => format!("scaling by {by}"),
        Attack::GaussianNoise { deviation } => format!("gaussian-noise of deviation {deviation}"),
        Attack::FreeRider { gives: FreeRide::Zeros, .. } => "free-rider, zeros".to_owned(),
        Attack::FreeRider { gives: FreeRide::LastDelta, .. } => "free-rider, last delta".to_owned(),
        Attack::Backdoor { .. } => "backdoor".to_owned(),
    }
}

/// That clients hold out too few rows to be judged one by one, where most do.
pub fn few_held_out(prepared: &Prepared) -> Option<String> {
    let of_clients = &prepared.held_out.of_clients;
    let few = of_clients.iter().filter(|rows| rows.len() <= 1).count();
    (2 * few > of_clients.len()).then(|| {
        format!(
            "{} of {} hold out 0 or 1 rows: their scores say little; a larger data.held_out or fewer clients give them more",
            units::grouped(few as u64),
            units::counted(of_clients.len() as u64, "client")
        )
    })
}

/// What is learnt: the classes by name where they are few, else how many there are.
pub fn title(prepared: &Prepared) -> String {
    let clients = units::counted(prepared.clients.len() as u64, "client");
    let learn = if prepared.clients.len() == 1 { "learns" } else { "learn" };
    match prepared.classes.as_slice() {
        [first @ .., last] if (1..6).contains(&first.len()) => {
            format!("{clients} {learn} to tell {} and {last} apart", first.join(", "))
        }
        classes => {
            let classes = units::counted(classes.len() as u64, "class");
            format!("{clients} {learn} {classes} of {}", prepared.label)
        }
    }
}
