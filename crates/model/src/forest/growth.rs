//! A forest that grows level by level from sums alone: it asks about open nodes, is told counts, and says how their rows are split.
//!
//! Nothing in here knows a row. What it grows is what [`fit_on`](super::ValidForestParams::fit_on) learns of the rows themselves, bit
//! for bit, since both draw the same chance ([`keyed`]) and search alike ([`sums`](super::split::sums)).

mod finish;
mod kept;
mod noisy;

use std::collections::VecDeque;
use std::ops::Range;

use rayon::prelude::*;

use super::edges::Edges;
use super::grow::{Chance, Limits};
use super::keyed;
use super::params::ValidForestParams;
use super::shared::whole_weights;
use super::split::Best;
use super::split::sums::{Cell, SumSearch, Summed, Totals, goes_right};
use crate::error::Error;

/// Most that a node may weigh, so that squares stay within 64 bits.
const TOTAL_MAX: i128 = 1 << 31;

/// What is asked about a node: counts of some of its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which tree.
    pub tree: u32,
    /// Which of its nodes; the root is 0.
    pub node: u32,
    /// Which columns.
    pub columns: Vec<u32>,
    /// Which classes, ascending; the node has rows of no other.
    pub classes: Vec<u16>,
}

/// How the rows of a node are split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Which tree.
    pub tree: u32,
    /// Which of its nodes.
    pub node: u32,
    /// By which column.
    pub column: u32,
    /// The highest bin that goes left.
    pub bin: u8,
    /// Whether missing values go left.
    pub missing_left: bool,
    /// The number of the left child; the right child's is one more.
    pub children: u32,
    /// Whether the left and the right child will be asked about; else they are leaves.
    pub goes_on: [bool; 2],
}

/// A node, by what sums have told of it.
#[derive(Debug)]
struct Node {
    key: u64,
    depth: usize,
    totals: Totals,
    split: Option<Chosen>,
}

#[derive(Clone, Copy, Debug)]
struct Chosen {
    best: Best,
    decrease: f64,
    children: usize,
}

/// A node that waits to be split.
struct Open {
    tree: usize,
    node: usize,
    /// All columns, in the order in which they are tried.
    order: Vec<u32>,
    tried: usize,
    asked: usize,
    /// The classes that its rows have.
    classes: Vec<u16>,
    chance: Chance,
}

/// What sums say about an open node.
struct Told {
    totals: Totals,
    chosen: Option<(Best, f64, [Totals; 2])>,
}

/// A forest while it grows from sums.
pub struct Growth<'a> {
    edges: &'a Edges,
    classes: usize,
    seed: u64,
    limits: Limits,
    weights: Vec<i64>,
    trees: Vec<Vec<Node>>,
    /// The classes that a root is asked about.
    roots: Vec<u16>,
    /// Trees whose roots were asked about, or that were kept from before; the others wait for [`begin`](Self::begin).
    begun: usize,
    open: VecDeque<Open>,
    asked: Vec<Open>,
    /// Whether sums have noise in them.
    noisy: bool,
}

impl<'a> Growth<'a> {
    /// The roots of a forest.
    ///
    /// # Shapes
    /// `class_rows` is how many rows there are of each class at all clients together.
    /// # Errors
    /// [`Error::Nothing`] without rows, classes or columns; [`Error::TooMany`] for more rows than can be added exactly.
    pub fn new(
        params: &ValidForestParams,
        edges: &'a Edges,
        class_rows: &[u64],
        seed: u64,
    ) -> Result<Self, Error> {
        let classes = class_rows.len();
        for (what, count) in [("classes", classes), ("columns", edges.features())] {
            if count == 0 {
                return Err(Error::Nothing { what });
            }
        }
        let roots = present(class_rows);
        if roots.is_empty() {
            return Err(Error::Nothing { what: "rows" });
        }
        let weights = whole_weights(params, class_rows, None)?;
        let limits = params.limits(edges.features());
        let root =
            || Node { key: keyed::ROOT_KEY, depth: 0, totals: Totals::default(), split: None };
        let mut growth = Self {
            edges,
            classes,
            seed,
            limits,
            weights,
            trees: (0..params.trees()).map(|_| vec![root()]).collect(),
            roots,
            begun: 0,
            open: VecDeque::new(),
            asked: Vec::new(),
            noisy: false,
        };
        growth.begin(params.trees());
        Ok(growth)
    }

    /// The same forest, but no tree is asked about before it is begun: so trees can be kept one by one.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.open.clear();
        self.begun = 0;
        self
    }

    /// Begins so many trees more, or as many as are left; says which.
    pub fn begin(&mut self, trees: usize) -> Range<usize> {
        let begin = self.begun;
        self.begun = begin.saturating_add(trees).min(self.trees.len());
        for tree in begin..self.begun {
            self.wait(tree, 0, self.roots.clone());
        }
        begin..self.begun
    }

    fn wait(&mut self, tree: usize, node: usize, classes: Vec<u16>) {
        let mut order = vec![0; self.edges.features()];
        let chance = Chance::of_node(self.seed, tree, self.trees[tree][node].key, &mut order);
        self.open.push_back(Open { tree, node, order, tried: 0, asked: 0, classes, chance });
    }

    /// Entries of the answer to a question about some columns of a node.
    fn entries(&self, open: &Open, columns: &[u32]) -> usize {
        let bins: usize = columns.iter().map(|&column| self.edges.bins(column as usize)).sum();
        bins * self.width(open)
    }

    /// Entries of a bin: draws of each class, and distinct rows where they differ from draws.
    fn width(&self, open: &Open) -> usize {
        open.classes.len() + usize::from(self.limits.bootstrap && !self.noisy)
    }

    /// What is to be asked next, level by level; none once the forest is grown.
    ///
    /// At least one question, and no more than `entries_max` counts where one question has not more already.
    ///
    /// # Panics
    /// When the last questions were not answered.
    pub fn questions(&mut self, entries_max: usize) -> Vec<Question> {
        assert!(self.asked.is_empty(), "questions are answered before others are asked");
        let (mut questions, mut entries) = (Vec::new(), 0);
        let mut level = None;
        while let Some(open) = self.open.front() {
            let own = (open.tree, self.trees[open.tree][open.node].depth);
            if self.noisy && *level.get_or_insert(own) != own {
                break;
            }
            // As many as a node tries; where none of them can be split, twice as many in all, and so on.
            let asked = (2 * open.tried).max(self.limits.features_tried).min(open.order.len());
            let columns = open.order[open.tried..asked].to_vec();
            let more = self.entries(open, &columns);
            if !self.noisy && !questions.is_empty() && entries + more > entries_max {
                break;
            }
            entries += more;
            let Some(mut open) = self.open.pop_front() else { break };
            open.asked = asked;
            let (tree, node, classes) = (open.tree as u32, open.node as u32, open.classes.clone());
            questions.push(Question { tree, node, columns, classes });
            self.asked.push(open);
        }
        questions
    }

    /// How many counts the last questions ask for.
    #[must_use]
    pub fn asked_entries(&self) -> usize {
        let entries = |open: &Open| self.entries(open, &open.order[open.tried..open.asked]);
        self.asked.iter().map(entries).sum()
    }

    /// Takes the answers to the last questions, summed over all clients, and says how rows go on.
    ///
    /// # Errors
    /// [`Error::ColumnLength`] when there are not as many counts as were asked for; [`Error::Parameter`] when they cannot be those of rows.
    /// Nothing can be asked about that level again then.
    pub fn answer(&mut self, sums: &[i64]) -> Result<Vec<Split>, Error> {
        let mut asked = std::mem::take(&mut self.asked);
        let mut parts = Vec::with_capacity(asked.len());
        let mut rest = sums;
        for open in &asked {
            let entries = self.entries(open, &open.order[open.tried..open.asked]);
            let Some((part, after)) = rest.split_at_checked(entries) else { break };
            parts.push(part);
            rest = after;
        }
        if parts.len() != asked.len() || !rest.is_empty() {
            let expected =
                asked.iter().map(|o| self.entries(o, &o.order[o.tried..o.asked])).sum::<usize>();
            return Err(Error::ColumnLength { column: 0, found: sums.len(), expected });
        }
        let search = |(open, part): (&mut Open, &[i64])| {
            if self.noisy { Ok(self.search_noisy(open, part)) } else { self.search(open, part) }
        };
        let told: Result<Vec<Told>, Error> = asked.par_iter_mut().zip(parts).map(search).collect();
        let mut splits = Vec::new();
        for (open, told) in asked.into_iter().zip(told?) {
            splits.extend(self.settle(open, told));
        }
        Ok(splits)
    }

    /// The columns of an answer, in the order in which they were asked for; of their bins those whose rows are to be kept.
    fn summed(&self, open: &Open, part: &[i64], keep: impl Fn(i64) -> bool) -> Vec<Summed<'_>> {
        let width = self.width(open);
        let mut rest = part;
        let mut summed = Vec::with_capacity(open.asked - open.tried);
        for &column in &open.order[open.tried..open.asked] {
            let feature = column as usize;
            let (own, after) = rest.split_at(self.edges.bins(feature) * width);
            rest = after;
            let cell = |(place, counts): (usize, &[i64])| {
                let (draws, distinct) = counts.split_at(open.classes.len());
                let rows = distinct.first().copied().unwrap_or(draws.iter().sum());
                keep(rows).then(|| {
                    let mut classes = vec![0; self.classes];
                    for (&class, &count) in open.classes.iter().zip(draws) {
                        classes[usize::from(class)] = count;
                    }
                    Cell { bin: self.edges.bin_at(feature, place), rows, classes }
                })
            };
            summed.push(Summed {
                feature,
                may_miss: self.edges.may_miss(feature),
                typical: &self.edges.typical[feature],
                bins: own.chunks_exact(width).enumerate().filter_map(cell).collect(),
            });
        }
        summed
    }

    /// Tries the columns that were asked for, and stops where rows would.
    fn search(&self, open: &mut Open, part: &[i64]) -> Result<Told, Error> {
        let Limits { features_tried: quota, .. } = self.limits;
        let node = &self.trees[open.tree][open.node];
        self.check_counts(open, part)?;
        let columns = self.summed(open, part, |rows| rows > 0);
        let totals = match (node.totals.classes.is_empty(), columns.first()) {
            (true, Some(first)) => sum(&first.bins, self.classes, |_| true),
            _ => node.totals.clone(),
        };
        self.check_sums(&columns, &totals)?;
        if !self.may_split(&totals, node.depth) {
            open.tried = open.order.len();
            return Ok(Told { totals, chosen: None });
        }
        let mut search = SumSearch::new(self.limits, &self.weights, &totals);
        let mut best = Best::none();
        let mut by = 0;
        for (at, column) in columns.iter().enumerate() {
            let before = best;
            search.try_column(column, &mut best, &mut open.chance);
            if (before.feature, before.found()) != (best.feature, best.found()) {
                by = at;
            }
            open.tried += 1;
            if search.is_perfect(&best) || (open.tried >= quota && best.found()) {
                break;
            }
        }
        let chosen = best.found().then(|| {
            let column = &columns[by];
            let is_right = goes_right(best.bin, best.missing_left);
            let sides = [false, true]
                .map(|side| sum(&column.bins, self.classes, |bin| is_right(bin) == side));
            let missing = column.bins.last().is_some_and(|cell| cell.bin == super::bin::MISSING);
            let decrease = search.decrease(&best);
            if column.may_miss && !missing {
                // Nothing missing to learn from here: a missing value goes where most rows went.
                best.missing_left = sides[0].rows > sides[1].rows;
            }
            (best, decrease, sides)
        });
        Ok(Told { totals, chosen })
    }

    /// Whether each bin's counts are those of some rows: a client that lies could make them any numbers, and squares of those overflow.
    fn check_counts(&self, open: &Open, part: &[i64]) -> Result<(), Error> {
        let plausible = |counts: &[i64]| {
            let (draws, distinct) = counts.split_at(open.classes.len());
            let fit = counts.iter().all(|count| (0..=TOTAL_MAX as i64).contains(count));
            let drawn = || draws.iter().map(|count| i128::from(*count)).sum::<i128>();
            fit && distinct
                .iter()
                .all(|&rows| (rows > 0) == (drawn() > 0) && i128::from(rows) <= drawn())
        };
        if part.chunks_exact(self.width(open)).all(plausible) {
            return Ok(());
        }
        let (name, value) = ("a bin's count", "no number of rows".to_owned());
        Err(Error::Parameter { name, value, rule: "each row is drawn once or more often" })
    }

    /// Whether the columns of a node count the same rows.
    fn check_sums(&self, columns: &[Summed<'_>], totals: &Totals) -> Result<(), Error> {
        let weight = |class: usize| i128::from(self.weights.get(class).copied().unwrap_or(1));
        let weighed = (0..).zip(&totals.classes).map(|(class, n)| i128::from(*n) * weight(class));
        let adds_up = |column: &Summed<'_>| sum(&column.bins, self.classes, |_| true) == *totals;
        if weighed.sum::<i128>() <= TOTAL_MAX && columns.iter().all(adds_up) {
            return Ok(());
        }
        let (name, value) = ("the sum of a column's counts", "not that of its node".to_owned());
        Err(Error::Parameter { name, value, rule: "all columns count the same rows" })
    }

    /// Whether a node is worth asking about.
    fn may_split(&self, totals: &Totals, depth: usize) -> bool {
        let present = totals.classes.iter().filter(|count| **count > 0).count();
        let enough = totals.rows / 2 >= self.limits.leaf_rows_min as i64;
        present > 1 && depth < self.limits.depth_max && enough
    }

    /// Splits a node, has it wait again, or leaves it a leaf.
    fn settle(&mut self, open: Open, told: Told) -> Option<Split> {
        let Open { tree, node, .. } = open;
        self.trees[tree][node].totals = told.totals;
        let Some((best, decrease, sides)) = told.chosen else {
            if open.tried < open.order.len() {
                self.open.push_back(open);
            }
            return None;
        };
        let Node { key, depth, .. } = self.trees[tree][node];
        let children = self.trees[tree].len();
        self.trees[tree][node].split = Some(Chosen { best, decrease, children });
        let keys = keyed::children(key);
        let goes_on = [0, 1].map(|side: usize| self.may_split(&sides[side], depth + 1));
        for (at, (totals, key)) in sides.into_iter().zip([keys.0, keys.1]).enumerate() {
            let classes = if self.noisy { open.classes.clone() } else { present(&totals.classes) };
            self.trees[tree].push(Node { key, depth: depth + 1, totals, split: None });
            if goes_on[at] {
                self.wait(tree, children + at, classes);
            }
        }
        Some(Split {
            tree: tree as u32,
            node: node as u32,
            column: best.feature as u32,
            bin: best.bin,
            missing_left: best.missing_left,
            children: children as u32,
            goes_on,
        })
    }
}

/// The classes that there is something of.
fn present<N: Default + PartialOrd>(counts: &[N]) -> Vec<u16> {
    let some = counts.iter().enumerate().filter(|(_, count)| **count > N::default());
    some.map(|(class, _)| class as u16).collect()
}

/// What some bins of a column come to.
fn sum(bins: &[Cell], classes: usize, is_in: impl Fn(u8) -> bool) -> Totals {
    let mut totals = Totals { classes: vec![0; classes], rows: 0 };
    for cell in bins.iter().filter(|cell| is_in(cell.bin)) {
        totals.rows += cell.rows;
        totals.classes.iter_mut().zip(&cell.classes).for_each(|(sum, count)| *sum += count);
    }
    totals
}
