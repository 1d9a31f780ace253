//! How good a model's answers are: right or wrong, sure or unsure, class by class.
//!
//! Everything is computed in `f64` and does not depend on the order of the rows. The definitions are
//! scikit-learn's where it has one; each item says where we differ.

mod calibration;
mod confusion;
mod ranking;
mod refusal;

use serde::{Deserialize, Serialize};

pub use calibration::{Calibration, ReliabilityBin};
pub use confusion::{Average, Averages, ClassScore, Confusion, Mistake};
pub use refusal::{RiskCoverage, RiskPoint, UnknownPoint, UnknownScore, unknown_score};

use crate::{Error, Probabilities};

/// Smallest probability that [`Answers::log_loss`] takes the logarithm of, unless told otherwise:
/// scikit-learn's, so one certain mistake costs 36 nats.
pub const LOG_LOSS_FLOOR: f64 = f64::EPSILON;

/// Number of bins of equal mass behind [`Scores::ece`].
pub const CALIBRATION_BINS: usize = 15;

/// How far a row of probabilities may sum from 1: `f32` rounding over a few hundred classes, not more.
const SUM_TOLERANCE: f64 = 1e-3;

/// What a model said of some rows, and what they are.
///
/// # Shapes
/// `truth` is `[n_rows]`, `values` is `[n_rows * classes]`, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a, P> {
    truth: &'a [u32],
    values: &'a [P],
    classes: usize,
}

impl<'a> Answers<'a, f32> {
    /// The probabilities that an estimator gave, and the true class of each of their rows.
    ///
    /// # Errors
    /// As [`Answers::new`].
    pub fn of(truth: &'a [u32], probabilities: &'a Probabilities) -> Result<Self, Error> {
        Self::new(truth, &probabilities.values, probabilities.classes)
    }
}

impl<'a, P: Copy + Into<f64> + Sync> Answers<'a, P> {
    /// Checks and takes the answers.
    ///
    /// # Errors
    /// [`Error::NoRows`] without rows, [`Error::Length`] and [`Error::OutOfRange`] when the shapes disagree,
    /// [`Error::Probabilities`] for a row that is negative, not a number, or off 1 by more than 0.001.
    pub fn new(truth: &'a [u32], values: &'a [P], classes: usize) -> Result<Self, Error> {
        if truth.is_empty() {
            return Err(Error::NoRows { what: "a score" });
        }
        let expected = truth.len().saturating_mul(classes);
        if values.len() != expected {
            return Err(Error::Length { what: "probabilities", expected, got: values.len() });
        }
        check_codes(truth, classes)?;
        for (row, values) in values.chunks_exact(classes).enumerate() {
            let sum: f64 = values.iter().map(|&p| p.into()).sum();
            let negative = values.iter().any(|&p| p.into() < 0.0);
            if negative || !sum.is_finite() || (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(Error::Probabilities { row, sum });
            }
        }
        Ok(Self { truth, values, classes })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The true class of each row.
    #[must_use]
    pub fn truth(&self) -> &'a [u32] {
        self.truth
    }

    /// The most probable class of each row; the lowest code among equals.
    #[must_use]
    pub fn predicted(&self) -> Vec<u32> {
        self.each().map(|(_, row)| best(row).0 as u32).collect()
    }

    /// The probability of the most probable class of each row.
    #[must_use]
    pub fn confidence(&self) -> Vec<f64> {
        self.each().map(|(_, row)| best(row).1).collect()
    }

    /// Counts of true against predicted classes.
    #[must_use]
    pub fn confusion(&self) -> Confusion {
        let mut confusion = Confusion::empty(self.classes);
        for (truth, row) in self.each() {
            confusion.count(truth, best(row).0);
        }
        confusion
    }

    /// Mean of −ln p of the true class, in nats; no p below `floor` counts as less than it.
    #[must_use]
    pub fn log_loss(&self, floor: f64) -> f64 {
        let sum: f64 = self.each().map(|(truth, row)| -row[truth].into().max(floor).ln()).sum();
        // A probability of 1 gives −0, which would print as "−0.000".
        (sum / self.rows() as f64).max(0.0)
    }

    /// Mean squared distance between the probabilities and the truth, summed over classes: 0 to 2.
    ///
    /// # Reference
    /// Brier, *Verification of forecasts expressed in terms of probability*, 1950, eq. 2.
    #[must_use]
    pub fn brier(&self) -> f64 {
        let distance = |(truth, row): (usize, &[P])| -> f64 {
            let off =
                |(class, &p): (usize, &P)| (p.into() - f64::from(u8::from(class == truth))).powi(2);
            row.iter().enumerate().map(off).sum()
        };
        self.each().map(distance).sum::<f64>() / self.rows() as f64
    }

    /// Each row's true class and probabilities.
    fn each(&self) -> impl Iterator<Item = (usize, &'a [P])> {
        let rows = self.values.chunks_exact(self.classes);
        self.truth.iter().map(|&truth| truth as usize).zip(rows)
    }
}

/// Every single-number score of one set of answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of rows judged.
    pub rows: u64,
    /// Share of rows whose most probable class is right.
    pub accuracy: f64,
    /// Mean recall over the classes that occur.
    pub balanced_accuracy: f64,
    /// Mean precision over the classes that occur or are predicted.
    pub precision_macro: f64,
    /// Mean recall over the classes that occur or are predicted.
    pub recall_macro: f64,
    /// Mean F1 over the classes that occur or are predicted.
    pub f1_macro: f64,
    /// Precision, each class weighted by its rows.
    pub precision_weighted: f64,
    /// Recall, each class weighted by its rows.
    pub recall_weighted: f64,
    /// F1, each class weighted by its rows.
    pub f1_weighted: f64,
    /// Mean of −ln p of the true class, in nats, p not below [`LOG_LOSS_FLOOR`].
    pub log_loss: f64,
    /// [`Answers::brier`].
    pub brier: f64,
    /// Share of rows whose true class is among the three most probable.
    pub top3_accuracy: f64,
    /// Share of rows whose true class is among the five most probable.
    pub top5_accuracy: f64,
    /// Expected calibration error over [`CALIBRATION_BINS`] bins of equal mass.
    pub ece: f64,
    /// Mean area under the curve of each class against the rest, over the classes that have one;
    /// none where only one class occurs.
    pub auroc_macro: Option<f64>,
}

impl Scores {
    /// Scores the answers.
    #[must_use]
    pub fn of<P: Copy + Into<f64> + Sync>(answers: &Answers<'_, P>) -> Self {
        let confusion = answers.confusion();
        let plain = confusion.averages(Average::Macro);
        let weighted = confusion.averages(Average::Weighted);
        let top = answers.top_k(5);
        Self {
            rows: answers.rows() as u64,
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            precision_macro: plain.precision,
            recall_macro: plain.recall,
            f1_macro: plain.f1,
            precision_weighted: weighted.precision,
            recall_weighted: weighted.recall,
            f1_weighted: weighted.f1,
            log_loss: answers.log_loss(LOG_LOSS_FLOOR),
            brier: answers.brier(),
            top3_accuracy: top[2],
            top5_accuracy: top[4],
            ece: answers.calibration(CALIBRATION_BINS).ece,
            auroc_macro: answers.auroc_macro(),
        }
    }

    /// Each score under its field's name, in the order of the fields; none where it is undefined.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<f64>); 14] {
        [
            ("accuracy", Some(self.accuracy)),
            ("balanced_accuracy", Some(self.balanced_accuracy)),
            ("precision_macro", Some(self.precision_macro)),
            ("recall_macro", Some(self.recall_macro)),
            ("f1_macro", Some(self.f1_macro)),
            ("precision_weighted", Some(self.precision_weighted)),
            ("recall_weighted", Some(self.recall_weighted)),
            ("f1_weighted", Some(self.f1_weighted)),
            ("log_loss", Some(self.log_loss)),
            ("brier", Some(self.brier)),
            ("top3_accuracy", Some(self.top3_accuracy)),
            ("top5_accuracy", Some(self.top5_accuracy)),
            ("ece", Some(self.ece)),
            ("auroc_macro", self.auroc_macro),
        ]
    }
}

/// The 95 % interval of a share, by Wilson's score; `hits` may be a fraction.
///
/// It takes the rows as independent, which flows of one capture are not: read it as the least doubt there is.
///
/// # Reference
/// Wilson, *Probable inference, the law of succession, and statistical inference*, JASA 1927.
#[must_use]
pub fn wilson(hits: f64, rows: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if rows <= 0.0 {
        return (0.0, 1.0);
    }
    let share = hits / rows;
    let middle = share + Z * Z / (2.0 * rows);
    let half = Z * (share * (1.0 - share) / rows + Z * Z / (4.0 * rows * rows)).max(0.0).sqrt();
    let scale = 1.0 + Z * Z / rows;
    // Rounding may leave the interval a hair outside of the share itself at 0 and 1.
    (((middle - half) / scale).clamp(0.0, share), ((middle + half) / scale).clamp(share, 1.0))
}

/// The most probable class and its probability; the lowest class among equals.
fn best<P: Copy + Into<f64>>(row: &[P]) -> (usize, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &p) in row.iter().enumerate() {
        let p = p.into();
        if p > best.1 {
            best = (class, p);
        }
    }
    best
}

/// Every code is a class.
pub(crate) fn check_codes(codes: &[u32], classes: usize) -> Result<(), Error> {
    match codes.iter().position(|&code| code as usize >= classes) {
        Some(place) => Err(Error::OutOfRange {
            what: "class",
            place,
            index: u64::from(codes[place]),
            limit: classes,
        }),
        None => Ok(()),
    }
}
