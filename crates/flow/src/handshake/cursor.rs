//! A view of octets that is read from the front and never past the end.

/// The octets not yet read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next `count` octets.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    /// One octet.
    pub(super) fn u8(&mut self) -> Option<u8> {
        let (&head, tail) = self.0.split_first()?;
        self.0 = tail;
        Some(head)
    }

    /// Two octets, big end first.
    pub(super) fn u16(&mut self) -> Option<u16> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(u16::from_be_bytes(*head))
    }

    /// Three octets, big end first.
    pub(super) fn u24(&mut self) -> Option<u32> {
        let (&[a, b, c], tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(u32::from_be_bytes([0, a, b, c]))
    }

    /// Four octets, big end first.
    pub(super) fn u32(&mut self) -> Option<u32> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(u32::from_be_bytes(*head))
    }

    /// Octets that are preceded by their count in one octet.
    pub(super) fn vector8(&mut self) -> Option<&'a [u8]> {
        let count = self.u8()?;
        self.take(usize::from(count))
    }

    /// Octets that are preceded by their count in two octets.
    pub(super) fn vector16(&mut self) -> Option<&'a [u8]> {
        let count = self.u16()?;
        self.take(usize::from(count))
    }

    /// A variable-length integer of QUIC (RFC 9000, section 16).
    pub(super) fn varint(&mut self) -> Option<u64> {
        let first = *self.0.first()?;
        let octets = self.take(1 << (first >> 6))?;
        let value = octets.iter().fold(0, |value, &octet| value << 8 | u64::from(octet));
        Some(value & (u64::MAX >> (66 - 8 * octets.len())))
    }
}

/// The 16-bit integers of `octets`, big end first; a last odd octet is left out.
pub(super) fn integers(octets: &[u8]) -> impl Iterator<Item = u16> {
    octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_the_rfc() {
        // RFC 9000, appendix A.1.
        let check = |octets: &[u8], expected| {
            let mut cursor = Cursor(octets);
            assert_eq!(cursor.varint(), Some(expected));
            assert!(cursor.0.is_empty());
        };
        check(&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652);
        check(&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333);
        check(&[0x7b, 0xbd], 15_293);
        check(&[0x25], 37);
        check(&[0x40, 0x25], 37);
        assert_eq!(Cursor(&[0x40]).varint(), None);
        assert_eq!(Cursor(&[]).varint(), None);
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        assert_eq!(Cursor(&[3, 1, 2]).vector8(), None);
        assert_eq!(Cursor(&[0, 3, 1, 2]).vector16(), None);
        assert_eq!(Cursor(&[1, 2]).u24(), None);
        assert_eq!(Cursor(&[2, 1, 2]).vector8(), Some(&[1, 2][..]));
    }
}
