//! A linear classifier on bags of packet sizes and on ranked numbers: for many classes with few examples of each.
//!
//! Each class is learnt against all others by a support vector machine. What is kept is not a weight for each token but the
//! training rows with their pull on each class: with few rows and many tokens that is smaller by far, and the same sums.
//!
//! Sketch: 640 rows of some 400 tokens and 128 classes take a second of one core to learn and 0.1 ms to answer a row.

pub(crate) mod ranks;
mod svm;
mod temperature;
pub(crate) mod tfidf;
pub(crate) mod tokens;

use flowgait_features::layout::Layout;
use rayon::prelude::*;

use crate::error::Error;
use crate::training::{Probabilities, Training, check_rows};
use ranks::Ranks;
use svm::Rows;
use tfidf::{Sparse, Vocabulary};
use tokens::Tokens;

/// More rows than this are not learnt from: trees do better there, and every answer would look at every row.
pub const ROWS_MAX: usize = 20_000;

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearParams {
    /// The penalty of a row on the wrong side, C.
    pub penalty: f32,
    /// How much all plain numbers together weigh at most beside the tokens of a row, which weigh 1; 0 leaves them out.
    pub numbers: f32,
    /// Whether a row of a rare class weighs more, so that all classes weigh alike.
    pub balanced: bool,
}

impl Default for LinearParams {
    fn default() -> Self {
        Self { penalty: 1.0, numbers: 1.0, balanced: false }
    }
}

/// A fitted classifier.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    pub(crate) layout: Layout,
    pub(crate) features: usize,
    pub(crate) classes: usize,
    pub(crate) tokens: Tokens,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) ranks: Ranks,
    pub(crate) numbers: f32,
    /// The training rows' tokens.
    pub(crate) rows: Sparse,
    /// How much each of them pulls towards each class: `[rows][classes]`.
    pub(crate) pulls: Vec<f32>,
    /// Weights of the ranked numbers: `[ranks][classes]`.
    pub(crate) number_weights: Vec<f32>,
    pub(crate) intercepts: Vec<f32>,
    /// Margins are multiplied by this before they become probabilities.
    pub(crate) sharpness: f32,
    /// For each token the training rows that have it; follows from `rows`.
    pub(crate) holders: Sparse,
}

impl LinearParams {
    /// Learns.
    ///
    /// # Errors
    /// When the shapes do not fit together ([`Training::check`]); [`Error::TooMany`] above [`ROWS_MAX`] rows;
    /// [`Error::Parameter`] when the penalty is not above 0 or the weight of numbers is negative.
    pub fn fit(&self, training: &Training<'_>, layout: Layout, seed: u64) -> Result<Linear, Error> {
        training.check()?;
        self.check()?;
        if training.rows.len() > ROWS_MAX {
            let (what, found) = ("rows of a linear classifier", training.rows.len());
            return Err(Error::TooMany { what, found, limit: ROWS_MAX });
        }
        let mut fitted = self.machine(training, layout, seed);
        fitted.sharpness = temperature::sharpness(self, training, &fitted.layout, seed);
        Ok(fitted)
    }

    fn check(&self) -> Result<(), Error> {
        let rules = [
            ("penalty", self.penalty, self.penalty > 0.0, "it must be a number above 0"),
            ("numbers", self.numbers, self.numbers >= 0.0, "it must be a number of at least 0"),
        ];
        match rules.into_iter().find(|(_, value, holds, _)| !(*holds && value.is_finite())) {
            Some((name, value, _, rule)) => {
                Err(Error::Parameter { name, value: value.to_string(), rule })
            }
            None => Ok(()),
        }
    }

    /// The support vector machines, with margins as they are.
    fn machine(&self, training: &Training<'_>, layout: Layout, seed: u64) -> Linear {
        let tokens = Tokens::draw(seed);
        let columns = training.columns;
        let bags: Vec<Vec<u64>> = training
            .rows
            .par_iter()
            .map(|&row| tokens.of(&layout, columns, row as usize))
            .collect();
        let vocabulary = Vocabulary::learn(&bags);
        let scalars = if self.numbers > 0.0 { layout.scalars.as_slice() } else { &[] };
        let ranks = Ranks::learn(scalars, columns, training.rows);
        let (mut rows, mut both) = (Sparse::default(), Sparse::default());
        let mut numbers = Vec::with_capacity(training.rows.len());
        for (bag, &row) in bags.iter().zip(training.rows) {
            let mut known = vocabulary.row(bag);
            rows.push(&known);
            let ranked = ranks.row(columns, row as usize, self.numbers);
            let places = vocabulary.tokens.len() as u32..;
            known.extend(places.zip(ranked.iter().copied()));
            both.push(&known);
            numbers.push(ranked);
        }
        let codes: Vec<u32> = training.rows.iter().map(|&r| training.codes[r as usize]).collect();
        let learnt = svm::learn(
            &Rows {
                sparse: &both,
                width: vocabulary.tokens.len() + ranks.columns.len(),
                codes: &codes,
                classes: training.classes,
                penalties: &self.penalties(training, &codes),
            },
            seed,
        );
        let classes = training.classes;
        let mut pulls = vec![0.0; codes.len() * classes];
        let mut number_weights = vec![0.0; ranks.columns.len() * classes];
        for (class, pulled) in learnt.pulls.iter().enumerate() {
            for (row, &pull) in pulled.iter().enumerate() {
                pulls[row * classes + class] = pull;
                for (place, value) in numbers[row].iter().enumerate() {
                    number_weights[place * classes + class] += pull * value;
                }
            }
        }
        let holders = holders(&rows, vocabulary.tokens.len());
        Linear {
            layout,
            features: columns.len(),
            classes,
            tokens,
            vocabulary,
            ranks,
            numbers: self.numbers,
            rows,
            pulls,
            number_weights,
            intercepts: learnt.intercepts,
            sharpness: 1.0,
            holders,
        }
    }

    /// The penalty of each row.
    fn penalties(&self, training: &Training<'_>, codes: &[u32]) -> Vec<f32> {
        let mut weights = match training.class_weights {
            Some(weights) => weights[..training.classes].to_vec(),
            None => vec![1.0; training.classes],
        };
        if self.balanced {
            let mut counts = vec![0_u32; training.classes];
            codes.iter().for_each(|&class| counts[class as usize] += 1);
            let present = counts.iter().filter(|count| **count > 0).count() as f32;
            for (weight, count) in weights.iter_mut().zip(counts) {
                *weight *= codes.len() as f32 / (present * count.max(1) as f32);
            }
        }
        codes.iter().map(|&class| self.penalty * weights[class as usize]).collect()
    }
}

impl Linear {
    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of columns of the table that it was fitted on.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Probabilities: the margins' softmax, as sharp as held-out training rows were right.
    ///
    /// # Errors
    /// When there are not as many columns as it was fitted on, columns differ in length, or `rows` go beyond them.
    pub fn predict_proba(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        let mut said = self.margins(columns, rows)?;
        for row in said.values.chunks_mut(self.classes) {
            softmax(row, self.sharpness);
        }
        Ok(said)
    }

    /// How far each row lies on each class's side, unbounded; the greatest is the answer.
    ///
    /// # Errors
    /// As [`Linear::predict_proba`].
    pub fn margins(&self, columns: &[Vec<f32>], rows: &[u32]) -> Result<Probabilities, Error> {
        if columns.len() != self.features {
            let (found, expected) = (columns.len(), self.features);
            return Err(Error::ColumnCount { found, expected });
        }
        check_rows(columns, rows, columns.first().map_or(0, Vec::len))?;
        let margins = |row: &u32| self.margins_of(columns, *row as usize);
        let values: Vec<Vec<f32>> = rows.par_iter().map(margins).collect();
        Ok(Probabilities { classes: self.classes, values: values.concat() })
    }

    fn margins_of(&self, columns: &[Vec<f32>], row: usize) -> Vec<f32> {
        let mut margins = self.intercepts.clone();
        let mut add = |weights: &[f32], factor: f32| {
            margins.iter_mut().zip(weights).for_each(|(margin, w)| *margin += factor * w);
        };
        let alike = self.alike(columns, row);
        for (pulls, likeness) in self.pulls.chunks(self.classes).zip(alike) {
            if likeness > 0.0 {
                add(pulls, likeness);
            }
        }
        let ranked = self.ranks.row(columns, row, self.numbers);
        for (weights, rank) in self.number_weights.chunks(self.classes).zip(ranked) {
            add(weights, rank);
        }
        margins
    }

    /// The cosine of a row's tokens with those of each training row.
    pub(crate) fn alike(&self, columns: &[Vec<f32>], row: usize) -> Vec<f32> {
        let tokens = self.tokens.of(&self.layout, columns, row);
        let mut alike = vec![0.0; self.rows.rows()];
        for (token, weight) in self.vocabulary.row(&tokens) {
            let (holders, values) = self.holders.row(token as usize);
            for (&holder, value) in holders.iter().zip(values) {
                alike[holder as usize] += weight * value;
            }
        }
        alike
    }
}

/// The rows the other way round: for each place the rows that have it, with their value there.
pub(crate) fn holders(rows: &Sparse, width: usize) -> Sparse {
    let mut by_place: Vec<Vec<(u32, f32)>> = vec![Vec::new(); width];
    for row in 0..rows.rows() {
        let (places, values) = rows.row(row);
        for (&place, &value) in places.iter().zip(values) {
            by_place[place as usize].push((row as u32, value));
        }
    }
    let mut holders = Sparse::default();
    by_place.iter().for_each(|place| holders.push(place));
    holders
}

fn softmax(margins: &mut [f32], sharpness: f32) {
    let highest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    margins.iter_mut().for_each(|margin| *margin = (sharpness * (*margin - highest)).exp());
    let sum: f32 = margins.iter().sum();
    margins.iter_mut().for_each(|margin| *margin /= sum);
}
