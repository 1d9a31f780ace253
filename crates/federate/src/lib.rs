//! Many clients' updates in, one update out, whoever lies among them.
//!
//! *Takes* one vector of numbers from each client of a round, or a labelled table that is to be dealt to clients.
//! *Gives* one vector that few liars cannot move far, rows for each client, and vectors that are shorter to send.
//! *Never* knows a model, a flow or a network, and never draws chance that it was not given.
//! *Start at* [`robust`].

pub mod robust;

pub mod attack;
pub mod compress;
pub mod partition;

mod chance;
mod error;

pub use error::Error;
