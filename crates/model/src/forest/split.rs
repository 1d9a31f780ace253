//! The search for a node's split: which column, at which bin.
//!
//! The score of a split is `Σ L_c² / n_L + Σ R_c² / n_R`, the part of Gini's decrease that the split
//! decides. It is compared as fractions, without dividing. The sums of squares follow each row that
//! moves from right to left: `(L + w)² - L² = w (2 L + w)`. When a column is done, all rows are on the
//! other side, and the next column moves them back: nothing has to be set up again.

mod occupied;
pub(super) mod sums;
mod vectors;

use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use super::{
    bin::MISSING,
    grow::{Chance, Item, Limits, Mark},
};
use occupied::{Bits, Occupied};
use vectors::Vectors;

/// Columns whose octets are gathered at one touch of a row.
pub(crate) const CHUNK: usize = 8;
/// Up to so many rows are sorted by comparing all with all, sixteen octets at a time.
const SMALL_ROWS: usize = 16;
/// Up to so many classes, a bin's counts are one vector.
const FEW_CLASSES: usize = 8;

/// What rows weigh: whole numbers, or fractions where classes count unequally.
pub(crate) trait Amount:
    Copy
    + Default
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + AddAssign
    + SubAssign
    + Send
{
    /// The weight of a row.
    fn of(mark: Mark, class_weights: &[f64]) -> Self;
    /// As a real number.
    fn real(self) -> f64;
}

impl Amount for i64 {
    #[inline(always)]
    fn of(mark: Mark, _: &[f64]) -> Self {
        Self::from(mark.times())
    }

    #[inline(always)]
    fn real(self) -> f64 {
        self as f64
    }
}

impl Amount for f64 {
    #[inline(always)]
    fn of(mark: Mark, class_weights: &[f64]) -> Self {
        Self::from(mark.times()) * class_weights[mark.class()]
    }

    #[inline(always)]
    fn real(self) -> f64 {
        self
    }
}

/// The best split so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Best {
    pub(crate) feature: usize,
    /// The highest bin that goes left.
    pub(crate) bin: u8,
    pub(crate) missing_left: bool,
    /// The score is `above / below`.
    above: f64,
    below: f64,
}

impl Best {
    pub(crate) fn none() -> Self {
        Self { feature: 0, bin: 0, missing_left: false, above: -1.0, below: 1.0 }
    }

    /// A split that was found before; by how much it was the best is forgotten.
    pub(crate) fn at(feature: usize, bin: u8, missing_left: bool) -> Self {
        Self { feature, bin, missing_left, above: 0.0, below: 1.0 }
    }

    pub(crate) fn found(&self) -> bool {
        self.above >= 0.0
    }

    #[inline(always)]
    fn offer(&mut self, above: f64, below: f64, split: impl FnOnce() -> (usize, u8, bool)) {
        if above * self.below > self.above * below {
            let (feature, bin, missing_left) = split();
            *self = Self { feature, bin, missing_left, above, below };
        }
    }
}

/// One column of a node: octet `lane` of each pack.
pub(crate) struct Column<'a> {
    pub(crate) packs: &'a [[u8; CHUNK]],
    pub(crate) lane: usize,
    pub(crate) feature: usize,
    /// Whether any row of the training table misses it.
    pub(crate) may_miss: bool,
    /// The middle value of each bin.
    pub(crate) typical: &'a [f32],
}

impl Column<'_> {
    #[inline(always)]
    fn bins(&self) -> impl Iterator<Item = u8> + '_ {
        let shift = 8 * self.lane as u32;
        self.packs.iter().map(move |pack| (u64::from_le_bytes(*pack) >> shift) as u8)
    }
}

/// Rows of one bin, among the node's rows sorted by bin.
#[derive(Clone, Copy, Debug)]
struct Run {
    bin: u8,
    begin: u32,
    end: u32,
}

/// Sums on both sides of a moving border.
#[derive(Clone, Copy)]
struct Sides<A> {
    left: A,
    right: A,
    left_squares: A,
    right_squares: A,
}

impl<A: Amount> Sides<A> {
    fn new(total: A, squares: A) -> Self {
        let zero = A::default();
        Self { left: zero, right: total, left_squares: zero, right_squares: squares }
    }

    /// The score as a fraction.
    #[inline(always)]
    fn score(&self) -> (f64, f64) {
        let (left, right) = (self.left.real(), self.right.real());
        let above = self.left_squares.real() * right + self.right_squares.real() * left;
        (above, left * right)
    }
}

/// The memory of the search.
pub(crate) struct Search<A> {
    weights: Vec<f64>,
    few: bool,
    limits: Limits,
    /// Per class: the sums of both sides.
    cells: Vec<[A; 2]>,
    /// The side on which all rows are now.
    full: usize,
    total: A,
    squares: A,
    counts: Box<[u32; 256]>,
    sorted: Vec<Mark>,
    runs: Vec<Run>,
    histogram: Box<[[i32; FEW_CLASSES]; 256]>,
}

impl<A: Amount> Search<A> {
    pub(crate) fn new(class_count: usize, weights: &[f64], limits: Limits) -> Self {
        Self {
            weights: weights.to_vec(),
            few: class_count <= FEW_CLASSES && limits.leaf_rows_min == 1,
            limits,
            cells: vec![[A::default(); 2]; class_count],
            full: 0,
            total: A::default(),
            squares: A::default(),
            counts: Box::new([0; 256]),
            sorted: Vec::new(),
            runs: Vec::with_capacity(256),
            histogram: Box::new([[0; FEW_CLASSES]; 256]),
        }
    }

    /// Counts the classes of a node.
    pub(crate) fn open(&mut self, items: &[Item]) {
        let (mut total, mut squares) = (A::default(), A::default());
        for item in items {
            let mark = item.mark();
            let weight = A::of(mark, &self.weights);
            let cell = &mut self.cells[mark.class()][0];
            squares += weight * (*cell + *cell + weight);
            *cell += weight;
            total += weight;
        }
        (self.total, self.squares, self.full) = (total, squares, 0);
    }

    /// Forgets the node's classes.
    pub(crate) fn close(&mut self, items: &[Item]) {
        for item in items {
            self.cells[item.mark().class()] = [A::default(); 2];
        }
    }

    /// The classes of an open node with their weights, by class.
    pub(crate) fn class_amounts(&self, items: &[Item]) -> Vec<(u16, f64)> {
        let mut classes: Vec<u16> = items.iter().map(|item| item.class()).collect();
        classes.sort_unstable();
        classes.dedup();
        let full = self.full;
        classes.into_iter().map(|c| (c, self.cells[usize::from(c)][full].real())).collect()
    }

    /// Whether both sides of a split are pure: then no column can do better.
    pub(crate) fn is_perfect(&self, best: &Best) -> bool {
        best.above == self.total.real() * best.below
    }

    /// How much a split lowers the node's impurity, weighted by its rows.
    pub(crate) fn decrease(&self, best: &Best) -> f64 {
        let before = self.squares.real() / self.total.real();
        (best.above / best.below - before).max(0.0)
    }

    /// Offers the best split of one column.
    #[inline(never)]
    pub(crate) fn try_column(
        &mut self,
        column: &Column,
        items: &[Item],
        best: &mut Best,
        chance: &mut Chance,
    ) {
        if self.limits.random_thresholds {
            self.try_random(column, items, best, chance);
        } else if items.len() <= SMALL_ROWS {
            if self.sort_small(column, items) {
                self.sweep_runs(column, best);
            }
        } else if self.few {
            self.try_histogram(column, items, best);
        } else if self.sort_by_counting(column, items) {
            self.sweep_runs(column, best);
        }
    }

    /// Sorts up to sixteen rows: a row's place is the number of rows before it.
    fn sort_small(&mut self, column: &Column, items: &[Item]) -> bool {
        // Bin and row in one number, so that no two are equal; rows that are not there come last.
        let mut keys = [i16::MAX; SMALL_ROWS];
        for (row, (key, bin)) in keys.iter_mut().zip(column.bins()).enumerate() {
            *key = i16::from(bin) << 4 | row as i16;
        }
        let mut places = [0_i16; SMALL_ROWS];
        for &other in &keys[..items.len()] {
            for (place, &key) in places.iter_mut().zip(&keys) {
                *place += i16::from(other < key);
            }
        }
        let mut sorted = [(0, Mark(0)); SMALL_ROWS];
        for ((&place, &key), item) in places.iter().zip(&keys).zip(items) {
            sorted[place as usize & (SMALL_ROWS - 1)] = ((key >> 4) as u8, item.mark());
        }
        self.runs.clear();
        self.sorted.clear();
        let mut begin = 0;
        for (at, (bin, mark)) in sorted[..items.len()].iter().enumerate() {
            self.sorted.push(*mark);
            let end = at as u32 + 1;
            if sorted.get(at + 1).is_none_or(|next| next.0 != *bin) || at + 1 == items.len() {
                self.runs.push(Run { bin: *bin, begin, end });
                begin = end;
            }
        }
        self.runs.len() > 1
    }

    /// Sorts rows by counting; only bins that occur cost anything. False where there is but one.
    fn sort_by_counting(&mut self, column: &Column, items: &[Item]) -> bool {
        let counts = &mut *self.counts;
        let mut occupied = Occupied::default();
        for (row, bin) in column.bins().enumerate() {
            counts[usize::from(bin)] += 1;
            occupied.insert(row, bin);
        }
        self.runs.clear();
        let mut begin = 0;
        for bin in Bits::new(occupied.union()) {
            let count = &mut counts[usize::from(bin)];
            let end = begin + *count;
            self.runs.push(Run { bin, begin, end });
            *count = begin;
            begin = end;
        }
        let splits = self.runs.len() > 1;
        if splits {
            if self.sorted.len() < items.len() {
                self.sorted.resize(items.len(), Mark(0));
            }
            let sorted = &mut self.sorted[..items.len()];
            for (bin, item) in column.bins().zip(items) {
                let place = &mut counts[usize::from(bin)];
                sorted[*place as usize] = item.mark();
                *place += 1;
            }
        }
        for run in &self.runs {
            counts[usize::from(run.bin)] = 0;
        }
        splits
    }

    /// Moves the sorted rows across, run by run, and offers every border; then once more with the
    /// missing values first.
    fn sweep_runs(&mut self, column: &Column, best: &mut Best) {
        let runs = std::mem::take(&mut self.runs);
        self.sweep(column, None, &runs, best);
        if let [values @ .., missing] = &runs[..]
            && column.may_miss
            && missing.bin == MISSING
            && values.len() > 1
        {
            self.sweep(column, Some(*missing), values, best);
        }
        self.runs = runs;
    }

    fn sweep(&mut self, column: &Column, first: Option<Run>, runs: &[Run], best: &mut Best) {
        if self.full == 0 {
            self.sweep_from::<0>(column, first, runs, best);
        } else {
            self.sweep_from::<1>(column, first, runs, best);
        }
        self.full ^= 1;
    }

    fn sweep_from<const FROM: usize>(
        &mut self,
        column: &Column,
        first: Option<Run>,
        runs: &[Run],
        best: &mut Best,
    ) {
        let mut sides = Sides::new(self.total, self.squares);
        let rows = runs.last().map_or(0, |run| run.end) as usize
            + first.map_or(0, |run| run.end - run.begin) as usize;
        let leaf_rows = self.limits.leaf_rows_min;
        let mut rows_left = 0;
        if let Some(run) = first {
            self.shift::<FROM>(run, &mut sides);
            rows_left += (run.end - run.begin) as usize;
        }
        for (at, run) in runs.iter().enumerate() {
            self.shift::<FROM>(*run, &mut sides);
            rows_left += (run.end - run.begin) as usize;
            let Some(next) = runs.get(at + 1) else { break };
            if rows_left < leaf_rows || rows - rows_left < leaf_rows {
                continue;
            }
            let (above, below) = sides.score();
            best.offer(above, below, || {
                (column.feature, border(run.bin, next.bin, column.may_miss), first.is_some())
            });
        }
    }

    /// Moves the rows of a run to the other side.
    #[inline(always)]
    fn shift<const FROM: usize>(&mut self, run: Run, sides: &mut Sides<A>) {
        for &mark in &self.sorted[run.begin as usize..run.end as usize] {
            let weight = A::of(mark, &self.weights);
            let cell = &mut self.cells[mark.class()];
            sides.left_squares += weight * (cell[1 - FROM] + cell[1 - FROM] + weight);
            sides.right_squares -= weight * (cell[FROM] + cell[FROM] - weight);
            cell[1 - FROM] += weight;
            cell[FROM] -= weight;
            sides.left += weight;
            sides.right -= weight;
        }
    }

    /// Up to eight classes: a bin's counts are one vector, and only bins that occur are visited.
    fn try_histogram(&mut self, column: &Column, items: &[Item], best: &mut Best) {
        let histogram = &mut *self.histogram;
        let mut occupied = Occupied::default();
        for (row, (bin, item)) in column.bins().zip(items).enumerate() {
            let mark = item.mark();
            histogram[usize::from(bin)][mark.class() & 7] += i32::from(mark.times());
            occupied.insert(row, bin);
        }
        let occupied = occupied.union();
        let mut total = [0.0; FEW_CLASSES];
        for (total, cell) in total.iter_mut().zip(&self.cells) {
            *total = cell[self.full].real() as f32;
        }
        let mut weights = [1.0; FEW_CLASSES];
        for (weight, of_class) in weights.iter_mut().zip(&self.weights) {
            *weight = *of_class as f32;
        }
        let missing = occupied[3] >> 63 == 1 && column.may_miss;
        let feature = column.feature;
        let vectors = Vectors { histogram, total, weights };
        vectors.sweep(occupied, [0.0; FEW_CLASSES], |above, below, bin, next| {
            best.offer(above, below, || (feature, border(bin, next, column.may_miss), false));
        });
        if missing {
            let mut values = occupied;
            values[3] &= !(1 << 63);
            let first = vectors.amounts(MISSING);
            vectors.sweep(values, first, |above, below, bin, next| {
                best.offer(above, below, || (feature, border(bin, next, true), true));
            });
        }
        for bin in Bits::new(occupied) {
            self.histogram[usize::from(bin)] = [0; FEW_CLASSES];
        }
    }

    /// One border drawn at random between the node's lowest and highest value.
    fn try_random(
        &mut self,
        column: &Column,
        items: &[Item],
        best: &mut Best,
        chance: &mut Chance,
    ) {
        let (mut low, mut high, mut missing) = (u8::MAX, 0, false);
        for bin in column.bins() {
            let is_missing = column.may_miss && bin == MISSING;
            missing |= is_missing;
            low = low.min(bin);
            high = high.max(if is_missing { 0 } else { bin });
        }
        if low >= high && !(missing && low < MISSING) {
            return;
        }
        let (limit, missing_left) = if low >= high {
            (MISSING - 1, false)
        } else {
            let limit = random_border(column.typical, low, high, chance.share());
            (limit, missing && chance.below(2) == 1)
        };
        let shift = u8::from(missing_left);
        let zero = A::default();
        let (full, other) = (self.full, 1 - self.full);
        let (mut rows_left, mut left, mut squares, mut cross) = (0, zero, zero, zero);
        for (bin, item) in column.bins().zip(items) {
            if bin.wrapping_add(shift) > limit + shift {
                continue;
            }
            let mark = item.mark();
            let weight = A::of(mark, &self.weights);
            let cell = &mut self.cells[mark.class()];
            squares += weight * (cell[other] + cell[other] + weight);
            cross += weight * cell[full];
            cell[other] += weight;
            left += weight;
            rows_left += 1;
        }
        for item in items {
            self.cells[item.mark().class()][other] = zero;
        }
        let leaf_rows = self.limits.leaf_rows_min;
        if rows_left < leaf_rows || items.len() - rows_left < leaf_rows {
            return;
        }
        // Σ (T - L)² = Σ T² - 2 Σ T L + Σ L².
        let right_squares = self.squares - cross - cross + squares;
        let right = self.total - left;
        let sides = Sides { left, right, left_squares: squares, right_squares };
        let (above, below) = sides.score();
        best.offer(above, below, || (column.feature, limit, missing_left));
    }
}

/// The border between two neighbouring occupied bins: the middle of the empty gap. Values that no row
/// of this node has are so shared between both sides; before missing values, all stay left.
fn border(bin: u8, next: u8, may_miss: bool) -> u8 {
    if may_miss && next == MISSING { MISSING - 1 } else { bin + (next - bin - 1) / 2 }
}

/// The border nearest to a number that lies at `share` of the way between the values of two bins: drawn
/// among values, not among bins, which are quantiles and would draw far more from dense ranges.
fn random_border(typical: &[f32], low: u8, high: u8, share: f64) -> u8 {
    let value = |bin: u8| f64::from(typical[usize::from(bin)]);
    let drawn = value(low) + (value(high) - value(low)) * share;
    let inside = &typical[usize::from(low) + 1..usize::from(high)];
    low + inside.partition_point(|value| f64::from(*value) <= drawn) as u8
}
