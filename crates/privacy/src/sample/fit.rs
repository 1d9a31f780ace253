//! Whether draws fit a distribution: chi-square over its masses, mean and variance.

use std::collections::HashMap;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

pub fn generator(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// How often something is true.
pub fn share(times: u32, mut happens: impl FnMut() -> bool) -> f64 {
    f64::from((0..times).map(|_| u32::from(happens())).sum::<u32>()) / f64::from(times)
}

/// `ln I_k(mu)`, less one number for all, for `k` from 0 on: ratios of neighbours follow from the next, far out they are
/// near 0.
pub fn ln_bessel(mu: f64, most: usize) -> Vec<f64> {
    let mut ratio = 0.0;
    let mut ratios = vec![0.0; most];
    for k in (0..most + 200 + 2 * mu.sqrt() as usize).rev() {
        ratio = mu / (2.0 * (k as f64 + 1.0) + mu * ratio);
        if k < most {
            ratios[k] = ratio;
        }
    }
    let mut ln = vec![0.0];
    ratios.iter().for_each(|ratio| ln.push(ln[ln.len() - 1] + ratio.ln()));
    ln
}

/// [`check_fit_of`] around 0.
#[track_caller]
pub fn check_fit(draws: &[i64], weight: impl Fn(i64) -> f64) {
    check_fit_of(draws, 0.0, weight);
}

/// Fails when draws differ from masses proportional to `weight` by more than chance does once in about 100 000 times.
#[track_caller]
pub fn check_fit_of(draws: &[i64], centre: f64, weight: impl Fn(i64) -> f64) {
    const LIMITS: f64 = 4.5;
    let support = -2000..=4000;
    let total: f64 = support.clone().map(&weight).sum();
    let mass = |x: i64| weight(x) / total;
    let n = draws.len() as f64;

    let mut counts = HashMap::new();
    draws.iter().for_each(|&x| *counts.entry(x).or_insert(0.0) += 1.0);
    let (mut chi_square, mut cells, mut rare, mut rare_expected) = (0.0, 0.0, n, n);
    for x in support.clone().filter(|&x| n * mass(x) >= 10.0) {
        let (count, expected) = (counts.get(&x).copied().unwrap_or(0.0), n * mass(x));
        chi_square += (count - expected) * (count - expected) / expected;
        cells += 1.0;
        rare -= count;
        rare_expected -= expected;
    }
    if rare_expected >= 5.0 {
        chi_square += (rare - rare_expected) * (rare - rare_expected) / rare_expected;
        cells += 1.0;
    }
    // Wilson and Hilferty: the cube root of chi-square over its degrees is nearly normal.
    let degrees: f64 = cells - 1.0;
    let spread = 2.0 / (9.0 * degrees);
    let score = ((chi_square / degrees).cbrt() - (1.0 - spread)) / spread.sqrt();
    assert!(score < LIMITS, "chi-square {chi_square} at {degrees} degrees");

    let off = |x: i64| x as f64 - centre;
    let moment = |power| support.clone().map(|x| off(x).powi(power) * mass(x)).sum::<f64>();
    let found = |power| draws.iter().map(|&x| off(x).powi(power)).sum::<f64>() / n;
    let (variance, fourth) = (moment(2), moment(4));
    assert!(found(1).abs() < LIMITS * (variance / n).sqrt(), "mean {}", found(1));
    let deviation = ((fourth - variance * variance) / n).sqrt();
    assert!((found(2) - variance).abs() < LIMITS * deviation, "variance {}", found(2));
}
