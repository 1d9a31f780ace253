//! Probabilities of many rows, or of one.
//!
//! Sketch: rows are binned in blocks that stay in the second-level cache together with one tree at a
//! time; eight rows walk down a tree side by side, so that a step costs throughput and not latency. A few
//! rows go one by one: 17 µs a row for 200 trees of 20,000 leaves, all in the cache.

use super::pack::{Node, Nodes, ROOT, Tree};

/// Walks that go side by side.
const LANES: usize = 8;
/// Trees whose results are added up together.
const GROUP: usize = 16;
/// Steps between two looks at which walks have arrived.
const STEPS: usize = 4;

/// Adds each tree's shares for each row of a block. `bins` has `stride` octets a row, `out` has
/// `classes` numbers a row. Always in the order of the trees, so that sums do not depend on blocks.
pub(crate) fn add_block(
    trees: &[Tree],
    bins: &[u8],
    stride: usize,
    classes: usize,
    out: &mut [f32],
) {
    if bins.len() / stride < LANES {
        for (row, out) in bins.chunks_exact(stride).zip(out.chunks_exact_mut(classes)) {
            add_row(trees, row, out);
        }
        return;
    }
    // The common strides are constants, so that an octet is found by a mask and a shift.
    match stride {
        64 => add_trees::<64>(trees, bins, classes, out),
        128 => add_trees::<128>(trees, bins, classes, out),
        256 => add_trees::<256>(trees, bins, classes, out),
        512 => add_trees::<512>(trees, bins, classes, out),
        1024 => add_trees::<1024>(trees, bins, classes, out),
        _ => {
            for (row, out) in bins.chunks_exact(stride).zip(out.chunks_exact_mut(classes)) {
                add_row(trees, row, out);
            }
        }
    }
}

fn add_trees<const STRIDE: usize>(trees: &[Tree], bins: &[u8], classes: usize, out: &mut [f32]) {
    let rows: &[[u8; STRIDE]] = bins.as_chunks().0;
    // Where each row of the block rests in each of some trees. Adding them up row by row afterwards
    // touches a row's probabilities once for these trees, not once for each.
    let mut rests = vec![0; rows.len() * GROUP];
    for trees in trees.chunks(GROUP) {
        for (tree, rests) in trees.iter().zip(rests.chunks_exact_mut(rows.len())) {
            walk_all(&tree.nodes, rows, rests);
        }
        for (row, out) in out.chunks_exact_mut(classes).enumerate() {
            for (tree, rests) in trees.iter().zip(rests.chunks_exact(rows.len())) {
                add_rest(tree, rests[row] as usize, out);
            }
        }
    }
}

/// Finds where each row of a block rests in one tree.
pub(crate) fn find_rests(nodes: &Nodes, bins: &[u8], stride: usize, rests: &mut [u32]) {
    match stride {
        64 => walk_all::<64>(nodes, bins.as_chunks().0, rests),
        128 => walk_all::<128>(nodes, bins.as_chunks().0, rests),
        256 => walk_all::<256>(nodes, bins.as_chunks().0, rests),
        512 => walk_all::<512>(nodes, bins.as_chunks().0, rests),
        1024 => walk_all::<1024>(nodes, bins.as_chunks().0, rests),
        _ => {
            for (row, rest) in bins.chunks_exact(stride).zip(rests) {
                *rest = find_rest(nodes, row) as u32;
            }
        }
    }
}

/// Finds where one row rests in one tree.
pub(crate) fn find_rest(nodes: &Nodes, row: &[u8]) -> usize {
    match nodes {
        Nodes::Narrow(nodes) => walk_one(nodes, row),
        Nodes::Wide(nodes) => walk_one(nodes, row),
    }
}

fn walk_all<const STRIDE: usize>(nodes: &Nodes, rows: &[[u8; STRIDE]], rests: &mut [u32]) {
    match nodes {
        Nodes::Narrow(nodes) => walk_rows(nodes, rows, rests),
        Nodes::Wide(nodes) => walk_rows(nodes, rows, rests),
    }
}

/// Finds where each row rests in one tree.
fn walk_rows<N: Node, const STRIDE: usize>(nodes: &[N], rows: &[[u8; STRIDE]], rests: &mut [u32]) {
    touch(nodes);
    let (blocks, last) = rows.as_chunks::<LANES>();
    let (rest_blocks, last_rests) = rests.as_chunks_mut::<LANES>();
    for (rows, rests) in blocks.iter().zip(rest_blocks) {
        *rests = walk(nodes, rows).map(|node| node.pair() as u32);
    }
    for (row, rest) in last.iter().zip(last_rests) {
        *rest = walk_one(nodes, row) as u32;
    }
}

/// Reads a tree from end to end: in this order the processor fetches it ahead, in the walks' it cannot.
fn touch<N: Node>(nodes: &[N]) {
    let line = 64 / size_of::<N>();
    let columns = nodes.iter().step_by(line).fold(0, |sum, node| sum ^ node.column());
    std::hint::black_box(columns);
}

/// The leaves of eight rows.
#[inline(always)]
fn walk<N: Node, const STRIDE: usize>(nodes: &[N], rows: &[[u8; STRIDE]; LANES]) -> [N; LANES] {
    let mut lanes = [nodes[ROOT]; LANES];
    while !lanes.iter().fold(true, |done, node| done & node.is_leaf()) {
        for _ in 0..STEPS {
            for (node, row) in lanes.iter_mut().zip(rows) {
                let goes_right = usize::from(row[node.column() & (STRIDE - 1)] > node.bin());
                *node = nodes[2 * node.pair() + goes_right];
            }
        }
    }
    lanes
}

/// Adds the shares of the leaf that rests at a pair.
#[inline(always)]
fn add_rest(tree: &Tree, rest: usize, out: &mut [f32]) {
    if let Some(value) = out.get_mut(rest) {
        *value += 1.0;
        return;
    }
    let leaf = &tree.leaves[rest - out.len()];
    for &(class, share) in &tree.shares[leaf.begin as usize..leaf.end as usize] {
        out[usize::from(class)] += f32::from(share) * leaf.scale;
    }
}

/// One row through all trees.
fn add_row(trees: &[Tree], row: &[u8], out: &mut [f32]) {
    for tree in trees {
        add_rest(tree, find_rest(&tree.nodes, row), out);
    }
}

fn walk_one<N: Node>(nodes: &[N], row: &[u8]) -> usize {
    let mut node = nodes[ROOT];
    while !node.is_leaf() {
        let goes_right = row[node.column()] > node.bin();
        node = nodes[2 * node.pair() + usize::from(goes_right)];
    }
    node.pair()
}
