//! Contributions as they are added up: as they are, or in whole steps of a grid.
//!
//! Plain sums round, so they are made in the order of the clients, as soon as nobody before is still waited for. Whole steps do not.

use std::collections::BTreeMap;

use flowgait_privacy::Error as PrivacyError;
use flowgait_privacy::grid::Grid;
use rand::CryptoRng;
use rayon::prelude::*;

use super::plan::{Guard, Paid};
use crate::error::{Error, Refusal};
use crate::update::{Contribution, SummedUpdate};

/// Contributions that are added at once, so that each thread has a stretch of numbers to itself.
const FOLD: usize = 32;
/// Numbers of a stretch.
const STRETCH: usize = 2_048;

pub(super) enum Sum {
    Plain { sum: SummedUpdate, pending: BTreeMap<u32, Contribution> },
    Grid { grid: Grid, sum: Vec<i64> },
}

impl Sum {
    pub(super) fn plain(length: usize) -> Self {
        Self::Plain { sum: SummedUpdate::new(length), pending: BTreeMap::new() }
    }

    pub(super) fn on_grid(length: usize, grid: Grid) -> Self {
        Self::Grid { grid, sum: vec![0; length] }
    }

    fn length(&self) -> usize {
        match self {
            Self::Plain { sum, .. } => sum.sum.len(),
            Self::Grid { sum, .. } => sum.len(),
        }
    }

    /// Takes a contribution, if it can be used.
    pub(super) fn take(&mut self, contribution: Contribution) -> Result<(), Refusal> {
        let (found, expected) = (contribution.values.len(), self.length());
        if found != expected {
            return Err(Refusal::Length { found, expected });
        }
        let weight = contribution.weight;
        if !(weight.is_finite() && weight > 0.0) {
            return Err(Refusal::Weight { weight });
        }
        match self {
            Self::Plain { pending, .. } => {
                let values = &contribution.values;
                if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                    return Err(Refusal::NotFinite { at, value: values[at] });
                }
                pending.insert(contribution.client, contribution);
            }
            Self::Grid { grid, sum } => {
                let counted = grid.count(&contribution.values).map_err(|error| match error {
                    PrivacyError::NotFinite { at, value } => Refusal::NotFinite { at, value },
                    _ => Refusal::TooLong { clip_norm: grid.clip_norm().get() },
                })?;
                sum.iter_mut().zip(counted).for_each(|(sum, count)| *sum += count);
            }
        }
        Ok(())
    }

    /// Adds what lies before the first client that is still waited for, and all where nobody is.
    pub(super) fn fold_before(&mut self, waiting: Option<u32>) {
        let Self::Plain { sum, pending } = self else { return };
        let ready = match waiting {
            Some(first) => pending.range(..first).count(),
            None => pending.len(),
        };
        if ready == 0 || (waiting.is_some() && ready < FOLD) {
            return;
        }
        let rest = waiting.map_or_else(BTreeMap::new, |first| pending.split_off(&first));
        let folded: Vec<Contribution> =
            std::mem::replace(pending, rest).into_values().collect();
        sum.sum.par_chunks_mut(STRETCH).enumerate().for_each(|(stretch, sum)| {
            for contribution in &folded {
                let values = &contribution.values[stretch * STRETCH..];
                let weight = contribution.weight;
                sum.iter_mut().zip(values).for_each(|(sum, v)| *sum += weight * f64::from(*v));
            }
        });
        sum.weight += folded.iter().map(|contribution| contribution.weight).sum::<f64>();
        sum.clients += folded.len();
    }

    /// The sum of what was folded.
    pub(super) fn plain_sum(self, survivors: usize) -> SummedUpdate {
        match self {
            Self::Plain { sum, .. } => sum,
            Self::Grid { grid, sum } => {
                let weight = survivors as f64;
                SummedUpdate { sum: grid.value(&sum), weight, clients: survivors }
            }
        }
    }

    /// The sum under noise; its weight is how many clients are asked on average.
    pub(super) fn noised(
        self,
        guard: &Guard,
        paid: Paid,
        survivors: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<SummedUpdate, Error> {
        match self {
            Self::Grid { mut sum, .. } => {
                let sum = guard.add_noise(&mut sum, paid, rng)?;
                Ok(SummedUpdate { sum, weight: guard.expected(), clients: survivors })
            }
            plain @ Self::Plain { .. } => Ok(plain.plain_sum(survivors)),
        }
    }
}
