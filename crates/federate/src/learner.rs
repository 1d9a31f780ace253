//! What learns at a client: anything whose knowledge is one flat vector.

use flowgait_model::net::GradientHook;

use crate::error::Error;

/// What a client's steps came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Learnt {
    /// How many steps were made.
    pub steps: u64,
    /// The mean loss over them, each before its step.
    pub loss: f64,
}

/// Learns on the rows of clients. One learner serves all clients of a process, from any thread.
pub trait Learner: Sync {
    /// Number of parameters.
    fn parameters(&self) -> usize;

    /// How many rows a client learns from.
    fn rows(&self, client: u32) -> u64;

    /// The rate of a step.
    fn rate(&self) -> f32;

    /// Makes a client's steps of one round from some parameters, in place; `hook` may change each gradient.
    ///
    /// # Shapes
    /// `values` is `[n_parameters]`.
    /// # Errors
    /// As the estimator that learns.
    fn learn(
        &self,
        client: u32,
        seed: u64,
        values: &mut [f32],
        hook: &mut GradientHook<'_>,
    ) -> Result<Learnt, Error>;

    /// A client's mean loss at some parameters, and its gradient there.
    ///
    /// # Errors
    /// As the estimator that learns.
    fn slope(&self, client: u32, values: &[f32]) -> Result<(f64, Vec<f32>), Error>;
}
