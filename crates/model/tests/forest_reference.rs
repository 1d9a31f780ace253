//! scikit-learn's random forest and extra trees on the same file: equal within chance.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{fs, path::PathBuf};

use flowgait_model::{Probabilities, Training, forest::ForestParams};
use serde_json::Value;

const SEEDS: u64 = 10;

fn reference(name: &str) -> Option<String> {
    let data = std::env::var_os("FLOWGAIT_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = data.join("reference").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no {}", path.display());
    }
    text
}

struct Table {
    columns: Vec<Vec<f32>>,
    codes: Vec<u32>,
    train: Vec<u32>,
    test: Vec<u32>,
}

fn read_table(text: &str) -> Table {
    let mut table =
        Table { columns: vec![Vec::new(); 20], codes: vec![], train: vec![], test: vec![] };
    for (row, line) in text.lines().skip(1).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        match cells[0] {
            "train" => table.train.push(row as u32),
            _ => table.test.push(row as u32),
        }
        for (column, cell) in table.columns.iter_mut().zip(&cells[1..21]) {
            column.push(cell.parse().unwrap());
        }
        table.codes.push(cells[21].parse().unwrap());
    }
    table
}

fn accuracy(p: &Probabilities, truth: &[u32]) -> f64 {
    let hits = truth.iter().enumerate().filter(|(row, code)| p.best(*row) == **code).count();
    hits as f64 / truth.len() as f64
}

fn macro_f1(p: &Probabilities, truth: &[u32]) -> f64 {
    let f1 = |class: u32| {
        let (mut both, mut either) = (0, 0);
        for (row, &code) in truth.iter().enumerate() {
            let best = p.best(row);
            both += usize::from(best == class && code == class);
            either += usize::from(best == class) + usize::from(code == class);
        }
        2.0 * both as f64 / either as f64
    };
    (0..p.classes as u32).map(f1).sum::<f64>() / p.classes as f64
}

fn log_loss(p: &Probabilities, truth: &[u32]) -> f64 {
    let loss = |(row, code): (usize, &u32)| -f64::from(p.row(row)[*code as usize]).max(1e-3).ln();
    truth.iter().enumerate().map(loss).sum::<f64>() / truth.len() as f64
}

/// The rule of the reference file: four standard errors of the difference, and half a point.
fn check(params: ForestParams, model: &str) {
    let (Some(csv), Some(json)) = (reference("forest.csv"), reference("forest_expected.json"))
    else {
        return;
    };
    let table = read_table(&csv);
    assert_eq!((table.train.len(), table.test.len()), (2000, 1000));
    let expected: Value = serde_json::from_str(&json).unwrap();
    let expected = &expected["models"][model];
    let params = params.trees(100).depth_max(25).check().unwrap();
    let training = Training {
        columns: &table.columns,
        rows: &table.train,
        codes: &table.codes,
        classes: 6,
        class_weights: None,
    };
    let truth: Vec<u32> = table.test.iter().map(|&row| table.codes[row as usize]).collect();
    let mut found = [const { Vec::new() }; 3];
    for seed in 0..SEEDS {
        let forest = params.fit(&training, seed).unwrap();
        let p = forest.predict_proba(&table.columns, &table.test).unwrap();
        found[0].push(accuracy(&p, &truth));
        found[1].push(macro_f1(&p, &truth));
        found[2].push(log_loss(&p, &truth));
    }
    for (name, values) in ["accuracy", "macro_f1", "log_loss_clip_1e-3"].iter().zip(&found) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let expected_mean = expected[name]["mean"].as_f64().unwrap();
        let expected_sd = expected[name]["sd"].as_f64().unwrap();
        println!(
            "{model} {name}: {mean:.4} ± {sd:.4}, expected {expected_mean:.4} ± {expected_sd:.4}"
        );
        let tolerance = 4.0 * (expected_sd.powi(2) / 10.0 + sd.powi(2) / n).sqrt() + 0.005;
        assert!((mean - expected_mean).abs() <= tolerance, "{model} {name}: {mean}");
    }
}

#[test]
fn random_forest_scores_as_scikit_learns() {
    check(ForestParams::new(), "random_forest");
}

#[test]
fn extra_trees_score_as_scikit_learns() {
    check(ForestParams::extra_trees(), "extra_trees");
}
