//! Rounds under a budget.

use flowgait_federate::cohort::Sampling;
use flowgait_federate::coordinator::{Mechanism, Plan, PrivacyPlan};
use flowgait_federate::partition::Partition;
use flowgait_federate::robust::RobustKind;
use flowgait_federate::run::{Control, Ended, run};
use flowgait_federate::simulation::Faults;
use flowgait_federate::strategy::{Renewal, StrategyKind};
use flowgait_federate::update::Contribution;
use flowgait_federate::{Error, Refusal, coordinator::Coordinator};

use crate::made;

fn privacy(epsilon: f64) -> PrivacyPlan {
    PrivacyPlan {
        epsilon,
        delta: 1e-5,
        noise_multiplier: 1.0,
        clip_norm: 0.5,
        mechanism: Mechanism::Central,
    }
}

#[test]
fn a_run_ends_before_it_would_overspend() {
    let (homes, _) = made::homes(20, Partition::Iid);
    let learner = made::learner(&homes);
    for sampling in
        [Sampling::Everyone, Sampling::Poisson { rate: 0.3 }, Sampling::Fixed { size: 6 }]
    {
        let plan =
            Plan { sampling, privacy: Some(privacy(10.0)), ..Plan::new(20, StrategyKind::FedAvg) };
        let mut simulation = made::simulation(plan, &learner, Faults::default());
        let mut spent = Vec::new();
        let ended = run(&mut simulation, 10_000, &Control::default(), None, |_, round| {
            spent.push(round.end.epsilon.expect("a private round"));
            Ok::<(), Error>(())
        });
        // What it would cost was known beforehand.
        let plan = simulation.coordinator().plan();
        let length = simulation.coordinator().length();
        let rounds: Vec<u64> = (1..=spent.len() as u64 + 1).collect();
        let mut known = plan.epsilon_after(length, &rounds).unwrap();
        assert!(known.pop().unwrap() > 10.0);
        // Added up round by round it is rounded otherwise.
        assert!(known.iter().zip(&spent).all(|(known, spent)| (known - spent).abs() < 1e-9));
        assert_eq!(known.len(), spent.len());
        let Ok(Ended::BudgetSpent(why)) = ended else { panic!("{ended:?}") };
        assert!(why.contains("over the budget of 10"), "{why}");
        assert!(spent.is_sorted() && *spent.last().unwrap() <= 10.0 && spent[0] > 0.0);
        assert_eq!(simulation.coordinator().round() as usize, spent.len());
    }
}

#[test]
fn what_was_not_clipped_is_refused() {
    let plan = Plan { privacy: Some(privacy(10.0)), ..Plan::new(2, StrategyKind::FedAvg) };
    let mut coordinator = Coordinator::new(plan.check().unwrap(), &[0.0; 3]).unwrap();
    let task = coordinator.begin().unwrap();
    assert!(!task.weighs_rows && task.clip_norm.is_some());
    let values = vec![0.5, 0.5, 0.0];
    let long = Contribution { client: 0, round: 1, values, weight: 1.0 };
    let refused = coordinator.receive(long).unwrap_err();
    let Error::Contribution { why, .. } = refused else { panic!("{refused}") };
    assert_eq!(why, Refusal::TooLong { clip_norm: 0.5 });
}

#[test]
fn parts_of_a_plan_that_exclude_each_other_are_refused_with_the_reason() {
    let told = |plan: Plan| plan.check().unwrap_err().to_string();
    let private = Plan { privacy: Some(privacy(8.0)), ..Plan::new(10, StrategyKind::FedAvg) };
    let scaffold = StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Steps };
    assert!(
        told(Plan { strategy: scaffold, ..private })
            .contains("SCAFFOLD cannot go with privacy: its clients tell more")
    );
    assert!(
        told(Plan { robust: Some(RobustKind::Median), ..private })
            .contains("a robust rule cannot go with privacy")
    );
    assert!(told(Plan { clip_norm: Some(1.0), ..private }).contains("privacy has one already"));
    let nonsense = PrivacyPlan { delta: 2.0, ..privacy(8.0) };
    assert!(told(Plan { privacy: Some(nonsense), ..private }).contains("delta is 2"));
    let krum =
        Plan { robust: Some(RobustKind::Krum { f: 3 }), ..Plan::new(8, StrategyKind::FedAvg) };
    assert!(told(krum).contains("9 clients or more"), "{}", told(krum));
}
