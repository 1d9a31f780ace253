//! What a person may choose about a forest, and the check of it.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Most trees of a forest.
pub const TREES_MAX: usize = 100_000;

/// Which rows a tree learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// As many as there are, drawn with replacement.
    Bootstrap,
    /// All.
    All,
}

/// How many columns a node tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeaturesTried {
    /// The square root of their number, rounded down.
    Sqrt,
    /// All of them.
    All,
    /// So many, or all where there are fewer.
    Count(usize),
}

/// Where a column may be cut at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thresholds {
    /// At the border that lowers the impurity most.
    Best,
    /// At one border drawn at random.
    Random,
}

/// What a row of each class weighs, on top of the weights that the training set brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// All the same.
    Equal,
    /// In inverse proportion to the class's number of rows, so that all classes weigh the same.
    Balanced,
}

/// What a person chose about a forest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForestParams {
    trees: usize,
    depth_max: Option<usize>,
    leaf_rows_min: usize,
    features_tried: FeaturesTried,
    sampling: Sampling,
    thresholds: Thresholds,
    class_weights: ClassWeights,
}

impl Default for ForestParams {
    fn default() -> Self {
        Self {
            trees: 200,
            depth_max: None,
            leaf_rows_min: 1,
            features_tried: FeaturesTried::Sqrt,
            sampling: Sampling::Bootstrap,
            thresholds: Thresholds::Best,
            class_weights: ClassWeights::Equal,
        }
    }
}

impl ForestParams {
    /// A random forest of 200 trees of any depth.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Extremely randomised trees: all rows, random thresholds.
    #[must_use]
    pub fn extra_trees() -> Self {
        Self { sampling: Sampling::All, thresholds: Thresholds::Random, ..Self::default() }
    }

    /// Number of trees, at least 1.
    #[must_use]
    pub fn trees(self, trees: usize) -> Self {
        Self { trees, ..self }
    }

    /// Most splits between the root and a leaf; without it, trees grow until their leaves are pure.
    #[must_use]
    pub fn depth_max(self, depth: usize) -> Self {
        Self { depth_max: Some(depth), ..self }
    }

    /// Fewest distinct training rows of a leaf, at least 1.
    #[must_use]
    pub fn leaf_rows_min(self, rows: usize) -> Self {
        Self { leaf_rows_min: rows, ..self }
    }

    /// How many columns a node tries; more, where none of them can be split.
    #[must_use]
    pub fn features_tried(self, features: FeaturesTried) -> Self {
        Self { features_tried: features, ..self }
    }

    /// Which rows a tree learns from.
    #[must_use]
    pub fn sampling(self, sampling: Sampling) -> Self {
        Self { sampling, ..self }
    }

    /// Where a column may be cut.
    #[must_use]
    pub fn thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
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
    pub fn check(self) -> Result<ValidForestParams, Error> {
        let count = |name, value: usize, limit: usize, rule| {
            if (1..=limit).contains(&value) {
                Ok(())
            } else {
                Err(Error::Parameter { name, value: value.to_string(), rule })
            }
        };
        count("the number of trees", self.trees, TREES_MAX, "a forest has 1 to 100000 trees")?;
        if let Some(depth) = self.depth_max {
            count("the greatest depth", depth, usize::MAX, "a tree needs at least one split")?;
        }
        count("leaf_rows_min", self.leaf_rows_min, usize::MAX, "a leaf has at least one row")?;
        if let FeaturesTried::Count(features) = self.features_tried {
            count("features_tried", features, usize::MAX, "a node tries at least one column")?;
        }
        Ok(ValidForestParams(self))
    }
}

/// A choice that can be learned with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ValidForestParams(ForestParams);

impl ValidForestParams {
    /// What was chosen, as a model card shows it.
    #[must_use]
    pub fn params(&self) -> &ForestParams {
        &self.0
    }

    /// Number of trees, for a progress bar.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.0.trees
    }

    pub(super) fn depth_limit(&self) -> usize {
        self.0.depth_max.unwrap_or(usize::MAX)
    }

    pub(super) fn leaf_rows(&self) -> usize {
        self.0.leaf_rows_min
    }

    pub(super) fn draws_rows(&self) -> Sampling {
        self.0.sampling
    }

    pub(super) fn cuts_at(&self) -> Thresholds {
        self.0.thresholds
    }

    /// Most splits between the root and a leaf, where there is a limit.
    #[must_use]
    pub fn depth_max(&self) -> Option<usize> {
        self.0.depth_max
    }

    /// What a row of each class weighs.
    #[must_use]
    pub fn balances(&self) -> ClassWeights {
        self.0.class_weights
    }

    /// Columns that a node tries, of so many.
    #[must_use]
    pub fn features(&self, features: usize) -> usize {
        match self.0.features_tried {
            FeaturesTried::Sqrt => features.isqrt(),
            FeaturesTried::All => features,
            FeaturesTried::Count(count) => count.min(features),
        }
        .max(1)
    }
}
