//! Plain numbers as ranks among the training rows, so that no unit and no outlier decides.

/// Cut points kept of each column.
const CUTS_MAX: usize = 255;

/// Ranks of some columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ranks {
    /// The columns.
    pub(crate) columns: Vec<usize>,
    /// For each column values of the training rows, ascending, at even distances of rank.
    pub(crate) cuts: Vec<Vec<f32>>,
}

impl Ranks {
    /// Learns from some rows; columns of one value are left out.
    pub(crate) fn learn(columns: &[usize], table: &[Vec<f32>], rows: &[u32]) -> Self {
        let mut ranks = Self::default();
        for &column in columns {
            let mut values: Vec<f32> = rows
                .iter()
                .map(|&row| table[column][row as usize])
                .filter(|value| !value.is_nan())
                .collect();
            values.sort_unstable_by(f32::total_cmp);
            let count = values.len().min(CUTS_MAX);
            let cuts: Vec<f32> = (0..count)
                .map(|cut| values[cut * (values.len() - 1) / (count - 1).max(1)])
                .collect();
            if cuts.first() != cuts.last() {
                ranks.columns.push(column);
                ranks.cuts.push(cuts);
            }
        }
        ranks
    }

    /// A row's ranks, from −1 to 1; 0 where the value is missing. Together they are `weight` long at most.
    pub(crate) fn row(&self, table: &[Vec<f32>], row: usize, weight: f32) -> Vec<f32> {
        let each = weight / (self.columns.len().max(1) as f32).sqrt();
        let rank = |(&column, cuts): (&usize, &Vec<f32>)| {
            let value = table[column][row];
            if value.is_nan() {
                return 0.0;
            }
            // The middle of the cuts that are equal to it.
            let below = cuts.partition_point(|cut| *cut < value);
            let upto = cuts.partition_point(|cut| *cut <= value);
            each * ((below + upto) as f32 / cuts.len() as f32 - 1.0)
        };
        self.columns.iter().zip(&self.cuts).map(rank).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_even_whatever_the_unit() {
        let table = [vec![1.0, 10.0, 100.0, f32::NAN, 1e9], vec![3.0; 5]];
        let ranks = Ranks::learn(&[0, 1], &table, &[0, 1, 2, 3]);
        assert_eq!(ranks.columns, [0], "a constant column says nothing");
        let found: Vec<f32> = (0..5).map(|row| ranks.row(&table, row, 1.0)[0]).collect();
        let third = 2.0 / 3.0;
        for (found, expected) in found.iter().zip([-third, 0.0, third, 0.0, 1.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
