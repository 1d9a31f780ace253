//! Parquet files that claim what cannot be: each is refused before room is made for it, and says what is wrong.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::error::Error as _;

use flowgait_features::table::{ReadParams, read};

/// Thrift's compact encoding, as far as a small Parquet file needs it.
#[derive(Default)]
struct Thrift {
    octets: Vec<u8>,
    last: u8,
}

const I32: u8 = 5;
const I64: u8 = 6;

impl Thrift {
    fn head(&mut self, id: u8, kind: u8) {
        self.octets.push((id - self.last) << 4 | kind);
        self.last = id;
    }

    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.octets.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.octets.push(number as u8);
    }

    fn integer(mut self, id: u8, kind: u8, value: i64) -> Self {
        self.head(id, kind);
        self.varint((value << 1 ^ value >> 63).cast_unsigned());
        self
    }

    fn text(mut self, id: u8, text: &str) -> Self {
        self.head(id, 8);
        self.varint(text.len() as u64);
        self.octets.extend(text.as_bytes());
        self
    }

    fn structure(mut self, id: u8, inner: Self) -> Self {
        self.head(id, 12);
        self.octets.extend(inner.end());
        self
    }

    fn structures(mut self, id: u8, items: Vec<Self>) -> Self {
        self.head(id, 9);
        self.octets.push((items.len() as u8) << 4 | 12);
        items.into_iter().for_each(|item| self.octets.extend(item.end()));
        self
    }

    /// A list of one integer of 32 bits, or of one text.
    fn single(mut self, id: u8, kind: u8, content: &[u8]) -> Self {
        self.head(id, 9);
        self.octets.push(1 << 4 | kind);
        self.octets.extend(content);
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.octets.push(0);
        self.octets
    }
}

/// A file of one column of eight integers of 32 bits, and what it claims about itself.
struct Claims {
    rows: i64,
    unpacked: i64,
    values: i64,
    children_kind: u8,
    codec: i64,
}

const TRUE: Claims = Claims { rows: 8, unpacked: 32, values: 8, children_kind: I32, codec: 0 };

fn file(claims: &Claims) -> Vec<u8> {
    let Claims { rows, unpacked, values, children_kind, codec } = *claims;
    let new = Thrift::default;
    let data: Vec<u8> = (1..=8_i32).flat_map(i32::to_le_bytes).collect();
    let data_header =
        new().integer(1, I32, values).integer(2, I32, 0).integer(3, I32, 3).integer(4, I32, 3);
    let page = new()
        .integer(1, I32, 0)
        .integer(2, I32, unpacked)
        .integer(3, I32, data.len() as i64)
        .structure(5, data_header);
    let mut octets = b"PAR1".to_vec();
    octets.extend(page.end());
    octets.extend(&data);
    let chunk = octets.len() as i64 - 4;
    let column = new()
        .integer(1, I32, 1)
        .single(2, I32, &[0])
        .single(3, 8, b"\x04size")
        .integer(4, I32, codec)
        .integer(5, I64, rows)
        .integer(6, I64, chunk)
        .integer(7, I64, chunk)
        .integer(9, I64, 4);
    let root = new().text(4, "root").integer(5, children_kind, 1);
    let leaf = new().integer(1, I32, 1).integer(3, I32, 0).text(4, "size");
    let group = new()
        .structures(1, vec![new().integer(2, I64, 4).structure(3, column)])
        .integer(2, I64, chunk)
        .integer(3, I64, rows);
    let footer = new()
        .integer(1, I32, 1)
        .structures(2, vec![root, leaf])
        .integer(3, I64, rows)
        .structures(4, vec![group])
        .end();
    octets.extend(&footer);
    octets.extend((footer.len() as u32).to_le_bytes());
    octets.extend(b"PAR1");
    octets
}

fn refusal(claims: &Claims) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    std::fs::write(&path, file(claims)).unwrap();
    let error = read(&[&path], &ReadParams::default()).unwrap_err();
    assert!(error.to_string().contains("t.parquet"), "{error}");
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn what_is_true_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    std::fs::write(&path, file(&TRUE)).unwrap();
    let (dataset, _) = read(&[&path], &ReadParams::default()).unwrap();
    assert_eq!(dataset.columns, [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]);
}

#[test]
fn more_rows_than_octets_can_hold() {
    let found = refusal(&Claims { rows: 1 << 40, values: 1 << 30, ..TRUE });
    assert!(found.contains("rows of 1 columns are claimed in"), "{found}");
    let found = refusal(&Claims { rows: -1, ..TRUE });
    assert!(!found.is_empty(), "{found}");
}

#[test]
fn a_page_that_would_unpack_to_gibibytes() {
    let found = refusal(&Claims { unpacked: i32::MAX.into(), ..TRUE });
    assert!(found.contains("column size") && found.contains("smaller pages"), "{found}");
}

#[test]
fn pages_of_more_or_fewer_values_than_rows() {
    for values in [7, 9, i64::from(i32::MAX)] {
        let found = refusal(&Claims { values, ..TRUE });
        assert!(found.contains("its row group 8 rows"), "{found}");
    }
}

#[test]
fn a_field_that_is_said_to_be_of_another_type() {
    // The library would read the number of children whatever its type; a walk that believed the file would not count it.
    for kind in [I64, 4, 3] {
        let found = refusal(&Claims { children_kind: kind, ..TRUE });
        assert!(found.contains("of another type"), "{found}");
    }
}

#[test]
fn a_compression_that_could_unpack_without_end() {
    for codec in [2, 4, 5] {
        let found = refusal(&Claims { codec, ..TRUE });
        assert!(found.contains("write it with snappy or zstd"), "{found}");
    }
}
