//! What puts a column on one scale, as sums: those of several tables add up to those of all their rows together.
//!
//! So sites that show nobody a row can still agree on one scale: each adds up its own, and only the sum is seen.

use super::inputs::{Moments, signed_log};

/// Numbers of each column: how many values, how many missing, and of the values and of their logarithms the sums of the first three
/// powers.
pub const SUMS: usize = 8;

/// The sums of every column of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    columns: Vec<[f64; SUMS]>,
}

impl Statistics {
    /// The sums of some rows.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`; a missing value is NaN.
    /// # Panics
    /// When `rows` go beyond the columns.
    #[must_use]
    pub fn of(columns: &[Vec<f32>], rows: &[u32]) -> Self {
        let sums = |column: &Vec<f32>| {
            let mut sums = [0.0; SUMS];
            for &row in rows {
                let value = column[row as usize];
                if value.is_nan() {
                    sums[1] += 1.0;
                    continue;
                }
                sums[0] += 1.0;
                let (plain, log) = (f64::from(value), f64::from(signed_log(value)));
                for (at, number) in [(2, plain), (5, log)] {
                    sums[at] += number;
                    sums[at + 1] += number * number;
                    sums[at + 2] += number * number * number;
                }
            }
            sums
        };
        Self { columns: columns.iter().map(sums).collect() }
    }

    /// Sums as one flat vector.
    ///
    /// # Shapes
    /// `[n_features * SUMS]`, column by column.
    #[must_use]
    pub fn to_flat(&self) -> Vec<f64> {
        self.columns.as_flattened().to_vec()
    }

    /// Sums from a flat vector; none where it is not whole columns or a number is infinite or none.
    #[must_use]
    pub fn from_flat(flat: &[f64]) -> Option<Self> {
        let (columns, rest) = flat.as_chunks::<SUMS>();
        let is_whole = rest.is_empty() && flat.iter().all(|sum| sum.is_finite());
        is_whole.then(|| Self { columns: columns.to_vec() })
    }

    /// Number of columns.
    #[must_use]
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// Whether a value of a column was missing.
    pub(super) fn has_missing(&self, column: usize) -> bool {
        self.columns[column][1] >= 1.0
    }

    /// Moments of some columns' values together, and of their logarithms.
    pub(super) fn moments(&self, columns: &[usize]) -> [Moments; 2] {
        let mut sums = [0.0; SUMS];
        for &column in columns {
            sums.iter_mut().zip(self.columns[column]).for_each(|(sum, own)| *sum += own);
        }
        [2, 5].map(|at| Moments::from_sums(sums[0], sums[at], sums[at + 1], sums[at + 2]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::inputs::Inputs;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_of_parts_give_the_scale_of_the_whole(
            rows in prop::collection::vec((0.0f32..2_000.0, -5.0f32..5.0, any::<bool>()), 4..60),
            cut in 1_usize..4,
        ) {
            let a: Vec<f32> = rows.iter().map(|row| row.0).collect();
            let b: Vec<f32> =
                rows.iter().map(|row| if row.2 { f32::NAN } else { row.1 }).collect();
            let columns = [a, b];
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            let whole = Inputs::fit(&columns, &all, Vec::new());
            let mut flat = vec![0.0; 2 * SUMS];
            for part in all.chunks(cut) {
                let own = Statistics::of(&columns, part).to_flat();
                flat.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
            let parts = Statistics::from_flat(&flat).expect("finite sums of whole columns");
            let together = Inputs::from_statistics(&parts, Vec::new());
            for (ours, whole) in together.scalars.iter().zip(&whole.scalars) {
                prop_assert_eq!(ours.tells_missing, whole.tells_missing);
                if ours.scale.log == whole.scale.log {
                    let near = |a: f32, b: f32| (a - b).abs() <= 1e-3 * b.abs().max(1e-2);
                    prop_assert!(near(ours.scale.mean, whole.scale.mean));
                    prop_assert!(near(ours.scale.deviation, whole.scale.deviation));
                }
            }
        }
    }

    #[test]
    fn what_is_no_sum_is_refused() {
        assert!(Statistics::from_flat(&[0.0; SUMS - 1]).is_none());
        assert!(Statistics::from_flat(&[f64::NAN; SUMS]).is_none());
        assert!(Statistics::from_flat(&[]).is_some());
    }
}
