//! Rules that combine updates so that a few liars among the clients cannot move the result far.
//!
//! A mean follows whoever sends the largest vector. These rules look at every single update instead, so they cannot be
//! used where updates are hidden from the server (secure aggregation). All clients count the same: how many rows a
//! client says it has is one more thing that it can lie about.
//!
//! | rule | holds against | reference |
//! | --- | --- | --- |
//! | [`Median`] | fewer than half | Yin et al. 2018, arXiv:1803.01498 |
//! | [`TrimmedMean`] | a share below beta | Yin et al. 2018 |
//! | [`GeometricMedian`] | fewer than half | Pillutla et al. 2022, arXiv:1912.13445 |
//! | [`Krum`], [`MultiKrum`] | f of 2f + 3 | Blanchard et al. 2017 |
//! | [`Bulyan`] | f of 4f + 3 | El Mhamdi et al. 2018, arXiv:1802.07927 |
//! | [`NormClipping`] | large vectors only | Sun et al. 2019, arXiv:1911.07963 |
//!
//! *How to check it:* each rule is a plain function over 64-bit numbers ([`median()`], [`krum_scores`], …) that
//! `tests/reference` holds against numpy's answers to within 1e-9; `tests/laws` turns what the table says into
//! properties. Results do not depend on the number of threads: no sum is split among them.

mod bulyan;
mod clipping;
mod coordinate;
mod distance;
mod geometric;
mod kind;
mod krum;
mod sorting;
mod updates;

pub use bulyan::{Bulyan, bulyan};
pub use clipping::{NormBound, NormClipping, clip_and_average};
pub use coordinate::{Median, TrimmedMean, median, trimmed_mean};
pub use geometric::{GeometricMedian, Weiszfeld, geometric_median};
pub use kind::RobustKind;
pub use krum::{Krum, MultiKrum, krum_scores};
pub use updates::Number;

use crate::error::Error;

/// One update made of many.
#[derive(Debug, Clone, PartialEq)]
pub struct Combined {
    /// The update to apply.
    ///
    /// # Shapes
    /// `[n_parameters]`, in the unit of the clients' updates.
    pub update: Vec<f32>,
    /// Places of the clients that had a say, from 0: in order of selection where the rule selects, else all of them.
    pub kept: Vec<usize>,
}

impl Combined {
    fn of_all(update: &[f64], clients: usize) -> Self {
        Self { update: narrow(update), kept: (0..clients).collect() }
    }
}

/// A rule that combines the updates of one round.
pub trait RobustRule: std::fmt::Debug + Send + Sync {
    /// Its name in configuration files.
    fn name(&self) -> &'static str;

    /// Combines the updates of a round.
    ///
    /// # Shapes
    /// `updates` is `[n_clients][n_parameters]`.
    /// # Errors
    /// When there is no update, one is shorter or longer than the first, one has an entry that is not finite, or there
    /// are too few for the rule. Errors name the client by its place.
    fn combine(&self, updates: &[&[f32]]) -> Result<Combined, Error>;
}

/// Rules reckon in 64 bits; what they give lies between entries of 32 bits, so it fits.
fn narrow(wide: &[f64]) -> Vec<f32> {
    wide.iter().map(|&value| value as f32).collect()
}
