//! What gives the probabilities: every kind of fitted estimator behind one door.

use crate::boost::Boost;
use crate::error::Error;
use crate::forest::Forest;
use crate::linear::Linear;
use crate::net::Network;
use crate::stack::Stack;
use crate::training::Probabilities;
use crate::trees::SizeForest;
use crate::voting::Voting;

/// What gives the probabilities. Nothing in it changes after the fit, so threads share it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Estimator {
    /// A random forest or extremely randomised trees.
    Forest(Forest),
    /// The same with columns that follow from packet sizes.
    SizeForest(Box<SizeForest>),
    /// Gradient boosting.
    Boost(Box<Boost>),
    /// A linear classifier on bags of packet sizes.
    Linear(Box<Linear>),
    /// A neural network.
    Network(Box<Network>),
    /// Several estimators by the mean of their probabilities.
    Voting(Box<Voting>),
    /// Several estimators under a judge.
    Stack(Box<Stack>),
}

impl Estimator {
    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.classes(),
            Self::SizeForest(trees) => trees.classes(),
            Self::Boost(boost) => boost.classes(),
            Self::Linear(linear) => linear.classes(),
            Self::Network(network) => network.classes(),
            Self::Voting(voting) => voting.classes(),
            Self::Stack(stack) => stack.classes(),
        }
    }

    /// Number of columns that it was fitted on.
    #[must_use]
    pub fn features(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.features(),
            Self::SizeForest(trees) => trees.features(),
            Self::Boost(boost) => boost.features(),
            Self::Linear(linear) => linear.features(),
            Self::Network(network) => network.features(),
            Self::Voting(voting) => voting.features(),
            Self::Stack(stack) => stack.features(),
        }
    }

    /// How much each column matters to it, in the columns' order, as shares of 1; empty where it does not know.
    #[must_use]
    pub fn importance(&self) -> &[f32] {
        match self {
            Self::Forest(forest) => forest.importance(),
            Self::SizeForest(trees) => trees.importance(),
            Self::Boost(boost) => boost.importance(),
            Self::Voting(voting) => voting.importance(),
            Self::Linear(_) | Self::Network(_) | Self::Stack(_) => &[],
        }
    }

    /// Probabilities of some rows of a table, in the order of `rows`.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`; a missing value is NaN.
    /// # Errors
    /// When there are not as many columns as it was fitted on, columns differ in length, or `rows` go beyond them.
    pub fn predict_proba(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        match self {
            Self::Forest(forest) => forest.predict_proba(columns, rows),
            Self::SizeForest(trees) => trees.predict_proba(columns, rows),
            Self::Boost(boost) => boost.predict_proba(columns, rows),
            Self::Linear(linear) => linear.predict_proba(columns, rows),
            Self::Network(network) => network.predict_proba(columns, rows),
            Self::Voting(voting) => voting.predict_proba(columns, rows),
            Self::Stack(stack) => stack.predict_proba(columns, rows),
        }
    }
}
