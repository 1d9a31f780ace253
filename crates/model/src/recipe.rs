//! How a model is to be fitted: the estimator and its parameters, as a person chose them and as a model's card keeps them.

pub mod early;

use flowgait_features::Schema;
use flowgait_features::layout::Layout;
use flowgait_features::split::{Fold, random_folds};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::boost::{BoostParams, ValidBoostParams};
use crate::estimator::Estimator;
use crate::forest::{ClassWeights, ForestParams, ValidForestParams};
use crate::linear::LinearParams;
use crate::net::{Device, NetKind, NetParams, ValidNetParams};
use crate::stack::Stack;
use crate::training::Training;
use crate::trees::SizeForest;
use crate::voting::Voting;

/// An estimator and its parameters; the same recipe, rows and seed always give the same model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Which estimator.
    pub estimator: EstimatorKind,
    /// Number of trees.
    pub trees: usize,
    /// How many boosters answer by their mean, where there is boosting.
    #[serde(default = "one")]
    pub boosters: usize,
    /// Most splits between root and leaf; as many as it takes where there is no limit.
    pub depth_max: Option<usize>,
    /// Whether a row of a rare class weighs more, so that all classes weigh alike.
    pub balanced: bool,
    /// Whether trees see columns that follow from the packet sizes, where a table has sizes with headers in them.
    #[serde(default)]
    pub sizes: bool,
    /// How often a network sees every row; without it, as often as makes about 2,000 steps.
    #[serde(default)]
    pub epochs: Option<usize>,
    /// Whether flows are learnt from as they are known after their first packets too, so that the model can answer while they go on.
    #[serde(default)]
    pub early: bool,
    /// Where a network learns: a matter of the machine, so a model's card does not keep it.
    #[serde(skip)]
    pub device: Device,
}

/// Which estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimatorKind {
    /// A random forest.
    Forest,
    /// Extremely randomised trees.
    ExtraTrees,
    /// Gradient boosting with one tree a round for all classes.
    Boost,
    /// A linear classifier on bags of packet sizes.
    Linear,
    /// Boosting, a forest and extra-trees by the mean of what they say.
    Voting,
    /// A forest, extra-trees and the linear classifier under a judge.
    Stack,
    /// A network of fully connected layers.
    Mlp,
    /// A network of convolutions over the first packets.
    Cnn,
}

impl EstimatorKind {
    /// Which network it is, if it is one.
    #[must_use]
    pub fn network(self) -> Option<NetKind> {
        match self {
            Self::Mlp => Some(NetKind::Mlp),
            Self::Cnn => Some(NetKind::Cnn),
            _ => None,
        }
    }

    /// Whether there is boosting in it.
    #[must_use]
    pub fn boosts(self) -> bool {
        matches!(self, Self::Boost | Self::Voting)
    }

    /// Its name in prose.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forest => "random forest",
            Self::ExtraTrees => "extra-trees",
            Self::Boost => "gradient boosting",
            Self::Linear => "linear classifier on packet sizes",
            Self::Voting => "vote of boosting, forest and extra-trees",
            Self::Stack => "stack of a linear classifier and trees",
            Self::Mlp => "multi-layer perceptron",
            Self::Cnn => "convolutional network",
        }
    }
}

impl Recipe {
    /// The recipe with default parameters: 200 trees of any depth, or four boosters of up to 500 rounds.
    #[must_use]
    pub fn new(estimator: EstimatorKind) -> Self {
        let trees = if estimator == EstimatorKind::Boost { 500 } else { 200 };
        Self {
            estimator,
            trees,
            boosters: BOOSTERS,
            depth_max: None,
            balanced: false,
            sizes: false,
            epochs: None,
            early: false,
            device: Device::Cpu,
        }
    }

    /// How many units of work a fit of so many rows reports: trees, or epochs.
    #[must_use]
    pub fn units(&self, rows: usize) -> usize {
        match self.estimator.network().map(|kind| self.network(kind)) {
            Some(Ok(network)) => network.epochs_of(rows),
            _ if self.estimator == EstimatorKind::Voting => {
                self.voters().iter().map(|voter| voter.units(rows)).sum()
            }
            _ if self.estimator == EstimatorKind::Boost => self.trees * self.boosters,
            _ => self.trees,
        }
    }

    /// It in a few words, such as `random forest of 200 trees`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.estimator {
            EstimatorKind::Forest | EstimatorKind::ExtraTrees => {
                let trees = if self.trees == 1 { "tree" } else { "trees" };
                format!("{} of {} {trees}", self.estimator.name(), self.trees)
            }
            _ => self.estimator.name().to_owned(),
        }
    }

    /// The recipe with at most so many trees and one booster, for choosing and for curves, where many fits are made and small differences do not count.
    #[must_use]
    pub fn at_most(self, trees: usize) -> Self {
        match self.estimator {
            // A booster of few trees is not a rougher one but an unfinished one.
            EstimatorKind::Boost => {
                Self { trees: self.trees.min(trees.max(BOOST_ROUNDS_MIN)), boosters: 1, ..self }
            }
            _ => Self { trees: self.trees.min(trees), boosters: 1, ..self },
        }
    }

    /// Refuses parameters that make no sense, before anything is read or fitted.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the first parameter that cannot be.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(kind) = self.estimator.network() {
            return self.network(kind).map(|_| ());
        }
        match self.estimator {
            EstimatorKind::Boost => self.boost().map(|_| ()),
            EstimatorKind::Voting => self.voters().iter().try_for_each(Self::check),
            _ => self.forest().map(|_| ()),
        }
    }

    /// The parameters of trees.
    fn forest(&self) -> Result<ValidForestParams, Error> {
        let params = match self.estimator {
            EstimatorKind::ExtraTrees => ForestParams::extra_trees(),
            _ => ForestParams::new(),
        };
        let params = params.trees(self.trees).class_weights(self.weights());
        self.depth_max.map_or(params.clone(), |depth| params.depth_max(depth)).check()
    }

    /// The parameters of boosting.
    fn boost(&self) -> Result<ValidBoostParams, Error> {
        let params = BoostParams::new().boosters(self.boosters).rounds(self.trees);
        let params = params.class_weights(self.weights());
        self.depth_max.map_or(params.clone(), |depth| params.depth_max(depth)).check()
    }

    /// The parameters of a network.
    fn network(&self, kind: NetKind) -> Result<ValidNetParams, Error> {
        let params = NetParams::new(kind).balanced(self.balanced).device(self.device);
        self.epochs.map_or(params.clone(), |epochs| params.epochs(epochs)).check()
    }

    /// The recipes of a vote's members. Boosting stops by itself, so how many trees the forests have is nothing to it.
    fn voters(&self) -> [Self; 3] {
        VOTERS.map(|estimator| {
            let own = Self { estimator, ..*self };
            match estimator {
                EstimatorKind::Boost => Self { trees: Self::new(estimator).trees, ..own },
                _ => own,
            }
        })
    }

    fn weights(&self) -> ClassWeights {
        if self.balanced { ClassWeights::Balanced } else { ClassWeights::Equal }
    }

    /// Fits the estimator; `unit_done` is called after each tree or epoch, from any thread.
    ///
    /// `schema` names the columns of `training`: what they are called tells sequences from plain numbers.
    ///
    /// # Errors
    /// As [`Recipe::check`], and when the shapes of `training` do not fit together.
    pub fn fit(
        &self,
        schema: &Schema,
        training: &Training<'_>,
        seed: u64,
        unit_done: &(dyn Fn() + Sync),
    ) -> Result<Estimator, Error> {
        training.check()?;
        if self.early {
            return early::fit(self, schema, training, seed, unit_done);
        }
        let layout = || Layout::of(schema, training.columns, training.rows);
        match self.estimator {
            EstimatorKind::Forest | EstimatorKind::ExtraTrees => {
                let params = self.forest()?;
                let layout = self.sizes.then(layout);
                // Where the sizes are of payload already, the columns would say again what the table says: measured, no gain.
                let sizes = layout.and_then(|layout| layout.sizes).filter(|sizes| !sizes.payload);
                Ok(match sizes {
                    Some(sizes) => {
                        let fitted = SizeForest::fit(&params, training, sizes, seed, unit_done)?;
                        Estimator::SizeForest(Box::new(fitted))
                    }
                    None => Estimator::Forest(params.fit_with(training, seed, unit_done)?),
                })
            }
            EstimatorKind::Boost => {
                let fitted = self.boost()?.fit(training, seed, unit_done)?;
                Ok(Estimator::Boost(Box::new(fitted)))
            }
            EstimatorKind::Linear => {
                let layout = layout();
                let params = LinearParams { balanced: self.balanced, ..LinearParams::default() };
                Ok(Estimator::Linear(Box::new(params.fit(training, layout, seed)?)))
            }
            EstimatorKind::Mlp => self.fit_network(NetKind::Mlp, schema, training, seed, unit_done),
            EstimatorKind::Cnn => self.fit_network(NetKind::Cnn, schema, training, seed, unit_done),
            EstimatorKind::Voting => {
                let members = self.voters();
                let fitted = Voting::fit(&members, schema, training, seed, unit_done)?;
                Ok(Estimator::Voting(Box::new(fitted)))
            }
            EstimatorKind::Stack => {
                let bases = STACKED.map(|estimator| Self { estimator, ..*self });
                let folds = stack_folds(training, seed)?;
                let fitted = Stack::fit(&bases, schema, training, &folds, seed)?;
                Ok(Estimator::Stack(Box::new(fitted)))
            }
        }
    }

    fn fit_network(
        &self,
        kind: NetKind,
        schema: &Schema,
        training: &Training<'_>,
        seed: u64,
        epoch_done: &(dyn Fn() + Sync),
    ) -> Result<Estimator, Error> {
        let fitted = self.network(kind)?.fit(schema, training, seed, epoch_done)?;
        Ok(Estimator::Network(Box::new(fitted)))
    }
}

/// Boosters of a fit that is kept: more bring nothing that is seen in docs/BENCHMARKS.md.
const BOOSTERS: usize = 4;
/// Rounds of boosting, after which it ranks among others as it will in the end.
const BOOST_ROUNDS_MIN: usize = 150;
/// What a vote holds, in the order in which they are asked.
pub const VOTERS: [EstimatorKind; 3] =
    [EstimatorKind::Forest, EstimatorKind::ExtraTrees, EstimatorKind::Boost];
/// What a stack holds.
const STACKED: [EstimatorKind; 3] =
    [EstimatorKind::Linear, EstimatorKind::ExtraTrees, EstimatorKind::Forest];

/// Boosters of a recipe from before there were several.
fn one() -> usize {
    1
}

/// Folds of the training rows, each with all classes as far as their rows go. By chance, since nobody told here which rows belong
/// together: a judge that saw neighbours trusts a little too much, which the folds that it is chosen on find out.
fn stack_folds(training: &Training<'_>, seed: u64) -> Result<Vec<Fold>, Error> {
    const FOLDS_MAX: usize = 5;
    let codes: Vec<u32> = training.rows.iter().map(|&row| training.codes[row as usize]).collect();
    let mut counts = vec![0; training.classes];
    codes.iter().for_each(|&class| counts[class as usize] += 1);
    let smallest = counts.into_iter().filter(|count| *count > 1).min().unwrap_or(2);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folds = random_folds(codes.len(), Some(&codes), smallest.min(FOLDS_MAX), &mut rng)
        .map_err(|_| Error::NoRows { what: "folds of a stack: two rows at least" })?;
    let rows = |places: &[u32]| places.iter().map(|&place| training.rows[place as usize]).collect();
    Ok(folds.iter().map(|fold| Fold { train: rows(&fold.train), test: rows(&fold.test) }).collect())
}
