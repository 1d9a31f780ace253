//! A data set in, a model and its scores out.
//!
//! *Takes* columns of numbers and labels ([`flowgait_features::Dataset`]).
//! *Gives* a `Model` that predicts, is saved as one `.fgm` file and knows its schema; and scores of any model.
//! *Never* reads a clock, draws chance that no seed was given for, or predicts on columns of another schema.
//! *Start at* `forest::ForestParams` and [`artifact`].

pub mod answers;
pub mod artifact;
pub mod baseline;
pub mod boost;
pub mod calibrate;
pub mod categories;
mod chance;
pub mod conformal;
pub mod doubt;
pub mod drift;
mod error;
mod estimator;
pub mod explain;
pub mod forest;
pub mod linear;
pub mod metrics;
pub mod net;
pub mod permutation;
mod ranges;
pub mod recipe;
pub mod registry;
pub mod report;
pub mod seen;
mod sizes;
pub mod stack;
pub mod training;
pub mod trees;
pub mod validation;
pub mod voting;
pub mod why;

pub use artifact::{Card, Model};
pub use calibrate::Sharpness;
pub use categories::Categories;
pub use doubt::Doubt;
pub use error::Error;
pub use estimator::Estimator;
pub use ranges::Range;
pub use training::{Probabilities, Training};
