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
        self.bytes.extend_from_slice(self.integer.format(value).as_bytes());
    }

    fn float(&mut self, value: f32) {
        self.separate();
        if value.is_finite() {
            self.bytes.extend_from_slice(self.float.format_finite(value).as_bytes());
        }
    }

    fn double(&mut self, value: f64) {
        self.separate();
        if value.is_finite() {
            self.bytes.extend_from_slice(self.float.format_finite(value).as_bytes());
        }
    }

    fn integers(&mut self, values: &mut dyn Iterator<Item = i64>) {
        self.separate();
        let start = self.bytes.len();
        for value in values {
            if self.bytes.len() > start {
                self.bytes.push(b' ');
            }
            self.bytes.extend_from_slice(self.integer.format(value).as_bytes());
        }
    }

    fn missing(&mut self) {
        self.separate();
    }
}
