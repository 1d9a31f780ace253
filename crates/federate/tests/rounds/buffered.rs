//! Learning without rounds: FedBuff.

use std::path::Path;

use flowgait_federate::Error;
use flowgait_federate::buffered::{Buffered, weight_of};
use flowgait_federate::cohort::Sampling;
use flowgait_federate::compress::CompressionPlan;
use flowgait_federate::coordinator::{AdaptivePlan, Coordinator, Mechanism, Plan, PrivacyPlan};
use flowgait_federate::federation::Federation;
use flowgait_federate::learner::Learner;
use flowgait_federate::measure::common;
use flowgait_federate::network::NetLearner;
use flowgait_federate::partition::Partition;
use flowgait_federate::robust::RobustKind;
use flowgait_federate::run::{Control, Ended, Folder, Rounds, State, run};
use flowgait_federate::secure::SecurePlan;
use flowgait_federate::simulation::{Faults, Round};
use flowgait_federate::strategy::StrategyKind;

use crate::made;
use crate::pushers::Pushers;

fn plan(clients: usize, buffer: usize, spread: f64) -> Plan {
    Plan::new(clients, StrategyKind::FedBuff { buffer, rate: 1.0, spread })
}

fn buffered<'a>(plan: Plan, learner: &'a dyn Learner, start: &[f32]) -> Buffered<'a> {
    Buffered::new(plan.check().expect("a plan"), learner, start).expect("a federation")
}

#[test]
fn equal_speeds_and_a_buffer_for_everyone_are_fed_avg_bit_for_bit() {
    let (homes, _) = made::homes(7, Partition::Dirichlet { alpha: 0.5 });
    let learner = made::learner(&homes);
    for clip_norm in [None, Some(0.3)] {
        let all = Plan { clip_norm, ..plan(7, 7, 0.0) };
        let mut buffered = buffered(all, &learner, learner.start());
        let rounds = Plan { clip_norm, ..Plan::new(7, StrategyKind::FedAvg) };
        let mut rounds = made::simulation(rounds, &learner, Faults::default());
        for at in 1..=5 {
            let step = Rounds::round(&mut buffered).unwrap();
            assert_eq!(step.staleness, Some(0.0));
            assert_eq!(step.time, Some(f64::from(at)));
            let round =
                Round { staleness: step.staleness, time: step.time, ..rounds.round().unwrap() };
            assert_eq!(step, round);
            let exact = rounds.coordinator().exact_parameters();
            assert_eq!(buffered.exact_parameters(), exact);
        }
    }
}

#[test]
fn stale_updates_weigh_by_the_formula() {
    // Three clients of one speed and a buffer of two, worked out by hand. All arrive at 1: clients 0 and 1 make a step, client 2 is in
    // the next buffer and a step old. All begin again, at version 1, and arrive at 2: client 0 fills the second buffer. Clients 1 and 2
    // are a step old then, and make the third. At 3 clients 0 and 1 began at version 3 and make the fourth.
    let learner = Pushers(vec![vec![1.0, 0.0, 0.0], vec![0.0, 2.0, 0.0], vec![0.0, 0.0, -4.0]]);
    let strategy = StrategyKind::FedBuff { buffer: 2, rate: 0.5, spread: 0.0 };
    let mut simulation = buffered(Plan { strategy, ..plan(3, 2, 0.0) }, &learner, &[0.0; 3]);
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let steps = [
        ([0.25, 0.5, 0.0], 0.0, 1.0),
        ([0.25, 0.0, -half], 0.5, 2.0),
        ([0.0, 0.5 * half, -half], 1.0, 2.0),
        ([0.25, 0.5, 0.0], 0.0, 3.0),
    ];
    let mut expected = [0.0; 3];
    for (moved, staleness, time) in steps {
        let step = Rounds::round(&mut simulation).unwrap();
        assert_eq!((step.staleness, step.time), (Some(staleness), Some(time)));
        expected.iter_mut().zip(moved).for_each(|(x, moved)| *x += moved);
        for (found, expected) in simulation.exact_parameters().iter().zip(expected) {
            // Clients learn in 32 bits.
            assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }
    assert_eq!((weight_of(0), weight_of(3)), (1.0, 0.5));
}

#[test]
fn any_number_of_threads_gives_the_same_parameters() {
    let (homes, _) = made::homes(70, Partition::Dirichlet { alpha: 0.5 });
    let learner = made::learner(&homes);
    let parameters = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut simulation = buffered(plan(70, 80, 1.0), &learner, learner.start());
            (0..3).for_each(|_| drop(Rounds::round(&mut simulation).unwrap()));
            simulation.exact_parameters().to_vec()
        })
    };
    let one = parameters(1);
    assert_eq!(one, parameters(2));
    assert_eq!(one, parameters(4));
}

#[test]
fn it_learns_at_unlike_speeds_and_some_updates_are_stale() {
    let (homes, held_out) = made::homes(12, Partition::Dirichlet { alpha: 1.0 });
    let learner = made::learner(&homes);
    let some = Plan { sampling: Sampling::Fixed { size: 6 }, ..plan(12, 3, 0.7) };
    let mut simulation = buffered(some, &learner, learner.start());
    let steps: Vec<Round> = (0..60).map(|_| Rounds::round(&mut simulation).unwrap()).collect();
    let measured = common(&homes, &held_out, &learner, &simulation.parameters()).unwrap();
    let accuracy = measured.scores.unwrap().accuracy;
    assert!(accuracy > 0.85, "{accuracy}");
    let stale = steps.iter().filter_map(|step| step.staleness).sum::<f64>() / 60.0;
    // Six learn at any time, so five others arrive while one learns, on average; three of them are a step.
    assert!((1.5..1.8).contains(&stale), "{stale}");
    assert!(steps.windows(2).all(|pair| pair[0].time <= pair[1].time));
    let octets = learner.start().len() as u64 * 4;
    assert!(steps.iter().all(|step| step.end.survivors == 3 && step.octets_up == 3 * octets));
    // Whoever begins gets the model: all that were given it but the six at the end came back.
    let down: u64 = steps.iter().map(|step| step.octets_down / octets).sum();
    assert!((180..=186).contains(&down), "{down}");
}

fn go(folder: &Path, learner: &NetLearner<'_>, steps: u64) -> Vec<f64> {
    let some = Plan { sampling: Sampling::Fixed { size: 6 }, ..plan(9, 4, 1.0) };
    let mut simulation = buffered(some, learner, learner.start());
    let (mut folder, state) = Folder::open(folder).expect("a folder");
    if let Some(state) = state {
        simulation.resume(&folder.past(), state).expect("a state that fits");
    }
    let nothing = |_: &Buffered<'_>, _: &Round| Ok::<(), Error>(());
    let control = Control::default();
    let ended = run(&mut simulation, steps, &control, Some(&mut folder), nothing).expect("a run");
    assert_eq!(ended, Ended::Done);
    simulation.exact_parameters().to_vec()
}

#[test]
fn a_run_that_was_killed_comes_to_the_same() {
    let (homes, _) = made::homes(9, Partition::Iid);
    let learner = made::learner(&homes);
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let unbroken = go(whole.path(), &learner, 12);
    for steps in 1..=11 {
        go(cut.path(), &learner, steps);
    }
    assert_eq!(go(cut.path(), &learner, 12), unbroken);
    let read = |folder: &Path, name| std::fs::read(folder.join(name)).unwrap();
    for name in ["ledger.jsonl", "state.safetensors"] {
        assert_eq!(read(whole.path(), name), read(cut.path(), name), "{name}");
    }
    // The state of rounds does not do, nor that of other clients.
    let mut other = buffered(plan(8, 4, 1.0), &learner, learner.start());
    let state = State::from_octets(&read(whole.path(), "state.safetensors")).unwrap();
    let told = other.resume(&[], state.clone()).unwrap_err().to_string();
    assert!(told.contains("of another federation"), "{told}");
    let without = State { in_flight: None, ..state };
    let told = other.resume(&[], without).unwrap_err().to_string();
    assert!(told.contains("does not tell who learns"), "{told}");
}

#[test]
fn what_does_not_go_with_it_is_refused_with_the_reason() {
    let base = Plan { clip_norm: Some(1.0), ..plan(30, 10, 0.5) };
    assert!(base.check().is_ok());
    let told = |plan: Plan| plan.check().unwrap_err().to_string();
    assert_eq!(
        told(Plan { secure: Some(SecurePlan::default()), ..base }),
        "the strategy FedBuff cannot go with secure aggregation: masks cancel among clients that answer together, and here each answers when it is done"
    );
    let privacy = PrivacyPlan {
        epsilon: 8.0,
        delta: 1e-5,
        noise_multiplier: 1.0,
        clip_norm: 1.0,
        mechanism: Mechanism::Central,
    };
    let private = Plan { clip_norm: None, privacy: Some(privacy), ..base };
    assert!(told(private).contains("FedBuff cannot go with privacy: one client more or less"));
    let coins = Sampling::Poisson { rate: 0.5 };
    assert!(told(Plan { sampling: coins, ..base }).contains("a cohort drawn by coins"));
    assert!(
        told(Plan { robust: Some(RobustKind::Median), ..base }).contains("updates of one model")
    );
    let follow = Some(AdaptivePlan::default());
    assert!(told(Plan { adaptive_clipping: follow, ..base }).contains("began under several"));
    let packed = Some(CompressionPlan { top_k: Some(0.1), bits: None });
    assert!(told(Plan { compression: packed, ..base }).contains("what a client owes is of rounds"));
    assert!(told(plan(30, 0, 0.5)).contains("the buffer of FedBuff is 0, but must be from 1"));
    assert!(told(plan(30, 1, 9.0)).contains("the spread of speeds is 9"));

    // Neither leads what is the other's.
    let learner = Pushers(vec![vec![0.0]; 30]);
    let rounds = Plan::new(30, StrategyKind::FedAvg).check().unwrap();
    let refused = Buffered::new(rounds, &learner, &[0.0]).err().unwrap().to_string();
    assert!(refused.contains("FedAvg cannot go with steps without rounds"), "{refused}");
    let refused = Coordinator::new(base.check().unwrap(), &[0.0]).err().unwrap().to_string();
    assert!(refused.contains("FedBuff cannot go with rounds"), "{refused}");

    let strategy = StrategyKind::FedBuff { buffer: 2, rate: 1.0, spread: 0.5 };
    let file = Federation { strategy, ..Federation::default() };
    assert!(file.check().is_ok());
    let told = |file: Federation| file.check().unwrap_err().to_string();
    let faults = Faults { late: 0.1, ..Faults::default() };
    assert!(told(Federation { faults, ..file.clone() }).contains("[attack] or [faults]"));
    let own = flowgait_federate::federation::Own::Ditto { lambda: 0.1 };
    let told = told(Federation { personal: Some(own), ..file });
    assert!(told.contains("FedBuff cannot go with [personal]"), "{told}");
}
