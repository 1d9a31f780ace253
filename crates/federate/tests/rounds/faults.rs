//! What becomes of clients that are lost, late, doubled or wrong.

use flowgait_federate::coordinator::{Coordinator, Plan};
use flowgait_federate::measure::common;
use flowgait_federate::partition::Partition;
use flowgait_federate::simulation::{Came, Faults};
use flowgait_federate::strategy::StrategyKind;
use flowgait_federate::update::Contribution;
use flowgait_federate::{Error, Refusal};

use crate::made;

#[test]
fn without_enough_answers_the_model_stays_as_it_was() {
    let (homes, _) = made::homes(5, Partition::Iid);
    let learner = made::learner(&homes);
    let plan = Plan::new(5, StrategyKind::FedAvgM { rate: 1.0, momentum: 0.9 });
    let all_lost = Faults { lost: 1.0, seed: 1, ..Faults::default() };
    let mut simulation = made::simulation(plan, &learner, all_lost);
    let before = simulation.coordinator().exact_parameters().to_vec();
    let round = simulation.round().unwrap();
    assert_eq!((round.end.survivors, round.end.is_done, round.loss), (0, false, None));
    assert_eq!(simulation.coordinator().exact_parameters(), before);
    assert_eq!(simulation.round().unwrap().end.round, 2);
}

#[test]
fn wrong_doubled_and_late_answers_are_refused_and_named() {
    let (homes, _) = made::homes(40, Partition::Iid);
    let learner = made::learner(&homes);
    let run = |faults| {
        let mut simulation =
            made::simulation(Plan::new(40, StrategyKind::FedAvg), &learner, faults);
        [simulation.round().unwrap(), simulation.round().unwrap()]
    };
    let is = |round: &flowgait_federate::simulation::Round, what: fn(&Refusal) -> bool| {
        !round.refused.is_empty() && round.refused.iter().all(|(_, why)| what(why))
    };
    let told = |round: &flowgait_federate::simulation::Round, came| {
        assert_eq!(round.asked.len(), 40);
        round.asked.iter().filter(|asked| asked.came == came).count()
    };
    let [first, _] = run(Faults { wrong: 0.2, seed: 1, ..Faults::default() });
    assert!(is(&first, |why| matches!(why, Refusal::NotFinite { at: 0, .. })), "{first:?}");
    assert_eq!(first.end.survivors + first.refused.len(), 40);
    assert_eq!(told(&first, Came::Refused), first.refused.len());
    let [first, _] = run(Faults { doubled: 0.2, seed: 1, ..Faults::default() });
    assert!(is(&first, |why| *why == Refusal::Twice), "{first:?}");
    assert_eq!((first.end.survivors, told(&first, Came::Answered)), (40, 40));
    assert_eq!(first.asked.iter().map(|asked| asked.octets).sum::<u64>(), first.octets_up);
    let [first, second] = run(Faults { late: 0.2, seed: 1, ..Faults::default() });
    assert!(first.refused.is_empty() && first.end.survivors < 40);
    assert_eq!(told(&first, Came::Late), 40 - first.end.survivors);
    let [first, _] = run(Faults { lost: 0.2, absent: 0.1, seed: 1, ..Faults::default() });
    assert!(told(&first, Came::Lost) > told(&first, Came::Absent));
    for asked in &first.asked {
        let has_learnt = asked.came == Came::Answered;
        assert!(has_learnt == asked.norm.is_some_and(|norm| norm > 0.0), "{asked:?}");
        assert!(has_learnt == asked.loss.is_some() && has_learnt == (asked.octets > 0));
    }
    assert!(is(&second, |why| *why == Refusal::Round { found: 1 }), "{second:?}");
}

#[test]
fn a_contribution_that_does_not_fit_is_refused_and_the_round_goes_on() {
    let plan = Plan::new(3, StrategyKind::FedAvg).check().unwrap();
    let mut coordinator = Coordinator::new(plan, &[1.0, 2.0]).unwrap();
    let give = |client, values: &[f32]| Contribution {
        client,
        round: 1,
        values: values.to_vec(),
        weight: 1.0,
    };
    assert!(matches!(coordinator.receive(give(0, &[0.0; 2])), Err(Error::NoRound)));
    coordinator.begin().unwrap();
    assert!(matches!(coordinator.begin(), Err(Error::RoundOpen { round: 1 })));
    let told = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(
        told(coordinator.receive(give(0, &[0.0; 3]))),
        "client 0 in round 1: the update has 3 numbers where 2 belong"
    );
    assert_eq!(
        told(coordinator.receive(give(7, &[0.0; 2]))),
        "client 7 in round 1: the client was not asked in this round"
    );
    assert_eq!(
        told(coordinator.receive(give(1, &[0.0, f32::INFINITY]))),
        "client 1 in round 1: entry 1 of the update is inf"
    );
    let weightless = Contribution { weight: 0.0, ..give(2, &[1.0; 2]) };
    assert!(told(coordinator.receive(weightless)).contains("weight is 0"));
    // All three spoke, none to any use: the round is abandoned.
    let end = coordinator.close().unwrap();
    assert_eq!((end.survivors, end.is_done), (0, false));
    assert_eq!(coordinator.exact_parameters(), [1.0, 2.0]);
    assert!(matches!(coordinator.close(), Err(Error::NoRound)));
}

#[test]
fn a_model_that_was_driven_beyond_numbers_is_judged_and_not_a_failure() {
    let (homes, held_out) = made::homes(4, Partition::Iid);
    let learner = made::learner(&homes);
    for wild in [1e30, f32::MAX, f32::NAN] {
        let values = vec![wild; learner.start().len()];
        let measured = common(&homes, &held_out, &learner, &values).unwrap();
        let accuracy = measured.scores.unwrap().accuracy;
        assert!(accuracy < 0.6, "{wild}: {accuracy}");
    }
}
