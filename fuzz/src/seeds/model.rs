//! Small models of every kind on a dozen made rows, as model files.

use flowgait_features::{Feature, Schema};
use flowgait_model::Training;
use flowgait_model::forest::ForestParams;
use flowgait_model::net::{NetKind, NetParams};
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::{Card, Error, Estimator, Model};

use super::Seed;

pub fn seeds() -> Vec<Seed> {
    let file = model(3).to_bytes();
    let cut = file[..file.len() / 2].to_vec();
    vec![
        ("artifact", "forest", file),
        ("artifact", "one-tree", model(1).to_bytes()),
        ("artifact", "cut", cut),
        ("artifact", "linear", of_sizes(recipe(EstimatorKind::Linear))),
        ("artifact", "boost", of_sizes(recipe(EstimatorKind::Boost))),
        ("artifact", "voting", of_sizes(recipe(EstimatorKind::Voting))),
        ("artifact", "network", of_sizes(network)),
        ("artifact", "forest-of-sizes", of_sizes(recipe(EstimatorKind::ExtraTrees))),
    ]
}

/// Fits an estimator with one tree.
fn recipe(
    estimator: EstimatorKind,
) -> impl FnOnce(&Schema, &Training<'_>) -> Result<Estimator, Error> {
    let recipe = Recipe { trees: 1, sizes: true, ..Recipe::new(estimator) };
    move |schema, training| recipe.fit(schema, training, 7, &|| {})
}

/// Fits the smallest network with convolutions.
fn network(schema: &Schema, training: &Training<'_>) -> Result<Estimator, Error> {
    let params = NetParams::new(NetKind::Cnn).width(2).blocks(2).hidden(&[2]).epochs(1).check()?;
    Ok(Estimator::Network(Box::new(params.fit(schema, training, 7, &|| {})?)))
}

/// A model of a table with a sequence of signed sizes, and a number beside it.
fn of_sizes(fit: impl FnOnce(&Schema, &Training<'_>) -> Result<Estimator, Error>) -> Vec<u8> {
    const LENGTH: u8 = 8;
    let size = |row: u8, place: u8| {
        let size = f32::from(40 + 10 * (row / 4) + place);
        if place.is_multiple_of(2) { size } else { -size }
    };
    let mut columns: Vec<Vec<f32>> =
        (0..LENGTH).map(|place| (0..12).map(|row| size(row, place)).collect()).collect();
    columns.push((0..12_u8).map(f32::from).collect());
    let rows: Vec<u32> = (0..12).collect();
    let codes: Vec<u32> = (0..12).map(|row| row / 4).collect();
    let training =
        Training { columns: &columns, rows: &rows, codes: &codes, classes: 3, class_weights: None };
    let name = |place| if place < LENGTH { format!("s{place}") } else { "n".to_owned() };
    let feature = |place| Feature { name: name(place), unit: String::new() };
    let schema = Schema { name: "made".into(), features: (0..=LENGTH).map(feature).collect() };
    let fitted = fit(&schema, &training).expect("a table of equal lengths");
    let classes = ["chat", "video", "web"].map(str::to_owned).to_vec();
    Model::new(schema, classes, fitted, Card::default()).expect("three classes").to_bytes()
}

fn model(trees: usize) -> Model {
    let columns = [
        (0..12_u8).map(f32::from).collect::<Vec<_>>(),
        (0..12_u8).map(|row| if row % 5 == 0 { f32::NAN } else { f32::from(row % 3) }).collect(),
    ];
    let rows: Vec<u32> = (0..12).collect();
    let codes: Vec<u32> = (0..12).map(|row| row / 4).collect();
    let training =
        Training { columns: &columns, rows: &rows, codes: &codes, classes: 3, class_weights: None };
    let params = ForestParams::new().trees(trees).check().expect("in range");
    let forest = params.fit(&training, 7).expect("a table of equal lengths");
    let feature = |name: &str| Feature { name: name.into(), unit: "1".into() };
    let schema = Schema { name: "made".into(), features: vec![feature("a"), feature("b")] };
    let classes = ["chat", "video", "web"].map(str::to_owned).to_vec();
    Model::new(schema, classes, Estimator::Forest(forest), Card::default())
        .expect("two columns, three classes")
}
