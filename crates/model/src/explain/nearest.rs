//! The rows that are most like one, in the columns that decided about it.

/// A row and how far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The row.
    pub row: u32,
    /// From 0, the same in all columns that decided, to 1, at the other end of the others in each of them.
    pub distance: f64,
}

/// The rows of `others` that are most like `row`, nearest first.
///
/// Columns differ by the share of `others` that lies between the two values, so that octets and seconds count alike; a value that is
/// missing on one side only is as far as can be. `weights` says how much each column counts, such as the size of its contribution.
///
/// # Shapes
/// `columns` is `[n_features][n_rows]`, `weights` is `[n_features]`.
#[must_use]
pub fn nearest(
    columns: &[Vec<f32>],
    weights: &[f64],
    row: u32,
    others: &[u32],
    count: usize,
) -> Vec<Neighbour> {
    let mut distances = vec![0.0; others.len()];
    let all: f64 = weights.iter().map(|weight| weight.abs()).sum();
    for (column, &weight) in columns.iter().zip(weights) {
        if weight == 0.0 || all == 0.0 {
            continue;
        }
        let weight = weight.abs() / all;
        let mut sorted: Vec<f32> = others.iter().map(|&r| column[r as usize]).collect();
        sorted.retain(|value| !value.is_nan());
        sorted.sort_unstable_by(f32::total_cmp);
        let own = column[row as usize];
        for (distance, &other) in distances.iter_mut().zip(others) {
            *distance += weight * between(&sorted, own, column[other as usize]);
        }
    }
    let mut found: Vec<Neighbour> = others
        .iter()
        .zip(distances)
        .filter(|(other, _)| **other != row)
        .map(|(&row, distance)| Neighbour { row, distance })
        .collect();
    found.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row)));
    found.truncate(count);
    found
}

/// The share of the sorted values that lie between two, of which one may be missing.
fn between(sorted: &[f32], a: f32, b: f32) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) if a == b => 0.0,
        (false, false) => {
            let (low, high) = (a.min(b), a.max(b));
            let begin = sorted.partition_point(|value| *value < low);
            let end = sorted.partition_point(|value| *value < high);
            (end - begin) as f64 / sorted.len().max(1) as f64
        }
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_near_where_it_counts() {
        let columns = [vec![1.0, 2.0, 100.0, f32::NAN, 1.0], vec![5.0, 9.0, 5.0, 5.0, 7.0]];
        let rows = |weights: [f64; 2]| -> Vec<u32> {
            nearest(&columns, &weights, 0, &[0, 1, 2, 3, 4], 9).iter().map(|n| n.row).collect()
        };
        assert_eq!(rows([1.0, 0.0]), [4, 1, 2, 3]);
        assert_eq!(rows([0.0, -2.0])[..2], [2, 3]);
        let all = nearest(&columns, &[1.0, 0.0], 0, &[1, 2, 3], 1);
        assert_eq!((all.len(), all[0].row), (1, 1));
        assert!(nearest(&columns, &[0.0, 0.0], 0, &[1], 1)[0].distance == 0.0);
    }
}
