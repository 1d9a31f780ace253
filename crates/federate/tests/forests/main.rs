//! Forests that clients make together.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod edges;
mod made;
mod pooled;
mod private;
mod sameness;
