//! What releases have cost: as Rényi divergence, as zCDP, and as privacy loss distribution.
//!
//! | account | holds for | exactness |
//! | --- | --- | --- |
//! | [`Rdp`] | everyone, Poisson samples, fixed cohorts | an upper bound, often a tenth above the truth |
//! | [`Zcdp`] | everyone; the discrete Gaussian too | an upper bound, the simplest to check by hand |
//! | [`pld`] | everyone, Poisson samples | an upper bound within rounding of the truth |
//! | [`Shares`] | noise added by each client, by RDP or zCDP | an upper bound, near the truth from a few steps of noise on |

pub mod pld;
pub mod rdp;
pub mod zcdp;

mod shares;
mod special;

pub use rdp::Rdp;
pub use shares::{Shares, tau};
pub use zcdp::Zcdp;
