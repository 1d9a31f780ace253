//! How the rows of one labelled table are dealt to clients, evenly or as unevenly as clients are in life.
//!
//! | partition | what differs between clients | reference |
//! | --- | --- | --- |
//! | [`iid`] | nothing but chance | |
//! | [`dirichlet`] | shares of classes, at equal sizes | Hsu et al. 2019, arXiv:1909.06335 |
//! | [`dirichlet_by_class`] | shares of classes, and sizes | Yurochkin et al. 2019, arXiv:1905.12022 |
//! | [`shards`] | few classes each | McMahan et al. 2017, arXiv:1602.05629 |
//! | [`favourite`] | one class that is frequent | |
//! | [`quantity`] | sizes | Li et al. 2022, arXiv:2102.02079 |
//! | [`by_group`] | whatever their sites do | |
//!
//! *How to check it:* `tests/laws` deals tables of any kind and finds every row with exactly one client, sorted, and
//! the same for the same seed; the tests here compare [`skew`] at different concentrations. [`skew`] says of any
//! partition how uneven it came out.

mod label;
mod size;
mod skew;

pub use label::{dirichlet, dirichlet_by_class, favourite, shards};
pub use size::{by_group, iid, quantity};
pub use skew::skew;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A partition and its parameters, as a person writes it in a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Partition {
    /// [`iid`].
    Iid,
    /// [`dirichlet`].
    Dirichlet {
        /// The concentration: small for clients of one class, large for clients that are alike.
        alpha: f64,
    },
    /// [`dirichlet_by_class`].
    DirichletByClass {
        /// The concentration: small for classes that one client has alone, large for clients that are alike.
        alpha: f64,
        /// Fewest rows of a client.
        #[serde(default = "one_row")]
        rows_min: usize,
    },
    /// [`shards`].
    Shards {
        /// Shards of each client; about the most classes that it sees.
        per_client: usize,
    },
    /// [`favourite`].
    Favourite {
        /// The share of a client's rows that are of its favourite class.
        share: f64,
    },
    /// [`quantity`].
    Quantity {
        /// The concentration: small for one large client, large for clients of one size.
        alpha: f64,
        /// Fewest rows of a client.
        #[serde(default = "one_row")]
        rows_min: usize,
    },
    /// [`by_group`].
    ByGroup,
}

fn one_row() -> usize {
    1
}

impl Partition {
    /// Deals the rows of a table.
    ///
    /// # Shapes
    /// `codes` and `groups` are `[n_rows]`; the result is `[n_clients]` lists of ascending row numbers.
    /// # Errors
    /// As the function of the partition; [`Error::NoGroups`] and [`Error::Count`] when rows are to be dealt by groups
    /// that are not there, or of which there are not `clients`.
    pub fn split(
        &self,
        codes: &[u32],
        classes: usize,
        groups: Option<&[u32]>,
        clients: usize,
        rng: &mut impl Rng,
    ) -> Result<Vec<Vec<u32>>, Error> {
        match *self {
            Self::Iid => iid(codes.len(), clients, rng),
            Self::Dirichlet { alpha } => dirichlet(codes, classes, clients, alpha, rng),
            Self::DirichletByClass { alpha, rows_min } => {
                let parts = dirichlet_by_class(codes, classes, clients, alpha, rng)?;
                at_least(parts, rows_min, rng)
            }
            Self::Shards { per_client } => shards(codes, classes, clients, per_client, rng),
            Self::Favourite { share } => favourite(codes, classes, clients, share, rng),
            Self::Quantity { alpha, rows_min } => {
                let parts = quantity(codes.len(), clients, alpha, rng)?;
                at_least(parts, rows_min, rng)
            }
            Self::ByGroup => {
                let groups = groups.ok_or(Error::NoGroups)?;
                count("rows with a group", groups.len(), codes.len())?;
                let parts = by_group(groups)?;
                count("groups for the clients", parts.len(), clients)?;
                Ok(parts)
            }
        }
    }
}

/// Moves rows drawn by chance from whoever has most until each client has so many.
///
/// Drawing anew until all have enough, as is often done, may never end where the concentration is small.
///
/// # Errors
/// [`Error::TooFewRows`] when there are not so many.
pub fn at_least(
    mut parts: Vec<Vec<u32>>,
    rows_min: usize,
    rng: &mut impl Rng,
) -> Result<Vec<Vec<u32>>, Error> {
    use rand::RngExt;
    let rows = parts.iter().map(Vec::len).sum();
    enough(rows, parts.len(), rows_min)?;
    for poor in 0..parts.len() {
        while parts[poor].len() < rows_min {
            let sizes = parts.iter().map(Vec::len).enumerate();
            let rich = sizes.max_by_key(|&(_, size)| size).expect("there are clients").0;
            let at = rng.random_range(0..parts[rich].len());
            let row = parts[rich].swap_remove(at);
            parts[poor].push(row);
        }
    }
    Ok(ascending(parts))
}

fn enough(rows: usize, clients: usize, least: usize) -> Result<(), Error> {
    if clients == 0 {
        return Err(Error::Parameter { name: "number of clients", value: 0.0, must: "1 or more" });
    }
    if u32::try_from(rows).is_err() {
        let must = "below 2^32";
        return Err(Error::Parameter { name: "number of rows", value: rows as f64, must });
    }
    if clients.checked_mul(least).is_none_or(|needed| needed > rows) {
        return Err(Error::TooFewRows { rows, clients, least });
    }
    Ok(())
}

fn known_classes(codes: &[u32], classes: usize) -> Result<(), Error> {
    let wrong = codes.iter().position(|&code| code as usize >= classes);
    wrong.map_or(Ok(()), |row| Err(Error::Class { row, code: codes[row], classes }))
}

fn concentration(alpha: f64) -> Result<(), Error> {
    if (1e-6..=1e9).contains(&alpha) {
        return Ok(());
    }
    Err(Error::Parameter { name: "alpha", value: alpha, must: "between 1e-6 and 1e9" })
}

fn count(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Count { what, found, expected }) }
}

fn ascending(mut parts: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    parts.iter_mut().for_each(|rows| rows.sort_unstable());
    parts
}

/// Cuts rows into pieces by shares that add up to 1; each border is off by half a row at most.
fn cut<'a>(rows: &'a [u32], shares: &[f64]) -> impl Iterator<Item = &'a [u32]> {
    let mut borders = Vec::with_capacity(shares.len() + 1);
    let mut sum = 0.0;
    borders.push(0);
    for share in shares {
        sum += share;
        borders.push(((sum * rows.len() as f64).round() as usize).min(rows.len()));
    }
    // The shares' sum may be a rounding away from 1.
    *borders.last_mut().expect("a first border") = rows.len();
    (1..borders.len()).map(move |at| &rows[borders[at - 1]..borders[at]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn split(text: &str, clients: usize) -> Result<Vec<Vec<u32>>, Error> {
        let partition: Partition = serde_json::from_str(text).expect(text);
        let codes: Vec<u32> = (0..40).map(|row| row % 4).collect();
        let groups: Vec<u32> = (0..40).map(|row| row / 10 * 7).collect();
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        partition.split(&codes, 4, Some(&groups), clients, rng)
    }

    #[test]
    fn a_partition_is_what_its_name_says() {
        for text in [
            r#""iid""#,
            r#"{"dirichlet":{"alpha":0.3}}"#,
            r#"{"dirichlet-by-class":{"alpha":0.3}}"#,
            r#"{"shards":{"per_client":2}}"#,
            r#"{"favourite":{"share":0.7}}"#,
            r#"{"quantity":{"alpha":0.3,"rows_min":3}}"#,
            r#""by-group""#,
        ] {
            let parts = split(text, 4).expect(text);
            assert_eq!(parts.len(), 4, "{text}");
            assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 40, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_dealt_is_refused() {
        for (text, clients) in [
            (r#""iid""#, 0),
            (r#""iid""#, 41),
            (r#"{"dirichlet":{"alpha":0.0}}"#, 4),
            (r#"{"dirichlet":{"alpha":1.0}}"#, 41),
            (r#"{"dirichlet-by-class":{"alpha":1.0,"rows_min":11}}"#, 4),
            (r#"{"shards":{"per_client":11}}"#, 4),
            (r#"{"shards":{"per_client":0}}"#, 4),
            (r#"{"favourite":{"share":1.5}}"#, 4),
            (r#"{"quantity":{"alpha":-1.0}}"#, 4),
            (r#"{"quantity":{"alpha":1.0,"rows_min":18446744073709551615}}"#, 4),
            (r#""by-group""#, 5),
        ] {
            assert!(split(text, clients).is_err(), "{text} to {clients}");
        }
        let told = split(r#""iid""#, 41).expect_err("41 clients").to_string();
        assert_eq!(told, "40 rows cannot give 41 clients 1 or more each");
        let told = split(r#""by-group""#, 5).expect_err("five clients").to_string();
        assert_eq!(told, "there are 4 groups for the clients, but must be 5");
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        assert!(matches!(Partition::ByGroup.split(&[0], 1, None, 1, rng), Err(Error::NoGroups)));
        assert!(Partition::ByGroup.split(&[0], 1, Some(&[]), 1, rng).is_err());
        let wrong = dirichlet(&[0, 3], 3, 1, 1.0, rng);
        assert!(matches!(wrong, Err(Error::Class { row: 1, code: 3, classes: 3 })));
        for unknown in [r#""even""#, r#"{"shards":{"per_client":1,"alpha":2.0}}"#] {
            assert!(serde_json::from_str::<Partition>(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn rows_go_from_the_rich_to_the_poor() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let parts = at_least(vec![vec![], (0..9).collect(), vec![9]], 3, rng).expect("ten rows");
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [3, 4, 3]);
    }
}
