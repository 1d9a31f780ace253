//! Random forests and extremely randomised trees on columns cut into 255 bins.
//!
//! The same seed gives the same forest on every machine and for any number of threads: a tree's chance
//! comes from the seed and its index, and sums are made in one order.
//!
//! ```
//! use flowgait_model::{Training, forest::ForestParams};
//!
//! let columns = [vec![1.0, 2.0, 10.0, 11.0], vec![f32::NAN, 0.0, 0.0, f32::NAN]];
//! let training = Training {
//!     columns: &columns,
//!     rows: &[0, 1, 2, 3],
//!     codes: &[0, 0, 1, 1],
//!     classes: 2,
//!     class_weights: None,
//! };
//! let forest = ForestParams::new().trees(50).check()?.fit(&training, 7)?;
//! let probabilities = forest.predict_proba(&columns, &[0, 3])?;
//! assert_eq!(probabilities.best(0), 0);
//! assert_eq!(probabilities.best(1), 1);
//! # Ok::<(), flowgait_model::Error>(())
//! ```
//!
//! # Reference
//! L. Breiman, *Random Forests*, Machine Learning 45, 2001. P. Geurts, D. Ernst, L. Wehenkel, *Extremely
//! randomized trees*, Machine Learning 63, 2006; a border drawn between two values becomes the nearest one
//! between two bins.

pub(crate) mod bin;
pub(crate) mod columns;
mod edges;
mod grow;
mod growth;
mod keyed;
pub(crate) mod pack;
mod params;
mod pool;
pub(crate) mod predict;
mod shared;
mod site;
mod split;
pub(crate) mod tree;

use rayon::prelude::*;

pub use edges::{ColumnCounts, Edges};
pub use growth::{Growth, Question, Split};
pub use params::{
    ClassWeights, FeaturesTried, ForestParams, Sampling, TREES_MAX, Thresholds, ValidForestParams,
};
pub use site::Site;

use crate::{
    error::Error,
    training::{Probabilities, Training, check_rows, class_weights},
};
use bin::{Bins, MISSING, Place};
use columns::Columns;
use grow::{Ground, Grower, Limits};
use pack::Tree;
use split::Amount;

/// Most memory of a block of binned rows, in octets: it shares the second-level cache with a tree.
const BLOCK_OCTETS: usize = 1 << 18;
/// Most rows of a block.
const BLOCK_ROWS: usize = 4_096;

/// A trained forest.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    pub(crate) bins: Bins,
    pub(crate) classes: usize,
    /// Octets of a binned row, as the trees number them.
    pub(crate) places: Vec<Place>,
    pub(crate) trees: Vec<Tree>,
    pub(crate) importance: Vec<f32>,
}

impl ValidForestParams {
    /// Learns a forest.
    ///
    /// Threads are those of the surrounding rayon pool; the result does not depend on them.
    ///
    /// # Errors
    /// When the shapes of `training` do not fit together ([`Training::check`]).
    pub fn fit(&self, training: &Training, seed: u64) -> Result<Forest, Error> {
        self.fit_with(training, seed, &|| {})
    }

    /// Learns a forest and calls `tree_done` after each tree, from any thread.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_with(
        &self,
        training: &Training,
        seed: u64,
        tree_done: &(dyn Fn() + Sync),
    ) -> Result<Forest, Error> {
        training.check()?;
        let features = training.columns.len();
        let (bins, typical) = Bins::learn(training.columns, training.rows);
        let places: Vec<Place> = (0..features).map(|feature| Place { feature, shift: 0 }).collect();
        let stride = bin::stride(features);
        let lines = bin_rows(&bins, training.columns, training.rows, &places, stride);
        let classes: Vec<u16> =
            training.rows.iter().map(|&row| training.codes[row as usize] as u16).collect();
        let has_missing: Vec<bool> =
            bins.cuts().iter().map(|cuts| cuts.missing() == MISSING).collect();
        let class_weights = self.weights(training);
        let ground = Ground {
            lines: &lines,
            stride,
            classes: &classes,
            class_count: training.classes,
            class_weights: &class_weights,
            has_missing: &has_missing,
            typical: &typical,
            limits: self.limits(features),
            keys: None,
        };
        let (trees, places, importance) = if class_weights.is_empty() {
            self.grow::<i64>(&ground, seed, tree_done)
        } else {
            self.grow::<f64>(&ground, seed, tree_done)
        };
        Ok(Forest { bins, classes: training.classes, places, trees, importance })
    }

    fn grow<A: Amount>(
        &self,
        ground: &Ground,
        seed: u64,
        tree_done: &(dyn Fn() + Sync),
    ) -> (Vec<Tree>, Vec<Place>, Vec<f32>) {
        let columns = Columns::new(ground.has_missing);
        let grown: Vec<(Tree, Vec<f64>)> = (0..self.trees())
            .into_par_iter()
            .map_init(
                || Grower::<A>::new(ground),
                |grower, index| {
                    let grown = grower.grow(seed, index);
                    let count = columns.places.len();
                    let column_of = |feature, missing_left| columns.of(feature, missing_left);
                    let tree = Tree::pack(&grown, ground.class_count, count, column_of);
                    tree_done();
                    (tree, grown.importance)
                },
            )
            .collect();
        let importance = mean_importance(ground.has_missing.len(), &grown);
        let mut trees: Vec<Tree> = grown.into_iter().map(|(tree, _)| tree).collect();
        let places = columns.keep_used(&mut trees, |tree| &mut tree.nodes);
        (trees, places, importance)
    }

    fn limits(&self, features: usize) -> Limits {
        Limits {
            depth_max: self.depth_limit(),
            leaf_rows_min: self.leaf_rows(),
            features_tried: self.features(features),
            bootstrap: self.draws_rows() == Sampling::Bootstrap,
            random_thresholds: self.cuts_at() == Thresholds::Random,
        }
    }

    /// Weight of each class; empty where all are 1.
    fn weights(&self, training: &Training) -> Vec<f64> {
        let balanced = self.balances() == ClassWeights::Balanced;
        let weights = class_weights(training, training.rows, balanced);
        if weights.iter().all(|weight| *weight == 1.0) { Vec::new() } else { weights }
    }
}

/// Mean over trees of each column's share of the tree's decrease.
fn mean_importance(features: usize, grown: &[(Tree, Vec<f64>)]) -> Vec<f32> {
    let mut mean = vec![0.0; features];
    for (_, of_tree) in grown {
        let sum: f64 = of_tree.iter().sum();
        if sum > 0.0 {
            mean.iter_mut().zip(of_tree).for_each(|(mean, value)| *mean += value / sum);
        }
    }
    let sum: f64 = mean.iter().sum();
    let scale = if sum > 0.0 { 1.0 / sum } else { 0.0 };
    mean.into_iter().map(|value: f64| (value * scale) as f32).collect()
}

/// Bins rows of a table, one line of `stride` octets after the other.
pub(crate) fn bin_rows(
    bins: &Bins,
    columns: &[Vec<f32>],
    rows: &[u32],
    places: &[Place],
    stride: usize,
) -> Vec<u8> {
    let mut lines = vec![0; rows.len() * stride];
    lines
        .par_chunks_mut(BLOCK_ROWS * stride)
        .zip(rows.par_chunks(BLOCK_ROWS))
        .for_each(|(lines, rows)| bins.fill(columns, rows, places, stride, lines));
    lines
}

/// Bins rows of a table block by block, and has `width` numbers answered for each row of a block, which begin as 0.
///
/// # Errors
/// When the table has another number of columns than there are cuts for, or `rows` go beyond it.
pub(crate) fn in_blocks(
    bins: &Bins,
    places: &[Place],
    columns: &[Vec<f32>],
    rows: &[u32],
    width: usize,
    answer: impl Fn(&[u8], usize, &mut [f32]) + Sync,
) -> Result<Vec<f32>, Error> {
    if columns.len() != bins.cuts().len() {
        return Err(Error::ColumnCount { found: columns.len(), expected: bins.cuts().len() });
    }
    check_rows(columns, rows, columns.first().map_or(0, Vec::len))?;
    let stride = bin::stride(places.len());
    let share = rows.len().div_ceil(rayon::current_num_threads());
    let block = (BLOCK_OCTETS / stride).min(share).clamp(64, BLOCK_ROWS);
    let mut values = vec![0.0; rows.len() * width];
    values.par_chunks_mut(block * width).zip(rows.par_chunks(block)).for_each_init(
        || vec![0; block.min(rows.len()) * stride],
        |lines, (out, rows)| {
            let lines = &mut lines[..rows.len() * stride];
            bins.fill(columns, rows, places, stride, lines);
            answer(lines, stride, out);
        },
    );
    Ok(values)
}

impl Forest {
    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of columns that a table must have.
    #[must_use]
    pub fn features(&self) -> usize {
        self.bins.cuts().len()
    }

    /// Number of trees.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// How much each column lowered Gini's impurity, as a share of all; 0 where no tree could split.
    ///
    /// # Shapes
    /// `[n_features]`, summing to 1.
    #[must_use]
    pub fn importance(&self) -> &[f32] {
        &self.importance
    }

    /// Probabilities of some rows of a table, in the order of `rows`.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`, missing values are NaN.
    /// # Errors
    /// When the table has another number of columns than the model, or `rows` go beyond it.
    pub fn predict_proba(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        let answer =
            |lines: &[u8], stride: usize, out: &mut [f32]| self.predict_lines(lines, stride, out);
        let values = in_blocks(&self.bins, &self.places, columns, rows, self.classes, answer)?;
        Ok(Probabilities { classes: self.classes, values })
    }

    /// Probabilities of one row: one value a column, NaN where it is missing.
    ///
    /// # Errors
    /// When the row has another number of values than the model has columns.
    pub fn predict_row(&self, row: &[f32]) -> Result<Vec<f32>, Error> {
        if row.len() != self.features() {
            return Err(Error::ColumnCount { found: row.len(), expected: self.features() });
        }
        let line: Vec<u8> = self
            .places
            .iter()
            .map(|place| {
                self.bins.cuts()[place.feature].bin(row[place.feature]).wrapping_add(place.shift)
            })
            .collect();
        let stride = bin::stride(self.places.len());
        let mut lines = vec![0; stride];
        lines[..line.len()].copy_from_slice(&line);
        let mut out = vec![0.0; self.classes];
        self.predict_lines(&lines, stride, &mut out);
        Ok(out)
    }

    fn predict_lines(&self, lines: &[u8], stride: usize, out: &mut [f32]) {
        predict::add_block(&self.trees, lines, stride, self.classes, out);
        let scale = 1.0 / self.trees.len() as f32;
        out.iter_mut().for_each(|value| *value *= scale);
    }
}
