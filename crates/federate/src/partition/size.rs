//! Partitions that do not look at labels: even ones, uneven sizes, and groups as they are.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::chance::{ln_dirichlet, shares};
use crate::error::Error;
use crate::partition::{ascending, concentration, cut, enough};

/// Shuffled rows in equal parts: their sizes differ by one at most.
///
/// # Errors
/// [`Error::TooFewRows`] with more clients than rows.
pub fn iid(rows: usize, clients: usize, rng: &mut impl Rng) -> Result<Vec<Vec<u32>>, Error> {
    enough(rows, clients, 1)?;
    let equal = vec![1.0 / clients as f64; clients];
    Ok(shuffled_and_cut(rows, &equal, rng))
}

/// Shuffled rows in parts whose shares of all rows are a Dirichlet vector. A small client may get no row; see
/// [`at_least`](crate::partition::at_least).
///
/// # Errors
/// [`Error::TooFewRows`] with more clients than rows; [`Error::Parameter`] unless `1e-6 <= alpha <= 1e9`.
/// # Reference
/// Li, Diao, Chen, He, *Federated Learning on Non-IID Data Silos*, ICDE 2022 (arXiv:2102.02079).
pub fn quantity(
    rows: usize,
    clients: usize,
    alpha: f64,
    rng: &mut impl Rng,
) -> Result<Vec<Vec<u32>>, Error> {
    concentration(alpha)?;
    enough(rows, clients, 1)?;
    let sizes = shares(&ln_dirichlet(&vec![alpha; clients], rng));
    Ok(shuffled_and_cut(rows, &sizes.expect("every client has a weight"), rng))
}

/// One client for each group, in ascending order of their codes: sites, subscribers or files as they are.
///
/// # Shapes
/// `groups` is `[n_rows]`.
/// # Errors
/// [`Error::Parameter`] with 2^32 rows or more.
pub fn by_group(groups: &[u32]) -> Result<Vec<Vec<u32>>, Error> {
    enough(groups.len(), 1, 0)?;
    let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (row, &group) in (0u32..).zip(groups) {
        parts.entry(group).or_default().push(row);
    }
    Ok(parts.into_values().collect())
}

fn shuffled_and_cut(rows: usize, shares: &[f64], rng: &mut impl Rng) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0u32..).take(rows).collect();
    order.shuffle(rng);
    ascending(cut(&order, shares).map(<[u32]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn even_parts_differ_by_one_row() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        for (rows, clients) in [(10, 3), (7, 7), (1000, 13)] {
            let parts = iid(rows, clients, rng).expect("enough rows");
            let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
            let (least, most) = (sizes.iter().min(), sizes.iter().max());
            assert!(most.expect("a client") - least.expect("a client") <= 1, "{sizes:?}");
        }
    }

    #[test]
    fn a_small_concentration_makes_one_large_client() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        // The largest client's share, on average over many partitions.
        let mut largest = |alpha| {
            let most = |_| {
                let parts = quantity(1000, 10, alpha, rng).expect("enough rows");
                parts.iter().map(Vec::len).max().expect("a client")
            };
            (0..200).map(most).sum::<usize>() as f64 / 200_000.0
        };
        let (uneven, even) = (largest(0.1), largest(1e4));
        assert!(uneven > 0.5 && even < 0.11, "{uneven} {even}");
    }

    #[test]
    fn groups_stay_together() {
        let parts = by_group(&[9, 2, 9, 4, 2]).expect("few rows");
        assert_eq!(parts, [vec![1, 4], vec![3], vec![0, 2]]);
    }
}
