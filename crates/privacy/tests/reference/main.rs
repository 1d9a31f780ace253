//! Our numbers are those of independent programs, on the shared reference values.

mod accounts;
mod clipping;
mod inversion;
mod shared;
