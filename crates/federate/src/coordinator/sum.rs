//! Contributions as they are added up: as they are, or in whole steps of a grid.
//!
//! Plain sums round, so they are made in the order of the clients, as soon as nobody before is still waited for. Whole steps do not.

use std::collections::BTreeMap;

use flowgait_privacy::Error as PrivacyError;
use rand::CryptoRng;
use rayon::prelude::*;

use super::guard::{Counting, Guard, Paid};
use super::plan::ValidPlan;
use crate::error::{Error, Refusal};
use crate::spare::Spare;
use crate::update::{Contribution, SummedUpdate, all_finite};

/// Contributions that are added at once, so that each thread has a stretch of numbers to itself.
const FOLD: usize = 32;
/// Numbers of a stretch.
const STRETCH: usize = 2_048;

pub(super) enum Sum {
    Plain {
        sum: SummedUpdate,
        pending: BTreeMap<u32, Contribution>,
    },
    Counted {
        counting: Counting,
        entries: usize,
        sum: Vec<i64>,
    },
    /// All of them, for a rule that must see each.
    Kept {
        length: usize,
        kept: BTreeMap<u32, Vec<f32>>,
    },
}

impl Sum {
    pub(super) fn plain(length: usize) -> Self {
        Self::Plain { sum: SummedUpdate::new(length), pending: BTreeMap::new() }
    }

    pub(super) fn counted(entries: usize, counting: Counting) -> Self {
        let sum = vec![0; counting.count(entries)];
        Self::Counted { counting, entries, sum }
    }

    pub(super) fn kept(length: usize) -> Self {
        Self::Kept { length, kept: BTreeMap::new() }
    }

    fn length(&self) -> usize {
        match self {
            Self::Plain { sum, .. } => sum.sum.len(),
            Self::Counted { entries, .. } => *entries,
            Self::Kept { length, .. } => *length,
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
                check_finite(&contribution.values)?;
                pending.insert(contribution.client, contribution);
            }
            Self::Kept { kept, .. } => {
                check_finite(&contribution.values)?;
                kept.insert(contribution.client, contribution.values);
            }
            Self::Counted { counting: Counting::Grid(grid), sum, .. } => {
                let counted = grid.count(&contribution.values).map_err(|error| match error {
                    PrivacyError::NotFinite { at, value } => Refusal::NotFinite { at, value },
                    _ => Refusal::TooLong { clip_norm: grid.clip_norm().get() },
                })?;
                sum.iter_mut().zip(counted).for_each(|(sum, count)| *sum += count);
            }
            Self::Counted { .. } => return Err(Refusal::Unmasked),
        }
        Ok(())
    }

    /// Takes a sum that was made elsewhere, without a look at its parts.
    pub(super) fn take_sum(&mut self, entries: Vec<i64>) -> Result<(), Error> {
        match self {
            Self::Counted { sum, .. } if sum.len() == entries.len() => {
                *sum = entries;
                Ok(())
            }
            _ => Err(Error::State {
                why: "a secure sum of another form than the round's".to_owned(),
            }),
        }
    }

    /// Adds what lies before the first client that is still waited for, and all where nobody is; its room is to spare then.
    pub(super) fn fold_before(&mut self, waiting: Option<u32>, spare: &Spare) {
        let Self::Plain { sum, pending } = self else { return };
        let ready = match waiting {
            Some(first) => pending.range(..first).count(),
            None => pending.len(),
        };
        if ready == 0 || (waiting.is_some() && ready < FOLD) {
            return;
        }
        let rest = waiting.map_or_else(BTreeMap::new, |first| pending.split_off(&first));
        let folded: Vec<Contribution> = std::mem::replace(pending, rest).into_values().collect();
        sum.sum.par_chunks_mut(STRETCH).enumerate().for_each(|(stretch, sum)| {
            for contribution in &folded {
                let values = &contribution.values[stretch * STRETCH..];
                let weight = contribution.weight;
                sum.iter_mut().zip(values).for_each(|(sum, v)| *sum += weight * f64::from(*v));
            }
        });
        sum.weight += folded.iter().map(|contribution| contribution.weight).sum::<f64>();
        sum.clients += folded.len();
        folded.into_iter().for_each(|contribution| spare.give(contribution.values));
    }

    /// What a round of so many clients came to: the sum; the sum under noise, whose weight is how many clients are asked on average;
    /// or what a rule makes of single updates, which weighs 1.
    pub(super) fn finish(
        self,
        clients: usize,
        plan: &ValidPlan,
        paid: Option<(&Guard, Paid)>,
        rng: &mut impl CryptoRng,
    ) -> Result<SummedUpdate, Error> {
        match (self, paid) {
            (Self::Plain { sum, .. }, _) => Ok(sum),
            (Self::Counted { counting, sum, .. }, Some((guard, paid))) => {
                let (sum, weight) = guard.release(&counting, sum, clients, paid, rng)?;
                Ok(SummedUpdate { sum, weight, clients })
            }
            (Self::Counted { counting: Counting::Grid(grid), sum, .. }, None) => {
                Ok(SummedUpdate { sum: grid.value(&sum), weight: clients as f64, clients })
            }
            (Self::Counted { .. }, None) => {
                Err(Error::State { why: "a sum under noise was not paid for".to_owned() })
            }
            (Self::Kept { kept, .. }, _) => {
                let updates: Vec<&[f32]> = kept.values().map(Vec::as_slice).collect();
                let rule = plan.robust(clients)?.expect("invariant: kept for a rule");
                let update = rule.combine(&updates)?.update;
                let sum = update.into_iter().map(f64::from).collect();
                Ok(SummedUpdate { sum, weight: 1.0, clients })
            }
        }
    }
}

fn check_finite(values: &[f32]) -> Result<(), Refusal> {
    if all_finite(values) {
        return Ok(());
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(Refusal::NotFinite { at, value: values[at] }),
        None => Ok(()),
    }
}
