//! Rows as comma-separated values (RFC 4180, but lines end in a line feed alone).

use std::fmt::Display;
use std::io::Write;

use super::{CellSink, ColumnSpec};

/// Rows that wait to be written.
pub(super) struct Rows {
    pub(super) bytes: Vec<u8>,
    row_start: usize,
    first: bool,
    integer: itoa::Buffer,
    float: zmij::Buffer,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(super::BUFFER_OCTETS + (64 << 10)),
            row_start: 0,
            first: true,
            integer: itoa::Buffer::new(),
            float: zmij::Buffer::new(),
        }
    }

    pub(super) fn header(&mut self, columns: &[ColumnSpec]) {
        for column in columns {
            self.text(&column.name);
        }
        self.end_row();
    }

    pub(super) fn end_row(&mut self) {
        if self.bytes.len() <= self.row_start {
            // A row of one missing cell: readers skip an empty line, but not a pair of quotes.
            self.bytes.extend_from_slice(b"\"\"");
        }
        self.bytes.push(b'\n');
        self.row_start = self.bytes.len();
        self.first = true;
    }

    fn separate(&mut self) {
        if self.first {
            self.first = false;
            // The buffer may have been handed on since the last row.
            self.row_start = self.bytes.len();
        } else {
            self.bytes.push(b',');
        }
    }

    /// Most numbers of a flow have few digits: they are made eight at a time and laid in place, without a call that copies.
    fn push_integer(&mut self, value: i64) {
        let magnitude = value.unsigned_abs();
        if magnitude >= 100_000_000 {
            self.bytes.extend_from_slice(self.integer.format(value).as_bytes());
            return;
        }
        if value < 0 {
            self.bytes.push(b'-');
        }
        if magnitude < 10 {
            self.bytes.push(b'0' + magnitude as u8);
            return;
        }
        let digits = eight_digits(magnitude);
        let zeros = digits.trailing_zeros() / 8;
        let text = (digits | 0x3030_3030_3030_3030) >> (zeros * 8);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&text.to_le_bytes());
        self.bytes.truncate(start + 8 - zeros as usize);
    }

    /// A mean of a few packets is often whole; then its digits are those of an integer.
    fn push_float(&mut self, value: f32) {
        let whole = value as i32;
        if whole as f32 == value && (1..10_000_000).contains(&whole) {
            self.push_integer(whole.into());
            self.bytes.extend_from_slice(b".0");
        } else {
            self.bytes.extend_from_slice(self.float.format_finite(value).as_bytes());
        }
    }

    /// Puts what was appended since `start` into quotes where its characters ask for it.
    fn quote_since(&mut self, start: usize) {
        let special = |octet: &u8| matches!(octet, b',' | b'"' | b'\n' | b'\r');
        if self.bytes[start..].iter().any(special) {
            let plain = self.bytes.split_off(start);
            self.bytes.push(b'"');
            for octet in plain {
                if octet == b'"' {
                    self.bytes.push(b'"');
                }
                self.bytes.push(octet);
            }
            self.bytes.push(b'"');
        }
    }
}

/// The eight decimal digits of a number below 10^8, one in each octet, the first in the lowest: halves, then pairs, then digits, all lanes at once.
fn eight_digits(number: u64) -> u64 {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    // x / 100 is x * 10,486 / 2^20 below 10,000, and x / 10 is x * 103 / 2^10 below 100.
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | ((halves - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - tens * 10) << 8)
}

impl CellSink for Rows {
    fn text(&mut self, value: &str) {
        self.separate();
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value.as_bytes());
        self.quote_since(start);
    }

    fn formatted(&mut self, value: &dyn Display) {
        self.separate();
        let start = self.bytes.len();
        write!(self.bytes, "{value}").expect("writing to memory does not fail");
        self.quote_since(start);
    }

    fn integer(&mut self, value: i64) {
        self.separate();
        self.push_integer(value);
    }

    fn float(&mut self, value: f32) {
        self.separate();
        if value.is_finite() {
            self.push_float(value);
        }
    }

    fn double(&mut self, value: f64) {
        self.separate();
        if value.is_finite() {
            self.bytes.extend_from_slice(self.float.format_finite(value).as_bytes());
        }
    }

    fn integers(&mut self, values: &[i64]) {
        self.separate();
        for (index, &value) in values.iter().enumerate() {
            if index > 0 {
                self.bytes.push(b' ');
            }
            self.push_integer(value);
        }
    }

    fn missing(&mut self) {
        self.separate();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short ways must write what the general ones do.
    #[test]
    fn short_ways_write_the_same_digits() {
        let mut rows = Rows::new();
        let edges = (0..19)
            .flat_map(|power| [10_i64.pow(power) - 1, 10_i64.pow(power), 3 * 10_i64.pow(power)]);
        let small = (0..120_000).chain((0..100_000_000).step_by(9_973));
        for value in
            edges.chain(small).flat_map(|value| [value, -value]).chain([i64::MIN, i64::MAX])
        {
            rows.bytes.clear();
            rows.push_integer(value);
            assert_eq!(rows.bytes, value.to_string().as_bytes());
            rows.bytes.clear();
            let float = value as f32 / 8.0;
            rows.push_float(float);
            let general = zmij::Buffer::new().format(float).to_string();
            assert_eq!(rows.bytes, general.as_bytes());
        }
    }
}
