//! Whether traffic drifted: one model's answers and columns before a moment, held against those since.
//!
//! A model answers by what it learnt, and traffic moves on: applications are changed, users bring new ones, networks are rebuilt. Three
//! things can be seen of it: the columns move ([`Shift`]), the scores fall ([`Side`]), and single classes change ([`ClassDrift`]). Each
//! stands beside what chance alone would do, because two samples of the same traffic differ too.
//!
//! Every test here takes flows as strangers to each other. Flows of one client or one session move together, so that between few of
//! those a difference may be found that says more about them than about the traffic.
//!
//! # Reference
//! J. Gama, I. Žliobaitė, A. Bifet, M. Pechenizkiy, A. Bouchachia, *A Survey on Concept Drift Adaptation*, ACM Computing Surveys 46, 2014,
//! section 2; L. Yang, A. Finamore, F. Jun, D. Rossi, *Deep Learning and Zero-Day Traffic Classification*, IEEE TNSM 18, 2021, for classes
//! that were never learnt.

mod classes;
mod distance;
mod significance;

use flowgait_features::Feature;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::chance::shuffle;
use crate::metrics::{Answers, check_codes, wilson};
use crate::{Error, Probabilities};
use distance::Part;

/// Chance of one false alarm or more, among all that is looked at.
pub const LEVEL: f64 = 0.05;

/// How often the marks are put on other rows, to see what chance gives.
const DRAWS: u32 = 200;

/// Most rows of a side whose columns are compared: a distance of 0.02 is beyond chance by so many, and more cost time only.
const ROWS_MAX: usize = 10_000;

/// Features that are told by name.
const FEATURES_TOLD: usize = 10;

/// Rows on both sides of a moment, and what a model says of them.
///
/// # Shapes
/// Every column, `truth`, `said` and `since` have a value a row.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// What the columns are.
    pub features: &'a [Feature],
    /// The columns.
    pub columns: &'a [Vec<f32>],
    /// How much the model looks at each column; none where it does not know, and then all weigh alike.
    pub importance: &'a [f32],
    /// Names of the classes: those that the model learnt, then those that it never did.
    pub classes: &'a [String],
    /// How many of the classes the model learnt.
    pub learnt: usize,
    /// The true class of each row.
    pub truth: &'a [u32],
    /// What the model says of each row, over all of the classes.
    pub said: &'a Probabilities,
    /// Whether the row is of the time since.
    pub since: &'a [bool],
}

/// What changed at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The moment, in words; whoever measured fills it in.
    pub moment: String,
    /// How flows of before came apart into folds, in words, where models of those answer both sides; none where the judged model does itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<String>,
    /// Scores on what was before it.
    pub before: Side,
    /// Scores on what is since.
    pub since: Side,
    /// How far the columns moved.
    pub shift: Shift,
    /// What became of each class that occurs: those with an alarm first, the largest change in front.
    pub classes: Vec<ClassDrift>,
    /// What else a reader must know, as sentences.
    pub notes: Vec<String>,
}

/// Scores on one side of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Number of rows.
    pub rows: u64,
    /// Share of right answers.
    pub accuracy: f64,
    /// Lower end of its 95 % interval.
    pub accuracy_low: f64,
    /// Upper end of its 95 % interval.
    pub accuracy_high: f64,
    /// Mean of F1 over the classes that occur on this side.
    pub f1_macro: f64,
}

/// How far the columns moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Between all rows before and all since, whatever their classes.
    pub all: Extent,
    /// Between rows of one class, as the mean over the rows of classes that are on both sides: what is no new mix of classes.
    pub within: Option<Extent>,
    /// How many draws tell what chance gives.
    pub draws: u32,
    /// Rows compared, before and since: all, or a sample of many.
    pub rows: (u64, u64),
    /// Whether the model tells the importance of its columns; otherwise all weigh alike.
    pub weighed: bool,
    /// The features that add most to the sum, largest part first.
    pub features: Vec<Moved>,
}

/// How far columns moved on the whole, and how far chance alone would have moved them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extent {
    /// Sum of the columns' distances (0 to 1), each weighted by its share of importance: 0 to 1.
    pub sum: f64,
    /// What the sum stays at or below in 95 of 100 draws in which chance says which rows are of before and which of since.
    pub chance: f64,
    /// The chance of such a sum or a larger one.
    pub p_value: f64,
}

/// How far one feature moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Its name.
    pub name: String,
    /// Its unit; empty without one.
    pub unit: String,
    /// Its share of the model's importance.
    pub importance: f64,
    /// Its distance by Kolmogorov and Smirnov, missing values being a place of their own: 0 for the same, 1 for nothing in common.
    pub distance: f64,
    /// Its median, of the values that are there.
    pub median: Change<Option<f64>>,
    /// Share of rows in which it is missing.
    pub missing: Change<f64>,
}

/// Something before and since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// Before the moment.
    pub before: T,
    /// Since then.
    pub since: T,
}

/// What became of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassDrift {
    /// Its name.
    pub class: String,
    /// Whether the model learnt it.
    pub learnt: bool,
    /// Number of its rows.
    pub rows: Change<u64>,
    /// Its share of all rows.
    pub volume: Change<f64>,
    /// The share of all rows that the model says are of it.
    pub said: Change<f64>,
    /// Share of its rows that the model finds; none without rows.
    pub recall: Change<Option<f64>>,
    /// Mean confidence of the answers to its rows, right or wrong; none without rows.
    pub confidence: Change<Option<f64>>,
    /// Why somebody should look, where somebody should.
    pub alarm: Option<Alarm>,
}

/// Why somebody should look at a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Of what kind it is.
    pub kind: AlarmKind,
    /// What changed beyond chance; nothing for a class that was never learnt.
    pub measures: Vec<Measure>,
    /// The same in words.
    pub reason: String,
    /// The smallest p-value of what changed, by Holm's correction over all that was tested; none for a class that was never learnt.
    pub p_value: Option<f64>,
}

/// The kinds of alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// The class occurs only since, and the model never learnt it.
    NeverLearnt,
    /// Its volume, recall or confidence changed beyond chance.
    Changed,
}

/// Something of a class that may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Its share of all rows, in truth.
    Volume,
    /// The share of its rows that the model finds.
    Recall,
    /// The confidence of the answers to its rows.
    Confidence,
}

impl Drift {
    /// Holds what was before against what is since.
    ///
    /// For each class that was learnt: its volume and its recall by Fisher's exact test, the confidence of answers to its rows by the
    /// rank-sum test, and all of these together under Holm's correction at [`LEVEL`].
    ///
    /// # Errors
    /// [`Error::NoRows`] for an empty side; [`Error::Length`], [`Error::OutOfRange`] and [`Error::Probabilities`] when the shapes disagree.
    pub fn of(sides: &Sides<'_>, seed: u64) -> Result<Self, Error> {
        check(sides)?;
        let rows = |since: bool| -> Vec<u32> {
            let rows = (0_u32..).zip(sides.since);
            rows.filter(|(_, mark)| **mark == since).map(|(row, _)| row).collect()
        };
        let rows = Change { before: rows(false), since: rows(true) };
        Ok(Self {
            moment: String::new(),
            folds: None,
            before: side(sides, &rows.before)?,
            since: side(sides, &rows.since)?,
            shift: shift(sides, &rows, seed),
            classes: classes::classes(sides, &rows),
            notes: Vec::new(),
        })
    }

    /// The classes with an alarm.
    pub fn alarms(&self) -> impl Iterator<Item = (&ClassDrift, &Alarm)> {
        self.classes.iter().filter_map(|class| Some((class, class.alarm.as_ref()?)))
    }
}

impl Extent {
    fn of(parts: &[Part], weights: &[f64], seed: u64) -> Self {
        let sum = distance::weighted(parts, weights);
        let drawn = distance::by_chance(parts, weights, DRAWS, seed);
        // Sums of the same parts may differ in their last digits.
        let reached = drawn.iter().filter(|drawn| **drawn >= sum - 1e-12).count();
        // So many of the draws and the sum itself together are the level: a sum beyond this point has a p-value below it.
        let at = (f64::from(DRAWS + 1) * (1.0 - LEVEL)).ceil() as usize - 1;
        let p_value = (reached + 1) as f64 / (drawn.len() + 1) as f64;
        Self { sum, chance: drawn[at], p_value }
    }

    /// Whether the columns moved further than chance would move them.
    #[must_use]
    pub fn is_beyond_chance(&self) -> bool {
        self.p_value <= LEVEL
    }
}

fn check(sides: &Sides<'_>) -> Result<(), Error> {
    let rows = sides.since.len();
    let length = |what, expected, got| match expected == got {
        true => Ok(()),
        false => Err(Error::Length { what, expected, got }),
    };
    length("classes of the rows", rows, sides.truth.len())?;
    length("answers", rows, sides.said.rows())?;
    length("names of classes", sides.said.classes, sides.classes.len())?;
    length("columns", sides.features.len(), sides.columns.len())?;
    if !sides.importance.is_empty() {
        length("importances", sides.columns.len(), sides.importance.len())?;
    }
    for column in sides.columns {
        length("values of a column", rows, column.len())?;
    }
    check_codes(sides.truth, sides.classes.len())
}

fn side(sides: &Sides<'_>, rows: &[u32]) -> Result<Side, Error> {
    if rows.is_empty() {
        return Err(Error::NoRows { what: "each side of the moment" });
    }
    let truth: Vec<u32> = rows.iter().map(|&row| sides.truth[row as usize]).collect();
    let values = rows.iter().flat_map(|&row| sides.said.row(row as usize)).copied().collect();
    let said = Probabilities { classes: sides.said.classes, values };
    let confusion = Answers::of(&truth, &said)?.confusion();
    let (accuracy, count) = (confusion.accuracy(), rows.len() as f64);
    let (accuracy_low, accuracy_high) = wilson(accuracy * count, count);
    // Of a class that is only predicted here, a single answer would count as much as a class that is there.
    let own = confusion.per_class();
    let own: Vec<f64> =
        own.iter().filter(|class| class.support > 0).map(|class| class.f1).collect();
    let f1_macro = own.iter().sum::<f64>() / own.len() as f64;
    Ok(Side { rows: rows.len() as u64, accuracy, accuracy_low, accuracy_high, f1_macro })
}

fn shift(sides: &Sides<'_>, rows: &Change<Vec<u32>>, seed: u64) -> Shift {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // The draws of marks use the streams from 0 on.
    rng.set_stream(u64::MAX);
    let mut some = |rows: &[u32]| {
        let mut rows = rows.to_vec();
        if rows.len() > ROWS_MAX {
            shuffle(&mut rows, &mut rng);
            rows.truncate(ROWS_MAX);
        }
        rows
    };
    let (before, since) = (some(&rows.before), some(&rows.since));
    let compared = [before.as_slice(), &since].concat();
    let marks: Vec<bool> = (0..compared.len()).map(|at| at >= before.len()).collect();
    let weights = weights(sides);
    let within = of_classes(sides, &compared, &marks);
    let within = (!within.is_empty()).then(|| Extent::of(&within, &weights, seed));
    let all = Part::of(sides.columns, &compared, marks);
    let mut order: Vec<(usize, f64)> = all.distances().enumerate().collect();
    let part = |&(column, distance): &(usize, f64)| weights[column] * distance;
    order.sort_by(|a, b| part(b).total_cmp(&part(a)).then(b.1.total_cmp(&a.1)));
    let told = order.iter().filter(|told| told.1 > 0.0).take(FEATURES_TOLD);
    let moved = |&(at, distance): &(usize, f64)| {
        let (feature, column) = (&sides.features[at], &sides.columns[at]);
        let ((before, gone_before), (since, gone_since)) =
            (median(column, &before), median(column, &since));
        Moved {
            name: feature.name.clone(),
            unit: feature.unit.clone(),
            importance: weights[at],
            distance,
            median: Change { before, since },
            missing: Change { before: gone_before, since: gone_since },
        }
    };
    Shift {
        all: Extent::of(&[all], &weights, seed),
        within,
        draws: DRAWS,
        rows: (before.len() as u64, since.len() as u64),
        weighed: is_weighed(sides),
        features: told.map(moved).collect(),
    }
}

/// The rows of each class that has some on both sides.
fn of_classes(sides: &Sides<'_>, rows: &[u32], marks: &[bool]) -> Vec<Part> {
    let mut own = vec![(Vec::new(), Vec::new()); sides.classes.len()];
    for (&row, &mark) in rows.iter().zip(marks) {
        let (rows, marks) = &mut own[sides.truth[row as usize] as usize];
        rows.push(row);
        marks.push(mark);
    }
    let both = |marks: &[bool]| marks.contains(&true) && marks.contains(&false);
    let own = own.into_iter().filter(|(_, marks)| both(marks));
    own.map(|(rows, marks)| Part::of(sides.columns, &rows, marks)).collect()
}

fn is_weighed(sides: &Sides<'_>) -> bool {
    sides.importance.iter().any(|importance| *importance > 0.0)
}

/// Each column's share of the model's importance, or the same for all.
fn weights(sides: &Sides<'_>) -> Vec<f64> {
    if !is_weighed(sides) {
        return vec![1.0 / sides.columns.len().max(1) as f64; sides.columns.len()];
    }
    let weights = sides.importance.iter().map(|&importance| f64::from(importance.max(0.0)));
    let sum: f64 = weights.clone().sum();
    weights.map(|weight| weight / sum).collect()
}

/// The median of the values that are there, and the share of rows in which there is none.
fn median(column: &[f32], rows: &[u32]) -> (Option<f64>, f64) {
    let mut values: Vec<f32> =
        rows.iter().map(|&row| column[row as usize]).filter(|value| !value.is_nan()).collect();
    let missing = (rows.len() - values.len()) as f64 / rows.len().max(1) as f64;
    values.sort_unstable_by(f32::total_cmp);
    let middle = |at: usize| values.get(at).map(|&value| f64::from(value));
    let median = match values.len() {
        0 => None,
        count => middle((count - 1) / 2).zip(middle(count / 2)).map(|(a, b)| f64::midpoint(a, b)),
    };
    (median, missing)
}

#[cfg(test)]
mod tests;
