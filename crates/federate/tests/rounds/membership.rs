//! An attack that guesses whether a client took part: privacy holds it down, and without it it wins.

use flowgait_federate::Error;
use flowgait_federate::client::{Memory, Personal, Worker};
use flowgait_federate::coordinator::{Coordinator, Mechanism, Plan, PrivacyPlan};
use flowgait_federate::learner::{Learner, Learnt};
use flowgait_federate::strategy::StrategyKind;
use flowgait_model::net::GradientHook;
use flowgait_privacy::audit;
use flowgait_privacy::{
    AddOrRemoveOne, Delta, Epsilon, NoiseMultiplier, budget::Budget, budget::Release,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const CLIENTS: usize = 5;
const PARAMETERS: usize = 40;
const ROUNDS: u64 = 2;
/// Runs of each world.
const RUNS: u64 = 700;

/// Clients that pull the parameters towards a point of their own, drawn anew in each run; the first one's is known to the attacker.
struct Points(Vec<Vec<f32>>);

impl Points {
    fn drawn(seed: u64) -> Self {
        let point = |client: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(if client == 0 { 0 } else { seed });
            rng.set_stream(client as u64);
            let entry = |_| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 4.0;
            (0..PARAMETERS).map(entry).collect()
        };
        Self((0..CLIENTS).map(point).collect())
    }
}

impl Learner for Points {
    fn parameters(&self) -> usize {
        PARAMETERS
    }

    fn rows(&self, _: u32) -> u64 {
        1
    }

    fn rate(&self) -> f32 {
        0.5
    }

    fn learn(
        &self,
        client: u32,
        _: u64,
        values: &mut [f32],
        _: &mut GradientHook<'_>,
    ) -> Result<Learnt, Error> {
        let point = &self.0[client as usize];
        values.iter_mut().zip(point).for_each(|(value, to)| *value += 0.5 * (to - *value));
        Ok(Learnt { steps: 1, loss: 0.0 })
    }

    fn slope(&self, _: u32, values: &[f32]) -> Result<(f64, Vec<f32>), Error> {
        Ok((0.0, vec![0.0; values.len()]))
    }
}

/// How far the model went along the known client's direction, as an attacker sees it who has every model.
fn score(privacy: Option<PrivacyPlan>, takes_part: bool, seed: u64) -> f64 {
    let learner = Points::drawn(seed);
    let clip_norm = privacy.is_none().then_some(1.0);
    let plan = Plan { privacy, clip_norm, seed, ..Plan::new(CLIENTS, StrategyKind::FedAvg) };
    let plan = plan.check().expect("a plan");
    let mut coordinator = Coordinator::new(plan, &[0.0; PARAMETERS]).expect("a coordinator");
    let direction = &learner.0[0];
    let length = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
    let mut score = 0.0;
    for _ in 0..ROUNDS {
        let task = coordinator.begin().expect("a round");
        let strategy = coordinator.strategy();
        let worker = Worker { learner: &learner, strategy, personal: &Personal::Nothing, seed };
        let first = u32::from(!takes_part);
        let works: Vec<_> = (first..CLIENTS as u32)
            .map(|client| worker.work(&task, client, &mut Memory::default()).expect("work"))
            .collect();
        if !takes_part {
            coordinator.lose(0);
        }
        for work in works {
            coordinator.receive(work.contribution).expect("a clipped update");
        }
        coordinator.close().expect("an end");
        let moved = coordinator.parameters();
        let along = moved.iter().zip(&*task.parameters).zip(direction);
        score +=
            f64::from(along.map(|((now, before), to)| (now - before) * to / length).sum::<f32>());
    }
    score
}

fn proved(privacy: Option<PrivacyPlan>) -> f64 {
    let scores = |takes_part: bool| -> Vec<f64> {
        let first = if takes_part { 1 } else { 1 + RUNS };
        (first..first + RUNS).map(|seed| score(privacy, takes_part, seed)).collect()
    };
    let delta = Delta::new(1e-3).expect("a delta");
    audit::epsilon(&scores(true), &scores(false), delta, 0.95).expect("runs").epsilon
}

#[test]
fn a_guess_whether_a_client_took_part_stays_under_the_bound() {
    let mechanism = Mechanism::Central;
    let plan = |noise_multiplier| PrivacyPlan {
        epsilon: 100.0,
        delta: 1e-3,
        noise_multiplier,
        clip_norm: 1.0,
        mechanism,
    };
    let stated = |noise_multiplier| {
        let (epsilon, delta) = (Epsilon::new(100.0), Delta::new(1e-3));
        let mut budget = Budget::<AddOrRemoveOne>::new(epsilon.expect("one"), delta.expect("one"));
        let noise = NoiseMultiplier::new(noise_multiplier).expect("noise");
        let release = Release::everyone(noise);
        (0..ROUNDS).map(|_| budget.permit(&release).expect("in budget").epsilon()).last()
    };
    for noise_multiplier in [1.5, 4.0] {
        let bound = stated(noise_multiplier).expect("rounds");
        let found = proved(Some(plan(noise_multiplier)));
        assert!(found <= bound, "an attack proves {found}, where {bound} is stated");
    }
    let without = proved(None);
    let bound = stated(4.0).expect("rounds");
    assert!(without > 2.0 * bound, "without privacy only {without}, where {bound} is stated");
}
