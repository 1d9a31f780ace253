//! A finished tree: packed nodes, in the order in which rows will touch them.
//!
//! A node is 4 octets: column, bin, and a pair of siblings or a class. A pure leaf carries its class in
//! the node; another points to a short list of classes and shares. Pairs lie so that eight of them, one
//! cache line, are a small subtree that most rows run through. Trees of more than 65,536 pairs, and
//! forests of more than 256 columns, use a twin of 8 octets.

use std::collections::BinaryHeap;

use super::tree::{Grown, GrownTree, Kind};

/// The bin that marks a leaf: no bin is above it, so no split needs it.
const LEAF: u8 = 255;
/// Pairs in a cache line of 4-octet nodes.
const LINE_PAIRS: usize = 8;

/// A node that fits in a register.
pub(crate) trait Node: Copy + Default + Send + Sync {
    /// Most pairs a tree of these nodes has.
    const PAIRS_MAX: usize;
    /// Most columns.
    const COLUMNS_MAX: usize;

    fn split(column: usize, bin: u8, pair: usize) -> Self;
    fn pure(class: u16) -> Self;
    fn mixed(leaf: usize) -> Self;
    fn is_leaf(self) -> bool;
    fn column(self) -> usize;
    fn bin(self) -> u8;
    /// Of a split: its pair.
    fn pair(self) -> usize;
    /// Of a leaf: the class, or the index of a mixed leaf.
    fn outcome(self) -> Outcome;
}

/// Where a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pure(u16),
    Mixed(usize),
}

impl Node for u32 {
    const PAIRS_MAX: usize = 1 << 16;
    const COLUMNS_MAX: usize = 1 << 8;

    fn split(column: usize, bin: u8, pair: usize) -> Self {
        u32::from(bin) << 24 | (column as u32) << 16 | pair as u32
    }

    fn pure(class: u16) -> Self {
        u32::from(LEAF) << 24 | u32::from(class)
    }

    fn mixed(leaf: usize) -> Self {
        let (high, low) = (leaf >> 16, leaf & 0xffff);
        u32::from(LEAF) << 24 | (high as u32 + 1) << 16 | low as u32
    }

    #[inline(always)]
    fn is_leaf(self) -> bool {
        self >= u32::from(LEAF) << 24
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

    #[inline(always)]
    fn outcome(self) -> Outcome {
        match self.column() {
            0 => Outcome::Pure(self as u16),
            high => Outcome::Mixed((high - 1) << 16 | self.pair()),
        }
    }
}

impl Node for u64 {
    const PAIRS_MAX: usize = 1 << 32;
    const COLUMNS_MAX: usize = 1 << 16;

    fn split(column: usize, bin: u8, pair: usize) -> Self {
        u64::from(bin) << 56 | (column as u64) << 32 | pair as u64
    }

    fn pure(class: u16) -> Self {
        u64::from(LEAF) << 56 | u64::from(class)
    }

    fn mixed(leaf: usize) -> Self {
        u64::from(LEAF) << 56 | 1 << 32 | leaf as u64
    }

    #[inline(always)]
    fn is_leaf(self) -> bool {
        self >= u64::from(LEAF) << 56
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

    #[inline(always)]
    fn outcome(self) -> Outcome {
        match self.column() {
            0 => Outcome::Pure(self as u16),
            _ => Outcome::Mixed(self.pair()),
        }
    }
}

/// Nodes of either size. The root is node 0, node 1 is unused, then come pairs of siblings.
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
        columns: usize,
        column_of: impl Fn(u32, bool) -> (usize, u8),
    ) -> Self {
        let narrow = grown.nodes.len() / 2 <= u32::PAIRS_MAX && columns <= u32::COLUMNS_MAX;
        let (order, position) = order_pairs(&grown.nodes);
        let nodes = if narrow {
            Nodes::Narrow(pack_nodes(&grown.nodes, &order, &position, column_of))
        } else {
            Nodes::Wide(pack_nodes(&grown.nodes, &order, &position, column_of))
        };
        let mut shares = Vec::new();
        let mut ends = Vec::with_capacity(grown.leaves.len());
        for leaf in &grown.leaves {
            shares.extend_from_slice(&leaf.0);
            ends.push(shares.len() as u32);
        }
        Self { nodes, leaves: leaves(&ends, &shares), shares }
    }

    /// Gives every split's column another number.
    pub(crate) fn renumber(&mut self, number: &[usize]) {
        match &mut self.nodes {
            Nodes::Narrow(nodes) => renumber(nodes, number),
            Nodes::Wide(nodes) => renumber(nodes, number),
        }
    }

    /// Calls `see` with the column of every split.
    pub(crate) fn for_each_column(&self, see: impl FnMut(usize)) {
        match &self.nodes {
            Nodes::Narrow(nodes) => columns(nodes).for_each(see),
            Nodes::Wide(nodes) => columns(nodes).for_each(see),
        }
    }
}

fn columns<N: Node>(nodes: &[N]) -> impl Iterator<Item = usize> + '_ {
    nodes.iter().filter(|node| !node.is_leaf()).map(|node| node.column())
}

fn renumber<N: Node>(nodes: &mut [N], number: &[usize]) {
    for node in nodes.iter_mut().filter(|node| !node.is_leaf()) {
        *node = N::split(number[node.column()], node.bin(), node.pair());
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

/// The order of pairs: line by line, each line the most visited pairs below its first.
/// Returns the pairs in order, and each pair's place in it.
fn order_pairs(nodes: &[Grown]) -> (Vec<u32>, Vec<u32>) {
    let mut order = Vec::with_capacity(nodes.len() / 2);
    let mut waiting = vec![0_u32];
    let mut frontier: BinaryHeap<(u32, u32)> = BinaryHeap::new();
    while let Some(pair) = waiting.pop() {
        frontier.push((u32::MAX, pair));
        while let Some((_, pair)) = frontier.pop() {
            order.push(pair);
            for node in &nodes[2 * pair as usize..2 * pair as usize + 2] {
                if let Kind::Split { pair, .. } = node.kind {
                    frontier.push((node.rows, pair));
                }
            }
            if order.len().is_multiple_of(LINE_PAIRS) {
                break;
            }
        }
        // The most visited subtree goes next, into the next line.
        waiting.extend(std::mem::take(&mut frontier).into_sorted_vec().iter().map(|(_, p)| *p));
    }
    let mut position = vec![0; order.len()];
    for (at, &pair) in order.iter().enumerate() {
        position[pair as usize] = at as u32;
    }
    (order, position)
}

fn pack_nodes<N: Node>(
    nodes: &[Grown],
    order: &[u32],
    position: &[u32],
    column_of: impl Fn(u32, bool) -> (usize, u8),
) -> Vec<N> {
    let pack = |node: &Grown| match node.kind {
        Kind::Pure { class } => N::pure(class),
        Kind::Mixed { leaf } => N::mixed(leaf as usize),
        Kind::Split { feature, bin, missing_left, pair } => {
            let (column, shift) = column_of(feature, missing_left);
            N::split(column, bin + shift, position[pair as usize] as usize)
        }
    };
    order.iter().flat_map(|&p| &nodes[2 * p as usize..2 * p as usize + 2]).map(pack).collect()
}
