//! Rounds whose updates are packed.

use flowgait_federate::client::{Memory, Personal, Worker};
use flowgait_federate::compress::{Bits, CompressionPlan};
use flowgait_federate::coordinator::{Coordinator, Mechanism, Plan, PrivacyPlan};
use flowgait_federate::measure::common;
use flowgait_federate::partition::Partition;
use flowgait_federate::robust::RobustKind;
use flowgait_federate::secure::SecurePlan;
use flowgait_federate::simulation::{Faults, Round};
use flowgait_federate::strategy::{Renewal, StrategyKind};
use flowgait_federate::update::Packed;
use flowgait_federate::{Error, Refusal};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::made;
use crate::pushers::Pushers;

const NONE: CompressionPlan = CompressionPlan { top_k: None, bits: None };

fn top(share: f64) -> CompressionPlan {
    CompressionPlan { top_k: Some(share), ..NONE }
}

fn plan(clients: usize, compression: CompressionPlan) -> Plan {
    Plan { compression: Some(compression), ..Plan::new(clients, StrategyKind::FedAvg) }
}

#[test]
fn sending_all_entries_is_the_same_run_bit_for_bit() {
    let (homes, _) = made::homes(8, Partition::Dirichlet { alpha: 0.5 });
    let learner = made::learner(&homes);
    let faults = Faults { lost: 0.1, late: 0.1, doubled: 0.1, seed: 2, ..Faults::default() };
    let run = |plan: Plan| {
        let mut simulation = made::simulation(plan, &learner, faults);
        let refused: Vec<_> = (0..5).flat_map(|_| simulation.round().unwrap().refused).collect();
        (refused, simulation.coordinator().exact_parameters().to_vec())
    };
    let strategy = StrategyKind::FedAvgM { rate: 1.0, momentum: 0.5 };
    let bare = run(Plan::new(8, strategy));
    assert!(!bare.0.is_empty());
    assert_eq!(run(Plan { strategy, ..plan(8, top(1.0)) }), bare);
    assert_ne!(run(Plan { strategy, ..plan(8, top(0.9)) }).1, bare.1);
}

#[test]
fn fewer_octets_are_sent_and_it_still_learns() {
    let (homes, held_out) = made::homes(8, Partition::Iid);
    let learner = made::learner(&homes);
    let run = |plan: Plan| {
        let mut simulation = made::simulation(plan, &learner, Faults::default());
        let rounds: Vec<Round> = (0..40).map(|_| simulation.round().unwrap()).collect();
        let values = simulation.coordinator().parameters();
        let measured = common(&homes, &held_out, &learner, &values).unwrap();
        let up: u64 = rounds.iter().map(|round| round.octets_up).sum();
        (up as f64, measured.scores.unwrap().accuracy)
    };
    let (bare, _) = run(Plan::new(8, StrategyKind::FedAvg));
    let parameters = learner.start().len() as f64;
    let updates = 40.0 * 8.0;
    assert_eq!(bare, updates * 4.0 * parameters);
    let both = CompressionPlan { bits: Some(Bits::Eight), ..top(0.2) };
    let kept = (0.2 * parameters).ceil();
    for (compression, most) in [
        // Counts, gaps of a byte, and values; or a byte or two for each entry, with a scale; or both.
        (top(0.2), 8.0 + 5.0 * kept),
        (CompressionPlan { bits: Some(Bits::Eight), ..NONE }, 9.0 + parameters),
        (CompressionPlan { bits: Some(Bits::Sixteen), ..NONE }, 9.0 + 2.0 * parameters),
        (both, 17.0 + 2.0 * kept),
    ] {
        let (up, accuracy) = run(plan(8, compression));
        assert!(up <= updates * most && up < 0.75 * bare, "{compression:?}: {up} of {bare}");
        assert!(accuracy > 0.85, "{compression:?}: {accuracy}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_left_out_is_sent_later(
        push in prop::collection::vec(-1e2f32..1e2, 1..40),
        share in 0.01f64..1.0,
        rounds in 1u64..30,
    ) {
        let learner = Pushers(vec![push.clone()]);
        let mut coordinator =
            Coordinator::new(plan(1, top(share)).check().unwrap(), &vec![0.0; push.len()]).unwrap();
        let task = coordinator.begin().unwrap();
        let strategy = coordinator.strategy();
        let worker = Worker { learner: &learner, strategy, personal: &Personal::Nothing, seed: 1 };
        let (mut memory, mut sent) = (Memory::default(), vec![0.0; push.len()]);
        let k = (share * push.len() as f64).ceil() as usize;
        for _ in 0..rounds {
            let values = worker.work(&task, 0, &mut memory).unwrap().contribution.values;
            prop_assert!(values.iter().filter(|value| **value != 0.0).count() <= k);
            sent.iter_mut().zip(values).for_each(|(sent, value)| *sent += f64::from(value));
        }
        for ((sent, owed), push) in sent.iter().zip(&memory.owed).zip(&push) {
            let all = rounds as f64 * f64::from(*push);
            prop_assert!((sent + owed - all).abs() < 1e-9 * rounds as f64 * 100.0);
        }
    }
}

#[test]
fn every_entry_gets_its_turn() {
    // One large entry and many small ones: without what is owed, the small ones would never be sent.
    let mut push = vec![0.01; 10];
    push[3] = 1.0;
    let learner = Pushers(vec![push.clone()]);
    let mut simulation = learner.simulation(plan(1, top(0.2)));
    for _ in 0..400 {
        simulation.round().unwrap();
    }
    let moved = simulation.coordinator().exact_parameters();
    for (moved, push) in moved.iter().zip(&push) {
        let share = moved / (400.0 * f64::from(*push));
        assert!((0.95..=1.01).contains(&share), "{share} of what it should have moved");
    }
}

#[test]
fn under_privacy_the_largest_entries_are_clipped_and_cost_the_same() {
    let (homes, _) = made::homes(12, Partition::Iid);
    let learner = made::learner(&homes);
    let privacy = PrivacyPlan {
        epsilon: 50.0,
        delta: 1e-5,
        noise_multiplier: 1.0,
        clip_norm: 0.05,
        mechanism: Mechanism::Central,
    };
    let run = |compression| {
        let base = Plan::new(12, StrategyKind::FedAvg);
        let plan = Plan { compression, privacy: Some(privacy), ..base };
        let mut simulation = made::simulation(plan, &learner, Faults::default());
        (0..4).map(|_| simulation.round().unwrap()).collect::<Vec<_>>()
    };
    for (packed, bare) in run(Some(top(0.1))).into_iter().zip(run(None)) {
        // The coordinator refuses what is longer than the clip norm.
        assert!(packed.refused.is_empty(), "{:?}", packed.refused);
        assert_eq!((packed.end.survivors, packed.end.epsilon), (12, bare.end.epsilon));
        // What is owed makes updates longer: nearly all are clipped here.
        assert!(packed.short.unwrap() < 0.5 && packed.octets_up < bare.octets_up / 4);
    }
}

#[test]
fn octets_that_are_no_packed_update_are_refused() {
    let mut coordinator = Coordinator::new(plan(3, top(0.5)).check().unwrap(), &[0.0; 4]).unwrap();
    coordinator.begin().unwrap();
    let octets = top(0.5).pack(&[0.0, 1.0, 0.0, 2.0], &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let give =
        |client, octets: &[u8]| Packed { client, round: 1, octets: octets.to_vec(), weight: 1.0 };
    let why = |result: Result<(), Error>| match result.unwrap_err() {
        Error::Contribution { why, .. } => why,
        other => panic!("{other}"),
    };
    let refused = why(coordinator.receive_packed(give(0, &octets[..octets.len() - 1])));
    assert_eq!(refused.to_string(), "byte 4 of the packed update: it has too many entries");
    // It has had its turn.
    assert_eq!(why(coordinator.receive_packed(give(0, &octets))), Refusal::Twice);
    assert_eq!(why(coordinator.receive_packed(give(9, &octets))), Refusal::NotAsked);
    coordinator.receive_packed(give(1, &octets)).unwrap();
    coordinator.receive_packed(give(2, &octets)).unwrap();
    assert_eq!(coordinator.close().unwrap().survivors, 2);
    assert_eq!(coordinator.exact_parameters(), [0.0, 1.0, 0.0, 2.0]);
    let plain = Plan::new(3, StrategyKind::FedAvg).check().unwrap();
    let mut coordinator = Coordinator::new(plain, &[0.0; 4]).unwrap();
    coordinator.begin().unwrap();
    assert_eq!(why(coordinator.receive_packed(give(0, &octets))), Refusal::Packed);
}

#[test]
fn a_spoiled_answer_is_refused_and_named() {
    let (homes, _) = made::homes(30, Partition::Iid);
    let learner = made::learner(&homes);
    let faults = Faults { wrong: 0.3, seed: 4, ..Faults::default() };
    let mut simulation = made::simulation(plan(30, top(0.3)), &learner, faults);
    let round = simulation.round().unwrap();
    assert!(!round.refused.is_empty());
    assert!(round.refused.iter().all(|(_, why)| matches!(why, Refusal::Unpack { .. })));
    assert_eq!(round.end.survivors + round.refused.len(), 30);
}

#[test]
fn what_does_not_go_with_it_is_refused_with_the_reason() {
    let told = |plan: Plan| plan.check().unwrap_err().to_string();
    let bits = CompressionPlan { bits: Some(Bits::Eight), ..NONE };
    let masked =
        Plan { secure: Some(SecurePlan::default()), clip_norm: Some(1.0), ..plan(40, top(0.1)) };
    assert_eq!(
        told(masked),
        "compression cannot go with secure aggregation: each client packs at places and on scales of its own, and masked numbers can be summed only as all have them"
    );
    let scaffold = StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Steps };
    assert!(
        told(Plan { strategy: scaffold, ..plan(4, bits) })
            .contains("compression cannot go with SCAFFOLD")
    );
    assert!(
        told(Plan { clip_norm: Some(1.0), ..plan(4, bits) })
            .contains("rounding to few bits cannot go with privacy or a clip norm")
    );
    assert!(
        told(Plan { robust: Some(RobustKind::Median), ..plan(4, top(0.1)) })
            .contains("cannot go with a robust rule: it compares entries")
    );
    assert!(Plan { robust: Some(RobustKind::Median), ..plan(4, bits) }.check().is_ok());
    assert!(told(plan(4, NONE)).contains("set one of them"));
    assert!(told(plan(4, top(0.0))).contains("share of entries sent is 0, but must be above 0"));
}
