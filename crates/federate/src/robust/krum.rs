//! Krum: the update that lies closest to its neighbours, or the mean of several such.

use crate::error::Error;
use crate::robust::distance::{Distances, distances};
use crate::robust::updates::{Number, check, weighted_sum};
use crate::robust::{Combined, RobustRule, narrow};

/// The one update with the smallest score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Krum {
    f: usize,
}

impl Krum {
    /// Krum against `f` liars, for rounds of `clients`.
    ///
    /// # Errors
    /// [`Error::TooFewClients`] unless `n >= 2f + 3`.
    pub fn new(f: usize, clients: usize) -> Result<Self, Error> {
        enough("krum", f, clients)?;
        Ok(Self { f })
    }
}

impl RobustRule for Krum {
    fn name(&self) -> &'static str {
        "krum"
    }

    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error> {
        enough(self.name(), self.f, updates.len())?;
        let best = ascending(&krum_scores(updates, self.f)?)[0];
        Ok(Combined { update: updates[best].to_vec(), kept: vec![best] })
    }
}

/// The mean of the `m` updates with the smallest scores.
///
/// The proof of Blanchard et al. needs `m < n − 2f − 2`; up to `n − f` is in use, and allowed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultiKrum {
    f: usize,
    m: usize,
}

impl MultiKrum {
    /// The mean of `m` updates, against `f` liars, for rounds of `clients`.
    ///
    /// # Errors
    /// [`Error::TooFewClients`] unless `n >= 2f + 3`; [`Error::Parameter`] unless `1 <= m <= n − f`.
    pub fn new(f: usize, m: usize, clients: usize) -> Result<Self, Error> {
        enough("multi-krum", f, clients)?;
        enough_to_average(f, m, clients)?;
        Ok(Self { f, m })
    }
}

impl RobustRule for MultiKrum {
    fn name(&self) -> &'static str {
        "multi-krum"
    }

    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error> {
        enough(self.name(), self.f, updates.len())?;
        enough_to_average(self.f, self.m, updates.len())?;
        let mut kept = ascending(&krum_scores(updates, self.f)?);
        kept.truncate(self.m);
        let best: Vec<&[f32]> = kept.iter().map(|&client| updates[client]).collect();
        let weights = vec![1.0 / self.m as f64; self.m];
        Ok(Combined { update: narrow(&weighted_sum(&best, &weights, best[0].len())), kept })
    }
}

/// Each client's score: the sum of the squared distances to its `n − f − 2` nearest others.
///
/// # Shapes
/// `[n_clients][n_parameters]` to `[n_clients]`.
/// # Errors
/// As [`RobustRule::combine`]. Where `n − f − 2` is below 1, one neighbour counts.
/// # Reference
/// Blanchard, El Mhamdi, Guerraoui, Stainer, *Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent*,
/// NeurIPS 2017.
pub fn krum_scores<T: Number>(updates: &[&[T]], f: usize) -> Result<Vec<f64>, Error> {
    let parameters = check(updates)?;
    let everyone: Vec<usize> = (0..updates.len()).collect();
    Ok(scores(&distances(updates, parameters), &everyone, f))
}

/// The scores of the clients in `pool` among themselves, in the pool's order.
pub fn scores(distances: &Distances, pool: &[usize], f: usize) -> Vec<f64> {
    let neighbours = pool.len().saturating_sub(f + 2).max(1);
    let mut others = Vec::with_capacity(pool.len());
    pool.iter()
        .map(|&one| {
            others.clear();
            let rest = pool.iter().filter(|&&other| other != one);
            others.extend(rest.map(|&other| distances.between(one, other)));
            // Added from the smallest up, so that the order of clients does not show in the rounding.
            others.sort_unstable_by(f64::total_cmp);
            others.iter().take(neighbours).sum()
        })
        .collect()
}

/// Places by ascending score; of equal ones the first client comes first.
pub fn ascending(scores: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..scores.len()).collect();
    places.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    places
}

fn enough(rule: &'static str, f: usize, clients: usize) -> Result<(), Error> {
    let least = f.saturating_mul(2).saturating_add(3);
    if clients >= least {
        return Ok(());
    }
    Err(Error::TooFewClients { rule, f, clients, least, must: "2f + 3" })
}

fn enough_to_average(f: usize, m: usize, clients: usize) -> Result<(), Error> {
    if (1..=clients - f).contains(&m) {
        return Ok(());
    }
    Err(Error::Parameter { name: "m", value: m as f64, must: "from 1 to n - f" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_clients_are_refused_before_and_in_the_round() {
        assert!(Krum::new(2, 7).is_ok());
        let told = Krum::new(2, 6).expect_err("six clients").to_string();
        assert_eq!(
            told,
            "krum against 2 liars needs 7 clients or more (n >= 2f + 3), but there are 6"
        );
        assert!(Krum::new(usize::MAX, 7).is_err());
        let update = [0.0f32];
        let few = Krum::new(2, 7).expect("a rule").combine(&[&update[..]; 6]);
        assert!(matches!(few, Err(Error::TooFewClients { clients: 6, least: 7, .. })));
        assert!(MultiKrum::new(2, 5, 7).is_ok());
        assert!(MultiKrum::new(2, 6, 7).is_err() && MultiKrum::new(2, 0, 7).is_err());
        let fewer = MultiKrum::new(1, 6, 7).expect("a rule").combine(&[&update[..]; 6]);
        assert!(matches!(fewer, Err(Error::Parameter { name: "m", .. })));
    }

    #[test]
    fn of_equal_scores_the_first_client_wins() {
        let update = [1.0f32, 2.0];
        let combined = Krum::new(1, 5).expect("a rule").combine(&[&update[..]; 5]);
        assert_eq!(combined.expect("updates").kept, [0]);
        assert_eq!(ascending(&[2.0, 1.0, 2.0, 1.0]), [1, 3, 0, 2]);
    }
}
