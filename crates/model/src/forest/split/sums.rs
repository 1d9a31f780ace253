//! The search for a node's split where only sums are known: how many of each class fall into each bin, and how many rows.
//!
//! It must say what [`Search`](super::Search) says of the rows themselves, to the last bit. So it goes through bins in the same order,
//! adds whole numbers, and takes the vectors of few classes where the other does.

use super::super::bin::MISSING;
use super::super::grow::{Chance, Limits};
use super::vectors::Vectors;
use super::{Best, FEW_CLASSES, SMALL_ROWS, Sides, border, random_border};

impl Best {
    /// Offers the best split of one column by how pure its sides are, where columns do not come to the same totals. Whether it is better.
    pub(crate) fn offer_by_purity(&mut self, of_column: &Self, total: f64) -> bool {
        let mut better = false;
        self.offer(of_column.above, of_column.below * total, || {
            better = true;
            (of_column.feature, of_column.bin, of_column.missing_left)
        });
        better
    }
}

/// What is known of a node before its columns are tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Draws of each class.
    pub(crate) classes: Vec<i64>,
    /// Distinct rows.
    pub(crate) rows: i64,
}

/// One column of a node, summed up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summed<'a> {
    pub(crate) feature: usize,
    pub(crate) may_miss: bool,
    pub(crate) typical: &'a [f32],
    /// The bins that any row is in, ascending.
    pub(crate) bins: Vec<Cell>,
}

/// One bin of a column.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) bin: u8,
    /// Distinct rows.
    pub(crate) rows: i64,
    /// Draws of each class.
    pub(crate) classes: Vec<i64>,
}

/// A search over sums, for nodes with these totals.
pub(crate) struct SumSearch<'a> {
    limits: Limits,
    /// What a draw of each class weighs, a whole number; empty where all weigh 1.
    weights: &'a [i64],
    totals: &'a Totals,
    total: i64,
    squares: i64,
    left: Vec<i64>,
}

impl<'a> SumSearch<'a> {
    pub(crate) fn new(limits: Limits, weights: &'a [i64], totals: &'a Totals) -> Self {
        let mut search = Self {
            limits,
            weights,
            totals,
            total: 0,
            squares: 0,
            left: vec![0; totals.classes.len()],
        };
        for class in 0..totals.classes.len() {
            let amount = search.amount(&totals.classes, class);
            search.total += amount;
            search.squares += amount * amount;
        }
        search
    }

    /// What the draws of a class weigh.
    fn amount(&self, classes: &[i64], class: usize) -> i64 {
        classes[class] * self.weights.get(class).copied().unwrap_or(1)
    }

    /// Whether both sides of a split are pure: then no column can do better.
    pub(crate) fn is_perfect(&self, best: &Best) -> bool {
        best.above == self.total as f64 * best.below
    }

    /// How much a split lowers the node's impurity, weighted by its rows.
    pub(crate) fn decrease(&self, best: &Best) -> f64 {
        let before = self.squares as f64 / self.total as f64;
        (best.above / best.below - before).max(0.0)
    }

    /// Offers the best split of one column.
    pub(crate) fn try_column(&mut self, column: &Summed<'_>, best: &mut Best, chance: &mut Chance) {
        let few = self.totals.classes.len() <= FEW_CLASSES && self.limits.leaf_rows_min == 1;
        if self.limits.random_thresholds {
            self.try_random(column, best, chance);
        } else if few && self.totals.rows > SMALL_ROWS as i64 {
            self.try_vectors(column, best);
        } else {
            self.sweep(column, None, &column.bins, best);
            if let [values @ .., missing] = &column.bins[..]
                && column.may_miss
                && missing.bin == MISSING
                && values.len() > 1
            {
                self.sweep(column, Some(missing), values, best);
            }
        }
    }

    /// Moves bins across, one by one, and offers every border.
    fn sweep(&mut self, column: &Summed<'_>, first: Option<&Cell>, bins: &[Cell], best: &mut Best) {
        let mut sides = self.all_right();
        let (rows, leaf_rows) = (self.totals.rows, self.limits.leaf_rows_min as i64);
        let mut rows_left = 0;
        if let Some(cell) = first {
            self.shift(cell, &mut sides);
            rows_left += cell.rows;
        }
        for pair in bins.windows(2) {
            let [cell, next] = pair else { break };
            self.shift(cell, &mut sides);
            rows_left += cell.rows;
            if rows_left < leaf_rows || rows - rows_left < leaf_rows {
                continue;
            }
            let (above, below) = sides.score();
            best.offer(above, below, || {
                (column.feature, border(cell.bin, next.bin, column.may_miss), first.is_some())
            });
        }
    }

    fn all_right(&mut self) -> Sides<i64> {
        self.left.fill(0);
        Sides::new(self.total, self.squares)
    }

    /// Moves the rows of a bin to the left side.
    fn shift(&mut self, cell: &Cell, sides: &mut Sides<i64>) {
        for class in 0..cell.classes.len() {
            let weight = self.amount(&cell.classes, class);
            let left = self.left[class];
            let right = self.amount(&self.totals.classes, class) - left;
            sides.left_squares += weight * (left + left + weight);
            sides.right_squares -= weight * (right + right - weight);
            sides.left += weight;
            sides.right -= weight;
            self.left[class] = left + weight;
        }
    }

    /// Up to eight classes: what [`Vectors`] says.
    fn try_vectors(&self, column: &Summed<'_>, best: &mut Best) {
        let mut histogram = Box::new([[0; FEW_CLASSES]; 256]);
        let mut occupied = [0_u64; 4];
        for cell in &column.bins {
            for (count, of_class) in histogram[usize::from(cell.bin)].iter_mut().zip(&cell.classes)
            {
                *count = *of_class as i32;
            }
            occupied[usize::from(cell.bin >> 6)] |= 1 << (cell.bin & 63);
        }
        let (mut total, mut weights) = ([0.0; FEW_CLASSES], [1.0; FEW_CLASSES]);
        for (class, total) in total.iter_mut().enumerate().take(self.totals.classes.len()) {
            *total = self.amount(&self.totals.classes, class) as f64 as f32;
        }
        for (weight, of_class) in weights.iter_mut().zip(self.weights) {
            *weight = *of_class as f64 as f32;
        }
        let vectors = Vectors { histogram: &histogram, total, weights };
        vectors.sweep(occupied, [0.0; FEW_CLASSES], |above, below, bin, next| {
            best.offer(above, below, || {
                (column.feature, border(bin, next, column.may_miss), false)
            });
        });
        if occupied[3] >> 63 == 1 && column.may_miss {
            let mut values = occupied;
            values[3] &= !(1 << 63);
            let first = vectors.amounts(MISSING);
            vectors.sweep(values, first, |above, below, bin, next| {
                best.offer(above, below, || (column.feature, border(bin, next, true), true));
            });
        }
    }

    /// One border drawn at random between the node's lowest and highest value.
    fn try_random(&mut self, column: &Summed<'_>, best: &mut Best, chance: &mut Chance) {
        let is_missing = |cell: &&Cell| column.may_miss && cell.bin == MISSING;
        let missing = column.bins.iter().any(|cell| is_missing(&cell));
        let mut values = column.bins.iter().filter(|cell| !is_missing(cell)).map(|cell| cell.bin);
        let Some(low) = values.next() else { return };
        let high = values.next_back().unwrap_or(low);
        if low >= high && !missing {
            return;
        }
        let (limit, missing_left) = if low >= high {
            (MISSING - 1, false)
        } else {
            let limit = random_border(column.typical, low, high, chance.share());
            (limit, missing && chance.below(2) == 1)
        };
        let goes_right = goes_right(limit, missing_left);
        let mut sides = self.all_right();
        let mut rows_left = 0;
        for cell in column.bins.iter().filter(|cell| !goes_right(cell.bin)) {
            self.shift(cell, &mut sides);
            rows_left += cell.rows;
        }
        let leaf_rows = self.limits.leaf_rows_min as i64;
        if rows_left < leaf_rows || self.totals.rows - rows_left < leaf_rows {
            return;
        }
        let (above, below) = sides.score();
        best.offer(above, below, || (column.feature, limit, missing_left));
    }
}

/// Which bins go to the right of a border.
pub(crate) fn goes_right(limit: u8, missing_left: bool) -> impl Fn(u8) -> bool {
    let shift = u8::from(missing_left);
    move |bin| bin.wrapping_add(shift) > limit + shift
}
