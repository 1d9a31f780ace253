//! A client's part of a round: learning on its own rows, and the contribution that it gives.

use std::borrow::Cow;
use std::ops::Range;

use flowgait_privacy::ClipNorm;
use flowgait_privacy::clip::{clip, norm};
use serde::{Deserialize, Serialize};

use crate::coordinator::Task;
use crate::error::Error;
use crate::learner::{Learner, Learnt};
use crate::spare::Spare;
use crate::strategy::{Local, Strategy};
use crate::stream::{Purpose, stream};
use crate::update::{Contribution, all_finite};
use rand_chacha::rand_core::Rng;

/// What a client keeps of its model for itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Personal {
    /// Nothing.
    #[default]
    Nothing,
    /// A whole model of its own that is held near the common one: λ (v − x) is added to each of its gradients.
    ///
    /// # Reference
    /// Li et al., *Ditto: Fair and Robust Federated Learning Through Personalization*, ICML 2021, algorithm 1.
    Ditto {
        /// λ.
        lambda: f32,
    },
    /// Some parts of the model, which never leave it.
    ///
    /// # Reference
    /// Arivazhagan et al., *Federated Learning with Personalization Layers*, 2019 (FedPer).
    Parts(Vec<Range<usize>>),
}

/// What a client remembers from round to round; nobody else sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Its control variate, where the strategy has some.
    pub variate: Vec<f32>,
    /// Its own model, or the parts that are its own.
    pub personal: Vec<f32>,
    /// What it left out of its updates so far, where they are packed.
    pub owed: Vec<f64>,
}

/// Who does a round's work.
#[derive(Clone, Copy)]
pub struct Worker<'a> {
    /// What learns.
    pub learner: &'a dyn Learner,
    /// The strategy, as all know it.
    pub strategy: &'a dyn Strategy,
    /// What stays with the client.
    pub personal: &'a Personal,
    /// The seed of its own chance.
    pub seed: u64,
}

/// What a client did in a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// What it gives.
    pub contribution: Contribution,
    /// How it learnt.
    pub learnt: Learnt,
    /// Whether its update was as short as the clip norm before it was clipped.
    pub is_short: bool,
    /// How long its update was before (L2); none for one that has no length.
    pub norm: Option<f64>,
}

impl Worker<'_> {
    /// Learns, and makes the contribution. Clipping is done here, at the client, before anything leaves it.
    ///
    /// # Errors
    /// As the learner; [`Error::Privacy`] for an update that has no length.
    pub fn work(&self, task: &Task, client: u32, memory: &mut Memory) -> Result<Work, Error> {
        self.work_in(task, client, memory, &Spare::default())
    }

    /// The same in room that is to spare.
    pub(crate) fn work_in(
        &self,
        task: &Task,
        client: u32,
        memory: &mut Memory,
        spare: &Spare,
    ) -> Result<Work, Error> {
        let x = &task.parameters[..];
        let mut y = spare.take();
        y.extend_from_slice(x);
        let mut before = Cow::Borrowed(x);
        if let Personal::Parts(parts) = self.personal {
            own_parts(&mut y, parts, &memory.personal);
            before = Cow::Owned(y.clone());
        }
        let (loss, gradient) = match (self.strategy.asks_loss(), self.strategy.asks_gradient()) {
            (false, false) => (0.0, Vec::new()),
            _ => self.learner.slope(client, &before)?,
        };
        let server_variate = task.variate.as_deref().unwrap_or_default();
        if memory.variate.len() != server_variate.len() {
            memory.variate = vec![0.0; server_variate.len()];
        }
        let mu = self.strategy.proximal();
        let own_variate = &memory.variate;
        let mut correct = |values: &[f32], gradient: &mut [f32]| {
            if mu > 0.0 {
                let pull = values.iter().zip(&*before);
                gradient.iter_mut().zip(pull).for_each(|(g, (y, x))| *g += mu * (y - x));
            }
            let variates = server_variate.iter().zip(own_variate);
            gradient.iter_mut().zip(variates).for_each(|(g, (c, own))| *g += c - own);
        };
        let seed = stream(self.seed, Purpose::Learning, task.round, client.into()).next_u64();
        let learnt = self.learner.learn(client, seed, &mut y, &mut correct)?;
        self.learn_own(client, seed, x, memory)?;
        if let Personal::Parts(parts) = self.personal {
            memory.personal = parts.iter().flat_map(|part| y[part.clone()].to_vec()).collect();
            // What stays at home is no update: the sum moves by nothing there.
            for part in parts {
                y[part.clone()].copy_from_slice(&before[part.clone()]);
            }
        }
        let local = Local {
            before: &before,
            after: &y,
            steps: learnt.steps,
            rate: self.learner.rate(),
            rows: self.learner.rows(client),
            loss,
            gradient: &gradient,
            server_variate,
            client_variate: &memory.variate,
        };
        let renewed = match server_variate {
            [] => Vec::new(),
            _ => self.strategy.renew_variate(&local),
        };
        let mut values = spare.take();
        values.reserve_exact(task.length);
        self.strategy.contribute(&local, &renewed, &mut values);
        spare.give(y);
        memory.variate = renewed;
        if let Some(compression) = task.compression {
            // Before clipping, so that the clip norm holds for what is sent. Privacy is of the client as a whole: what it owes is its own,
            // and whatever it makes of that, it moves each sum by the clip norm at most.
            compression.keep_largest(&mut values, &mut memory.owed)?;
        }
        let length = Some(norm(&values)).filter(|norm| norm.is_finite());
        let is_short = match (task.clip_norm, &task.short_bit) {
            // It has no length, so there is nothing to clip; whoever gets it refuses it, and says whose it was.
            (Some(_), _) if !all_finite(&values) => {
                values.resize(task.length, f32::NAN);
                false
            }
            (Some(clip_norm), Some(bit)) => bit.clip(&mut values, clip_norm)?,
            (Some(clip_norm), None) => clipped(&mut values, clip_norm)?,
            (None, _) => true,
        };
        let rows = self.learner.rows(client).max(1) as f64;
        let weight = if task.weighs_rows { rows } else { 1.0 };
        let contribution = Contribution { client, round: task.round, values, weight };
        Ok(Work { contribution, learnt, is_short, norm: length })
    }

    /// A model of its own learns beside the common one.
    fn learn_own(
        &self,
        client: u32,
        seed: u64,
        x: &[f32],
        memory: &mut Memory,
    ) -> Result<(), Error> {
        let &Personal::Ditto { lambda } = self.personal else { return Ok(()) };
        if memory.personal.len() != x.len() {
            memory.personal = x.to_vec();
        }
        let mut near = |v: &[f32], gradient: &mut [f32]| {
            let pull = v.iter().zip(x);
            gradient.iter_mut().zip(pull).for_each(|(g, (v, x))| *g += lambda * (v - x));
        };
        self.learner.learn(client, seed, &mut memory.personal, &mut near)?;
        Ok(())
    }
}

/// Puts a client's own parts in the place of the common ones; before its first round it has none.
pub(crate) fn own_parts(values: &mut [f32], parts: &[Range<usize>], own: &[f32]) {
    let mut own = own.iter();
    for part in parts {
        values[part.clone()].iter_mut().zip(&mut own).for_each(|(value, own)| *value = *own);
    }
}

fn clipped(values: &mut [f32], clip_norm: ClipNorm) -> Result<bool, Error> {
    Ok(clip(values, clip_norm)? == flowgait_privacy::clip::Clipped::Untouched)
}
