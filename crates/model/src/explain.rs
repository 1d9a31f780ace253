//! Why a row got its answer: how much each column moved it away from what rows of a background get on average.
//!
//! The amounts are Shapley values: take the columns of the row one after the other in place of those of a background row, note what
//! each does to the answer, and take the mean over all orders and all background rows. They always add up to the difference between
//! the row's answer and the background's mean. For trees they are computed exactly, for the others from orders drawn by
//! chance, with their standard error. A vote has the mean of its members' values: exact for its forests, drawn for its boosting, whose
//! exact values are of margins and not of probabilities.
//!
//! # Reference
//! S. Lundberg et al., *From local explanations to global understanding with explainable AI for trees*, Nature Machine Intelligence 2,
//! 2020 (interventional TreeSHAP); E. Štrumbelj, I. Kononenko, *Explaining prediction models and individual predictions with feature
//! contributions*, 2014 (sampling).

mod nearest;
mod sample;
mod trees;
mod voting;

pub use nearest::{Neighbour, nearest};

use crate::error::Error;
use crate::estimator::Estimator;
use crate::training::check_rows;

/// Why one class got what it got.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What is explained.
    pub measure: Measure,
    /// What the background's rows get, on average.
    pub base: f64,
    /// What the row gets.
    pub value: f64,
    /// How much each player moved it, in the order of the players; they sum to `value - base`.
    pub contributions: Vec<f64>,
    /// The standard error of each contribution; empty where they are exact.
    pub errors: Vec<f64>,
}

/// What an explanation explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The probability of the class, before it is made true.
    Probability,
    /// What boosting sums up: the logarithm of the probability, but for what all classes share.
    Margin,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// `[n_features][n_rows]`.
    pub columns: &'a [Vec<f32>],
    /// The row whose answer is to be explained.
    pub row: u32,
    /// The rows that it is held against, at least one.
    pub background: &'a [u32],
    /// The classes to explain.
    pub classes: &'a [u32],
    /// Which columns come and go together: each column in exactly one player.
    pub players: &'a [Vec<usize>],
}

/// Whether somebody still waits for an explanation; once it says no, it goes on saying so.
pub type GoesOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// Explains the answer of an estimator to one row, class by class.
///
/// # Errors
/// When the shapes do not fit together, a class is not there, the background is empty, or players leave out or repeat a column.
pub fn explain(
    estimator: &Estimator,
    question: &Question<'_>,
    seed: u64,
) -> Result<Vec<Explanation>, Error> {
    explain_while(estimator, question, seed, &|| true)
}

/// The same, given up when `goes_on` says no: it is asked many times a second.
///
/// # Errors
/// As [`explain`]; [`Error::GivenUp`].
pub fn explain_while(
    estimator: &Estimator,
    question: &Question<'_>,
    seed: u64,
    goes_on: GoesOn<'_>,
) -> Result<Vec<Explanation>, Error> {
    check(estimator, question)?;
    match estimator {
        Estimator::Forest(forest) => trees::of_forest(forest, question, goes_on),
        Estimator::SizeForest(trees) => trees::of_size_forest(trees, question, goes_on),
        Estimator::Boost(boost) => trees::of_boost(boost, question, goes_on),
        Estimator::Voting(voting) => voting::of_voting(voting, question, seed, goes_on),
        _ => sample::of_any(estimator, question, seed, goes_on),
    }
}

fn check(estimator: &Estimator, question: &Question<'_>) -> Result<(), Error> {
    let (columns, features) = (question.columns, estimator.features());
    if columns.len() != features {
        return Err(Error::ColumnCount { found: columns.len(), expected: features });
    }
    let rows = columns.first().map_or(0, Vec::len);
    check_rows(columns, question.background, rows)?;
    check_rows(columns, &[question.row], rows)?;
    if question.background.is_empty() {
        return Err(Error::NoRows { what: "a background to explain against" });
    }
    if let Some(&class) = question.classes.iter().find(|c| **c as usize >= estimator.classes()) {
        return Err(Error::ClassOutOfRange {
            row: question.row,
            class,
            classes: estimator.classes(),
        });
    }
    let mut seen = vec![false; features];
    for &column in question.players.iter().flatten() {
        match seen.get_mut(column) {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(Error::ColumnCount { found: column, expected: features }),
        }
    }
    match seen.iter().filter(|seen| **seen).count() {
        found if found == features => Ok(()),
        found => Err(Error::ColumnCount { found, expected: features }),
    }
}

/// The player of each column.
fn player_of(question: &Question<'_>) -> Vec<usize> {
    let mut player_of = vec![0; question.columns.len()];
    for (player, columns) in question.players.iter().enumerate() {
        columns.iter().for_each(|&column| player_of[column] = player);
    }
    player_of
}
