//! What must hold for any forest on any table.

#![allow(clippy::unwrap_used)]

use flowgait_model::{
    Error, Probabilities, Training,
    forest::{ClassWeights, FeaturesTried, Forest, ForestParams, Sampling, Thresholds},
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const NAN: f32 = f32::NAN;

#[derive(Clone, Debug)]
struct Table {
    columns: Vec<Vec<f32>>,
    codes: Vec<u32>,
    classes: usize,
}

impl Table {
    fn rows(&self) -> Vec<u32> {
        (0..self.codes.len() as u32).collect()
    }

    fn fit(&self, params: ForestParams, seed: u64) -> Forest {
        self.fit_weighted(params, seed, None)
    }

    fn fit_weighted(&self, params: ForestParams, seed: u64, weights: Option<&[f32]>) -> Forest {
        let training = Training {
            columns: &self.columns,
            rows: &self.rows(),
            codes: &self.codes,
            classes: self.classes,
            class_weights: weights,
        };
        params.check().unwrap().fit(&training, seed).unwrap()
    }

    fn predict(&self, forest: &Forest) -> Probabilities {
        forest.predict_proba(&self.columns, &self.rows()).unwrap()
    }
}

/// Values with many ties, missing ones, and infinities.
fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        12 => (-40_i16..40).prop_map(|v| f32::from(v) / 4.0),
        6 => -1e6_f32..1e6,
        2 => Just(NAN),
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(-0.0)],
    ]
}

fn table_of(rows: std::ops::Range<usize>) -> impl Strategy<Value = Table> {
    (rows, 1_usize..7, 1_usize..14).prop_flat_map(|(rows, features, classes)| {
        let columns = prop::collection::vec(prop::collection::vec(value(), rows), features);
        let codes = prop::collection::vec(0..classes as u32, rows);
        (columns, codes).prop_map(move |(columns, codes)| Table { columns, codes, classes })
    })
}

fn any_params() -> impl Strategy<Value = ForestParams> {
    let sampling = prop_oneof![Just(Sampling::Bootstrap), Just(Sampling::All)];
    let thresholds = prop_oneof![Just(Thresholds::Best), Just(Thresholds::Random)];
    let weights = prop_oneof![Just(ClassWeights::Equal), Just(ClassWeights::Balanced)];
    (1_usize..12, 1_usize..12, 1_usize..5, sampling, thresholds, weights).prop_map(
        |(trees, depth, leaf, sampling, thresholds, weights)| {
            ForestParams::new()
                .trees(trees)
                .depth_max(depth)
                .leaf_rows_min(leaf)
                .sampling(sampling)
                .thresholds(thresholds)
                .class_weights(weights)
        },
    )
}

/// One tree on all rows that tries every column, so that nothing in it is chance.
fn one_tree() -> ForestParams {
    ForestParams::new().trees(1).sampling(Sampling::All).features_tried(FeaturesTried::All)
}

fn close(a: &Probabilities, b: &Probabilities) -> bool {
    a.values.len() == b.values.len()
        && a.values.iter().zip(&b.values).all(|(a, b)| (a - b).abs() < 1e-6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn probabilities_sum_to_one(table in table_of(1..300), params in any_params(), seed: u64) {
        let forest = table.fit(params, seed);
        let p = table.predict(&forest);
        prop_assert_eq!(p.rows(), table.codes.len());
        for row in 0..p.rows() {
            prop_assert!((p.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5);
            prop_assert!(p.row(row).iter().all(|p| (0.0..=1.0 + 1e-6).contains(p)));
        }
        let importance: f32 = forest.importance().iter().sum();
        prop_assert!(importance == 0.0 || (importance - 1.0).abs() < 1e-4);
    }

    #[test]
    fn one_row_is_as_many_rows(table in table_of(1..60), params in any_params(), seed: u64) {
        let forest = table.fit(params, seed);
        let p = table.predict(&forest);
        for row in 0..p.rows() {
            let values: Vec<f32> = table.columns.iter().map(|column| column[row]).collect();
            prop_assert_eq!(&forest.predict_row(&values).unwrap()[..], p.row(row));
            let alone = forest.predict_proba(&table.columns, &[row as u32]).unwrap();
            prop_assert_eq!(&alone.values[..], p.row(row));
        }
    }

    #[test]
    fn threads_change_nothing(table in table_of(1..200), params in any_params(), seed: u64) {
        let fitted = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let forest = table.fit(params.clone(), seed);
                let p = table.predict(&forest);
                (forest, p)
            })
        };
        let alone = fitted(1);
        prop_assert_eq!(&alone, &fitted(2));
        prop_assert_eq!(&alone, &fitted(5));
    }

    #[test]
    fn a_full_tree_knows_distinct_rows(
        codes in prop::collection::vec(0_u32..9, 1..200),
        thresholds in prop_oneof![Just(Thresholds::Best), Just(Thresholds::Random)],
        seed: u64,
    ) {
        // One column tells every row apart from its neighbours, by fewer values than there are bins.
        let column: Vec<f32> = (0..codes.len()).map(|row| row as f32 * 0.5).collect();
        let table = Table { columns: vec![column], codes, classes: 9 };
        let p = table.predict(&table.fit(one_tree().thresholds(thresholds), seed));
        for (row, &code) in table.codes.iter().enumerate() {
            prop_assert_eq!(p.row(row)[code as usize], 1.0);
        }
    }

    #[test]
    fn stretching_a_column_changes_nothing(table in table_of(1..400), seed: u64) {
        // Exact in f32 and monotone: -x reverses the order, so not that; x / 4 - 3 for x in steps of 1/4.
        let mut whole = table;
        for v in whole.columns.iter_mut().flatten() {
            *v = (*v * 4.0).round().clamp(-160.0, 160.0);
        }
        let mut stretched = whole.clone();
        for v in stretched.columns.iter_mut().flatten() {
            *v = *v * *v * *v + 17.0;
        }
        let params = ForestParams::new().trees(5);
        let p = whole.predict(&whole.fit(params.clone(), seed));
        prop_assert_eq!(p, stretched.predict(&stretched.fit(params, seed)));
    }

    #[test]
    fn weight_two_is_every_row_twice(table in table_of(2..60), class in 0_u32..14, seed: u64) {
        let class = class % table.classes as u32;
        let mut weights = vec![1.0; table.classes];
        weights[class as usize] = 2.0;
        let mut twice = table.clone();
        for row in (0..table.codes.len()).filter(|row| table.codes[*row] == class) {
            twice.codes.push(class);
            for (column, of_table) in twice.columns.iter_mut().zip(&table.columns) {
                column.push(of_table[row]);
            }
        }
        // The median, which stands for a value missing only later, may differ: no matter here.
        let weighted = table.predict(&table.fit_weighted(one_tree(), seed, Some(&weights)));
        let doubled = twice.fit(one_tree(), seed);
        let doubled = doubled.predict_proba(&table.columns, &table.rows()).unwrap();
        prop_assert!(close(&weighted, &doubled));
    }

    #[test]
    fn equal_weights_change_nothing(table in table_of(1..100), seed: u64) {
        let params = ForestParams::new().trees(4);
        let plain = table.predict(&table.fit(params.clone(), seed));
        let weights = vec![2.0; table.classes];
        let weighted = table.predict(&table.fit_weighted(params, seed, Some(&weights)));
        prop_assert!(close(&plain, &weighted));
    }

    #[test]
    fn depth_and_leaves_are_limited(table in table_of(20..200), leaf in 1_usize..30, seed: u64) {
        // With all rows, a leaf of n rows answers shares of n or more: none but 0 is below 1 / rows.
        let params = one_tree().leaf_rows_min(leaf).depth_max(1);
        let p = table.predict(&table.fit(params, seed));
        let mut answers: Vec<&[f32]> = (0..p.rows()).map(|row| p.row(row)).collect();
        answers.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let groups: Vec<_> = answers.chunk_by(|a, b| a == b).collect();
        prop_assert!(groups.len() <= 2, "one split gives two answers at most");
        prop_assert!(groups.iter().all(|group| group.len() >= leaf.min(p.rows())));
    }
}

fn labelled(column: Vec<f32>, codes: &[u32]) -> Table {
    Table { columns: vec![column], codes: codes.to_vec(), classes: 2 }
}

/// Fits one split and checks that it knows every row, and what it says of a missing value.
fn check_missing(column: Vec<f32>, codes: &[u32], missing_is: u32) {
    for repeat in [1, 40] {
        let table = labelled(column.repeat(repeat), &codes.repeat(repeat));
        let forest = table.fit(one_tree().depth_max(1), 1);
        let p = table.predict(&forest);
        for (row, &code) in table.codes.iter().enumerate() {
            assert_eq!(p.best(row), code, "row {row} of {column:?}");
        }
        let missing = forest.predict_row(&[NAN]).unwrap();
        assert_eq!(missing[missing_is as usize], 1.0);
    }
}

#[test]
fn splits_learn_where_missing_values_go() {
    check_missing(vec![1.0, 2.0, 8.0, 9.0, NAN], &[0, 0, 1, 1, 1], 1);
    check_missing(vec![1.0, 2.0, 8.0, 9.0, NAN], &[0, 0, 1, 1, 0], 0);
    check_missing(vec![1.0, 2.0, NAN, NAN], &[0, 0, 1, 1], 1);
    check_missing(vec![5.0, 5.0, NAN, NAN], &[1, 1, 0, 0], 0);
    check_missing(vec![f32::NEG_INFINITY, NAN, f32::INFINITY], &[0, 1, 1], 1);
}

#[test]
fn many_classes_learn_where_missing_values_go() {
    // Twenty classes take another way through the search than two.
    let column: Vec<f32> =
        (0..400).map(|r| if r % 20 == 7 { NAN } else { (r % 20) as f32 }).collect();
    let codes = (0..400).map(|row| row % 20).collect();
    let table = Table { columns: vec![column], codes, classes: 20 };
    let forest = table.fit(one_tree(), 3);
    let p = table.predict(&forest);
    assert!((0..400).all(|row| p.best(row) == table.codes[row]));
    assert_eq!(forest.predict_row(&[NAN]).unwrap()[7], 1.0);
}

#[test]
fn a_value_never_missed_before_is_taken_for_the_median() {
    let column: Vec<f32> = (0..101).map(|row| row as f32).collect();
    let codes: Vec<u32> = (0..101).map(|row| u32::from((40..60).contains(&row))).collect();
    let forest = labelled(column, &codes).fit(one_tree(), 1);
    assert_eq!(forest.predict_row(&[NAN]).unwrap(), forest.predict_row(&[50.0]).unwrap());
}

#[test]
fn extra_trees_learn_from_missing_values() {
    let column: Vec<f32> = (0..60).map(|r| if r % 3 == 0 { NAN } else { 4.0 }).collect();
    let codes: Vec<u32> = (0..60).map(|row| u32::from(row % 3 == 0)).collect();
    let table = labelled(column, &codes);
    let p = table.predict(&table.fit(ForestParams::extra_trees().trees(3), 1));
    assert!((0..60).all(|row| p.best(row) == codes[row]));
}

#[test]
fn nothing_to_split_gives_the_shares() {
    let table = labelled(vec![3.0; 8], &[0, 1, 1, 1, 0, 1, 1, 1]);
    let p = table.predict(&table.fit(one_tree(), 1));
    assert_eq!(p.row(0), [0.25, 0.75]);
    let table = labelled(vec![NAN; 4], &[0, 1, 1, 1]);
    let p = table.predict(&table.fit(one_tree(), 1));
    assert_eq!(p.row(0), [0.25, 0.75]);
}

#[test]
fn one_row_or_one_class_is_enough() {
    let table = labelled(vec![3.0], &[1]);
    assert_eq!(table.predict(&table.fit(ForestParams::new().trees(3), 1)).row(0), [0.0, 1.0]);
    let table = Table { columns: vec![vec![1.0, 2.0]], codes: vec![0, 0], classes: 1 };
    assert_eq!(table.predict(&table.fit(ForestParams::new().trees(3), 1)).values, [1.0, 1.0]);
}

#[test]
fn balanced_classes_weigh_the_same() {
    let codes: Vec<u32> = (0..100).map(|row| u32::from(row == 7)).collect();
    let table = labelled(vec![0.0; 100], &codes);
    let p = table.predict(&table.fit(one_tree().class_weights(ClassWeights::Balanced), 1));
    assert!((p.row(0)[0] - 0.5).abs() < 1e-4, "{:?}", p.row(0));
}

#[test]
fn a_forest_of_many_columns_works() {
    // Above 256 columns nodes are wider, above 1,024 rows of octets have no constant length.
    for features in [255, 257, 600, 1100] {
        let columns: Vec<Vec<f32>> = (0..features)
            .map(|c| (0..90).map(|row| ((row * (c + 3)) % 31) as f32).collect())
            .collect();
        let codes: Vec<u32> = (0..90).map(|row| row % 31 / 8).collect();
        let table = Table { columns, codes, classes: 4 };
        let params = ForestParams::new().trees(9).sampling(Sampling::All);
        let p = table.predict(&table.fit(params, 1));
        assert!((0..90).all(|row| p.best(row) == table.codes[row]), "{features} columns");
    }
}

#[test]
fn importance_names_the_column_that_tells() {
    let noise = (0..200).map(|row| ((row * 7919) % 101) as f32).collect();
    let telling: Vec<f32> = (0..200).map(|row| (row % 2) as f32).collect();
    let codes = (0..200).map(|row| row % 2).collect();
    let table = Table { columns: vec![noise, telling], codes, classes: 2 };
    let forest = table.fit(ForestParams::new().trees(20).features_tried(FeaturesTried::All), 1);
    assert!(forest.importance()[1] > 0.99);
}

#[test]
fn every_tree_is_reported() {
    let table = labelled(vec![1.0, 2.0], &[0, 1]);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let training = Training {
        columns: &table.columns,
        rows: &[0, 1],
        codes: &table.codes,
        classes: 2,
        class_weights: None,
    };
    let params = ForestParams::new().trees(17).check().unwrap();
    let tick = || {
        done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    };
    params.fit_with(&training, 1, &tick).unwrap();
    assert_eq!(done.into_inner(), 17);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let columns = [vec![1.0, 2.0], vec![1.0]];
    let good = Training {
        columns: &columns[..1],
        rows: &[0, 1],
        codes: &[0, 1],
        classes: 2,
        class_weights: None,
    };
    let fit = |training: Training| ForestParams::new().check().unwrap().fit(&training, 1);
    assert!(fit(good).is_ok());
    let refused = |training| fit(training).unwrap_err();
    assert!(matches!(refused(Training { rows: &[], ..good }), Error::Nothing { what: "rows" }));
    assert!(matches!(refused(Training { columns: &[], ..good }), Error::Nothing { .. }));
    assert!(matches!(
        refused(Training { columns: &columns, ..good }),
        Error::ColumnLength { column: 1, found: 1, expected: 2 }
    ));
    assert!(matches!(
        refused(Training { rows: &[2], ..good }),
        Error::RowOutOfRange { row: 2, rows: 2 }
    ));
    assert!(matches!(
        refused(Training { classes: 1, ..good }),
        Error::ClassOutOfRange { row: 1, class: 1, classes: 1 }
    ));
    assert!(matches!(refused(Training { classes: 1 << 17, ..good }), Error::TooMany { .. }));
    for weights in [&[1.0][..], &[1.0, 0.0], &[1.0, NAN], &[-1.0, 1.0]] {
        let weighted = Training { class_weights: Some(weights), ..good };
        assert!(matches!(refused(weighted), Error::ClassWeight { .. }));
    }
    let forest = fit(good).unwrap();
    assert!(matches!(
        forest.predict_proba(&columns, &[0]),
        Err(Error::ColumnCount { found: 2, expected: 1 })
    ));
    assert!(matches!(forest.predict_proba(&columns[..1], &[5]), Err(Error::RowOutOfRange { .. })));
    assert!(matches!(forest.predict_row(&[]), Err(Error::ColumnCount { .. })));
    for params in [
        ForestParams::new().trees(0),
        ForestParams::new().trees(1_000_000),
        ForestParams::new().depth_max(0),
        ForestParams::new().leaf_rows_min(0),
        ForestParams::new().features_tried(FeaturesTried::Count(0)),
    ] {
        assert!(matches!(params.check(), Err(Error::Parameter { .. })));
    }
}

#[test]
fn a_seed_gives_the_same_forest_on_every_machine() {
    // Integers only, so that the table itself is the same everywhere.
    let value = |row: usize, c: usize| match (row * row + 37 * c * row + c) % 211 {
        0..9 => NAN,
        v => v as f32,
    };
    let columns: Vec<Vec<f32>> =
        (0..9).map(|c| (0..500).map(|row| value(row, c)).collect()).collect();
    let codes: Vec<u32> = (0..500).map(|row| (row * row / 9 + row / 50) % 12).collect();
    let digest = |params: ForestParams, classes: u32| {
        let codes = codes.iter().map(|code| code % classes).collect();
        let table = Table { columns: columns.clone(), codes, classes: classes as usize };
        let p = table.predict(&table.fit(params.trees(10).leaf_rows_min(1).depth_max(7), 42));
        let octets: Vec<u8> = p.values.iter().flat_map(|p| p.to_bits().to_le_bytes()).collect();
        let digest: [u8; 4] = Sha256::digest(octets)[..4].try_into().unwrap();
        u32::from_be_bytes(digest)
    };
    let balanced = ForestParams::new().class_weights(ClassWeights::Balanced);
    let digests = [
        digest(ForestParams::new(), 12),
        digest(ForestParams::new(), 5),
        digest(ForestParams::extra_trees(), 12),
        digest(balanced, 12),
    ];
    // A change here means that old seeds give new models: say so in the change log.
    assert_eq!(
        digests.map(|d| format!("{d:08x}")),
        ["c0f35331", "af35ad6d", "5b68eb89", "6907d755"]
    );
}
