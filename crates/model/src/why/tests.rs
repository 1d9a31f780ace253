//! Laws of what is said about a row, and which rows it is held against.

use flowgait_features::schema::{Feature, Schema};
use proptest::prelude::*;

use super::*;
use crate::artifact::Card;
use crate::boost::BoostParams;
use crate::estimator::Estimator;
use crate::forest::ForestParams;
use crate::training::Training;
use crate::voting::Voting;

const COLUMNS: usize = 11;
const CLASSES: usize = 3;

/// A number that looks like chance, between 0 and 100; now and then missing.
fn noise(seed: u64, at: usize) -> f32 {
    let mixed = (seed ^ at as u64 ^ 0x51_7c_c1).wrapping_mul(6_364_136_223_846_793_005);
    let mixed = (mixed ^ mixed >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    if mixed.is_multiple_of(19) { f32::NAN } else { (mixed % 10_007) as f32 / 100.0 }
}

/// A table of two numbers and a list of nine.
fn table(rows: usize, seed: u64) -> Dataset {
    let feature = |column: usize| Feature {
        name: if column < 2 { format!("plain{column}_x") } else { format!("size_{}", column - 2) },
        unit: "octets".to_owned(),
    };
    let schema = Schema { name: "table".into(), features: (0..COLUMNS).map(feature).collect() };
    let column = |column: usize| (0..rows).map(|row| noise(seed, row * COLUMNS + column)).collect();
    Dataset { schema, columns: (0..COLUMNS).map(column).collect(), rows, ..Dataset::default() }
}

fn model(kind: usize, dataset: &Dataset, seed: u64) -> Model {
    let rows: Vec<u32> = (0..dataset.rows as u32).collect();
    let code = |row: &u32| {
        let sum =
            dataset.columns[0][*row as usize].max(0.0) + dataset.columns[4][*row as usize].max(0.0);
        (sum as usize / 67).min(CLASSES - 1) as u32
    };
    let codes: Vec<u32> = rows.iter().map(code).collect();
    let training = Training {
        columns: &dataset.columns,
        rows: &rows,
        codes: &codes,
        classes: CLASSES,
        class_weights: None,
    };
    let forest = || {
        let params = ForestParams::new().trees(9).check().unwrap();
        Estimator::Forest(params.fit(&training, seed).unwrap())
    };
    let boost = || {
        let params = BoostParams::new().boosters(1).rounds(6).check().unwrap();
        Estimator::Boost(Box::new(params.fit(&training, seed, &|| ()).unwrap()))
    };
    let estimator = match kind {
        0 => forest(),
        1 => boost(),
        _ => Estimator::Voting(Box::new(Voting::of(vec![forest(), boost()]).unwrap())),
    };
    let classes = ["chat", "video", "web"].map(str::to_owned).to_vec();
    Model::new(dataset.schema.clone(), classes, estimator, Card::default()).unwrap()
}

fn held(model: &Model, dataset: &Dataset, own: usize) -> Held {
    let mut gathered = Gathered::new(model);
    for row in 0..dataset.rows {
        let number = row as u64 + 1;
        let values: Vec<f32> = dataset.columns.iter().map(|column| column[row]).collect();
        gathered.hold(number, None, &values);
        if row == own {
            gathered.ask(number, None, &values, Others::Spread);
        }
    }
    gathered.held(model).unwrap()
}

/// The estimator's own word on a row: a probability before calibration, or a margin.
fn says(model: &Model, dataset: &Dataset, row: u32, class: usize) -> f64 {
    match model.estimator() {
        Estimator::Boost(boost) => boost.margins(&dataset.columns, &[row]).unwrap()[class].into(),
        other => other.predict_proba(&dataset.columns, &[row]).unwrap().row(0)[class].into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_parts_add_up_to_what_is_said(
        kind in 0_usize..3,
        rows in 2_usize..160,
        own in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let dataset = table(rows, seed);
        let model = model(kind, &dataset, seed % 100);
        let own = own.index(rows);
        let held = held(&model, &dataset, own);
        prop_assert!(held.background_rows() == rows.min(BACKGROUND_ROWS) || held.background_rows() + 1 == rows.min(BACKGROUND_ROWS));
        for (class, of) in held.why(&model, &[0, 1, 2], 1, &|| true).unwrap().iter().enumerate() {
            let moved: f64 = of.columns.iter().map(|part| part.contribution).sum();
            prop_assert!((of.base + moved - of.value).abs() < 1e-9, "{of:?}");
            let said = says(&model, &dataset, own as u32, class);
            prop_assert!((of.value - said).abs() < 1e-4, "{} {said}", of.value);
            prop_assert_eq!(of.columns.iter().map(|part| part.columns).sum::<usize>(), COLUMNS);
        }
    }

    #[test]
    fn rows_that_are_held_are_those_that_their_number_alone_tells(
        rows in prop_oneof![0_u64..500, 19_990_u64..20_020, 39_990_u64..40_010, 70_000_u64..90_000],
    ) {
        let values = [1.0; COLUMNS];
        let model = model(0, &table(40, 7), 1);
        let mut gathered = Gathered::new(&model);
        for number in 1..=rows {
            if (number - 1).is_multiple_of(gathered.stride()) {
                gathered.hold(number, None, &values);
            }
        }
        gathered.ask(rows + 1, None, &values, Others::Spread);
        let held = gathered.held(&model).unwrap();
        let numbers: Vec<u64> = held.background.iter().map(|&row| held.numbers[row as usize]).collect();
        prop_assert_eq!(&numbers, &spread(rows));
        prop_assert_eq!(numbers.len() as u64, rows.min(100));
        prop_assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.iter().all(|n| (1..=rows).contains(n)));
    }
}

#[test]
fn a_row_is_not_held_against_itself() {
    let dataset = table(300, 3);
    let model = model(0, &dataset, 1);
    let asked = held(&model, &dataset, 3);
    assert_eq!(spread(300)[1], 4);
    assert_eq!(asked.background_rows(), 99);
    assert_eq!(asked.others.len(), 299);
    assert_eq!(held(&model, &dataset, 4).background_rows(), 100);
    let alone = table(1, 3);
    assert!(held(&model, &alone, 0).is_alone());
}

#[test]
fn nobody_computes_on_who_is_not_waited_for() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let dataset = table(150, 5);
    for kind in 0..3 {
        let model = model(kind, &dataset, 1);
        let asked = AtomicU32::new(0);
        let goes_on = || asked.fetch_add(1, Ordering::Relaxed) < 3;
        let given_up = held(&model, &dataset, 0).why(&model, &[0], 1, &goes_on);
        assert!(matches!(given_up, Err(Error::GivenUp)), "{given_up:?}");
        assert!(asked.load(Ordering::Relaxed) < 40, "{asked:?}");
    }
}
