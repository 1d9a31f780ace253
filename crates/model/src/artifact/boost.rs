//! A booster in a model file.
//!
//! | octets | what |
//! | --- | --- |
//! | … | columns, importance, classes and octets of a binned row, as `artifact/forest.rs` says |
//! | 4 each | margin of each class before the first tree (f32) |
//! | 4 | number of trees; none where nothing could be split |
//!
//! and for each tree:
//!
//! | octets | what |
//! | --- | --- |
//! | 1 | octets of a node: 4 or 8 |
//! | 4 | number of leaves; for each and each class: its step (f32) |
//! | 4 | number of nodes; the nodes, as `artifact/forest.rs` says, with the leaves as their only resting places |

use super::forest::{Head, limited, node_octets, read_head, read_nodes, write_head, write_nodes};
use super::wire::{Reader, Writer};
use crate::boost::{Boost, LEAVES_MAX, ROUNDS_MAX, StepTree};
use crate::error::Error;

pub(super) fn write(boost: &Boost, writer: &mut Writer) {
    write_head(&boost.bins, &boost.importance, boost.classes, &boost.places, writer);
    boost.first.iter().for_each(|margin| writer.f32(*margin));
    writer.count(boost.trees.len());
    for tree in &boost.trees {
        writer.u8(node_octets(&tree.nodes));
        writer.count(tree.steps.len() / boost.classes);
        tree.steps.iter().for_each(|step| writer.f32(*step));
        write_nodes(&tree.nodes, writer);
    }
}

pub(super) fn read(reader: &mut Reader) -> Result<Boost, Error> {
    let Head { bins, importance, classes, places } = read_head(reader)?;
    let first = numbers(reader, classes)?;
    let count = limited(reader, 1, 0, ROUNDS_MAX, "trees")?;
    let mut trees = Vec::new();
    for _ in 0..count {
        let octets = reader.u8()?;
        let leaves = limited(reader, 4, 1, LEAVES_MAX, "leaves")?;
        let steps = numbers(reader, leaves * classes)?;
        let nodes = read_nodes(reader, octets, leaves, places.len())?;
        trees.push(StepTree { nodes, steps });
    }
    Ok(Boost { bins, classes, places, first, trees, importance })
}

/// Margins or steps: with so many trees their sums stay finite too.
fn numbers(reader: &mut Reader, count: usize) -> Result<Vec<f32>, Error> {
    const GREATEST: f32 = 1e6;
    let numbers = reader.arrays::<4>(count)?.iter().map(|octets| f32::from_le_bytes(*octets));
    let numbers: Vec<f32> = numbers.collect();
    if numbers.iter().all(|number| number.abs() <= GREATEST) {
        Ok(numbers)
    } else {
        Err(reader.refuse("a step of a tree is no number or too large"))
    }
}
