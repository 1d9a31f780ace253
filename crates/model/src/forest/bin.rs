//! Numbers to octets: each column is cut at its quantiles, and a missing value has a bin of its own.
//!
//! Sketch: a value costs eight steps down a search tree in a table of 1 KB, each a load, a comparison and an
//! addition with carry; eight values walk side by side, so that a step costs throughput, not latency.

use rayon::prelude::*;

/// The bin of a missing value; bins of values are below it.
pub(crate) const MISSING: u8 = 255;
/// Most edges of a column: 255 bins of values.
pub(crate) const EDGES_MAX: usize = 254;
/// Edges come from at most so many rows, evenly spread: the error of a quantile is then below 0.2 %.
const SAMPLE_MAX: usize = 200_000;
/// Values that are searched for side by side.
const LANES: usize = 8;
/// Rows that are binned together, so that one block of octets stays in the first-level cache.
const BLOCK_ROWS: usize = 256;

/// Where the columns are cut.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bins {
    columns: Vec<Cuts>,
}

/// Where one column is cut.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cuts {
    /// Ascending; the bin of `v` is the number of edges below `v`.
    edges: Vec<f32>,
    /// The edges and then infinity, as a search tree: the children of `i` are `2 i` and `2 i + 1`.
    tree: Box<[f32; 256]>,
    /// Levels of the tree: 2^levels is above the number of edges.
    levels: u32,
    /// The bin a missing value gets: [`MISSING`], or the median's where none was missing in training.
    missing: u8,
}

impl Cuts {
    /// Cuts from edges that are ascending and at most [`EDGES_MAX`].
    pub(crate) fn new(edges: Vec<f32>, missing: u8) -> Self {
        let levels = usize::BITS - edges.len().leading_zeros();
        let mut tree = Box::new([f32::INFINITY; 256]);
        let leaves = 1 << levels;
        for (node, edge) in tree.iter_mut().enumerate().take(leaves).skip(1) {
            // Of the node's level: how many ranks a node covers, and which of them splits it.
            let width = leaves >> node.ilog2();
            let rank = (node - (1 << node.ilog2())) * width + width / 2;
            *edge = edges.get(rank - 1).copied().unwrap_or(f32::INFINITY);
        }
        Self { edges, tree, levels, missing }
    }

    pub(crate) fn edges(&self) -> &[f32] {
        &self.edges
    }

    pub(crate) fn missing(&self) -> u8 {
        self.missing
    }

    /// Learns the edges of one column from some of its rows; also gives each bin's middle value.
    fn learn(column: &[f32], rows: &[u32]) -> (Self, Vec<f32>) {
        let stride = rows.len().div_ceil(SAMPLE_MAX).max(1);
        let mut values: Vec<f32> = Vec::with_capacity(rows.len() / stride + 1);
        values.extend(
            rows.iter().step_by(stride).map(|&r| column[r as usize]).filter(|v| !v.is_nan()),
        );
        let any_missing = rows.iter().any(|&r| column[r as usize].is_nan());
        sort(&mut values);
        let edges = quantile_edges(&values);
        let median = values.get(values.len() / 2).copied().unwrap_or(0.0);
        let mut cuts = Self::new(edges, MISSING);
        if !any_missing {
            cuts.missing = cuts.bin(median);
        }
        let typical = cuts.typical(&values);
        (cuts, typical)
    }

    /// The middle one of each bin's values; finite, so that numbers can be drawn between them.
    fn typical(&self, sorted: &[f32]) -> Vec<f32> {
        let mut begin = 0;
        let mut typical = Vec::with_capacity(self.edges.len() + 1);
        for &edge in self.edges.iter().chain(&[f32::INFINITY]) {
            let end = begin + sorted[begin..].partition_point(|value| *value <= edge);
            let middle = sorted.get((begin + end) / 2).copied().unwrap_or(0.0);
            typical.push(middle.clamp(f32::MIN, f32::MAX));
            begin = end;
        }
        typical
    }

    /// The bin of one value.
    pub(crate) fn bin(&self, value: f32) -> u8 {
        let mut out = [0];
        self.fill(&[value], &mut out);
        out[0]
    }

    /// The bins of some values.
    fn fill(&self, values: &[f32], out: &mut [u8]) {
        // Unrolled by the number of levels, so that no step has to check its index.
        match self.levels {
            0 => self.fill_by::<0>(values, out),
            1 => self.fill_by::<1>(values, out),
            2 => self.fill_by::<2>(values, out),
            3 => self.fill_by::<3>(values, out),
            4 => self.fill_by::<4>(values, out),
            5 => self.fill_by::<5>(values, out),
            6 => self.fill_by::<6>(values, out),
            7 => self.fill_by::<7>(values, out),
            _ => self.fill_by::<8>(values, out),
        }
    }

    fn fill_by<const LEVELS: usize>(&self, values: &[f32], out: &mut [u8]) {
        let (blocks, rest) = values.as_chunks::<LANES>();
        let (out_blocks, out_rest) = out.as_chunks_mut::<LANES>();
        for (values, out) in blocks.iter().zip(out_blocks) {
            *out = self.bins::<LEVELS>(values);
        }
        let mut last = [0.0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        out_rest.copy_from_slice(&self.bins::<LEVELS>(&last)[..rest.len()]);
    }

    #[inline(always)]
    fn bins<const LEVELS: usize>(&self, values: &[f32; LANES]) -> [u8; LANES] {
        let mut at = [1_usize; LANES];
        for _ in 0..LEVELS {
            for (at, value) in at.iter_mut().zip(values) {
                *at = 2 * *at + usize::from(self.tree[*at & 255] < *value);
            }
        }
        // The tree's last level numbers the bins from 2^LEVELS on.
        let mut bins = at.map(|at| (at - (1 << LEVELS)) as u8);
        for (bin, value) in bins.iter_mut().zip(values) {
            *bin = if value.is_nan() { self.missing } else { *bin };
        }
        bins
    }
}

impl Bins {
    /// Learns where to cut every column from the rows to train on; also gives, column by column, each
    /// bin's middle value.
    pub(crate) fn learn(columns: &[Vec<f32>], rows: &[u32]) -> (Self, Vec<Vec<f32>>) {
        let learned = columns.par_iter().map(|column| Cuts::learn(column, rows));
        let (columns, typical) = learned.unzip();
        (Self { columns }, typical)
    }

    pub(crate) fn from_cuts(columns: Vec<Cuts>) -> Self {
        Self { columns }
    }

    pub(crate) fn cuts(&self) -> &[Cuts] {
        &self.columns
    }

    /// Bins rows into `out`, one row of `stride` octets after the other; `layout` says which column
    /// stands where, and what is added to its bin.
    pub(crate) fn fill(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
        layout: &[Place],
        stride: usize,
        out: &mut [u8],
    ) {
        let mut values = [0.0_f32; BLOCK_ROWS];
        let mut bins = [0_u8; BLOCK_ROWS];
        for (rows, out) in rows.chunks(BLOCK_ROWS).zip(out.chunks_mut(BLOCK_ROWS * stride)) {
            for (at, place) in layout.iter().enumerate() {
                let column = &columns[place.feature];
                for (value, &row) in values.iter_mut().zip(rows) {
                    *value = column[row as usize];
                }
                self.columns[place.feature].fill(&values[..rows.len()], &mut bins[..rows.len()]);
                for (line, bin) in out.chunks_exact_mut(stride).zip(&bins[..rows.len()]) {
                    line[at] = bin.wrapping_add(place.shift);
                }
            }
        }
    }
}

/// One octet of a binned row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The column it comes from.
    pub(crate) feature: usize,
    /// Added to the bin, wrapping: 0 leaves a missing value above all others, 1 puts it below.
    pub(crate) shift: u8,
}

/// Octets of a binned row: whole 64-octet lines, so that few rows share one.
pub(crate) fn stride(places: usize) -> usize {
    places.div_ceil(64).max(1) * 64
}

/// Sorts numbers (no NaN) by four passes over octets where that is faster than comparing.
fn sort(values: &mut [f32]) {
    const RADIX_FROM: usize = 2_000;
    if values.len() < RADIX_FROM {
        values.sort_unstable_by(f32::total_cmp);
        return;
    }
    // The usual order-preserving map of IEEE 754: flip all bits of negatives, the sign of the rest.
    let mut keys: Vec<u32> = values
        .iter()
        .map(|v| {
            let bits = v.to_bits();
            bits ^ if bits >> 31 == 1 { u32::MAX } else { 1 << 31 }
        })
        .collect();
    let mut spare = vec![0; keys.len()];
    for shift in [0, 11, 22] {
        let mut ends = [0_usize; 2048];
        for key in &keys {
            ends[(key >> shift) as usize & 2047] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        for &key in &keys {
            let end = &mut ends[(key >> shift) as usize & 2047];
            spare[*end] = key;
            *end += 1;
        }
        std::mem::swap(&mut keys, &mut spare);
    }
    for (value, key) in values.iter_mut().zip(keys) {
        *value = f32::from_bits(key ^ if key >> 31 == 1 { 1 << 31 } else { u32::MAX });
    }
}

/// Rows of a column whose values lie close together, or are one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Near {
    pub(crate) low: f32,
    pub(crate) high: f32,
    pub(crate) rows: usize,
}

/// Edges of sorted values, of at most 255 bins.
fn quantile_edges(sorted: &[f32]) -> Vec<f32> {
    let mut distinct: Vec<Near> = Vec::new();
    for &value in sorted {
        match distinct.last_mut() {
            // Equality, not bits: -0 and 0 are one value.
            Some(last) if last.low == value => last.rows += 1,
            _ => distinct.push(Near { low: value, high: value, rows: 1 }),
        }
    }
    edges_between(&distinct, EDGES_MAX + 1)
}

/// Edges between values in ascending order: between all neighbours where they are few, else at about equal
/// counts; a value that is more than a bin's share of the rows gets a bin of its own.
pub(crate) fn edges_between(distinct: &[Near], bins: usize) -> Vec<f32> {
    let few = distinct.len() <= bins;
    let mut edges = Vec::with_capacity(bins - 1);
    let (mut rows_left, mut in_bin) = (distinct.iter().map(|near| near.rows).sum::<usize>(), 0);
    for pair in distinct.windows(2) {
        let [near, next] = pair else { break };
        in_bin += near.rows;
        let bins_left = bins - edges.len();
        let share = rows_left as f64 / bins_left as f64;
        let next_is_heavy = next.rows as f64 >= share;
        let full = in_bin as f64 + next.rows as f64 / 2.0 >= share;
        if edges.len() < bins - 1 && (few || next_is_heavy || full) {
            edges.push(between(near.high, next.low));
            rows_left -= in_bin;
            in_bin = 0;
        }
    }
    edges
}

/// A number at or above `low` and below `high`, in the middle where there is one.
pub(crate) fn between(low: f32, high: f32) -> f32 {
    let middle = low / 2.0 + high / 2.0;
    if low <= middle && middle < high { middle } else { low }
}
