//! The server's side in 64 bits: from the clients' vectors of `fedavg.json` to its next parameters.

use flowgait_federate::strategy::{Renewal, StrategyKind};
use flowgait_federate::update::SummedUpdate;
use serde_json::Value;

use crate::shared::{assert_near, matrix, numbers, values};

/// Each method of the file: its strategy, whether clients weigh by their samples, and its steps.
fn methods(problem: &Value) -> Vec<(&'static str, StrategyKind, bool, [f64; 3])> {
    let number = |name: &str| problem[name].as_f64().expect("a number");
    let (beta_1, tau, rate) = (number("beta1"), number("tau"), number("adaptive_eta"));
    let beta_2 = number("beta2");
    let even = [number("local_steps"); 3];
    let uneven: [f64; 3] =
        numbers(&problem["uneven_local_steps"]).try_into().expect("three clients");
    let momentum = number("fedavgm_beta");
    let scaffold =
        |renewal| StrategyKind::Scaffold { rate: number("scaffold_eta_global"), renewal };
    vec![
        ("fedavg", StrategyKind::FedAvg, true, even),
        ("fedavg_uneven", StrategyKind::FedAvg, true, uneven),
        ("fedprox", StrategyKind::FedProx { mu: number("fedprox_mu") as f32 }, true, even),
        ("fedavgm", StrategyKind::FedAvgM { rate: number("fedavgm_eta"), momentum }, true, even),
        ("fedadagrad", StrategyKind::FedAdagrad { rate, beta_1, tau }, true, even),
        ("fedadam", StrategyKind::FedAdam { rate, beta_1, beta_2, tau }, true, even),
        ("fedyogi", StrategyKind::FedYogi { rate, beta_1, beta_2, tau }, true, even),
        ("scaffold_option_1", scaffold(Renewal::Gradient), false, even),
        ("scaffold_option_2", scaffold(Renewal::Steps), false, even),
        ("scaffold_option_2_weighted", scaffold(Renewal::Steps), true, even),
        ("fednova", StrategyKind::FedNova, true, even),
        ("fednova_uneven", StrategyKind::FedNova, true, uneven),
    ]
}

#[test]
fn every_strategy_makes_the_next_parameters_as_its_paper_does() {
    let Some(reference) = values("fedavg.json") else { return };
    let problem = &reference["problem"];
    let samples = numbers(&problem["n_samples"]);
    for (name, kind, weighs, steps) in methods(problem) {
        let mut strategy = kind.build(3).expect("a strategy");
        let rounds = reference["methods"][name].as_array().expect("rounds");
        let mut parameters = numbers(&problem["x0"]);
        for round in rounds {
            let before = numbers(&round["server_before"]);
            assert_near(name, &parameters, &before, 1e-12);
            let mut summed = SummedUpdate::new(strategy.length(3));
            for client in 0..3 {
                let path = matrix(&round["client_steps"][client]);
                let delta: Vec<f64> =
                    path[path.len() - 1].iter().zip(&before).map(|(y, x)| y - x).collect();
                let given = match kind {
                    StrategyKind::FedNova => {
                        let tau = steps[client];
                        delta.iter().map(|delta| delta / tau).chain([tau]).collect()
                    }
                    StrategyKind::Scaffold { .. } => {
                        let [own, next] = ["c_i_before", "c_i_after"].map(|n| matrix(&round[n]));
                        let change = next[client].iter().zip(&own[client]).map(|(a, b)| a - b);
                        delta.iter().copied().chain(change).collect()
                    }
                    _ => delta,
                };
                let weight = if weighs { samples[client] } else { 1.0 };
                summed.sum.iter_mut().zip(&given).for_each(|(sum, value)| *sum += weight * value);
                summed.weight += weight;
                summed.clients += 1;
            }
            strategy.aggregate(&mut parameters, &summed, 3);
            assert_near(name, &parameters, &numbers(&round["server_after"]), 1e-12);
            let remembered = match kind {
                StrategyKind::Scaffold { .. } => vec!["c_after"],
                StrategyKind::FedAvgM { .. } => vec!["m"],
                StrategyKind::FedAdagrad { .. }
                | StrategyKind::FedAdam { .. }
                | StrategyKind::FedYogi { .. } => vec!["m", "v"],
                _ => Vec::new(),
            };
            for (memory, of) in strategy.memory().into_iter().zip(remembered) {
                assert_near(name, memory, &numbers(&round[of]), 1e-12);
            }
            // What was remembered and taken back is the same strategy.
            let memory = strategy.memory().into_iter().map(<[f64]>::to_vec).collect();
            let mut fresh = kind.build(3).expect("a strategy");
            fresh.remember(memory).expect("memory of the same shape");
            strategy = fresh;
        }
    }
}
