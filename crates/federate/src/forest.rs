//! Forests that clients make together: trees of each put together, or one forest grown from sums.
//!
//! | way | what leaves a client | what it costs |
//! | --- | --- | --- |
//! | [`pooled_forest`] | its trees, once | a client of few rows adds weak trees |
//! | [`histogram_forest`] | counts of class and bin for each open node, only to be summed | a message for each level and batch of nodes |
//! | [`private_forest`] | the same, shown under noise | accuracy, and a budget for every level of every tree |
//!
//! The second is, bit for bit, the forest of one place that has all rows ([`central_forest`]), masked or not: counts are whole
//! numbers, so their sums do not depend on who holds which rows.

mod edges;
mod fixed;
mod histogram;
mod judge;
mod kept;
mod noise;
mod pooled;
pub mod private;
mod summing;

pub use edges::{EdgeParams, SharedEdges, shared_edges};
pub use fixed::fixed_edges;
pub use histogram::{Ground, Grown, central_forest, histogram_forest, histogram_rounds};
pub use judge::judge;
pub use kept::{Keeping, TreeRound};
pub use noise::{Noised, SharedNoise, Trusted};
pub use pooled::{TreeShares, local_forest, pooled_forest, pooled_rounds};
pub use private::{PrivateGrown, private_forest};
pub use summing::{Plain, Secured, Summing};
