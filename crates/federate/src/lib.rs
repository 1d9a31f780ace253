//! Models in; rounds and a better model out.
//!
//! *Takes* parameters to begin with, and clients that hold rows.
//! *Gives* the parameters that they learnt together, what each round did, and what it cost in privacy.
//! *Never* opens a connection, reads a clock or sees a client's rows outside that client.
//! *Start at* [`coordinator`].
//!
//! A round is messages: the [`coordinator`] asks a [`cohort`] to learn, each [`client`] learns on its own rows and gives a
//! contribution, and a [`strategy`] makes the next parameters from their **sum**. A simulation and a network drive the same code.
//! [`buffered`] is learning without rounds, where the server steps whenever enough updates are in.

pub mod attack;
pub mod baseline;
pub mod buffered;
pub mod client;
pub mod cohort;
pub mod compress;
pub mod coordinator;
pub mod federation;
pub mod forest;
pub mod homes;
pub mod learner;
pub mod ledger;
pub mod measure;
pub mod network;
pub mod partition;
pub mod record;
pub mod report;
pub mod robust;
pub mod run;
pub mod secure;
pub mod simulation;
pub mod strategy;
pub mod update;

mod chance;
mod error;
mod spare;
mod stream;

pub use error::{Error, Refusal};
