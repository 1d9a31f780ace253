//! A forest on given edges, whose chance depends on keys of rows: the one that clients would grow together, where one place has all rows.

use super::Forest;
use super::edges::{Binned, Edges};
use super::grow::Ground;
use super::params::{ClassWeights, ValidForestParams};
use crate::error::Error;
use crate::training::{ROWS_MAX, Training};

/// Most that all rows weigh, in steps, so that squares of sums stay whole numbers below 2⁵³ even of a tree that draws five times as
/// many rows as there are.
const WEIGHT_MAX: f64 = (1_u64 << 24) as f64;
/// Steps of a weight of one, where there are not too many rows for it.
const WEIGHT_STEPS: u32 = 8;

impl ValidForestParams {
    /// Learns a forest on given edges.
    ///
    /// It equals, bit for bit, the one that [`Growth`](super::Growth) grows of the same edges, keys and seed, whoever holds the rows.
    /// A bootstrap draws each row by its key (Poisson with mean 1). Class weights are rounded to whole steps of 1/256, or larger ones
    /// where there are more than 65,536 rows, so that sums do not depend on their order.
    ///
    /// # Shapes
    /// `keys` has one for each of `training.rows`, no two alike.
    /// # Errors
    /// When the shapes of `training` do not fit together ([`Training::check`]) or the edges are of another table.
    pub fn fit_on(
        &self,
        edges: &Edges,
        training: &Training<'_>,
        keys: &[u64],
        seed: u64,
    ) -> Result<Forest, Error> {
        training.check()?;
        let features = training.columns.len();
        let Binned { stride, lines, codes: classes } = edges.bin(training, keys)?;
        let mut class_rows = vec![0; training.classes];
        classes.iter().for_each(|class| class_rows[usize::from(*class)] += 1);
        let weights = whole_weights(self, &class_rows, training.class_weights)?;
        let class_weights: Vec<f64> = weights.iter().map(|weight| *weight as f64).collect();
        let ground = Ground {
            lines: &lines,
            stride,
            classes: &classes,
            class_count: training.classes,
            class_weights: &class_weights,
            has_missing: &edges.has_missing(),
            typical: &edges.typical,
            limits: self.limits(features),
            keys: Some(keys),
        };
        let (trees, places, importance) = if class_weights.is_empty() {
            self.grow::<i64>(&ground, seed, &|| {})
        } else {
            self.grow::<f64>(&ground, seed, &|| {})
        };
        Ok(Forest {
            bins: edges.bins.clone(),
            classes: training.classes,
            places,
            trees,
            importance,
        })
    }
}

/// What a row of each class weighs, in whole steps, so that sums do not depend on their order; empty where all weigh the same.
///
/// # Shapes
/// `class_rows` is how many rows there are of each class, at all clients together; `given` the weights of classes, if any.
/// # Errors
/// [`Error::TooMany`] where there are so many rows that not even whole weights can be added without rounding.
pub(super) fn whole_weights(
    params: &ValidForestParams,
    class_rows: &[u64],
    given: Option<&[f32]>,
) -> Result<Vec<i64>, Error> {
    let rows: u64 = class_rows.iter().sum();
    let present = class_rows.iter().filter(|rows| **rows > 0).count();
    let mut weights: Vec<f64> = (0..class_rows.len())
        .map(|class| given.map_or(1.0, |given| f64::from(given[class])))
        .collect();
    if params.balances() == ClassWeights::Balanced {
        for (weight, &of_class) in weights.iter_mut().zip(class_rows) {
            *weight *= rows as f64 / (present as f64 * of_class.max(1) as f64);
        }
    }
    if weights.iter().all(|weight| *weight == weights[0]) {
        let (found, limit) = (rows as usize, ROWS_MAX);
        return if found > limit { Err(too_many(found, limit)) } else { Ok(Vec::new()) };
    }
    for steps in (0..=WEIGHT_STEPS).rev() {
        let scale = f64::from(1_u32 << steps);
        let whole: Vec<f64> =
            weights.iter().map(|weight| (weight * scale).round().max(1.0)).collect();
        let all: f64 = whole.iter().zip(class_rows).map(|(w, &rows)| w * rows as f64).sum();
        if all <= WEIGHT_MAX {
            return Ok(whole.into_iter().map(|weight| weight as i64).collect());
        }
    }
    Err(too_many(rows as usize, WEIGHT_MAX as usize))
}

fn too_many(found: usize, limit: usize) -> Error {
    Error::TooMany { what: "weighted rows", found, limit }
}
