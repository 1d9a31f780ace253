//! The noun of this crate: columns of numbers with their schema, and labels, groups and times beside them.

use std::collections::HashMap;

use crate::schema::Schema;

/// A data set, column by column.
///
/// # Shapes
/// `columns` is `[n_features][n_rows]`, in the schema's order; a missing value is NaN.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// What the columns are.
    pub schema: Schema,
    /// The values.
    pub columns: Vec<Vec<f32>>,
    /// The label column, when one was asked for.
    pub labels: Option<Codes>,
    /// Columns that say which rows belong together (capture, client, session): for splitting, never an input.
    pub groups: Vec<Codes>,
    /// Start of each row in microseconds since 1970, where the table tells it: for splitting, never an input.
    pub times: Option<Vec<i64>>,
    /// Number of rows.
    pub rows: usize,
}

/// A text column as numbers into a list of its distinct values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// The column's name.
    pub name: String,
    /// Distinct values, sorted.
    pub values: Vec<String>,
    /// One index into `values` a row; [`Codes::MISSING`] where the cell is empty.
    pub codes: Vec<u32>,
}

impl Codes {
    /// The code of an empty cell.
    pub const MISSING: u32 = u32::MAX;
}

impl Codes {
    /// Codes of a column of texts, `None` where the cell is empty.
    #[must_use]
    pub fn from_texts(name: &str, texts: &[Option<&str>]) -> Self {
        let mut builder = CodesBuilder::default();
        for &text in texts {
            builder.push(text);
        }
        builder.finish(name)
    }

    /// How many distinct values the rows have, where an empty cell is one more; [`Codes::values`] may hold others, of rows that were not selected.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.codes.iter().collect::<std::collections::HashSet<_>>().len()
    }

    /// The text of a row's cell, `None` where it is empty.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&str> {
        self.values.get(*self.codes.get(row)? as usize).map(String::as_str)
    }
}

/// Gathers a text column row by row.
#[derive(Debug, Default)]
pub(crate) struct CodesBuilder {
    seen: HashMap<String, u32>,
    codes: Vec<u32>,
}

impl CodesBuilder {
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let code = match text {
            None => Codes::MISSING,
            Some(text) => match self.seen.get(text) {
                Some(&code) => code,
                None => {
                    let code = u32::try_from(self.seen.len()).expect("fewer rows than 2^32");
                    self.seen.insert(text.to_string(), code);
                    code
                }
            },
        };
        self.codes.push(code);
    }

    /// Numbers the values anew, in the order of their text.
    pub(crate) fn finish(self, name: &str) -> Codes {
        let mut values: Vec<(String, u32)> = self.seen.into_iter().collect();
        values.sort_unstable();
        let mut sorted = vec![0; values.len()];
        for (code, &(_, seen)) in (0..).zip(&values) {
            sorted[seen as usize] = code;
        }
        let anew = |code: u32| sorted.get(code as usize).copied().unwrap_or(Codes::MISSING);
        let codes = self.codes.into_iter().map(anew).collect();
        let values = values.into_iter().map(|(text, _)| text).collect();
        Codes { name: name.to_string(), values, codes }
    }
}

impl Dataset {
    /// Takes out columns, by their places in ascending order.
    pub fn remove_columns(&mut self, places: &[usize]) {
        for &place in places.iter().rev() {
            self.schema.features.remove(place);
            self.columns.remove(place);
        }
    }

    /// The rows at the given places, in that order.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(from: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| from[row as usize]).collect()
        }
        let codes = |codes: &Codes| Codes {
            name: codes.name.clone(),
            values: codes.values.clone(),
            codes: pick(&codes.codes, rows),
        };
        Self {
            schema: self.schema.clone(),
            columns: self.columns.iter().map(|column| pick(column, rows)).collect(),
            labels: self.labels.as_ref().map(codes),
            groups: self.groups.iter().map(codes).collect(),
            times: self.times.as_ref().map(|times| pick(times, rows)),
            rows: rows.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_give_their_texts_back() {
        let texts = [Some("web"), None, Some("chat"), Some("web"), Some("")];
        let codes = Codes::from_texts("label", &texts);
        assert_eq!(codes.values, ["", "chat", "web"]);
        assert_eq!(codes.codes, [2, Codes::MISSING, 1, 2, 0]);
        for (row, &text) in texts.iter().enumerate() {
            assert_eq!(codes.text(row), text);
        }
    }
}
