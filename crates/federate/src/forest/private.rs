//! One forest grown from sums with noise, so that what is shown hardly depends on any one client.
//!
//! # Sensitivity
//! What a release shows is, for one level of one tree, the counts of class by bin of each of the level's nodes, for each of the `q`
//! columns that a node tries. Let a client have `R` draws in the tree or fewer (`rows_max`; it leaves out the others).
//! Each draw is of one row; the row is in one node of the level or in none, and there it has one class and, in each of the `q` columns,
//! one bin. So it adds one to one cell of each of at most `q` groups of cells, where the `j`-th group has the cells of the `j`-th
//! column of every node. The client's counts in a group are whole numbers, not negative, whose sum is `R` at most; hence their squares
//! sum to `R²` at most (`Σ vᵢ² ≤ (Σ vᵢ)²`). Over `q` groups:
//!
//! > Δ₂ ≤ √(q R²) = R √q,
//!
//! which is reached when all rows of a client are alike. This is how far the sum moves when the client comes or goes, whatever the
//! others have; which nodes there are follows from earlier releases alone. [`sensitivity`] is the least whole number not below it, the
//! clip norm of a [`Grid`] of whole counts, so that noise is exact. A client that is replaced moves the sum by twice that at most,
//! which the grid knows from the neighbouring relation.
//!
//! # Who must be trusted
//! A client keeps its number when another goes: a row's key holds the client's number, and keys that shifted would change what others
//! draw. Noise is added to the sum by whoever sees it, and is trusted to do so ([`Trusted`](super::Trusted)), or by each client under a
//! mask ([`SharedNoise`](super::SharedNoise)). Edges must be public or have been paid for ([`fixed_edges`](super::fixed_edges)): those of
//! [`shared_edges`](super::shared_edges) are neither, for they come from exact counts.

use flowgait_model::forest::{ClassWeights, Forest, Growth, Site, ValidForestParams};
use flowgait_privacy::ClipNorm;
use flowgait_privacy::grid::Grid;
use rayon::prelude::*;

use super::histogram::{Ground, check_rows, counts, follow, octets, sites, split_octets};
use super::kept::{Keeping, TreeRound};
use super::noise::Noised;
use crate::error::Error;
use crate::homes::Homes;
use crate::secure::Traffic;

/// Most levels of a tree: each has to be paid for, and noise leaves nothing of small nodes.
pub const DEPTH_MAX: usize = 12;

/// A forest that was paid for.
#[derive(Clone, Debug, PartialEq)]
pub struct PrivateGrown {
    /// The forest.
    pub forest: Forest,
    /// What went to all clients and came from them, in octets.
    pub traffic: Traffic,
    /// How many levels of trees were released.
    pub releases: u64,
    /// Whether the forest was to go on, but the budget was spent; what was open then is a leaf.
    pub spent: bool,
}

/// How far one client can move all counts of a level of a tree (L2): `⌈R √q⌉`, see [the module](self).
///
/// # Units
/// Draws.
#[must_use]
pub fn sensitivity(rows_max: u32, columns: usize) -> u64 {
    let squares = u128::from(rows_max).pow(2) * columns as u128;
    let root = squares.isqrt();
    let root = if root * root == squares { root } else { root + 1 };
    u64::try_from(root).unwrap_or(u64::MAX)
}

/// Grows one forest of all clients' rows under privacy of each client, of `rows_max` draws of a client in a tree at most (`R`).
///
/// Every level of every tree is one release over everyone. It is paid for before any client counts for it, and shown under exact
/// Gaussian noise. Trees grow one after the other, so that each can be kept; when the budget is spent, the tree that was growing has
/// leaves where it was, and there are no more. A forest of many trees costs as many releases more.
///
/// The ground's seed draws rows, columns and thresholds, and is public; `noised` draws the noise.
///
/// # Errors
/// [`Error::Parameter`] for no depth or one above 12, and no rows of a client; [`Error::Clash`] for balanced classes, whose counts
/// nobody was told; [`Error::Privacy`] for a sensitivity above 2²⁰, or a budget that does not pay for one release; as `noised`, and
/// what `keeping.after` gives.
pub fn private_forest<E: From<Error>>(
    ground: &Ground<'_>,
    rows_max: u32,
    noised: &mut impl Noised,
    mut keeping: Keeping<'_, impl FnMut(&TreeRound) -> Result<(), E>>,
) -> Result<PrivateGrown, E> {
    let Ground { homes, params, edges, seed } = *ground;
    let grid = check(homes, params, rows_max)?;
    let limit = |site: Site| site.limited(rows_max, seed);
    let mut sites: Vec<Site> = sites(ground)?.into_par_iter().map(limit).collect();
    let growth = Growth::noisy(params, edges, homes.classes, seed).map_err(Error::from)?;
    let mut growth = growth.held();
    let (mut traffic, mut past) = (Traffic::default(), Vec::new());
    for kept in keeping.past {
        growth.take(&kept.tree).map_err(Error::from)?;
        traffic = traffic + kept.traffic;
        past.extend(&kept.releases);
    }
    let mut releases = past.len() as u64;
    noised.resume(&grid, &past)?;
    if let Some(told) = keeping.past.last().and_then(|round| round.epsilon)
        && told != noised.epsilon()
    {
        let why = format!("it tells of epsilon {told}, where {} was spent", noised.epsilon());
        return Err(Error::Ledger { line: keeping.past.len(), why }.into());
    }
    let mut spent = false;
    while !spent {
        let trees = growth.begin(1);
        if trees.is_empty() {
            break;
        }
        let mut round = TreeRound::default();
        loop {
            match level(&mut growth, &mut sites, &grid, noised) {
                Ok(Some((entries, took))) => {
                    round.took(took);
                    round.releases.push(entries);
                }
                Ok(None) => break,
                Err(Error::Privacy(flowgait_privacy::Error::BudgetSpent { .. }))
                    if releases > 0 || round.asked > 0 =>
                {
                    spent = true;
                    break;
                }
                Err(refused) => return Err(refused.into()),
            }
        }
        traffic = traffic + round.traffic;
        releases += round.asked;
        round.epsilon = Some(noised.epsilon());
        if let Some(tree) = growth.keep(trees.start) {
            round.tree = tree;
            (keeping.after)(&round)?;
        }
    }
    Ok(PrivateGrown { forest: growth.finish().map_err(Error::from)?, traffic, releases, spent })
}

/// Pays for a level of a tree and grows it; how many counts were shown and what they took, or none when nothing is open.
fn level(
    growth: &mut Growth<'_>,
    sites: &mut [Site],
    grid: &Grid,
    noised: &mut impl Noised,
) -> Result<Option<(u64, Traffic)>, Error> {
    let questions = growth.questions(usize::MAX);
    if questions.is_empty() {
        return Ok(None);
    }
    let entries = growth.asked_entries() as u64;
    let (sums, mut traffic) = noised.shown(grid, entries, || counts(sites, &questions))?;
    let splits = growth.answer(&sums)?;
    follow(sites, &splits)?;
    traffic.down += sites.len() as u64 * (octets(&questions) + split_octets(&splits));
    Ok(Some((entries, traffic)))
}

fn check(homes: &Homes, params: &ValidForestParams, rows_max: u32) -> Result<Grid, Error> {
    check_rows(homes)?;
    let depth = params.depth_max().unwrap_or(usize::MAX);
    if depth > DEPTH_MAX {
        let must = "1 to 12, since every level is paid for";
        return Err(Error::Parameter { name: "greatest depth", value: depth as f64, must });
    }
    if rows_max == 0 {
        let (value, must) = (0.0, "at least 1");
        return Err(Error::Parameter { name: "most rows of a client", value, must });
    }
    if params.balances() == ClassWeights::Balanced {
        return Err(Error::Clash {
            this: "balanced classes".to_owned(),
            that: "a private forest",
            because: "how many rows each class has would have to be paid for",
        });
    }
    let sensitivity = sensitivity(rows_max, params.features(homes.columns.len()));
    // A step of the grid is one draw.
    let steps = u32::try_from(sensitivity).unwrap_or(u32::MAX);
    Ok(Grid::new(ClipNorm::new(sensitivity as f64)?, steps)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowgait_model::forest::ForestParams;

    #[test]
    fn a_step_of_the_grid_is_one_draw() {
        // The square root of 7 columns is tried: 2 of them, and 10 √2 is above 14.
        let homes = Homes { columns: vec![Vec::new(); 7], ..Homes::default() };
        let params = ForestParams::new().depth_max(3).check().unwrap();
        let grid = check(&homes, &params, 10).unwrap();
        assert_eq!((grid.steps(), grid.clip_norm().get()), (15, 15.0));
        assert_eq!(grid.value(&[3, -4]), [3.0, -4.0]);
    }
}
