//! A forest in place of a network, as a federation's file describes it.

use flowgait_model::forest::{ClassWeights, ForestParams, ValidForestParams};
use serde::{Deserialize, Serialize};

use super::Federation;
use crate::cohort::Sampling;
use crate::error::Error;
use crate::forest::private::DEPTH_MAX;
use crate::simulation::Faults;

/// Levels of a private tree, where the file does not say how many: each costs as much as the first, and has half the rows a node.
const DEPTH_PRIVATE: usize = 4;

/// A forest that clients make together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForestPlan {
    /// How.
    pub way: ForestWay,
    /// How many trees.
    pub trees: usize,
    /// Most splits between a root and a leaf; without it trees grow until leaves are pure, and under privacy to 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Whether splits are drawn (extremely randomised trees) or looked for.
    pub extra_trees: bool,
    /// Under privacy, most draws of a client's rows that count in one tree; the client leaves out the others.
    pub rows_max: u32,
}

/// How clients make a forest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForestWay {
    /// One forest from summed counts: that of one place with all rows, bit for bit.
    #[default]
    Histogram,
    /// Each client grows some trees of its own rows.
    Pooled,
}

impl Default for ForestPlan {
    fn default() -> Self {
        let way = ForestWay::Histogram;
        Self { way, trees: 100, depth: None, extra_trees: false, rows_max: 20 }
    }
}

impl ForestPlan {
    /// Levels of a tree under privacy.
    #[must_use]
    pub fn depth_private(&self) -> usize {
        self.depth.unwrap_or(DEPTH_PRIVATE)
    }

    /// Levels of all trees under privacy, each of which is released once.
    #[must_use]
    pub fn releases(&self) -> u64 {
        (self.trees as u64).saturating_mul(self.depth_private() as u64)
    }

    /// What is grown without noise.
    ///
    /// # Errors
    /// [`Error::Model`] for a number that cannot be.
    pub fn params(&self, balanced: bool) -> Result<ValidForestParams, Error> {
        Ok(self.base(balanced, self.depth).check()?)
    }

    /// What is grown under noise.
    ///
    /// # Errors
    /// [`Error::Model`] for a number that cannot be.
    pub fn params_private(&self) -> Result<ValidForestParams, Error> {
        Ok(self.base(false, Some(self.depth_private())).check()?)
    }

    fn base(&self, balanced: bool, depth: Option<usize>) -> ForestParams {
        let base = if self.extra_trees { ForestParams::extra_trees() } else { ForestParams::new() };
        let base = base.trees(self.trees);
        let base = depth.map_or(base.clone(), |depth| base.depth_max(depth));
        base.class_weights(if balanced { ClassWeights::Balanced } else { ClassWeights::Equal })
    }

    /// Refuses what cannot be, before any row is read.
    pub(super) fn check(&self, federation: &Federation) -> Result<(), Error> {
        let clash =
            |that, because| Err(Error::Clash { this: "a forest".to_owned(), that, because });
        if federation.personal.is_some() || federation.robust.is_some() {
            return clash("[personal] or robust", "these are of updates, and a forest has none");
        }
        if federation.compression.is_some() {
            return clash("[compression]", "counts are summed as they are");
        }
        if federation.adaptive_clipping.is_some() {
            return clash("[adaptive_clipping]", "counts have a bound that is known");
        }
        if federation.attack.is_some() || federation.faults != Faults::default() {
            return clash("[attack] or [faults]", "these are of rounds of a network");
        }
        if federation.cohort != Sampling::Everyone {
            return clash("a cohort that is drawn", "every client counts for every node");
        }
        if federation.secure.is_some() && self.way == ForestWay::Pooled {
            return clash(
                "[secure]",
                "pooled trees are sent as they are, each client's own; way = \"histogram\" sums",
            );
        }
        self.params(federation.model.balanced)?;
        if federation.privacy.is_some() {
            return self.check_private(federation);
        }
        Ok(())
    }

    fn check_private(&self, federation: &Federation) -> Result<(), Error> {
        let clash = |this: &str, because| {
            Err(Error::Clash { this: this.to_owned(), that: "[privacy]", because })
        };
        if self.way == ForestWay::Pooled {
            return clash(
                "a pooled forest",
                "trees of a client's own tell of its rows, and nothing is summed that noise could be added to; way = \"histogram\" sums",
            );
        }
        if federation.model.balanced {
            return clash(
                "a forest of balanced classes",
                "how many rows each class has would have to be paid for",
            );
        }
        let depth = self.depth_private();
        if !(1..=DEPTH_MAX).contains(&depth) {
            let must = "1 to 12 under privacy, since every level is paid for";
            return Err(Error::Parameter { name: "forest.depth", value: depth as f64, must });
        }
        if self.rows_max == 0 {
            let must = "at least 1";
            return Err(Error::Parameter { name: "forest.rows_max", value: 0.0, must });
        }
        Ok(())
    }
}
