//! Vectors that are shorter to send: only the largest entries, or each entry in fewer bits.
//!
//! [`ErrorFeedback`] sends the `k` largest entries and keeps the rest for the next round, so nothing is lost, only
//! late. [`Quantised`] rounds each entry up or down by chance, so that it is right on average and needs 8 or 16 bits
//! instead of 32. Either comes as bytes, whose reader trusts nobody: a server reads what any client sends. [`CompressionPlan`] says which of
//! them a federation's rounds use, or both.
//!
//! *How to check it:* `tests/laws` finds that what was sent and what was kept add up to all updates, that a quantised
//! entry is within a step of the true one and right on average, and that bytes either are refused or are exactly what
//! encoding gives. [`Sparse::bytes`] and [`Quantised::bytes`] tell lengths without encoding.

mod plan;
mod quantise;
mod reader;
mod sparse;

pub use plan::CompressionPlan;
pub use quantise::{Bits, Quantised};
pub use sparse::{ErrorFeedback, Sparse};

use crate::error::Error;

fn finite(vector: &[f32]) -> Result<(), Error> {
    let wrong = vector.iter().position(|value| !value.is_finite());
    wrong.map_or(Ok(()), |at| Err(Error::NotFinite { at, value: vector[at] }))
}

/// Places are sent as 32-bit numbers.
fn short_enough(parameters: usize) -> Result<u32, Error> {
    u32::try_from(parameters).map_err(|_| {
        let (value, must) = (parameters as f64, "below 2^32");
        Error::Parameter { name: "number of parameters", value, must }
    })
}
