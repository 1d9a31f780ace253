//! Counts of clients to their sum: the place where a secure sum goes in.

use crate::error::Error;
use crate::secure::{Entries, Joined, SecurePlan, Traffic};

/// Adds up what clients counted, entry by entry, modulo 2³².
///
/// Whoever grows a forest sees what this gives and nothing else. A function does as well:
///
/// ```
/// use flowgait_federate::Error;
/// use flowgait_federate::forest::{Plain, Summing};
///
/// let mut asked = 0;
/// let mut counted = |given: Vec<Vec<u32>>| -> Result<Vec<u32>, Error> {
///     asked += 1;
///     Plain.sum(given)
/// };
/// assert_eq!(counted.sum(vec![vec![1, u32::MAX], vec![2, 3]])?, [3, 2]);
/// assert_eq!(asked, 1);
/// # Ok::<(), Error>(())
/// ```
pub trait Summing {
    /// The sum of all clients' counts.
    ///
    /// # Shapes
    /// `given` is `[n_clients][n_counts]`, the answer `[n_counts]`.
    /// # Errors
    /// When there is no sum to be had of them.
    fn sum(&mut self, given: Vec<Vec<u32>>) -> Result<Vec<u32>, Error>;

    /// What was sent for all sums so far, where that is more than the counts themselves.
    fn traffic(&self) -> Option<Traffic> {
        None
    }

    /// Takes note of sums that a run asked for before it was killed: no mask is used for two.
    fn skip(&mut self, _sums: u64) {}
}

/// The sum of what clients counted, and what it took.
pub(super) fn asked(
    summing: &mut impl Summing,
    given: Vec<Vec<u32>>,
) -> Result<(Vec<u32>, Traffic), Error> {
    let clients = given.len() as u64;
    let before = summing.traffic().unwrap_or_default();
    let sums = summing.sum(given)?;
    let plain = Traffic { down: 0, up: clients * 4 * sums.len() as u64 };
    let traffic = summing.traffic().map_or(plain, |after| Traffic {
        down: after.down - before.down,
        up: after.up - before.up,
    });
    Ok((sums, traffic))
}

impl<F: FnMut(Vec<Vec<u32>>) -> Result<Vec<u32>, Error>> Summing for F {
    fn sum(&mut self, given: Vec<Vec<u32>>) -> Result<Vec<u32>, Error> {
        self(given)
    }
}

/// Adds up in the open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plain;

impl Summing for Plain {
    fn sum(&mut self, given: Vec<Vec<u32>>) -> Result<Vec<u32>, Error> {
        let mut given = given.into_iter();
        let mut sum = given.next().ok_or(Error::NoUpdates)?;
        for (client, counts) in (1..).zip(given) {
            if counts.len() != sum.len() {
                let (found, expected) = (counts.len(), sum.len());
                return Err(Error::UpdateLength { client, found, expected });
            }
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum = sum.wrapping_add(count);
            }
        }
        Ok(sum)
    }
}

/// Adds up under secure aggregation, a round of the protocol for each sum, with all clients in this process.
#[derive(Clone, Debug, PartialEq)]
pub struct Secured {
    plan: SecurePlan,
    bound: u64,
    seed: u64,
    round: u64,
    traffic: Traffic,
}

impl Secured {
    /// Sums in which no client counts more than `bound` in one entry, or less than `-bound` where entries stand for numbers with a sign.
    ///
    /// A tree draws a row 20 times at most, so 20 times the rows of the largest client are enough. The protocol takes the smallest ring
    /// for the bound and the number of clients, and refuses one that would take more than 32 bits.
    #[must_use]
    pub fn new(plan: SecurePlan, bound: u64, seed: u64) -> Self {
        Self { plan, bound, seed, round: 0, traffic: Traffic::default() }
    }
}

impl Summing for Secured {
    fn sum(&mut self, given: Vec<Vec<u32>>) -> Result<Vec<u32>, Error> {
        let count = given.first().ok_or(Error::NoUpdates)?.len();
        let entries = Entries { count, bound: self.bound };
        let cohort: Vec<u32> = (0..given.len() as u32).collect();
        let mut joined = Joined::join(&self.plan, entries, &cohort, &[], self.round, self.seed)?;
        self.round += 1;
        // Those from 2³¹ on stand for negative numbers: counts under noise can be.
        let whole = |counts: Vec<u32>| counts.into_iter().map(|n| i64::from(n as i32)).collect();
        joined.mask(cohort.into_iter().zip(given.into_iter().map(whole)).collect())?;
        let sum = joined.close()?.unmask()?;
        self.traffic = self.traffic + sum.traffic;
        Ok(sum.entries.into_iter().map(|entry| entry as u32).collect())
    }

    fn traffic(&self) -> Option<Traffic> {
        Some(self.traffic)
    }

    fn skip(&mut self, sums: u64) {
        self.round += sums;
    }
}
