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

use crate::error::Error;
use crate::ledger::Entry;
use crate::simulation::{Round, Simulation};

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
/// As [`Simulation::round`], when the folder cannot be written, and what `after` gives.
pub fn run<E: From<Error>>(
    simulation: &mut Simulation<'_>,
    rounds: u64,
    control: &Control,
    mut folder: Option<&mut Folder>,
    mut after: impl FnMut(&Simulation<'_>, &Round) -> Result<(), E>,
) -> Result<Ended, E> {
    while simulation.coordinator().round() < rounds {
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
            folder.keep(&State::of(simulation), entry(simulation, &round))?;
        }
    }
    Ok(Ended::Done)
}

/// A round as the ledger has it.
fn entry(simulation: &Simulation<'_>, round: &Round) -> Entry {
    let coordinator = simulation.coordinator();
    let plan = coordinator.plan();
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
        model: crate::ledger::digest(&coordinator.parameters()),
        previous: String::new(),
    }
}
