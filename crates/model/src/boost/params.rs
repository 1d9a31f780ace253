//! What a person may choose about boosting, and the check of it.

use crate::error::Error;
use crate::forest::ClassWeights;

/// Most rounds, which are trees.
pub const ROUNDS_MAX: usize = 100_000;
/// Most boosters that answer together.
pub const BOOSTERS_MAX: usize = 64;
/// Most leaves of a tree.
pub const LEAVES_MAX: usize = 4_096;

/// What a person chose about boosting.
#[derive(Clone, Debug, PartialEq)]
pub struct BoostParams {
    boosters: usize,
    rounds: usize,
    learning_rate: f32,
    leaves: usize,
    depth_max: Option<usize>,
    leaf_rows_min: Option<usize>,
    penalty: f32,
    patience: Option<usize>,
    class_weights: ClassWeights,
}

impl Default for BoostParams {
    fn default() -> Self {
        Self {
            boosters: 1,
            rounds: 500,
            learning_rate: 0.1,
            leaves: 127,
            depth_max: None,
            leaf_rows_min: None,
            penalty: 1.0,
            patience: Some(20),
            class_weights: ClassWeights::Equal,
        }
    }
}

impl BoostParams {
    /// One booster of 500 rounds at most, of trees of up to 127 leaves, at a learning rate of 0.1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many boosters answer by the mean of their margins. Each holds other rows out to tell when to stop, so together they learn
    /// from all, and what one of them took from chance alone the others weigh down.
    #[must_use]
    pub fn boosters(self, boosters: usize) -> Self {
        Self { boosters, ..self }
    }

    /// Most rounds of a booster; a round is one tree for all classes.
    #[must_use]
    pub fn rounds(self, rounds: usize) -> Self {
        Self { rounds, ..self }
    }

    /// The share of a leaf's best step that is taken.
    #[must_use]
    pub fn learning_rate(self, rate: f32) -> Self {
        Self { learning_rate: rate, ..self }
    }

    /// Most leaves of a tree.
    #[must_use]
    pub fn leaves(self, leaves: usize) -> Self {
        Self { leaves, ..self }
    }

    /// Most splits between the root and a leaf.
    #[must_use]
    pub fn depth_max(self, depth: usize) -> Self {
        Self { depth_max: Some(depth), ..self }
    }

    /// Fewest training rows of a leaf; without it a twentieth of a class's mean number of rows, from 2 to 20.
    #[must_use]
    pub fn leaf_rows_min(self, rows: usize) -> Self {
        Self { leaf_rows_min: Some(rows), ..self }
    }

    /// Added to a leaf's second derivatives, so that a leaf of few rows takes small steps (L2).
    #[must_use]
    pub fn penalty(self, penalty: f32) -> Self {
        Self { penalty, ..self }
    }

    /// Ends after so many rounds that brought nothing on rows that were held out; `None` holds no rows out and makes all rounds.
    #[must_use]
    pub fn patience(self, rounds: Option<usize>) -> Self {
        Self { patience: rounds, ..self }
    }

    /// What a row of each class weighs.
    #[must_use]
    pub fn class_weights(self, weights: ClassWeights) -> Self {
        Self { class_weights: weights, ..self }
    }

    /// Checks the choice.
    ///
    /// # Errors
    /// Names the first parameter that cannot be.
    pub fn check(self) -> Result<ValidBoostParams, Error> {
        let parameter = |name, value: String, rule| Error::Parameter { name, value, rule };
        if !(1..=BOOSTERS_MAX).contains(&self.boosters) {
            let rule = "1 to 64 boosters answer together";
            return Err(parameter("the number of boosters", self.boosters.to_string(), rule));
        }
        if !(1..=ROUNDS_MAX).contains(&self.rounds) {
            let rule = "boosting takes 1 to 100000 trees";
            return Err(parameter("the number of trees", self.rounds.to_string(), rule));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            let rule = "it must be above 0 and at most 1";
            return Err(parameter("learning_rate", self.learning_rate.to_string(), rule));
        }
        if !(2..=LEAVES_MAX).contains(&self.leaves) {
            let rule = "a tree has 2 to 4096 leaves";
            return Err(parameter("leaves", self.leaves.to_string(), rule));
        }
        if self.depth_max == Some(0) {
            return Err(parameter(
                "the greatest depth",
                "0".into(),
                "a tree needs at least one split",
            ));
        }
        if self.leaf_rows_min == Some(0) {
            return Err(parameter("leaf_rows_min", "0".into(), "a leaf has at least one row"));
        }
        if !(self.penalty >= 0.0 && self.penalty.is_finite()) {
            let rule = "it must be a number of at least 0";
            return Err(parameter("penalty", self.penalty.to_string(), rule));
        }
        if self.patience == Some(0) {
            return Err(parameter("patience", "0".into(), "it must be at least one round"));
        }
        Ok(ValidBoostParams(self))
    }
}

/// A choice that can be learned with.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidBoostParams(BoostParams);

impl ValidBoostParams {
    /// How many boosters answer together.
    #[must_use]
    pub fn boosters(&self) -> usize {
        self.0.boosters
    }

    /// Most rounds of a booster, for a progress bar.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.0.rounds
    }

    pub(super) fn rate(&self) -> f32 {
        self.0.learning_rate
    }

    /// Most leaves of a tree on so many rows: a mean leaf has twenty of them at least, and there are eight leaves at least.
    pub(super) fn leaf_limit(&self, rows: usize) -> usize {
        self.0.leaves.min((rows / 20).max(8))
    }

    pub(super) fn depth_limit(&self) -> usize {
        self.0.depth_max.unwrap_or(usize::MAX)
    }

    /// Fewest rows of a leaf, of so many rows and classes.
    pub(super) fn leaf_rows(&self, rows: usize, classes: usize) -> i32 {
        let usual = (rows / classes / 20).clamp(2, 20);
        self.0.leaf_rows_min.unwrap_or(usual).min(i32::MAX as usize) as i32
    }

    pub(super) fn l2(&self) -> f32 {
        self.0.penalty
    }

    pub(super) fn waits(&self) -> Option<usize> {
        self.0.patience
    }

    pub(super) fn balances(&self) -> ClassWeights {
        self.0.class_weights
    }
}
