//! Estimators for many classes with few rows of each, on made flows: what they learn, that they come back from a file as they were,
//! and what they refuse.

use flowgait_features::layout::{Layout, Sizes};
use flowgait_features::{Feature, Schema};
use flowgait_model::linear::{LinearParams, ROWS_MAX};
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::{Card, Error, Model, Training};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const LENGTH: usize = 12;
const CLASSES: usize = 20;

/// Rows of classes that differ by the sizes of a few packets, among acknowledgements that come by chance.
struct Made {
    schema: Schema,
    columns: Vec<Vec<f32>>,
    codes: Vec<u32>,
}

fn made(rows_each: usize, seed: u64) -> Made {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut columns = vec![Vec::new(); LENGTH + 1];
    let mut codes = Vec::new();
    for class in 0..CLASSES {
        for _ in 0..rows_each {
            let (request, reply) = (300.0 + 17.0 * class as f32, -(200.0 + 53.0 * class as f32));
            let mut sizes = vec![60.0, -60.0];
            for size in [request, reply, reply - 400.0] {
                if rng.random_bool(0.5) {
                    sizes.push(if rng.random_bool(0.5) { 52.0 } else { -52.0 });
                }
                sizes.push(size);
            }
            sizes.resize(LENGTH, 0.0);
            for (column, size) in columns.iter_mut().zip(sizes) {
                column.push(size);
            }
            columns[LENGTH].push(rng.random_range(0.0..1.0));
            codes.push(class as u32);
        }
    }
    let name = |place| if place < LENGTH { format!("size_{place}") } else { "noise".to_owned() };
    let feature = |place| Feature { name: name(place), unit: String::new() };
    let schema = Schema { name: "table".into(), features: (0..=LENGTH).map(feature).collect() };
    Made { schema, columns, codes }
}

fn training<'a>(made: &'a Made, rows: &'a [u32]) -> Training<'a> {
    let Made { columns, codes, .. } = made;
    Training { columns, rows, codes, classes: CLASSES, class_weights: None }
}

fn all(made: &Made) -> Vec<u32> {
    (0..made.codes.len() as u32).collect()
}

fn recipe() -> Recipe {
    Recipe::new(EstimatorKind::Linear)
}

#[test]
fn a_few_rows_of_each_class_are_enough_whatever_the_acknowledgements() {
    let (known, unseen) = (made(3, 1), made(4, 2));
    let rows = all(&known);
    let fitted = recipe().fit(&known.schema, &training(&known, &rows), 7, &|| {}).unwrap();
    let said = fitted.predict_proba(&unseen.columns, &all(&unseen)).unwrap();
    let right = (0..said.rows()).filter(|&row| said.best(row) == unseen.codes[row]).count();
    assert!(right * 100 >= said.rows() * 95, "{right} of {}", said.rows());
    for row in 0..said.rows() {
        let sum: f32 = said.row(row).iter().sum();
        assert!((sum - 1.0).abs() < 1e-5 && said.row(row).iter().all(|p| *p >= 0.0));
    }
}

#[test]
fn the_same_seed_gives_the_same_model_for_any_number_of_threads() {
    let known = made(3, 1);
    let rows = all(&known);
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| recipe().fit(&known.schema, &training(&known, &rows), 7, &|| {}).unwrap())
    };
    assert!(fit(1) == fit(4));
}

#[test]
fn a_file_gives_back_the_same_model_and_every_cut_is_refused() {
    let known = made(2, 1);
    let rows = all(&known);
    let fitted = recipe().fit(&known.schema, &training(&known, &rows), 7, &|| {}).unwrap();
    let classes = (0..CLASSES).map(|class| format!("app {class}")).collect();
    let model = Model::new(known.schema.clone(), classes, fitted, Card::default()).unwrap();
    let bytes = model.to_bytes();
    assert!(Model::from_bytes(&bytes).unwrap() == model);
    for cut in (0..bytes.len()).step_by(101) {
        assert!(Model::from_bytes(&bytes[..cut]).is_err(), "{cut} of {}", bytes.len());
    }
}

#[test]
fn what_it_cannot_do_is_said() {
    let known = made(1, 1);
    let rows = all(&known);
    let fit = |params: LinearParams, rows: &[u32]| {
        params.fit(&training(&known, rows), Layout::default(), 1).map(|_| ())
    };
    let default = LinearParams::default();
    let wrong = LinearParams { penalty: 0.0, ..default };
    assert!(matches!(fit(wrong, &rows), Err(Error::Parameter { name: "penalty", .. })));
    let wrong = LinearParams { numbers: f32::NAN, ..default };
    assert!(matches!(fit(wrong, &rows), Err(Error::Parameter { name: "numbers", .. })));
    let many = vec![0; ROWS_MAX + 1];
    assert!(matches!(fit(default, &many), Err(Error::TooMany { .. })));
    let sizes = Sizes { columns: (0..LENGTH).collect(), payload: false };
    let layout = Layout { sizes: Some(sizes), ..Layout::default() };
    let fitted = default.fit(&training(&known, &rows), layout, 1).unwrap();
    let other = fitted.predict_proba(&known.columns[1..], &rows);
    assert!(matches!(other, Err(Error::ColumnCount { .. })));
}

#[test]
fn trees_see_the_sizes_without_acknowledgements_too() {
    let (known, unseen) = (made(4, 1), made(4, 2));
    let rows = all(&known);
    let accuracy = |sizes: bool| {
        let recipe = Recipe { sizes, trees: 60, ..Recipe::new(EstimatorKind::ExtraTrees) };
        let fitted = recipe.fit(&known.schema, &training(&known, &rows), 7, &|| {}).unwrap();
        let said = fitted.predict_proba(&unseen.columns, &all(&unseen)).unwrap();
        let right = (0..said.rows()).filter(|&row| said.best(row) == unseen.codes[row]).count();
        (fitted, right as f64 / said.rows() as f64)
    };
    let ((_, without), (fitted, with)) = (accuracy(false), accuracy(true));
    assert!(with > without + 0.1, "{with} with the sizes' columns, {without} without");
    assert!((fitted.importance().iter().sum::<f32>() - 1.0).abs() < 1e-4);

    let classes = (0..CLASSES).map(|class| format!("app {class}")).collect();
    let model = Model::new(known.schema.clone(), classes, fitted, Card::default()).unwrap();
    let bytes = model.to_bytes();
    assert!(Model::from_bytes(&bytes).unwrap() == model);
    for cut in (0..bytes.len()).step_by(997) {
        assert!(Model::from_bytes(&bytes[..cut]).is_err(), "{cut} of {}", bytes.len());
    }
}

#[test]
fn a_stack_answers_in_probabilities_and_comes_back_from_its_file() {
    let (known, unseen) = (made(4, 1), made(4, 2));
    let rows = all(&known);
    let recipe = Recipe { trees: 20, ..Recipe::new(EstimatorKind::Stack) };
    let fitted = recipe.fit(&known.schema, &training(&known, &rows), 7, &|| {}).unwrap();
    let said = fitted.predict_proba(&unseen.columns, &all(&unseen)).unwrap();
    let right = (0..said.rows()).filter(|&row| said.best(row) == unseen.codes[row]).count();
    assert!(right * 100 >= said.rows() * 95, "{right} of {}", said.rows());
    for row in 0..said.rows() {
        let sum: f32 = said.row(row).iter().sum();
        assert!((sum - 1.0).abs() < 1e-5 && said.row(row).iter().all(|p| *p >= 0.0));
    }
    // Rows are answered one by one as they are together.
    let alone = fitted.predict_proba(&unseen.columns, &[7]).unwrap();
    assert_eq!(alone.row(0), said.row(7));

    let classes = (0..CLASSES).map(|class| format!("app {class}")).collect();
    let model = Model::new(known.schema.clone(), classes, fitted, Card::default()).unwrap();
    let bytes = model.to_bytes();
    assert!(Model::from_bytes(&bytes).unwrap() == model);
    for cut in (0..bytes.len()).step_by(2_003) {
        assert!(Model::from_bytes(&bytes[..cut]).is_err(), "{cut} of {}", bytes.len());
    }
}
