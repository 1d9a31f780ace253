//! Forests that clients make together.

#![allow(clippy::unwrap_used, reason = "a test")]

mod edges;
mod kept;
mod made;
mod pooled;
mod private;
mod sameness;
