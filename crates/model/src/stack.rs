//! A judge over several estimators that asks of each likely class only: is this the one?
//!
//! Ordinary stacking learns a weight for each class and has nothing to learn it from where a class has five rows. Here one binary
//! forest learns from all pairs of a row and a candidate class together: what each estimator said of that class, how far behind its
//! best, at which rank, and how much the row is like that class's rows. So 640 rows with twelve candidates each are 7,680 rows.

use flowgait_features::Schema;
use flowgait_features::split::Fold;

use crate::error::Error;
use crate::estimator::Estimator;
use crate::forest::{Forest, ForestParams};
use crate::recipe::Recipe;
use crate::training::{Probabilities, Training};

/// Classes of a row that are asked for, the likeliest by the estimators' mean.
const CANDIDATES: usize = 12;
/// Trees of the judge.
const JUDGE_TREES: usize = 200;
/// Least pairs in a leaf of the judge: its shares are to be probabilities, not votes of one pair.
const JUDGE_LEAF_ROWS: usize = 8;
/// What is left to the estimators' mean, so that a class that is not asked for is not impossible.
const MEAN_SHARE: f32 = 0.02;
/// Numbers about a pair from each estimator, and from the likeness of rows.
const FROM_EACH: usize = 3;
const FROM_LIKENESS: usize = 3;

/// Estimators and their judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    pub(crate) bases: Vec<Estimator>,
    /// Classes of the rows that the bases learnt from, in their order.
    pub(crate) codes: Vec<u32>,
    pub(crate) judge: Forest,
}

impl Stack {
    /// Learns the estimators on folds, the judge from what they say of rows that they did not learn from, and the estimators
    /// anew on all rows.
    ///
    /// # Errors
    /// [`Error::NoRows`] without recipes or folds; as [`Recipe::fit`].
    pub fn fit(
        recipes: &[Recipe],
        schema: &Schema,
        training: &Training<'_>,
        folds: &[Fold],
        seed: u64,
    ) -> Result<Self, Error> {
        if recipes.is_empty() || folds.is_empty() {
            return Err(Error::NoRows { what: "estimators or folds of a stack" });
        }
        let fit = |rows: &[u32]| -> Result<Vec<Estimator>, Error> {
            let training = Training { rows, ..*training };
            recipes.iter().map(|recipe| recipe.fit(schema, &training, seed, &|| {})).collect()
        };
        let codes_of = |rows: &[u32]| -> Vec<u32> {
            rows.iter().map(|&row| training.codes[row as usize]).collect()
        };
        let mut pairs = Pairs::new(recipes.len());
        for fold in folds {
            let said = Said::of(&fit(&fold.train)?, &codes_of(&fold.train), training, &fold.test)?;
            for (at, truth) in codes_of(&fold.test).into_iter().enumerate() {
                pairs.add(&said, at, Some(truth));
            }
        }
        let rows: Vec<u32> = (0..pairs.is_it.len() as u32).collect();
        let of_pairs = Training {
            columns: &pairs.columns,
            rows: &rows,
            codes: &pairs.is_it,
            classes: 2,
            class_weights: None,
        };
        let judge =
            ForestParams::new().trees(JUDGE_TREES).leaf_rows_min(JUDGE_LEAF_ROWS).check()?;
        Ok(Self {
            judge: judge.fit(&of_pairs, seed)?,
            bases: fit(training.rows)?,
            codes: codes_of(training.rows),
        })
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.bases[0].classes()
    }

    /// Number of columns that it was fitted on.
    #[must_use]
    pub fn features(&self) -> usize {
        self.bases[0].features()
    }

    /// Number of columns that the judge sees.
    pub(crate) fn judge_columns(&self) -> usize {
        self.bases.len() * FROM_EACH + FROM_LIKENESS
    }

    /// Probabilities of some rows.
    ///
    /// # Errors
    /// When there are not as many columns as it was fitted on, columns differ in length, or `rows` go beyond them.
    pub fn predict_proba(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        let classes = self.classes();
        let table = Training { columns, rows: &[], codes: &[], classes, class_weights: None };
        let said = Said::of(&self.bases, &self.codes, &table, rows)?;
        let mut pairs = Pairs::new(self.bases.len());
        let candidates: Vec<Vec<u32>> =
            (0..rows.len()).map(|at| pairs.add(&said, at, None)).collect();
        let asked: Vec<u32> = (0..pairs.is_it.len() as u32).collect();
        let judged = self.judge.predict_proba(&pairs.columns, &asked)?;
        let mut values = Vec::with_capacity(rows.len() * classes);
        let mut pair = 0;
        for (at, candidates) in candidates.iter().enumerate() {
            let mut row = said.mean(at);
            row.iter_mut().for_each(|value| *value *= MEAN_SHARE);
            let yes: Vec<f32> = (pair..pair + candidates.len()).map(|p| judged.row(p)[1]).collect();
            pair += candidates.len();
            let sum: f32 = yes.iter().sum();
            for (&class, yes) in candidates.iter().zip(yes) {
                // Where the judge denies them all, the estimators' mean is all there is.
                let share = if sum > 0.0 { yes / sum } else { said.mean_of(at, class) };
                row[class as usize] += (1.0 - MEAN_SHARE) * share;
            }
            let all: f32 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= all);
            values.extend(row);
        }
        Ok(Probabilities { classes, values })
    }
}

/// What estimators say of some rows.
struct Said {
    classes: usize,
    by: Vec<Probabilities>,
    /// For each row and class: the greatest and the mean likeness to a row of that class.
    likeness: Vec<[f32; 2]>,
}

impl Said {
    fn of(
        bases: &[Estimator],
        codes: &[u32],
        table: &Training<'_>,
        rows: &[u32],
    ) -> Result<Self, Error> {
        let classes = table.classes;
        let by: Result<Vec<Probabilities>, Error> =
            bases.iter().map(|base| base.predict_proba(table.columns, rows)).collect();
        let mut likeness = vec![[0.0_f32; 2]; rows.len() * classes];
        let linear = bases.iter().find_map(|base| match base {
            Estimator::Linear(linear) => Some(linear),
            _ => None,
        });
        if let Some(linear) = linear {
            let mut counts = vec![0.0_f32; classes];
            codes.iter().for_each(|&class| counts[class as usize] += 1.0);
            for (at, &row) in rows.iter().enumerate() {
                let own = &mut likeness[at * classes..(at + 1) * classes];
                for (alike, &class) in linear.alike(table.columns, row as usize).iter().zip(codes) {
                    let [greatest, mean] = &mut own[class as usize];
                    *greatest = greatest.max(*alike);
                    *mean += alike / counts[class as usize];
                }
            }
        }
        Ok(Self { classes, by: by?, likeness })
    }

    fn mean_of(&self, at: usize, class: u32) -> f32 {
        let sum: f32 = self.by.iter().map(|said| said.row(at)[class as usize]).sum();
        sum / self.by.len() as f32
    }

    fn mean(&self, at: usize) -> Vec<f32> {
        (0..self.classes as u32).map(|class| self.mean_of(at, class)).collect()
    }
}

/// Rows of the judge: a row of the table and a class.
struct Pairs {
    columns: Vec<Vec<f32>>,
    /// 1 where the class is the row's own.
    is_it: Vec<u32>,
}

impl Pairs {
    fn new(bases: usize) -> Self {
        Self { columns: vec![Vec::new(); bases * FROM_EACH + FROM_LIKENESS], is_it: Vec::new() }
    }

    /// Adds a row's pairs; gives its candidates.
    fn add(&mut self, said: &Said, at: usize, truth: Option<u32>) -> Vec<u32> {
        let mean = said.mean(at);
        let mut candidates: Vec<u32> = (0..said.classes as u32).collect();
        candidates.sort_by(|&a, &b| mean[b as usize].total_cmp(&mean[a as usize]).then(a.cmp(&b)));
        candidates.truncate(CANDIDATES);
        let likeness = &said.likeness[at * said.classes..(at + 1) * said.classes];
        let most_alike = likeness.iter().map(|[greatest, _]| *greatest).fold(0.0, f32::max);
        for &class in &candidates {
            let mut columns = self.columns.iter_mut();
            let mut push = |value: f32| columns.next().expect("a column for each").push(value);
            for by in &said.by {
                let row = by.row(at);
                let own = row[class as usize];
                let best = row.iter().copied().fold(0.0, f32::max);
                push(own);
                push(best - own);
                push(row.iter().filter(|other| **other > own).count() as f32);
            }
            let [greatest, mean] = likeness[class as usize];
            push(greatest);
            push(mean);
            push(most_alike - greatest);
            self.is_it.push(u32::from(truth == Some(class)));
        }
        candidates
    }
}
