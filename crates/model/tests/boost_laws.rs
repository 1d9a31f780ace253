//! What must hold for boosting on any table.

#![allow(clippy::unwrap_used)]

use flowgait_features::{Feature, Schema};
use flowgait_model::boost::{Boost, BoostParams};
use flowgait_model::{Card, Estimator, Model, Probabilities, Training};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

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

    fn fit(&self, params: BoostParams, seed: u64) -> Boost {
        let training = Training {
            columns: &self.columns,
            rows: &self.rows(),
            codes: &self.codes,
            classes: self.classes,
            class_weights: None,
        };
        params.check().unwrap().fit(&training, seed, &|| {}).unwrap()
    }

    fn predict(&self, boost: &Boost) -> Probabilities {
        boost.predict_proba(&self.columns, &self.rows()).unwrap()
    }

    /// Mean log loss of its own rows, in nats.
    fn log_loss(&self, said: &Probabilities) -> f64 {
        let own = self.codes.iter().enumerate();
        let loss: f64 = own.map(|(row, code)| -f64::from(said.row(row)[*code as usize]).ln()).sum();
        loss / self.codes.len() as f64
    }
}

/// Values with many ties, missing ones, and infinities.
fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        12 => (-40_i16..40).prop_map(|v| f32::from(v) / 4.0),
        6 => -1e6_f32..1e6,
        2 => Just(f32::NAN),
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(-0.0)],
    ]
}

fn table_of(rows: std::ops::Range<usize>) -> impl Strategy<Value = Table> {
    (rows, 1_usize..20, 1_usize..9).prop_flat_map(|(rows, features, classes)| {
        let columns = prop::collection::vec(prop::collection::vec(value(), rows), features);
        let codes = prop::collection::vec(0..classes as u32, rows);
        (columns, codes).prop_map(move |(columns, codes)| Table { columns, codes, classes })
    })
}

fn few_rounds() -> BoostParams {
    BoostParams::new().rounds(6).leaves(8)
}

/// Rows of several classes in rings around a centre, with a column of noise: enough rows for leaves that are summed up by bins.
fn rings(rows: usize, classes: usize) -> Table {
    let noise =
        |row: usize, of: u32| ((row as u32).wrapping_mul(of) >> 8) as f32 / (1 << 24) as f32;
    let x: Vec<f32> = (0..rows).map(|row| noise(row, 2_654_435_769) - 0.5).collect();
    let y: Vec<f32> = (0..rows).map(|row| noise(row, 2_246_822_519) - 0.5).collect();
    let z: Vec<f32> = (0..rows).map(|row| noise(row, 3_266_489_917)).collect();
    let ring = |(x, y): (&f32, &f32)| ((x * x + y * y).sqrt() * 1.99 * classes as f32) as u32;
    let codes = x.iter().zip(&y).map(|at| ring(at).min(classes as u32 - 1)).collect();
    Table { columns: vec![x, y, z], codes, classes }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn probabilities_sum_to_one(table in table_of(1..300), seed: u64) {
        let boost = table.fit(few_rounds(), seed);
        let said = table.predict(&boost);
        for row in 0..said.rows() {
            prop_assert!((said.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5);
            prop_assert!(said.row(row).iter().all(|p| (0.0..=1.0 + 1e-6).contains(p)));
        }
        let importance: f32 = boost.importance().iter().sum();
        prop_assert!(importance == 0.0 || (importance - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_row_is_answered_the_same_in_any_company(table in table_of(1..120), seed: u64) {
        let boost = table.fit(few_rounds(), seed);
        let said = table.predict(&boost);
        for row in 0..said.rows() {
            let alone = boost.predict_proba(&table.columns, &[row as u32]).unwrap();
            prop_assert_eq!(&alone.values[..], said.row(row));
        }
    }

    #[test]
    fn what_keeps_the_order_of_values_changes_nothing(table in table_of(2..200), seed: u64) {
        let grown = Table {
            columns: table
                .columns
                .iter()
                .map(|column| column.iter().map(|v| if v.is_finite() { v / 4.0 } else { *v }).collect())
                .collect(),
            ..table.clone()
        };
        prop_assert_eq!(
            table.predict(&table.fit(few_rounds(), seed)),
            grown.predict(&grown.fit(few_rounds(), seed))
        );
    }

    #[test]
    fn it_fits_no_worse_than_the_shares_of_the_classes(table in table_of(2..300), seed: u64) {
        let one = table.fit(BoostParams::new().rounds(1).patience(None).learning_rate(0.01), seed);
        let some = table.fit(BoostParams::new().rounds(30).patience(None), seed);
        let (one, some) = (table.log_loss(&table.predict(&one)), table.log_loss(&table.predict(&some)));
        prop_assert!(some <= one + 1e-3, "{some} after 30 rounds, {one} after one");
    }
}

#[test]
fn it_learns_what_no_single_column_tells() {
    for classes in [2, 3, 7] {
        let table = rings(6_000, classes);
        let others = rings(7_000, classes);
        let boost = table.fit(BoostParams::new(), 1);
        let unseen: Vec<u32> = (6_000..7_000).collect();
        let said = boost.predict_proba(&others.columns, &unseen).unwrap();
        let hits = (0..1_000).filter(|at| said.best(*at) == others.codes[6_000 + at]).count();
        assert!(hits > 930, "{hits} of 1,000 right with {classes} classes");
        assert!(boost.importance()[2] < 0.1, "the column of noise has {}", boost.importance()[2]);
    }
}

#[test]
fn it_ends_when_more_rounds_bring_nothing() {
    let mut table = rings(2_000, 2);
    // Labels that nothing tells: the shares of the classes are the best answer.
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    table.codes = (0..2_000).map(|_| rng.next_u32() >> 31).collect();
    let boost = table.fit(BoostParams::new(), 3);
    assert!(boost.trees() < 40, "{} trees", boost.trees());
    assert!(table.fit(BoostParams::new().patience(None).rounds(60), 3).trees() == 60);
}

#[test]
fn threads_change_nothing() {
    let table = rings(60_000, 5);
    let params = || BoostParams::new().rounds(8);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| table.fit(params(), 9))
    };
    let (one, four) = (with(1), with(4));
    assert!(one == four);
    assert!(one != table.fit(params(), 10));
}

#[test]
fn classes_may_weigh_alike() {
    use flowgait_model::forest::ClassWeights;
    // One in forty rows is of the second class, and nothing tells which.
    let codes: Vec<u32> = (0..4_000).map(|row| u32::from(row % 40 == 0)).collect();
    let noise = |row: u32| (row.wrapping_mul(2_654_435_761) >> 8) as f32;
    let table = Table { columns: vec![(0..4_000).map(noise).collect()], codes, classes: 2 };
    let mean = |params: BoostParams| {
        let said = table.predict(&table.fit(params, 0));
        (0..said.rows()).map(|row| f64::from(said.row(row)[1])).sum::<f64>() / said.rows() as f64
    };
    let equal = mean(BoostParams::new());
    let balanced = mean(BoostParams::new().class_weights(ClassWeights::Balanced));
    assert!((0.01..0.05).contains(&equal), "{equal}");
    assert!((0.4..0.6).contains(&balanced), "{balanced}");
}

#[test]
fn a_file_gives_back_the_same_model_and_every_cut_is_refused() {
    let table = rings(700, 4);
    let boost = table.fit(BoostParams::new().rounds(5).leaves(6), 2);
    let said = table.predict(&boost);
    let feature = |c| Feature { name: format!("column {c}"), unit: "octets".into() };
    let schema = Schema { name: "table".into(), features: (0..3).map(feature).collect() };
    let classes = (0..4).map(|c| format!("class {c}")).collect();
    let model =
        Model::new(schema, classes, Estimator::Boost(Box::new(boost)), Card::default()).unwrap();
    let bytes = model.to_bytes();
    let read = Model::from_bytes(&bytes).unwrap();
    assert!(read == model);
    assert_eq!(read.estimator().predict_proba(&table.columns, &table.rows()).unwrap(), said);
    for cut in 0..bytes.len() {
        assert!(Model::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn parameters_that_cannot_be_are_refused_by_name() {
    let refusal = |params: BoostParams| params.check().unwrap_err().to_string();
    assert!(refusal(BoostParams::new().rounds(0)).contains("trees"));
    assert!(refusal(BoostParams::new().learning_rate(0.0)).contains("learning_rate"));
    assert!(refusal(BoostParams::new().leaves(1)).contains("leaves"));
    assert!(refusal(BoostParams::new().depth_max(0)).contains("greatest depth"));
    assert!(refusal(BoostParams::new().leaf_rows_min(0)).contains("leaf_rows_min"));
    assert!(refusal(BoostParams::new().penalty(f32::NAN)).contains("penalty"));
    assert!(refusal(BoostParams::new().patience(Some(0))).contains("patience"));
}

#[test]
fn several_boosters_depend_less_on_the_seed_than_one() {
    let mut table = rings(1_500, 3);
    // A third of the labels by chance, so that there is something to be led astray by.
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for code in &mut table.codes {
        let draw = rng.next_u32();
        if draw.is_multiple_of(3) {
            *code = draw % 3;
        }
    }
    let apart = |boosters| {
        let margins = |seed| {
            let boost = table.fit(BoostParams::new().boosters(boosters), seed);
            boost.margins(&table.columns, &table.rows()).unwrap()
        };
        let (one, other) = (margins(1), margins(2));
        one.iter().zip(&other).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    let (one, four) = (apart(1), apart(4));
    assert!(four < 0.5 * one, "squared distance {one} with one booster, {four} with four");
    let params = || BoostParams::new().rounds(7).patience(None).boosters(3);
    assert_eq!(table.fit(params(), 1).trees(), 21);
    assert!(BoostParams::new().boosters(0).check().is_err());
}
