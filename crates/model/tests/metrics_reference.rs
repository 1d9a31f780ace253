//! Our scores are scikit-learn's, on the shared reference problems.

use std::path::PathBuf;

use flowgait_model::Probabilities;
use flowgait_model::metrics::{Answers, Confusion, Scores};
use serde_json::Value;

/// The shared data, or none where this machine has none.
#[allow(clippy::print_stdout, reason = "a test says why it did nothing")]
fn shared(path: &str) -> Option<Vec<u8>> {
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let path = std::env::var_os("FLOWGAIT_DATA").map_or(default, PathBuf::from).join(path);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|each| each.as_f64().expect("a number")).collect()
}

fn codes(value: &Value) -> Vec<u32> {
    floats(value).into_iter().map(|each| each as u32).collect()
}

fn close(name: &str, ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{name}: ours {ours}, theirs {theirs}");
}

struct Problem {
    truth: Vec<u32>,
    predicted: Vec<u32>,
    values: Vec<f64>,
    classes: usize,
    expected: Value,
}

fn problems() -> Vec<Problem> {
    let Some(bytes) = shared("reference/metrics.json") else { return Vec::new() };
    let file: Value = serde_json::from_slice(&bytes).expect("the reference is JSON");
    let problems: Vec<Problem> =
        file["problems"].as_array().expect("problems").iter().map(read).collect();
    assert_eq!(problems.len(), 3);
    problems
}

fn read(problem: &Value) -> Problem {
    Problem {
        truth: codes(&problem["y_true"]),
        predicted: codes(&problem["y_pred"]),
        values: problem["probabilities"]
            .as_array()
            .expect("rows")
            .iter()
            .flat_map(floats)
            .collect(),
        classes: problem["n_classes"].as_u64().expect("a count") as usize,
        expected: problem["expected"].clone(),
    }
}

/// Every score by scikit-learn's name for it.
fn check_scores(scores: &Scores, expected: &Value, tolerance: f64) {
    for (ours, value) in scores.named() {
        let theirs = match ours {
            "ece" => "ece_15_equal_mass",
            "auroc_macro" => "auroc_ovr_macro",
            name => name,
        };
        let theirs =
            expected[theirs].as_f64().unwrap_or_else(|| panic!("no {theirs} in the reference"));
        close(ours, value.expect("defined"), theirs, tolerance);
    }
}

#[test]
fn every_score_is_the_reference() {
    for problem in problems() {
        let answers =
            Answers::new(&problem.truth, &problem.values, problem.classes).expect("good answers");
        check_scores(&Scores::of(&answers), &problem.expected, 1e-12);
        assert_eq!(answers.predicted(), problem.predicted);
    }
}

#[test]
fn every_class_is_the_reference() {
    for problem in problems() {
        let confusion =
            Confusion::new(&problem.truth, &problem.predicted, problem.classes).expect("good");
        let matrix = problem.expected["confusion_matrix"].as_array().expect("rows");
        for (truth, row) in matrix.iter().enumerate() {
            let counts: Vec<f64> = confusion.row(truth).iter().map(|&count| count as f64).collect();
            assert_eq!(counts, floats(row));
        }
        let theirs = |name: &str| floats(&problem.expected[name]);
        for (class, ours) in confusion.per_class().iter().enumerate() {
            assert_eq!(ours.support as f64, theirs("support")[class]);
            close("precision", ours.precision, theirs("per_class_precision")[class], 1e-15);
            close("recall", ours.recall, theirs("per_class_recall")[class], 1e-15);
            close("f1", ours.f1, theirs("per_class_f1")[class], 1e-15);
        }
    }
}

#[test]
fn single_precision_costs_no_more_than_its_own_rounding() {
    for problem in problems() {
        let values = problem.values.iter().map(|&p| p as f32).collect();
        let probabilities = Probabilities { classes: problem.classes, values };
        let answers = Answers::of(&problem.truth, &probabilities).expect("good answers");
        check_scores(&Scores::of(&answers), &problem.expected, 1e-6);
    }
}
