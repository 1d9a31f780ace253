//! Where the records of CSV end, and whether they keep within limits: what a table is cut by.
//!
//! Sketch: rows without quotes are found by their ends, others octet by octet (about 2 ns each); reading the cells afterwards takes several times that.

use super::Trouble;

/// How large a table may be, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLimits {
    /// Octets, unpacked.
    pub octets: u64,
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
    /// Octets of a row.
    pub row_octets: usize,
    /// Octets of a cell.
    pub cell_octets: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self {
            octets: 64 << 30,
            rows: 100_000_000,
            columns: 4_096,
            row_octets: 4 << 20,
            cell_octets: 256 << 10,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// Before the first octet of a cell.
    Start,
    /// A cell without quotes.
    Plain,
    /// A cell in quotes.
    Quoted,
    /// Behind a quote in such a cell: its end, or the first of two.
    AfterQuote,
}

/// Follows CSV octet by octet.
#[derive(Clone, Debug)]
pub struct Scanner {
    limits: TableLimits,
    within: Within,
    /// Octets of the row and of the cell so far, and the cell's number from 1.
    row_octets: usize,
    cell_octets: usize,
    column: usize,
    /// Whether the row has anything but its end.
    is_row: bool,
    octets: u64,
    /// Records that ended, the header among them, and line feeds.
    records: u64,
    lines: u64,
}

impl Scanner {
    /// At the beginning of a table.
    #[must_use]
    pub fn new(limits: &TableLimits) -> Self {
        Self {
            limits: limits.clone(),
            within: Within::Start,
            row_octets: 0,
            cell_octets: 0,
            column: 1,
            is_row: false,
            octets: 0,
            records: 0,
            lines: 0,
        }
    }

    /// Records that ended, the header among them; empty lines are none.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Line feeds so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Octets so far.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Goes on to behind the end of the next record, or to the end of the piece; how many octets that is, and whether a record ended.
    ///
    /// # Errors
    /// What is beyond a limit, with line and column.
    pub fn next_record(&mut self, piece: &[u8]) -> Result<(usize, bool), Trouble> {
        // A byte-order mark is before the first cell, not in it. (Pieces are long; one that ends within it is not worth the care.)
        let mark = if self.octets == 0 && piece.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        if mark == 0
            && self.row_octets == 0
            && let Some(count) = self.plain_row(piece)
        {
            self.lines += 1;
            self.pass(count)?;
            self.end_record()?;
            return Ok((count, true));
        }
        for (at, &octet) in piece.iter().enumerate().skip(mark) {
            self.row_octets += 1;
            self.cell_octets += 1;
            self.is_row |= !matches!(octet, b'\r' | b'\n');
            let ends = match (self.within, octet) {
                (Within::Quoted, b'"') => {
                    self.within = Within::AfterQuote;
                    false
                }
                (Within::Quoted, b'\n') => {
                    self.lines += 1;
                    false
                }
                (Within::Quoted, _) => false,
                (_, b'\n') => true,
                (_, b',') => {
                    self.within = Within::Start;
                    self.column += 1;
                    self.cell_octets = 0;
                    false
                }
                (Within::Start | Within::AfterQuote, b'"') => {
                    self.within = Within::Quoted;
                    false
                }
                _ => {
                    self.within = Within::Plain;
                    false
                }
            };
            if self.cell_octets > self.limits.cell_octets
                || self.row_octets > self.limits.row_octets
                || self.column > self.limits.columns
            {
                return Err(self.beyond());
            }
            if ends {
                self.lines += 1;
                self.pass(at + 1)?;
                self.end_record()?;
                return Ok((at + 1, true));
            }
        }
        self.pass(piece.len())?;
        Ok((piece.len(), false))
    }

    fn pass(&mut self, octets: usize) -> Result<(), Trouble> {
        self.octets += octets as u64;
        if self.octets > self.limits.octets {
            let most = self.limits.octets;
            return Err(too_large(format!("it is larger than {most} octets unpacked")));
        }
        Ok(())
    }

    /// The octets of a whole row without quotes that is within all limits, as most are; `None` where it must be followed octet by octet.
    fn plain_row(&mut self, piece: &[u8]) -> Option<usize> {
        let end = memchr::memchr2(b'\n', b'"', piece)?;
        let row = &piece[..end];
        let is_short = end < self.limits.cell_octets && end < self.limits.row_octets;
        if piece[end] != b'\n' || !is_short {
            return None;
        }
        let columns = memchr::memchr_iter(b',', row).count() + 1;
        self.is_row = row.iter().any(|&octet| octet != b'\r');
        (columns <= self.limits.columns).then_some(end + 1)
    }

    fn end_record(&mut self) -> Result<(), Trouble> {
        // An empty line is no record.
        self.records += u64::from(std::mem::take(&mut self.is_row));
        (self.within, self.row_octets, self.cell_octets, self.column) = (Within::Start, 0, 0, 1);
        if self.records > self.limits.rows + 1 {
            return Err(too_large(format!("it has more than {} rows", self.limits.rows)));
        }
        Ok(())
    }

    /// What is beyond which limit, and where.
    fn beyond(&self) -> Trouble {
        let (line, column) = (self.lines + 1, self.column);
        let TableLimits { columns, row_octets, cell_octets, .. } = self.limits;
        too_large(if self.column > columns {
            format!("line {line} has more than {columns} columns")
        } else if self.cell_octets > cell_octets {
            format!("line {line}, column {column}: a cell is longer than {cell_octets} octets")
        } else {
            format!("line {line}: a row is longer than {row_octets} octets")
        })
    }
}

fn too_large(what: String) -> Trouble {
    Trouble::bad("too-large", format!("The table cannot be taken: {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &str, piece: usize, limits: &TableLimits) -> Result<Vec<String>, String> {
        let mut scanner = Scanner::new(limits);
        let (mut found, mut record) = (Vec::new(), Vec::new());
        for piece in text.as_bytes().chunks(piece) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (count, ended) =
                    scanner.next_record(rest).map_err(|trouble| format!("{trouble:?}"))?;
                record.extend_from_slice(&rest[..count]);
                rest = &rest[count..];
                if ended {
                    found.push(String::from_utf8(std::mem::take(&mut record)).unwrap());
                }
            }
        }
        if !record.is_empty() {
            found.push(String::from_utf8(record).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn line_feeds_in_quotes_end_nothing() {
        let check = |text: &str, expected: &[&str]| {
            for piece in [1, 2, 3, 100] {
                assert_eq!(records(text, piece, &TableLimits::default()).unwrap(), expected);
            }
        };
        check("a,b\n1,2\n", &["a,b\n", "1,2\n"]);
        check("a,\"b\nc\"\r\n1,2", &["a,\"b\nc\"\r\n", "1,2"]);
        check("\"a\"\"\n\",b\n1,2\n", &["\"a\"\"\n\",b\n", "1,2\n"]);
        check("5\" disk,b\n1,2\n", &["5\" disk,b\n", "1,2\n"]);
        check("\"a\"x\",b\n1\n", &["\"a\"x\",b\n", "1\n"]);
        let marked = "\u{feff}\"a\nb\",c\n1,2\n";
        assert_eq!(records(marked, 100, &TableLimits::default()).unwrap().len(), 2);
    }

    #[test]
    fn what_is_beyond_a_limit_is_named() {
        let limits =
            TableLimits { octets: 100, rows: 3, columns: 3, row_octets: 20, cell_octets: 10 };
        let check = |text: &str, expected: &str| {
            let found = records(text, 7, &limits);
            assert!(found.as_ref().is_err_and(|e| e.contains(expected)), "{found:?}");
        };
        check("a,b\n1,2,3,4\n", "line 2 has more than 3 columns");
        check("a,b\n1,12345678901\n", "line 2, column 2: a cell");
        check("a,b\n123456789,123456789,1234\n", "line 2: a row");
        check("a\n1\n2\n3\n4\n", "more than 3 rows");
        assert!(records("a\n1\n2\n3\n", 7, &limits).is_ok());
        // Also where each piece ends with a row, so that none is looked at octet by octet.
        let limits = TableLimits { octets: 20, ..TableLimits::default() };
        for row in ["aaaaaa\n", "\"aaaa\"\n"] {
            let found = records(&row.repeat(5), 7, &limits);
            assert!(found.as_ref().is_err_and(|e| e.contains("20 octets")), "{found:?}");
        }
    }

    proptest! {
        /// What the csv crate takes for a record is one here, too.
        #[test]
        fn records_are_those_of_the_library(
            rows in prop::collection::vec(prop::collection::vec("[ab\",\n]{0,6}", 3), 1..8),
            piece in 1_usize..40,
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let found = records(&text, piece, &TableLimits::default()).unwrap();
            prop_assert_eq!(found.len(), rows.len());
            prop_assert_eq!(found.concat(), text);
        }
    }
}
