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
    /// Sums in which no client counts more than `bound` in one entry.
    ///
    /// A tree draws a row 20 times at most, so 20 times the rows of the largest client are enough. The protocol takes the smallest ring
    /// for the bound and the number of clients, and refuses one that would take more than 32 bits.
    #[must_use]
    pub fn new(plan: SecurePlan, bound: u64, seed: u64) -> Self {
        Self { plan, bound, seed, round: 0, traffic: Traffic::default() }
    }

    /// What was sent for all sums so far, keys and shares included.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }
}

impl Summing for Secured {
    fn sum(&mut self, given: Vec<Vec<u32>>) -> Result<Vec<u32>, Error> {
        let count = given.first().ok_or(Error::NoUpdates)?.len();
        let entries = Entries { count, bound: self.bound };
        let cohort: Vec<u32> = (0..given.len() as u32).collect();
        let mut joined = Joined::join(&self.plan, entries, &cohort, &[], self.round, self.seed)?;
        self.round += 1;
        let whole = |counts: Vec<u32>| counts.into_iter().map(i64::from).collect();
        joined.mask(cohort.into_iter().zip(given.into_iter().map(whole)).collect())?;
        let sum = joined.close()?.unmask()?;
        self.traffic.up += sum.traffic.up;
        self.traffic.down += sum.traffic.down;
        Ok(sum.entries.into_iter().map(|entry| entry as u32).collect())
    }
}
