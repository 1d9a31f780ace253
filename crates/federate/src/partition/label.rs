//! Partitions in which clients have different shares of the classes.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::chance::{ln_dirichlet, shares};
use crate::error::Error;
use crate::partition::skew::class_shares;
use crate::partition::{ascending, concentration, cut, enough, known_classes};

/// Clients of one size (to a row), each with class shares `q ~ Dir(alpha p)` of its own, where `p` are everybody's.
///
/// A client draws a class by `q` and then a row of it, without replacement; when a class has no row left, the others'
/// shares grow in proportion. So the last clients take what is left, and differ less from each other than `q` says.
///
/// # Shapes
/// `codes` is `[n_rows]` with values below `classes`.
/// # Errors
/// [`Error::Class`]; [`Error::TooFewRows`] with more clients than rows; [`Error::Parameter`] unless
/// `1e-6 <= alpha <= 1e9`.
/// # Reference
/// Hsu, Qi, Brown, *Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification*, 2019
/// (arXiv:1909.06335).
pub fn dirichlet(
    codes: &[u32],
    classes: usize,
    clients: usize,
    alpha: f64,
    rng: &mut impl Rng,
) -> Result<Vec<Vec<u32>>, Error> {
    concentration(alpha)?;
    enough(codes.len(), clients, 1)?;
    let mut left = rows_by_class(codes, classes, rng)?;
    let prior = class_shares(codes.iter().copied(), classes);
    let parameters: Vec<f64> = prior.iter().map(|share| alpha * share).collect();
    let parts = (0..clients).map(|client| {
        let size = codes.len() / clients + usize::from(client < codes.len() % clients);
        let mut ln_weights = ln_dirichlet(&parameters, rng);
        take(size, &mut ln_weights, &mut left, rng)
    });
    Ok(ascending(parts.collect()))
}

/// Takes rows of classes drawn by their weights. There are as many left as are asked for.
fn take(
    size: usize,
    ln_weights: &mut [f64],
    left: &mut [Vec<u32>],
    rng: &mut impl Rng,
) -> Vec<u32> {
    let mut taken = Vec::with_capacity(size);
    let mut q = without_empty(ln_weights, left);
    while taken.len() < size {
        let class = drawn(&q, rng);
        taken.push(left[class].pop().expect("an empty class has no share"));
        if left[class].is_empty() {
            q = without_empty(ln_weights, left);
        }
    }
    taken
}

/// The shares of the classes that have rows left; nothing when none has.
fn without_empty(ln_weights: &mut [f64], left: &[Vec<u32>]) -> Vec<f64> {
    for (weight, rows) in ln_weights.iter_mut().zip(left) {
        if rows.is_empty() {
            *weight = f64::NEG_INFINITY;
        }
    }
    shares(ln_weights).unwrap_or_default()
}

fn drawn(shares: &[f64], rng: &mut impl Rng) -> usize {
    let mut rest: f64 = rng.random();
    for (class, share) in shares.iter().enumerate() {
        if rest < *share {
            return class;
        }
        rest -= share;
    }
    // Rounding may leave a crumb; it goes to the last class that can be drawn.
    shares.iter().rposition(|&share| share > 0.0).expect("some class has a share")
}

/// Each class is dealt by shares `~ Dir(alpha)` over the clients, so their sizes differ too. A client may get no row;
/// see [`at_least`](crate::partition::at_least).
///
/// # Shapes
/// `codes` is `[n_rows]` with values below `classes`.
/// # Errors
/// As [`dirichlet`].
/// # Reference
/// Yurochkin et al., *Bayesian Nonparametric Federated Learning of Neural Networks*, ICML 2019 (arXiv:1905.12022).
pub fn dirichlet_by_class(
    codes: &[u32],
    classes: usize,
    clients: usize,
    alpha: f64,
    rng: &mut impl Rng,
) -> Result<Vec<Vec<u32>>, Error> {
    concentration(alpha)?;
    enough(codes.len(), clients, 1)?;
    let by_class = rows_by_class(codes, classes, rng)?;
    let mut parts = vec![Vec::new(); clients];
    for rows in by_class {
        let shares = shares(&ln_dirichlet(&vec![alpha; clients], rng));
        deal(&rows, &shares.expect("every client has a weight"), &mut parts);
    }
    Ok(ascending(parts))
}

/// Client `k` likes class `k mod classes`: that is `share` of its rows, and all others are alike.
///
/// The shares come out exactly (to a row) where classes are equally frequent and as many clients like each; else as
/// nearly as giving out each row once allows.
///
/// # Shapes
/// `codes` is `[n_rows]` with values below `classes`.
/// # Errors
/// [`Error::Class`]; [`Error::TooFewRows`] with more clients than rows; [`Error::Parameter`] unless
/// `0 <= share <= 1` and there are two classes.
pub fn favourite(
    codes: &[u32],
    classes: usize,
    clients: usize,
    share: f64,
    rng: &mut impl Rng,
) -> Result<Vec<Vec<u32>>, Error> {
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::Parameter { name: "share", value: share, must: "between 0 and 1" });
    }
    if classes < 2 {
        let value = classes as f64;
        return Err(Error::Parameter { name: "number of classes", value, must: "2 or more" });
    }
    enough(codes.len(), clients, 1)?;
    let other = (1.0 - share) / (classes - 1) as f64;
    let mut parts = vec![Vec::new(); clients];
    for (class, rows) in rows_by_class(codes, classes, rng)?.iter().enumerate() {
        let weight = |client| if client % classes == class { share } else { other };
        let ln_weights: Vec<f64> = (0..clients).map(|client| f64::ln(weight(client))).collect();
        // A class that nobody wants is dealt evenly.
        let even = || vec![1.0 / clients as f64; clients];
        deal(rows, &shares(&ln_weights).unwrap_or_else(even), &mut parts);
    }
    Ok(ascending(parts))
}

/// Rows sorted by class and cut into `clients * per_client` shards of one size (to a row); each client gets
/// `per_client` of them by chance. With few shards a client sees few classes.
///
/// # Shapes
/// `codes` is `[n_rows]` with values below `classes`.
/// # Errors
/// [`Error::Class`]; [`Error::TooFewRows`] with more shards than rows; [`Error::Parameter`] without shards.
/// # Reference
/// McMahan et al., *Communication-Efficient Learning of Deep Networks from Decentralized Data*, AISTATS 2017
/// (arXiv:1602.05629): the "pathological non-IID partition", with 2 shards a client.
pub fn shards(
    codes: &[u32],
    classes: usize,
    clients: usize,
    per_client: usize,
    rng: &mut impl Rng,
) -> Result<Vec<Vec<u32>>, Error> {
    if per_client == 0 {
        return Err(Error::Parameter { name: "per_client", value: 0.0, must: "1 or more" });
    }
    enough(codes.len(), clients, per_client)?;
    let sorted = rows_by_class(codes, classes, rng)?.concat();
    let count = clients * per_client;
    let mut shards: Vec<&[u32]> = cut(&sorted, &vec![1.0 / count as f64; count]).collect();
    shards.shuffle(rng);
    Ok(ascending(shards.chunks(per_client).map(<[&[u32]]>::concat).collect()))
}

/// Each class's rows, shuffled.
fn rows_by_class(
    codes: &[u32],
    classes: usize,
    rng: &mut impl Rng,
) -> Result<Vec<Vec<u32>>, Error> {
    known_classes(codes, classes)?;
    let mut by_class = vec![Vec::new(); classes];
    for (row, &code) in (0u32..).zip(codes) {
        by_class[code as usize].push(row);
    }
    by_class.iter_mut().for_each(|rows| rows.shuffle(rng));
    Ok(by_class)
}

fn deal(rows: &[u32], shares: &[f64], parts: &mut [Vec<u32>]) {
    for (part, rows) in parts.iter_mut().zip(cut(rows, shares)) {
        part.extend_from_slice(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::{Partition, skew};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Classes in shares of 4 : 3 : 2 : 1.
    fn table(rows: u32) -> Vec<u32> {
        (0..rows).map(|row| [0, 0, 0, 0, 1, 1, 1, 2, 2, 3][row as usize % 10]).collect()
    }

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(5)
    }

    #[test]
    fn a_small_concentration_is_more_skewed() {
        let codes = table(4000);
        for of in [
            |alpha| Partition::Dirichlet { alpha },
            |alpha| Partition::DirichletByClass { alpha, rows_min: 1 },
        ] {
            let skewed = |alpha| {
                let parts = of(alpha).split(&codes, 4, None, 20, &mut rng());
                skew(&parts.expect("enough rows"), &codes, 4)
            };
            let found = [skewed(0.1), skewed(1.0), skewed(100.0)];
            assert!(found[0] > found[1] + 0.1 && found[1] > found[2] + 0.1, "{found:?}");
            assert!(found[0] > 0.4 && found[2] < 0.1, "{found:?}");
        }
    }

    #[test]
    fn the_first_clients_shares_are_on_average_those_of_all() {
        // The first client chooses freely; over many partitions the law of large numbers holds for it, and its spread
        // is that of a Dirichlet vector and of 40 draws by it.
        let (codes, rng, alpha, draws) = (table(4000), &mut rng(), 0.5, 2000);
        let first = |_| {
            let parts = dirichlet(&codes, 4, 100, alpha, rng).expect("enough rows");
            class_shares(parts[0].iter().map(|&row| codes[row as usize]), 4)
        };
        let found: Vec<Vec<f64>> = (0..draws).map(first).collect();
        for (class, p) in [0.4, 0.3, 0.2, 0.1].into_iter().enumerate() {
            let n = f64::from(draws);
            let mean = found.iter().map(|shares| shares[class]).sum::<f64>() / n;
            let squares = found.iter().map(|shares| (shares[class] - p).powi(2));
            let spread = squares.sum::<f64>() / n;
            let expected = p * (1.0 - p) * (1.0 + (40.0 - 1.0) / (alpha + 1.0)) / 40.0;
            assert!((mean - p).abs() < 4.5 * (expected / n).sqrt(), "{class}: {mean}");
            assert!((spread / expected - 1.0).abs() < 0.15, "{class}: {spread} {expected}");
        }
    }

    #[test]
    fn dirichlet_clients_are_of_one_size() {
        let parts = dirichlet(&table(103), 4, 10, 1e-6, &mut rng()).expect("enough rows");
        let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
        assert_eq!(sizes, [11, 11, 11, 10, 10, 10, 10, 10, 10, 10]);
    }

    #[test]
    fn four_clients_have_seven_tenths_of_what_they_like() {
        let codes: Vec<u32> = (0..400).map(|row| row % 4).collect();
        for clients in [4, 8] {
            let parts = favourite(&codes, 4, clients, 0.7, &mut rng()).expect("enough rows");
            for (client, rows) in parts.iter().enumerate() {
                assert_eq!(rows.len(), 400 / clients);
                let found = class_shares(rows.iter().map(|&row| codes[row as usize]), 4);
                for (class, share) in found.into_iter().enumerate() {
                    let expected = if class == client % 4 { 0.7 } else { 0.1 };
                    let row = 1.0 / rows.len() as f64;
                    assert!((share - expected).abs() <= row * 1.001, "{client} {class} {share}");
                }
            }
        }
    }

    #[test]
    fn what_nobody_likes_is_dealt_all_the_same() {
        for (clients, share) in [(2, 1.0), (1, 0.0), (3, 1.0)] {
            let parts = favourite(&table(40), 4, clients, share, &mut rng()).expect("enough rows");
            assert_eq!(parts.concat().len(), 40);
        }
        assert!(favourite(&[0, 0], 1, 2, 0.5, &mut rng()).is_err());
    }

    #[test]
    fn two_shards_are_few_classes() {
        // 100 rows of each class in shards of 25: no shard has two classes.
        let codes: Vec<u32> = (0..1000).map(|row| row % 10).collect();
        let parts = shards(&codes, 10, 20, 2, &mut rng()).expect("enough rows");
        for rows in &parts {
            assert_eq!(rows.len(), 50);
            let mut seen: Vec<u32> = rows.iter().map(|&row| codes[row as usize]).collect();
            seen.sort_unstable();
            seen.dedup();
            assert!(seen.len() <= 2, "{seen:?}");
        }
    }
}
