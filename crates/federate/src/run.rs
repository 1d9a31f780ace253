//! A run from its first round to its last: paused, resumed and stopped from outside, and kept in a folder so that it survives being killed.

mod control;
mod folder;
mod lines;
mod state;
mod trees;

pub use control::{Control, Wish};
pub use folder::Folder;
pub use lines::Locked;
pub use state::State;
pub use trees::TreeFolder;

use std::sync::Arc;

use crate::client::Memory;
use crate::coordinator::{Past, ValidPlan};
use crate::error::Error;
use crate::ledger::Entry;
use crate::simulation::Round;

/// What learns round by round in this process.
pub trait Rounds {
    /// Runs the next round.
    ///
    /// # Errors
    /// [`Error::Privacy`] when it would overspend the budget; as the learner.
    fn round(&mut self) -> Result<Round, Error>;

    /// How many rounds were begun.
    fn rounds(&self) -> u64;

    /// The plan.
    fn plan(&self) -> &ValidPlan;

    /// The parameters as clients get them.
    fn parameters(&self) -> Arc<[f32]>;

    /// What each client remembers, where they do.
    fn memories(&self) -> &[Memory];

    /// All that is needed to go on.
    fn state(&self) -> State;

    /// Takes up where another left off.
    ///
    /// # Errors
    /// [`Error::State`] where what was kept is of another shape.
    fn resume(&mut self, past: &[Past], state: State) -> Result<(), Error>;
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// All rounds were run.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// One round more would have overspent the budget; why, in words.
    BudgetSpent(String),
}

/// Runs rounds up to a number of them, and calls `after` when each is over.
///
/// That is before the round is kept: killed between the two, the round is run again and comes to the same, so what `after` wrote of a
/// round that the folder does not tell of is to be taken away, and nothing is ever missing.
///
/// # Errors
/// As [`Rounds::round`], when the folder cannot be written, and what `after` gives.
pub fn run<R: Rounds + ?Sized, E: From<Error>>(
    simulation: &mut R,
    rounds: u64,
    control: &Control,
    mut folder: Option<&mut Folder>,
    mut after: impl FnMut(&R, &Round) -> Result<(), E>,
) -> Result<Ended, E> {
    while simulation.rounds() < rounds {
        if control.wait() == Wish::Stop {
            return Ok(Ended::Stopped);
        }
        let round = match simulation.round() {
            Err(Error::Privacy(spent @ flowgait_privacy::Error::BudgetSpent { .. })) => {
                return Ok(Ended::BudgetSpent(spent.to_string()));
            }
            other => other?,
        };
        after(simulation, &round)?;
        if let Some(folder) = folder.as_deref_mut() {
            folder.keep(simulation.state(), entry(simulation, &round))?;
        }
    }
    Ok(Ended::Done)
}

/// A round as the ledger has it.
fn entry<R: Rounds + ?Sized>(simulation: &R, round: &Round) -> Entry {
    let plan = simulation.plan();
    let is_hidden = plan.hides_cohort();
    let end = &round.end;
    Entry {
        round: end.round,
        cohort: if is_hidden {
            plan.sampling().expected(plan.clients())
        } else {
            end.cohort as f64
        },
        survivors: (!is_hidden).then_some(end.survivors),
        is_done: end.is_done,
        clip_norm: end.clip_norm,
        noise_multiplier: end.noise_multiplier,
        epsilon: end.epsilon,
        model: crate::ledger::digest(&simulation.parameters()),
        previous: String::new(),
    }
}
