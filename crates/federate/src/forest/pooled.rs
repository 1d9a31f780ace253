//! Trees that each client grew alone, put together in one forest.

use flowgait_model::forest::{Forest, ForestParams};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::histogram::{Ground, Grown, keys};
use super::kept::{Keeping, TreeRound};
use crate::error::Error;
use crate::secure::Traffic;
use crate::stream::{Purpose, stream};

/// How many of the forest's trees a client grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreeShares {
    /// In proportion to its rows, so that each row counts about the same.
    #[default]
    ByRows,
    /// As many as each other client that has rows.
    Evenly,
}

impl TreeShares {
    /// Trees of each client; together `trees`, where anybody has rows.
    ///
    /// Whole shares first, and the rest one by one to the largest remainders, the earlier client first.
    #[must_use]
    pub fn deal(self, trees: usize, rows: &[usize]) -> Vec<usize> {
        let parts: Vec<u128> = rows
            .iter()
            .map(|&rows| match self {
                Self::ByRows => rows as u128,
                Self::Evenly => u128::from(rows > 0),
            })
            .collect();
        let all = parts.iter().sum::<u128>().max(1);
        let mut dealt: Vec<usize> =
            parts.iter().map(|part| (part * trees as u128 / all) as usize).collect();
        let mut order: Vec<usize> = (0..rows.len()).filter(|&client| parts[client] > 0).collect();
        order.sort_by_key(|&client| std::cmp::Reverse(parts[client] * trees as u128 % all));
        let rest = trees.saturating_sub(dealt.iter().sum());
        order.iter().take(rest).for_each(|&client| dealt[client] += 1);
        dealt
    }
}

/// Each client grows some trees of its own rows on shared edges, and the forest is all of them.
///
/// A client sends its trees, in the open: a tree tells much of the rows that it was grown of, the more the deeper it is. Where classes
/// are to weigh the same, they do so among each client's own rows. A class that a client has no rows of gets no votes of its trees: where clients have few
/// classes each, such a forest can be worse than what one client learns alone.
///
/// # Errors
/// [`Error::NoUpdates`] where nobody has rows; [`Error::Model`] for edges of another table.
pub fn pooled_forest(ground: &Ground<'_>, shares: TreeShares) -> Result<Grown, Error> {
    pooled_rounds(ground, shares, Keeping::nothing())
}

/// The same, client by client, whose trees can each be kept.
///
/// # Errors
/// As [`pooled_forest`]; what `keeping.after` gives; [`Error::Model`] for kept trees that cannot be of this forest.
pub fn pooled_rounds<E: From<Error>>(
    ground: &Ground<'_>,
    shares: TreeShares,
    mut keeping: Keeping<'_, impl FnMut(&TreeRound) -> Result<(), E>>,
) -> Result<Grown, E> {
    let Ground { homes, params, edges, .. } = *ground;
    let rows: Vec<usize> = homes.rows.iter().map(Vec::len).collect();
    let dealt = shares.deal(params.trees(), &rows);
    let dealt = (0..).zip(dealt).filter(|(_, trees)| *trees > 0);
    let edge_octets: usize =
        (0..edges.features()).map(|column| 1 + 4 * edges.of(column).len()).sum();
    let (mut grown, mut traffic) = (Vec::new(), Traffic::default());
    for (place, (client, trees)) in dealt.enumerate() {
        if let Some(kept) = keeping.past.get(place) {
            grown.push(Forest::from_octets(&kept.tree).map_err(Error::from)?);
            traffic = traffic + kept.traffic;
            continue;
        }
        let forest = local_forest(ground, client, trees)?;
        let took = Traffic { down: edge_octets as u64, up: forest.octets() };
        let tree = forest.to_octets();
        let round = TreeRound { tree, asked: 1, traffic: took, ..TreeRound::default() };
        (keeping.after)(&round)?;
        traffic = traffic + took;
        grown.push(forest);
    }
    if grown.is_empty() {
        return Err(Error::NoUpdates.into());
    }
    Ok(Grown { forest: Forest::pool(grown).map_err(Error::from)?, traffic, rounds: 1 })
}

/// What one client grows of its own rows: so many trees, on shared edges.
///
/// # Errors
/// [`Error::Model`] for a client without rows, or edges of another table.
pub fn local_forest(ground: &Ground<'_>, client: u32, trees: usize) -> Result<Forest, Error> {
    let Ground { homes, params, edges, seed } = *ground;
    let rows = homes.rows.get(client as usize).map_or(&[][..], Vec::as_slice);
    let keys: Vec<u64> = keys(client, rows).collect();
    let seed = stream(seed, Purpose::Learning, 0, client.into()).next_u64();
    let own: ForestParams = params.params().clone().trees(trees);
    Ok(own.check()?.fit_on(edges, &homes.training(rows), &keys, seed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shares: TreeShares, trees: usize, rows: &[usize], expected: &[usize]) {
        assert_eq!(shares.deal(trees, rows), expected);
    }

    #[test]
    fn trees_are_dealt_whole_and_all_of_them() {
        check(TreeShares::ByRows, 10, &[500, 300, 200], &[5, 3, 2]);
        check(TreeShares::ByRows, 10, &[1, 1, 1], &[4, 3, 3]);
        check(TreeShares::ByRows, 3, &[0, 70, 20, 10], &[0, 2, 1, 0]);
        check(TreeShares::Evenly, 7, &[900, 0, 5], &[4, 0, 3]);
        check(TreeShares::Evenly, 1, &[1, 9], &[1, 0]);
        check(TreeShares::ByRows, 5, &[0, 0], &[0, 0]);
    }
}
