//! The root's split against all splits there are, counted out one by one.

use proptest::prelude::*;

use super::*;
use crate::forest::{
    bin::{Bins, Place},
    tree::Kind,
};

#[derive(Clone, Debug)]
struct Case {
    columns: Vec<Vec<f32>>,
    classes: Vec<u16>,
    class_count: usize,
    weights: Vec<f64>,
    leaf_rows_min: usize,
}

/// Rows on both sides of each border, missing ones on either side; sums of squares over sums.
fn best_score(case: &Case) -> Option<f64> {
    let weight = |class: u16| case.weights.get(usize::from(class)).copied().unwrap_or(1.0);
    let score = |goes_left: &dyn Fn(f32) -> bool, column: &[f32]| {
        let mut sides = [vec![0.0; case.class_count], vec![0.0; case.class_count]];
        let mut rows = [0, 0];
        for (&value, &class) in column.iter().zip(&case.classes) {
            let side = usize::from(!goes_left(value));
            sides[side][usize::from(class)] += weight(class);
            rows[side] += 1;
        }
        let part =
            |side: &Vec<f64>| side.iter().map(|v| v * v).sum::<f64>() / side.iter().sum::<f64>();
        let enough = rows.iter().all(|rows| *rows >= case.leaf_rows_min);
        enough.then(|| sides.iter().map(part).sum::<f64>())
    };
    let mut best: Option<f64> = None;
    for column in &case.columns {
        for &border in column.iter().filter(|v| !v.is_nan()) {
            for missing_left in [false, true] {
                let goes_left = |v: f32| if v.is_nan() { missing_left } else { v <= border };
                best = score(&goes_left, column).into_iter().chain(best).reduce(f64::max);
            }
        }
    }
    best
}

/// Grows one split on all rows and columns; its decrease, if any.
fn grown_decrease<A: Amount>(case: &Case) -> Option<f64> {
    let rows: Vec<u32> = (0..case.classes.len() as u32).collect();
    let (bins, typical) = Bins::learn(&case.columns, &rows);
    let features = case.columns.len();
    let places: Vec<Place> = (0..features).map(|feature| Place { feature, shift: 0 }).collect();
    let mut lines = vec![0; rows.len() * 64];
    bins.fill(&case.columns, &rows, &places, 64, &mut lines);
    let has_missing: Vec<bool> = bins.cuts().iter().map(|c| c.missing() == MISSING).collect();
    let limits = Limits {
        depth_max: 1,
        leaf_rows_min: case.leaf_rows_min,
        features_tried: features,
        bootstrap: false,
        random_thresholds: false,
    };
    let ground = Ground {
        lines: &lines,
        stride: 64,
        classes: &case.classes,
        class_count: case.class_count,
        class_weights: &case.weights,
        has_missing: &has_missing,
        typical: &typical,
        limits,
        keys: None,
    };
    let tree = Grower::<A>::new(&ground).grow(1, 0);
    let splits = matches!(tree.nodes[0].kind, Kind::Split { .. });
    splits.then(|| tree.importance.iter().sum())
}

fn case() -> impl Strategy<Value = Case> {
    // Below 17 rows, up to 8 classes, more classes: the three ways through the search.
    let sizes = (prop_oneof![2_usize..17, 17_usize..120], 1_usize..10, 2_usize..12, 1_usize..4);
    sizes.prop_flat_map(|(rows, features, class_count, leaf_rows_min)| {
        let value = prop_oneof![8 => (-9_i8..9).prop_map(f32::from), 1 => Just(f32::NAN)];
        let columns = prop::collection::vec(prop::collection::vec(value, rows), features);
        let classes = prop::collection::vec(0..class_count as u16, rows);
        let weights =
            prop_oneof![Just(Vec::new()), prop::collection::vec(0.25_f64..4.0, class_count),];
        (columns, classes, weights).prop_map(move |(columns, classes, weights)| Case {
            columns,
            classes,
            class_count,
            weights,
            leaf_rows_min,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_split_is_better(case in case()) {
        let mut totals = vec![0.0; case.class_count];
        for &class in &case.classes {
            let class = usize::from(class);
            totals[class] += case.weights.get(class).copied().unwrap_or(1.0);
        }
        let before = totals.iter().map(|v| v * v).sum::<f64>() / totals.iter().sum::<f64>();
        let pure = totals.iter().filter(|total| **total > 0.0).count() == 1;
        let expected = if pure { None } else { best_score(&case) };
        let found = if case.weights.is_empty() {
            grown_decrease::<i64>(&case)
        } else {
            grown_decrease::<f64>(&case)
        };
        match (expected, found) {
            (Some(expected), Some(found)) => {
                let decrease = (expected - before).max(0.0);
                // The vectors of few classes are f32.
                prop_assert!((decrease - found).abs() < 1e-4 * before, "{decrease} {found}");
            }
            (expected, found) => prop_assert_eq!(expected.is_some(), found.is_some()),
        }
    }
}
