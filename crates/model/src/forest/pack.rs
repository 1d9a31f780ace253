//! A finished tree: packed nodes, in the order in which rows will touch them.
//!
//! A node is 4 octets: column, bin, and a pair of siblings to go on to. A leaf is a node whose bin is 255:
//! no bin is above that, so its row always goes to the first of its pair, and there stands the same leaf
//! again. So a row that has arrived may go on stepping for nothing, and rows walk side by side without
//! asking which are done. These resting places are the first pairs of a tree: one for each class, for pure
//! leaves (98 % of them), then one for each leaf with a list of classes and shares.
//!
//! The other pairs lie so that eight of them, one cache line, are a small subtree that most rows run
//! through. Trees of more than 65,536 pairs, and forests of more than 256 columns, use a twin of 8 octets.

use std::collections::BinaryHeap;

use super::tree::{Grown, GrownTree, Kind};

/// The bin that marks a leaf.
const LEAF: u8 = 255;
/// Pairs in a cache line of 4-octet nodes.
const LINE_PAIRS: usize = 8;
/// The root is the unused second node of the first resting place.
pub(crate) const ROOT: usize = 1;

/// A node that fits in a register.
pub(crate) trait Node: Copy + Default + Eq + Send + Sync {
    /// Most pairs a tree of these nodes has.
    const PAIRS_MAX: usize;
    /// Most columns.
    const COLUMNS_MAX: usize;

    fn new(column: usize, bin: u8, pair: usize) -> Self;
    fn column(self) -> usize;
    fn bin(self) -> u8;
    fn pair(self) -> usize;

    /// A leaf that rests at this pair.
    fn leaf(rest: usize) -> Self {
        Self::new(0, LEAF, rest)
    }

    #[inline(always)]
    fn is_leaf(self) -> bool {
        self.bin() == LEAF
    }
}

impl Node for u32 {
    const PAIRS_MAX: usize = 1 << 16;
    const COLUMNS_MAX: usize = 1 << 8;

    #[inline(always)]
    fn new(column: usize, bin: u8, pair: usize) -> Self {
        u32::from(bin) << 24 | (column as u32) << 16 | pair as u32
    }

    #[inline(always)]
    fn column(self) -> usize {
        (self >> 16 & 0xff) as usize
    }

    #[inline(always)]
    fn bin(self) -> u8 {
        (self >> 24) as u8
    }

    #[inline(always)]
    fn pair(self) -> usize {
        (self & 0xffff) as usize
    }
}

impl Node for u64 {
    const PAIRS_MAX: usize = 1 << 32;
    const COLUMNS_MAX: usize = 1 << 16;

    #[inline(always)]
    fn new(column: usize, bin: u8, pair: usize) -> Self {
        u64::from(bin) << 56 | (column as u64) << 32 | pair as u64
    }

    #[inline(always)]
    fn column(self) -> usize {
        (self >> 32 & 0xffff) as usize
    }

    #[inline(always)]
    fn bin(self) -> u8 {
        (self >> 56) as u8
    }

    #[inline(always)]
    fn pair(self) -> usize {
        (self & 0xffff_ffff) as usize
    }
}

/// Nodes of either size: resting places with the root, then pairs of siblings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Nodes {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

/// A list of classes and shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) begin: u32,
    pub(crate) end: u32,
    /// One over the sum of the shares.
    pub(crate) scale: f32,
}

/// A finished tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Nodes,
    pub(crate) leaves: Vec<Leaf>,
    /// Classes and shares of all leaves, one after the other.
    pub(crate) shares: Vec<(u16, u16)>,
}

impl Tree {
    /// Packs a grown tree; `column_of` tells which octet of a binned row a split looks at, and what
    /// is added to its bins there.
    pub(crate) fn pack(
        grown: &GrownTree,
        classes: usize,
        columns: usize,
        column_of: impl Fn(u32, bool) -> (usize, u8),
    ) -> Self {
        let nodes = Nodes::pack(&grown.nodes, classes, grown.leaves.len(), columns, column_of);
        let mut shares = Vec::new();
        let mut ends = Vec::with_capacity(grown.leaves.len());
        for leaf in &grown.leaves {
            shares.extend_from_slice(&leaf.0);
            ends.push(shares.len() as u32);
        }
        Self { nodes, leaves: leaves(&ends, &shares), shares }
    }
}

impl Nodes {
    /// Packs the nodes of a grown tree with so many lists of shares, which rest behind the `classes` pure leaves.
    pub(crate) fn pack(
        grown: &[Grown],
        classes: usize,
        leaves: usize,
        columns: usize,
        column_of: impl Fn(u32, bool) -> (usize, u8),
    ) -> Self {
        let rests = classes + leaves;
        let pairs = rests + grown.len() / 2;
        if pairs <= u32::PAIRS_MAX && columns <= u32::COLUMNS_MAX {
            Self::Narrow(pack_nodes(grown, classes, rests, column_of))
        } else {
            Self::Wide(pack_nodes(grown, classes, rests, column_of))
        }
    }

    /// The same nodes in 8 octets each.
    pub(super) fn widened(self) -> Self {
        let wide = |node: &u32| u64::new(node.column(), node.bin(), node.pair());
        match self {
            Self::Narrow(nodes) => Self::Wide(nodes.iter().map(wide).collect()),
            Self::Wide(nodes) => Self::Wide(nodes),
        }
    }

    /// Gives every split's column another number.
    pub(crate) fn renumber(&mut self, number: &[usize]) {
        match self {
            Self::Narrow(nodes) => renumber(nodes, number),
            Self::Wide(nodes) => renumber(nodes, number),
        }
    }

    /// Calls `see` with the column of every split.
    pub(crate) fn for_each_column(&self, see: impl FnMut(usize)) {
        match self {
            Self::Narrow(nodes) => columns(nodes).for_each(see),
            Self::Wide(nodes) => columns(nodes).for_each(see),
        }
    }
}

fn columns<N: Node>(nodes: &[N]) -> impl Iterator<Item = usize> + '_ {
    nodes.iter().filter(|node| !node.is_leaf()).map(|node| node.column())
}

fn renumber<N: Node>(nodes: &mut [N], number: &[usize]) {
    for node in nodes.iter_mut().filter(|node| !node.is_leaf()) {
        *node = N::new(number[node.column()], node.bin(), node.pair());
    }
}

/// Leaves from where each one's shares end.
pub(crate) fn leaves(ends: &[u32], shares: &[(u16, u16)]) -> Vec<Leaf> {
    let mut begin = 0;
    let mut leaves = Vec::with_capacity(ends.len());
    for &end in ends {
        let sum: u64 =
            shares[begin as usize..end as usize].iter().map(|(_, share)| u64::from(*share)).sum();
        leaves.push(Leaf { begin, end, scale: (1.0 / sum as f64) as f32 });
        begin = end;
    }
    leaves
}

/// Resting places: each leaf twice, so that the second is there for the root of a tree to replace.
pub(crate) fn rests<N: Node>(count: usize) -> Vec<N> {
    (0..count).flat_map(|rest| [N::leaf(rest); 2]).collect()
}

/// The order of pairs: line by line, each line the most visited pairs below its first. The first line is
/// filled from `begin` on.
fn order_pairs(nodes: &[Grown], begin: usize) -> Vec<u32> {
    let below = |node: &Grown| match node.kind {
        Kind::Split { pair, .. } => Some((node.rows, pair)),
        _ => None,
    };
    let mut order = Vec::with_capacity(nodes.len() / 2);
    let mut waiting: Vec<u32> = below(&nodes[0]).iter().map(|(_, pair)| *pair).collect();
    let mut frontier: BinaryHeap<(u32, u32)> = BinaryHeap::new();
    while let Some(pair) = waiting.pop() {
        frontier.push((u32::MAX, pair));
        while let Some((_, pair)) = frontier.pop() {
            order.push(pair);
            frontier.extend(nodes[2 * pair as usize..][..2].iter().filter_map(below));
            if (begin + order.len()).is_multiple_of(LINE_PAIRS) {
                break;
            }
        }
        // The most visited subtree goes next, into the next line.
        waiting.extend(std::mem::take(&mut frontier).into_sorted_vec().iter().map(|(_, p)| *p));
    }
    order
}

fn pack_nodes<N: Node>(
    nodes: &[Grown],
    classes: usize,
    rests: usize,
    column_of: impl Fn(u32, bool) -> (usize, u8),
) -> Vec<N> {
    let order = order_pairs(nodes, rests);
    let mut position = vec![0; nodes.len() / 2];
    for (at, &pair) in order.iter().enumerate() {
        position[pair as usize] = rests + at;
    }
    let pack = |node: &Grown| match node.kind {
        Kind::Pure { class } => N::leaf(usize::from(class)),
        Kind::Mixed { leaf } => N::leaf(classes + leaf as usize),
        Kind::Split { feature, bin, missing_left, pair } => {
            let (column, shift) = column_of(feature, missing_left);
            N::new(column, bin + shift, position[pair as usize])
        }
    };
    let mut packed = self::rests(rests);
    packed[ROOT] = pack(&nodes[0]);
    packed.extend(order.iter().flat_map(|&pair| &nodes[2 * pair as usize..][..2]).map(pack));
    packed
}
