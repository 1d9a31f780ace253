//! Vectors in; bounded, noised and accounted vectors out.
//!
//! *Takes* vectors of numbers, and what a person is willing to spend.
//! *Gives* vectors no longer than a clip norm, sums under noise, and what that has cost.
//! *Never* knows a model, a flow or a network, and never draws chance that it was not given.
//! *Start at* [`account`].

pub mod account;
pub mod clip;
pub mod sample;

mod error;
mod neighbours;
mod parameter;

pub use error::Error;
pub use neighbours::{AddOrRemoveOne, Neighbours, ReplaceOne};
pub use parameter::{ClipNorm, Delta, Epsilon, NoiseMultiplier, SamplingRate};
