//! Probabilities of many rows, or of one.
//!
//! Sketch: rows are binned in blocks that stay in the second-level cache together with one tree at a
//! time; eight rows walk down a tree side by side, so that a step costs throughput and not latency. For
//! a few rows, eight trees are walked side by side instead.

use super::pack::{Node, Nodes, Outcome, Tree};

/// Walks that go side by side.
const LANES: usize = 8;

/// Adds each tree's shares for each row of a block. `bins` has `stride` octets a row, `out` has
/// `classes` numbers a row. Always in the order of the trees, so that sums do not depend on blocks.
pub(crate) fn add_block(
    trees: &[Tree],
    bins: &[u8],
    stride: usize,
    classes: usize,
    out: &mut [f32],
) {
    let rows = bins.len() / stride;
    if rows < LANES {
        for (row, out) in bins.chunks_exact(stride).zip(out.chunks_exact_mut(classes)) {
            add_row(trees, row, out);
        }
        return;
    }
    for tree in trees {
        match &tree.nodes {
            Nodes::Narrow(nodes) => add_tree(tree, nodes, bins, stride, classes, out),
            Nodes::Wide(nodes) => add_tree(tree, nodes, bins, stride, classes, out),
        }
    }
}

fn add_tree<N: Node>(
    tree: &Tree,
    nodes: &[N],
    bins: &[u8],
    stride: usize,
    classes: usize,
    out: &mut [f32],
) {
    let blocks = bins.chunks(stride * LANES).zip(out.chunks_mut(classes * LANES));
    for (bins, out) in blocks {
        let ends = walk(nodes, bins, stride);
        for (out, end) in out.chunks_exact_mut(classes).zip(ends) {
            add_outcome(tree, end.outcome(), out);
        }
    }
}

/// The leaves of eight rows.
#[inline(always)]
fn walk<N: Node>(nodes: &[N], bins: &[u8], stride: usize) -> [N; LANES] {
    let rows = bins.len() / stride;
    let mut lanes = [nodes[0]; LANES];
    loop {
        let mut all_done = true;
        for (lane, node) in lanes.iter_mut().enumerate() {
            // A lane without a row walks with the last one's.
            let bin = bins[lane.min(rows - 1) * stride + node.column() % stride];
            let goes_right = usize::from(bin > node.bin());
            let done = node.is_leaf();
            let next = if done { 0 } else { 2 * node.pair() + goes_right };
            let next = nodes[next];
            *node = if done { *node } else { next };
            all_done &= done;
        }
        if all_done {
            return lanes;
        }
    }
}

#[inline(always)]
fn add_outcome(tree: &Tree, outcome: Outcome, out: &mut [f32]) {
    match outcome {
        Outcome::Pure(class) => out[usize::from(class)] += 1.0,
        Outcome::Mixed(leaf) => {
            let leaf = &tree.leaves[leaf];
            for &(class, share) in &tree.shares[leaf.begin as usize..leaf.end as usize] {
                out[usize::from(class)] += f32::from(share) * leaf.scale;
            }
        }
    }
}

/// One row through all trees, eight trees side by side.
fn add_row(trees: &[Tree], row: &[u8], out: &mut [f32]) {
    for trees in trees.chunks(LANES) {
        for tree in trees {
            let outcome = match &tree.nodes {
                Nodes::Narrow(nodes) => walk_one(nodes, row),
                Nodes::Wide(nodes) => walk_one(nodes, row),
            };
            add_outcome(tree, outcome, out);
        }
    }
}

fn walk_one<N: Node>(nodes: &[N], row: &[u8]) -> Outcome {
    let mut node = nodes[0];
    while !node.is_leaf() {
        let goes_right = row[node.column()] > node.bin();
        node = nodes[2 * node.pair() + usize::from(goes_right)];
    }
    node.outcome()
}
