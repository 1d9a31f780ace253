//! What the columns of any table are to an estimator that looks at sequences: packet sizes, other lists, or plain numbers.
//!
//! Told from names and values alone, so that it works for tables that nobody described. Values are looked at in the rows that
//! are learnt from only.

mod sequences;

use crate::schema::Schema;

pub use sequences::{ListKind, Sequence, SequenceList, sequences};

/// Fewer numbered columns than this are no sequence.
const LENGTH_MIN: usize = 8;
/// A packet is no larger.
const OCTETS_MAX: f32 = 65_535.0;
/// Share of the values that are repeated in other rows, from which a list is a set of values rather than a list of measurements.
const REPEATED_MIN: f64 = 0.5;

/// Which columns belong together, by their places in the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The signed sizes of a flow's packets in order, positive from the initiator; zero or missing behind the last.
    pub sizes: Option<Sizes>,
    /// Lists of whole numbers whose exact values come back in other rows, such as TCP windows.
    pub sets: Vec<Vec<usize>>,
    /// Everything else.
    pub scalars: Vec<usize>,
}

/// A sequence of packet sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Its columns, in order.
    pub columns: Vec<usize>,
    /// Whether the sizes are of payload; otherwise headers are in them, and packets without payload among them.
    pub payload: bool,
}

impl Layout {
    /// Looks at the columns' names, and at their values in some rows.
    ///
    /// # Panics
    /// When there are fewer columns than the schema names, or `rows` go beyond them.
    #[must_use]
    pub fn of(schema: &Schema, columns: &[Vec<f32>], rows: &[u32]) -> Self {
        let mut layout = Self::default();
        let (lists, scalars) = numbered(schema);
        layout.scalars = scalars;
        let looked: Vec<(List, Look)> =
            lists.into_iter().map(|list| (list.clone(), Look::at(columns, &list, rows))).collect();
        let signed: Vec<&List> =
            looked.iter().filter(|(_, look)| look.is_sizes()).map(|(list, _)| list).collect();
        let chosen = signed.iter().find(|list| list.says_payload()).or(signed.first()).copied();
        layout.sizes = chosen
            .map(|list| Sizes { columns: list.columns.clone(), payload: list.says_payload() });
        for (list, look) in &looked {
            if layout.sizes.as_ref().is_some_and(|sizes| sizes.columns == list.columns) {
                continue;
            }
            if look.is_set() {
                layout.sets.push(list.columns.clone());
            } else {
                layout.scalars.extend(&list.columns);
            }
        }
        layout.scalars.sort_unstable();
        layout
    }
}

/// Columns that a person thinks of as one: each numbered list by its stem, each other column by its name; in the schema's order.
#[must_use]
pub fn together(schema: &Schema) -> Vec<(String, Vec<usize>)> {
    let (lists, alone) = numbered(schema);
    let lists =
        lists.into_iter().map(|list| (list.stem.trim_end_matches('_').to_owned(), list.columns));
    let alone =
        alone.into_iter().map(|column| (schema.features[column].name.clone(), vec![column]));
    let mut all: Vec<(String, Vec<usize>)> = lists.chain(alone).collect();
    all.sort_by_key(|(_, columns)| columns[0]);
    all
}

/// Columns `stem_0`, `stem_1`, …
#[derive(Clone)]
struct List {
    stem: String,
    columns: Vec<usize>,
}

impl List {
    fn says_payload(&self) -> bool {
        self.stem.to_lowercase().contains("payload")
    }
}

/// The numbered lists of a schema, and the columns that are in none.
fn numbered(schema: &Schema) -> (Vec<List>, Vec<usize>) {
    let mut lists: Vec<List> = Vec::new();
    let mut alone = Vec::new();
    for (place, feature) in schema.features.iter().enumerate() {
        let stem = feature.name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number: Option<usize> = feature.name[stem.len()..].parse().ok();
        let Some(number) = number else {
            alone.push(place);
            continue;
        };
        match lists.iter_mut().rev().find(|list| list.stem == stem) {
            // Lists are numbered from 0 or from 1, without gaps.
            Some(list) if number == list.columns.len() || number == list.columns.len() + 1 => {
                list.columns.push(place);
            }
            Some(_) => alone.push(place),
            None if number <= 1 => {
                lists.push(List { stem: stem.to_owned(), columns: vec![place] });
            }
            None => alone.push(place),
        }
    }
    lists.retain(|list| {
        let long = list.columns.len() >= LENGTH_MIN;
        if !long {
            alone.extend(&list.columns);
        }
        long
    });
    (lists, alone)
}

/// What the values of a list are like.
struct Look {
    whole: bool,
    negative: bool,
    positive: bool,
    largest: f32,
    repeated: f64,
}

impl Look {
    fn at(columns: &[Vec<f32>], list: &List, rows: &[u32]) -> Self {
        let mut look =
            Self { whole: true, negative: false, positive: false, largest: 0.0, repeated: 0.0 };
        // How many rows hold each value; a value that is there twice in one row is there once.
        let mut holders: std::collections::HashMap<u32, u32> = std::collections::HashMap::new();
        let mut in_row: Vec<u32> = Vec::new();
        for &row in rows {
            in_row.clear();
            for &column in &list.columns {
                let value = columns[column][row as usize];
                if value.is_nan() || value == 0.0 {
                    continue;
                }
                look.whole &= value.fract() == 0.0;
                look.negative |= value < 0.0;
                look.positive |= value > 0.0;
                look.largest = look.largest.max(value.abs());
                in_row.push(value.to_bits());
            }
            in_row.sort_unstable();
            in_row.dedup();
            in_row.iter().for_each(|&value| *holders.entry(value).or_default() += 1);
        }
        let all: u64 = holders.values().map(|&rows| u64::from(rows)).sum();
        let again: u64 = holders.values().filter(|&&rows| rows > 1).map(|&r| u64::from(r)).sum();
        look.repeated = if all > 0 { again as f64 / all as f64 } else { 0.0 };
        look
    }

    fn is_sizes(&self) -> bool {
        self.whole && self.negative && self.positive && self.largest <= OCTETS_MAX
    }

    fn is_set(&self) -> bool {
        self.whole && self.largest > 0.0 && self.repeated >= REPEATED_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Feature;

    fn look(columns: Vec<(String, Vec<f32>)>, rows: &[u32]) -> Layout {
        let (names, columns): (Vec<String>, Vec<Vec<f32>>) = columns.into_iter().unzip();
        let feature = |name| Feature { name, unit: String::new() };
        let features = names.into_iter().map(feature).collect();
        Layout::of(&Schema { name: "table".into(), features }, &columns, rows)
    }

    /// Ten columns of a list in which row r holds `value(r, place)`.
    fn list(
        stem: &str,
        first: usize,
        value: impl Fn(usize, usize) -> f32,
    ) -> Vec<(String, Vec<f32>)> {
        (0..10)
            .map(|place| {
                let values = (0..6).map(|row| value(row, place)).collect();
                (format!("{stem}{}", place + first), values)
            })
            .collect()
    }

    #[test]
    fn a_list_is_one_thing_and_stands_where_it_begins() {
        let mut columns = vec![("duration".into(), vec![0.0; 6])];
        columns.extend(list("size_", 0, |_, _| 1.0));
        columns.push(("ratio_1".into(), vec![0.5; 6]));
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let feature = |name: &String| Feature { name: name.clone(), unit: String::new() };
        let schema = Schema { name: "table".into(), features: names.iter().map(feature).collect() };
        let found = together(&schema);
        let of = |name: &str, columns: Vec<usize>| (name.to_owned(), columns);
        assert_eq!(
            found,
            [of("duration", vec![0]), of("size", (1..11).collect()), of("ratio_1", vec![11])]
        );
    }

    #[test]
    fn sizes_windows_and_numbers_are_told_apart() {
        let mut columns = list("size_", 0, |row, place| {
            if place > 6 {
                0.0
            } else {
                (row * 31 + place) as f32 * if place % 2 == 0 { 1.0 } else { -1.0 }
            }
        });
        columns.extend(list("window", 1, |_, place| [8_192.0, 65_535.0][place % 2]));
        columns.extend(list("gap_", 0, |row, place| (row * 1_000_003 + place * 7_919) as f32));
        columns.push(("mean".into(), vec![0.5; 6]));
        columns.push(("ratio_1".into(), vec![0.5; 6]));
        let layout = look(columns, &[0, 1, 2, 3, 4, 5]);
        let sizes = layout.sizes.unwrap();
        assert_eq!((sizes.columns, sizes.payload), ((0..10).collect(), false));
        assert_eq!(layout.sets, [(10..20).collect::<Vec<_>>()]);
        assert_eq!(layout.scalars, (20..32).collect::<Vec<_>>());
    }

    #[test]
    fn payload_is_preferred_and_rows_that_are_not_learnt_from_have_no_say() {
        let signed =
            |row: usize, place: usize| (row + 1) as f32 * if place == 0 { 40.0 } else { -1_400.0 };
        let mut columns = list("ip_octets_", 0, signed);
        columns.extend(list("payload_", 0, signed));
        let layout = look(columns, &[0, 1, 2]);
        assert_eq!(layout.sizes.unwrap(), Sizes { columns: (10..20).collect(), payload: true });
        let only_last = list("x_", 0, |row, place| if row == 5 { signed(row, place) } else { 1.0 });
        assert_eq!(look(only_last, &[0, 1, 2]).sizes, None);
    }
}
