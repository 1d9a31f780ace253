//! Our numbers are those of independent programs, on the shared reference values.

#![allow(clippy::print_stdout, reason = "tests say what they skipped and how near they came")]

mod accounts;
mod clipping;
mod shared;
