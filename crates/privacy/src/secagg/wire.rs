//! Messages as bytes: a byte for the kind, little-endian numbers, and nothing after the end.
//!
//! What is `pub` here is so only because the public trait of messages rests on it; nobody outside can name it.

use super::error::Error;
use super::round::{ClientId, Round};

/// The first byte of each message, so that none is taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Advert = 1,
    Neighbourhood,
    Shares,
    Inbox,
    MaskedUpdate,
    Survivors,
    Confirmation,
    Confirmations,
    Reveal,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Advert => "advert",
            Self::Neighbourhood => "neighbourhood",
            Self::Shares => "shares",
            Self::Inbox => "inbox",
            Self::MaskedUpdate => "masked update",
            Self::Survivors => "survivors",
            Self::Confirmation => "confirmation",
            Self::Confirmations => "confirmations",
            Self::Reveal => "reveal",
        }
    }
}

/// What a message has between its first byte and its end.
pub trait Body: Sized {
    const KIND: Kind;
    fn body_len(&self) -> usize;
    fn write(&self, writer: Writer) -> Writer;
    fn read(round: &Round, reader: &mut Reader) -> Result<Self, Error>;
}

/// Writes one message.
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn new(kind: Kind, len: usize) -> Self {
        let mut bytes = Vec::with_capacity(len);
        bytes.push(kind as u8);
        Self(bytes)
    }

    pub fn slice(mut self, slice: &[u8]) -> Self {
        self.0.extend_from_slice(slice);
        self
    }

    pub fn client(self, client: ClientId) -> Self {
        self.slice(&client.0.to_le_bytes())
    }

    /// A list behind its length.
    pub fn list<T>(self, items: &[T], write: impl Fn(Self, &T) -> Self) -> Self {
        let count = u16::try_from(items.len()).expect("a list has at most 255 items");
        items.iter().fold(self.slice(&count.to_le_bytes()), write)
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads one message and never past its end.
pub struct Reader<'a> {
    kind: Kind,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(kind: Kind, bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Self { kind, bytes, at: 0 };
        let [first] = reader.array()?;
        if first != kind as u8 {
            reader.at = 0;
            return Err(reader.malformed("this is another kind of message"));
        }
        Ok(reader)
    }

    pub fn malformed(&self, reason: &'static str) -> Error {
        Error::Malformed { message: self.kind.name(), at: self.at, reason }
    }

    pub fn slice(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let rest = &self.bytes[self.at..];
        let (slice, _) =
            rest.split_at_checked(len).ok_or_else(|| self.malformed("it ends here"))?;
        self.at += len;
        Ok(slice)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(N)?);
        Ok(array)
    }

    /// A client of the roster.
    pub fn client(&mut self, round: &Round) -> Result<ClientId, Error> {
        let client = ClientId(u32::from_le_bytes(self.array()?));
        if client.place() >= round.cohort() {
            return Err(self.malformed("there is no such client"));
        }
        Ok(client)
    }

    /// A list of no more items than a client has neighbours. Nothing is set aside for items that are not there.
    pub fn list<T>(
        &mut self,
        round: &Round,
        mut read: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let count = usize::from(u16::from_le_bytes(self.array()?));
        if count > round.neighbours() {
            return Err(self.malformed("it lists more than there are neighbours"));
        }
        (0..count).map(|_| read(self)).collect()
    }

    pub fn finish<T>(self, read: T) -> Result<T, Error> {
        if self.at < self.bytes.len() {
            return Err(self.malformed("something follows the end"));
        }
        Ok(read)
    }
}
