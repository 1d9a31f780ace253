//! One client's part in a forest that is grown from sums: it counts its rows as it is asked, and lets them follow the splits.

use std::collections::BTreeMap;

use super::bin::MISSING;
use super::edges::{Binned, Edges};
use super::grow::Limits;
use super::growth::{Question, Split};
use super::keyed;
use super::params::ValidForestParams;
use super::split::sums::goes_right;
use crate::error::Error;
use crate::training::Training;

/// Most counts of an answer: 256 MB.
const COUNTS_MAX: usize = 1 << 26;

/// A row of a tree, and how often the tree has drawn it.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    line: u32,
    times: u16,
}

/// The rows of one client, binned, and in which node of each tree they are.
#[derive(Clone, Debug)]
pub struct Site {
    edges: Edges,
    lines: Vec<u8>,
    stride: usize,
    codes: Vec<u16>,
    classes: usize,
    /// Whether distinct rows are counted beside draws.
    distinct: bool,
    /// The rows of each open node of each tree.
    trees: Vec<BTreeMap<u32, Vec<Drawn>>>,
}

impl Site {
    /// A client's rows, drawn for each tree of a forest.
    ///
    /// # Shapes
    /// `keys` has one for each of `training.rows`; no two rows of any clients have the same.
    /// # Errors
    /// When the shapes of `training` do not fit together ([`Training::check`]) or the edges are of another table.
    pub fn new(
        params: &ValidForestParams,
        edges: &Edges,
        training: &Training<'_>,
        keys: &[u64],
        seed: u64,
    ) -> Result<Self, Error> {
        if !training.rows.is_empty() {
            training.check()?;
        }
        let Binned { stride, lines, codes } = edges.bin(training, keys)?;
        let features = training.columns.len();
        let Limits { bootstrap, .. } = params.limits(features);
        let of_tree = |tree| {
            let times = |key| if bootstrap { keyed::times(seed, tree, key) } else { 1 };
            let drawn = (0..).zip(keys).map(|(line, &key)| Drawn { line, times: times(key) });
            BTreeMap::from([(0, drawn.filter(|drawn| drawn.times > 0).collect())])
        };
        let trees = (0..params.trees()).map(of_tree).collect();
        let classes = training.classes;
        Ok(Self { edges: edges.clone(), lines, stride, codes, classes, distinct: bootstrap, trees })
    }

    /// The same client with so many draws of each tree at most, and distinct rows not counted: so it can move all counts of a level by
    /// so much and no more. Which of its rows stay is drawn for each tree; the last one may lose some of its draws.
    #[must_use]
    pub fn limited(mut self, draws_max: u32, seed: u64) -> Self {
        self.distinct = false;
        for (tree, nodes) in (0..).zip(&mut self.trees) {
            let Some(rows) = nodes.get_mut(&0) else { continue };
            let key = keyed::mix_two(!seed, tree);
            rows.sort_unstable_by_key(|drawn| keyed::mix_two(key, u64::from(drawn.line)));
            let mut left = draws_max;
            for drawn in rows.iter_mut() {
                drawn.times = drawn.times.min(left.min(u32::from(u16::MAX)) as u16);
                left -= u32::from(drawn.times);
            }
            rows.retain(|drawn| drawn.times > 0);
        }
        self
    }

    /// What is asked, one count after the other.
    ///
    /// # Shapes
    /// For each question, for each of its columns, for each bin: the draws of each class that is asked about, and then, where trees
    /// draw rows by chance, the number of distinct rows.
    /// # Errors
    /// [`Error::ColumnCount`] for a column that is not there, [`Error::TooMany`] for more counts than 2²⁶: questions may come from
    /// outside.
    pub fn count(&self, questions: &[Question]) -> Result<Vec<u32>, Error> {
        self.check_columns(questions.iter().flat_map(|question| &question.columns))?;
        let width = |question: &Question| question.classes.len() + usize::from(self.distinct);
        let entries = |question: &Question| {
            let bins = question.columns.iter().map(|column| self.edges.bins(*column as usize));
            bins.sum::<usize>() * width(question)
        };
        let found = questions.iter().map(entries).fold(0, usize::saturating_add);
        if found > COUNTS_MAX {
            return Err(Error::TooMany { what: "counts", found, limit: COUNTS_MAX });
        }
        let mut counts = vec![0; found];
        let mut begin = 0;
        // Where a class is counted; beyond a bin's counts, where it is not asked about.
        let mut place = vec![usize::MAX; self.classes];
        for question in questions {
            let width = width(question);
            place.fill(usize::MAX);
            for (at, &class) in question.classes.iter().enumerate() {
                if let Some(place) = place.get_mut(usize::from(class)) {
                    *place = at;
                }
            }
            let rows = self.trees.get(question.tree as usize);
            let rows = rows.and_then(|nodes| nodes.get(&question.node));
            for &column in &question.columns {
                let column = column as usize;
                let end = begin + self.edges.bins(column) * width;
                let of_column = &mut counts[begin..end];
                for drawn in rows.into_iter().flatten() {
                    let line = drawn.line as usize;
                    let bin = self.lines[line * self.stride + column];
                    let cells = &mut of_column[self.edges.place(column, bin) * width..][..width];
                    if let Some(cell) = cells.get_mut(place[usize::from(self.codes[line])]) {
                        *cell += u32::from(drawn.times);
                    }
                    if self.distinct {
                        cells[width - 1] += 1;
                    }
                }
                begin = end;
            }
        }
        Ok(counts)
    }

    /// Lets rows follow splits, into the nodes that will be asked about; rows of finished nodes are dropped.
    ///
    /// # Errors
    /// [`Error::ColumnCount`] for a column that is not there, [`Error::Parameter`] for a border that no split has; no row has moved then.
    pub fn follow(&mut self, splits: &[Split]) -> Result<(), Error> {
        self.check_columns(splits.iter().map(|split| &split.column))?;
        if splits.iter().any(|split| split.bin == MISSING || split.children == u32::MAX) {
            let (name, value) = ("a split", "one beyond all bins or nodes".to_owned());
            return Err(Error::Parameter {
                name,
                value,
                rule: "its two sides have bins and numbers",
            });
        }
        for split in splits {
            let Some(nodes) = self.trees.get_mut(split.tree as usize) else { continue };
            let Some(rows) = nodes.remove(&split.node) else { continue };
            let goes_right = goes_right(split.bin, split.missing_left);
            let bin = |drawn: &Drawn| {
                self.lines[drawn.line as usize * self.stride + split.column as usize]
            };
            let (right, left): (Vec<Drawn>, Vec<Drawn>) =
                rows.into_iter().partition(|drawn| goes_right(bin(drawn)));
            for (node, (rows, goes_on)) in
                (split.children..).zip([left, right].into_iter().zip(split.goes_on))
            {
                if goes_on {
                    nodes.insert(node, rows);
                }
            }
        }
        Ok(())
    }

    fn check_columns<'c>(&self, mut columns: impl Iterator<Item = &'c u32>) -> Result<(), Error> {
        let expected = self.edges.features();
        match columns.find(|column| **column as usize >= expected) {
            Some(&column) => Err(Error::ColumnCount { found: column as usize + 1, expected }),
            None => Ok(()),
        }
    }
}
