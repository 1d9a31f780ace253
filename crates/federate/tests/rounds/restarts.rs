//! Killed at any moment, a run goes on and comes to what it would have come to.

use std::fs;
use std::path::Path;

use flowgait_federate::Error;
use flowgait_federate::attack::{Attack, FreeRide};
use flowgait_federate::client::Personal;
use flowgait_federate::compress::{Bits, CompressionPlan};
use flowgait_federate::coordinator::{AdaptivePlan, Coordinator, Mechanism, Plan, PrivacyPlan};
use flowgait_federate::network::NetLearner;
use flowgait_federate::partition::Partition;
use flowgait_federate::run::{Control, Ended, Folder, Wish, run};
use flowgait_federate::secure::SecurePlan;
use flowgait_federate::simulation::{Faults, Liars, Simulation};
use flowgait_federate::strategy::{Renewal, StrategyKind};

use crate::made;

fn plans() -> [(Plan, Personal); 8] {
    let privacy = PrivacyPlan {
        epsilon: 50.0,
        delta: 1e-5,
        noise_multiplier: 1.0,
        clip_norm: 0.5,
        mechanism: Mechanism::Central,
    };
    let adaptive_clipping =
        Some(AdaptivePlan { count_deviation: Some(2.0), ..AdaptivePlan::default() });
    let secure = Some(SecurePlan { lost_share: 0.4, corrupt_share: 0.0, security_bits: 40 });
    let shared = Some(PrivacyPlan { mechanism: Mechanism::Distributed, ..privacy });
    let private = Plan { privacy: Some(privacy), ..Plan::new(6, StrategyKind::FedAvg) };
    let masked = Plan { secure, privacy: shared, ..private };
    let packed = |bits| Some(CompressionPlan { top_k: Some(0.2), bits });
    let scaffold = StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Steps };
    let adam = StrategyKind::FedAdam { rate: 0.05, beta_1: 0.9, beta_2: 0.99, tau: 1e-3 };
    [
        (Plan::new(6, scaffold), Personal::Nothing),
        (Plan::new(6, adam), Personal::Ditto { lambda: 0.1 }),
        (private, Personal::Nothing),
        (masked, Personal::Nothing),
        (Plan { adaptive_clipping, ..private }, Personal::Nothing),
        (Plan { adaptive_clipping, ..masked }, Personal::Nothing),
        (Plan { compression: packed(Some(Bits::Eight)), ..Plan::new(6, adam) }, Personal::Nothing),
        (Plan { compression: packed(None), adaptive_clipping, ..private }, Personal::Nothing),
    ]
}

/// Runs up to a round in a folder, as a process would that is begun anew.
fn go(
    folder: &Path,
    plan: Plan,
    own: &Personal,
    learner: &NetLearner<'_>,
    rounds: u64,
) -> Vec<f64> {
    let coordinator =
        Coordinator::new(plan.check().expect("a plan"), learner.start()).expect("a coordinator");
    let faults = Faults { lost: 0.2, late: 0.2, seed: 3, ..Faults::default() };
    // One of the six gives what moved the model in the round before.
    let ride = Attack::FreeRider { gives: FreeRide::LastDelta, deviation: 0.0 };
    let liars = Liars::new(ride.check(3, 3).expect("an attack"), 0.17, 6, 1);
    let mut simulation =
        Simulation::new(coordinator, learner, own.clone(), faults).with_liars(Some(liars));
    let (mut folder, state) = Folder::open(folder).expect("a folder");
    if let Some(state) = state {
        let past = folder.past();
        simulation.resume(&past, state).expect("a state that fits");
    }
    let control = Control::default();
    let nothing = |_: &Simulation<'_>, _: &_| Ok::<(), Error>(());
    let ended = run(&mut simulation, rounds, &control, Some(&mut folder), nothing).expect("a run");
    assert_eq!(ended, Ended::Done);
    simulation.coordinator().exact_parameters().to_vec()
}

#[test]
fn a_run_that_was_killed_comes_to_the_same() {
    let (homes, _) = made::homes(6, Partition::Dirichlet { alpha: 0.5 });
    let learner = made::learner(&homes);
    for (plan, own) in plans() {
        let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let unbroken = go(whole.path(), plan, &own, &learner, 6);
        let ledger = |folder: &Path| fs::read_to_string(folder.join("ledger.jsonl")).unwrap();
        let state = |folder: &Path| folder.join("state.safetensors");
        let next = |folder: &Path| folder.join("state.next.safetensors");

        go(cut.path(), plan, &own, &learner, 2);
        let (ledger_2, state_2) = (ledger(cut.path()), fs::read(state(cut.path())).unwrap());
        go(cut.path(), plan, &own, &learner, 3);
        let (ledger_3, state_3) = (ledger(cut.path()), fs::read(state(cut.path())).unwrap());
        // Killed before the state of round 3 was whole; before its line; in its line; before its state was in place.
        let half = &state_3[..state_3.len() / 2];
        let half_line = &ledger_3[..ledger_3.len() - 20];
        for (next_state, line) in [
            (half, &*ledger_2),
            (&state_3[..], &*ledger_2),
            (&state_3[..], half_line),
            (&state_3[..], &*ledger_3),
        ] {
            fs::write(state(cut.path()), &state_2).unwrap();
            fs::write(next(cut.path()), next_state).unwrap();
            fs::write(cut.path().join("ledger.jsonl"), line).unwrap();
            assert_eq!(go(cut.path(), plan, &own, &learner, 6), unbroken, "{own:?}");
            assert_eq!(ledger(cut.path()), ledger(whole.path()));
        }
    }
}

#[test]
fn a_ledger_that_was_edited_or_lost_its_state_is_refused() {
    let (homes, _) = made::homes(6, Partition::Iid);
    let learner = made::learner(&homes);
    let folder = tempfile::tempdir().unwrap();
    let [_, _, (plan, own), ..] = plans();
    go(folder.path(), plan, &own, &learner, 3);
    let path = folder.path().join("ledger.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let edited = text.replacen("\"noise_multiplier\":1.0", "\"noise_multiplier\":9.0", 1);
    assert_ne!(edited, text);
    fs::write(&path, edited).unwrap();
    let told = Folder::open(folder.path()).unwrap_err().to_string();
    assert!(told.starts_with("ledger, line 2: the hash of the line before does not fit"), "{told}");
    fs::write(&path, text).unwrap();
    fs::remove_file(folder.path().join("state.safetensors")).unwrap();
    let told = Folder::open(folder.path()).unwrap_err().to_string();
    assert!(told.contains("no state of round 3"), "{told}");
}

#[test]
fn a_run_is_stopped_from_outside() {
    let (homes, _) = made::homes(3, Partition::Iid);
    let learner = made::learner(&homes);
    let mut simulation =
        made::simulation(Plan::new(3, StrategyKind::FedAvg), &learner, Faults::default());
    let control = Control::default();
    let ended = run(&mut simulation, 100, &control, None, |simulation, _| {
        if simulation.coordinator().round() == 4 {
            control.wish(Wish::Stop);
        }
        Ok::<(), Error>(())
    });
    assert_eq!(ended.unwrap(), Ended::Stopped);
    assert_eq!(simulation.coordinator().round(), 4);
}
