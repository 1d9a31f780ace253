//! The distances between all pairs of updates.

use rayon::prelude::*;

use crate::robust::updates::Number;

/// Clients on each side of a task's square of pairs: each converted value serves so many pairs.
const TILE: usize = 8;
/// Coordinates that a square takes at a time: 2 · 8 · 256 numbers of 64 bits are 32 kB, a core's nearest cache.
const BLOCK: usize = 256;
/// Sums that run side by side, so that the processor need not wait for the last addition.
const LANES: usize = 8;

/// Squared Euclidean distances.
#[derive(Debug, Clone, PartialEq)]
pub struct Distances {
    clients: usize,
    squared: Vec<f64>,
}

impl Distances {
    /// The squared distance between two clients' updates.
    pub fn between(&self, one: usize, other: usize) -> f64 {
        self.squared[one * self.clients + other]
    }
}

/// All squared distances, by differences.
///
/// Dot products (`|a|² + |b|² − 2ab`) need a third fewer operations, but they cancel: among updates that have a large
/// part in common, the choice of Krum would be one of rounding. Each square of pairs is one task over all coordinates,
/// so no sum depends on the number of threads.
///
/// # Shapes
/// `[n_clients][n_parameters]`, checked, to `[n_clients, n_clients]`.
pub fn distances<T: Number>(updates: &[&[T]], parameters: usize) -> Distances {
    let clients = updates.len();
    let tiles = clients.div_ceil(TILE);
    let pairs: Vec<(usize, usize)> =
        (0..tiles).flat_map(|row| (row..tiles).map(move |column| (row, column))).collect();
    let squares: Vec<[f64; TILE * TILE]> = pairs
        .par_iter()
        .map(|&(row, column)| square(tile(updates, row), tile(updates, column), parameters))
        .collect();
    let mut squared = vec![0.0; clients * clients];
    for (&(row, column), square) in pairs.iter().zip(&squares) {
        for one in row * TILE..clients.min((row + 1) * TILE) {
            for other in column * TILE..clients.min((column + 1) * TILE) {
                let distance = square[one % TILE * TILE + other % TILE];
                squared[one * clients + other] = distance;
                squared[other * clients + one] = distance;
            }
        }
    }
    Distances { clients, squared }
}

fn tile<'a, 'b, T>(updates: &'a [&'b [T]], tile: usize) -> &'a [&'b [T]] {
    &updates[tile * TILE..updates.len().min((tile + 1) * TILE)]
}

fn square<T: Number>(rows: &[&[T]], columns: &[&[T]], parameters: usize) -> [f64; TILE * TILE] {
    let mut sums = [0.0; TILE * TILE];
    let mut left = vec![0.0; TILE * BLOCK];
    let mut right = vec![0.0; TILE * BLOCK];
    for start in (0..parameters).step_by(BLOCK) {
        let length = BLOCK.min(parameters - start);
        widen(rows, start, length, &mut left);
        widen(columns, start, length, &mut right);
        for (one, a) in left.chunks_exact(BLOCK).enumerate().take(rows.len()) {
            for (other, b) in right.chunks_exact(BLOCK).enumerate().take(columns.len()) {
                sums[one * TILE + other] += squared_difference(&a[..length], &b[..length]);
            }
        }
    }
    sums
}

fn widen<T: Number>(updates: &[&[T]], start: usize, length: usize, wide: &mut [f64]) {
    for (update, wide) in updates.iter().zip(wide.chunks_exact_mut(BLOCK)) {
        for (wide, &value) in wide.iter_mut().zip(&update[start..start + length]) {
            *wide = value.into();
        }
    }
}

/// `Σ (a − b)²`, always added in the same order: the same for `(b, a)` and exactly 0 for equal vectors.
pub fn squared_difference(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder());
    let rest: f64 = rest.map(|(a, b)| (a - b) * (a - b)).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_every_tile_is_measured() {
        // 19 clients are two tiles and a bit; 600 coordinates two blocks and a bit.
        let updates: Vec<Vec<f32>> = (0..19u32)
            .map(|client| (0..600u32).map(|at| ((client * 31 + at * 17) % 23) as f32).collect())
            .collect();
        let views: Vec<&[f32]> = updates.iter().map(Vec::as_slice).collect();
        let found = distances(&views, 600);
        for (one, a) in updates.iter().enumerate() {
            for (other, b) in updates.iter().enumerate() {
                let plain: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                // Whole numbers below 2^24: exact in either precision.
                assert_eq!(found.between(one, other), f64::from(plain));
            }
        }
    }

    #[test]
    fn a_large_common_part_does_not_hide_a_small_difference() {
        let (a, b) = ([1e8f32, 0.001], [1e8f32, 0.002]);
        let found = distances(&[&a, &b], 2).between(0, 1);
        assert!((found - 1e-6).abs() < 1e-12, "{found}");
    }
}
