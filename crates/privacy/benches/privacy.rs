//! Draws, clippings, rotations and accounts a second.
//!
//! `cargo bench -p flowgait-privacy`. The bar: 2 M discrete Gaussian draws a CPU-second, so that the noise of a million
//! parameters takes half a second of a client's round.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::ItemsCount;
use flowgait_privacy::account::pld::{self, Rounds};
use flowgait_privacy::account::{Rdp, Shares};
use flowgait_privacy::budget::solve;
use flowgait_privacy::clip::clip;
use flowgait_privacy::distributed::{EncodingParams, Noise, Rotation};
use flowgait_privacy::grid::Grid;
use flowgait_privacy::sample::{DiscreteGaussian, Skellam, Variance};
use flowgait_privacy::{
    ClipNorm, Delta, Epsilon, NoiseMultiplier, SamplingRate, Survivors, ZeroOutOne,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

fn main() {
    divan::main();
}

const DRAWS: usize = 10_000;
const ENTRIES: usize = 1 << 15;

fn generator() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn variance(deviation: u64) -> Variance {
    Variance::new(deviation * deviation, 1).expect("a variance")
}

fn vector() -> Vec<f32> {
    (0..ENTRIES).map(|i| ((i * 7919 % 2003) as f32 - 1001.0) / 1000.0).collect()
}

/// Narrow, it is one look into a table; from 1024 on it is made of parts. A standard deviation of few steps is what each client adds; of thousands, what a server adds on a fine grid.
#[divan::bench(args = [1, 10, 100, 10_000, 1_000_000])]
fn discrete_gaussian(bencher: Bencher, deviation: u64) {
    let (noise, mut rng) = (DiscreteGaussian::new(variance(deviation)), generator());
    bencher
        .counter(ItemsCount::new(DRAWS))
        .bench_local(|| (0..DRAWS).map(|_| noise.sample(&mut rng)).fold(0i64, i64::wrapping_add));
}

/// As the grid makes them from a noise multiplier: the variance is a fraction.
#[divan::bench(args = [1.1, 50.3, 72_089.6])]
fn discrete_gaussian_of_a_fraction(bencher: Bencher, deviation: f64) {
    let variance = Variance::at_least(deviation).expect("a variance");
    let (noise, mut rng) = (DiscreteGaussian::new(variance), generator());
    bencher
        .counter(ItemsCount::new(DRAWS))
        .bench_local(|| (0..DRAWS).map(|_| noise.sample(&mut rng)).fold(0i64, i64::wrapping_add));
}

#[divan::bench(args = [1, 10, 100, 10_000])]
fn skellam(bencher: Bencher, deviation: u64) {
    let (noise, mut rng) = (Skellam::new(variance(deviation)).expect("one"), generator());
    bencher
        .counter(ItemsCount::new(DRAWS))
        .bench_local(|| (0..DRAWS).map(|_| noise.sample(&mut rng)).fold(0i64, i64::wrapping_add));
}

/// What a client does once before a run.
#[divan::bench(args = [10, 100, 10_000])]
fn table_of_skellam(deviation: u64) -> Skellam {
    Skellam::new(variance(deviation)).expect("one")
}

#[divan::bench(args = [10, 1000, 10_000])]
fn table_of_discrete_gaussian(deviation: u64) -> DiscreteGaussian {
    DiscreteGaussian::new(variance(deviation))
}

#[divan::bench]
fn clipping(bencher: Bencher) {
    let (vector, norm) = (vector(), ClipNorm::new(1.0).expect("a norm"));
    bencher.counter(ItemsCount::new(ENTRIES)).with_inputs(|| vector.clone()).bench_values(
        |mut update| {
            clip(&mut update, norm).expect("numbers");
            update
        },
    );
}

#[divan::bench(types = [f32, f64])]
fn rotation<T: flowgait_privacy::distributed::Entry>(bencher: Bencher) {
    let rotation = Rotation::new(ENTRIES, &mut generator()).expect("a rotation");
    let vector: Vec<T> = vector().iter().map(|&value| T::nearest(f64::from(value))).collect();
    bencher
        .counter(ItemsCount::new(ENTRIES))
        .bench_local(|| rotation.rotate(black_box(&vector)).expect("a vector")[0]);
}

#[divan::bench]
fn encoding(bencher: Bencher) {
    let norm = ClipNorm::new(1.0).expect("a norm");
    let grid = Grid::new(norm, 1000).expect("a grid");
    let noise = Noise::DiscreteGaussian(variance(100));
    let encoding = EncodingParams::new(grid, ENTRIES, noise, 100).check().expect("an encoding");
    let (mut update, mut rng) = (vector(), generator());
    clip(&mut update, norm).expect("numbers");
    let rotation = Rotation::new(ENTRIES, &mut rng).expect("a rotation");
    bencher
        .counter(ItemsCount::new(ENTRIES))
        .bench_local(|| encoding.encode(&update, &rotation, &mut rng).expect("clipped"));
}

fn rate() -> SamplingRate {
    SamplingRate::new(0.01).expect("a rate")
}

fn delta() -> Delta {
    Delta::new(1e-5).expect("a delta")
}

/// The least noise for an epsilon of 2 over a thousand sampled rounds.
#[divan::bench(sample_count = 10)]
fn noise_by_rdp() -> NoiseMultiplier {
    let epsilon_of = |z| Rdp::poisson(rate(), z).times(1000).epsilon(delta());
    solve::noise(Epsilon::new(2.0).expect("one"), epsilon_of).expect("a solution")
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn noise_by_pld() -> NoiseMultiplier {
    let epsilon_of = |noise| pld::epsilon(&[Rounds { rate: rate(), noise, count: 1000 }], delta());
    solve::noise(Epsilon::new(2.0).expect("one"), epsilon_of).expect("a solution")
}

#[divan::bench]
fn shares_by_rdp(bencher: Bencher) {
    let noise = Noise::DiscreteGaussian(variance(100));
    let survivors = Survivors::new(1000).expect("survivors");
    let shares = Shares::new(noise, survivors, ENTRIES as u64, 1_000_000).expect("shares");
    bencher.bench(|| black_box(&shares).rdp::<ZeroOutOne>().epsilon(delta()));
}
