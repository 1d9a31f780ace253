//! Weka's attribute-relation files: dense rows, `%` comments, single or double quotes. Header lines that end in commas are read as if they did not.

use std::io::BufRead;
use std::path::Path;

use super::{line_error, read_line};
use crate::Error;
use crate::table::cell::Cell;

pub(super) struct Rows {
    reader: Box<dyn BufRead + Send>,
    columns: usize,
    text: String,
    cells: Vec<String>,
    line: u64,
}

impl Rows {
    pub(super) fn open(
        path: &Path,
        mut reader: Box<dyn BufRead + Send>,
    ) -> Result<(Self, Vec<String>), Error> {
        let (mut header, mut text, mut line) = (Vec::new(), String::new(), 0);
        loop {
            line += 1;
            if !read_line(&mut *reader, &mut text, path, line)? {
                return Err(line_error(path, line, "the file ends before @data"));
            }
            let declaration = text.trim().trim_end_matches(',').trim_end();
            if declaration.is_empty() || declaration.starts_with('%') {
                continue;
            }
            let (keyword, rest) = declaration.split_once([' ', '\t']).unwrap_or((declaration, ""));
            match keyword.to_ascii_lowercase().as_str() {
                "@relation" => {}
                "@attribute" => {
                    header.push(attribute_name(rest.trim_start()).ok_or_else(|| {
                        line_error(path, line, "an attribute needs a name and a type")
                    })?)
                }
                "@data" => break,
                _ => {
                    return Err(line_error(
                        path,
                        line,
                        format!("'{keyword}' is no ARFF declaration"),
                    ));
                }
            }
        }
        let columns = header.len();
        Ok((Self { reader, columns, text, cells: Vec::new(), line }, header))
    }

    pub(super) fn advance(&mut self, path: &Path) -> Result<bool, Error> {
        loop {
            self.line += 1;
            if !read_line(&mut *self.reader, &mut self.text, path, self.line)? {
                return Ok(false);
            }
            let row = self.text.trim();
            if row.is_empty() || row.starts_with('%') {
                continue;
            }
            if row.starts_with('{') {
                return Err(line_error(path, self.line, "sparse ARFF rows are not read"));
            }
            split(row, &mut self.cells).map_err(|what| line_error(path, self.line, what))?;
            let extra = self.cells.get(self.columns..).unwrap_or_default();
            if self.cells.len() < self.columns || extra.iter().any(|cell| !cell.is_empty()) {
                let (found, columns) = (self.cells.len(), self.columns);
                let problem = format!("has {found} cells where the header has {columns}");
                return Err(line_error(path, self.line, problem));
            }
            return Ok(true);
        }
    }

    pub(super) fn cell(&self, column: usize) -> Cell<'_> {
        Cell::Text(&self.cells[column])
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }
}

/// The name before an attribute's type, without its quotes.
fn attribute_name(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let (name, rest) = match quote {
        Some(quote) => text[1..].split_once(quote)?,
        None => text.split_once([' ', '\t', '{'])?,
    };
    (!name.trim().is_empty() && !rest.trim().is_empty()).then(|| name.trim().to_string())
}

/// Splits a row at its commas; a cell in quotes may hold commas, and a backslash before any character.
fn split(row: &str, cells: &mut Vec<String>) -> Result<(), &'static str> {
    cells.clear();
    let mut rest = row;
    loop {
        rest = rest.trim_start();
        let mut cell = String::new();
        if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let mut characters = rest[1..].char_indices();
            let end = loop {
                match characters.next().ok_or("a quote is not closed")? {
                    (at, c) if c == quote => break at + 2,
                    (_, '\\') => cell.push(characters.next().ok_or("a quote is not closed")?.1),
                    (_, c) => cell.push(c),
                }
            };
            rest = rest[end..].trim_start();
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            cell.push_str(rest[..end].trim_end());
            rest = &rest[end..];
        }
        cells.push(cell);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(()),
            None => return Err("a quoted cell goes on behind its quote"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_at_commas_outside_quotes() {
        let check = |row: &str, expected: &[&str]| {
            let mut cells = Vec::new();
            split(row, &mut cells).unwrap();
            assert_eq!(cells, expected, "{row}");
        };
        check("1, 2 ,x", &["1", "2", "x"]);
        check("'a, b',\"it's\",c\\d", &["a, b", "it's", "c\\d"]);
        check(r"'it\'s',?", &["it's", "?"]);
        check("1,,", &["1", "", ""]);
        check("抖音短视频,'酷 狗'", &["抖音短视频", "酷 狗"]);
        for bad in ["'open", "'a'b,c", r"'a\"] {
            assert!(split(bad, &mut Vec::new()).is_err(), "{bad}");
        }
    }

    #[test]
    fn attribute_names() {
        assert_eq!(attribute_name("duration NUMERIC").as_deref(), Some("duration"));
        assert_eq!(attribute_name("'flow id'\tstring").as_deref(), Some("flow id"));
        assert_eq!(attribute_name("class{a,b}").as_deref(), Some("class"));
        assert_eq!(attribute_name("'open numeric"), None);
        assert_eq!(attribute_name("alone"), None);
    }
}
