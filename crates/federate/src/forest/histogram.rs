//! One forest of all clients' rows, grown from sums of their counts.

use flowgait_model::Error as ModelError;
use flowgait_model::forest::{Edges, Forest, Growth, Question, Site, Split, ValidForestParams};
use rayon::prelude::*;

use super::kept::{Keeping, TreeRound};
use super::summing::{Summing, asked};
use crate::error::Error;
use crate::homes::Homes;
use crate::secure::Traffic;

/// Most counts of a message, where one node does not need more: 4 MB.
const ENTRIES_MAX: usize = 1 << 20;
/// Most rows of all clients: no tree then draws so many that a sum passes 2³².
const ROWS_MAX: usize = 1 << 27;

/// What a forest is grown of.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The rows, at their clients.
    pub homes: &'a Homes,
    /// What was chosen about the forest.
    pub params: &'a ValidForestParams,
    /// Where columns are cut; all clients know it.
    pub edges: &'a Edges,
    /// From it rows, columns and thresholds are drawn; all clients know it.
    pub seed: u64,
}

/// A forest, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Grown {
    /// The forest.
    pub forest: Forest,
    /// What went to all clients and came from them, in octets, as it would be packed for a wire without compression.
    pub traffic: Traffic,
    /// How often all clients were asked.
    pub rounds: u64,
}

/// Grows one forest of the rows of all clients, all trees at a time.
///
/// It equals [`central_forest`] of the same ground, bit for bit, whatever `summing` does to hide what it adds up.
/// A client that has no rows answers with zeros.
///
/// What the coordinator learns beyond the forest: how many rows of each class all clients have together, and for each open node of each
/// tree the sums of class by bin of the columns that it tries; clients learn which classes a node has. Deep nodes hold few rows, so such sums can be about one row; where that
/// is too much, limit depth or ask for more rows of a leaf, or add noise ([`private_forest`](super::private_forest)).
///
/// # Errors
/// As `summing`; [`Error::Model`] for edges of another table; [`Error::Parameter`] for more rows than can be counted.
pub fn histogram_forest(ground: &Ground<'_>, summing: &mut impl Summing) -> Result<Grown, Error> {
    grow(ground, summing, usize::MAX, Keeping::nothing())
}

/// The same forest, bit for bit, grown tree by tree, each of which can be kept; clients are asked more often, and are told as much.
///
/// # Errors
/// As [`histogram_forest`]; what `keeping.after` gives; [`Error::Model`] for kept trees that cannot be of this forest.
pub fn histogram_rounds<E: From<Error>>(
    ground: &Ground<'_>,
    summing: &mut impl Summing,
    keeping: Keeping<'_, impl FnMut(&TreeRound) -> Result<(), E>>,
) -> Result<Grown, E> {
    grow(ground, summing, 1, keeping)
}

fn grow<E: From<Error>>(
    ground: &Ground<'_>,
    summing: &mut impl Summing,
    at_once: usize,
    mut keeping: Keeping<'_, impl FnMut(&TreeRound) -> Result<(), E>>,
) -> Result<Grown, E> {
    let Ground { homes, params, edges, seed } = *ground;
    check_rows(homes)?;
    let mut sites = sites(ground)?;
    let class_rows = homes.class_rows();
    let counted = class_rows.iter().map(|of_client| of_client.iter().map(|n| *n as u32).collect());
    let (class_rows, mut traffic) = asked(summing, counted.collect())?;
    let class_rows: Vec<u64> = class_rows.into_iter().map(u64::from).collect();
    let growth = Growth::new(params, edges, &class_rows, seed).map_err(Error::from)?;
    let (mut growth, mut rounds) = (growth.held(), 1);
    for kept in keeping.past {
        growth.take(&kept.tree).map_err(Error::from)?;
        traffic = traffic + kept.traffic;
        rounds += kept.asked;
    }
    summing.skip(rounds - 1);
    loop {
        let trees = growth.begin(at_once);
        if trees.is_empty() {
            break;
        }
        let mut round = TreeRound::default();
        while let Some(took) = level(&mut growth, &mut sites, summing)? {
            round.took(took);
        }
        traffic = traffic + round.traffic;
        rounds += round.asked;
        if at_once == 1 {
            round.tree = growth.keep(trees.start).unwrap_or_default();
            (keeping.after)(&round)?;
        }
    }
    Ok(Grown { forest: growth.finish().map_err(Error::from)?, traffic, rounds })
}

/// Asks about open nodes once and lets rows follow; what that took, or none when nothing is open.
fn level(
    growth: &mut Growth<'_>,
    sites: &mut [Site],
    summing: &mut impl Summing,
) -> Result<Option<Traffic>, Error> {
    let questions = growth.questions(ENTRIES_MAX);
    if questions.is_empty() {
        return Ok(None);
    }
    let (sums, mut traffic) = asked(summing, counts(sites, &questions)?)?;
    let sums: Vec<i64> = sums.into_iter().map(i64::from).collect();
    let splits = growth.answer(&sums)?;
    follow(sites, &splits)?;
    traffic.down += sites.len() as u64 * (octets(&questions) + split_octets(&splits));
    Ok(Some(traffic))
}

/// What each client counts.
pub(super) fn counts(sites: &[Site], questions: &[Question]) -> Result<Vec<Vec<u32>>, Error> {
    let counts: Result<Vec<Vec<u32>>, ModelError> =
        sites.par_iter().map(|site| site.count(questions)).collect();
    Ok(counts?)
}

/// Lets each client's rows follow.
pub(super) fn follow(sites: &mut [Site], splits: &[Split]) -> Result<(), Error> {
    Ok(sites.par_iter_mut().try_for_each(|site| site.follow(splits))?)
}

/// The forest of one place that has all rows: what [`histogram_forest`] equals.
///
/// # Errors
/// [`Error::Model`] without rows, or for edges of another table.
pub fn central_forest(ground: &Ground<'_>) -> Result<Forest, Error> {
    let Ground { homes, params, edges, seed } = *ground;
    let rows: Vec<u32> = homes.rows.iter().flatten().copied().collect();
    let keys: Vec<u64> =
        (0..).zip(&homes.rows).flat_map(|(client, rows)| keys(client, rows)).collect();
    Ok(params.fit_on(edges, &homes.training(&rows), &keys, seed)?)
}

/// A key for each row of a client that no other row has: the client and the row's place there. So nobody has to number all rows.
pub(super) fn keys(client: u32, rows: &[u32]) -> impl Iterator<Item = u64> {
    (0..rows.len() as u64).map(move |place| u64::from(client) << 32 | place)
}

pub(super) fn sites(ground: &Ground<'_>) -> Result<Vec<Site>, Error> {
    let Ground { homes, params, edges, seed } = *ground;
    let site = |(client, rows): (usize, &Vec<u32>)| {
        let keys: Vec<u64> = keys(client as u32, rows).collect();
        Ok(Site::new(params, edges, &homes.training(rows), &keys, seed)?)
    };
    homes.rows.par_iter().enumerate().map(site).collect()
}

pub(super) fn check_rows(homes: &Homes) -> Result<(), Error> {
    let rows: usize = homes.rows.iter().map(Vec::len).sum();
    if rows > ROWS_MAX {
        let (value, must) = (rows as f64, "at most 2^27, so that sums stay below 2^32");
        return Err(Error::Parameter { name: "number of rows", value, must });
    }
    Ok(())
}

/// Tree, node, how many columns and classes, and which.
pub(super) fn octets(questions: &[Question]) -> u64 {
    let which = |question: &Question| question.columns.len() + question.classes.len();
    questions.iter().map(|question| 4 + 4 + 2 + 2 + 2 * which(question) as u64).sum()
}

/// Tree, node, column, bin, three flags, and where the children are.
pub(super) fn split_octets(splits: &[Split]) -> u64 {
    splits.len() as u64 * (4 + 4 + 2 + 1 + 1 + 4)
}
