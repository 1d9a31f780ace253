//! Where columns are cut, agreed on before a forest is grown: what several clients must share to grow one forest.

use super::bin::{Bins, Cuts, EDGES_MAX, MISSING, Near, Place, between, edges_between, stride};
use super::bin_rows;
use crate::error::Error;
use crate::training::Training;

/// The edges of every column's bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Edges {
    pub(super) bins: Bins,
    /// A value of each bin, between which thresholds are drawn.
    pub(super) typical: Vec<Vec<f32>>,
}

/// Rows binned on edges.
pub(super) struct Binned {
    pub(super) stride: usize,
    /// A line of `stride` octets for each row.
    pub(super) lines: Vec<u8>,
    /// The class of each row.
    pub(super) codes: Vec<u16>,
}

impl Edges {
    /// Bins rows, each of which has a key.
    pub(super) fn bin(&self, training: &Training<'_>, keys: &[u64]) -> Result<Binned, Error> {
        let features = training.columns.len();
        if self.features() != features {
            return Err(Error::ColumnCount { found: features, expected: self.features() });
        }
        if keys.len() != training.rows.len() {
            let (found, expected) = (keys.len(), training.rows.len());
            return Err(Error::ColumnLength { column: features, found, expected });
        }
        let places: Vec<Place> = (0..features).map(|feature| Place { feature, shift: 0 }).collect();
        let stride = stride(features);
        let lines = bin_rows(&self.bins, training.columns, training.rows, &places, stride);
        let codes = training.rows.iter().map(|&row| training.codes[row as usize] as u16).collect();
        Ok(Binned { stride, lines, codes })
    }

    /// The edges that a forest of these rows would have: at quantiles of each column, at most 254.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`, missing values are NaN; `rows` are indices into it.
    #[must_use]
    pub fn learn(columns: &[Vec<f32>], rows: &[u32]) -> Self {
        let (bins, typical) = Bins::learn(columns, rows);
        Self { bins, typical }
    }

    /// Edges that are known beforehand: those of public data, or even steps over a range that everybody knows.
    ///
    /// # Shapes
    /// One list for each column, ascending, at most 254; and whether missing values have a bin of their own there.
    /// # Errors
    /// [`Error::Parameter`] for edges that do not ascend, are not finite, or are too many.
    pub fn new(columns: Vec<(Vec<f32>, bool)>) -> Result<Self, Error> {
        let (mut cuts, mut typical) = (Vec::with_capacity(columns.len()), Vec::new());
        for (edges, may_miss) in columns {
            let ascends = edges.is_sorted_by(|a, b| a < b) && edges.iter().all(|e| e.is_finite());
            if edges.len() > EDGES_MAX || !ascends {
                let rule = "a column has at most 254, finite and ascending";
                let (name, value) = ("a list of edges", format!("{} edges", edges.len()));
                return Err(Error::Parameter { name, value, rule });
            }
            typical.push(middles(&edges));
            let missing = if may_miss { MISSING } else { edges.len() as u8 / 2 };
            cuts.push(Cuts::new(edges, missing));
        }
        Ok(Self { bins: Bins::from_cuts(cuts), typical })
    }

    /// Edges at about equal counts of rows, where it is known how many lie in each of some ranges of values.
    ///
    /// # Shapes
    /// One [`ColumnCounts`] for each column.
    /// # Errors
    /// [`Error::Parameter`] for fewer than 2 or more than 255 bins.
    pub fn of_counts(columns: &[ColumnCounts], bins_max: usize) -> Result<Self, Error> {
        if !(2..=EDGES_MAX + 1).contains(&bins_max) {
            let rule = "a column has 2 to 255";
            let (name, value) = ("the number of bins", bins_max.to_string());
            return Err(Error::Parameter { name, value, rule });
        }
        let cut = |column: &ColumnCounts| {
            let near =
                |&(low, high, rows): &(f32, f32, u64)| Near { low, high, rows: rows as usize };
            let near: Vec<Near> =
                column.ranges.iter().filter(|range| range.2 > 0).map(near).collect();
            let cuts = Cuts::new(edges_between(&near, bins_max), MISSING);
            let typical = typical(&near, cuts.edges());
            let missing = if column.missing > 0 { MISSING } else { cuts.bin(median(&near)) };
            (Cuts::new(cuts.edges().to_vec(), missing), typical)
        };
        let (cuts, typical) = columns.iter().map(cut).unzip();
        Ok(Self { bins: Bins::from_cuts(cuts), typical })
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

/// How many rows have their value in which range.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnCounts {
    /// Lowest and highest value of a range and its rows, ascending and apart.
    pub ranges: Vec<(f32, f32, u64)>,
    /// Rows whose value is missing.
    pub missing: u64,
}

/// A finite value in the middle of a range.
fn middle(near: &Near) -> f32 {
    between(near.low, near.high).clamp(f32::MIN, f32::MAX)
}

/// Where half of the rows are below.
fn median(near: &[Near]) -> f32 {
    let half = near.iter().map(|near| near.rows).sum::<usize>() / 2;
    let mut below = 0;
    let reaches = |near: &&Near| {
        below += near.rows;
        below > half
    };
    near.iter().find(reaches).map_or(0.0, middle)
}

/// The median of each bin's values, as far as ranges tell.
fn typical(near: &[Near], edges: &[f32]) -> Vec<f32> {
    let mut begin = 0;
    let of_bin = |edge: &f32| {
        let end = begin + near[begin..].partition_point(|near| near.high <= *edge);
        let own = &near[begin..end];
        begin = end;
        median(own)
    };
    edges.iter().chain(&[f32::INFINITY]).map(of_bin).collect()
}

/// The middle of each bin; of the outer ones, a value just beyond their edge.
fn middles(edges: &[f32]) -> Vec<f32> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return vec![0.0] };
    let inner = edges.windows(2).map(|pair| pair[0] / 2.0 + pair[1] / 2.0);
    std::iter::once(*first).chain(inner).chain([last.next_up().min(f32::MAX)]).collect()
}
