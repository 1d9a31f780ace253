//! Strategies against worked examples that were made elsewhere.

mod quadratic;
mod shared;
mod strategies;
