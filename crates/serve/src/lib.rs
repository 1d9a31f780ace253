//! The pipeline behind HTTP: an API, durable jobs, and workers.
//!
//! *Takes* uploads (tables, captures) and orders to train, over HTTP.
//! *Gives* jobs with their answers, models under names, and what happens to them as it happens.
//! *Never* loses a job that it accepted, does one twice with effect, or lets a path from outside reach the file system.
//! *Start at* [`job`] and [`store`].

pub mod blobs;
mod error;
pub mod job;
pub mod store;

pub use error::Error;
