//! Raw k-nearest neighbours: no training, no scaling, exact, and the same answer in whatever order the rows come.

use rayon::prelude::*;

use super::training_classes;
use crate::{Error, Probabilities, Training};

/// Points in a leaf of the tree: below this, looking at all of them beats descending.
const LEAF_POINTS: usize = 12;

/// What a person asks of a [`Nearest`].
#[derive(Clone, Debug)]
pub struct NearestParams {
    columns: Vec<usize>,
    neighbours: u32,
}

impl NearestParams {
    /// One neighbour over these columns of the table.
    ///
    /// For the usual yardstick these are the signed sizes of the first ten packets and nothing else: sizes share one unit, while
    /// gaps would need a scale, and so a decision that no longer is *raw*.
    #[must_use]
    pub fn new(columns: Vec<usize>) -> Self {
        Self { columns, neighbours: 1 }
    }

    /// Sets how many neighbours vote.
    #[must_use]
    pub fn neighbours(mut self, neighbours: u32) -> Self {
        self.neighbours = neighbours;
        self
    }

    /// Remembers the training rows.
    ///
    /// # Errors
    /// [`Error::NoRows`] without rows, columns or neighbours; [`Error::OutOfRange`] for a row, class or column that is not
    /// there; [`Error::Length`] for a column that is too short.
    pub fn fit(&self, training: &Training<'_>) -> Result<Nearest, Error> {
        if self.columns.is_empty() || self.neighbours == 0 {
            return Err(Error::NoRows { what: "nearest neighbours over columns" });
        }
        let classes = training_classes(training)?;
        let table = Table::new(training.columns, &self.columns, training.rows)?;
        let mut rows: Vec<(Vec<f32>, u32)> = Vec::with_capacity(classes.len());
        for (&row, class) in training.rows.iter().zip(classes) {
            let mut point = vec![0.0; self.columns.len()];
            table.point(row, &mut point);
            rows.push((point, class));
        }
        Ok(Nearest::build(self.clone(), rows, training.classes))
    }
}

/// The training rows, in a k-d tree over the distinct points.
///
/// Distance is Euclidean; a missing value (a packet that never came) is 0. The rows nearer than or as near as the k-th nearest row
/// vote, so equal distances never depend on the order of the rows; among equal votes the lowest class wins. First sizes repeat a lot:
/// equal points are kept once, with their votes.
#[derive(Clone, Debug)]
pub struct Nearest {
    params: NearestParams,
    classes: usize,
    points: Vec<Point>,
    nodes: Vec<Node>,
}

/// One distinct place and who lives there.
#[derive(Clone, Debug)]
struct Point {
    at: Vec<f32>,
    rows: u32,
    votes: Vec<(u32, u32)>,
}

/// A box around a range of points; its halves, unless it is a leaf.
#[derive(Clone, Debug)]
struct Node {
    low: Vec<f32>,
    high: Vec<f32>,
    from: usize,
    to: usize,
    halves: Option<(usize, usize)>,
}

impl Nearest {
    fn build(params: NearestParams, mut rows: Vec<(Vec<f32>, u32)>, classes: usize) -> Self {
        let order = |a: &[f32], b: &[f32]| {
            let each = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
            each.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        };
        rows.sort_unstable_by(|a, b| order(&a.0, &b.0).then(a.1.cmp(&b.1)));
        let mut points = Vec::new();
        for same in rows.chunk_by(|a, b| a.0 == b.0) {
            let votes = same.chunk_by(|a, b| a.1 == b.1).map(|same| (same[0].1, same.len() as u32));
            let rows = same.len() as u32;
            points.push(Point { at: same[0].0.clone(), rows, votes: votes.collect() });
        }
        let mut nearest = Self { params, classes, points, nodes: Vec::new() };
        nearest.grow(0, nearest.points.len());
        nearest
    }

    /// Adds the node over `from..to` and everything below it; gives its number.
    fn grow(&mut self, from: usize, to: usize) -> usize {
        let (mut low, mut high) = (self.points[from].at.clone(), self.points[from].at.clone());
        for point in &self.points[from..to] {
            for (dimension, &value) in point.at.iter().enumerate() {
                low[dimension] = low[dimension].min(value);
                high[dimension] = high[dimension].max(value);
            }
        }
        let width = |d: usize| f64::from(high[d]) - f64::from(low[d]);
        let widest = (0..low.len()).max_by(|&a, &b| width(a).total_cmp(&width(b))).unwrap_or(0);
        let own = self.nodes.len();
        self.nodes.push(Node { low, high, from, to, halves: None });
        if to - from > LEAF_POINTS {
            let middle = (to - from) / 2;
            self.points[from..to]
                .select_nth_unstable_by(middle, |a, b| a.at[widest].total_cmp(&b.at[widest]));
            let halves = (self.grow(from, from + middle), self.grow(from + middle, to));
            self.nodes[own].halves = Some(halves);
        }
        own
    }

    /// The share of the votes that each class gets, row by row.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] and [`Error::Length`] as [`NearestParams::fit`].
    pub fn probabilities(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        let table = Table::new(columns, &self.params.columns, rows)?;
        let mut values = vec![0.0; rows.len() * self.classes];
        values.par_chunks_mut(self.classes).zip(rows.par_iter()).for_each_init(
            || (vec![0.0; self.params.columns.len()], Found::default()),
            |(point, found), (shares, &row)| {
                table.point(row, point);
                found.clear();
                self.search(0, point, found);
                self.vote(found, shares);
            },
        );
        Ok(Probabilities { classes: self.classes, values })
    }

    /// Collects the nearest points of a node.
    fn search(&self, node: usize, point: &[f32], found: &mut Found) {
        let node = &self.nodes[node];
        let Some((left, right)) = node.halves else {
            for number in node.from..node.to {
                let distance = square_distance(point, &self.points[number].at);
                found.offer(distance, number, self.points[number].rows, self.params.neighbours);
            }
            return;
        };
        let far = |half: usize| (self.nodes[half].square_distance(point), half);
        let mut halves = [far(left), far(right)];
        if halves[1].0 < halves[0].0 {
            halves.swap(0, 1);
        }
        for (distance, half) in halves {
            // Equal distance may still hold a tie, so only what is truly farther is left out.
            if distance <= found.reach {
                self.search(half, point, found);
            }
        }
    }

    fn vote(&self, found: &Found, shares: &mut [f32]) {
        let voters: u32 = found.points.iter().map(|&(_, number)| self.points[number].rows).sum();
        for &(_, number) in &found.points {
            for &(class, votes) in &self.points[number].votes {
                shares[class as usize] += votes as f32;
            }
        }
        shares.iter_mut().for_each(|share| *share /= voters as f32);
    }
}

impl Node {
    /// Never more than [`square_distance`] to any point inside, also after rounding: each term is no larger, rounding keeps the
    /// order of two numbers, and the terms are added in the same order.
    fn square_distance(&self, point: &[f32]) -> f64 {
        let mut sum = 0.0;
        for ((&value, &low), &high) in point.iter().zip(&self.low).zip(&self.high) {
            let (value, low, high) = (f64::from(value), f64::from(low), f64::from(high));
            sum += (low - value).max(value - high).max(0.0).powi(2);
        }
        sum
    }
}

fn square_distance(a: &[f32], b: &[f32]) -> f64 {
    let mut sum = 0.0;
    for (&a, &b) in a.iter().zip(b) {
        sum += (f64::from(a) - f64::from(b)).powi(2);
    }
    sum
}

/// The nearest points so far, nearest first.
#[derive(Default)]
struct Found {
    points: Vec<(f64, usize)>,
    rows: Vec<u32>,
    /// Nothing farther than this can vote.
    reach: f64,
}

impl Found {
    fn clear(&mut self) {
        self.points.clear();
        self.rows.clear();
        self.reach = f64::INFINITY;
    }

    /// Takes a point, and drops those that no longer vote.
    fn offer(&mut self, distance: f64, number: usize, rows: u32, neighbours: u32) {
        if distance > self.reach {
            return;
        }
        let place = self.points.partition_point(|&(other, _)| other <= distance);
        self.points.insert(place, (distance, number));
        self.rows.insert(place, rows);
        let mut voters = 0_u64;
        for (place, &rows) in self.rows.iter().enumerate() {
            voters += u64::from(rows);
            if voters >= u64::from(neighbours) {
                self.reach = self.points[place].0;
                break;
            }
        }
        let voting = self.points.partition_point(|&(other, _)| other <= self.reach);
        self.points.truncate(voting);
        self.rows.truncate(voting);
    }
}

/// The columns that count, all rows of interest checked to be inside.
struct Table<'a> {
    columns: Vec<&'a [f32]>,
}

impl<'a> Table<'a> {
    fn new(all: &'a [Vec<f32>], wanted: &[usize], rows: &[u32]) -> Result<Self, Error> {
        let mut columns = Vec::with_capacity(wanted.len());
        for (place, &column) in wanted.iter().enumerate() {
            let (index, limit) = (column as u64, all.len());
            let column =
                all.get(column).ok_or(Error::OutOfRange { what: "column", place, index, limit })?;
            columns.push(column.as_slice());
        }
        let shortest = columns.iter().map(|column| column.len()).min().unwrap_or(0);
        match rows.iter().position(|&row| row as usize >= shortest) {
            Some(place) => {
                let index = u64::from(rows[place]);
                Err(Error::OutOfRange { what: "row", place, index, limit: shortest })
            }
            None => Ok(Self { columns }),
        }
    }

    /// Writes one row's point: missing is 0, and infinity the largest number, so that distances stay numbers.
    fn point(&self, row: u32, point: &mut [f32]) {
        for (value, column) in point.iter_mut().zip(&self.columns) {
            let cell = column[row as usize];
            // Adding 0 turns −0 into 0, which sorts apart otherwise.
            *value = if cell.is_nan() { 0.0 } else { cell.clamp(f32::MIN, f32::MAX) + 0.0 };
        }
    }
}
