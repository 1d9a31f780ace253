//! What has grown from sums, as the forest that rows would have made: the same nodes in the same order.

use rayon::prelude::*;

use super::{Chosen, Growth, Node, Totals};
use crate::error::Error;
use crate::forest::columns::Columns;
use crate::forest::pack::Tree;
use crate::forest::tree::{Grown, GrownTree, MixedLeaf};
use crate::forest::{Forest, mean_importance};

impl Growth<'_> {
    /// The forest; what still waited is a leaf, and trees of which nothing was told are left out.
    ///
    /// # Errors
    /// [`Error::Nothing`] where nothing was told of any.
    pub fn finish(mut self) -> Result<Forest, Error> {
        self.trees.retain(|nodes| !nodes[0].totals.classes.is_empty());
        if self.trees.is_empty() {
            return Err(Error::Nothing { what: "answers" });
        }
        let has_missing = self.edges.has_missing();
        let columns = Columns::new(&has_missing);
        let count = columns.places.len();
        let grown: Vec<(Tree, Vec<f64>)> = self
            .trees
            .par_iter()
            .map(|nodes| {
                let grown = self.walk(nodes);
                let column_of = |feature, missing_left| columns.of(feature, missing_left);
                (Tree::pack(&grown, self.classes, count, column_of), grown.importance)
            })
            .collect();
        let importance = mean_importance(has_missing.len(), &grown);
        let mut trees: Vec<Tree> = grown.into_iter().map(|(tree, _)| tree).collect();
        let places = columns.keep_used(&mut trees, |tree| &mut tree.nodes);
        let bins = self.edges.bins.clone();
        Ok(Forest { bins, classes: self.classes, places, trees, importance })
    }

    /// A tree's nodes in the order in which they are looked at depth first.
    fn walk(&self, nodes: &[Node]) -> GrownTree {
        let mut tree = GrownTree::new(self.edges.features());
        let mut open = vec![(0, 0)];
        while let Some((from, to)) = open.pop() {
            let node = &nodes[from];
            let rows = node.totals.rows as usize;
            let Some(Chosen { best, decrease, children }) = node.split else {
                self.leaf(&mut tree, to, &node.totals);
                continue;
            };
            tree.importance[best.feature] += decrease;
            let pair = tree.push_pair();
            tree.nodes[to] = Grown::split(&best, pair, rows);
            let (left, right) = ((children, 2 * pair), (children + 1, 2 * pair + 1));
            let left_waits = nodes[children].totals.rows < nodes[children + 1].totals.rows;
            let (waits, next) = if left_waits { (left, right) } else { (right, left) };
            open.extend([waits, next]);
        }
        tree
    }

    fn leaf(&self, tree: &mut GrownTree, to: usize, totals: &Totals) {
        let rows = totals.rows.max(0) as usize;
        let weight = |class: usize| self.weights.get(class).copied().unwrap_or(1);
        let present = totals.classes.iter().enumerate().filter(|(_, count)| **count > 0);
        let amounts: Vec<(u16, f64)> =
            present.map(|(class, &count)| (class as u16, (count * weight(class)) as f64)).collect();
        match amounts[..] {
            [] => tree.push_leaf(to, MixedLeaf::ignorant(self.classes), rows),
            [(class, _)] => tree.nodes[to] = Grown::pure(class, rows),
            _ => tree.push_leaf(to, MixedLeaf::new(amounts), rows),
        }
    }
}
