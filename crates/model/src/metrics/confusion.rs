//! Counts of true against predicted classes, and every score that follows from them.

use serde::{Deserialize, Serialize};

use super::{check_codes, wilson};
use crate::Error;

/// A confusion matrix.
///
/// # Shapes
/// `counts` is `[classes * classes]`: true class by true class, and in it by predicted class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

/// How classes weigh in a mean over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// Each class that occurs or is predicted weighs the same.
    Macro,
    /// Each class weighs as many rows as it has.
    Weighted,
}

/// Means over classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averages {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
}

/// How one class fares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Rows of this class.
    pub support: u64,
    /// Rows that were said to be of this class.
    pub predicted: u64,
    /// Share of `predicted` that is right; 0 where nothing was predicted.
    pub precision: f64,
    /// Share of `support` that was found; 0 where there is none.
    pub recall: f64,
    /// Harmonic mean of both; 0 where both are.
    pub f1: f64,
    /// Lower end of the 95 % interval of the recall.
    pub recall_low: f64,
    /// Upper end of the 95 % interval of the recall.
    pub recall_high: f64,
}

/// Rows of one class that were taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// What they are.
    pub truth: u32,
    /// What they were taken for.
    pub predicted: u32,
    /// How many.
    pub rows: u64,
    /// Their share of the true class.
    pub share: f64,
}

impl Confusion {
    /// Counts predictions against the truth.
    ///
    /// # Errors
    /// [`Error::NoRows`] without rows, [`Error::Length`] when the lists differ, [`Error::OutOfRange`] for a code that is
    /// no class.
    pub fn new(truth: &[u32], predicted: &[u32], classes: usize) -> Result<Self, Error> {
        if truth.is_empty() {
            return Err(Error::NoRows { what: "a confusion matrix" });
        }
        if truth.len() != predicted.len() {
            let (expected, got) = (truth.len(), predicted.len());
            return Err(Error::Length { what: "predictions", expected, got });
        }
        check_codes(truth, classes)?;
        check_codes(predicted, classes)?;
        let mut confusion = Self::empty(classes);
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            confusion.count(truth as usize, predicted as usize);
        }
        Ok(confusion)
    }

    pub(super) fn empty(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    pub(super) fn count(&mut self, truth: usize, predicted: usize) {
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// Adds the counts of another matrix of as many classes, as when folds are pooled.
    ///
    /// # Errors
    /// [`Error::Length`] when the numbers of classes differ.
    pub fn add(&mut self, other: &Self) -> Result<(), Error> {
        if self.classes != other.classes {
            let (expected, got) = (self.classes, other.classes);
            return Err(Error::Length { what: "classes of a confusion matrix", expected, got });
        }
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        Ok(())
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows of class `truth` that were said to be `predicted`.
    #[must_use]
    pub fn at(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * self.classes + predicted]
    }

    /// All counts of one true class, by predicted class.
    #[must_use]
    pub fn row(&self, truth: usize) -> &[u64] {
        &self.counts[truth * self.classes..(truth + 1) * self.classes]
    }

    /// Number of rows counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Share of rows on the diagonal.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|class| self.at(class, class)).sum();
        share(right, self.rows())
    }

    /// Mean recall over the classes that occur.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls = self.per_class().into_iter().filter(|class| class.support > 0);
        mean(recalls.map(|class| (class.recall, 1.0)))
    }

    /// How each class fares.
    #[must_use]
    pub fn per_class(&self) -> Vec<ClassScore> {
        let mut predicted = vec![0; self.classes];
        for row in self.counts.chunks_exact(self.classes.max(1)) {
            for (sum, count) in predicted.iter_mut().zip(row) {
                *sum += count;
            }
        }
        let score = |class: usize| {
            let hits = self.at(class, class);
            let support: u64 = self.row(class).iter().sum();
            let (recall_low, recall_high) = wilson(hits as f64, support as f64);
            ClassScore {
                support,
                predicted: predicted[class],
                precision: share(hits, predicted[class]),
                recall: share(hits, support),
                // 2pr / (p + r) = 2 hits / (support + predicted), without its division of 0 by 0.
                f1: share(2 * hits, support + predicted[class]),
                recall_low,
                recall_high,
            }
        };
        (0..self.classes).map(score).collect()
    }

    /// Mean precision, recall and F1 over classes.
    ///
    /// A class that neither occurs nor is predicted is left out, as scikit-learn does when it is not given a list of labels:
    /// a fold that lacks a class is not punished for it.
    #[must_use]
    pub fn averages(&self, average: Average) -> Averages {
        let classes = self.per_class();
        let weight = |class: &ClassScore| match average {
            Average::Macro => f64::from(u8::from(class.support + class.predicted > 0)),
            Average::Weighted => class.support as f64,
        };
        let over = |value: fn(&ClassScore) -> f64| {
            mean(classes.iter().map(|class| (value(class), weight(class))))
        };
        Averages {
            precision: over(|class| class.precision),
            recall: over(|class| class.recall),
            f1: over(|class| class.f1),
        }
    }

    /// The `limit` largest mistakes, most rows first; by true and then predicted class among equals.
    #[must_use]
    pub fn mistakes(&self, limit: usize) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for truth in 0..self.classes {
            let support: u64 = self.row(truth).iter().sum();
            for (predicted, &rows) in self.row(truth).iter().enumerate() {
                if predicted != truth && rows > 0 {
                    let share = share(rows, support);
                    let (truth, predicted) = (truth as u32, predicted as u32);
                    mistakes.push(Mistake { truth, predicted, rows, share });
                }
            }
        }
        mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.rows));
        mistakes.truncate(limit);
        mistakes
    }
}

/// A share; 0 of nothing is 0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The mean of weighted values; 0 without weight.
fn mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weight) =
        values.fold((0.0, 0.0), |(s, w), (value, weight)| (s + value * weight, w + weight));
    if weight > 0.0 { sum / weight } else { 0.0 }
}
