//! Speed of the robust rules on one round: 100 clients of 19,000 parameters.

use divan::{Bencher, counter::ItemsCount};
use flowgait_federate::robust::RobustKind;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CLIENTS: usize = 100;
const PARAMETERS: usize = 19_000;

fn main() {
    divan::main();
}

fn round() -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let client = |_| (0..PARAMETERS).map(|_| rng.random::<f32>() - 0.5).collect();
    (0..CLIENTS).map(client).collect()
}

#[divan::bench(args = [
    RobustKind::Median,
    RobustKind::TrimmedMean { beta: 0.1 },
    RobustKind::GeometricMedian { smoothing: 1e-6 },
    RobustKind::Krum { f: 20 },
    RobustKind::MultiKrum { f: 20, m: None },
    RobustKind::Bulyan { f: 20 },
    RobustKind::NormClipping { bound: None },
])]
fn combine(bencher: Bencher, kind: &RobustKind) {
    let round = round();
    let updates: Vec<&[f32]> = round.iter().map(Vec::as_slice).collect();
    let rule = kind.check(CLIENTS).expect("the parameters are valid");
    bencher
        .counter(ItemsCount::new(CLIENTS * PARAMETERS))
        .bench(|| rule.combine(&updates).expect("the updates are well-formed"));
}
