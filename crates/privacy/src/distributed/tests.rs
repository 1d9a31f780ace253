//! Whole rounds: what comes back, how wide its noise is, how often it wraps around, and what is refused.

use super::*;
use crate::budget::{Budget, Release};
use crate::neighbours::ZeroOutOne;
use crate::parameter::{ClipNorm, Delta, Epsilon};
use crate::sample::Variance;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

fn generator(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn gaussian(variance: u64) -> Noise {
    Noise::DiscreteGaussian(Variance::new(variance, 1).expect("a variance"))
}

fn params(n_entries: usize, noise: Noise, clients_max: u32) -> EncodingParams {
    let grid = Grid::new(ClipNorm::new(2.0).expect("a norm"), 200).expect("a grid");
    EncodingParams::new(grid, n_entries, noise, clients_max)
}

/// The sum of encoded updates and its decoding, for which everything was paid.
fn round(encoding: &Encoding, updates: &[Vec<f32>], seed: u64) -> Vec<f64> {
    let rotation = Rotation::new(encoding.params().n_entries, &mut generator(seed)).expect("one");
    let rng = &mut generator(seed + 1);
    let mut sum = vec![0; encoding.n_padded()];
    for update in updates {
        let encoded = encoding.encode(update, &rotation, rng).expect("a clipped update");
        sum.iter_mut().zip(encoded).for_each(|(all, one)| *all = encoding.ring().add(*all, one));
    }
    let survivors = Survivors::new(updates.len() as u32).expect("survivors");
    let release = Release::distributed(encoding.shares(survivors).expect("shares"));
    let (epsilon, delta) = (Epsilon::new(1e6).expect("one"), Delta::new(1e-5).expect("one"));
    let mut budget = Budget::<ZeroOutOne>::new(epsilon, delta);
    let permit = budget.permit(&release.expect("a release")).expect("much is left");
    encoding.decode(&sum, &rotation, permit).expect("a sum")
}

fn skellam(variance: u64) -> Noise {
    Noise::Skellam(Variance::new(variance, 1).expect("a variance"))
}

#[test]
fn the_sum_comes_back_with_noise_as_wide_as_was_said() {
    check_noise(gaussian(900));
    check_noise(skellam(900));
}

fn check_noise(noise: Noise) {
    let encoding = params(3000, noise, 60).check().expect("an encoding");
    let update: Vec<f32> = (0..3000).map(|i| ((i % 7) as f32 - 3.0) / 110.0).collect();
    let sum = round(&encoding, &vec![update.clone(); 60], 5);
    let off: Vec<f64> = sum.iter().zip(&update).map(|(s, u)| s - 60.0 * f64::from(*u)).collect();
    // 60 times 30 steps of noise and up to half a step of rounding, of a hundredth each.
    let variance = 60.0 * (900.0 + 0.25 / 2.0) * 1e-4;
    let mean = off.iter().sum::<f64>() / 3000.0;
    let found = off.iter().map(|x| x * x).sum::<f64>() / 3000.0;
    assert!(mean.abs() < 4.5 * (variance / 3000.0f64).sqrt(), "{mean}");
    assert!((found / variance - 1.0).abs() < 4.5 * (2.0f64 / 3000.0).sqrt(), "{found} {variance}");
}

#[test]
fn updates_that_were_not_clipped_or_agreed_on_are_refused() {
    let encoding = params(4, gaussian(900), 10).check().expect("an encoding");
    let rotation = Rotation::new(4, &mut generator(1)).expect("a rotation");
    let encode = |update: &[f32]| encoding.encode(update, &rotation, &mut generator(1));
    assert!(matches!(encode(&[2.1, 0.0, 0.0, 0.0]), Err(Error::TooLong { .. })));
    assert!(matches!(encode(&[0.0, f32::NAN, 0.0, 0.0]), Err(Error::NotFinite { at: 1, .. })));
    assert!(matches!(encode(&[0.0; 3]), Err(Error::Length { expected: 4, found: 3 })));
    assert!(encode(&[2.0, 0.0, 0.0, 0.0]).is_ok());
    let other = Rotation::new(3, &mut generator(1)).expect("a rotation");
    assert!(encoding.encode(&[0.0; 4], &other, &mut generator(1)).is_err());
}

#[test]
fn noise_is_as_wide_as_the_survivors_need() {
    let survivors = |n| Survivors::new(n).expect("survivors");
    let wanted = NoiseMultiplier::new(1.1).expect("noise");
    for kind in [gaussian(1), skellam(1)] {
        let params = params(1000, kind, 50).with_noise::<ZeroOutOne>(wanted, survivors(40));
        let encoding = params.expect("such noise").check().expect("an encoding");
        let found = |n| {
            let shares = encoding.shares(survivors(n)).expect("shares");
            shares.noise_multiplier::<ZeroOutOne>().expect("noise").get()
        };
        assert!(found(40) >= 1.1 && found(40) < 1.1 * 1.0001, "{}", found(40));
        assert!(found(39) < 1.1);
    }
    let wide = NoiseMultiplier::new(1e9).expect("noise");
    assert!(params(4, gaussian(1), 9).with_noise::<ZeroOutOne>(wide, survivors(1)).is_err());
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let good = params(4, gaussian(900), 10);
    assert!(good.check().is_ok());
    assert!(EncodingParams { n_entries: 0, ..good }.check().is_err());
    assert!(EncodingParams { clients_max: 0, ..good }.check().is_err());
    assert!(EncodingParams { wrap_chance: 0.0, ..good }.check().is_err());
    assert!(EncodingParams { beta: 1.0, ..good }.check().is_err());
    assert!(matches!(EncodingParams { bits_max: 5, ..good }.check(), Err(Error::Wraps { .. })));
}

#[test]
fn sums_wrap_around_no_more_often_than_was_said() {
    check_wrapping(gaussian(4));
    check_wrapping(skellam(4));
}

fn check_wrapping(noise: Noise) {
    // A tenth of all rounds may wrap, with the worst that clients can send: all the same, on one entry.
    let wrap_chance = 0.1;
    let encoding = EncodingParams { wrap_chance, ..params(64, noise, 30) }.check();
    let encoding = encoding.expect("an encoding");
    let mut update = vec![0.0f32; 64];
    update[9] = 2.0;
    let updates = vec![update; 30];
    let wrapped = (0..200u64)
        .filter(|&seed| (round(&encoding, &updates, 2 * seed)[9] - 60.0).abs() > 5.0)
        .count();
    assert!(wrapped <= 20, "{wrapped}");
    // The ring is not far too large either: half of it would wrap at once.
    let all_alike = 30.0 * 200.0 / 8.0;
    assert!(2f64.powi(encoding.ring().bits() as i32 - 1) < 6.0 * all_alike);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_a_client_sends_is_as_long_as_was_accounted_without_its_noise(
        mut update in prop::collection::vec(-3f32..3.0, 1..200),
        seed in 0u64..1000,
    ) {
        let encoding = params(update.len(), gaussian(1), 10).check().expect("an encoding");
        crate::clip::clip(&mut update, encoding.params().grid.clip_norm()).expect("numbers");
        let rotation = Rotation::new(update.len(), &mut generator(seed)).expect("a rotation");
        let scaled = encoding.scale(&update, &rotation).expect("a clipped update");
        let counts = encoding.rounding.round(&scaled, &mut generator(seed));
        let squares: u64 = counts.iter().map(|x| x.unsigned_abs().pow(2)).sum();
        prop_assert!(squares <= encoding.rounding.squares_max());
        let near = |(count, value): (&i64, &f64)| (*count as f64 - value).abs() < 1.0;
        prop_assert!(counts.iter().zip(&scaled).all(near));
    }
}
