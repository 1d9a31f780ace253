//! Reads packed vectors from bytes that anybody may have sent.

use crate::error::Error;

/// What is left of the bytes, and where it starts.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// An error at the next byte.
    pub fn refuse<T>(&self, what: &'static str) -> Result<T, Error> {
        Err(Error::Unpack { at: self.at, what })
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let Some(taken) = self.bytes[self.at..].first_chunk::<N>() else {
            return self.refuse("the bytes end too soon");
        };
        self.at += N;
        Ok(*taken)
    }

    pub fn count(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    pub fn finite(&mut self) -> Result<f32, Error> {
        let start = self.at;
        let value = f32::from_le_bytes(self.take()?);
        if value.is_finite() {
            return Ok(value);
        }
        Err(Error::Unpack { at: start, what: "a value is not finite" })
    }

    /// A number of 7 bits a byte, the smallest first (LEB128), in as few bytes as it needs.
    pub fn varint(&mut self) -> Result<u32, Error> {
        let start = self.at;
        let too_long = Err(Error::Unpack { at: start, what: "a gap is too long" });
        let mut value = 0u32;
        for shift in (0..).step_by(7) {
            let [byte] = self.take()?;
            let part = u32::from(byte & 0x7f);
            if shift >= u32::BITS || part << shift >> shift != part {
                return too_long;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(Error::Unpack { at: start, what: "a gap has a byte to spare" });
                }
                break;
            }
        }
        Ok(value)
    }

    /// Nothing may follow.
    pub fn end(&self) -> Result<(), Error> {
        if self.left() == 0 { Ok(()) } else { self.refuse("there are bytes to spare") }
    }
}

/// The bytes that [`Reader::varint`] reads.
pub fn write_varint(mut value: u32, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// How many they are.
pub fn varint_bytes(value: u32) -> usize {
    (u32::BITS - value.leading_zeros()).div_ceil(7).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_back_from_as_few_bytes_as_it_needs() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 1 << 21, 1 << 28, u32::MAX] {
            let mut bytes = Vec::new();
            write_varint(value, &mut bytes);
            assert_eq!(bytes.len(), varint_bytes(value));
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint().unwrap(), value);
            assert!(reader.end().is_ok());
        }
    }

    #[test]
    fn a_number_that_does_not_fit_or_wastes_bytes_is_refused() {
        for (bytes, what) in [
            (&[0x80, 0x00][..], "a gap has a byte to spare"),
            (&[0xff, 0xff, 0xff, 0xff, 0x10], "a gap is too long"),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01], "a gap is too long"),
        ] {
            let refused = Reader::new(bytes).varint();
            assert!(matches!(refused, Err(Error::Unpack { at: 0, what: told }) if told == what));
        }
        let told = Reader::new(&[0x80]).varint().expect_err("half a number").to_string();
        assert_eq!(told, "byte 1 of a packed vector: the bytes end too soon");
    }
}
