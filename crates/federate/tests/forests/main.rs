//! Forests that clients make together.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod made;
mod sameness;
