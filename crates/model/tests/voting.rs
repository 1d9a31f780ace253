//! A vote says the mean of what its members say, and keeps that in its file.

use flowgait_features::{Feature, Schema};
use flowgait_model::recipe::{EstimatorKind, Recipe, VOTERS};
use flowgait_model::{Card, Estimator, Model, Training, voting};

const ROWS: u32 = 400;
const CLASSES: usize = 3;

/// Rows whose class follows from two columns but for every seventh row.
fn made() -> (Schema, Vec<Vec<f32>>, Vec<u32>) {
    let noise = |row: u32, column: u32| {
        let mixed = (row * 13 + column).wrapping_mul(0x9e37_79b9);
        (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 8
    };
    let column = |column| (0..ROWS).map(|row| (noise(row, column) % 97) as f32).collect();
    let columns: Vec<Vec<f32>> = (0..5).map(column).collect();
    let class = |row: u32| match row % 7 {
        0 => noise(row, 9) % CLASSES as u32,
        _ => {
            u32::from(columns[0][row as usize] > 40.0) + u32::from(columns[1][row as usize] > 60.0)
        }
    };
    let codes = (0..ROWS).map(class).collect();
    let feature = |at| Feature { name: format!("column {at}"), unit: String::new() };
    let schema = Schema { name: "made".into(), features: (0..5).map(feature).collect() };
    (schema, columns, codes)
}

#[test]
fn a_vote_is_the_mean_of_its_members_and_comes_back_from_its_file() {
    let (schema, columns, codes) = made();
    let (rows, unseen): (Vec<u32>, Vec<u32>) = (0..ROWS).partition(|row| row % 4 != 0);
    let training = Training {
        columns: &columns,
        rows: &rows,
        codes: &codes,
        classes: CLASSES,
        class_weights: None,
    };
    let fit = |kind| {
        let trees = if kind == EstimatorKind::Boost { 500 } else { 20 };
        let recipe = Recipe { trees, ..Recipe::new(kind) };
        recipe.fit(&schema, &training, 3, &|| {}).unwrap()
    };
    let vote = fit(EstimatorKind::Voting);
    let members: Vec<Estimator> = VOTERS.into_iter().map(fit).collect();

    let each: Vec<_> =
        members.iter().map(|member| member.predict_proba(&columns, &unseen).unwrap()).collect();
    let said = vote.predict_proba(&columns, &unseen).unwrap();
    assert_eq!(said, voting::mean(&each.iter().collect::<Vec<_>>()));
    for row in 0..said.rows() {
        for class in 0..CLASSES {
            let mean = each.iter().map(|said| said.row(row)[class]).sum::<f32>() / 3.0;
            assert!((said.row(row)[class] - mean).abs() < 1e-6);
        }
        assert!((said.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    for column in 0..columns.len() {
        let mean = members.iter().map(|member| member.importance()[column]).sum::<f32>() / 3.0;
        assert!((vote.importance()[column] - mean).abs() < 1e-6);
    }

    let classes = ["chat", "video", "web"].map(str::to_owned).to_vec();
    let model = Model::new(schema, classes, vote, Card::default()).unwrap();
    let bytes = model.to_bytes();
    assert!(Model::from_bytes(&bytes).unwrap() == model);
    for cut in (0..bytes.len()).step_by(997) {
        assert!(Model::from_bytes(&bytes[..cut]).is_err(), "{cut} of {}", bytes.len());
    }
}
