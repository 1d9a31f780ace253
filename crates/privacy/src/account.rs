//! What releases have cost: as Rényi divergence and as zCDP.
//!
//! | account | holds for | exactness |
//! | --- | --- | --- |
//! | [`Rdp`] | everyone, Poisson samples, fixed cohorts | an upper bound, often a tenth above the truth |
//! | [`Zcdp`] | everyone; the discrete Gaussian too | an upper bound, the simplest to check by hand |

pub mod rdp;
pub mod zcdp;

mod special;

pub use rdp::Rdp;
pub use zcdp::Zcdp;
