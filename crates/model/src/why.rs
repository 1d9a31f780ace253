//! Why a row of a table got its answer, held against other rows: one way for the command line and for the service, so that both say the
//! same.
//!
//! What is held is every row of a small table, and of a larger one every second, fourth, eighth and so on, so that the rows do not depend
//! on chance or on which one is asked about. The background are a hundred of them, evenly spread.

mod gather;

use flowgait_features::{Dataset, layout};
use serde::Serialize;

use crate::artifact::Model;
use crate::error::Error;
use crate::explain::{self, Explanation, GoesOn, Measure, Neighbour, Question};

pub use gather::{Gathered, Others, spread};

/// Rows that an answer is held against: enough for a mean, few enough to be quick.
pub const BACKGROUND_ROWS: usize = 100;

/// A row, and the rows that it is held against.
pub struct Held {
    dataset: Dataset,
    /// The row's place, behind all others.
    own: u32,
    /// The others.
    others: Vec<u32>,
    background: Vec<u32>,
    /// Of each row its number in its table, from 1, and its label.
    numbers: Vec<u64>,
    labels: Vec<Option<String>>,
}

/// Why one class got what it got.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfClass {
    /// The class.
    pub class: String,
    /// `probability`, before it is made true, or `margin`.
    pub measure: &'static str,
    /// What the background gets, on average.
    pub base: f64,
    /// What the row gets: the base and all contributions, so up to rounding in 32 bits what the estimator says.
    pub value: f64,
    /// What each column, or list of columns, did.
    pub columns: Vec<Part>,
}

/// What a column, or a list of them, did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// The column, or what the names of the list begin with.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// How many columns it is.
    pub columns: usize,
    /// The row's value; none for lists, and where it is missing.
    pub value: Option<f32>,
    /// The middle one of the background's; none likewise.
    pub usual: Option<f32>,
    /// How much it moved the answer.
    pub contribution: f64,
    /// The standard error, where chance had a part in it.
    pub error: Option<f64>,
}

/// A row that is like it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alike {
    /// Its number in its table, from 1.
    pub row: u64,
    /// Its label, where the table has one.
    pub label: Option<String>,
    /// Its answer.
    pub prediction: String,
    /// From 0, the same, to 1, at the other end.
    pub distance: f64,
}

impl Held {
    /// The row's probabilities, one for each class.
    ///
    /// # Errors
    /// As [`Model::predict_proba_of`].
    pub fn said(&self, model: &Model) -> Result<Vec<f32>, Error> {
        Ok(model.predict_proba_of(&self.dataset, &[self.own])?.row(0).to_vec())
    }

    /// The row's label, where its table has one.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.labels[self.own as usize].as_deref()
    }

    /// Whether there is no other row to hold it against.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.background.is_empty()
    }

    /// Rows of the background.
    #[must_use]
    pub fn background_rows(&self) -> usize {
        self.background.len()
    }

    /// Why some classes got what they got; chance, where it has a part in it, is that of the seed.
    ///
    /// # Errors
    /// As [`explain::explain_while`].
    pub fn why(
        &self,
        model: &Model,
        classes: &[u32],
        seed: u64,
        goes_on: GoesOn<'_>,
    ) -> Result<Vec<OfClass>, Error> {
        let together = layout::together(model.schema());
        let players: Vec<Vec<usize>> =
            together.iter().map(|(_, columns)| columns.clone()).collect();
        let question = Question {
            columns: &self.dataset.columns,
            row: self.own,
            background: &self.background,
            classes,
            players: &players,
        };
        let explained = explain::explain_while(model.estimator(), &question, seed, goes_on)?;
        let of_class = |(of, &class): (&Explanation, &u32)| {
            let columns: Vec<Part> = together
                .iter()
                .enumerate()
                .map(|(at, (name, columns))| self.part(model, name, columns, of, at))
                .collect();
            let moved: f64 = of.contributions.iter().sum();
            OfClass {
                class: model.classes()[class as usize].clone(),
                measure: match of.measure {
                    Measure::Probability => "probability",
                    Measure::Margin => "margin",
                },
                base: of.base,
                value: of.base + moved,
                columns,
            }
        };
        Ok(explained.iter().zip(classes).map(of_class).collect())
    }

    fn part(
        &self,
        model: &Model,
        name: &str,
        columns: &[usize],
        of: &Explanation,
        at: usize,
    ) -> Part {
        let alone = columns.len() == 1;
        let values = &self.dataset.columns[columns[0]];
        let value = values[self.own as usize];
        Part {
            name: name.to_owned(),
            unit: model.schema().features[columns[0]].unit.clone(),
            columns: columns.len(),
            value: (alone && !value.is_nan()).then_some(value),
            usual: if alone { middle(values, &self.background) } else { None },
            contribution: of.contributions[at],
            error: of.errors.get(at).copied(),
        }
    }

    /// Other rows that are most like it in what decided about a class.
    ///
    /// # Errors
    /// As [`Model::predict_proba_of`].
    pub fn alike(&self, model: &Model, of: &OfClass, count: usize) -> Result<Vec<Alike>, Error> {
        let together = layout::together(model.schema());
        let mut weights = vec![0.0; self.dataset.columns.len()];
        // A list's share is spread over its columns.
        for (part, (_, columns)) in of.columns.iter().zip(&together) {
            let each = part.contribution.abs() / columns.len() as f64;
            columns.iter().for_each(|&column| weights[column] = each);
        }
        let columns = &self.dataset.columns;
        let found = explain::nearest(columns, &weights, self.own, &self.others, count);
        let near: Vec<u32> = found.iter().map(|neighbour| neighbour.row).collect();
        let answers = model.predict_proba_of(&self.dataset, &near)?;
        let alike = |(at, neighbour): (usize, &Neighbour)| Alike {
            row: self.numbers[neighbour.row as usize],
            label: self.labels[neighbour.row as usize].clone(),
            prediction: model.classes()[answers.best(at) as usize].clone(),
            distance: neighbour.distance,
        };
        Ok(found.iter().enumerate().map(alike).collect())
    }
}

/// The middle value of some rows; none where all are missing.
fn middle(column: &[f32], rows: &[u32]) -> Option<f32> {
    let mut values: Vec<f32> = rows.iter().map(|&row| column[row as usize]).collect();
    values.retain(|value| !value.is_nan());
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests;
