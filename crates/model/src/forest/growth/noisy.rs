//! Growing from sums that have noise in them: counts may be negative, and a node's columns need not come to the same totals.

use super::{Growth, Open, Told, Totals, goes_right, sum};
use crate::error::Error;
use crate::forest::Edges;
use crate::forest::bin::MISSING;
use crate::forest::params::ValidForestParams;
use crate::forest::split::Best;
use crate::forest::split::sums::SumSearch;

/// Most that a node is taken to weigh, so that squares stay within 64 bits whatever the noise.
const TOTAL_MAX: i64 = 1 << 31;
/// Most bins of a column.
const BINS_MAX: i64 = 256;

impl<'a> Growth<'a> {
    /// The roots of a forest that is told sums with noise.
    ///
    /// It asks once for each level of each tree, all nodes of the level at a time ([`questions`](Self::questions) pays no heed to
    /// limits then), and only for draws. Negative counts are taken as 0 while a split is searched for; the sides of a split and so
    /// leaves are sums before that, taken as 0 when they are negative, since noise cancels in a sum but not in what is clamped. A side
    /// without anything left has the classes of its parent.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn noisy(
        params: &ValidForestParams,
        edges: &'a Edges,
        classes: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        // Classes are weighed alike: how many rows each has is not told.
        let mut growth = Self::new(params, edges, &vec![1; classes], seed)?;
        growth.noisy = true;
        Ok(growth)
    }

    /// The best split by sums with noise.
    pub(super) fn search_noisy(&self, open: &mut Open, part: &[i64]) -> Told {
        let node = &self.trees[open.tree][open.node];
        let cell_max = TOTAL_MAX / (BINS_MAX * self.classes as i64);
        let clamped: Vec<i64> = part.iter().map(|count| (*count).clamp(0, cell_max)).collect();
        let raw = self.summed(open, part, |_| true);
        let columns = self.summed(open, &clamped, |rows| rows > 0);
        open.tried = open.order.len();
        let totals = match (node.totals.classes.is_empty(), raw.first()) {
            (true, Some(first)) => self.clamped(sum(&first.bins, self.classes, |_| true)),
            _ => node.totals.clone(),
        };
        if !self.may_split(&totals, node.depth) {
            return Told { totals, chosen: None };
        }
        let (mut best, mut by, mut decrease) = (Best::none(), 0, 0.0);
        for (at, column) in columns.iter().enumerate() {
            let own = sum(&column.bins, self.classes, |_| true);
            let mut search = SumSearch::new(self.limits, &self.weights, &own);
            let mut of_column = Best::none();
            search.try_column(column, &mut of_column, &mut open.chance);
            if of_column.found() && best.offer_by_purity(&of_column, own.rows as f64) {
                (by, decrease) = (at, search.decrease(&of_column));
            }
        }
        if !best.found() {
            return Told { totals, chosen: None };
        }
        let is_right = goes_right(best.bin, best.missing_left);
        let sides = [false, true].map(|side| {
            let told = sum(&raw[by].bins, self.classes, |bin| is_right(bin) == side);
            let told = self.clamped(told);
            if told.rows > 0 { told } else { totals.clone() }
        });
        let missing = columns[by].bins.last().is_some_and(|cell| cell.bin == MISSING);
        if columns[by].may_miss && !missing {
            best.missing_left = sides[0].rows > sides[1].rows;
        }
        Told { totals, chosen: Some((best, decrease, sides)) }
    }

    fn clamped(&self, mut totals: Totals) -> Totals {
        let class_max = TOTAL_MAX / self.classes as i64;
        totals.classes.iter_mut().for_each(|count| *count = (*count).clamp(0, class_max));
        totals.rows = totals.classes.iter().sum();
        totals
    }
}
