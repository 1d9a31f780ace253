//! Rounds whose coordinator sees the sum only.

use flowgait_federate::coordinator::{Coordinator, Mechanism, Plan, PrivacyPlan};
use flowgait_federate::partition::Partition;
use flowgait_federate::robust::RobustKind;
use flowgait_federate::secure::SecurePlan;
use flowgait_federate::simulation::{Fate, Faults};
use flowgait_federate::strategy::{Renewal, StrategyKind};
use flowgait_federate::update::Contribution;
use flowgait_federate::{Error, Refusal, cohort::Sampling};

use crate::made;

const SECURE: SecurePlan = SecurePlan { corrupt_share: 0.05, lost_share: 0.3, security_bits: 40 };

fn plan(clients: usize) -> Plan {
    Plan {
        secure: Some(SECURE),
        clip_norm: Some(1.0),
        ..Plan::new(clients, StrategyKind::FedAvgM { rate: 1.0, momentum: 0.5 })
    }
}

fn shared_noise(noise_multiplier: f64) -> PrivacyPlan {
    let mechanism = Mechanism::Distributed;
    PrivacyPlan { epsilon: 30.0, delta: 1e-5, noise_multiplier, clip_norm: 0.5, mechanism }
}

#[test]
fn masked_or_not_the_model_is_the_same() {
    let (homes, _) = made::homes(30, Partition::Iid);
    let learner = made::learner(&homes);
    let faults = Faults { absent: 0.1, lost: 0.1, seed: 4, ..Faults::default() };
    let run = |plan: Plan| {
        let mut simulation = made::simulation(plan, &learner, faults);
        let survivors: Vec<usize> =
            (0..4).map(|_| simulation.round().unwrap().end.survivors).collect();
        (survivors, simulation.coordinator().exact_parameters().to_vec())
    };
    // Clients of as many rows: their weights are alike, and only the grid's steps tell the two sums apart.
    let (masked, plain) = (run(plan(30)), run(Plan { secure: None, ..plan(30) }));
    assert_eq!(masked.0, plain.0);
    assert!(masked.0.iter().any(|&survivors| survivors < 30));
    for (masked, plain) in masked.1.iter().zip(&plain.1) {
        assert!((masked - plain).abs() < 2e-4, "{masked}, not {plain}");
    }
}

#[test]
fn fewer_survivors_than_the_threshold_abandon_the_round() {
    let (homes, _) = made::homes(10, Partition::Iid);
    let learner = made::learner(&homes);
    for faults in [
        Faults { absent: 0.9, seed: 4, ..Faults::default() },
        Faults { lost: 0.9, seed: 4, ..Faults::default() },
        Faults { lost: 0.6, seed: 4, ..Faults::default() },
    ] {
        let mut simulation = made::simulation(plan(10), &learner, faults);
        let before = simulation.coordinator().exact_parameters().to_vec();
        let round = simulation.round().unwrap();
        assert!(!round.end.is_done);
        // Who was there is told, though there is no sum.
        let there = (0..10).filter(|&client| faults.fate(1, client) == Fate::Well).count();
        assert_eq!(round.end.survivors, there);
        assert_eq!(simulation.coordinator().exact_parameters(), before);
        assert_eq!(simulation.round().unwrap().end.round, 2);
    }
}

#[test]
fn noise_of_clients_is_accounted_over_those_who_answered() {
    let (homes, _) = made::homes(30, Partition::Iid);
    let learner = made::learner(&homes);
    let private = Plan { clip_norm: None, privacy: Some(shared_noise(2.0)), ..plan(30) };
    let epsilon = |faults| {
        let mut simulation = made::simulation(private, &learner, faults);
        let end = simulation.round().unwrap().end;
        assert!(end.is_done);
        (end.survivors, end.epsilon.unwrap())
    };
    let (all, full) = epsilon(Faults::default());
    let (fewer, less) = epsilon(Faults { lost: 0.2, seed: 4, ..Faults::default() });
    assert!(fewer < all && less > full, "{fewer} of {all} at {less}, all at {full}");
    // A noise multiplier of 2 at the fewest survivors is an epsilon of 2.1 at a delta of 1e-5.
    assert!(less < 2.2, "{less}");
}

#[test]
fn a_contribution_without_a_mask_is_refused_where_clients_add_noise() {
    let private = Plan { clip_norm: None, privacy: Some(shared_noise(2.0)), ..plan(30) };
    let mut coordinator = Coordinator::new(private.check().unwrap(), &[0.0; 3]).unwrap();
    coordinator.begin().unwrap();
    let plain = Contribution { client: 0, round: 1, values: vec![0.1; 3], weight: 1.0 };
    let refused = coordinator.receive(plain).unwrap_err();
    assert!(matches!(refused, Error::Contribution { why: Refusal::Unmasked, .. }), "{refused}");
}

#[test]
fn what_secure_aggregation_cannot_do_is_refused_with_the_reason() {
    let told = |plan: Plan| plan.check().unwrap_err().to_string();
    let median = Plan { robust: Some(RobustKind::Median), ..plan(30) };
    assert!(
        told(median).contains(
            "a robust rule cannot go with secure aggregation: it must see single updates"
        )
    );
    let scaffold = StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Steps };
    assert!(
        told(Plan { strategy: scaffold, ..plan(30) })
            .contains("SCAFFOLD cannot go with secure aggregation")
    );
    assert!(told(Plan { clip_norm: None, ..plan(30) }).contains("set clip_norm"));
    let many_lost = SecurePlan { lost_share: 0.6, ..SECURE };
    assert!(
        told(Plan { secure: Some(many_lost), ..plan(30) })
            .contains("no degree up to 29 protects 30 clients")
    );
    let bare = Plan { clip_norm: None, secure: None, privacy: Some(shared_noise(2.0)), ..plan(30) };
    assert!(told(bare).contains("noise that clients add cannot go with plain aggregation"));
    let coins = Plan {
        clip_norm: None,
        privacy: Some(shared_noise(2.0)),
        sampling: Sampling::Poisson { rate: 0.5 },
        ..plan(30)
    };
    assert!(told(coins).contains("a cohort drawn by coins"));
    let bare_coins = Plan { sampling: Sampling::Poisson { rate: 0.5 }, ..plan(30) };
    assert!(told(bare_coins).contains("see the roster"));
    // 2^16 steps and 2^15 clients are one bit more than a ring has.
    let few_lost = SecurePlan { corrupt_share: 0.01, lost_share: 0.05, ..SECURE };
    let many = Plan { secure: Some(few_lost), ..plan(40_000) };
    let many = many.check().map(|plan| Coordinator::new(plan, &[0.0; 3]).map(|_| ()));
    let told = format!("{:?}", many.map(|inner| inner.map_err(|error| error.to_string())));
    assert!(told.contains("a ring has at most 32"), "{told}");
}
