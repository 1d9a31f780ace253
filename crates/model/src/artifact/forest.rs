//! A forest in a model file.
//!
//! | octets | what |
//! | --- | --- |
//! | 4 | number of columns; for each: bin of a missing value (u8), number of edges (u8), the edges (f32) |
//! | 4 each | importance of each column (f32) |
//! | 4 | number of classes |
//! | 4 | number of octets of a binned row; for each: its column (u32), what is added to the bin (u8: 0 or 1) |
//! | 4 | number of trees |
//!
//! and for each tree:
//!
//! | octets | what |
//! | --- | --- |
//! | 1 | octets of a node: 4 or 8 |
//! | 4 | number of lists of shares; for each: where it ends (u32) |
//! | 4 | number of shares; for each: class (u16), share (u16) |
//! | 4 | number of nodes; the nodes, as they are in memory, little-endian |
//!
//! Nodes are described in [`crate::forest::pack`]. A tree is taken only if its resting places are what they
//! must be and every other pair hangs below exactly one node: then no walk can leave it or go in circles.

use super::wire::{Reader, Writer};
use crate::{
    error::Error,
    forest::{
        Forest, TREES_MAX,
        bin::{Bins, Cuts, EDGES_MAX, MISSING, Place},
        pack::{Node, Nodes, ROOT, Tree, leaves},
    },
    training::{CLASSES_MAX, COLUMNS_MAX},
};

impl Forest {
    /// The forest alone, as it stands in a model file.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        write(self, &mut writer);
        writer.into_vec()
    }

    /// Reads a forest that was written alone.
    ///
    /// # Errors
    /// [`Error::Artifact`] says what is wrong and where.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(octets);
        let forest = read(&mut reader)?;
        reader.finish()?;
        Ok(forest)
    }
}

pub(super) fn write(forest: &Forest, writer: &mut Writer) {
    write_head(&forest.bins, &forest.importance, forest.classes, &forest.places, writer);
    writer.count(forest.trees.len());
    for tree in &forest.trees {
        writer.u8(node_octets(&tree.nodes));
        writer.count(tree.leaves.len());
        tree.leaves.iter().for_each(|leaf| writer.u32(leaf.end));
        writer.count(tree.shares.len());
        for (class, share) in &tree.shares {
            writer.u16(*class);
            writer.u16(*share);
        }
        write_nodes(&tree.nodes, writer);
    }
}

/// What stands before the trees: where columns are cut, what matters, classes, and octets of a binned row.
pub(super) fn write_head(
    bins: &Bins,
    importance: &[f32],
    classes: usize,
    places: &[Place],
    writer: &mut Writer,
) {
    writer.count(bins.cuts().len());
    for cuts in bins.cuts() {
        writer.u8(cuts.missing());
        writer.u8(cuts.edges().len() as u8);
        cuts.edges().iter().for_each(|edge| writer.f32(*edge));
    }
    importance.iter().for_each(|importance| writer.f32(*importance));
    writer.count(classes);
    writer.count(places.len());
    for place in places {
        writer.count(place.feature);
        writer.u8(place.shift);
    }
}

/// Octets of each of a tree's nodes.
pub(super) fn node_octets(nodes: &Nodes) -> u8 {
    if matches!(nodes, Nodes::Narrow(_)) { 4 } else { 8 }
}

pub(super) fn write_nodes(nodes: &Nodes, writer: &mut Writer) {
    match nodes {
        Nodes::Narrow(nodes) => {
            writer.count(nodes.len());
            nodes.iter().for_each(|node| writer.octets(&node.to_le_bytes()));
        }
        Nodes::Wide(nodes) => {
            writer.count(nodes.len());
            nodes.iter().for_each(|node| writer.octets(&node.to_le_bytes()));
        }
    }
}

pub(super) fn read(reader: &mut Reader) -> Result<Forest, Error> {
    let Head { bins, importance, classes, places } = read_head(reader)?;
    let trees = limited(reader, 1, 1, TREES_MAX, "trees")?;
    let trees = (0..trees)
        .map(|_| read_tree(reader, classes, places.len()))
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(Forest { bins, classes, places, trees, importance })
}

/// What stands before the trees.
pub(super) struct Head {
    pub(super) bins: Bins,
    pub(super) importance: Vec<f32>,
    pub(super) classes: usize,
    pub(super) places: Vec<Place>,
}

pub(super) fn read_head(reader: &mut Reader) -> Result<Head, Error> {
    let features = limited(reader, 2, 1, COLUMNS_MAX, "columns")?;
    let mut columns = Vec::with_capacity(features);
    for _ in 0..features {
        columns.push(read_cuts(reader)?);
    }
    let importance = reader.arrays::<4>(features)?;
    let importance: Vec<f32> =
        importance.iter().map(|octets| f32::from_le_bytes(*octets)).collect();
    if !importance.iter().all(|value| (0.0..=1.0).contains(value)) {
        return Err(reader.refuse("the importance of a column is no share"));
    }
    let classes = limited(reader, 0, 1, CLASSES_MAX, "classes")?;
    let places = limited(reader, 5, 0, 2 * COLUMNS_MAX, "octets of a binned row")?;
    let places =
        (0..places).map(|_| read_place(reader, features)).collect::<Result<Vec<_>, Error>>()?;
    Ok(Head { bins: Bins::from_cuts(columns), importance, classes, places })
}

/// A count between two limits, of things that take at least so many octets.
pub(super) fn limited(
    reader: &mut Reader,
    octets_each: usize,
    least: usize,
    most: usize,
    what: &str,
) -> Result<usize, Error> {
    let count = reader.count(octets_each)?;
    if (least..=most).contains(&count) {
        Ok(count)
    } else {
        Err(reader.refuse(&format!("{count} {what}, where {least} to {most} may be")))
    }
}

fn read_cuts(reader: &mut Reader) -> Result<Cuts, Error> {
    let missing = reader.u8()?;
    let count = usize::from(reader.u8()?);
    let edges = reader.arrays::<4>(count)?;
    let edges: Vec<f32> = edges.iter().map(|octets| f32::from_le_bytes(*octets)).collect();
    if count > EDGES_MAX || !edges.is_sorted_by(|a, b| a < b) || edges.iter().any(|e| e.is_nan()) {
        return Err(reader.refuse("the edges of a column's bins do not ascend"));
    }
    if missing != MISSING && usize::from(missing) > count {
        return Err(reader.refuse("a missing value falls into a bin that is not there"));
    }
    Ok(Cuts::new(edges, missing))
}

fn read_place(reader: &mut Reader, features: usize) -> Result<Place, Error> {
    let feature = reader.u32()? as usize;
    let shift = reader.u8()?;
    if feature >= features || shift > 1 {
        return Err(reader.refuse("an octet of a binned row comes from no column"));
    }
    Ok(Place { feature, shift })
}

fn read_tree(reader: &mut Reader, classes: usize, columns: usize) -> Result<Tree, Error> {
    let octets = reader.u8()?;
    let lists = reader.count(4)?;
    let ends: Vec<u32> = reader.arrays(lists)?.iter().map(|o| u32::from_le_bytes(*o)).collect();
    let count = reader.count(4)?;
    let shares: Vec<(u16, u16)> = reader
        .arrays::<4>(count)?
        .iter()
        .map(|&[a, b, c, d]| (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
        .collect();
    check_shares(&ends, &shares, classes).map_err(|reason| reader.refuse(reason))?;
    let nodes = read_nodes(reader, octets, classes + lists, columns)?;
    Ok(Tree { nodes, leaves: leaves(&ends, &shares), shares })
}

/// The nodes of a tree with so many resting places, over so many octets of a binned row.
pub(super) fn read_nodes(
    reader: &mut Reader,
    octets: u8,
    rests: usize,
    columns: usize,
) -> Result<Nodes, Error> {
    match octets {
        4 => {
            let count = reader.count(4)?;
            let nodes = reader.arrays(count)?.iter().map(|o| u32::from_le_bytes(*o)).collect();
            Ok(Nodes::Narrow(checked(reader, nodes, rests, columns)?))
        }
        8 => {
            let count = reader.count(8)?;
            let nodes = reader.arrays(count)?.iter().map(|o| u64::from_le_bytes(*o)).collect();
            Ok(Nodes::Wide(checked(reader, nodes, rests, columns)?))
        }
        _ => Err(reader.refuse(&format!("a node of {octets} octets"))),
    }
}

fn checked<N: Node>(
    reader: &Reader,
    nodes: Vec<N>,
    rests: usize,
    columns: usize,
) -> Result<Vec<N>, Error> {
    match check_nodes(&nodes, rests, columns) {
        Ok(()) => Ok(nodes),
        Err(reason) => Err(reader.refuse(reason)),
    }
}

/// Lists of shares follow one another, none is empty, classes ascend in each.
fn check_shares(ends: &[u32], shares: &[(u16, u16)], classes: usize) -> Result<(), &'static str> {
    let mut begin = 0;
    for &end in ends {
        let end = end as usize;
        if end <= begin || end > shares.len() {
            return Err("a list of shares ends before it begins or after the last");
        }
        let list = &shares[begin..end];
        let ascends = list.is_sorted_by(|a, b| a.0 < b.0);
        if !ascends
            || list.iter().any(|(class, share)| usize::from(*class) >= classes || *share == 0)
        {
            return Err("a list of shares names a class that is not there, twice, or for nothing");
        }
        begin = end;
    }
    if begin == shares.len() { Ok(()) } else { Err("shares that belong to no list") }
}

/// Resting places rest, splits look at a column that is there, and each other pair hangs below one node.
fn check_nodes<N: Node>(nodes: &[N], rests: usize, columns: usize) -> Result<(), &'static str> {
    let pairs = nodes.len() / 2;
    if !nodes.len().is_multiple_of(2) || pairs < rests || pairs > N::PAIRS_MAX {
        return Err("a tree with too few nodes, too many, or an odd number");
    }
    let rests_well = |(at, node): (usize, &N)| at == ROOT || *node == N::leaf(at / 2);
    if !nodes[..2 * rests].iter().enumerate().all(rests_well) {
        return Err("a resting place of a tree does not rest");
    }
    let mut reached = vec![false; pairs];
    let mut count = rests;
    let mut open = vec![nodes[ROOT]];
    while let Some(node) = open.pop() {
        let pair = node.pair();
        if node.is_leaf() {
            if pair >= rests || node != N::leaf(pair) {
                return Err("a leaf of a tree has no resting place");
            }
            continue;
        }
        if node != N::new(node.column(), node.bin(), pair) || node.column() >= columns {
            return Err("a node of a tree looks at a column that is not there");
        }
        if !(rests..pairs).contains(&pair) || std::mem::replace(&mut reached[pair], true) {
            return Err("a node of a tree leads outside, back, or where another leads");
        }
        count += 1;
        open.extend_from_slice(&nodes[2 * pair..2 * pair + 2]);
    }
    if count == pairs { Ok(()) } else { Err("a tree has nodes that nothing leads to") }
}
