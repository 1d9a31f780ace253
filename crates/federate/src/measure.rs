//! How good parameters are, for all and for each client.

use flowgait_model::Probabilities;
use flowgait_model::metrics::{Answers, Scores};
use rayon::prelude::*;

use crate::client::{Memory, Personal, own_parts};
use crate::error::Error;
use crate::homes::{HeldOut, Homes};
use crate::network::NetLearner;

/// How good parameters are.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Scores on the common rows; none without rows.
    pub scores: Option<Scores>,
    /// Accuracy on each client's own rows; none for a client without any.
    pub clients: Vec<Option<f64>>,
    /// `[client][class]`: share of the client's own rows of the class that were answered rightly; none without such rows. Empty where
    /// these would be more than [`RECALLS_MAX`].
    pub recalls: Vec<Vec<Option<f64>>>,
}

/// Most recalls that are told of a round, of all clients together.
pub const RECALLS_MAX: usize = 2_000;

impl Measured {
    /// The worst, the median and the best client.
    #[must_use]
    pub fn spread(&self) -> Option<[f64; 3]> {
        spread(&self.clients)
    }
}

/// The least, the median and the greatest of some values.
#[must_use]
pub fn spread(values: &[Option<f64>]) -> Option<[f64; 3]> {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let middle = sorted.len() / 2;
    let median = match sorted.len() % 2 {
        0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    };
    Some([first, median, last])
}

/// Judges one set of parameters for all.
///
/// # Errors
/// As the network.
pub fn common(
    homes: &Homes,
    held_out: &HeldOut,
    learner: &NetLearner<'_>,
    values: &[f32],
) -> Result<Measured, Error> {
    let rows = held_out.rows();
    let scores = match rows.as_slice() {
        [] => None,
        rows => Some(scores(homes, rows, &learner.answer(values, rows)?)?),
    };
    let network = learner.with(values);
    measured(homes, held_out, scores, |rows| learner.answer_with(&network, rows))
}

/// The scores on common rows with each client's accuracy on its own, and its recalls there as far as they are told.
pub(crate) fn measured(
    homes: &Homes,
    held_out: &HeldOut,
    scores: Option<Scores>,
    answer: impl Fn(&[u32]) -> Result<Probabilities, Error> + Sync,
) -> Result<Measured, Error> {
    let tells = held_out.of_clients.len() * homes.classes <= RECALLS_MAX;
    let of_client = |rows: &Vec<u32>| -> Result<(Option<f64>, Vec<Option<f64>>), Error> {
        if rows.is_empty() {
            return Ok((None, if tells { vec![None; homes.classes] } else { Vec::new() }));
        }
        let said = answer(rows)?;
        let recalls = if tells { recalls(homes, rows, &said) } else { Vec::new() };
        Ok((Some(accuracy(homes, rows, &said)), recalls))
    };
    let found: Result<Vec<_>, Error> = held_out.of_clients.par_iter().map(of_client).collect();
    let (clients, recalls): (_, Vec<_>) = found?.into_iter().unzip();
    Ok(Measured { scores, clients, recalls: if tells { recalls } else { Vec::new() } })
}

/// Of some rows, the share of each class that is answered rightly.
fn recalls(homes: &Homes, rows: &[u32], said: &Probabilities) -> Vec<Option<f64>> {
    let mut counts = vec![[0_u32; 2]; homes.classes];
    for (at, &row) in rows.iter().enumerate() {
        let truth = homes.codes[row as usize];
        let [right, all] = &mut counts[truth as usize];
        *right += u32::from(said.best(at) == truth);
        *all += 1;
    }
    let share = |[right, all]: [u32; 2]| (all > 0).then(|| f64::from(right) / f64::from(all));
    counts.into_iter().map(share).collect()
}

/// Judges each client's own model on its own rows; none where nothing is its own.
///
/// # Errors
/// As the network.
pub fn personal(
    homes: &Homes,
    held_out: &HeldOut,
    learner: &NetLearner<'_>,
    values: &[f32],
    personal: &Personal,
    memories: &[Memory],
) -> Result<Option<Vec<Option<f64>>>, Error> {
    if *personal == Personal::Nothing {
        return Ok(None);
    }
    let of_client = |(rows, memory): (&Vec<u32>, &Memory)| {
        if rows.is_empty() {
            return Ok(None);
        }
        let mut own = values.to_vec();
        match personal {
            Personal::Parts(parts) => own_parts(&mut own, parts, &memory.personal),
            _ if memory.personal.len() == own.len() => own.copy_from_slice(&memory.personal),
            _ => {}
        }
        Ok(Some(accuracy(homes, rows, &learner.answer(&own, rows)?)))
    };
    let clients: Result<Vec<Option<f64>>, Error> =
        held_out.of_clients.par_iter().zip(memories).map(of_client).collect();
    clients.map(Some)
}

/// Scores of answers to some rows.
///
/// # Errors
/// None for what a network answers; as [`Answers::of`] for anything else.
pub fn scores(homes: &Homes, rows: &[u32], said: &Probabilities) -> Result<Scores, Error> {
    let truth: Vec<u32> = rows.iter().map(|&row| homes.codes[row as usize]).collect();
    Ok(Scores::of(&Answers::of(&truth, said)?))
}

/// Share of some rows that are answered rightly.
pub(crate) fn accuracy(homes: &Homes, rows: &[u32], said: &Probabilities) -> f64 {
    let right =
        rows.iter().enumerate().filter(|&(at, &row)| said.best(at) == homes.codes[row as usize]);
    right.count() as f64 / rows.len() as f64
}
