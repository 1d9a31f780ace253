//! Labels from another file: joined to a table's rows by the columns that both have, or row by row where they have none in common.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::cell::Cell;
use super::source::Source;
use crate::Error;

/// Most rows of a file of labels.
const ROWS_MAX: usize = 50_000_000;

/// Labels by key.
pub(super) struct Labels {
    path: PathBuf,
    /// The columns that both have; none where rows stand side by side.
    keys: Vec<String>,
    by_key: HashMap<String, Option<String>>,
    in_order: Vec<Option<String>>,
    /// The next row's place in `in_order`.
    next: usize,
    pub(super) unmatched: u64,
    pub(super) ambiguous: u64,
}

impl Labels {
    /// Reads a file of labels for tables with these columns.
    pub(super) fn read(path: &Path, label: &str, header: &[String]) -> Result<Self, Error> {
        let mut source = Source::open(path)?;
        let find = |source: &Source, name: &str| source.header().iter().position(|c| c == name);
        let Some(of_label) = find(&source, label) else {
            return Err(super::check::no_label(&source, label));
        };
        let keys: Vec<String> =
            source.header().iter().filter(|c| *c != label && header.contains(c)).cloned().collect();
        let places: Vec<usize> = keys.iter().filter_map(|key| find(&source, key)).collect();
        let mut labels = Self {
            path: path.to_path_buf(),
            keys,
            by_key: HashMap::new(),
            in_order: Vec::new(),
            next: 0,
            unmatched: 0,
            ambiguous: 0,
        };
        let mut rows = 0;
        while source.advance()? {
            rows += 1;
            if rows > ROWS_MAX {
                return Err(Error::TooManyLabels { path: path.to_path_buf(), limit: ROWS_MAX });
            }
            let text = source.cell(of_label).text().map(std::borrow::Cow::into_owned);
            if places.is_empty() {
                labels.in_order.push(text);
                continue;
            }
            let Some(text) = text else { continue };
            let key = key(places.iter().map(|&place| source.cell(place)));
            let known = labels.by_key.entry(key).or_insert_with(|| Some(text.clone()));
            // Two labels for one key: neither can be believed.
            if known.as_ref().is_some_and(|known| *known != text) {
                *known = None;
            }
        }
        Ok(labels)
    }

    /// How rows are matched, in words.
    pub(super) fn told(&self) -> String {
        let name = self.path.display();
        match self.keys.as_slice() {
            [] => format!("labels of {name} stand beside the rows, one for one"),
            keys => format!("labels of {name} joined by {}", keys.join(", ")),
        }
    }

    /// Where a table has the columns that labels are joined by.
    pub(super) fn places(&self, source: &Source) -> Result<Vec<usize>, Error> {
        let find = |key: &String| source.header().iter().position(|column| column == key);
        if let Some(missing) = self.keys.iter().find(|key| find(key).is_none()) {
            return Err(super::check::no_column(source, missing, "to join labels by"));
        }
        Ok(self.keys.iter().filter_map(find).collect())
    }

    /// The label of the next row.
    pub(super) fn of<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> Option<String> {
        if self.keys.is_empty() {
            let label = self.in_order.get(self.next).cloned();
            self.next += 1;
            self.unmatched += u64::from(label.is_none());
            return label.flatten();
        }
        match self.by_key.get(&key(cells)) {
            Some(Some(label)) => Some(label.clone()),
            Some(None) => {
                self.ambiguous += 1;
                None
            }
            None => {
                self.unmatched += 1;
                None
            }
        }
    }

    /// Labels side by side must be as many as there are rows: one more or less, and all behind it are wrong.
    pub(super) fn check_all_used(&self) -> Result<(), Error> {
        if self.keys.is_empty() && self.next != self.in_order.len() {
            return Err(Error::LabelRows {
                path: self.path.clone(),
                labels: self.in_order.len(),
                rows: self.next,
            });
        }
        Ok(())
    }
}

/// The cells of a key as one text; numbers are the same however they are written.
fn key<'a>(cells: impl Iterator<Item = Cell<'a>>) -> String {
    let mut key = String::new();
    for cell in cells {
        let text = cell.text().unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => key.push_str(&number.to_string()),
            _ => key.push_str(&text),
        }
        // No cell has this character in it by accident.
        key.push('\u{1f}');
    }
    key
}
