//! A tree while it grows, before it is packed for prediction.

use super::split::Best;

/// A node of a growing tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Grown {
    /// What it does.
    pub(crate) kind: Kind,
    /// Distinct training rows that reached it.
    pub(crate) rows: u32,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Goes on to the second node of `pair` where the bin is above `bin`, else to the first.
    Split { feature: u32, bin: u8, missing_left: bool, pair: u32 },
    /// All rows had this class.
    Pure { class: u16 },
    /// Rows of several classes.
    Mixed { leaf: u32 },
}

impl Grown {
    pub(crate) fn pure(class: u16, rows: usize) -> Self {
        Self { kind: Kind::Pure { class }, rows: rows as u32 }
    }

    pub(crate) fn split(best: &Best, pair: usize, rows: usize) -> Self {
        let Best { bin, missing_left, feature, .. } = *best;
        let kind = Kind::Split { feature: feature as u32, bin, missing_left, pair: pair as u32 };
        Self { kind, rows: rows as u32 }
    }
}

/// The classes of a leaf with their shares; the largest share is 65,535 where shares are rounded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MixedLeaf(pub(crate) Vec<(u16, u16)>);

impl MixedLeaf {
    /// All classes alike: what a tree says that has drawn no row.
    pub(crate) fn ignorant(classes: usize) -> Self {
        Self((0..classes).map(|class| (class as u16, 1)).collect())
    }

    /// Keeps counts as they are where they are whole and fit in 16 bits, so that shares are exact.
    pub(crate) fn new(amounts: Vec<(u16, f64)>) -> Self {
        let largest = amounts.iter().fold(0.0_f64, |a, (_, amount)| a.max(*amount));
        let limit = f64::from(u16::MAX);
        let exact = largest <= limit && amounts.iter().all(|(_, amount)| amount.fract() == 0.0);
        let scale = if exact { 1.0 } else { limit / largest };
        let share = |amount: f64| (amount * scale).round() as u16;
        let shares = amounts.into_iter().map(|(class, amount)| (class, share(amount)));
        Self(shares.filter(|(_, share)| *share > 0).collect())
    }
}

/// A tree while it grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrownTree {
    /// The root, an unused node, then pairs of siblings.
    pub(crate) nodes: Vec<Grown>,
    pub(crate) leaves: Vec<MixedLeaf>,
    /// How much each column lowered the impurity, weighted by rows.
    pub(crate) importance: Vec<f64>,
}

impl GrownTree {
    pub(crate) fn new(features: usize) -> Self {
        Self {
            nodes: vec![Grown::pure(0, 0); 2],
            leaves: Vec::new(),
            importance: vec![0.0; features],
        }
    }

    pub(crate) fn push_pair(&mut self) -> usize {
        self.nodes.extend([Grown::pure(0, 0); 2]);
        self.nodes.len() / 2 - 1
    }

    pub(crate) fn push_leaf(&mut self, node: usize, leaf: MixedLeaf, rows: usize) {
        // A leaf whose other shares were rounded to nothing is as good as pure.
        let kind = match leaf.0[..] {
            [(class, _)] => Kind::Pure { class },
            _ => {
                self.leaves.push(leaf);
                Kind::Mixed { leaf: self.leaves.len() as u32 - 1 }
            }
        };
        self.nodes[node] = Grown { kind, rows: rows as u32 };
    }
}
