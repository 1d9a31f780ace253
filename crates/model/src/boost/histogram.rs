//! The search for a leaf's split: sums of gradients by bin, for eight columns at a touch of a row.
//!
//! Sums are whole numbers, so they are the same in any order and for any number of threads, and a leaf's larger child is its
//! parent less the smaller child, exactly. Sketch: a row costs eight additions of four numbers in 32 KB, the first-level cache.

use std::ops::Range;

use crate::forest::bin::MISSING;

/// Columns that are looked at together.
pub(super) const CHUNK: usize = 8;

/// Three gradients, in units of a round's own, and a number of rows.
pub(super) type Cell = [i32; 4];
/// A column's cells, by bin.
pub(super) type Column = [Cell; 256];

/// Some rows of a node: which they are and what they count.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) rows: &'a [u32],
    pub(super) cells: &'a [Cell],
}

/// Binned rows.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    pub(super) octets: &'a [u8],
    pub(super) stride: usize,
}

impl Lines<'_> {
    /// The octets of eight columns of a row, from `first` on; a line is whole 64 octets, so they are always there.
    #[inline(always)]
    pub(super) fn chunk(&self, row: u32, first: usize) -> [u8; CHUNK] {
        let at = row as usize * self.stride + first;
        let mut chunk = [0; CHUNK];
        chunk.copy_from_slice(&self.octets[at..at + CHUNK]);
        chunk
    }

    pub(super) fn octet(&self, row: u32, feature: usize) -> u8 {
        self.octets[row as usize * self.stride + feature]
    }
}

/// Where a leaf may be split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) gain: f32,
    pub(super) feature: usize,
    /// The highest bin that goes left.
    pub(super) bin: u8,
    pub(super) missing_left: bool,
}

impl Split {
    /// The better one; of equals the first.
    pub(super) fn better(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

/// What a split must keep to.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) leaf_rows_min: i32,
    /// Added to the number of rows wherever it divides.
    pub(super) penalty: f32,
}

/// Adds rows to the cells of eight columns.
pub(super) fn fill(columns: &mut [Column; CHUNK], lines: Lines, rows: Rows, first: usize) {
    for (&row, cell) in rows.rows.iter().zip(rows.cells) {
        let bins = lines.chunk(row, first);
        for (column, bin) in columns.iter_mut().zip(bins) {
            let sum = &mut column[usize::from(bin)];
            for (sum, value) in sum.iter_mut().zip(cell) {
                *sum += value;
            }
        }
    }
}

/// Takes one child's cells from its parent's, which leaves the other child's.
pub(super) fn subtract(from: &mut [Column; CHUNK], what: &[Column; CHUNK]) {
    for (from, what) in from.as_flattened_mut().iter_mut().zip(what.as_flattened()) {
        for (from, what) in from.iter_mut().zip(what) {
            *from -= what;
        }
    }
}

/// The best split of the first eight columns of `features`, of cells where `total` rows are.
pub(super) fn search(
    columns: &[Column; CHUNK],
    features: Range<usize>,
    total: Cell,
    rules: Rules,
) -> Option<Split> {
    let mut best = None;
    for (feature, column) in features.zip(columns) {
        let occupied = column[..usize::from(MISSING)].iter().enumerate();
        let occupied =
            occupied.filter(|(_, cell)| cell[3] > 0).map(|(bin, cell)| (bin as u8, *cell));
        best = Split::better(
            best,
            scan(feature, occupied, column[usize::from(MISSING)], total, rules),
        );
    }
    best
}

/// Memory for the search of leaves with few rows.
pub(super) struct Scratch {
    columns: Box<[Column; CHUNK]>,
    occupied: [[u64; 4]; CHUNK],
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { columns: Box::new([[[0; 4]; 256]; CHUNK]), occupied: [[0; 4]; CHUNK] }
    }

    /// The best split of the first eight columns of `features` by the few bins that any row is in; the cells are left as they were, empty.
    pub(super) fn search(
        &mut self,
        lines: Lines,
        rows: Rows,
        features: Range<usize>,
        total: Cell,
        rules: Rules,
    ) -> Option<Split> {
        let first = features.start;
        fill(&mut self.columns, lines, rows, first);
        for &row in rows.rows {
            let bins = lines.chunk(row, first);
            for (occupied, bin) in self.occupied.iter_mut().zip(bins) {
                occupied[usize::from(bin >> 6)] |= 1 << (bin & 63);
            }
        }
        let mut best = None;
        for (lane, (column, occupied)) in
            self.columns.iter_mut().zip(&mut self.occupied).enumerate()
        {
            if first + lane < features.end {
                let missing = column[usize::from(MISSING)];
                let present = bits(occupied).take_while(|bin| *bin != MISSING);
                let cells = present.map(|bin| (bin, column[usize::from(bin)]));
                best = Split::better(best, scan(first + lane, cells, missing, total, rules));
            }
            bits(occupied).for_each(|bin| column[usize::from(bin)] = [0; 4]);
            *occupied = [0; 4];
        }
        best
    }
}

/// The bins that are marked, ascending.
fn bits(occupied: &[u64; 4]) -> impl Iterator<Item = u8> + use<> {
    let mut words = *occupied;
    let mut word = 0;
    std::iter::from_fn(move || {
        while word < 4 && words[word] == 0 {
            word += 1;
        }
        if word == 4 {
            return None;
        }
        let bit = words[word].trailing_zeros();
        words[word] &= words[word] - 1;
        Some((word as u32 * 64 + bit) as u8)
    })
}

/// The best split of one column. Between two bins that are occupied it is drawn in the middle of the empty ones between them.
#[inline(always)]
fn scan(
    feature: usize,
    occupied: impl Iterator<Item = (u8, Cell)>,
    missing: Cell,
    total: Cell,
    rules: Rules,
) -> Option<Split> {
    let mut best = Split { gain: 0.0, feature, bin: 0, missing_left: false };
    let parent = score(total, rules);
    let mut left = [0; 4];
    let mut last = None;
    let mut offer = |left: Cell, bin: u8, missing_left: bool| {
        let right = less(total, left);
        if left[3] >= rules.leaf_rows_min && right[3] >= rules.leaf_rows_min {
            let gain = score(left, rules) + score(right, rules) - parent;
            if gain > best.gain {
                best = Split { gain, feature, bin, missing_left };
            }
        }
    };
    for (bin, cell) in occupied {
        if let Some(last) = last {
            let middle = ((u16::from(last) + u16::from(bin)) / 2) as u8;
            offer(left, middle, false);
            if missing[3] > 0 {
                offer(plus(left, missing), middle, true);
            }
        }
        left = plus(left, cell);
        last = Some(bin);
    }
    if let (Some(last), true) = (last, missing[3] > 0) {
        offer(left, last, false);
    }
    (best.gain > 0.0).then_some(best)
}

#[inline(always)]
fn score(cell: Cell, rules: Rules) -> f32 {
    let [a, b, c, rows] = cell.map(|value| value as f32);
    (a * a + b * b + c * c) / (rows + rules.penalty)
}

#[inline(always)]
pub(super) fn plus(a: Cell, b: Cell) -> Cell {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
}

#[inline(always)]
fn less(a: Cell, b: Cell) -> Cell {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// The best split of all, found by trying every border with every row anew.
    fn by_hand(octets: &[u8], features: usize, cells: &[Cell], rules: Rules) -> f32 {
        let total = cells.iter().fold([0; 4], |sum, cell| plus(sum, *cell));
        let mut best = 0.0_f32;
        for feature in 0..features {
            for bin in 0..MISSING {
                for missing_left in [false, true] {
                    let goes_left =
                        |octet: u8| if octet == MISSING { missing_left } else { octet <= bin };
                    let rows = octets.chunks_exact(64).zip(cells);
                    let left = rows
                        .filter(|(line, _)| goes_left(line[feature]))
                        .fold([0; 4], |sum, (_, cell)| plus(sum, *cell));
                    let right = less(total, left);
                    if left[3] >= rules.leaf_rows_min && right[3] >= rules.leaf_rows_min {
                        best = best
                            .max(score(left, rules) + score(right, rules) - score(total, rules));
                    }
                }
            }
        }
        best
    }

    #[test]
    fn both_searches_find_the_best_split_of_all() {
        for seed in 0..200 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut below = |limit: u32| rng.next_u32() % limit;
            let (rows, features) = (1 + below(40), 1 + below(8) as usize);
            let mut octets = vec![0; rows as usize * 64];
            for line in octets.chunks_exact_mut(64) {
                for octet in &mut line[..features] {
                    *octet = if below(6) == 0 { MISSING } else { (below(5) * 60) as u8 };
                }
            }
            let mut gradient = || below(2_001) as i32 - 1_000;
            let cells: Vec<Cell> =
                (0..rows).map(|_| [gradient(), gradient(), gradient(), 1]).collect();
            let rules = Rules { leaf_rows_min: 1 + (seed % 4) as i32, penalty: 0.5 };
            let numbers: Vec<u32> = (0..rows).collect();
            let rows = Rows { rows: &numbers, cells: &cells };
            let lines = Lines { octets: &octets, stride: 64 };
            let total = cells.iter().fold([0; 4], |sum, cell| plus(sum, *cell));
            let mut columns = [[[0; 4]; 256]; CHUNK];
            fill(&mut columns, lines, rows, 0);
            let dense = search(&columns, 0..features, total, rules);
            let mut scratch = Scratch::new();
            let few = scratch.search(lines, rows, 0..features, total, rules);
            assert_eq!(dense, few, "seed {seed}");
            let best = by_hand(&octets, features, &cells, rules);
            let found = dense.map_or(0.0, |split| split.gain);
            assert!((found - best).abs() <= best * 1e-5 + 1.0, "seed {seed}: {found}, not {best}");
            assert!(scratch.columns.as_flattened().iter().all(|cell| *cell == [0; 4]));
        }
    }
}
