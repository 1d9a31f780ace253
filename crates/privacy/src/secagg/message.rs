//! What clients and server say to each other, in the order in which they say it.

mod advert;
mod reveal;
mod shares;

pub use advert::{Advert, Neighbourhood};
pub use reveal::Reveal;
pub(super) use reveal::Revealed;
pub use shares::{Inbox, Shares};
pub(super) use shares::{InboxShare, SealedShare};

use ed25519_dalek::Signature;

use super::error::Error;
use super::ring::{pack, packed_len, unpack};
use super::round::{ClientId, Round};
use super::wire::{Body, Kind, Reader, Writer};

/// A message as bytes, and back.
pub trait Message: Body {
    /// How many bytes [`Self::to_bytes`] gives.
    #[must_use]
    fn encoded_len(&self) -> usize {
        1 + self.body_len()
    }

    /// As bytes on their way.
    #[must_use]
    fn to_bytes(&self) -> Vec<u8> {
        self.write(Writer::new(Self::KIND, self.encoded_len())).finish()
    }

    /// From bytes that anybody may have sent. Whether the message is true is checked by who receives it.
    ///
    /// # Errors
    /// [`Error::Malformed`] for whatever [`Self::to_bytes`] could not have given in this round. Memory is set aside only
    /// for what is there.
    fn from_bytes(round: &Round, bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(Self::KIND, bytes)?;
        let read = Self::read(round, &mut reader)?;
        reader.finish(read)
    }
}

impl<B: Body> Message for B {}

/// A client's update under its masks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedUpdate {
    pub(super) client: ClientId,
    pub(super) bits: u32,
    pub(super) elements: Vec<u32>,
}

impl Body for MaskedUpdate {
    const KIND: Kind = Kind::MaskedUpdate;

    fn body_len(&self) -> usize {
        4 + packed_len(self.elements.len(), self.bits)
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.client(self.client).slice(&pack(&self.elements, self.bits))
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        let client = reader.client(round)?;
        let (entries, bits) = (round.entries(), round.ring().bits());
        let packed = reader.slice(packed_len(entries, bits))?;
        let elements = unpack(packed, entries, bits);
        let elements = elements.ok_or_else(|| reader.malformed("a bit after the last is set"))?;
        Ok(Self { client, bits, elements })
    }
}

/// A client's signature on the survivors that it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub(super) client: ClientId,
    pub(super) signature: Signature,
}

const CONFIRMATION_LEN: usize = 4 + Signature::BYTE_SIZE;

impl Body for Confirmation {
    const KIND: Kind = Kind::Confirmation;

    fn body_len(&self) -> usize {
        CONFIRMATION_LEN
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.client(self.client).slice(&self.signature.to_bytes())
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        let client = reader.client(round)?;
        Ok(Self { client, signature: Signature::from_bytes(&reader.array()?) })
    }
}

/// What a client's neighbours signed: with it comes the one request to unmask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmations {
    pub(super) confirmations: Vec<Confirmation>,
}

impl Body for Confirmations {
    const KIND: Kind = Kind::Confirmations;

    fn body_len(&self) -> usize {
        2 + self.confirmations.len() * CONFIRMATION_LEN
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.list(&self.confirmations, |writer, each| each.write(writer))
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        let confirmations = reader.list(round, |reader| Confirmation::read(round, reader))?;
        Ok(Self { confirmations })
    }
}
