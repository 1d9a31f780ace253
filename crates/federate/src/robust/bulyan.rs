//! Bulyan: Krum picks whom to listen to, then each coordinate keeps what lies around its median.

use crate::error::Error;
use crate::robust::coordinate::mean;
use crate::robust::distance::distances;
use crate::robust::krum::scores;
use crate::robust::sorting::by_sorted_coordinate;
use crate::robust::updates::{Number, check, middle};
use crate::robust::{Combined, RobustRule, narrow};

/// Bulyan over Krum.
///
/// Krum alone lets one coordinate be far off where many are (its distances grow with the dimension); Bulyan does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulyan {
    f: usize,
}

impl Bulyan {
    /// Bulyan against `f` liars, for rounds of `clients`.
    ///
    /// # Errors
    /// [`Error::TooFewClients`] unless `n >= 4f + 3`.
    pub fn new(f: usize, clients: usize) -> Result<Self, Error> {
        enough(f, clients)?;
        Ok(Self { f })
    }
}

impl RobustRule for Bulyan {
    fn name(&self) -> &'static str {
        "bulyan"
    }

    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error> {
        let theta = updates.len().saturating_sub(self.f.saturating_mul(2));
        let (update, kept) = bulyan(updates, self.f, theta)?;
        Ok(Combined { update: narrow(&update), kept })
    }
}

/// Combined updates, and the selected clients in order of selection.
///
/// 1. `theta` times: Krum on the clients still in the pool; the winner leaves the pool and is selected.
/// 2. Each coordinate: the mean of the `beta = theta − 2f` selected values closest to their median (of two equally
///    close, the smaller).
///
/// The paper's `theta` is `n − 2f`. Its last pools have fewer than `2f + 3` members, where Krum's number of neighbours
/// falls to `f − 1`; at least one counts here. With a single neighbour the two clients of the closest pair always have
/// the same score, and the first of them wins: only then does the order of clients matter. Liars that agree may be
/// selected from such a pool, being each other's nearest; the second step is there to leave them out.
///
/// # Shapes
/// `[n_clients][n_parameters]` to `[n_parameters]` and `[theta]`.
/// # Errors
/// As [`RobustRule::combine`]; [`Error::Parameter`] unless `2f < theta <= n − 2f`.
/// # Reference
/// El Mhamdi, Guerraoui, Rouault, *The Hidden Vulnerability of Distributed Learning in Byzantium*, ICML 2018
/// (arXiv:1802.07927).
pub fn bulyan<T: Number>(
    updates: &[&[T]],
    f: usize,
    theta: usize,
) -> Result<(Vec<f64>, Vec<usize>), Error> {
    let parameters = check(updates)?;
    enough(f, updates.len())?;
    if theta <= 2 * f || theta > updates.len() - 2 * f {
        let must = "above 2f and at most n - 2f";
        return Err(Error::Parameter { name: "theta", value: theta as f64, must });
    }
    let distances = distances(updates, parameters);
    let mut pool: Vec<usize> = (0..updates.len()).collect();
    let mut selected = Vec::with_capacity(theta);
    for _ in 0..theta {
        let scores = scores(&distances, &pool, f);
        let places = 0..pool.len();
        let best = places.min_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        selected.push(pool.remove(best.expect("theta is at most the number of clients")));
    }
    let chosen: Vec<&[T]> = selected.iter().map(|&client| updates[client]).collect();
    let beta = theta - 2 * f;
    let update =
        by_sorted_coordinate(&chosen, parameters, |values| mean(around_median(values, beta)));
    Ok((update, selected))
}

/// The `count` values closest to the median. Of sorted values they lie side by side.
fn around_median(sorted: &[f64], count: usize) -> &[f64] {
    let median = middle(sorted);
    let (mut first, mut end) = (0, sorted.len());
    while end - first > count {
        if sorted[end - 1] - median >= median - sorted[first] {
            end -= 1;
        } else {
            first += 1;
        }
    }
    &sorted[first..end]
}

fn enough(f: usize, clients: usize) -> Result<(), Error> {
    let least = f.saturating_mul(4).saturating_add(3);
    if clients >= least {
        return Ok(());
    }
    Err(Error::TooFewClients { rule: "bulyan", f, clients, least, must: "4f + 3" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_lies_around_the_median() {
        assert_eq!(around_median(&[-9.0, 1.0, 2.0, 3.0, 40.0], 3), [1.0, 2.0, 3.0]);
        assert_eq!(around_median(&[0.0, 1.0, 1.5, 9.0], 2), [1.0, 1.5]);
        // 1 and 3 are equally close to 2.
        assert_eq!(around_median(&[1.0, 2.0, 3.0], 2), [1.0, 2.0]);
        assert_eq!(around_median(&[1.0, 2.0, 3.0], 3), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn four_times_the_liars_and_three_are_needed() {
        assert!(Bulyan::new(1, 7).is_ok() && Bulyan::new(0, 3).is_ok());
        assert!(matches!(Bulyan::new(1, 6), Err(Error::TooFewClients { least: 7, .. })));
        assert!(Bulyan::new(usize::MAX, 6).is_err());
        let update = [0.0f32];
        let few = Bulyan::new(1, 7).expect("a rule").combine(&[&update[..]; 6]);
        assert!(matches!(few, Err(Error::TooFewClients { clients: 6, .. })));
        assert!(Bulyan::new(9, 39).expect("a rule").combine(&[&update[..]; 2]).is_err());
        for wrong in [0, 2, 6, 7] {
            assert!(bulyan(&[&update[..]; 7], 1, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_liar_of_seven_is_not_listened_to() {
        let updates: Vec<[f32; 2]> = (0..7u8).map(|at| [f32::from(at) / 10.0, 1.0]).collect();
        let mut views: Vec<&[f32]> = updates.iter().map(|update| update.as_slice()).collect();
        views[3] = &[1e20, -1e20];
        let combined = Bulyan::new(1, 7).expect("a rule").combine(&views).expect("updates");
        assert!(!combined.kept.contains(&3) && combined.kept.len() == 5);
        assert!((0.0..=0.6).contains(&combined.update[0]) && combined.update[1] == 1.0);
    }
}
