//! What a federation is held against: the most frequent class, one place that has all rows, and clients that learn alone.

use flowgait_model::baseline::Majority;
use flowgait_model::metrics::Scores;
use rayon::prelude::*;

use crate::error::Error;
use crate::homes::{HeldOut, Homes};
use crate::learner::Learner;
use crate::measure::{Measured, common, measured, scores};
use crate::network::NetLearner;

/// Always the class that most of the clients' rows to learn from have; `None` where nobody has rows.
///
/// # Errors
/// As [`Majority::fit`] but for that.
pub fn majority(homes: &Homes, held_out: &HeldOut) -> Result<Option<Measured>, Error> {
    let learnt = homes.all_rows();
    if learnt.is_empty() {
        return Ok(None);
    }
    let majority = Majority::fit(&homes.training(&learnt))?;
    let rows = held_out.rows();
    let scores = match rows.as_slice() {
        [] => None,
        rows => Some(scores(homes, rows, &majority.probabilities(rows.len()))?),
    };
    let answer = |rows: &[u32]| Ok(majority.probabilities(rows.len()));
    measured(homes, held_out, scores, answer).map(Some)
}

/// All rows in one place, learnt by the same network for as many rounds.
///
/// `learner` is one whose only client has all rows.
///
/// # Errors
/// As the network.
pub fn central(
    homes: &Homes,
    held_out: &HeldOut,
    learner: &NetLearner<'_>,
    rounds: u64,
    seed: u64,
) -> Result<Measured, Error> {
    let mut values = learner.start().to_vec();
    for round in 0..rounds {
        learner.learn(0, seed.wrapping_add(round), &mut values, &mut |_, _| ())?;
    }
    common(homes, held_out, learner, &values)
}

/// Each client alone, for as many rounds: its accuracy on its own rows, and the mean over clients of each score on the common rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// Accuracy on each client's own rows.
    pub clients: Vec<Option<f64>>,
    /// Mean accuracy on the common rows.
    pub accuracy: f64,
    /// Mean macro-F1 on the common rows.
    pub f1_macro: f64,
    /// Mean log loss there.
    pub log_loss: f64,
}

/// Clients that learn alone; `None` where nobody has rows, or none are held out.
///
/// # Errors
/// As the network.
pub fn local(
    homes: &Homes,
    held_out: &HeldOut,
    learner: &NetLearner<'_>,
    rounds: u64,
    seed: u64,
) -> Result<Option<Local>, Error> {
    let rows = held_out.rows();
    let alone = |client: usize| -> Result<Option<(Option<f64>, Scores)>, Error> {
        if homes.rows[client].is_empty() || rows.is_empty() {
            return Ok(None);
        }
        let mut values = learner.start().to_vec();
        for round in 0..rounds {
            let seed = seed.wrapping_add(round);
            learner.learn(client as u32, seed, &mut values, &mut |_, _| ())?;
        }
        let all = scores(homes, &rows, &learner.answer(&values, &rows)?)?;
        let own = match held_out.of_clients[client].as_slice() {
            [] => None,
            own => Some(scores(homes, own, &learner.answer(&values, own)?)?.accuracy),
        };
        Ok(Some((own, all)))
    };
    let found: Result<Vec<_>, Error> = (0..homes.rows.len()).into_par_iter().map(alone).collect();
    let found = found?;
    let judged: Vec<_> = found.iter().flatten().collect();
    if judged.is_empty() {
        return Ok(None);
    }
    let mean = |of: fn(&Scores) -> f64| {
        judged.iter().map(|(_, all)| of(all)).sum::<f64>() / judged.len() as f64
    };
    Ok(Some(Local {
        clients: found.iter().map(|judged| judged.and_then(|(own, ..)| own)).collect(),
        accuracy: mean(|all| all.accuracy),
        f1_macro: mean(|all| all.f1_macro),
        log_loss: mean(|all| all.log_loss),
    }))
}
