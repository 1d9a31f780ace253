//! A forest of three trees on a dozen made rows, as a model file.

use flowgait_features::{Feature, Schema};
use flowgait_model::Training;
use flowgait_model::forest::ForestParams;
use flowgait_model::{Card, Estimator, Model};

use super::Seed;

pub fn seeds() -> Vec<Seed> {
    let file = model(3).to_bytes();
    let cut = file[..file.len() / 2].to_vec();
    vec![
        ("artifact", "forest", file),
        ("artifact", "one-tree", model(1).to_bytes()),
        ("artifact", "cut", cut),
    ]
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
