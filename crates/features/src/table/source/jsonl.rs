//! One JSON object a line: text, numbers, `null`, and arrays of integers.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;
use std::path::Path;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{line_error, read_line};
use crate::Error;
use crate::table::cell::Cell;

pub(super) struct Rows {
    reader: Box<dyn BufRead + Send>,
    /// Where a name stands first.
    places: HashMap<String, usize>,
    /// Where the name at each place stands next; a name that comes twice is two columns.
    next: Vec<Option<usize>>,
    cells: Vec<Option<String>>,
    /// Whether the row has had a value for each place.
    taken: Vec<bool>,
    text: String,
    /// The first line was read for its keys and is still to be given.
    pending: bool,
    line: u64,
}

impl Rows {
    pub(super) fn open(
        path: &Path,
        mut reader: Box<dyn BufRead + Send>,
    ) -> Result<(Self, Vec<String>), Error> {
        let (mut text, mut line) = (String::new(), 0);
        while text.trim().is_empty() {
            line += 1;
            if !read_line(&mut *reader, &mut text, path, line)? {
                return Err(Error::NoHeader { path: path.to_path_buf() });
            }
        }
        // The names exactly as written: names that come twice are for the caller to tell apart.
        let header: Vec<String> = members(&text)
            .map_err(|error| line_error(path, line, format!("is no JSON object ({error})")))?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let (mut places, mut next) = (HashMap::new(), vec![None; header.len()]);
        for (place, name) in header.iter().enumerate().rev() {
            next[place] = places.insert(name.clone(), place);
        }
        let (cells, taken) = (vec![None; header.len()], vec![false; header.len()]);
        Ok((Self { reader, places, next, cells, taken, text, pending: true, line }, header))
    }

    pub(super) fn advance(&mut self, path: &Path) -> Result<bool, Error> {
        if !std::mem::take(&mut self.pending) {
            loop {
                self.line += 1;
                if !read_line(&mut *self.reader, &mut self.text, path, self.line)? {
                    return Ok(false);
                }
                if !self.text.trim().is_empty() {
                    break;
                }
            }
        }
        self.cells.fill(None);
        self.taken.fill(false);
        let failed = |problem: String| line_error(path, self.line, problem);
        let members =
            members(&self.text).map_err(|error| failed(format!("is no JSON object ({error})")))?;
        for (name, value) in members {
            let mut place = self.places.get(&name).copied();
            while let Some(taken) = place.filter(|&place| self.taken[place]) {
                place = self.next[taken];
            }
            let place = place.ok_or_else(|| {
                failed(format!("has a member '{name}' that the first line has not"))
            })?;
            self.taken[place] = true;
            self.cells[place] =
                cell(value.get()).map_err(|what| failed(format!("member '{name}' is {what}")))?;
        }
        Ok(true)
    }

    pub(super) fn cell(&self, column: usize) -> Cell<'_> {
        self.cells[column].as_deref().map_or(Cell::Missing, Cell::Text)
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }
}

/// A value as the text that a CSV cell would hold: numbers keep their digits, so that they are read once and not through 64 bits.
fn cell(json: &str) -> Result<Option<String>, &'static str> {
    match json.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|_| "text that is not valid"),
        Some(b'[') => {
            let values: Vec<i64> =
                serde_json::from_str(json).map_err(|_| "an array of other things than integers")?;
            let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            Ok(Some(texts.join(" ")))
        }
        Some(b'{') => Err("an object"),
        _ => Ok(Some(json.to_string())),
    }
}

fn members(text: &str) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Members)?;
    json.end()?;
    Ok(members)
}
