//! One tree: the leaf that gains most is split first, until there are as many leaves as may be.

use std::ops::Range;

use rayon::prelude::*;

use super::histogram::{CHUNK, Cell, Column, Lines, Rows, Rules, Scratch, Split};
use super::histogram::{fill, plus, search, subtract};
use crate::forest::bin::MISSING;
use crate::forest::tree::{Grown, Kind};

/// Up to so many rows of a leaf, its split is searched for among occupied bins only.
const FEW_ROWS: usize = 512;
/// Most memory of the histograms of waiting leaves, in octets; without one, a leaf's rows are added up anew.
const HISTOGRAM_OCTETS_MAX: usize = 1 << 29;
/// Fewer sums than this are not worth a second thread.
const PARALLEL_FROM: usize = 1 << 17;

/// What a tree grows from.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) lines: Lines<'a>,
    /// Where each eight columns that this tree may look at begin.
    pub(super) firsts: &'a [usize],
    /// Whether a column has missing values anywhere.
    pub(super) has_missing: &'a [bool],
    pub(super) leaves_max: usize,
    pub(super) depth_max: usize,
    pub(super) rules: Rules,
}

/// A grown tree, with the rows of each leaf.
pub(super) struct Wood {
    pub(super) nodes: Vec<Grown>,
    /// The rows, leaf by leaf.
    pub(super) rows: Vec<u32>,
    pub(super) leaves: Vec<Range<usize>>,
    /// The gain of each split, by column.
    pub(super) gains: Vec<(usize, f32)>,
}

/// Eight columns of a histogram each.
type Histogram = Vec<[Column; CHUNK]>;

struct Leaf {
    range: Range<usize>,
    depth: usize,
    node: usize,
    split: Option<Split>,
    histogram: Option<Histogram>,
}

/// Grows a tree on some rows; `cells` tells what each of them counts.
pub(super) fn grow(ground: Ground, rows: Vec<u32>, cells: Vec<Cell>) -> Wood {
    let mut grower = Grower {
        ground,
        spare: vec![(0, [0; 4]); rows.len()],
        rows,
        cells,
        nodes: vec![Grown { kind: Kind::Mixed { leaf: 0 }, rows: 0 }; 2],
        gains: Vec::new(),
        kept: 0,
    };
    let mut root =
        Leaf { range: 0..grower.rows.len(), depth: 0, node: 0, split: None, histogram: None };
    grower.look(&mut root);
    let mut leaves = vec![root];
    while leaves.len() < ground.leaves_max {
        let gains = leaves.iter().enumerate().filter_map(|(at, l)| l.split.map(|s| (at, s.gain)));
        let best = gains.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((at, _)) = best else { break };
        let leaf = leaves.swap_remove(at);
        let is_last = leaves.len() + 2 == ground.leaves_max;
        leaves.extend(grower.split(leaf, is_last));
    }
    for (number, leaf) in leaves.iter().enumerate() {
        let kind = Kind::Mixed { leaf: number as u32 };
        grower.nodes[leaf.node] = Grown { kind, rows: leaf.range.len() as u32 };
    }
    let leaves = leaves.into_iter().map(|leaf| leaf.range).collect();
    Wood { nodes: grower.nodes, rows: grower.rows, leaves, gains: grower.gains }
}

struct Grower<'a> {
    ground: Ground<'a>,
    /// The rows and what they count, leaf by leaf.
    rows: Vec<u32>,
    cells: Vec<Cell>,
    spare: Vec<(u32, Cell)>,
    nodes: Vec<Grown>,
    gains: Vec<(usize, f32)>,
    /// Histograms that wait.
    kept: usize,
}

impl Grower<'_> {
    fn rows(&self, range: &Range<usize>) -> Rows<'_> {
        Rows { rows: &self.rows[range.clone()], cells: &self.cells[range.clone()] }
    }

    fn total(&self, range: &Range<usize>) -> Cell {
        self.cells[range.clone()].iter().fold([0; 4], |sum, cell| plus(sum, *cell))
    }

    fn features(&self) -> usize {
        self.ground.has_missing.len()
    }

    fn may_split(&self, leaf: &Leaf) -> bool {
        let least = self.ground.rules.leaf_rows_min as usize;
        leaf.depth < self.ground.depth_max && leaf.range.len() >= 2 * least
    }

    fn is_parallel(&self, rows: usize) -> bool {
        rows * self.ground.firsts.len() * CHUNK >= PARALLEL_FROM
    }

    /// Finds a leaf's split from its rows alone.
    fn look(&mut self, leaf: &mut Leaf) {
        if !self.may_split(leaf) {
            return;
        }
        if leaf.range.len() <= FEW_ROWS {
            leaf.split = self.look_at_few(&leaf.range);
            return;
        }
        let mut histogram = vec![[[[0; 4]; 256]; CHUNK]; self.ground.firsts.len()];
        let (rows, total) = (self.rows(&leaf.range), self.total(&leaf.range));
        let Ground { lines, rules, .. } = self.ground;
        let features = self.features();
        let one = |(columns, &first): (&mut [Column; CHUNK], &usize)| {
            fill(columns, lines, rows, first);
            search(columns, first..features, total, rules)
        };
        let firsts = self.ground.firsts;
        let found: Vec<Option<Split>> = if self.is_parallel(rows.rows.len()) {
            histogram.par_iter_mut().zip(firsts).map(one).collect()
        } else {
            histogram.iter_mut().zip(firsts).map(one).collect()
        };
        leaf.split = best(found);
        leaf.histogram = self.keep(histogram);
    }

    fn look_at_few(&self, range: &Range<usize>) -> Option<Split> {
        let (rows, total) = (self.rows(range), self.total(range));
        let Ground { lines, rules, .. } = self.ground;
        let features = self.features();
        let one = |scratch: &mut Scratch, first: &usize| {
            scratch.search(lines, rows, *first..features, total, rules)
        };
        let firsts = self.ground.firsts;
        if self.is_parallel(range.len()) {
            best(firsts.par_iter().map_init(Scratch::new, one).collect())
        } else {
            let mut scratch = Scratch::new();
            best(firsts.iter().map(|first| one(&mut scratch, first)).collect())
        }
    }

    fn keep(&mut self, histogram: Histogram) -> Option<Histogram> {
        let octets = size_of_val(histogram.as_slice());
        if (self.kept + 1) * octets > HISTOGRAM_OCTETS_MAX {
            return None;
        }
        self.kept += 1;
        Some(histogram)
    }

    /// Splits a leaf; the last ones of a tree need not be looked at.
    fn split(&mut self, leaf: Leaf, is_last: bool) -> [Leaf; 2] {
        let Leaf { range, depth, node, split, histogram } = leaf;
        let mut split = split.expect("invariant: only leaves with a split are chosen");
        let (middle, missing) = self.partition(&range, &split);
        if self.ground.has_missing[split.feature] && !missing {
            // Nothing missing to learn from here: a missing value goes where most rows went.
            split.missing_left = middle - range.start > range.end - middle;
        }
        self.gains.push((split.feature, split.gain));
        let pair = self.nodes.len() / 2;
        self.nodes.extend([Grown { kind: Kind::Mixed { leaf: 0 }, rows: 0 }; 2]);
        let Split { feature, bin, missing_left, .. } = split;
        let kind = Kind::Split { feature: feature as u32, bin, missing_left, pair: pair as u32 };
        self.nodes[node] = Grown { kind, rows: range.len() as u32 };
        let child = |range, side| Leaf {
            range,
            depth: depth + 1,
            node: 2 * pair + side,
            split: None,
            histogram: None,
        };
        let mut children = [child(range.start..middle, 0), child(middle..range.end, 1)];
        if histogram.is_some() {
            self.kept -= 1;
        }
        if is_last {
            return children;
        }
        let [left, right] = &mut children;
        let (small, large) =
            if left.range.len() <= right.range.len() { (left, right) } else { (right, left) };
        match histogram {
            Some(histogram) if large.range.len() > FEW_ROWS && self.may_split(large) => {
                self.look_at_both(small, large, histogram);
            }
            _ => {
                self.look(small);
                self.look(large);
            }
        }
        children
    }

    /// Finds the splits of two children; the larger one's sums are their parent's less the smaller one's.
    fn look_at_both(&mut self, small: &mut Leaf, large: &mut Leaf, mut parent: Histogram) {
        let mut histogram = vec![[[[0; 4]; 256]; CHUNK]; parent.len()];
        let rows = self.rows(&small.range);
        let (small_total, large_total) = (self.total(&small.range), self.total(&large.range));
        let Ground { lines, rules, .. } = self.ground;
        let features = self.features();
        let may_split = self.may_split(small);
        type Chunk<'a> = (&'a usize, (&'a mut [Column; CHUNK], &'a mut [Column; CHUNK]));
        let one = |(&first, (small, large)): Chunk| {
            fill(small, lines, rows, first);
            subtract(large, small);
            let of_small =
                if may_split { search(small, first..features, small_total, rules) } else { None };
            (of_small, search(large, first..features, large_total, rules))
        };
        let (of_small, of_large): (Vec<_>, Vec<_>) = if self.is_parallel(large.range.len()) {
            let both = histogram.par_iter_mut().zip(parent.par_iter_mut());
            self.ground.firsts.par_iter().zip(both).map(one).unzip()
        } else {
            let both = histogram.iter_mut().zip(parent.iter_mut());
            self.ground.firsts.iter().zip(both).map(one).unzip()
        };
        (small.split, large.split) = (best(of_small), best(of_large));
        large.histogram = self.keep(parent);
        if small.range.len() > FEW_ROWS {
            small.histogram = self.keep(histogram);
        }
    }

    /// Moves the rows of the left side to the front, keeping their order.
    /// Returns where the right side begins and whether any row's value is missing.
    fn partition(&mut self, range: &Range<usize>, split: &Split) -> (usize, bool) {
        let lines = self.ground.lines;
        let shift = u8::from(split.missing_left);
        let limit = split.bin + shift;
        let rows = &mut self.rows[range.clone()];
        let cells = &mut self.cells[range.clone()];
        let (mut left, mut right) = (0, 0);
        let mut missing = false;
        for at in 0..rows.len() {
            let (row, cell) = (rows[at], cells[at]);
            let bin = lines.octet(row, split.feature);
            missing |= bin == MISSING;
            let goes_right = bin.wrapping_add(shift) > limit;
            rows[left] = row;
            cells[left] = cell;
            self.spare[right] = (row, cell);
            left += usize::from(!goes_right);
            right += usize::from(goes_right);
        }
        for (at, (row, cell)) in self.spare[..right].iter().enumerate() {
            rows[left + at] = *row;
            cells[left + at] = *cell;
        }
        (range.start + left, missing)
    }
}

/// The best of the chunks' splits, the first among equals.
fn best(found: Vec<Option<Split>>) -> Option<Split> {
    found.into_iter().fold(None, Split::better)
}
