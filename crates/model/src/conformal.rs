//! Sets of labels that hold the true one as often as asked.
//!
//! A row's set has every class whose probability is not less than what true classes had in all but a share of rows that were not learnt
//! from. For rows that are like those, the true class is in the set at least as often as asked, whatever the estimator.
//!
//! # Reference
//! V. Vovk, A. Gammerman, G. Shafer, *Algorithmic learning in a random world*, 2005 (split conformal prediction), with one less the
//! probability as the score.

use crate::error::Error;
use crate::training::Probabilities;

/// Scores that are kept; of more rows the quantiles between, rounded to the careful side.
const SCORES_MAX: usize = 4_096;

/// How strange true classes looked to an estimator that had not learnt their rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Strangeness {
    /// One less the true class's probability, ascending.
    scores: Vec<f32>,
}

impl Strangeness {
    /// From the probabilities of rows that were not learnt from.
    ///
    /// # Shapes
    /// `truth[i]` is the class of row i of `said`.
    /// # Errors
    /// [`Error::NoRows`] without rows, [`Error::Length`] when they differ in number, [`Error::OutOfRange`] for a class that is none.
    pub fn of(truth: &[u32], said: &Probabilities) -> Result<Self, Error> {
        if truth.is_empty() {
            return Err(Error::NoRows { what: "a conformal set's calibration" });
        }
        if truth.len() != said.rows() {
            let (expected, got) = (said.rows(), truth.len());
            return Err(Error::Length { what: "true classes", expected, got });
        }
        crate::metrics::check_codes(truth, said.classes)?;
        let score = |(at, &class): (usize, &u32)| 1.0 - said.row(at)[class as usize];
        let mut scores: Vec<f32> = truth.iter().enumerate().map(score).collect();
        scores.sort_unstable_by(f32::total_cmp);
        if scores.len() > SCORES_MAX {
            let rank = |place: usize| ((place + 1) * scores.len()).div_ceil(SCORES_MAX) - 1;
            scores = (0..SCORES_MAX).map(|place| scores[rank(place)]).collect();
        }
        Ok(Self { scores })
    }

    /// Scores that were kept; none where they do not ascend from 0 to 1.
    #[must_use]
    pub fn new(scores: Vec<f32>) -> Option<Self> {
        let right = !scores.is_empty()
            && scores.iter().all(|score| (0.0..=1.0).contains(score))
            && scores.is_sorted();
        right.then_some(Self { scores })
    }

    /// The scores, ascending.
    #[must_use]
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// The least probability of a class in a set that misses the true one in no more than the given share of rows; 0, so that every
    /// class is in, where there were too few rows to say so much.
    #[must_use]
    pub fn least_probability(&self, missed: f64) -> f32 {
        let count = self.scores.len();
        let rank = ((count + 1) as f64 * (1.0 - missed)).ceil() as usize;
        if rank > count { 0.0 } else { 1.0 - self.scores[rank.max(1) - 1] }
    }
}

/// The classes of a row's set, the likeliest first. It holds the likeliest, even where that one is too strange itself: an answer is asked
/// for, and one label more makes no set miss.
#[must_use]
pub fn set(probabilities: &[f32], least: f32) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..probabilities.len()).collect();
    classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]).then(a.cmp(&b)));
    let many = classes.iter().take_while(|&&class| probabilities[class] >= least).count();
    classes.truncate(many.max(1));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Rows of three classes whose probabilities are as true as `trust` says, and what they were.
    fn rows(count: usize, trust: f32, seed: u64) -> (Vec<u32>, Probabilities) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut truth, mut values) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let mut row: [f32; 3] = std::array::from_fn(|_| rng.random_range(0.01..1.0_f32));
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
            let drawn = rng.random_range(0.0..1.0_f32);
            let honest = if drawn < row[0] { 0 } else { 1 + u32::from(drawn >= row[0] + row[1]) };
            let class = if rng.random_bool(trust.into()) { honest } else { rng.random_range(0..3) };
            truth.push(class);
            values.extend(row);
        }
        (truth, Probabilities { classes: 3, values })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn sets_hold_the_truth_as_often_as_asked_however_wrong_the_estimator(
            seed in 0_u64..1_000,
            trust in 0.0_f32..1.0,
            missed in 0.05_f64..0.5,
        ) {
            let (truth, said) = rows(3_000, trust, seed);
            let least = Strangeness::of(&truth, &said).unwrap().least_probability(missed);
            let (truth, said) = rows(3_000, trust, seed + 1_000_000);
            let held = (0..3_000).filter(|&at| set(said.row(at), least).contains(&(truth[at] as usize)));
            let share = held.count() as f64 / 3_000.0;
            // Five standard deviations of both draws together.
            prop_assert!(share > 1.0 - missed - 0.065, "{} held, {} may be missed", share, missed);
        }
    }

    #[test]
    fn ranks_are_those_of_the_theorem() {
        let strangeness = Strangeness::new(vec![0.1, 0.2, 0.3, 0.4]).unwrap();
        // Of four scores the fourth is the ⌈5 · 0.8⌉th; nine in ten of five would be a fifth, which is not there.
        assert!((strangeness.least_probability(0.2) - 0.6).abs() < 1e-6);
        assert_eq!(strangeness.least_probability(0.1), 0.0);
        assert_eq!(set(&[0.5, 0.2, 0.3], 0.25), [0, 2]);
        assert_eq!(set(&[0.5, 0.2, 0.3], 0.9), [0]);
        assert!(Strangeness::new(vec![0.2, 0.1]).is_none() && Strangeness::new(vec![]).is_none());
        assert!(Strangeness::new(vec![0.2, f32::NAN]).is_none());
    }

    #[test]
    fn many_scores_are_thinned_to_the_careful_side() {
        let (truth, said) = rows(20_000, 1.0, 3);
        let thinned = Strangeness::of(&truth, &said).unwrap();
        assert_eq!(thinned.scores().len(), SCORES_MAX);
        let score = |(at, &class): (usize, &u32)| 1.0 - said.row(at)[class as usize];
        let mut all: Vec<f32> = truth.iter().enumerate().map(score).collect();
        all.sort_unstable_by(f32::total_cmp);
        let whole = Strangeness { scores: all };
        for missed in [0.01, 0.1, 0.3] {
            let (few, many) = (thinned.least_probability(missed), whole.least_probability(missed));
            assert!(few <= many && few > many - 0.01, "{few} {many}");
        }
    }
}
