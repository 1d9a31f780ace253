//! Gradient boosting with one tree a round for all classes: its leaves hold a step for each class.
//!
//! A library that grows a tree for each class pays for 128 of them a round. Here the split is searched for along a few directions
//! of the gradients, and costs the same for any number of classes.
//!
//! # Reference
//! J. Friedman, *Greedy function approximation: a gradient boosting machine*, Annals of Statistics 29, 2001. L. Iosipoi,
//! A. Vakhrushev, *SketchBoost*, NeurIPS 2022 (directions in place of all outputs).

mod grow;
mod histogram;
mod params;
mod sketch;
pub(crate) mod softmax;
mod state;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

pub use params::{BoostParams, LEAVES_MAX, ROUNDS_MAX, ValidBoostParams};

use crate::chance::{below, shuffle};
use crate::error::Error;
use crate::forest::bin::{self, Bins, MISSING, Place};
use crate::forest::columns::Columns;
use crate::forest::pack::Nodes;
use crate::forest::predict::find_rests;
use crate::forest::tree::{Grown, Kind};
use crate::forest::{ClassWeights, bin_rows, in_blocks};
use crate::training::{Probabilities, Training, class_weights};
use grow::{Ground, Wood, grow};
use histogram::{CHUNK, Lines, Rules};
use sketch::Sketch;
use softmax::softmax;
use state::{State, leaf_of};

/// Fewer rows than this are all learnt from, for a fixed number of rounds: what is held out of them says too little.
const HOLD_OUT_FROM: usize = 400;
/// One in so many rows is held out, to tell when to stop.
const HELD_OUT: usize = 8;
/// Rounds where nothing is held out.
const ROUNDS_WITHOUT: usize = 60;
/// A tree looks at this part of the columns, drawn by chance eight at a time, and at so many eights at least: the others' turn comes,
/// trees differ more, and wide tables cost less.
const EIGHTS_SHARE: usize = 3;
const EIGHTS_MIN: usize = 8;
/// A tree learns from so many rows at most, drawn by chance: their sums fit in 32 bits.
const TREE_ROWS_MAX: usize = 1 << 21;

/// A fitted booster.
#[derive(Clone, Debug, PartialEq)]
pub struct Boost {
    pub(crate) bins: Bins,
    pub(crate) classes: usize,
    /// Octets of a binned row, as the trees number them.
    pub(crate) places: Vec<Place>,
    /// Margins before the first tree.
    pub(crate) first: Vec<f32>,
    pub(crate) trees: Vec<StepTree>,
    pub(crate) importance: Vec<f32>,
}

/// A tree with a step for each class in each leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepTree {
    pub(crate) nodes: Nodes,
    /// `[leaves][classes]`.
    pub(crate) steps: Vec<f32>,
}

impl ValidBoostParams {
    /// Learns; `tree_done` is called after each tree.
    ///
    /// Threads are those of the surrounding rayon pool; the result does not depend on them.
    ///
    /// # Errors
    /// When the shapes of `training` do not fit together ([`Training::check`]).
    pub fn fit(
        &self,
        training: &Training,
        seed: u64,
        tree_done: &(dyn Fn() + Sync),
    ) -> Result<Boost, Error> {
        training.check()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (bins, _) = Bins::learn(training.columns, training.rows);
        let features = training.columns.len();
        // Columns stand in any order, so that the eights that a tree looks at are not neighbours in the table.
        let mut order: Vec<usize> = (0..features).collect();
        shuffle(&mut order, &mut rng);
        let table = Table::new(training, &bins, &order);
        let share = 1.0 / self.boosters() as f32;
        let mut first = vec![0.0; training.classes];
        let (mut trees, mut gains) = (Vec::new(), Vec::new());
        for _ in 0..self.boosters() {
            let one = self.fit_one(&table, &mut rng, tree_done);
            first.iter_mut().zip(one.first).for_each(|(sum, margin)| *sum += margin * share);
            trees.extend(one.trees);
            gains.extend(one.gains.into_iter().flatten());
        }
        // The mean of the boosters' margins is one sum over all trees.
        trees.iter_mut().flat_map(|tree| &mut tree.steps).for_each(|step| *step *= share);
        let places = table.columns.keep_used(&mut trees, |tree| &mut tree.nodes);
        let importance = importance(features, &gains);
        Ok(Boost { bins, classes: training.classes, places, first, trees, importance })
    }

    fn fit_one(
        &self,
        table: &Table<'_>,
        rng: &mut ChaCha8Rng,
        tree_done: &(dyn Fn() + Sync),
    ) -> One {
        let training = table.training;
        let (learnt, held_out) = self.hold_out(training, rng);
        let (lines, held_lines) = (table.lines(&learnt), table.lines(&held_out));
        let stride = table.stride;
        let balanced = self.balances() == ClassWeights::Balanced;
        let weights = class_weights(training, &learnt, balanced);
        let weights: Vec<f32> = weights.into_iter().map(|weight| weight as f32).collect();
        let shares = shares(training, &learnt, &weights);
        let codes =
            |rows: &[u32]| rows.iter().map(|&r| training.codes[r as usize] as u16).collect();
        let mut round = Round {
            ground: Ground {
                lines: Lines { octets: &lines, stride },
                firsts: &[],
                has_missing: &table.has_missing,
                leaves_max: self.leaf_limit(learnt.len()),
                depth_max: self.depth_limit(),
                rules: Rules {
                    leaf_rows_min: self.leaf_rows(learnt.len(), training.classes),
                    penalty: self.l2(),
                },
            },
            params: self,
            state: State::new(codes(&learnt), weights.clone(), &shares),
            rng,
        };
        let mut watch = self.waits().filter(|_| !held_out.is_empty()).map(|patience| Watch {
            lines: Lines { octets: &held_lines, stride },
            state: State::new(codes(&held_out), weights, &shares),
            patience,
            best: (f64::INFINITY, 0),
        });
        let (mut trees, mut gains) = (Vec::new(), Vec::new());
        for number in 1..=self.rounds_at_most(watch.is_some()) {
            let Some((wood, steps)) = round.make(training.classes) else { break };
            if watch.as_mut().is_some_and(|watch| !watch.goes_on(number, &wood, &steps)) {
                break;
            }
            trees.push(StepTree { nodes: table.pack(&wood), steps });
            gains.push(table.gains(&wood));
            tree_done();
        }
        if let Some(Watch { best: (_, rounds), .. }) = watch {
            trees.truncate(rounds);
            gains.truncate(rounds);
        }
        One { first: shares.iter().map(|share| share.ln()).collect(), trees, gains }
    }

    /// So many rounds at most; fewer where nothing tells when to stop although that was asked for.
    fn rounds_at_most(&self, is_watched: bool) -> usize {
        let unwatched = self.waits().is_some() && !is_watched;
        if unwatched { self.rounds().min(ROUNDS_WITHOUT) } else { self.rounds() }
    }

    /// The rows to learn from and the rows that tell when to stop, each in the table's order.
    fn hold_out(&self, training: &Training, rng: &mut ChaCha8Rng) -> (Vec<u32>, Vec<u32>) {
        if self.waits().is_none() || training.rows.len() < HOLD_OUT_FROM {
            return (training.rows.to_vec(), Vec::new());
        }
        let mut rows = training.rows.to_vec();
        shuffle(&mut rows, rng);
        // Class by class, each loses its share, and none its last row.
        let mut seen = vec![0_usize; training.classes];
        let (held, learnt) = rows.into_iter().partition(|&row| {
            let seen = &mut seen[training.codes[row as usize] as usize];
            *seen += 1;
            seen.is_multiple_of(HELD_OUT)
        });
        let (mut held, mut learnt): (Vec<u32>, Vec<u32>) = (held, learnt);
        held.sort_unstable();
        learnt.sort_unstable();
        (learnt, held)
    }
}

/// One booster of several.
struct One {
    /// Margins before the first tree.
    first: Vec<f32>,
    trees: Vec<StepTree>,
    /// What each tree's splits gained: columns and gains.
    gains: Vec<Vec<(usize, f32)>>,
}

/// What all boosters of a fit share: the table, how its columns are binned, and in which order they stand.
struct Table<'a> {
    training: &'a Training<'a>,
    bins: &'a Bins,
    order: &'a [usize],
    places: Vec<Place>,
    stride: usize,
    has_missing: Vec<bool>,
    columns: Columns,
}

impl<'a> Table<'a> {
    fn new(training: &'a Training<'a>, bins: &'a Bins, order: &'a [usize]) -> Self {
        let misses = |feature: usize| bins.cuts()[feature].missing() == MISSING;
        Self {
            training,
            bins,
            order,
            places: order.iter().map(|&feature| Place { feature, shift: 0 }).collect(),
            stride: bin::stride(order.len()),
            has_missing: order.iter().map(|&feature| misses(feature)).collect(),
            columns: Columns::new(&(0..order.len()).map(misses).collect::<Vec<_>>()),
        }
    }

    /// Some rows, binned, their columns in this order.
    fn lines(&self, rows: &[u32]) -> Vec<u8> {
        bin_rows(self.bins, self.training.columns, rows, &self.places, self.stride)
    }

    fn pack(&self, wood: &Wood) -> Nodes {
        let count = self.columns.places.len();
        let column_of = |place: u32, missing_left| {
            self.columns.of(self.order[place as usize] as u32, missing_left)
        };
        Nodes::pack(&wood.nodes, 0, wood.leaves.len(), count, column_of)
    }

    fn gains(&self, wood: &Wood) -> Vec<(usize, f32)> {
        wood.gains.iter().map(|&(place, gain)| (self.order[place], gain)).collect()
    }
}

/// Each class's share of the rows by weight; a class without rows has one row's thousandth, so that its logarithm is a number.
fn shares(training: &Training, rows: &[u32], weights: &[f32]) -> Vec<f32> {
    let mut sums = vec![1e-3_f64; training.classes];
    for &row in rows {
        let class = training.codes[row as usize] as usize;
        sums[class] += f64::from(weights[class]);
    }
    let all: f64 = sums.iter().sum();
    sums.into_iter().map(|sum| (sum / all) as f32).collect()
}

/// Rows that nobody learns from, and how well they are answered: they tell when to stop.
struct Watch<'a> {
    lines: Lines<'a>,
    state: State,
    /// So many rounds may pass without a better one.
    patience: usize,
    /// The least log loss, and after how many rounds it was.
    best: (f64, usize),
}

impl Watch<'_> {
    /// Looks at a round's tree; whether another round is worth it.
    fn goes_on(&mut self, number: usize, wood: &Wood, steps: &[f32]) -> bool {
        self.state.advance(&leaves_of_lines(&wood.nodes, self.lines), steps);
        let loss = self.state.log_loss();
        if loss < self.best.0 {
            self.best = (loss, number);
        }
        number - self.best.1 < self.patience
    }
}

/// What one round needs.
struct Round<'a> {
    ground: Ground<'a>,
    params: &'a ValidBoostParams,
    state: State,
    rng: &'a mut ChaCha8Rng,
}

impl Round<'_> {
    /// Grows a tree and takes its steps; `None` where there is nothing left to split.
    fn make(&mut self, classes: usize) -> Option<(Wood, Vec<f32>)> {
        let sketch = Sketch::draw(classes, self.rng);
        let (cells, unit) = self.state.cells(&sketch);
        let all = cells.len();
        let rows: Vec<u32> = if all > TREE_ROWS_MAX {
            (0..all as u32).filter(|_| below(self.rng, all) < TREE_ROWS_MAX).collect()
        } else {
            (0..all as u32).collect()
        };
        let cells = rows.iter().map(|&row| cells[row as usize]).collect();
        let mut firsts: Vec<usize> = (0..self.ground.has_missing.len()).step_by(CHUNK).collect();
        shuffle(&mut firsts, self.rng);
        firsts.truncate(EIGHTS_MIN.max(firsts.len() / EIGHTS_SHARE));
        let mut wood = grow(Ground { firsts: &firsts, ..self.ground }, rows, cells);
        wood.gains.iter_mut().for_each(|(_, gain)| *gain *= unit * unit);
        if wood.leaves.len() < 2 {
            return None;
        }
        let (state, rate, penalty) = (&self.state, self.params.rate(), self.params.l2());
        let leaves = wood.leaves.par_iter();
        let steps: Vec<Vec<f32>> =
            leaves.map(|leaf| state.step(&wood.rows[leaf.clone()], rate, penalty)).collect();
        let steps = steps.concat();
        let leaves = if wood.rows.len() == all {
            leaf_of(&wood.rows, &wood.leaves)
        } else {
            leaves_of_lines(&wood.nodes, self.ground.lines)
        };
        self.state.advance(&leaves, &steps);
        Some((wood, steps))
    }
}

/// The leaf of each line.
fn leaves_of_lines(nodes: &[Grown], lines: Lines) -> Vec<u32> {
    let lines = lines.octets.par_chunks_exact(lines.stride);
    lines.map(|line| leaf_of_line(nodes, line)).collect()
}

/// Walks a growing tree.
fn leaf_of_line(nodes: &[Grown], line: &[u8]) -> u32 {
    let mut node = nodes[0];
    loop {
        match node.kind {
            Kind::Split { feature, bin, missing_left, pair } => {
                let shift = u8::from(missing_left);
                let goes_right = line[feature as usize].wrapping_add(shift) > bin + shift;
                node = nodes[2 * pair as usize + usize::from(goes_right)];
            }
            Kind::Mixed { leaf } => return leaf,
            Kind::Pure { .. } => unreachable!("invariant: a leaf of boosting is never pure"),
        }
    }
}

/// Each column's share of what all splits gained.
fn importance(features: usize, gains: &[(usize, f32)]) -> Vec<f32> {
    let mut sums = vec![0.0_f64; features];
    gains.iter().for_each(|(feature, gain)| sums[*feature] += f64::from(*gain));
    let all: f64 = sums.iter().sum();
    sums.into_iter().map(|sum| if all > 0.0 { (sum / all) as f32 } else { 0.0 }).collect()
}

impl Boost {
    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of columns that a table must have.
    #[must_use]
    pub fn features(&self) -> usize {
        self.bins.cuts().len()
    }

    /// Number of trees.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// How much each column's splits gained, as a share of all.
    #[must_use]
    pub fn importance(&self) -> &[f32] {
        &self.importance
    }

    /// Probabilities of some rows of a table, in the order of `rows`.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`, missing values are NaN.
    /// # Errors
    /// When the table has another number of columns than the model, or `rows` go beyond it.
    pub fn predict_proba(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        let mut values = self.margins(columns, rows)?;
        values.par_chunks_exact_mut(self.classes).for_each(softmax);
        Ok(Probabilities { classes: self.classes, values })
    }

    /// What all trees sum up to, before it is made probabilities: `[rows][classes]`.
    pub fn margins(&self, columns: &[Vec<f32>], rows: &[u32]) -> Result<Vec<f32>, Error> {
        let answer =
            |lines: &[u8], stride: usize, out: &mut [f32]| self.add_lines(lines, stride, out);
        in_blocks(&self.bins, &self.places, columns, rows, self.classes, answer)
    }

    fn add_lines(&self, lines: &[u8], stride: usize, out: &mut [f32]) {
        for margins in out.chunks_exact_mut(self.classes) {
            margins.copy_from_slice(&self.first);
        }
        let mut rests = vec![0; lines.len() / stride];
        for tree in &self.trees {
            find_rests(&tree.nodes, lines, stride, &mut rests);
            for (margins, &rest) in out.chunks_exact_mut(self.classes).zip(&rests) {
                let steps = &tree.steps[rest as usize * self.classes..][..self.classes];
                for (margin, step) in margins.iter_mut().zip(steps) {
                    *margin += step;
                }
            }
        }
    }
}
