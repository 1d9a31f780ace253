//! Trees of several forests put together in one.

use super::bin::Place;
use super::pack::{Node, Nodes};
use super::{Forest, TREES_MAX};
use crate::error::Error;

impl Forest {
    /// One forest of all trees of some, in their order; each tree counts the same. Columns matter in it as much as in the mean tree.
    ///
    /// # Errors
    /// [`Error::Nothing`] for no forest, [`Error::TooMany`] for too many trees, [`Error::Parameter`] where forests are of different
    /// edges or classes.
    pub fn pool(forests: Vec<Self>) -> Result<Self, Error> {
        let Some(first) = forests.first() else {
            return Err(Error::Nothing { what: "forests" });
        };
        let (bins, classes) = (first.bins.clone(), first.classes);
        if forests.iter().any(|forest| forest.bins != bins || forest.classes != classes) {
            let (name, value) = ("a forest", "one of other edges or classes".to_owned());
            return Err(Error::Parameter {
                name,
                value,
                rule: "only forests of the same can be one",
            });
        }
        let found: usize = forests.iter().map(Self::trees).sum();
        if found > TREES_MAX {
            return Err(Error::TooMany { what: "trees", found, limit: TREES_MAX });
        }
        let mut places: Vec<Place> =
            forests.iter().flat_map(|forest| forest.places.iter().copied()).collect();
        places.sort_unstable_by_key(|place| (place.shift, place.feature));
        places.dedup();
        let mut importance = vec![0.0; bins.cuts().len()];
        let mut trees = Vec::with_capacity(found);
        for forest in forests {
            let share = forest.trees() as f64 / found as f64;
            for (sum, of_forest) in importance.iter_mut().zip(&forest.importance) {
                *sum += share * f64::from(*of_forest);
            }
            let at = |own: &Place| places.iter().position(|place| place == own);
            let number: Vec<usize> = forest
                .places
                .iter()
                .map(|own| at(own).expect("invariant: each forest's places are among all"))
                .collect();
            for mut tree in forest.trees {
                if places.len() > u32::COLUMNS_MAX {
                    tree.nodes = tree.nodes.widened();
                }
                tree.nodes.renumber(&number);
                trees.push(tree);
            }
        }
        // A forest without a split says of no column that it matters, so shares may sum to less than one.
        let sum: f64 = importance.iter().sum();
        let scale = if sum > 0.0 { 1.0 / sum } else { 0.0 };
        let importance = importance.into_iter().map(|value| (value * scale) as f32).collect();
        Ok(Self { bins, classes, places, trees, importance })
    }

    /// What the trees take in a model file, without the edges.
    ///
    /// # Units
    /// Octets.
    #[must_use]
    pub fn octets(&self) -> u64 {
        let of_tree = |tree: &super::pack::Tree| {
            let nodes = match &tree.nodes {
                Nodes::Narrow(nodes) => 4 * nodes.len(),
                Nodes::Wide(nodes) => 8 * nodes.len(),
            };
            1 + 3 * 4 + 4 * tree.leaves.len() + 4 * tree.shares.len() + nodes
        };
        let trees: usize = self.trees.iter().map(of_tree).sum();
        (4 * self.importance.len() + 4 + 4 + 5 * self.places.len() + 4 + trees) as u64
    }
}
