//! Where columns are cut, agreed on before a forest is grown: what several clients must share to grow one forest.

use super::bin::{Bins, MISSING};

/// The edges of every column's bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Edges {
    pub(super) bins: Bins,
    /// A value of each bin, between which thresholds are drawn.
    pub(super) typical: Vec<Vec<f32>>,
}

impl Edges {
    /// The edges that a forest of these rows would have: at quantiles of each column, at most 254.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`, missing values are NaN; `rows` are indices into it.
    #[must_use]
    pub fn learn(columns: &[Vec<f32>], rows: &[u32]) -> Self {
        let (bins, typical) = Bins::learn(columns, rows);
        Self { bins, typical }
    }

    /// Number of columns.
    #[must_use]
    pub fn features(&self) -> usize {
        self.bins.cuts().len()
    }

    /// The edges of a column, ascending; the bin of `v` is the number of edges below `v`.
    #[must_use]
    pub fn of(&self, column: usize) -> &[f32] {
        self.bins.cuts()[column].edges()
    }

    /// Whether missing values of a column have a bin of their own.
    #[must_use]
    pub fn may_miss(&self, column: usize) -> bool {
        self.bins.cuts()[column].missing() == MISSING
    }

    pub(super) fn has_missing(&self) -> Vec<bool> {
        (0..self.features()).map(|column| self.may_miss(column)).collect()
    }

    /// Number of bins of a column, that of missing values included.
    #[must_use]
    pub fn bins(&self, column: usize) -> usize {
        self.of(column).len() + 1 + usize::from(self.may_miss(column))
    }

    /// The place of a bin among a column's: missing values come last.
    pub(super) fn place(&self, column: usize, bin: u8) -> usize {
        if bin == MISSING { self.of(column).len() + 1 } else { usize::from(bin) }
    }

    /// The bin at a place.
    pub(super) fn bin_at(&self, column: usize, place: usize) -> u8 {
        if place > self.of(column).len() { MISSING } else { place as u8 }
    }
}
