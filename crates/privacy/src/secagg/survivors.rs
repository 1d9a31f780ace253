//! Which clients' masked updates are in the sum.

use super::error::Error;
use super::round::{ClientId, Round};
use super::wire::{Body, Kind, Reader, Writer};

/// The set of survivors, a bit for each client of the cohort: nobody can be both a survivor and lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivors {
    bits: Vec<u8>,
}

impl Survivors {
    pub(super) fn of(round: &Round, clients: impl Iterator<Item = ClientId>) -> Self {
        let mut bits = vec![0; round.cohort().div_ceil(8)];
        for client in clients {
            bits[client.place() / 8] |= 1 << (client.place() % 8);
        }
        Self { bits }
    }

    /// Whether a client survived.
    #[must_use]
    pub fn contains(&self, client: ClientId) -> bool {
        let byte = self.bits.get(client.place() / 8).copied().unwrap_or(0);
        byte >> (client.place() % 8) & 1 == 1
    }

    /// The survivors, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = ClientId> {
        (0..self.bits.len() as u32 * 8).map(ClientId).filter(|&client| self.contains(client))
    }

    /// What a client signs to say that it was shown this set.
    pub(super) fn signed(&self, round: &Round) -> Vec<u8> {
        [b"flowgait secagg survivors", &round.context()[..], &self.bits].concat()
    }
}

impl Body for Survivors {
    const KIND: Kind = Kind::Survivors;

    fn body_len(&self) -> usize {
        self.bits.len()
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.slice(&self.bits)
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        let read = Self { bits: reader.slice(round.cohort().div_ceil(8))?.to_vec() };
        if read.iter().any(|client| client.place() >= round.cohort()) {
            return Err(reader.malformed("a bit beyond the cohort is set"));
        }
        Ok(read)
    }
}
