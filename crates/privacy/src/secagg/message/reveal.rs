//! The shares that a client gives away so that the sum can be unmasked.

use super::super::error::Error;
use super::super::round::{ClientId, Round};
use super::super::secret::Secret;
use super::super::share::Half;
use super::super::wire::{Body, Kind, Reader, Writer};

/// One share for each of a client's neighbours: of its seed when it survived, of its key when it was lost.
///
/// Whoever reads it learns shares; it goes to the server over the channel that masked updates go over.
#[derive(Debug, Clone)]
pub struct Reveal {
    pub(in super::super) client: ClientId,
    pub(in super::super) shares: Vec<Revealed>,
}

/// One share.
#[derive(Debug, Clone)]
pub struct Revealed {
    pub(in super::super) owner: ClientId,
    pub(in super::super) half: Half,
    pub(in super::super) share: Secret,
}

impl Body for Reveal {
    const KIND: Kind = Kind::Reveal;

    fn body_len(&self) -> usize {
        4 + 2 + self.shares.len() * (4 + 1 + 32)
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.client(self.client).list(&self.shares, |writer, revealed| {
            let half = u8::from(revealed.half == Half::Key);
            writer.client(revealed.owner).slice(&[half]).slice(revealed.share.as_bytes())
        })
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        let client = reader.client(round)?;
        let shares = reader.list(round, |reader| {
            let owner = reader.client(round)?;
            let half = match reader.array()? {
                [0] => Half::Seed,
                [1] => Half::Key,
                _ => return Err(reader.malformed("there are two halves only")),
            };
            Ok(Revealed { owner, half, share: Secret::from_bytes(reader.array()?) })
        })?;
        Ok(Self { client, shares })
    }
}
