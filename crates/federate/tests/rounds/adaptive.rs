//! Clip norms that follow the updates.

use flowgait_federate::cohort::Sampling;
use flowgait_federate::coordinator::{AdaptivePlan, Mechanism, Plan, PrivacyPlan};
use flowgait_federate::robust::RobustKind;
use flowgait_federate::secure::SecurePlan;
use flowgait_federate::strategy::{Renewal, StrategyKind};
use proptest::prelude::*;

use crate::pushers::Pushers;

const ADAPTIVE: AdaptivePlan = AdaptivePlan { quantile: 0.5, rate: 0.2, count_deviation: None };

fn privacy(noise_multiplier: f64, mechanism: Mechanism) -> PrivacyPlan {
    PrivacyPlan { epsilon: 1e6, delta: 1e-5, noise_multiplier, clip_norm: 0.5, mechanism }
}

fn secure() -> Option<SecurePlan> {
    Some(SecurePlan { corrupt_share: 0.0, lost_share: 0.2, security_bits: 30 })
}

/// Clients whose updates have these lengths, in two parameters.
fn of_lengths(lengths: &[f64]) -> Pushers {
    let push = |length: &f64| vec![(0.6 * length) as f32, (-0.8 * length) as f32];
    Pushers(lengths.iter().map(push).collect())
}

/// Lengths from 0.1 to 10, evenly on a logarithmic scale.
fn spread(clients: usize) -> Vec<f64> {
    (0..clients).map(|at| 10_f64.powf(2.0 * at as f64 / (clients - 1) as f64 - 1.0)).collect()
}

/// The clip norm after some rounds; at a point between two lengths it still moves by one step, so a mean over the last ones.
fn settled(learner: &Pushers, plan: Plan, rounds: usize) -> f64 {
    let mut simulation = learner.simulation(plan);
    let mut norm = || simulation.round().expect("a round").end.clip_norm.expect("a norm").ln();
    let norms: Vec<f64> = (0..rounds).map(|_| norm()).collect();
    let last = &norms[rounds - rounds / 3..];
    (last.iter().sum::<f64>() / last.len() as f64).exp()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_clip_norm_goes_to_the_quantile(
        mut lengths in prop::collection::vec(0.01f64..100.0, 20..60),
        quantile in 0.1f64..0.9,
        start in 0.05f64..20.0,
    ) {
        let plan = Plan {
            clip_norm: Some(start),
            adaptive_clipping: Some(AdaptivePlan { quantile, ..ADAPTIVE }),
            ..Plan::new(lengths.len(), StrategyKind::FedAvg)
        };
        let rounds = 600;
        let found = settled(&of_lengths(&lengths), plan, rounds);
        lengths.sort_by(f64::total_cmp);
        // Where fewer than the quantile are shorter the norm grows, where more are it falls, by a fifth at most.
        let count = lengths.len() as f64;
        let at = quantile * count;
        let (below, above) = (lengths[at.ceil() as usize - 1], lengths[at.floor() as usize]);
        // Outside of these two it moves by so much each round at least; what it has not walked by the last third it may lack.
        let walked = |share: f64| (rounds - rounds / 3) as f64 * ADAPTIVE.rate * share / count;
        let grown = ((below / start).ln() - walked(at + 1.0 - at.ceil())).max(0.0);
        let fallen = ((start / above).ln() - walked(at.floor() + 1.0 - at)).max(0.0);
        let (least, most) = (below * 0.8 * (-grown).exp(), above * 1.25 * fallen.exp());
        prop_assert!(found >= least && found <= most, "{found}: {least} to {most}");
    }
}

#[test]
fn under_noise_and_masks_it_goes_there_too() {
    let many = of_lengths(&spread(400));
    let private = Plan {
        privacy: Some(privacy(1.0, Mechanism::Central)),
        adaptive_clipping: Some(AdaptivePlan { quantile: 0.7, ..ADAPTIVE }),
        ..Plan::new(400, StrategyKind::FedAvg)
    };
    // Lengths are even on the scale of tens: at 0.7 of them lies 10^0.4.
    let expected = 10_f64.powf(0.4);
    for sampling in
        [Sampling::Everyone, Sampling::Poisson { rate: 0.5 }, Sampling::Fixed { size: 200 }]
    {
        let found = settled(&many, Plan { sampling, ..private }, 200);
        assert!((found / expected).ln().abs() < 0.15, "{sampling:?}: {found}, not {expected}");
    }
    // Masks take their time: fewer rounds at larger steps.
    let few = of_lengths(&spread(21));
    let masked = Plan {
        secure: secure(),
        clip_norm: Some(3.0),
        adaptive_clipping: Some(AdaptivePlan { rate: 1.0, ..ADAPTIVE }),
        ..Plan::new(21, StrategyKind::FedAvg)
    };
    // Half of 21 are at or below 1; between the lengths around it lies a factor of 1.26.
    let found = settled(&few, masked, 30);
    assert!(found.ln().abs() < 0.3, "{found}, not 1");
    let noised = Plan {
        clip_norm: None,
        privacy: Some(PrivacyPlan { clip_norm: 3.0, ..privacy(0.5, Mechanism::Distributed) }),
        ..masked
    };
    let found = settled(&few, noised, 30);
    assert!(found.ln().abs() < 0.4, "{found}, not 1");
}

#[test]
fn without_noise_the_model_is_that_of_clipping_at_the_same_norms() {
    let learner = of_lengths(&spread(9));
    let plan = Plan {
        clip_norm: Some(2.0),
        adaptive_clipping: Some(ADAPTIVE),
        ..Plan::new(9, StrategyKind::FedAvg)
    };
    let mut simulation = learner.simulation(plan);
    let mut expected = [0.0_f64; 2];
    for _ in 0..20 {
        let clip_norm = simulation.round().unwrap().end.clip_norm.unwrap();
        for length in spread(9) {
            expected[0] += 0.6 * length.min(clip_norm) / 9.0;
            expected[1] -= 0.8 * length.min(clip_norm) / 9.0;
        }
    }
    for (found, expected) in simulation.coordinator().exact_parameters().iter().zip(expected) {
        // Updates are differences of 32-bit numbers.
        assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    }
}

#[test]
fn it_costs_what_a_fixed_norm_costs() {
    let learner = of_lengths(&spread(40));
    let base = Plan::new(40, StrategyKind::FedAvg);
    let central = Plan { privacy: Some(privacy(1.0, Mechanism::Central)), ..base };
    let shared = Some(privacy(1.0, Mechanism::Distributed));
    for plan in [
        central,
        Plan { sampling: Sampling::Poisson { rate: 0.5 }, ..central },
        Plan { sampling: Sampling::Fixed { size: 25 }, ..central },
        Plan { privacy: shared, secure: secure(), ..base },
    ] {
        let spent = |adaptive_clipping| {
            let mut simulation = learner.simulation(Plan { adaptive_clipping, ..plan });
            (0..3).map(|_| simulation.round().unwrap().end.epsilon.unwrap()).collect::<Vec<_>>()
        };
        let follow = AdaptivePlan { count_deviation: Some(4.0), ..ADAPTIVE };
        let (fixed, followed) = (spent(None), spent(Some(follow)));
        assert!(fixed[0] > 0.0);
        // Clients' noise hides an entry more, of a vector that is padded to a power of two: a few parts in a thousand.
        let slack = if plan.secure.is_some() { 5e-3 } else { 0.0 };
        for (fixed, followed) in fixed.iter().zip(&followed) {
            assert!((fixed - followed).abs() <= slack * fixed, "{fixed}, {followed}: {plan:?}");
        }
    }
}

/// Mean square of many numbers around nothing, as a deviation.
fn deviation(numbers: impl Iterator<Item = f64>) -> f64 {
    let squares: Vec<f64> = numbers.map(|number| number * number).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

#[test]
fn noise_is_shared_out_as_in_the_paper() {
    const CLIENTS: usize = 20;
    // Half push by nothing and half by far too much, of which the sum of two opposite ones is nothing again.
    let push = |at: usize, place: usize| match (at % 4, place) {
        (0, 0) => 9.0,
        (1, 0) => -9.0,
        _ => 0.0,
    };
    let pushes = (0..CLIENTS).map(|at| (0..3_000).map(|place| push(at, place)).collect());
    let learner = Pushers(pushes.collect());
    // z = 2 and sigma_b = 2: z_delta = (1/4 - 1/16)^(-1/2).
    let follow = AdaptivePlan { count_deviation: Some(2.0), ..ADAPTIVE };
    let plan = |seed| Plan {
        seed,
        privacy: Some(privacy(2.0, Mechanism::Central)),
        adaptive_clipping: Some(follow),
        ..Plan::new(CLIENTS, StrategyKind::FedAvg)
    };
    let mut simulation = learner.simulation(plan(1));
    simulation.round().unwrap();
    let moved = simulation.coordinator().exact_parameters();
    let found = deviation(moved[1..].iter().map(|moved| moved * CLIENTS as f64));
    let expected = 0.5 * (0.25_f64 - 1.0 / 16.0).powf(-0.5);
    // 3,000 numbers tell a deviation to 1.3 %: five of these.
    assert!((found / expected - 1.0).abs() < 0.065, "{found}, not {expected}");

    let small = Pushers(learner.0.iter().map(|push| push[..2].to_vec()).collect());
    let counts = (0..400).map(|seed| {
        let mut simulation = small.simulation(plan(seed));
        simulation.round().unwrap();
        let next = simulation.round().unwrap().end.clip_norm.unwrap();
        // C exp(-0.2 (b - 0.5)), where half were short.
        (next / 0.5).ln() / -0.2 * CLIENTS as f64
    });
    let found = deviation(counts);
    assert!((found / 2.0 - 1.0).abs() < 0.18, "{found}, not 2 clients");
}

#[test]
fn what_does_not_go_with_it_is_refused_with_the_reason() {
    let plan = Plan {
        clip_norm: Some(1.0),
        adaptive_clipping: Some(ADAPTIVE),
        ..Plan::new(10, StrategyKind::FedAvg)
    };
    assert!(plan.check().is_ok());
    let told = |plan: Plan| plan.check().unwrap_err().to_string();
    assert_eq!(
        told(Plan { clip_norm: None, ..plan }),
        "a clip norm that follows the updates cannot go with updates of any length: it must begin somewhere: set clip_norm, or that of privacy"
    );
    assert!(told(Plan { robust: Some(RobustKind::Median), ..plan }).contains("a robust rule"));
    let scaffold = StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Steps };
    assert!(told(Plan { strategy: scaffold, ..plan }).contains("cannot go with SCAFFOLD"));
    let wrong = |follow| told(Plan { adaptive_clipping: Some(follow), ..plan });
    let told_quantile = wrong(AdaptivePlan { quantile: 1.5, ..ADAPTIVE });
    assert_eq!(told_quantile, "quantile is 1.5, but must be between 0 and 1");
    assert!(wrong(AdaptivePlan { rate: 0.0, ..ADAPTIVE }).contains("learning rate is 0"));
    // Ten clients: noise of half a client on the count, where privacy with z = 2 leaves room above one only.
    let private = Plan { clip_norm: None, privacy: Some(privacy(2.0, Mechanism::Central)), ..plan };
    let told_count = told(private);
    assert!(
        told_count
            .contains("count_deviation, the noise on how many updates are short, is 0.5, but"),
        "{told_count}"
    );
    let wide = AdaptivePlan { count_deviation: Some(1e6), ..ADAPTIVE };
    let told_count = told(Plan { adaptive_clipping: Some(wide), ..private });
    assert!(told_count.contains("one client to be a step of the grid"), "{told_count}");
}
