//! Whole rounds in 32 bits: clients of `fedavg.json` learn through the coordinator, and come to its parameters.

use flowgait_federate::Error;
use flowgait_federate::client::{Memory, Personal, Worker};
use flowgait_federate::coordinator::{Coordinator, Plan};
use flowgait_federate::learner::{Learner, Learnt};
use flowgait_federate::strategy::{Renewal, StrategyKind};
use flowgait_model::net::GradientHook;

use crate::shared::{assert_near, matrix, numbers, values};

/// Clients whose loss is ½ (w − b)ᵀ A (w − b).
struct Quadratic {
    a: Vec<Vec<Vec<f64>>>,
    b: Vec<Vec<f64>>,
    rows: Vec<f64>,
    steps: [u64; 3],
    rate: f32,
}

impl Quadratic {
    fn gradient(&self, client: u32, at: &[f32]) -> Vec<f32> {
        let (a, b) = (&self.a[client as usize], &self.b[client as usize]);
        let off: Vec<f64> = at.iter().zip(b).map(|(w, b)| f64::from(*w) - b).collect();
        a.iter().map(|row| row.iter().zip(&off).map(|(a, o)| a * o).sum::<f64>() as f32).collect()
    }
}

impl Learner for Quadratic {
    fn parameters(&self) -> usize {
        3
    }

    fn rows(&self, client: u32) -> u64 {
        self.rows[client as usize] as u64
    }

    fn rate(&self) -> f32 {
        self.rate
    }

    fn learn(
        &self,
        client: u32,
        _seed: u64,
        values: &mut [f32],
        hook: &mut GradientHook<'_>,
    ) -> Result<Learnt, Error> {
        for _ in 0..self.steps[client as usize] {
            let mut gradient = self.gradient(client, values);
            hook(values, &mut gradient);
            values.iter_mut().zip(gradient).for_each(|(value, g)| *value -= self.rate * g);
        }
        Ok(Learnt { steps: self.steps[client as usize], loss: 0.0 })
    }

    fn slope(&self, client: u32, values: &[f32]) -> Result<(f64, Vec<f32>), Error> {
        let gradient = self.gradient(client, values);
        let off = values.iter().zip(&self.b[client as usize]).map(|(w, b)| f64::from(*w) - b);
        let loss = gradient.iter().zip(off).map(|(g, off)| f64::from(*g) * off).sum::<f64>() / 2.0;
        Ok((loss, gradient))
    }
}

#[test]
fn whole_rounds_come_to_the_papers_parameters() {
    let Some(reference) = values("fedavg.json") else { return };
    let problem = &reference["problem"];
    let number = |name: &str| problem[name].as_f64().expect("a number");
    let steps = numbers(&problem["uneven_local_steps"]);
    let uneven = [0, 1, 2].map(|client| steps[client] as u64);
    let (beta_1, tau, rate) = (number("beta1"), number("tau"), number("adaptive_eta"));
    let scaffold = |renewal| StrategyKind::Scaffold { rate: 1.0, renewal };
    let adam = StrategyKind::FedAdam { rate, beta_1, beta_2: number("beta2"), tau };
    for (name, strategy, steps) in [
        ("fedavg", StrategyKind::FedAvg, [2; 3]),
        ("fedavg_uneven", StrategyKind::FedAvg, uneven),
        ("fedprox", StrategyKind::FedProx { mu: number("fedprox_mu") as f32 }, [2; 3]),
        ("fedadam", adam, [2; 3]),
        ("scaffold_option_1", scaffold(Renewal::Gradient), [2; 3]),
        ("scaffold_option_2", scaffold(Renewal::Steps), [2; 3]),
        ("fednova_uneven", StrategyKind::FedNova, uneven),
        // With q of 0 all clients weigh alike: x moves by their plain mean.
        ("fedavg", StrategyKind::QFedAvg { q: 0.0 }, [2; 3]),
    ] {
        let learner = Quadratic {
            a: problem["A"].as_array().expect("matrices").iter().map(matrix).collect(),
            b: matrix(&problem["b"]),
            rows: numbers(&problem["n_samples"]),
            steps,
            rate: number("eta_local") as f32,
        };
        let start: Vec<f32> = numbers(&problem["x0"]).iter().map(|&x| x as f32).collect();
        let plan = Plan::new(3, strategy).check().expect("a plan");
        let mut coordinator = Coordinator::new(plan, &start).expect("a coordinator");
        let mut memories = vec![Memory::default(); 3];
        let rounds = reference["methods"][name].as_array().expect("rounds");
        for round in rounds {
            let task = coordinator.begin().expect("a round");
            let worker = Worker {
                learner: &learner,
                strategy: coordinator.strategy(),
                personal: &Personal::Nothing,
                seed: 1,
            };
            let work: Vec<_> = task
                .cohort
                .iter()
                .zip(&mut memories)
                .map(|(&client, memory)| worker.work(&task, client, memory).expect("work"))
                .collect();
            let plain: Vec<f64> = (0..3)
                .map(|at| {
                    let moved = work.iter().map(|work| f64::from(work.contribution.values[at]));
                    f64::from(task.parameters[at]) + moved.sum::<f64>() / 3.0
                })
                .collect();
            // However contributions come.
            for work in work.into_iter().rev() {
                coordinator.receive(work.contribution).expect("a contribution");
            }
            coordinator.close().expect("an end");
            if matches!(strategy, StrategyKind::QFedAvg { .. }) {
                // A contribution is Δ / η there, and the sum of h is 3 / η.
                let x: Vec<f64> = task.parameters.iter().map(|&x| x.into()).collect();
                let rate = number("eta_local");
                let mean: Vec<f64> =
                    plain.iter().zip(&x).map(|(plain, x)| x + (plain - x) * rate).collect();
                assert_near("q-FedAvg", coordinator.exact_parameters(), &mean, 1e-6);
            } else {
                let expected = numbers(&round["server_after"]);
                assert_near(name, coordinator.exact_parameters(), &expected, 5e-6);
            }
        }
    }
}
