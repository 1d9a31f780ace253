//! Which numbered lists are about the same packets, place by place: for estimators that look at a flow as a sequence.

use super::{Look, numbered};
use crate::schema::Schema;
use crate::table::spelling;

/// Lists of equal length, of which each place is about the same packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The lists; the first is of signed sizes, positive from the initiator.
    pub lists: Vec<SequenceList>,
}

/// One number of each packet of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceList {
    /// Its columns, in the packets' order.
    pub columns: Vec<usize>,
    /// What it is.
    pub kind: ListKind,
}

/// What a list of packets holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Signed sizes.
    Size,
    /// Times since the packet before.
    Gap,
    /// Anything else, such as TCP windows.
    Other,
}

/// The sequences of a table, by names and by the values of some rows; none where no list holds signed sizes.
///
/// A list stands beside sizes when it is as long and is missing where they are missing.
///
/// # Panics
/// When there are fewer columns than the schema names, or `rows` go beyond them.
#[must_use]
pub fn sequences(schema: &Schema, columns: &[Vec<f32>], rows: &[u32]) -> Vec<Sequence> {
    let mut found: Vec<Sequence> = Vec::new();
    let mut others = Vec::new();
    for list in numbered(schema).0 {
        if !Look::at(columns, &list, rows).is_sizes() {
            others.push(list);
            continue;
        }
        let list = SequenceList { columns: list.columns, kind: ListKind::Size };
        match found.iter_mut().find(|sequence| beside(columns, rows, sequence, &list.columns)) {
            Some(sequence) => sequence.lists.push(list),
            None => found.push(Sequence { lists: vec![list] }),
        }
    }
    for list in others {
        let sequence =
            found.iter_mut().find(|sequence| beside(columns, rows, sequence, &list.columns));
        if let Some(sequence) = sequence {
            let kind = if spelling::is_length_of_time(&list.stem) {
                ListKind::Gap
            } else {
                ListKind::Other
            };
            sequence.lists.push(SequenceList { columns: list.columns, kind });
        }
    }
    found
}

/// Whether a list is as long as a sequence's sizes and missing in the same cells.
fn beside(columns: &[Vec<f32>], rows: &[u32], sequence: &Sequence, list: &[usize]) -> bool {
    let sizes = &sequence.lists[0].columns;
    let missing = |column: usize, row: u32| columns[column][row as usize].is_nan();
    sizes.len() == list.len()
        && sizes.iter().zip(list).all(|(&size, &other)| {
            rows.iter().all(|&row| missing(size, row) == missing(other, row))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Feature;

    /// Ten columns of a list: `value(row, place)`.
    fn list(stem: &str, value: impl Fn(usize, usize) -> f32) -> Vec<(String, Vec<f32>)> {
        (0..10)
            .map(|place| (format!("{stem}_{place}"), (0..4).map(|row| value(row, place)).collect()))
            .collect()
    }

    #[test]
    fn lists_that_end_together_are_of_the_same_packets() {
        let ends = |row: usize, place: usize, value: f32| {
            if place > 4 + row { f32::NAN } else { value }
        };
        let sign = |place: usize| if place.is_multiple_of(2) { 1.0 } else { -1.0 };
        let mut columns = list("size", |row, place| ends(row, place, 60.0 * sign(place)));
        columns.extend(list("gap_us", |row, place| ends(row, place, 1_000.0)));
        columns.extend(list("window", |row, place| ends(row, place, 65_535.0)));
        columns.extend(list(
            "payload",
            |row, place| {
                if place > row { f32::NAN } else { 9.0 * sign(place) }
            },
        ));
        columns.extend(list("histogram", |_, place| place as f32));
        let (names, columns): (Vec<String>, Vec<Vec<f32>>) = columns.into_iter().unzip();
        let features =
            names.into_iter().map(|name| Feature { name, unit: String::new() }).collect();
        let schema = Schema { name: "table".into(), features };
        let found = sequences(&schema, &columns, &[0, 1, 2, 3]);
        let kinds: Vec<Vec<ListKind>> =
            found.iter().map(|s| s.lists.iter().map(|list| list.kind).collect()).collect();
        assert_eq!(
            kinds,
            [vec![ListKind::Size, ListKind::Gap, ListKind::Other], vec![ListKind::Size]]
        );
        assert_eq!(found[0].lists[1].columns, (10..20).collect::<Vec<_>>());
        assert_eq!(found[1].lists[0].columns[0], 30);
    }
}
