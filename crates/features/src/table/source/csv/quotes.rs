//! A watch over the quotes of a CSV stream: whether it ends inside one, where that was opened, and how its lines end.

use std::io::{self, Read};

/// Passes a stream on and follows its quotes, by the rules of the `csv` library: a quote opens a cell only as its first octet, a doubled
/// one inside stands for itself, and what follows a closed one belongs to the cell.
pub(super) struct Quotes<R> {
    stream: R,
    state: State,
    /// The octet before the next one; a line end before the first.
    before: u8,
    begun: bool,
    ended: bool,
    /// Whether lines end in a line feed alone, by the first that ends.
    plain: Option<bool>,
    /// Line feeds behind the last quote that was opened, as far as it is open.
    lines_inside: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    Inside,
    /// Behind a quote inside a quoted cell: the end of the cell, or the first of two.
    Behind,
}

const MARK: &[u8] = "\u{feff}".as_bytes();

impl<R: Read> Quotes<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            state: State::Outside,
            before: b'\n',
            begun: false,
            ended: false,
            plain: None,
            lines_inside: 0,
        }
    }

    /// How many line feeds stand behind the quote that was open when the stream ended.
    pub(super) fn left_open(&self) -> Option<u64> {
        (self.ended && self.state == State::Inside).then_some(self.lines_inside)
    }

    /// Whether a reader that is behind a row has seen the line feed that ends it: not of a CRLF, and not at the end of the stream.
    pub(super) fn is_counted_at_end_of_row(&self) -> bool {
        !self.ended && self.plain == Some(true)
    }

    fn follow(&mut self, octets: &[u8]) {
        let mut rest = octets;
        if !std::mem::replace(&mut self.begun, true) {
            rest = rest.strip_prefix(MARK).unwrap_or(rest);
        }
        if self.state == State::Behind && !rest.is_empty() {
            rest = self.behind(rest);
        }
        // Most tables have none, and the library's search for one octet is several times as fast.
        if !rest.contains(&b'"') {
            return self.pass(rest);
        }
        while let Some(at) = rest.iter().position(|&octet| octet == b'"') {
            self.pass(&rest[..at]);
            rest = &rest[at + 1..];
            if self.state == State::Inside {
                self.state = State::Behind;
                if !rest.is_empty() {
                    rest = self.behind(rest);
                }
            } else if matches!(self.before, b',' | b'\n' | b'\r') {
                (self.state, self.lines_inside) = (State::Inside, 0);
            }
            self.before = b'"';
        }
        self.pass(rest);
    }

    /// Goes on behind a quote inside a quoted cell, at an octet that tells what it was.
    fn behind<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        if rest[0] == b'"' {
            self.state = State::Inside;
            return &rest[1..];
        }
        self.state = State::Outside;
        rest
    }

    /// Goes over octets without a quote.
    fn pass(&mut self, octets: &[u8]) {
        if self.state == State::Inside {
            self.lines_inside += octets.iter().filter(|&&octet| octet == b'\n').count() as u64;
        } else if self.plain.is_none() {
            let end = octets.iter().find(|octet| matches!(octet, b'\r' | b'\n'));
            self.plain = end.map(|&octet| octet == b'\n');
        }
        self.before = octets.last().copied().unwrap_or(self.before);
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.ended = count == 0 && !buffer.is_empty();
        self.follow(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The line of the quote that is left open.
    fn left_open(text: &str, octets_at_once: usize) -> Option<u64> {
        let mut quotes = Quotes::new(text.as_bytes());
        let mut buffer = vec![0; octets_at_once];
        while quotes.read(&mut buffer).unwrap() > 0 {}
        let lines = text.bytes().filter(|&octet| octet == b'\n').count() as u64 + 1;
        quotes.left_open().map(|behind| lines - behind)
    }

    #[test]
    fn quotes_that_are_left_open() {
        let check = |text: &str, expected| {
            for octets_at_once in [1, 2, 3, 64] {
                if octets_at_once < 3 && text.starts_with('\u{feff}') {
                    continue;
                }
                assert_eq!(left_open(text, octets_at_once), expected, "{text:?}");
            }
        };
        check("", None);
        check("a,b\n1,\"2\"\n", None);
        check("a,b\n1,\"2\n3\"\n", None);
        check("a,b\n1,\"2\n3,4\n", Some(2));
        check("a,b\n\"1\n1\",\"2\n", Some(3));
        check("a\n\"\"\"\n", Some(2));
        check("a\n\"\"\"\"", None);
        check("a\n5\" pipe\n", None);
        check("a\n\"5\" pipe\"\n", None);
        check("a\r\"b", Some(1));
        check("\u{feff}\"a", Some(1));
        check("\"", Some(1));
        check("\"\"", None);
    }

    proptest! {
        /// What stands behind an open quote belongs to its cell; else it is a row of its own.
        #[test]
        fn a_row_behind_an_open_quote_is_none(text in "[a,\"\n\r]{0,24}", octets_at_once in 1_usize..9) {
            let whole = format!("{text}\nz\n");
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(whole.as_bytes());
            let last = reader.records().last().unwrap().unwrap();
            let is_row = last.len() == 1 && &last[0] == "z";
            prop_assert_eq!(left_open(&text, octets_at_once).is_none(), is_row);
        }
    }
}
