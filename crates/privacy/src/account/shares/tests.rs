//! Bounds against the true divergence of sums, by direct summation over whole numbers.

use super::*;
use crate::account::rdp::orders;
use crate::neighbours::{ReplaceOne, ZeroOutOne};
use crate::parameter::Delta;
use crate::sample::Variance;

fn survivors(n: u32) -> Survivors {
    Survivors::new(n).expect("survivors")
}

fn gaussian(numerator: u64, denominator: u64) -> Noise {
    Noise::DiscreteGaussian(Variance::new(numerator, denominator).expect("a variance"))
}

fn shares(noise: Noise, n: u32, n_padded: u64, squares_max: u64) -> Shares {
    Shares::new(noise, survivors(n), n_padded, squares_max).expect("shares")
}

/// Masses of whole numbers from `−reach` to `reach`.
struct Masses {
    reach: i64,
    ln: Vec<f64>,
}

impl Masses {
    fn of_logarithms(ln: Vec<f64>) -> Self {
        let total = crate::account::special::ln_sum(&ln);
        let reach = (ln.len() as i64 - 1) / 2;
        Self { reach, ln: ln.iter().map(|each| each - total).collect() }
    }

    /// The sum of `n` discrete Gaussians, by convolution: sums of positive numbers only, so no digits cancel.
    fn of_gaussians(variance: f64, n: u32, reach: i64) -> Self {
        let one = Self::of_logarithms(
            (-reach..=reach).map(|x| -(x as f64).powi(2) / (2.0 * variance)).collect(),
        );
        let single: Vec<f64> = one.ln.iter().map(|ln| ln.exp()).collect();
        let mut all = single.clone();
        for _ in 1..n {
            let at = |x: i64| -> f64 {
                let both = (x - reach).max(-reach)..=(x + reach).min(reach);
                let part = |y: i64| all[(x - y + reach) as usize] * single[(y + reach) as usize];
                both.filter(|y| (x - y).abs() <= reach).map(part).sum()
            };
            all = (-reach..=reach).map(at).collect();
        }
        Self::of_logarithms(all.iter().map(|mass| mass.ln()).collect())
    }

    fn of_skellam(mu: f64, reach: usize) -> Self {
        let half = crate::sample::ln_bessel(mu, reach);
        Self::of_logarithms(half.iter().skip(1).rev().chain(&half).copied().collect())
    }

    /// The Rényi divergence of the distribution from itself moved by `shift`, over where both are known.
    fn divergence(&self, alpha: f64, shift: i64) -> f64 {
        let terms: Vec<f64> = (-self.reach + shift..=self.reach)
            .map(|x| {
                let (here, moved) = (self.at(x), self.at(x - shift));
                alpha * here + (1.0 - alpha) * moved
            })
            .collect();
        crate::account::special::ln_sum(&terms) / (alpha - 1.0)
    }

    fn at(&self, x: i64) -> f64 {
        self.ln[(x + self.reach) as usize]
    }
}

fn at_order(rdp: &Rdp<ZeroOutOne>, alpha: f64) -> f64 {
    let place = orders().iter().position(|&order| order == alpha).expect("an order");
    rdp.divergences()[place]
}

#[test]
fn the_bound_is_above_the_true_divergence_of_summed_gaussians_and_near() {
    // Numerator and denominator of the variance, clients, shift.
    for (a, b, n, shift) in
        [(1, 4, 2, 1), (1, 2, 2, 1), (1, 2, 5, 1), (1, 1, 3, 2), (1, 1, 10, 3), (4, 1, 4, 5)]
    {
        let variance = a as f64 / b as f64;
        let whole = (variance * f64::from(n)).sqrt();
        let masses = Masses::of_gaussians(variance, n, (34.0 * whole) as i64);
        let bound = shares(gaussian(a, b), n, 1, (shift * shift) as u64).rdp::<ZeroOutOne>();
        for alpha in [1.1, 1.5, 2.0, 3.5, 8.0] {
            let (found, truth) = (at_order(&bound, alpha), masses.divergence(alpha, shift));
            let gauss = alpha * (shift as f64 / whole).powi(2) / 2.0;
            assert!(found >= truth, "{found} is below {truth}: {a}/{b} {n} {shift} {alpha}");
            // τ itself is loose by a factor below 10 where the noise is narrowest.
            let slack = 2.0 * tau(variance, survivors(n)) * (alpha + 1.0);
            assert!(found <= truth.max(gauss) * (1.0 + 1e-9) + slack, "{found} {truth}");
        }
    }
}

#[test]
fn the_bound_holds_in_several_dimensions_too() {
    // Entries have noise of their own, so their divergences add up.
    for (noise, variance, n) in [
        (gaussian(1, 4), 0.25, 2),
        (gaussian(1, 1), 1.0, 4),
        (skellam(1, 2), 0.5, 2),
        (skellam(4, 1), 4.0, 5),
    ] {
        let masses = match noise {
            Noise::DiscreteGaussian(_) => {
                Masses::of_gaussians(variance, n, (34.0 * (variance * f64::from(n)).sqrt()) as i64)
            }
            Noise::Skellam(_) => Masses::of_skellam(variance * f64::from(n), 200),
        };
        for shifts in [[1, 1, 1, 1], [3, 0, 0, 1], [2, 2, 0, 1], [4, 3, 2, 1]] {
            let squares = shifts.iter().map(|shift| (shift * shift) as u64).sum();
            let bound = shares(noise, n, 4, squares);
            for alpha in [1.1, 2.0, 3.5, 6.0] {
                if alpha * shifts[0] as f64 > 0.5 * masses.reach as f64 {
                    continue;
                }
                let truth: f64 = shifts.iter().map(|&s| masses.divergence(alpha, s)).sum();
                let found = at_order(&bound.rdp(), alpha);
                assert!(found >= truth, "{found} is below {truth}: {noise:?} {n} {shifts:?}");
                let rho = bound.zcdp::<ZeroOutOne>().map(|spent| spent.rho());
                assert!(rho.is_err() || rho.is_ok_and(|rho| alpha * rho >= truth));
            }
        }
    }
}

fn skellam(numerator: u64, denominator: u64) -> Noise {
    Noise::Skellam(Variance::new(numerator, denominator).expect("a variance"))
}

#[test]
fn the_bound_is_above_the_true_divergence_of_skellam_noise_and_near() {
    let mut worst = 0.0f64;
    for (a, b, n) in [(1, 1, 1), (5, 2, 2), (10, 1, 1), (10, 1, 10), (1000, 1, 1), (300, 1, 30)] {
        let mu = a as f64 / b as f64 * f64::from(n);
        let reach = (60.0 * mu.sqrt()) as usize + 100;
        let masses = Masses::of_skellam(mu, reach);
        for shift in [1, 2, 5, 20, 60] {
            let bound = shares(skellam(a, b), n, 1, (shift * shift) as u64).rdp::<ZeroOutOne>();
            for alpha in [1.1, 1.5, 2.0, 3.5, 5.0, 8.0, 16.0, 30.0] {
                // Where terms of the sum peak, and die out within what is known.
                if alpha * shift as f64 > 0.5 * reach as f64 {
                    continue;
                }
                let (found, truth) = (at_order(&bound, alpha), masses.divergence(alpha, shift));
                assert!(found >= truth, "{found} is below {truth}: {a}/{b} {n} {shift} {alpha}");
                // Where the noise is wide for the shift and the order is whole, there is little between.
                if mu >= 100.0 && shift as f64 * alpha <= mu.sqrt() && alpha.fract() == 0.0 {
                    worst = worst.max(found / truth);
                }
            }
        }
    }
    assert!((1.0..1.05).contains(&worst), "{worst}");
}

#[test]
fn skellam_noise_costs_what_the_corollary_says_by_hand() {
    // mu = 10 × 40, squares 2 500 and 64 entries: l2 = 50, l1 = 400; at order 4 the second term is
    // min((7 × 2 500 + 2 400)/640 000, 1 200/800).
    let found = at_order(&shares(skellam(40, 1), 10, 64, 2500).rdp::<ZeroOutOne>(), 4.0);
    assert!((found - (4.0 * 2500.0 / 800.0 + 19_900.0 / 640_000.0)).abs() < 1e-9, "{found}");
    // Narrow noise, where the other one is less: 1 entry, shift 3, mu = 1/2.
    let found = at_order(&shares(skellam(1, 2), 1, 1, 9).rdp::<ZeroOutOne>(), 4.0);
    assert!((found - (4.0 * 9.0 + 9.0)).abs() < 1e-9, "{found}");
    assert!(shares(skellam(1, 2), 1, 1, 9).zcdp::<ZeroOutOne>().is_err());
    assert!(Shares::new(skellam((1 << 28) + 1, 1), survivors(1), 1, 1).is_err());
}

#[test]
fn both_kinds_of_wide_noise_cost_the_same() {
    let delta = Delta::new(1e-6).expect("a delta");
    let cost = |noise| shares(noise, 50, 1 << 15, 50_000).rdp::<ReplaceOne>().epsilon(delta);
    let (one, other) = (cost(gaussian(2500, 1)), cost(skellam(2500, 1)));
    assert!(other > one && other < 1.01 * one, "{one} {other}");
}

#[test]
fn a_sum_of_gaussians_is_within_tau_of_one_gaussian() {
    for (a, b, n) in [(1u64, 4u64, 2u32), (1, 4, 4), (1, 2, 3), (1, 1, 2), (1, 1, 6)] {
        let variance = a as f64 / b as f64;
        let sum = Masses::of_gaussians(variance, n, 30);
        let one = Masses::of_gaussians(variance * f64::from(n), 1, 30);
        let off = |x: i64| sum.at(x) - one.at(x);
        // Where neither is cut off.
        let reach = ((variance * f64::from(n)).sqrt() * 20.0).min(20.0) as i64;
        let (low, high) = (-reach..=reach)
            .map(off)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let tau = tau(variance, survivors(n));
        // What the proof needs of τ: the largest change of the ratio between two whole numbers.
        assert!(high - low <= tau, "{} {tau}", high - low);
        // Two shares are as uneven as the first term says; more average it out, which τ makes no use of.
        assert!(n > 2 || high - low >= tau / 3.0, "{} {tau}", high - low);
    }
}

#[test]
fn the_papers_settings_cost_what_its_authors_programs_say() {
    // c = 0.03, gamma = 3.5e-6, sigma = 9.5e-4, n = 3 400, d = 2^20, beta = e^(−1/2), by hand from Theorem 1.
    let (c, d, n) = (0.03 / 3.5e-6f64, f64::from(1 << 20), 3400);
    let squares = c * c + d / 4.0 + (c + d.sqrt() / 2.0);
    let sigma = 9.5e-4 / 3.5e-6f64;
    let noise = gaussian((sigma * sigma * 4096.0) as u64, 4096);
    let sum = shares(noise, n, 1 << 20, squares as u64);
    let rho = squares / (2.0 * f64::from(n) * sigma * sigma);
    let found = sum.zcdp::<ZeroOutOne>().expect("a discrete Gaussian").rho();
    assert!((found / rho - 1.0).abs() < 1e-7, "{found} {rho}");
    assert!((rho - 0.147_192_852_533_811).abs() < 1e-12, "{rho}");
    let z = sum.noise_multiplier::<ZeroOutOne>().expect("noise").get();
    assert!((0.5 / (z * z) / rho - 1.0).abs() < 1e-7);
}

#[test]
fn fewer_survivors_cost_more_and_replacing_costs_four_times() {
    let delta = Delta::new(1e-6).expect("a delta");
    let cost = |n| shares(gaussian(900, 1), n, 1 << 15, 10_000);
    let epsilon = |n| cost(n).rdp::<ZeroOutOne>().epsilon(delta);
    assert!(epsilon(10) < epsilon(9) && epsilon(9) < epsilon(1));
    let rho = |n| cost(n).zcdp::<ZeroOutOne>().expect("a Gaussian").rho();
    let replaced = cost(10).zcdp::<ReplaceOne>().expect("a Gaussian").rho();
    assert!((replaced / rho(10) - 4.0).abs() < 1e-9);
    assert!((rho(5) / rho(10) - 2.0).abs() < 1e-9);
    // zCDP is RDP at all orders at once, here without any τ worth a mention.
    assert!(
        (cost(10).zcdp::<ZeroOutOne>().expect("one").epsilon(delta) / epsilon(10) - 1.0).abs()
            < 1e-2
    );
}

#[test]
fn noise_too_narrow_for_the_theorems_is_refused() {
    let new = |noise, d, squares| Shares::new(noise, survivors(3), d, squares);
    assert!(new(gaussian(1, 4), 1, 1).is_ok());
    assert!(new(gaussian(1, 5), 1, 1).is_err());
    assert!(new(gaussian(1, 1), 0, 1).is_err() && new(gaussian(1, 1), 1, 0).is_err());
    assert!(new(gaussian(1, 1), ENTRIES_MAX + 1, 1).is_err());
    assert!(new(gaussian(1, 1), 1, SQUARES_MAX + 1).is_err());
    assert!(Survivors::new(0).is_err() && Survivors::new(Survivors::MAX + 1).is_err());
}
