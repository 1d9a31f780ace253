//! Strategies and robust rules against worked examples that were made elsewhere.

mod quadratic;
mod robust;
mod shared;
mod strategies;
