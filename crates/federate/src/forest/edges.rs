//! Edges of bins that all clients share, from sums of counts.
//!
//! The grid is one that everybody knows without having seen a row: the numbers of 32 bits themselves, in ascending order, told apart by
//! their first bits. Clients first count rows by sign and exponent (9 bits); where many rows lie, ranges are told apart by four bits
//! more, and so on down to single numbers. So no client has to say how far its values reach.
//!
//! What is revealed: for each column, how many rows of all clients together miss it, and how many lie in each range that was counted.
//! A range is not looked into where `rows_least` rows or fewer lie in it; but of those that are, a part can hold one row.

use flowgait_model::forest::{ColumnCounts, Edges};
use rayon::prelude::*;

use super::histogram::check_rows;
use super::summing::{Summing, asked as asked_for};
use crate::error::Error;
use crate::homes::Homes;
use crate::secure::Traffic;

/// Bits of sign and exponent.
const BITS_FIRST: u32 = 9;
/// Bits more, each time that a range is looked into.
const BITS_MORE: u32 = 4;
/// A bin is to be made of so many ranges or more.
const RANGES_OF_BIN: u64 = 4;

/// How finely columns are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeParams {
    /// Most bins of a column's values, 2 to 255. Counts of a forest are in proportion to it.
    pub bins_max: usize,
    /// A range of so many rows or fewer is not looked into.
    pub rows_least: u64,
}

impl Default for EdgeParams {
    fn default() -> Self {
        Self { bins_max: 255, rows_least: 8 }
    }
}

/// Edges, and what they took.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedEdges {
    /// The edges.
    pub edges: Edges,
    /// What went to all clients and came from them, in octets.
    pub traffic: Traffic,
    /// How often all clients were asked.
    pub rounds: u64,
}

/// Numbers that begin with the same bits, in an order in which numbers ascend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    begin: u32,
    bits: u32,
}

impl Range {
    /// What is counted first.
    fn first() -> Vec<Self> {
        let begin = |at: u32| at << (32 - BITS_FIRST);
        (0..1 << BITS_FIRST).map(|at| Self { begin: begin(at), bits: BITS_FIRST }).collect()
    }

    fn last(self) -> u32 {
        self.begin | u32::MAX.checked_shr(self.bits).unwrap_or(0)
    }

    fn parts(self) -> impl Iterator<Item = Self> {
        let bits = (self.bits + BITS_MORE).min(32);
        (0..1 << (bits - self.bits))
            .map(move |at| Self { begin: self.begin | at << (32 - bits), bits })
    }

    /// Lowest and highest number in it.
    fn values(self) -> (f32, f32) {
        (number(self.begin), number(self.last()))
    }
}

/// The place of a number among all, ascending; 0 and −0 are one.
fn place(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    bits ^ if bits >> 31 == 1 { u32::MAX } else { 1 << 31 }
}

/// The number at a place; infinite beyond the last one.
fn number(place: u32) -> f32 {
    let value = f32::from_bits(place ^ if place >> 31 == 1 { 1 << 31 } else { u32::MAX });
    match value.is_nan() {
        true if place >> 31 == 1 => f32::INFINITY,
        true => f32::NEG_INFINITY,
        false => value,
    }
}

/// One client's rows by the ranges that are asked for, column by column; the first time also by what is missing.
fn count(homes: &Homes, rows: &[u32], asked: &[Vec<Range>], first: bool) -> Vec<u32> {
    let mut counts = Vec::new();
    for (column, ranges) in homes.columns.iter().zip(asked) {
        let begin = counts.len();
        counts.resize(begin + ranges.len() + usize::from(first), 0);
        for value in rows.iter().map(|&row| column[row as usize]) {
            if value.is_nan() {
                if first {
                    counts[begin + ranges.len()] += 1;
                }
                continue;
            }
            let place = place(value);
            let after = ranges.partition_point(|range| range.begin <= place);
            if after > 0 && place <= ranges[after - 1].last() {
                counts[begin + after - 1] += 1;
            }
        }
    }
    counts
}

/// Agrees on edges at about equal counts of all clients' rows.
///
/// They are the same whoever has which rows; a column of few different values that many rows have is cut between all of them.
///
/// # Errors
/// As `summing`; [`Error::Model`] for an impossible number of bins; [`Error::Parameter`] for more rows than can be counted.
pub fn shared_edges(
    homes: &Homes,
    params: EdgeParams,
    summing: &mut impl Summing,
) -> Result<SharedEdges, Error> {
    check_rows(homes)?;
    let (mut traffic, mut rounds) = (Traffic::default(), 0);
    let mut asked = vec![Range::first(); homes.columns.len()];
    let mut columns = vec![ColumnCounts::default(); homes.columns.len()];
    let mut threshold = vec![0; homes.columns.len()];
    while asked.iter().any(|ranges| !ranges.is_empty()) {
        let first = rounds == 0;
        let counts: Vec<Vec<u32>> =
            homes.rows.par_iter().map(|rows| count(homes, rows, &asked, first)).collect();
        let (sums, took) = asked_for(summing, counts)?;
        rounds += 1;
        let clients = homes.rows.len() as u64;
        traffic = traffic + took;
        // What is first asked is known; later each range that is looked into is named by its begin.
        let named = asked.iter().map(Vec::len).sum::<usize>() as u64 >> BITS_MORE;
        traffic.down += if first { 0 } else { clients * 4 * named };
        let mut rest = &sums[..];
        for ((column, ranges), threshold) in columns.iter_mut().zip(&mut asked).zip(&mut threshold)
        {
            let Some((own, after)) = rest.split_at_checked(ranges.len() + usize::from(first))
            else {
                let (found, expected) = (sums.len(), asked.iter().map(Vec::len).sum());
                return Err(Error::UpdateLength { client: 0, found, expected });
            };
            rest = after;
            if first {
                column.missing = u64::from(own[ranges.len()]);
                let rows: u64 = own[..ranges.len()].iter().map(|count| u64::from(*count)).sum();
                *threshold =
                    (rows / (RANGES_OF_BIN * params.bins_max as u64)).max(params.rows_least);
            }
            let mut more = Vec::new();
            for (range, &rows) in ranges.iter().zip(own) {
                let rows = u64::from(rows);
                if rows > *threshold && range.bits < 32 {
                    more.extend(range.parts());
                } else if rows > 0 {
                    let (low, high) = range.values();
                    column.ranges.push((low, high, rows));
                }
            }
            *ranges = more;
        }
    }
    for column in &mut columns {
        column.ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(SharedEdges { edges: Edges::of_counts(&columns, params.bins_max)?, traffic, rounds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_ascend_with_numbers_and_lead_back() {
        let values =
            [f32::NEG_INFINITY, f32::MIN, -1.5, -1e-40, 0.0, 1e-40, 2.0, f32::MAX, f32::INFINITY];
        assert!(values.is_sorted_by(|a, b| place(*a) < place(*b)));
        assert!(values.iter().all(|value| number(place(*value)) == *value));
        assert_eq!(place(-0.0), place(0.0));
        assert_eq!((number(0), number(u32::MAX)), (f32::NEG_INFINITY, f32::INFINITY));
    }

    #[test]
    fn the_parts_of_a_range_are_all_of_it() {
        let mut range = Range::first()[300];
        while range.bits < 32 {
            let parts: Vec<Range> = range.parts().collect();
            assert_eq!(parts[0].begin, range.begin);
            assert_eq!(parts.last().map(|part| part.last()), Some(range.last()));
            assert!(parts.windows(2).all(|pair| pair[0].last() + 1 == pair[1].begin));
            range = parts[parts.len() / 2];
        }
        assert_eq!(range.begin, range.last());
    }
}
