//! What the trees so far say of some rows, and how it changes with each tree.
//!
//! Probabilities are kept, not margins: a leaf's step `v` multiplies them by `e^v`, class by class, and they are scaled to sum to
//! 1 again. So no exponential is taken of a row, only of a leaf, and 128 classes cost what multiplying them costs.

use std::ops::Range;

use rayon::prelude::*;

use super::TREE_ROWS_MAX;
use super::histogram::Cell;
use super::sketch::{Sketch, WIDTH};
use super::softmax::exp;

/// No probability falls below this, so that one tree may undo what another did.
const LEAST: f32 = 1e-12;
/// Rows that a thread takes at a time.
const BLOCK_ROWS: usize = 1_024;
/// No step of a leaf goes further, before it is multiplied by the learning rate.
const STEP_MAX: f64 = 8.0;

/// Rows with their classes and what is said of them.
pub(super) struct State {
    classes: usize,
    codes: Vec<u16>,
    /// `[rows][classes]`.
    probabilities: Vec<f32>,
    /// What a row of each class weighs.
    weights: Vec<f32>,
}

impl State {
    /// All rows have the same probabilities at first.
    pub(super) fn new(codes: Vec<u16>, weights: Vec<f32>, first: &[f32]) -> Self {
        let probabilities = first.repeat(codes.len());
        Self { classes: first.len(), codes, probabilities, weights }
    }

    fn weight(&self, row: usize) -> f32 {
        self.weights[usize::from(self.codes[row])]
    }

    /// Each row's gradient along the sketch's directions, as whole numbers that sums cannot overflow with, and a 1 for the row; and
    /// what a gradient of 1 in these numbers is.
    pub(super) fn cells(&self, sketch: &Sketch) -> (Vec<Cell>, f32) {
        let classes = self.classes;
        let along: Vec<[f32; WIDTH]> = self
            .probabilities
            .par_chunks(BLOCK_ROWS * classes)
            .zip(self.codes.par_chunks(BLOCK_ROWS))
            .flat_map_iter(|(probabilities, codes)| {
                let rows = probabilities.chunks_exact(classes).zip(codes);
                rows.map(|(said, &code)| {
                    let weight = self.weights[usize::from(code)];
                    sketch.along(said, usize::from(code)).map(|value| value * weight)
                })
            })
            .collect();
        let greatest = along.iter().flatten().fold(0.0_f32, |most, value| most.max(value.abs()));
        // So that the sum of all rows of a tree stays below 2^30.
        let rows = along.len().clamp(1, TREE_ROWS_MAX);
        let bits = (30 - rows.ilog2() - 1).min(14);
        let scale = if greatest > 0.0 { (1_i32 << bits) as f32 / greatest } else { 0.0 };
        let whole = |value: f32| (value * scale).round() as i32;
        let cells = along.into_iter().map(|[a, b, c]| [whole(a), whole(b), whole(c), 1]).collect();
        (cells, if scale > 0.0 { 1.0 / scale } else { 0.0 })
    }

    /// The step of a leaf for each class, by Newton's method with the diagonal of second derivatives:
    /// `- rate · Σ g / (Σ h + penalty)`, where `g = p - y` and `h = K / (K - 1) · p (1 - p)`.
    pub(super) fn step(&self, rows: &[u32], rate: f32, penalty: f32) -> Vec<f32> {
        let classes = self.classes;
        let mut sums = vec![[0.0_f64; 2]; classes];
        let mut block = vec![[0.0_f32; 2]; classes];
        // Few at a time in short numbers, then all in long ones.
        for rows in rows.chunks(64) {
            block.fill([0.0; 2]);
            for &row in rows {
                let row = row as usize;
                let weight = self.weight(row);
                let said = &self.probabilities[row * classes..(row + 1) * classes];
                for (sum, &p) in block.iter_mut().zip(said) {
                    sum[0] += weight * p;
                    sum[1] += weight * p * (1.0 - p);
                }
                block[usize::from(self.codes[row])][0] -= weight;
            }
            for (sum, block) in sums.iter_mut().zip(&block) {
                sum[0] += f64::from(block[0]);
                sum[1] += f64::from(block[1]);
            }
        }
        let factor = classes as f64 / (classes - 1).max(1) as f64;
        let step = |[g, h]: [f64; 2]| {
            let full = -g / (factor * h + f64::from(penalty)).max(1e-6);
            rate * full.clamp(-STEP_MAX, STEP_MAX) as f32
        };
        sums.into_iter().map(step).collect()
    }

    /// Takes the step of each row's leaf; `leaf_of` gives the leaf of each row, `steps` is `[leaves][classes]`.
    pub(super) fn advance(&mut self, leaf_of: &[u32], steps: &[f32]) {
        let classes = self.classes;
        let factors: Vec<f32> = steps.iter().map(|step| exp(*step)).collect();
        self.probabilities
            .par_chunks_mut(BLOCK_ROWS * classes)
            .zip(leaf_of.par_chunks(BLOCK_ROWS))
            .for_each(|(probabilities, leaves)| {
                for (said, &leaf) in probabilities.chunks_exact_mut(classes).zip(leaves) {
                    let factors = &factors[leaf as usize * classes..][..classes];
                    let mut sum = 0.0;
                    for (p, factor) in said.iter_mut().zip(factors) {
                        *p *= factor;
                        sum += *p;
                    }
                    let scale = 1.0 / sum;
                    said.iter_mut().for_each(|p| *p = (*p * scale).max(LEAST));
                }
            });
    }

    /// Mean log loss, in nats, weighted as the rows are.
    pub(super) fn log_loss(&self) -> f64 {
        let (mut loss, mut weights) = (0.0, 0.0);
        for (row, said) in self.probabilities.chunks_exact(self.classes).enumerate() {
            let weight = f64::from(self.weight(row));
            loss -= weight * f64::from(said[usize::from(self.codes[row])]).ln();
            weights += weight;
        }
        loss / weights
    }
}

/// The leaf of each row, from the rows of each leaf.
pub(super) fn leaf_of(rows: &[u32], leaves: &[Range<usize>]) -> Vec<u32> {
    let mut leaf_of = vec![0; rows.len()];
    for (leaf, range) in leaves.iter().enumerate() {
        rows[range.clone()].iter().for_each(|&row| leaf_of[row as usize] = leaf as u32);
    }
    leaf_of
}
