//! Which octets of a binned row the packed trees look at.

use rayon::prelude::*;

use super::bin::Place;
use super::pack::Nodes;

/// Octets of binned rows while trees are packed: one a column, and a second one, with missing values
/// below all others, where a column has missing values.
pub(crate) struct Columns {
    pub(crate) places: Vec<Place>,
    below: Vec<usize>,
}

impl Columns {
    pub(crate) fn new(has_missing: &[bool]) -> Self {
        let mut places: Vec<Place> =
            (0..has_missing.len()).map(|feature| Place { feature, shift: 0 }).collect();
        let mut below = vec![0; has_missing.len()];
        for (feature, _) in has_missing.iter().enumerate().filter(|(_, missing)| **missing) {
            below[feature] = places.len();
            places.push(Place { feature, shift: 1 });
        }
        Self { places, below }
    }

    pub(crate) fn of(&self, feature: u32, missing_left: bool) -> (usize, u8) {
        let feature = feature as usize;
        if missing_left { (self.below[feature], 1) } else { (feature, 0) }
    }

    /// Drops what no tree looks at.
    pub(crate) fn keep_used<T: Send>(
        &self,
        trees: &mut [T],
        nodes: impl Fn(&mut T) -> &mut Nodes + Sync,
    ) -> Vec<Place> {
        let mut used = vec![false; self.places.len()];
        for tree in trees.iter_mut() {
            nodes(tree).for_each_column(|column| used[column] = true);
        }
        let mut number = vec![0; used.len()];
        let mut places = Vec::new();
        for (column, _) in used.iter().enumerate().filter(|(_, used)| **used) {
            number[column] = places.len();
            places.push(self.places[column]);
        }
        trees.par_iter_mut().for_each(|tree| nodes(tree).renumber(&number));
        places
    }
}
