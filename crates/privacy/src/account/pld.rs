//! Privacy loss distributions: the whole curve of epsilon and delta, composed numerically and never below the truth.
//!
//! One round's loss is put on a grid so that epsilon is exact on the grid and too large between its points; rounds are
//! composed by a Fourier transform; what falls off the grid counts as an infinite loss. A run of 10 000 rounds takes
//! about a second.

mod composed;
mod discrete;
mod loss;

use crate::neighbours::AddOrRemoveOne;
use crate::parameter::{Delta, NoiseMultiplier, SamplingRate};

use composed::{Composed, Window};
use discrete::Discrete;
use loss::{Direction, Loss};

/// The neighbouring relation that these distributions are for.
pub type Relation = AddOrRemoveOne;

/// Rounds that are alike: each client joins by a coin of its own, then Gaussian noise hides the sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounds {
    /// The chance that a client joins; 1 when everybody does.
    pub rate: SamplingRate,
    /// The noise of each round.
    pub noise: NoiseMultiplier,
    /// How many rounds.
    pub count: u64,
}

/// The smallest epsilon that these rounds together keep at `delta`, with one client added or removed; infinite where
/// `delta` is below what this arithmetic can tell (1e-13, and 3e-12 at 10 000 rounds).
///
/// # Example
/// ```
/// use flowgait_privacy::account::pld::{self, Rounds};
/// use flowgait_privacy::{Delta, NoiseMultiplier, SamplingRate};
///
/// let rounds = Rounds {
///     rate: SamplingRate::new(0.01)?,
///     noise: NoiseMultiplier::new(1.0)?,
///     count: 1000,
/// };
/// let epsilon = pld::epsilon(&[rounds], Delta::new(1e-5)?);
/// assert_eq!(format!("{epsilon:.3}"), "1.828");
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
/// # Reference
/// Koskela, Jälkö, Honkela, *Computing Tight Differential Privacy Guarantees Using FFT*, AISTATS 2020; the grid after
/// Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, *Connect the Dots*, PoPETs 2022.
#[must_use]
pub fn epsilon(rounds: &[Rounds], delta: Delta) -> f64 {
    larger(rounds, |composed| composed.epsilon(delta))
}

/// The smallest delta that these rounds together keep at `epsilon`, with one client added or removed.
#[must_use]
pub fn delta(rounds: &[Rounds], epsilon: f64) -> f64 {
    larger(rounds, |composed| composed.delta(epsilon))
}

/// The larger answer of both directions; 0 where nothing costs anything.
fn larger(rounds: &[Rounds], of: impl Fn(&Composed) -> f64) -> f64 {
    let rounds = merge(rounds);
    if rounds.is_empty() {
        return 0.0;
    }
    let one_way = |direction| of(&compose(&rounds, direction));
    one_way(Direction::Remove).max(one_way(Direction::Add))
}

/// Rounds over everyone as the one round that they amount to (Gaussian losses add up to a Gaussian one), the others as
/// they are; those that cost nothing left out.
fn merge(rounds: &[Rounds]) -> Vec<(Loss, u64)> {
    let costly = rounds.iter().filter(|each| each.count > 0 && each.rate.get() > 0.0);
    let (whole, sampled): (Vec<_>, Vec<_>) = costly.partition(|each| each.rate.get() == 1.0);
    let per_noise = |each: &&Rounds| each.count as f64 / each.noise.get().powi(2);
    let precision: f64 = whole.iter().map(per_noise).sum();
    let mut merged: Vec<_> = sampled
        .into_iter()
        .map(|each| (Loss { q: each.rate.get(), z: each.noise.get() }, each.count))
        .collect();
    if precision > 0.0 {
        merged.push((Loss { q: 1.0, z: precision.sqrt().recip() }, 1));
    }
    merged
}

fn compose(rounds: &[(Loss, u64)], direction: Direction) -> Composed {
    let window = Window::of(rounds, direction);
    let discrete = |&(loss, count): &(Loss, u64)| {
        (Discrete::new(loss, direction, window.step, window.tail / count as f64), count)
    };
    let parts: Vec<_> = rounds.iter().map(discrete).collect();
    Composed::new(&parts, &window)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(q: f64, z: f64, count: u64) -> Rounds {
        Rounds {
            rate: SamplingRate::new(q).expect("a rate"),
            noise: NoiseMultiplier::new(z).expect("noise"),
            count,
        }
    }

    fn at(delta: f64) -> Delta {
        Delta::new(delta).expect("a delta")
    }

    #[track_caller]
    fn check(rounds: &[Rounds], delta: f64, expected: f64) {
        let found = epsilon(rounds, at(delta));
        let allowed = expected - 1e-5..=expected * 1.001 + 1e-5;
        assert!(allowed.contains(&found), "{found} is not {expected}");
    }

    #[test]
    fn published_values_are_met() {
        check(&[rounds(1.0, 1.0, 1)], 1e-5, 4.377178);
        check(&[rounds(0.01, 1.0, 1000)], 1e-5, 1.828244);
        check(&[rounds(0.1, 1.1, 100)], 1e-6, 6.763374);
    }

    #[test]
    fn rounds_of_two_kinds_compose() {
        let split = [rounds(0.01, 1.0, 400), rounds(0.01, 1.0, 600)];
        check(&split, 1e-5, 1.828244);
        let nothing = rounds(0.0, 1.0, 50);
        check(&[rounds(1.0, 1.0, 1), nothing, rounds(0.3, 2.0, 0)], 1e-5, 4.377178);
        let both = epsilon(&[rounds(0.01, 1.0, 1000), rounds(1.0, 4.0, 10)], at(1e-5));
        assert!(both > 3.2 && both < 5.0, "{both}");
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(epsilon(&[], at(1e-9)), 0.0);
        assert_eq!(epsilon(&[rounds(0.0, 1.0, 10)], at(1e-9)), 0.0);
        assert_eq!(delta(&[], 0.0), 0.0);
    }

    #[test]
    fn the_least_and_the_most_noise_have_an_answer() {
        // In one direction every outcome of so little noise has the same loss.
        for (q, count) in [(0.01, 1), (0.01, 1000), (0.5, 10), (1.0, 3)] {
            let dear = epsilon(&[rounds(q, 0.01, count)], at(1e-5));
            let cheap = epsilon(&[rounds(q, 1e4, count)], at(1e-5));
            let (dear_least, cheap_most) = (100.0, 1e-3 * count as f64);
            assert!(dear > dear_least && cheap < cheap_most, "{q} {count}: {dear} {cheap}");
        }
    }

    #[test]
    fn delta_and_epsilon_are_each_others_inverse() {
        let run = [rounds(0.1, 1.0, 20)];
        let there = epsilon(&run, at(1e-6));
        let back = delta(&run, there);
        assert!((back / 1e-6 - 1.0).abs() < 1e-3, "{back:e}");
    }
}
