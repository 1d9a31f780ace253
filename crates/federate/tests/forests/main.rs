//! Forests that clients make together.

#![allow(clippy::unwrap_used, reason = "a test")]

mod edges;
mod made;
mod pooled;
mod private;
mod sameness;
