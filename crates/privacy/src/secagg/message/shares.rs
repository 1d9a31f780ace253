//! Sealed shares on their way to the server, and from there to who may open them.

use super::super::error::Error;
use super::super::round::{ClientId, Round};
use super::super::seal::SEALED_LEN;
use super::super::share::ShareChecks;
use super::super::wire::{Body, Kind, Reader, Writer};

/// A client's shares, one pair for each neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    pub(in super::super) client: ClientId,
    pub(in super::super) shares: Vec<SealedShare>,
}

/// A pair of shares for one neighbour, and by what the server will know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedShare {
    pub(in super::super) to: ClientId,
    pub(in super::super) checks: ShareChecks,
    pub(in super::super) sealed: [u8; SEALED_LEN],
}

const SEALED_SHARE_LEN: usize = 4 + 64 + SEALED_LEN;

impl Body for Shares {
    const KIND: Kind = Kind::Shares;

    fn body_len(&self) -> usize {
        4 + 2 + self.shares.len() * SEALED_SHARE_LEN
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.client(self.client).list(&self.shares, |writer, share| {
            writer.client(share.to).slice(&share.checks.to_bytes()).slice(&share.sealed)
        })
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        let client = reader.client(round)?;
        let shares = reader.list(round, |reader| {
            let (to, checks, sealed) = read_share(round, reader)?;
            Ok(SealedShare { to, checks, sealed })
        })?;
        Ok(Self { client, shares })
    }
}

/// The shares that a client's neighbours sealed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    pub(in super::super) shares: Vec<InboxShare>,
}

/// A pair of shares from one neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxShare {
    pub(in super::super) from: ClientId,
    pub(in super::super) checks: ShareChecks,
    pub(in super::super) sealed: [u8; SEALED_LEN],
}

impl Body for Inbox {
    const KIND: Kind = Kind::Inbox;

    fn body_len(&self) -> usize {
        2 + self.shares.len() * SEALED_SHARE_LEN
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.list(&self.shares, |writer, share| {
            writer.client(share.from).slice(&share.checks.to_bytes()).slice(&share.sealed)
        })
    }

    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error> {
        let shares = reader.list(round, |reader| {
            let (from, checks, sealed) = read_share(round, reader)?;
            Ok(InboxShare { from, checks, sealed })
        })?;
        Ok(Self { shares })
    }
}

fn read_share(
    round: &Round,
    reader: &mut Reader,
) -> Result<(ClientId, ShareChecks, [u8; SEALED_LEN]), Error> {
    let client = reader.client(round)?;
    let checks = ShareChecks { seed: reader.array()?, key: reader.array()? };
    Ok((client, checks, reader.array()?))
}
