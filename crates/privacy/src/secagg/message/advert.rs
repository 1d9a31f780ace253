//! A client's fresh public keys, signed, and those of its neighbours.

use ed25519_dalek::{Signature, Signer, SigningKey};

use super::super::error::Error;
use super::super::round::{ClientId, Round};
use super::super::wire::{Body, Kind, Reader, Writer};

/// A client's public keys of one round, and a hash of the seed of its own mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advert {
    pub(in super::super) client: ClientId,
    pub(in super::super) mask_key: [u8; 32],
    pub(in super::super) seal_key: [u8; 32],
    pub(in super::super) seed_hash: [u8; 32],
    signature: Signature,
}

const ADVERT_LEN: usize = 4 + 3 * 32 + Signature::BYTE_SIZE;

impl Advert {
    pub(in super::super) fn sign(
        round: &Round,
        client: ClientId,
        [mask_key, seal_key, seed_hash]: [[u8; 32]; 3],
        identity: &SigningKey,
    ) -> Self {
        let signature = Signature::from_bytes(&[0; Signature::BYTE_SIZE]);
        let unsigned = Self { client, mask_key, seal_key, seed_hash, signature };
        Self { signature: identity.sign(&unsigned.signed(round)), ..unsigned }
    }

    /// # Errors
    /// [`Error::Signature`] where it is not that of the client in the roster.
    pub(in super::super) fn verify(&self, round: &Round) -> Result<(), Error> {
        let wrong = |_| Error::Signature { client: self.client, what: "its keys" };
        let identity = round.identity(self.client)?;
        // Weak identities, for which the strict check differs, are not in a roster.
        ed25519_dalek::Verifier::verify(identity, &self.signed(round), &self.signature)
            .map_err(wrong)
    }

    fn signed(&self, round: &Round) -> Vec<u8> {
        let client = self.client.0.to_le_bytes();
        let keys = [&self.mask_key[..], &self.seal_key, &self.seed_hash].concat();
        [b"flowgait secagg advert", &round.context()[..], &client, &keys].concat()
    }
}

impl Body for Advert {
    const KIND: Kind = Kind::Advert;

    fn body_len(&self) -> usize {
        ADVERT_LEN
    }

    fn write(&self, writer: Writer) -> Writer {
        let writer = writer.client(self.client).slice(&self.mask_key).slice(&self.seal_key);
        writer.slice(&self.seed_hash).slice(&self.signature.to_bytes())
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        Ok(Self {
            client: reader.client(round)?,
            mask_key: reader.array()?,
            seal_key: reader.array()?,
            seed_hash: reader.array()?,
            signature: Signature::from_bytes(&reader.array()?),
        })
    }
}

/// The adverts of a client's neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbourhood {
    pub(in super::super) adverts: Vec<Advert>,
}

impl Body for Neighbourhood {
    const KIND: Kind = Kind::Neighbourhood;

    fn body_len(&self) -> usize {
        2 + self.adverts.len() * ADVERT_LEN
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.list(&self.adverts, |writer, advert| advert.write(writer))
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        Ok(Self { adverts: reader.list(round, |reader| Advert::read(round, reader))? })
    }
}
