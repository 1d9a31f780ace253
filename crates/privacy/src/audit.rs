//! An audit from outside: how large epsilon must be at least, given how well an attack guesses who took part.
//!
//! A mechanism is run many times with a client and many times without; an attack gives each run a score, higher where it
//! believes that the client took part. Nothing else about the mechanism is known here. A bound above the epsilon that is
//! claimed shows a mistake; one below shows nothing, for another attack may be better.
//!
//! # Reference
//! Jagielski, Ullman, Oprea, *Auditing Differentially Private Machine Learning*, NeurIPS 2020 (arXiv:2006.07709); Nasr, Song,
//! Thakurta, Papernot, Carlini, *Adversary Instantiation*, IEEE S&P 2021.

mod binomial;

pub use binomial::{at_least, at_most};

use crate::error::Error;
use crate::parameter::Delta;

/// The fewest runs of either kind: with less, half of them say nothing.
pub const RUNS_MIN: usize = 4;

/// What an attack has proved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// Epsilon is at least this, with the confidence asked for; 0 when nothing was proved.
    pub epsilon: f64,
    /// The score from which on the attack says that the client took part; or up to which it says that it did not.
    pub threshold: f64,
    /// Which of the two it is.
    pub says: Says,
    /// At least how often it says so when that is true.
    pub right_least: f64,
    /// At most how often it says so when that is false.
    pub wrong_most: f64,
}

/// What an attack says of the runs on its side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The client took part.
    TookPart,
    /// It did not.
    StayedAway,
}

/// The epsilon that the scores of runs with a client and without it prove at `delta`, with this confidence.
///
/// The threshold is chosen on every other run, and judged on the rest: chosen on the runs that it is judged by, it would
/// flatter the attack, and the confidence would be none. Runs must be independent of each other, and stand in the order
/// in which they were made, not sorted.
///
/// # Errors
/// [`Error::Parameter`] when there are fewer than [`RUNS_MIN`] runs of a kind, a score is no number, or the confidence
/// is not above 0 and below 1.
/// # Example
/// ```
/// use flowgait_privacy::Delta;
/// use flowgait_privacy::audit::epsilon;
///
/// // An attack that is always right: without noise, the sum tells.
/// let (with, without) = (vec![1.0; 1000], vec![0.0; 1000]);
/// let found = epsilon(&with, &without, Delta::new(1e-5)?, 0.95)?;
/// assert_eq!(format!("{:.2}", found.epsilon), "4.91");
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
pub fn epsilon(
    with: &[f64],
    without: &[f64],
    delta: Delta,
    confidence: f64,
) -> Result<Finding, Error> {
    check(with, without, confidence)?;
    let (with, without) = (Halves::of(with), Halves::of(without));
    let (threshold, says) = best(&with.first, &without.first, delta);
    // Both shares must hold at once.
    let doubt = (1.0 - confidence) / 2.0;
    let (right, wrong) = match says {
        Says::TookPart => (&with.second, &without.second),
        Says::StayedAway => (&without.second, &with.second),
    };
    let right_least = at_least(said(right, threshold, says), right.len() as u64, doubt);
    let wrong_most = at_most(said(wrong, threshold, says), wrong.len() as u64, doubt);
    let epsilon = implied(right_least, wrong_most, delta);
    Ok(Finding { epsilon, threshold, says, right_least, wrong_most })
}

fn check(with: &[f64], without: &[f64], confidence: f64) -> Result<(), Error> {
    for runs in [with, without] {
        if runs.len() < RUNS_MIN {
            let (name, must) = ("number of runs", "at least 4 of each kind");
            return Err(Error::Parameter { name, value: runs.len() as f64, must });
        }
        if let Some(&value) = runs.iter().find(|score| score.is_nan()) {
            return Err(Error::Parameter { name: "score", value, must: "a number" });
        }
    }
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(());
    }
    let must = "above 0 and below 1";
    Err(Error::Parameter { name: "confidence", value: confidence, must })
}

/// Every other run, and the rest.
struct Halves {
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Halves {
    fn of(runs: &[f64]) -> Self {
        let every_other = |from| runs.iter().skip(from).step_by(2).copied().collect();
        Self { first: every_other(0), second: every_other(1) }
    }
}

/// So many standard deviations: at the best of thousands of thresholds chance has moved shares by three or four.
const DOUBTED: f64 = 4.0;

/// The threshold and side that promise most, by shares that are moved as far as chance may have moved them. A guess is
/// enough here, for the rest of the runs judges it.
fn best(with: &[f64], without: &[f64], delta: Delta) -> (f64, Says) {
    let (mut with, mut without) = (with.to_vec(), without.to_vec());
    with.sort_unstable_by(f64::total_cmp);
    without.sort_unstable_by(f64::total_cmp);
    let mut best = (f64::INFINITY, Says::TookPart);
    let mut most = f64::NEG_INFINITY;
    for &threshold in with.iter().chain(&without) {
        for says in [Says::TookPart, Says::StayedAway] {
            let (true_side, false_side) = match says {
                Says::TookPart => (&with, &without),
                Says::StayedAway => (&without, &with),
            };
            let right = moved(said_sorted(true_side, threshold, says), true_side.len(), -DOUBTED);
            let wrong = moved(said_sorted(false_side, threshold, says), false_side.len(), DOUBTED);
            let promise = ((right - delta.get()) / wrong).ln();
            if promise > most {
                (best, most) = ((threshold, says), promise);
            }
        }
    }
    best
}

/// A share, moved by so many of its standard deviations (Wilson 1927).
fn moved(said: usize, of: usize, deviations: f64) -> f64 {
    let (n, share, square) = (of as f64, said as f64 / of as f64, deviations * deviations);
    let half = (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    (share + square / (2.0 * n) + deviations * half) / (1.0 + square / n)
}

fn said(scores: &[f64], threshold: f64, says: Says) -> u64 {
    let is_said = |&&score: &&f64| match says {
        Says::TookPart => score >= threshold,
        Says::StayedAway => score <= threshold,
    };
    scores.iter().filter(is_said).count() as u64
}

fn said_sorted(scores: &[f64], threshold: f64, says: Says) -> usize {
    match says {
        Says::TookPart => scores.len() - scores.partition_point(|&score| score < threshold),
        Says::StayedAway => scores.partition_point(|&score| score <= threshold),
    }
}

/// Differential privacy says `right ≤ e^epsilon wrong + delta`.
fn implied(right_least: f64, wrong_most: f64, delta: Delta) -> f64 {
    let ratio = (right_least - delta.get()) / wrong_most;
    if ratio > 1.0 { ratio.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Zcdp;
    use crate::neighbours::ZeroOutOne;
    use crate::parameter::NoiseMultiplier;
    use crate::sample::{DiscreteGaussian, Variance};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn delta() -> Delta {
        Delta::new(1e-5).expect("a delta")
    }

    /// Runs of a sum of one number, 0 or `steps`, under noise of so many steps.
    fn runs(deviation: u64, steps: i64, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let variance = Variance::new(deviation * deviation, 1).expect("a variance");
        let (noise, mut rng) = (DiscreteGaussian::new(variance), ChaCha20Rng::seed_from_u64(seed));
        let mut run = |value: i64| (value + noise.sample(&mut rng)) as f64;
        ((0..20_000).map(|_| run(steps)).collect(), (0..20_000).map(|_| run(0)).collect())
    }

    fn claimed(z: f64) -> f64 {
        let noise = NoiseMultiplier::new(z).expect("noise");
        Zcdp::<ZeroOutOne>::gaussian(noise).epsilon(delta())
    }

    #[test]
    fn the_bound_of_a_true_claim_stays_below_it() {
        for (seed, z) in [(1, 0.5), (2, 1.0), (3, 2.0), (4, 8.0)] {
            let (with, without) = runs((z * 1000.0) as u64, 1000, seed);
            let found = epsilon(&with, &without, delta(), 0.99).expect("runs");
            assert!(found.epsilon <= claimed(z), "{found:?} {}", claimed(z));
            // The attack is the best there is for a Gaussian, so what it proves is no trifle.
            assert!(z > 2.0 || found.epsilon > 0.3 * claimed(z), "{found:?} {}", claimed(z));
        }
    }

    #[test]
    fn noise_that_was_forgotten_is_found() {
        // Claimed with a noise multiplier of 1, but hardly any was added.
        let (with, without) = runs(50, 1000, 5);
        let found = epsilon(&with, &without, delta(), 0.99).expect("runs");
        assert!(found.epsilon > 1.5 * claimed(1.0), "{found:?} {}", claimed(1.0));
        // A sum without noise is only limited by how many runs there are.
        let (with, without) = (vec![1000.0; 20_000], vec![0.0; 20_000]);
        let found = epsilon(&with, &without, delta(), 0.99).expect("runs");
        let wrong_most = 1.0 - 0.005f64.powf(1e-4);
        assert!((found.wrong_most / wrong_most - 1.0).abs() < 1e-6, "{found:?}");
        assert!(found.epsilon > 7.5, "{found:?}");
    }

    #[test]
    fn an_attack_that_knows_nothing_proves_nothing() {
        let mut proved = 0;
        for seed in 0..200 {
            let (mut with, mut without) = runs(10, 0, 100 + seed);
            with.truncate(200);
            without.truncate(200);
            let found = epsilon(&with, &without, delta(), 0.9).expect("runs");
            proved += u32::from(found.epsilon > 0.0);
        }
        // A confidence of 0.9 may be wrong in 20 of 200; 4.5 standard deviations more would be 39.
        assert!(proved <= 20, "{proved}");
    }

    #[test]
    fn an_attack_may_be_sure_of_absence_only() {
        // Half of the runs without the client show it; those with it never do.
        let with = vec![0.0; 1000];
        let without: Vec<f64> = (0..1000).map(|run| f64::from(run / 2 % 2) - 1.0).collect();
        let found = epsilon(&with, &without, delta(), 0.95).expect("runs");
        assert_eq!((found.says, found.threshold), (Says::StayedAway, -1.0));
        assert!(found.epsilon > 3.5, "{found:?}");
    }

    #[test]
    fn what_proves_nothing_is_refused() {
        let good = [0.0; 4];
        assert!(epsilon(&good, &good, delta(), 0.95).is_ok());
        assert!(epsilon(&good[..3], &good, delta(), 0.95).is_err());
        assert!(epsilon(&good, &[0.0, 1.0, f64::NAN, 0.0], delta(), 0.95).is_err());
        for confidence in [0.0, 1.0, f64::NAN] {
            assert!(epsilon(&good, &good, delta(), confidence).is_err());
        }
    }
}
