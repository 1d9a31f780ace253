//! Fit on some rows, judge on others, again and again: a score with its doubt.

mod compare;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use compare::{PairedTest, compare};
pub use flowgait_features::split::Fold;

use crate::metrics::{Answers, Scores, check_codes};
use crate::{Error, Probabilities};

/// One fold for each part of the rows: judged on the part, learnt from all others.
#[must_use]
pub fn each_once(parts: &[Vec<u32>]) -> Vec<Fold> {
    let fold = |test: usize| {
        let others = parts.iter().enumerate().filter(|&(part, _)| part != test);
        let mut train: Vec<u32> = others.flat_map(|(_, rows)| rows).copied().collect();
        train.sort_unstable();
        Fold { train, test: parts[test].clone() }
    };
    (0..parts.len()).map(fold).collect()
}

/// The folds of one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The seed that the estimator gets, and from which the folds were drawn where they were drawn.
    pub seed: u64,
    /// The folds.
    pub folds: Vec<Fold>,
}

impl Repeat {
    /// The same folds under each seed: only the estimator's own chance differs.
    #[must_use]
    pub fn same_folds(seeds: &[u64], folds: &[Fold]) -> Vec<Self> {
        seeds.iter().map(|&seed| Self { seed, folds: folds.to_vec() }).collect()
    }
}

/// One fit to be made and judged.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The seed to fit with.
    pub seed: u64,
    /// Number of the fold within its repeat.
    pub fold: usize,
    /// Rows to learn from.
    pub train: &'a [u32],
    /// Rows to give probabilities for, in this order.
    pub test: &'a [u32],
}

/// How one trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialScore {
    /// The seed it was fitted with.
    pub seed: u64,
    /// Number of the fold within its repeat.
    pub fold: usize,
    /// Number of rows it learnt from.
    pub train_rows: u64,
    /// Its scores on the others.
    pub scores: Scores,
}

/// What a cross-validation gives.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossValidation {
    /// Every trial: seed by seed, and in it fold by fold.
    pub trials: Vec<TrialScore>,
    /// Scores over all test rows of a repeat together, seed by seed.
    pub pooled: Vec<Scores>,
    /// Test rows of the first repeat, fold by fold.
    pub rows: Vec<u32>,
    /// The true class of each of them.
    pub truth: Vec<u32>,
    /// What the first repeat said of each of them.
    pub probabilities: Probabilities,
}

/// A score over several trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Mean over the trials.
    pub mean: f64,
    /// Standard deviation over the trials (divisor n − 1); none for one trial.
    pub sd: Option<f64>,
    /// Lowest trial.
    pub low: f64,
    /// Highest trial.
    pub high: f64,
    /// Number of trials.
    pub trials: u64,
}

impl Spread {
    /// The spread of some values; none of no values.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self {
            mean,
            sd: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            trials: values.len() as u64,
        })
    }
}

/// Fits and judges every fold of every repeat, in order.
///
/// `codes` is the class of every row of the table; `answer` fits on `trial.train` and gives probabilities over `classes` for
/// `trial.test`. A fold whose training rows lack a class still answers over all of them.
///
/// # Errors
/// [`Error::NoRows`] without repeats, folds or rows in one; [`Error::OutOfRange`] for a row past the table or a test row without a
/// class; [`Error::Leak`] for a row that a fold both learns from and is judged on; [`Error::Length`] and [`Error::Probabilities`] for
/// answers of another shape; and whatever `answer` fails with.
pub fn cross_validate<E: From<Error>>(
    codes: &[u32],
    classes: usize,
    repeats: &[Repeat],
    mut answer: impl FnMut(Trial<'_>) -> Result<Probabilities, E>,
) -> Result<CrossValidation, E> {
    let mut trials = Vec::new();
    let mut pools: Vec<Pool> = Vec::new();
    let mut pooled = Vec::with_capacity(repeats.len());
    for repeat in repeats {
        let mut pool = Pool { classes, ..Pool::default() };
        for (number, fold) in repeat.folds.iter().enumerate() {
            let truth = check_fold(codes, classes, number, fold)?;
            let trial =
                Trial { seed: repeat.seed, fold: number, train: &fold.train, test: &fold.test };
            let said = answer(trial)?;
            if said.classes != classes {
                return Err(Error::Length {
                    what: "classes of an answer",
                    expected: classes,
                    got: said.classes,
                }
                .into());
            }
            let scores = Scores::of(&Answers::of(&truth, &said)?);
            let (seed, train_rows) = (repeat.seed, fold.train.len() as u64);
            trials.push(TrialScore { seed, fold: number, train_rows, scores });
            pool.add(&fold.test, truth, &said);
        }
        pooled.push(Scores::of(&Answers::new(&pool.truth, &pool.values, classes)?));
        pools.push(pool);
        pools.truncate(1);
    }
    let first = pools.pop().ok_or(Error::NoRows { what: "a cross-validation" })?;
    let probabilities = Probabilities { classes, values: first.values };
    Ok(CrossValidation { trials, pooled, rows: first.rows, truth: first.truth, probabilities })
}

/// The test rows of a repeat.
#[derive(Default)]
struct Pool {
    classes: usize,
    rows: Vec<u32>,
    truth: Vec<u32>,
    values: Vec<f32>,
}

impl Pool {
    fn add(&mut self, rows: &[u32], truth: Vec<u32>, said: &Probabilities) {
        debug_assert_eq!(rows.len() * self.classes, said.values.len());
        self.rows.extend(rows);
        self.truth.extend(truth);
        self.values.extend(&said.values);
    }
}

/// The classes of a fold's test rows, after checking the fold.
fn check_fold(
    codes: &[u32],
    classes: usize,
    number: usize,
    fold: &Fold,
) -> Result<Vec<u32>, Error> {
    if fold.train.is_empty() || fold.test.is_empty() {
        return Err(Error::NoRows { what: "a fold, both to learn from and to be judged on," });
    }
    let mut learnt = vec![false; codes.len()];
    for (rows, test) in [(&fold.train, false), (&fold.test, true)] {
        for (place, &row) in rows.iter().enumerate() {
            let (index, limit) = (u64::from(row), codes.len());
            let seen = learnt.get_mut(row as usize);
            let seen = seen.ok_or(Error::OutOfRange { what: "row", place, index, limit })?;
            if test && *seen {
                return Err(Error::Leak { fold: number, row });
            }
            *seen |= !test;
        }
    }
    let truth: Vec<u32> = fold.test.iter().map(|&row| codes[row as usize]).collect();
    check_codes(&truth, classes)?;
    Ok(truth)
}

impl CrossValidation {
    /// One score of every trial.
    #[must_use]
    pub fn each(&self, score: fn(&Scores) -> f64) -> Vec<f64> {
        self.trials.iter().map(|trial| score(&trial.scores)).collect()
    }

    /// The spread of one score over the trials; the folds count alike, whatever their size.
    #[must_use]
    pub fn spread(&self, score: fn(&Scores) -> f64) -> Option<Spread> {
        Spread::of(&self.each(score))
    }

    /// The spread of every score over the trials in which it is defined, by the score's name.
    #[must_use]
    pub fn spreads(&self) -> BTreeMap<String, Spread> {
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (name, value) in self.trials.iter().flat_map(|trial| trial.scores.named()) {
            values.entry(name.to_owned()).or_default().extend(value);
        }
        let spread = |(name, values): (String, Vec<f64>)| Some((name, Spread::of(&values)?));
        values.into_iter().filter_map(spread).collect()
    }

    /// The pooled answers of the first repeat.
    ///
    /// # Errors
    /// None for what [`cross_validate`] gave; as [`Answers::of`] for anything else.
    pub fn answers(&self) -> Result<Answers<'_, f32>, Error> {
        Answers::of(&self.truth, &self.probabilities)
    }

    /// Whether this does better than another on the same trials, by the corrected resampled t-test; none for fewer than two trials.
    ///
    /// # Errors
    /// [`Error::Length`] when the trials are not the same.
    pub fn compare(
        &self,
        other: &Self,
        score: fn(&Scores) -> f64,
    ) -> Result<Option<PairedTest>, Error> {
        let key =
            |trial: &TrialScore| (trial.seed, trial.fold, trial.train_rows, trial.scores.rows);
        let same =
            self.trials.iter().zip(&other.trials).take_while(|(a, b)| key(a) == key(b)).count();
        if same != self.trials.len() || same != other.trials.len() {
            let expected = self.trials.len().max(other.trials.len());
            return Err(Error::Length { what: "trials in common", expected, got: same });
        }
        let (mut train, mut test) = (0, 0);
        for trial in &self.trials {
            train += trial.train_rows;
            test += trial.scores.rows;
        }
        Ok(compare(&self.each(score), &other.each(score), test as f64 / train as f64))
    }
}

/// How good a model is that sees only the first packets of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PacketPoint {
    /// How many packets it sees.
    pub packets: u32,
    /// Accuracy over the trials.
    pub accuracy: Spread,
    /// Macro-F1 over the trials.
    pub f1_macro: Spread,
}

/// Cross-validates once for each number of packets.
///
/// # Errors
/// Whatever `judge` fails with.
pub fn after_packets<E>(
    packets: &[u32],
    mut judge: impl FnMut(u32) -> Result<CrossValidation, E>,
) -> Result<Vec<PacketPoint>, E> {
    let mut curve = Vec::with_capacity(packets.len());
    for &packets in packets {
        let judged = judge(packets)?;
        let accuracy = judged.spread(|scores| scores.accuracy);
        let f1_macro = judged.spread(|scores| scores.f1_macro);
        if let (Some(accuracy), Some(f1_macro)) = (accuracy, f1_macro) {
            curve.push(PacketPoint { packets, accuracy, f1_macro });
        }
    }
    Ok(curve)
}

/// So much accuracy is worth no further packet, whatever chance does.
pub const CLOSE: f64 = 0.01;

/// The fewest packets whose accuracy is at most one standard error of the best below it, or at most [`CLOSE`].
///
/// The best of several points is often but the luckiest of equals, so it is no answer by itself. Where one trial tells no error,
/// closeness alone decides.
///
/// # Reference
/// L. Breiman, J. Friedman, R. Olshen, C. Stone, *Classification and Regression Trees*, 1984, section 3.4.3: the 1 SE rule.
#[must_use]
pub fn soon_enough(curve: &[PacketPoint]) -> Option<&PacketPoint> {
    let best = curve.iter().max_by(|a, b| a.accuracy.mean.total_cmp(&b.accuracy.mean))?.accuracy;
    let error = best.sd.map_or(0.0, |sd| sd / (best.trials as f64).sqrt());
    curve.iter().find(|point| point.accuracy.mean >= best.mean - error.max(CLOSE))
}

#[cfg(test)]
mod tests;
