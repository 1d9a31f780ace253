//! One forest grown from sums with noise, so that what is shown hardly depends on any one client.
//!
//! # Sensitivity
//! What a release shows is, for one level of one tree, the counts of class by bin of each of the level's nodes, for each of the `q`
//! columns that a node tries. Let a client have `R` draws in the tree or fewer ([`PrivateParams::rows_max`]; it leaves out the others).
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
//! draw. Noise is added to the sum by whoever sees it, and is trusted to do so. Edges must be public or have been paid for: those of
//! [`shared_edges`](super::shared_edges) are neither, for they come from exact counts.

use flowgait_model::Error as ModelError;
use flowgait_model::forest::{ClassWeights, Forest, Growth, Site, ValidForestParams};
use flowgait_privacy::budget::{Budget, Release};
use flowgait_privacy::grid::Grid;
use flowgait_privacy::{ClipNorm, Neighbours, NoiseMultiplier};
use rand::CryptoRng;
use rayon::prelude::*;

use super::histogram::{Ground, check_rows, octets, sites, split_octets};
use super::summing::Summing;
use crate::error::Error;
use crate::homes::Homes;
use crate::secure::Traffic;

/// Most levels of a tree: each has to be paid for, and noise leaves nothing of small nodes.
const DEPTH_MAX: usize = 12;

/// How much a client may count, and how well it is hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrivateParams {
    /// Most draws of a client's rows that count in one tree (`R`).
    pub rows_max: u32,
    /// The standard deviation of the noise of each release, in sensitivities.
    pub noise: NoiseMultiplier,
}

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

/// Grows one forest of all clients' rows under privacy of each client.
///
/// Every level of every tree is one release over everyone. Its permit is paid for before any client counts for it, and the level is
/// shown under exact Gaussian noise. All trees grow by a level before one grows by two, so when the budget is spent, all are about as
/// deep; a forest of many trees costs as many releases more.
///
/// `seed` draws rows, columns and thresholds, and is public; `rng` draws the noise.
///
/// # Errors
/// [`Error::Parameter`] for no depth or one above 12, and no rows of a client; [`Error::Clash`] for balanced classes, whose counts
/// nobody was told; [`Error::Privacy`] for a sensitivity above 2²⁰, or a budget that does not pay for one release; as `summing`.
pub fn private_forest<N: Neighbours>(
    ground: &Ground<'_>,
    private: &PrivateParams,
    budget: &mut Budget<N>,
    summing: &mut impl Summing,
    rng: &mut impl CryptoRng,
) -> Result<PrivateGrown, Error> {
    let Ground { homes, params, edges, seed } = *ground;
    let grid = check(homes, params, private)?;
    let limit = |site: Site| site.limited(private.rows_max, seed);
    let mut sites: Vec<Site> = sites(ground)?.into_par_iter().map(limit).collect();
    let clients = sites.len() as u64;
    let release = Release::everyone(private.noise);
    let mut growth = Growth::noisy(params, edges, homes.classes, seed)?;
    let (mut traffic, mut releases, mut spent) = (Traffic::default(), 0, false);
    loop {
        let questions = growth.questions(usize::MAX);
        if questions.is_empty() {
            break;
        }
        let permit = match budget.permit(&release) {
            Ok(permit) => permit,
            Err(flowgait_privacy::Error::BudgetSpent { .. }) if releases > 0 => {
                spent = true;
                break;
            }
            Err(refused) => return Err(refused.into()),
        };
        let counts: Result<Vec<Vec<u32>>, ModelError> =
            sites.par_iter().map(|site| site.count(&questions)).collect();
        let mut sums: Vec<i64> = summing.sum(counts?)?.into_iter().map(i64::from).collect();
        grid.add_noise(&mut sums, permit, rng)?;
        let splits = growth.answer(&sums)?;
        sites.par_iter_mut().try_for_each(|site| site.follow(&splits))?;
        releases += 1;
        traffic.up += clients * 4 * sums.len() as u64;
        traffic.down += clients * (octets(&questions) + split_octets(&splits));
    }
    Ok(PrivateGrown { forest: growth.finish()?, traffic, releases, spent })
}

fn check(
    homes: &Homes,
    params: &ValidForestParams,
    private: &PrivateParams,
) -> Result<Grid, Error> {
    check_rows(homes)?;
    let depth = params.depth_max().unwrap_or(usize::MAX);
    if depth > DEPTH_MAX {
        let must = "1 to 12, since every level is paid for";
        return Err(Error::Parameter { name: "greatest depth", value: depth as f64, must });
    }
    if private.rows_max == 0 {
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
    let sensitivity = sensitivity(private.rows_max, params.features(homes.columns.len()));
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
        let noise = NoiseMultiplier::new(1.0).unwrap();
        let grid = check(&homes, &params, &PrivateParams { rows_max: 10, noise }).unwrap();
        assert_eq!((grid.steps(), grid.clip_norm().get()), (15, 15.0));
        assert_eq!(grid.value(&[3, -4]), [3.0, -4.0]);
    }
}
