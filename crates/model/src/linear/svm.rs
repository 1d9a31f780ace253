//! A linear support vector machine for each class against all others, by dual coordinate descent.
//!
//! # Reference
//! C.-J. Hsieh, K.-W. Chang, C.-J. Lin, S. S. Keerthi, S. Sundararajan, *A dual coordinate descent method for large-scale linear
//! SVM*, ICML 2008, Algorithm 1 (L2 loss), with shrinking left out; as in LIBLINEAR a constant column of 1 carries the intercept.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::tfidf::Sparse;

/// Passes over all rows at most.
const PASSES_MAX: usize = 1_000;
/// A class is learnt when no projected gradient of a pass is further from zero than this apart (LIBLINEAR's stopping rule).
const GRADIENT_GAP: f32 = 0.01;

/// What is learnt from.
pub(crate) struct Rows<'a> {
    /// The rows; their length need not be 1.
    pub(crate) sparse: &'a Sparse,
    /// How many places a row has.
    pub(crate) width: usize,
    /// The class of each row.
    pub(crate) codes: &'a [u32],
    /// Number of classes.
    pub(crate) classes: usize,
    /// The penalty of each row.
    pub(crate) penalties: &'a [f32],
}

/// What was learnt: for each class, how much each row pulls towards it (α y), and the intercept.
pub(crate) struct Learnt {
    /// `[classes][rows]`.
    pub(crate) pulls: Vec<Vec<f32>>,
    /// `[classes]`.
    pub(crate) intercepts: Vec<f32>,
}

/// Learns every class; the same seed gives the same numbers for any count of threads.
pub(crate) fn learn(rows: &Rows<'_>, seed: u64) -> Learnt {
    let learnt: Vec<(Vec<f32>, f32)> = (0..rows.classes)
        .into_par_iter()
        .map_init(
            || vec![0.0_f32; rows.width],
            |weights, class| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(class as u64);
                one_against_all(rows, class as u32, weights, &mut rng)
            },
        )
        .collect();
    let (pulls, intercepts) = learnt.into_iter().unzip();
    Learnt { pulls, intercepts }
}

fn one_against_all(
    rows: &Rows<'_>,
    class: u32,
    weights: &mut [f32],
    rng: &mut ChaCha8Rng,
) -> (Vec<f32>, f32) {
    weights.fill(0.0);
    let count = rows.sparse.rows();
    let mut intercept = 0.0_f32;
    let mut alphas = vec![0.0_f32; count];
    let side = |row: usize| if rows.codes[row] == class { 1.0_f32 } else { -1.0 };
    // The diagonal of the dual: |x|² + 1 for the intercept, and 1 / 2C of the squared loss.
    let slack = |row: usize| 0.5 / rows.penalties[row];
    let squares: Vec<f32> = (0..count)
        .map(|row| rows.sparse.row(row).1.iter().map(|v| v * v).sum::<f32>() + 1.0 + slack(row))
        .collect();
    let mut order: Vec<u32> = (0..count as u32).collect();
    for _ in 0..PASSES_MAX {
        shuffle(&mut order, rng);
        let (mut highest, mut lowest) = (f32::NEG_INFINITY, f32::INFINITY);
        for &row in &order {
            let row = row as usize;
            let y = side(row);
            let (places, values) = rows.sparse.row(row);
            let margin = dot(places, values, weights) + intercept;
            let gradient = y * margin - 1.0 + alphas[row] * slack(row);
            let projected = if alphas[row] == 0.0 { gradient.min(0.0) } else { gradient };
            highest = highest.max(projected);
            lowest = lowest.min(projected);
            if projected.abs() < 1e-12 {
                continue;
            }
            let before = alphas[row];
            alphas[row] = (before - gradient / squares[row]).max(0.0);
            let step = (alphas[row] - before) * y;
            for (&place, value) in places.iter().zip(values) {
                weights[place as usize] += step * value;
            }
            intercept += step;
        }
        if highest - lowest < GRADIENT_GAP {
            break;
        }
    }
    for (row, alpha) in alphas.iter_mut().enumerate() {
        *alpha *= side(row);
    }
    (alphas, intercept)
}

fn dot(places: &[u32], values: &[f32], weights: &[f32]) -> f32 {
    places.iter().zip(values).map(|(&place, value)| weights[place as usize] * value).sum()
}

/// Fisher and Yates; a modulus is even enough for an order that only affects how soon it ends.
fn shuffle(order: &mut [u32], rng: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let other = (rng.next_u64() % (last as u64 + 1)) as usize;
        order.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_margin_of_two_points() {
        let mut sparse = Sparse::default();
        sparse.push(&[(0, 1.0)]);
        sparse.push(&[(0, -1.0)]);
        let rows =
            Rows { sparse: &sparse, width: 1, codes: &[0, 1], classes: 2, penalties: &[1.0; 2] };
        let learnt = learn(&rows, 1);
        // min w²/2 + b²/2 + Σ max(0, 1 − y(wx + b))² with points at ±1: w = 4/5, b = 0.
        let weight = learnt.pulls[0][0] - learnt.pulls[0][1];
        assert!((weight - 0.8).abs() < 1e-3, "{weight}");
        assert!(learnt.intercepts[0].abs() < 1e-3);
        assert!((learnt.pulls[1][0] + learnt.pulls[0][0]).abs() < 1e-3);
    }
}
