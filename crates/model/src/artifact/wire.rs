//! Numbers and texts in a model file; reading checks every length against what is left.

use crate::error::Error;

/// Writes a model file into memory.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.octets(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.octets(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.octets(&value.to_le_bytes());
    }

    pub(crate) fn f32(&mut self, value: f32) {
        self.octets(&value.to_le_bytes());
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).expect("invariant: counts of a model are below 2^32"));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.octets(text.as_bytes());
    }

    pub(crate) fn section(&mut self, tag: [u8; 4], content: impl FnOnce(&mut Self)) {
        self.octets(&tag);
        let at = self.0.len();
        self.octets(&[0; 8]);
        content(self);
        let length = (self.0.len() - at - 8) as u64;
        self.0[at..at + 8].copy_from_slice(&length.to_le_bytes());
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a part of a model file.
pub(crate) struct Reader<'a> {
    left: &'a [u8],
    /// Where `left` begins in the file.
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes, offset: 0 }
    }

    /// An error at the place reached.
    pub(crate) fn refuse(&self, reason: &str) -> Error {
        Error::Artifact { offset: self.offset, reason: reason.into() }
    }

    pub(crate) fn octets(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let Some((octets, left)) = self.left.split_at_checked(count) else {
            let left = self.left.len();
            return Err(self.refuse(&format!("{count} octets are announced, {left} are left")));
        };
        self.left = left;
        self.offset += count;
        Ok(octets)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        Ok(self.octets(N)?.try_into().expect("invariant: as many octets as asked for"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A count of things that take at least so many octets each.
    pub(crate) fn count(&mut self, octets_each: usize) -> Result<usize, Error> {
        let count = self.u32()? as usize;
        if count.saturating_mul(octets_each) > self.left.len() {
            let left = self.left.len();
            return Err(self.refuse(&format!(
                "{count} items of {octets_each} octets or more are announced, {left} octets are left"
            )));
        }
        Ok(count)
    }

    /// So many fixed-size things.
    pub(crate) fn arrays<const N: usize>(&mut self, count: usize) -> Result<&'a [[u8; N]], Error> {
        let octets = self.octets(count.saturating_mul(N))?;
        Ok(octets.as_chunks().0)
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        let length = self.u32()? as usize;
        let at = self.offset;
        let octets = self.octets(length)?;
        let text = str::from_utf8(octets);
        text.map(String::from)
            .map_err(|_| Error::Artifact { offset: at, reason: "a text is not UTF-8".into() })
    }

    /// A part of what is left, as a reader of its own.
    pub(crate) fn part(&mut self, length: u64) -> Result<Self, Error> {
        let offset = self.offset;
        let octets = self.octets(usize::try_from(length).unwrap_or(usize::MAX))?;
        Ok(Self { left: octets, offset })
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.offset += self.left.len();
        std::mem::take(&mut self.left)
    }

    pub(crate) fn skip(&mut self) {
        self.rest();
    }

    /// Refuses what nobody read.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        match self.left.len() {
            0 => Ok(()),
            left => Err(self.refuse(&format!("{left} octets too many"))),
        }
    }
}
