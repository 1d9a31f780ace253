//! Only the seed decides, whatever the number of threads; and what is learnt is worth something.

use flowgait_federate::client::Personal;
use flowgait_federate::cohort::Sampling;
use flowgait_federate::coordinator::{Coordinator, Plan};
use flowgait_federate::measure::{common, personal};
use flowgait_federate::network::{Effort, NetLearner, Stepping};
use flowgait_federate::partition::Partition;
use flowgait_federate::simulation::{Faults, Simulation};
use flowgait_federate::strategy::{Renewal, StrategyKind};
use flowgait_model::net::{NetKind, NetParams, Slice};

use crate::made;

/// Every strategy, at rates that suit the made rows.
fn strategies() -> Vec<StrategyKind> {
    vec![
        StrategyKind::FedAvg,
        StrategyKind::FedProx { mu: 0.1 },
        StrategyKind::FedAvgM { rate: 1.0, momentum: 0.5 },
        StrategyKind::FedAdagrad { rate: 0.1, beta_1: 0.0, tau: 1e-3 },
        StrategyKind::FedAdam { rate: 0.05, beta_1: 0.9, beta_2: 0.99, tau: 1e-3 },
        StrategyKind::FedYogi { rate: 0.05, beta_1: 0.9, beta_2: 0.99, tau: 1e-3 },
        StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Steps },
        StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Gradient },
        StrategyKind::FedNova,
        StrategyKind::QFedAvg { q: 0.2 },
    ]
}

#[test]
fn any_number_of_threads_gives_the_same_parameters() {
    let (homes, _) = made::homes(70, Partition::Dirichlet { alpha: 0.5 });
    let learner = made::learner(&homes);
    let faults = Faults { lost: 0.1, late: 0.1, doubled: 0.1, seed: 2, ..Faults::default() };
    for strategy in
        [StrategyKind::FedAvg, StrategyKind::Scaffold { rate: 1.0, renewal: Renewal::Steps }]
    {
        let parameters = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut simulation = made::simulation(Plan::new(70, strategy), &learner, faults);
                (0..3).for_each(|_| drop(simulation.round().unwrap()));
                simulation.coordinator().exact_parameters().to_vec()
            })
        };
        let one = parameters(1);
        assert_eq!(one, parameters(2));
        assert_eq!(one, parameters(4));
    }
}

#[test]
fn every_strategy_learns() {
    let (homes, held_out) = made::homes(6, Partition::Dirichlet { alpha: 1.0 });
    let learner = made::learner(&homes);
    for strategy in strategies() {
        let plan = Plan { sampling: Sampling::Fixed { size: 5 }, ..Plan::new(6, strategy) };
        let mut simulation = made::simulation(plan, &learner, Faults::default());
        (0..30).for_each(|_| drop(simulation.round().unwrap()));
        let values = simulation.coordinator().parameters();
        let measured = common(&homes, &held_out, &learner, &values).unwrap();
        let accuracy = measured.scores.unwrap().accuracy;
        assert!(accuracy > 0.85, "{}: {accuracy}", strategy.name());
        assert_eq!(measured.clients.len(), 6);
    }
}

#[test]
fn clients_that_make_no_step_leave_the_model_where_it_is() {
    let (homes, _) = made::homes(70, Partition::Iid);
    let params = NetParams::new(NetKind::Mlp).hidden(&[8]);
    let learner = |effort| NetLearner::new(&homes, &params, effort, Stepping::Sgd, 0.2, 1);
    let idle = learner(Effort::Steps(0)).unwrap();
    for strategy in strategies() {
        let mut simulation = made::simulation(Plan::new(70, strategy), &idle, Faults::default());
        let round = simulation.round().unwrap();
        assert_eq!((round.end.survivors, round.refused.len()), (70, 0), "{}", strategy.name());
        assert_eq!(&*simulation.coordinator().parameters(), idle.start(), "{}", strategy.name());
    }
    let told = learner(Effort::Epochs(0)).err().unwrap().to_string();
    assert!(told.contains("local epochs"), "{told}");
}

#[test]
fn a_model_of_ones_own_does_better_where_clients_differ() {
    // Each client has two of three classes.
    let (homes, held_out) = made::homes(6, Partition::Shards { per_client: 1 });
    let learner = made::learner(&homes);
    let network = learner.with(learner.start());
    let last: Vec<_> =
        network.parameters().slices().iter().rev().take(2).map(Slice::range).collect();
    for own in [Personal::Ditto { lambda: 0.1 }, Personal::Parts(last)] {
        let plan = Plan::new(6, StrategyKind::FedAvg).check().unwrap();
        let coordinator = Coordinator::new(plan, learner.start()).unwrap();
        let mut simulation = Simulation::new(coordinator, &learner, own.clone(), Faults::default());
        (0..10).for_each(|_| drop(simulation.round().unwrap()));
        let values = simulation.coordinator().parameters();
        let common = common(&homes, &held_out, &learner, &values).unwrap();
        let memories = simulation.memories();
        let mine = personal(&homes, &held_out, &learner, &values, &own, memories).unwrap().unwrap();
        let mean = |of: &[Option<f64>]| of.iter().flatten().sum::<f64>() / of.len() as f64;
        let (mine, common) = (mean(&mine), mean(&common.clients));
        assert!(mine > common, "{own:?}: {mine} against {common}");
        // What stays at home does not move in common.
        if let Personal::Parts(parts) = &own {
            for part in parts {
                assert_eq!(values[part.clone()], learner.start()[part.clone()]);
            }
        }
    }
}
