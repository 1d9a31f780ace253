//! A recipe as a person types it: what learns, and its parameters.

use clap::ValueEnum;
use flowgait_model::net::Device;
use flowgait_model::recipe::{EstimatorKind, Recipe};

use crate::failure::{Failure, sentence};
use crate::output;

/// An estimator and its parameters.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[command(next_help_heading = "Learning")]
pub struct RecipeArgs {
    /// What learns; auto tries them on folds and keeps the best
    #[arg(long, value_enum, value_name = "NAME")]
    pub estimator: Option<EstimatorArg>,

    /// Number of trees [default: 200; boost: at most 500, fewer where more bring nothing]
    #[arg(long, value_name = "N")]
    pub trees: Option<usize>,

    /// Boosters, each stopped by other rows, that answer by their mean [default: 4]
    #[arg(long, value_name = "N")]
    pub boosters: Option<usize>,

    /// Most splits between a tree's root and its leaves [default: as many as it takes]
    #[arg(long, value_name = "N")]
    pub depth: Option<usize>,

    /// How often a network sees every row [default: as often as makes about 2,000 steps]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,

    /// Where networks learn; a graphics card needs a program built with --features gpu
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    pub device: DeviceArg,

    /// Learn flows also as they are known after their first packets, so that the model can answer while they go on (predict --after K)
    #[arg(long)]
    pub early: bool,

    /// Let all classes weigh alike, however many rows they have
    #[arg(long)]
    pub balanced: bool,
}

/// Where networks learn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceArg {
    /// The processor's cores
    #[default]
    Cpu,
    /// The fastest graphics card
    Gpu,
}

impl DeviceArg {
    /// It as the library knows it.
    pub fn device(self) -> Device {
        match self {
            Self::Cpu => Device::Cpu,
            Self::Gpu => Device::Gpu,
        }
    }
}

/// What learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimatorArg {
    /// Whichever does best on folds
    Auto,
    /// A random forest
    Forest,
    /// Extremely randomised trees
    ExtraTrees,
    /// Gradient boosting, one tree a round for all classes
    Boost,
    /// A linear classifier on packet sizes as a bag of tokens
    Linear,
    /// Boosting, forest and extra-trees by the mean of what they say
    Voting,
    /// Forest, extra-trees and linear under a judge, for many classes with few rows
    Stack,
    /// A neural network of fully connected layers, for any table
    Mlp,
    /// A neural network of convolutions over the sizes and times of the first packets
    Cnn,
}

impl RecipeArgs {
    /// The recipe, or `None` where it is to be chosen on folds.
    pub fn recipe(&self) -> Result<Option<Recipe>, Failure> {
        let kind = match self.estimator {
            None | Some(EstimatorArg::Auto) => {
                return self.with(EstimatorKind::Forest).map(|_| None);
            }
            Some(EstimatorArg::Forest) => EstimatorKind::Forest,
            Some(EstimatorArg::ExtraTrees) => EstimatorKind::ExtraTrees,
            Some(EstimatorArg::Boost) => EstimatorKind::Boost,
            Some(EstimatorArg::Linear) => EstimatorKind::Linear,
            Some(EstimatorArg::Voting) => EstimatorKind::Voting,
            Some(EstimatorArg::Stack) => EstimatorKind::Stack,
            Some(EstimatorArg::Mlp) => EstimatorKind::Mlp,
            Some(EstimatorArg::Cnn) => EstimatorKind::Cnn,
        };
        self.check(kind)?;
        self.with(kind).map(Some)
    }

    /// Opens the graphics card, where one was asked for, and says which it is.
    pub fn open_device(&self) -> Result<(), Failure> {
        if self.device == DeviceArg::Gpu {
            let name = self.device.device().name().map_err(|error| {
                Failure::usage(sentence(&error.to_string())).help(
                    "Leave out --device to learn on the processor; for a card, build with cargo build --release --features gpu.",
                )
            })?;
            output::note(&format!("networks learn on {name}"));
        }
        Ok(())
    }

    /// Refuses parameters that the named estimator does not have.
    fn check(&self, kind: EstimatorKind) -> Result<(), Failure> {
        let is_network = kind.network().is_some();
        let has_trees = !is_network && kind != EstimatorKind::Linear;
        for (flag, is_typed, has) in [
            ("--epochs", self.epochs.is_some(), is_network),
            ("--device gpu", self.device == DeviceArg::Gpu, is_network),
            ("--trees", self.trees.is_some(), has_trees),
            ("--boosters", self.boosters.is_some(), kind.boosts()),
            ("--depth", self.depth.is_some(), has_trees),
        ] {
            if is_typed && !has {
                let name = kind.name();
                return Err(Failure::usage(format!("{flag} means nothing to a {name}")));
            }
        }
        Ok(())
    }

    /// The parameters as typed with one estimator.
    pub fn with(&self, estimator: EstimatorKind) -> Result<Recipe, Failure> {
        let base = Recipe::new(estimator);
        let recipe = Recipe {
            estimator,
            trees: self.trees.unwrap_or(base.trees),
            boosters: self.boosters.unwrap_or(base.boosters),
            depth_max: self.depth,
            balanced: self.balanced,
            sizes: true,
            epochs: self.epochs,
            early: self.early,
            device: self.device.device(),
        };
        recipe.check().map_err(|error| Failure::usage(sentence(&error.to_string())))?;
        Ok(recipe)
    }
}
