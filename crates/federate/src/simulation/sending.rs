//! How a contribution goes to the coordinator: as it is, or packed as the round asks.

use crate::coordinator::{Coordinator, Task};
use crate::error::{Error, Refusal};
use crate::stream::{Purpose, stream};
use crate::update::{Contribution, Packed};

/// A contribution on its way.
#[derive(Clone)]
pub(super) enum Sent {
    Plain(Contribution),
    Packed(Packed),
}

impl Sent {
    /// What a client sends; `wrong` is a client whose answer is spoiled on the way: a number that is none, or an octet that is lost.
    ///
    /// # Errors
    /// [`Refusal::NotFinite`] for what cannot be packed.
    pub(super) fn of(
        mut contribution: Contribution,
        task: &Task,
        seed: u64,
        is_wrong: bool,
    ) -> Result<Self, Refusal> {
        let Some(compression) = task.compression else {
            if is_wrong {
                contribution.values[0] = f32::NAN;
            }
            return Ok(Self::Plain(contribution));
        };
        let Contribution { client, round, values, weight } = contribution;
        let mut rng = stream(seed, Purpose::Packing, round, client.into());
        let mut octets = compression.pack(&values, &mut rng).map_err(|error| match error {
            Error::NotFinite { at, value } => Refusal::NotFinite { at, value },
            _ => Refusal::Length { found: values.len(), expected: task.length },
        })?;
        if is_wrong {
            octets.pop();
        }
        Ok(Self::Packed(Packed { client, round, octets, weight }))
    }

    /// How many octets its numbers are.
    pub(super) fn octets(&self) -> u64 {
        match self {
            Self::Plain(contribution) => (contribution.values.len() * size_of::<f32>()) as u64,
            Self::Packed(packed) => packed.octets.len() as u64,
        }
    }

    pub(super) fn give(self, coordinator: &mut Coordinator) -> Result<(), Error> {
        match self {
            Self::Plain(contribution) => coordinator.receive(contribution),
            Self::Packed(packed) => coordinator.receive_packed(packed),
        }
    }
}
