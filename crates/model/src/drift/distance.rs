//! How far the values of a column moved between two sides, and how far chance alone would move them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::chance::shuffle;

/// A column's rows in the order of their values, as runs of the same value.
///
/// The distance is that of Kolmogorov and Smirnov, the largest difference between the shares of both sides that lie at or below a
/// value. It is 0 for the same distribution and 1 for two that nowhere overlap, and knows no unit: any change of scale keeps the order,
/// and with it the distance. Missing values are a place of their own, before all others.
///
/// # Reference
/// J. L. Hodges, *The Significance Probability of the Smirnov Two-Sample Test*, Arkiv för Matematik 3, 1958; as a test for data set shift,
/// one column at a time: S. Rabanser, S. Günnemann, Z. C. Lipton, *Failing Loudly*, NeurIPS 2019, section 3.
#[derive(Debug)]
pub(super) struct Ordered {
    rows: Vec<u32>,
    /// The place behind the last row of each run.
    ends: Vec<u32>,
}

impl Ordered {
    /// Orders a column's values at these rows; what comes out counts the rows by their place among `rows`.
    pub(super) fn of(column: &[f32], rows: &[u32]) -> Self {
        let value = |at: u32| {
            let value = column[rows[at as usize] as usize];
            // Zero with a sign is zero, and a missing value is before the lowest.
            if value.is_nan() { None } else { Some(value + 0.0) }
        };
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| match (value(a), value(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        });
        let mut ends = Vec::new();
        for run in order.chunk_by(|&a, &b| value(a) == value(b)) {
            ends.push(ends.last().unwrap_or(&0) + run.len() as u32);
        }
        Self { rows: order, ends }
    }

    /// The distance between the rows that are marked and those that are not; 0 where a side is empty.
    pub(super) fn distance(&self, marks: &[bool]) -> f64 {
        let marked = marks.iter().filter(|mark| **mark).count() as i64;
        let others = marks.len() as i64 - marked;
        if marked == 0 || others == 0 {
            return 0.0;
        }
        // In whole numbers: the difference of shares times both counts.
        let (mut difference, mut largest, mut start) = (0_i64, 0_i64, 0_usize);
        for &end in &self.ends {
            for &row in &self.rows[start..end as usize] {
                difference += if marks[row as usize] { others } else { -marked };
            }
            largest = largest.max(difference.abs());
            start = end as usize;
        }
        largest as f64 / (marked as f64 * others as f64)
    }
}

/// Rows among which marks may change places: all, or those of one class.
#[derive(Debug)]
pub(super) struct Part {
    columns: Vec<Ordered>,
    marks: Vec<bool>,
}

impl Part {
    /// The rows, with their marks.
    pub(super) fn of(columns: &[Vec<f32>], rows: &[u32], marks: Vec<bool>) -> Self {
        let columns = columns.iter().map(|column| Ordered::of(column, rows)).collect();
        Self { columns, marks }
    }

    /// The distance of each column.
    pub(super) fn distances(&self) -> impl Iterator<Item = f64> {
        self.columns.iter().map(|column| column.distance(&self.marks))
    }

    /// The weighted sum of the columns' distances.
    fn sum(&self, weights: &[f64], marks: &[bool]) -> f64 {
        let columns = self.columns.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        columns.map(|(column, weight)| weight * column.distance(marks)).sum()
    }
}

/// The weighted sum of the columns' distances, as the mean over the parts' rows.
pub(super) fn weighted(parts: &[Part], weights: &[f64]) -> f64 {
    mean(parts, |part| part.sum(weights, &part.marks))
}

/// The same as chance gives it, lowest first: with the marks of each part on other rows of it, so many times.
///
/// # Reference
/// E. J. G. Pitman, *Significance Tests Which May be Applied to Samples From any Populations*, Supplement to the Journal of the Royal
/// Statistical Society 4, 1937.
pub(super) fn by_chance(parts: &[Part], weights: &[f64], times: u32, seed: u64) -> Vec<f64> {
    let draw = |number: u32| {
        // A stream for each draw: the same sums for any number of threads.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        mean(parts, |part| {
            let mut marks = part.marks.clone();
            shuffle(&mut marks, &mut rng);
            part.sum(weights, &marks)
        })
    };
    let mut sums: Vec<f64> = (0..times).into_par_iter().map(draw).collect();
    sums.sort_unstable_by(f64::total_cmp);
    sums
}

/// The mean over all rows of what a part gives for each of its rows.
fn mean(parts: &[Part], mut value: impl FnMut(&Part) -> f64) -> f64 {
    let (mut sum, mut rows) = (0.0, 0.0);
    for part in parts {
        let count = part.marks.len() as f64;
        sum += count * value(part);
        rows += count;
    }
    if rows > 0.0 { sum / rows } else { 0.0 }
}
