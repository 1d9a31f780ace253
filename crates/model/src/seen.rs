//! Whether a model learnt from the rows that it is judged on, although they come in another order, or among others.
//!
//! Of all training rows the hashes that are least are kept: a sample by content, so that the rows of any other table fall into it or not by the
//! same rule.
//!
//! # Reference
//! Bar-Yossef et al., *Counting Distinct Elements in a Data Stream*, RANDOM 2002 (the k least hash values).

use std::collections::HashSet;

use flowgait_features::Dataset;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Hashes that are kept.
const KEPT: usize = 2_048;

/// A sample of the distinct rows that a model learnt from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    rows: u64,
    /// Hashes, ascending; of few rows all of them.
    least: Vec<u64>,
}

impl Seen {
    /// The sample of a data set's rows, by their values without labels.
    #[must_use]
    pub fn of(dataset: &Dataset) -> Self {
        let mut least = hashes(dataset);
        least.sort_unstable();
        least.dedup();
        let rows = least.len() as u64;
        least.truncate(KEPT);
        Self { rows, least }
    }

    /// A sample that was kept; none where it cannot be one.
    #[must_use]
    pub fn new(rows: u64, least: Vec<u64>) -> Option<Self> {
        let right = least.is_sorted_by(|a, b| a < b)
            && least.len() <= KEPT
            && least.len() as u64 == rows.min(KEPT as u64);
        right.then_some(Self { rows, least })
    }

    /// Number of distinct rows learnt from.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The hashes that were kept, ascending.
    #[must_use]
    pub fn least(&self) -> &[u64] {
        &self.least
    }

    /// About which share of a data set's rows is the same, value by value, as rows learnt from; none where no row falls into the sample.
    #[must_use]
    pub fn share_in(&self, dataset: &Dataset) -> Option<f64> {
        let all_are_kept = self.rows == self.least.len() as u64;
        let bound = if all_are_kept { u64::MAX } else { *self.least.last()? };
        let kept: HashSet<u64> = self.least.iter().copied().collect();
        let candidates: Vec<u64> =
            hashes(dataset).into_iter().filter(|hash| *hash <= bound).collect();
        let seen = candidates.iter().filter(|hash| kept.contains(hash)).count();
        (!candidates.is_empty()).then(|| seen as f64 / candidates.len() as f64)
    }
}

/// A hash of each row's values.
fn hashes(dataset: &Dataset) -> Vec<u64> {
    let hash = |row: usize| {
        let mut hash = Sha256::new();
        for column in &dataset.columns {
            let value = column[row];
            // Any NaN is the same missing value, and there is one zero.
            let value = if value.is_nan() { f32::NAN } else { value + 0.0 };
            hash.update(value.to_bits().to_le_bytes());
        }
        let digest = hash.finalize();
        u64::from_le_bytes(*digest.first_chunk().expect("invariant: a digest has 32 octets"))
    };
    (0..dataset.rows).into_par_iter().map(hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: impl Iterator<Item = u32>) -> Dataset {
        let column: Vec<f32> = values.map(|value| value as f32).collect();
        Dataset { rows: column.len(), columns: vec![column], ..Dataset::default() }
    }

    #[test]
    fn rows_are_known_again_in_any_order_and_among_others() {
        for rows in [50, 20_000] {
            let seen = Seen::of(&table(0..rows));
            assert_eq!(seen.share_in(&table((0..rows).rev())), Some(1.0));
            let half = seen.share_in(&table(rows / 2..rows + rows / 2)).unwrap();
            // About 2,000 of the large table's rows fall into the sample: half, give or take four standard deviations.
            assert!((half - 0.5).abs() < 0.05, "{half}");
            assert_eq!(seen.share_in(&table(rows..2 * rows)), Some(0.0));
            assert_eq!(Seen::new(seen.rows(), seen.least().to_vec()), Some(seen));
        }
        assert_eq!(Seen::of(&table(0..5)).share_in(&table(0..0)), None);
    }

    #[test]
    fn what_is_no_sample_is_refused() {
        assert!(Seen::new(2, vec![1, 2]).is_some());
        assert!(Seen::new(2, vec![2, 1]).is_none() && Seen::new(3, vec![1, 2]).is_none());
        assert!(Seen::new(1, vec![1, 2]).is_none() && Seen::new(0, Vec::new()).is_some());
    }
}
