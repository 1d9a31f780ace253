//! Edges of bins that everybody knows without having seen a row: what a private forest is grown on.

use flowgait_features::Schema;
use flowgait_features::schema::{HASHED, ONE_HOT};
use flowgait_model::forest::Edges;

use crate::error::Error;

/// Powers of two between which values are told apart by octaves.
const POWERS: std::ops::Range<i32> = -6..25;
/// Powers of two between which they are told apart by half octaves: sizes of packets lie there.
const FINE: std::ops::Range<i32> = 6..11;
/// Negative values are told apart from minus one down to minus so many: sizes of packets with a sign for their direction.
const NEGATIVE: std::ops::RangeInclusive<f32> = 1.0..=2048.0;

/// The same edges for every number: zero, and octaves around it; between 64 and 2048, half octaves. A column that says yes or no is cut
/// once between the two. Missing values have a bin of their own everywhere.
///
/// They depend on what columns are called and on nothing in them, so they cost no privacy. Columns whose values lie close together tell
/// little on them: give such a table in another unit.
///
/// # Errors
/// None for a schema.
pub fn fixed_edges(schema: &Schema) -> Result<Edges, Error> {
    let numbers = numbers();
    let of_column = |unit: &str| match unit {
        ONE_HOT | HASHED => vec![0.5],
        _ => numbers.clone(),
    };
    let columns = schema.features.iter().map(|feature| (of_column(&feature.unit), true));
    Ok(Edges::new(columns.collect())?)
}

fn numbers() -> Vec<f32> {
    let power = |power: i32| {
        let fine = FINE.contains(&power).then(|| 2_f32.powi(power) * std::f32::consts::SQRT_2);
        std::iter::once(2_f32.powi(power)).chain(fine)
    };
    let positive: Vec<f32> = POWERS.flat_map(power).collect();
    let negative = positive.iter().rev().filter(|edge| NEGATIVE.contains(*edge)).map(|edge| -edge);
    // Zero itself is told apart from both sides of it.
    let mut edges: Vec<f32> = negative.chain([-positive[0], 0.0]).collect();
    edges.extend(positive);
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowgait_features::Feature;

    #[test]
    fn sizes_and_zero_are_told_apart_and_nothing_of_rows_is_asked() {
        let feature = |name: &str, unit: &str| Feature { name: name.into(), unit: unit.into() };
        let features = vec![feature("size", "octets"), feature("proto=tcp", ONE_HOT)];
        let edges = fixed_edges(&Schema { name: "table".into(), features }).unwrap();
        assert_eq!((edges.of(1), edges.may_miss(0)), (&[0.5][..], true));
        let bin = |value: f32| edges.of(0).partition_point(|edge| *edge < value);
        let values = [-1412.0, -103.0, -1.0, 0.0, 1.0, 52.0, 103.0, 777.0, 1412.0, 1e6];
        let bins = values.map(bin);
        assert!(bins.is_sorted_by(|a, b| a < b), "{bins:?}");
        assert!(edges.bins(0) < 70);
    }
}
