//! Counts of clients to their sum: the place where a secure sum goes in.

use crate::error::Error;

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
