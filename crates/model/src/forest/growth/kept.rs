//! A finished tree as octets, so that a forest that grows tree by tree can be kept between two of them.
//!
//! | octets | what |
//! | --- | --- |
//! | 4 | number of nodes |
//!
//! and for each node:
//!
//! | octets | what |
//! | --- | --- |
//! | 8 | distinct rows |
//! | 4 | number of classes that it has draws of; for each: class (u16), draws (u64) |
//! | 1 | 0 for a leaf, 1 for a split, which goes on: |
//! | 4, 1, 1, 8, 4 | column, highest bin that goes left, whether missing values do, decrease (f64), number of the left child |
//!
//! A tree is taken only if every node but the root hangs below exactly one that stands before it: then no walk goes in circles.

use super::{Chosen, Growth, Node, TOTAL_MAX, Totals};
use crate::artifact::wire::{Reader, Writer};
use crate::error::Error;
use crate::forest::split::Best;

/// Octets of the smallest node.
const NODE_OCTETS: usize = 8 + 4 + 1;
/// Octets of a class and its draws.
const DRAWS_OCTETS: usize = 2 + 8;

impl Growth<'_> {
    /// A tree as it has grown; none where nothing was told of it yet.
    ///
    /// # Panics
    /// For a tree that is not there.
    #[must_use]
    pub fn keep(&self, tree: usize) -> Option<Vec<u8>> {
        let nodes = &self.trees[tree];
        if nodes[0].totals.classes.is_empty() {
            return None;
        }
        let mut writer = Writer::default();
        writer.count(nodes.len());
        for Node { totals, split, .. } in nodes {
            writer.u64(totals.rows as u64);
            let draws = || (0_u16..).zip(&totals.classes).filter(|(_, draws)| **draws != 0);
            writer.count(draws().count());
            for (class, draws) in draws() {
                writer.u16(class);
                writer.u64(*draws as u64);
            }
            writer.u8(u8::from(split.is_some()));
            if let Some(Chosen { best, decrease, children }) = split {
                writer.count(best.feature);
                writer.u8(best.bin);
                writer.u8(u8::from(best.missing_left));
                writer.u64(decrease.to_bits());
                writer.count(*children);
            }
        }
        Some(writer.into_vec())
    }

    /// Takes a tree that was kept before as the next one, in place of asking about it.
    ///
    /// # Errors
    /// [`Error::Artifact`] says what is wrong and where; [`Error::TooMany`] when the forest has all its trees.
    pub fn take(&mut self, octets: &[u8]) -> Result<(), Error> {
        let limit = self.trees.len();
        if self.begun >= limit {
            return Err(Error::TooMany { what: "trees", found: limit + 1, limit });
        }
        let mut reader = Reader::new(octets);
        let count = reader.count(NODE_OCTETS)?;
        let mut nodes = Vec::with_capacity(count);
        for _ in 0..count {
            nodes.push(self.node(&mut reader)?);
        }
        reader.finish()?;
        if !is_tree(&nodes) {
            return Err(reader.refuse("its nodes are no tree"));
        }
        self.trees[self.begun] = nodes;
        self.begun += 1;
        Ok(())
    }

    fn node(&self, reader: &mut Reader<'_>) -> Result<Node, Error> {
        let most = TOTAL_MAX as u64;
        let rows = reader.u64()?;
        let mut classes = vec![0; self.classes];
        for _ in 0..reader.count(DRAWS_OCTETS)? {
            let (class, draws) = (u16::from_le_bytes(reader.array()?), reader.u64()?);
            match classes.get_mut(usize::from(class)) {
                Some(own) if draws <= most => *own = draws as i64,
                _ => return Err(reader.refuse("a class or its draws cannot be")),
            }
        }
        if rows > most {
            return Err(reader.refuse("a number of rows cannot be"));
        }
        let split = match reader.u8()? {
            0 => None,
            1 => Some(self.chosen(reader)?),
            _ => return Err(reader.refuse("a node is neither leaf nor split")),
        };
        let totals = Totals { classes, rows: rows as i64 };
        // A tree that is finished draws no chance any more, so what that came from is forgotten.
        Ok(Node { key: 0, depth: 0, totals, split })
    }

    fn chosen(&self, reader: &mut Reader<'_>) -> Result<Chosen, Error> {
        let (feature, bin) = (reader.u32()? as usize, reader.u8()?);
        let missing_left = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(reader.refuse("missing values go left or right")),
        };
        let decrease = f64::from_bits(reader.u64()?);
        let children = reader.u32()? as usize;
        // Behind the last bin there are missing values alone; they do not go left then.
        let limit = |feature| self.edges.of(feature).len() + usize::from(!missing_left);
        let fits = feature < self.edges.features() && usize::from(bin) < limit(feature);
        if !fits || !decrease.is_finite() {
            return Err(reader.refuse("a split cannot be"));
        }
        Ok(Chosen { best: Best::at(feature, bin, missing_left), decrease, children })
    }
}

/// Whether every node but the first is the child of exactly one that stands before it.
fn is_tree(nodes: &[Node]) -> bool {
    let mut is_child = vec![false; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let Some(Chosen { children, .. }) = node.split else { continue };
        match is_child.get_mut(children..).and_then(|from| from.first_chunk_mut::<2>()) {
            Some(pair) if children > at && *pair == [false; 2] => *pair = [true; 2],
            _ => return false,
        }
    }
    is_child.split_first().is_some_and(|(_, others)| others.iter().all(|is_child| *is_child))
}
