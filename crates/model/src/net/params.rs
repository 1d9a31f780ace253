//! What a network is to be like and how it learns.

use flowgait_features::Schema;
use flowgait_features::layout::{Sequence, sequences};
use serde::{Deserialize, Serialize};

use super::architecture::Architecture;
use super::augment::Augmentation;
use super::cnn::Cnn;
use super::device::Device;
use super::inputs::Inputs;
use super::local::LocalTraining;
use super::mlp::Mlp;
use super::optimizer::Optimizer;
use super::statistics::Statistics;
use super::{Network, PARAMETERS_MAX};
use crate::error::Error;
use crate::training::Training;

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetKind {
    /// Layers that each see all of the one before, for any table.
    Mlp,
    /// Convolutions over the first packets, for tables that have their sizes in order.
    Cnn,
}

/// What a network is to be like, as typed; [`NetParams::check`] makes it usable.
#[derive(Clone, Debug, PartialEq)]
pub struct NetParams {
    kind: NetKind,
    hidden: Vec<usize>,
    width: usize,
    blocks: usize,
    dropout: f32,
    epochs: Option<usize>,
    batch: usize,
    rate: f32,
    balanced: bool,
    augmentation: Augmentation,
    device: Device,
}

/// What a network is to be like, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidNetParams(NetParams);

/// Steps that a fit takes about, so that small tables are seen often and large ones a few times.
const STEPS_GOAL: usize = 2_000;
/// Fewest and most times that every row is seen, where nobody said how often.
const EPOCHS: std::ops::RangeInclusive<usize> = 4..=200;
/// Share of the steps in which the learning rate rises to its full height.
const RISE: f32 = 0.05;
/// Widest layer.
pub(crate) const WIDTH_MAX: usize = 4_096;
/// Most hidden layers, and most residual blocks.
pub(crate) const LAYERS_MAX: usize = 16;
const EPOCHS_MAX: usize = 100_000;

impl NetParams {
    /// The usual network of a kind: one or two hidden layers, dropout of 0.2, AdamW at a rate of 0.003 that falls along a cosine.
    #[must_use]
    pub fn new(kind: NetKind) -> Self {
        let (hidden, augmentation) = match kind {
            NetKind::Mlp => (vec![128, 64], Augmentation::NONE),
            NetKind::Cnn => (vec![128], Augmentation::USUAL),
        };
        Self {
            kind,
            hidden,
            width: 32,
            blocks: 3,
            dropout: 0.2,
            epochs: None,
            batch: 128,
            rate: 3e-3,
            balanced: false,
            augmentation,
            device: Device::Cpu,
        }
    }

    /// Width of each hidden layer; none makes it linear.
    #[must_use]
    pub fn hidden(self, widths: &[usize]) -> Self {
        Self { hidden: widths.to_vec(), ..self }
    }

    /// Channels between convolutions.
    #[must_use]
    pub fn width(self, width: usize) -> Self {
        Self { width, ..self }
    }

    /// Residual blocks.
    #[must_use]
    pub fn blocks(self, blocks: usize) -> Self {
        Self { blocks, ..self }
    }

    /// Share of the values left out behind hidden layers while it learns.
    #[must_use]
    pub fn dropout(self, share: f32) -> Self {
        Self { dropout: share, ..self }
    }

    /// How often every row is seen; without it, as often as makes about 2,000 steps.
    #[must_use]
    pub fn epochs(self, epochs: usize) -> Self {
        Self { epochs: Some(epochs), ..self }
    }

    /// Rows of a step; fewer where a table is small.
    #[must_use]
    pub fn batch(self, rows: usize) -> Self {
        Self { batch: rows, ..self }
    }

    /// The learning rate at its height.
    #[must_use]
    pub fn rate(self, rate: f32) -> Self {
        Self { rate, ..self }
    }

    /// Whether all classes weigh alike, however many rows they have.
    #[must_use]
    pub fn balanced(self, balanced: bool) -> Self {
        Self { balanced, ..self }
    }

    /// How packets are changed while it learns; plain networks have no packets to change.
    #[must_use]
    pub fn augmentation(self, augmentation: Augmentation) -> Self {
        Self { augmentation, ..self }
    }

    /// Where it learns.
    #[must_use]
    pub fn device(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// Checks all of it but whether there is such a device.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the first that cannot be.
    pub fn check(self) -> Result<ValidNetParams, Error> {
        let wrong = |name, value: String, rule| Err(Error::Parameter { name, value, rule });
        if self.hidden.len() > LAYERS_MAX {
            let value = self.hidden.len().to_string();
            return wrong("the number of hidden layers", value, "it must be 16 or less");
        }
        for &width in self.hidden.iter().chain([&self.width]) {
            if !(1..=WIDTH_MAX).contains(&width) {
                return wrong("a layer's width", width.to_string(), "it must be 1 to 4,096");
            }
        }
        if !(1..=LAYERS_MAX).contains(&self.blocks) {
            let value = self.blocks.to_string();
            return wrong("the number of blocks", value, "it must be 1 to 16");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return wrong("dropout", self.dropout.to_string(), "it must be 0 or more and below 1");
        }
        if !(1..=EPOCHS_MAX).contains(&self.epochs.unwrap_or(1)) {
            let value = self.epochs.unwrap_or(0).to_string();
            return wrong("the number of epochs", value, "it must be 1 to 100,000");
        }
        if !(1..=1 << 16).contains(&self.batch) {
            return wrong("the batch", self.batch.to_string(), "it must be 1 to 65,536 rows");
        }
        if !(self.rate > 0.0 && self.rate <= 10.0) {
            let value = self.rate.to_string();
            return wrong("the learning rate", value, "it must be above 0 and 10 at most");
        }
        let Augmentation { round_trip, shift, loss, cut } = self.augmentation;
        for share in [round_trip, shift, loss, cut] {
            if !(0.0..=1.0).contains(&share) {
                return wrong("a share of changed rows", share.to_string(), "it must be 0 to 1");
            }
        }
        Ok(ValidNetParams(self))
    }
}

impl ValidNetParams {
    /// A network that has learnt nothing: its form and scale from the rows, its parameters drawn from the seed.
    ///
    /// # Errors
    /// As [`Training::check`]; [`Error::NoPackets`] for convolutions on a table without packets; [`Error::TooMany`] parameters.
    pub fn begin(
        &self,
        schema: &Schema,
        training: &Training<'_>,
        seed: u64,
    ) -> Result<Network, Error> {
        training.check()?;
        let found = self.sequences(schema, training)?;
        self.drawn(Inputs::fit(training.columns, training.rows, found), training.classes, seed)
    }

    /// The same on a scale that sums tell, as sites have it that add up theirs; the rows tell the form only.
    ///
    /// # Errors
    /// As [`ValidNetParams::begin`]; [`Error::ColumnCount`] when the sums are of other columns.
    pub fn begin_on(
        &self,
        statistics: &Statistics,
        schema: &Schema,
        training: &Training<'_>,
        seed: u64,
    ) -> Result<Network, Error> {
        training.check()?;
        let (found, expected) = (statistics.features(), training.columns.len());
        if found != expected {
            return Err(Error::ColumnCount { found, expected });
        }
        let found = self.sequences(schema, training)?;
        self.drawn(Inputs::from_statistics(statistics, found), training.classes, seed)
    }

    fn sequences(&self, schema: &Schema, training: &Training<'_>) -> Result<Vec<Sequence>, Error> {
        match self.0.kind {
            NetKind::Mlp => Ok(Vec::new()),
            NetKind::Cnn => match sequences(schema, training.columns, training.rows) {
                found if found.is_empty() => Err(Error::NoPackets),
                found => Ok(found),
            },
        }
    }

    fn drawn(&self, inputs: Inputs, classes: usize, seed: u64) -> Result<Network, Error> {
        let params = &self.0;
        let hidden = params.hidden.clone();
        let architecture = match params.kind {
            NetKind::Mlp => Architecture::Mlp(Mlp { inputs: inputs.scalars(), hidden, classes }),
            NetKind::Cnn => Architecture::Cnn(Cnn {
                channels: inputs.channels(),
                length: inputs.length(),
                scalars: inputs.scalars(),
                width: params.width,
                blocks: params.blocks,
                hidden,
                classes,
            }),
        };
        let slices = architecture.slices();
        let found = slices.last().map_or(0, |slice| slice.range().end);
        if found > PARAMETERS_MAX {
            return Err(Error::TooMany { what: "parameters", found, limit: PARAMETERS_MAX });
        }
        Ok(Network::drawn(inputs, architecture, seed))
    }

    /// Fits a network; `epoch_done` is called each time when all rows were seen.
    ///
    /// # Errors
    /// As [`ValidNetParams::begin`] and [`ValidNetParams::local`].
    pub fn fit(
        &self,
        schema: &Schema,
        training: &Training<'_>,
        seed: u64,
        epoch_done: &(dyn Fn() + Sync),
    ) -> Result<Network, Error> {
        let mut network = self.begin(schema, training, seed)?;
        let mut local = self.local(&network, training, Optimizer::adam_w(), seed)?;
        let steps_each = local.steps_of_epoch();
        let epochs = self.epochs_of(training.rows.len());
        let steps = (epochs * steps_each) as f32;
        for step in 0..epochs * steps_each {
            let rate = self.0.rate * height(step as f32 / steps);
            local.step(&mut network, rate, &mut |_, _| ());
            if (step + 1) % steps_each == 0 {
                epoch_done();
            }
        }
        Ok(network)
    }

    /// What trains a network further on some rows.
    ///
    /// # Errors
    /// As [`Training::check`]; when the rows are of another form than the network; [`Error::NoGpu`].
    pub fn local<'a>(
        &self,
        network: &Network,
        training: &Training<'a>,
        optimizer: Optimizer,
        seed: u64,
    ) -> Result<LocalTraining<'a>, Error> {
        LocalTraining::new(network, training, self, optimizer, seed)
    }

    /// How often every row is seen.
    #[must_use]
    pub fn epochs_of(&self, rows: usize) -> usize {
        let steps_each = rows.div_ceil(self.batch_of(rows)).max(1);
        let usual = (STEPS_GOAL / steps_each).clamp(*EPOCHS.start(), *EPOCHS.end());
        self.0.epochs.unwrap_or(usual)
    }

    /// Rows of a step: an eighth of the rows at most, but eight.
    pub(super) fn batch_of(&self, rows: usize) -> usize {
        self.0.batch.min((rows / 8).max(8))
    }

    pub(super) fn dropout(&self) -> f32 {
        self.0.dropout
    }

    pub(super) fn is_balanced(&self) -> bool {
        self.0.balanced
    }

    pub(super) fn device(&self) -> Device {
        self.0.device
    }

    pub(super) fn augmentation(&self) -> Augmentation {
        self.0.augmentation
    }
}

/// The learning rate as a share of its height, after a share of the steps: up along a line, down along a cosine.
fn height(done: f32) -> f32 {
    if done < RISE {
        return (done + 0.01) / (RISE + 0.01);
    }
    let fallen = (done - RISE) / (1.0 - RISE);
    0.5 * (1.0 + (std::f32::consts::PI * fallen).cos())
}
