//! Rows as JSON objects, one a line; a missing cell is `null`.

use super::{CellSink, ColumnSpec};

/// Rows that wait to be written.
pub(super) struct Rows {
    pub(super) bytes: Vec<u8>,
    /// `"name":` of every column, escaped once.
    keys: Vec<String>,
    column: usize,
    integer: itoa::Buffer,
    float: zmij::Buffer,
}

impl Rows {
    pub(super) fn new(columns: &[ColumnSpec]) -> Self {
        let keys = columns
            .iter()
            .map(|column| format!("{}:", serde_json::Value::from(column.name.as_str())))
            .collect();
        Self {
            bytes: Vec::with_capacity(super::BUFFER_OCTETS + (64 << 10)),
            keys,
            column: 0,
            integer: itoa::Buffer::new(),
            float: zmij::Buffer::new(),
        }
    }

    pub(super) fn end_row(&mut self) {
        let end: &[u8] = if self.column == 0 { b"{}\n" } else { b"}\n" };
        self.bytes.extend_from_slice(end);
        self.column = 0;
    }

    fn key(&mut self) {
        self.bytes.push(if self.column == 0 { b'{' } else { b',' });
        self.bytes.extend_from_slice(self.keys[self.column].as_bytes());
        self.column += 1;
    }

    fn finite(&mut self, value: impl zmij::Float, finite: bool) {
        self.key();
        let text = if finite { self.float.format_finite(value) } else { "null" };
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

impl CellSink for Rows {
    fn text(&mut self, value: &str) {
        self.key();
        serde_json::to_writer(&mut self.bytes, value).expect("writing to memory does not fail");
    }

    fn integer(&mut self, value: i64) {
        self.key();
        self.bytes.extend_from_slice(self.integer.format(value).as_bytes());
    }

    fn float(&mut self, value: f32) {
        self.finite(value, value.is_finite());
    }

    fn double(&mut self, value: f64) {
        self.finite(value, value.is_finite());
    }

    fn integers(&mut self, values: &[i64]) {
        self.key();
        self.bytes.push(b'[');
        for (index, &value) in values.iter().enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            self.bytes.extend_from_slice(self.integer.format(value).as_bytes());
        }
        self.bytes.push(b']');
    }

    fn missing(&mut self) {
        self.key();
        self.bytes.extend_from_slice(b"null");
    }
}
