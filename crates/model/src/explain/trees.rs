//! Exact Shapley values of trees, against each row of a background.
//!
//! Both rows walk down together. Where they part at a column that neither side owns yet, the walk goes both ways, once with the column
//! as the row has it, once as the background has it. At a leaf, `u` columns are the row's and `v` the background's: among all orders
//! the last of the row's columns arrives with weight `(u-1)! v! / (u+v)!`, and takes the leaf's value as its own; each of the
//! background's would have prevented it with weight `u! (v-1)! / (u+v)!`. Each leaf is met once at most for a pair of rows.

use rayon::prelude::*;

use super::{Explanation, GoesOn, Measure, Question, player_of};
use crate::boost::Boost;
use crate::error::Error;
use crate::forest::Forest;
use crate::forest::bin::{self, Bins, Place};
use crate::forest::pack::{Node, Nodes, ROOT, Tree};
use crate::trees::{SizeForest, extended};

pub(super) fn of_forest(
    forest: &Forest,
    question: &Question<'_>,
    goes_on: GoesOn<'_>,
) -> Result<Vec<Explanation>, Error> {
    let scale = 1.0 / forest.trees.len() as f64;
    let values = |tree: &Tree, rest: usize, out: &mut [f64]| {
        if rest < forest.classes {
            let own = question.classes.iter().zip(out);
            own.for_each(|(&class, out)| {
                *out = f64::from(u8::from(class as usize == rest)) * scale
            });
            return;
        }
        let leaf = &tree.leaves[rest - forest.classes];
        let shares = &tree.shares[leaf.begin as usize..leaf.end as usize];
        for (&wanted, out) in question.classes.iter().zip(out) {
            let share = shares.binary_search_by_key(&wanted, |(class, _)| u32::from(*class));
            let share = share.map_or(0.0, |at| f64::from(shares[at].1));
            *out = share * f64::from(leaf.scale) * scale;
        }
    };
    let grove = Grove { bins: &forest.bins, places: &forest.places, trees: &forest.trees };
    let all = grove.contributions(question, |tree| &tree.nodes, &values, goes_on)?;
    finish(
        question,
        Measure::Probability,
        all,
        |rows| Ok(forest.predict_proba(question.columns, rows)?.values),
        forest.classes,
    )
}

/// Columns that follow from the sizes belong to the player of the sizes that they follow from.
pub(super) fn of_size_forest(
    trees: &SizeForest,
    question: &Question<'_>,
    goes_on: GoesOn<'_>,
) -> Result<Vec<Explanation>, Error> {
    let mut rows = question.background.to_vec();
    rows.push(question.row);
    let columns = extended(&trees.sizes, question.columns, &rows);
    let of_sizes = trees.sizes.0.columns[0];
    let mut players = question.players.to_vec();
    let player = players.iter_mut().find(|player| player.contains(&of_sizes));
    let player = player.expect("invariant: each column has a player");
    player.extend(question.columns.len()..columns.len());
    let background: Vec<u32> = (0..question.background.len() as u32).collect();
    let row = background.len() as u32;
    let own = Question {
        columns: &columns,
        row,
        background: &background,
        players: &players,
        ..*question
    };
    of_forest(&trees.forest, &own, goes_on)
}

pub(super) fn of_boost(
    boost: &Boost,
    question: &Question<'_>,
    goes_on: GoesOn<'_>,
) -> Result<Vec<Explanation>, Error> {
    let values = |tree: &crate::boost::StepTree, rest: usize, out: &mut [f64]| {
        let steps = &tree.steps[rest * boost.classes..][..boost.classes];
        let own = question.classes.iter().zip(out);
        own.for_each(|(&class, out)| *out = f64::from(steps[class as usize]));
    };
    let grove = Grove { bins: &boost.bins, places: &boost.places, trees: &boost.trees };
    let all = grove.contributions(question, |tree| &tree.nodes, &values, goes_on)?;
    finish(
        question,
        Measure::Margin,
        all,
        |rows| boost.margins(question.columns, rows),
        boost.classes,
    )
}

/// Puts the sums beside what the estimator itself says.
fn finish(
    question: &Question<'_>,
    measure: Measure,
    contributions: Vec<Vec<f64>>,
    said: impl Fn(&[u32]) -> Result<Vec<f32>, Error>,
    classes: usize,
) -> Result<Vec<Explanation>, Error> {
    let own = said(&[question.row])?;
    let others = said(question.background)?;
    let explain = |(&class, contributions): (&u32, Vec<f64>)| {
        let of = |row: &[f32]| f64::from(row[class as usize]);
        let sum: f64 = others.chunks_exact(classes).map(of).sum();
        Explanation {
            measure,
            base: sum / question.background.len() as f64,
            value: of(&own),
            contributions,
            errors: Vec::new(),
        }
    };
    Ok(question.classes.iter().zip(contributions).map(explain).collect())
}

/// Trees over the same binned rows.
struct Grove<'a, T> {
    bins: &'a Bins,
    places: &'a [Place],
    trees: &'a [T],
}

impl<T: Sync> Grove<'_, T> {
    /// For each class the mean contribution of each player over the background; `values` gives what a tree's leaf adds to each class.
    fn contributions(
        &self,
        question: &Question<'_>,
        nodes: impl Fn(&T) -> &Nodes + Sync,
        values: &(impl Fn(&T, usize, &mut [f64]) + Sync),
        goes_on: GoesOn<'_>,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let stride = bin::stride(self.places.len());
        let fill = |rows: &[u32]| {
            let mut lines = vec![0; rows.len() * stride];
            self.bins.fill(question.columns, rows, self.places, stride, &mut lines);
            lines
        };
        let own = fill(&[question.row]);
        let others = fill(question.background);
        let of_column = player_of(question);
        // What a split looks at, as players: two octets of one column are one.
        let players: Vec<usize> =
            self.places.iter().map(|place| of_column[place.feature]).collect();
        let count = question.players.len();
        let of_tree = |tree: &T| {
            let mut sums = vec![0.0; question.classes.len() * count];
            let mut at_leaf = vec![0.0; question.classes.len()];
            let mut walk = Walk::new(&players, count);
            for other in others.chunks_exact(stride) {
                if !goes_on() {
                    return None;
                }
                let leaf = |rest: usize, row: &[usize], background: &[usize]| {
                    values(tree, rest, &mut at_leaf);
                    add(&mut sums, &at_leaf, count, row, background);
                };
                match nodes(tree) {
                    Nodes::Narrow(nodes) => walk.pair(nodes, &own, other, leaf),
                    Nodes::Wide(nodes) => walk.pair(nodes, &own, other, leaf),
                }
            }
            Some(sums)
        };
        // Tree by tree in order, so that sums are the same for any number of threads.
        let by_tree: Option<Vec<Vec<f64>>> = self.trees.par_iter().map(of_tree).collect();
        let mut sums = vec![0.0; question.classes.len() * count];
        for of_tree in by_tree.ok_or(Error::GivenUp)? {
            sums.iter_mut().zip(of_tree).for_each(|(sum, value)| *sum += value);
        }
        let scale = 1.0 / question.background.len() as f64;
        sums.iter_mut().for_each(|sum| *sum *= scale);
        Ok(sums.chunks_exact(count.max(1)).map(<[f64]>::to_vec).collect())
    }
}

/// Gives a leaf's value to the players of both sides.
fn add(sums: &mut [f64], at_leaf: &[f64], count: usize, row: &[usize], background: &[usize]) {
    let (u, v) = (row.len(), background.len());
    let for_row = if u > 0 { weight(u - 1, v) } else { 0.0 };
    let for_background = if v > 0 { weight(u, v - 1) } else { 0.0 };
    for (sums, &value) in
        sums.chunks_exact_mut(count).zip(at_leaf).filter(|(_, value)| **value != 0.0)
    {
        row.iter().for_each(|&player| sums[player] += for_row * value);
        background.iter().for_each(|&player| sums[player] -= for_background * value);
    }
}

/// `a! b! / (a + b + 1)!`, multiplied up so that no factorial overflows.
fn weight(a: usize, b: usize) -> f64 {
    let (few, many) = (a.min(b), a.max(b));
    let mut weight = 1.0 / (a + b + 1) as f64;
    for k in 1..=few {
        weight *= k as f64 / (many + k) as f64;
    }
    weight
}

/// Whose value a player has on the way to a leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    Row,
    Background,
}

/// What is still to do.
enum Step {
    Visit(usize),
    Give(usize, Owner),
    TakeBack(usize),
}

/// Memory of walks, kept from one to the next. A list of its own and no recursion: a tree may be as deep as it has nodes.
struct Walk<'a> {
    players: &'a [usize],
    owners: Vec<Owner>,
    row: Vec<usize>,
    background: Vec<usize>,
    steps: Vec<Step>,
}

impl<'a> Walk<'a> {
    fn new(players: &'a [usize], count: usize) -> Self {
        let owners = vec![Owner::Nobody; count];
        Self { players, owners, row: Vec::new(), background: Vec::new(), steps: Vec::new() }
    }

    /// Calls `leaf` for each leaf that some mixture of both rows reaches, with the players that must be the row's and those that must
    /// be the background's.
    fn pair<N: Node>(
        &mut self,
        nodes: &[N],
        own: &[u8],
        other: &[u8],
        mut leaf: impl FnMut(usize, &[usize], &[usize]),
    ) {
        self.steps.push(Step::Visit(ROOT));
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Give(player, owner) => {
                    self.owners[player] = owner;
                    let list =
                        if owner == Owner::Row { &mut self.row } else { &mut self.background };
                    list.push(player);
                }
                Step::TakeBack(player) => {
                    let owner = std::mem::replace(&mut self.owners[player], Owner::Nobody);
                    let list =
                        if owner == Owner::Row { &mut self.row } else { &mut self.background };
                    list.pop();
                }
                Step::Visit(at) if nodes[at].is_leaf() => {
                    leaf(nodes[at].pair(), &self.row, &self.background);
                }
                Step::Visit(at) => self.split(nodes[at], own, other),
            }
        }
    }

    fn split<N: Node>(&mut self, node: N, own: &[u8], other: &[u8]) {
        let side = |line: &[u8]| 2 * node.pair() + usize::from(line[node.column()] > node.bin());
        let (own, other) = (side(own), side(other));
        let player = self.players[node.column()];
        match self.owners[player] {
            Owner::Row => self.steps.push(Step::Visit(own)),
            Owner::Background => self.steps.push(Step::Visit(other)),
            Owner::Nobody if own == other => self.steps.push(Step::Visit(own)),
            Owner::Nobody => {
                // The last one goes first.
                for (next, owner) in [(other, Owner::Background), (own, Owner::Row)] {
                    self.steps.push(Step::TakeBack(player));
                    self.steps.push(Step::Visit(next));
                    self.steps.push(Step::Give(player, owner));
                }
            }
        }
    }
}
