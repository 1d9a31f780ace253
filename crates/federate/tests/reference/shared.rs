//! A shared reference file.

use std::path::PathBuf;

use serde_json::Value;

/// A reference file; none, and a word about it, where this machine has none.
#[allow(clippy::print_stdout, reason = "a test says why it did nothing")]
pub fn file(name: &str) -> Option<Value> {
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let data = std::env::var_os("FLOWGAIT_DATA").map_or(default, PathBuf::from);
    let path = data.join("reference").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("a reference file is JSON"))
}

pub fn vector(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("a list of numbers")
}

pub fn matrix(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).expect("a list of lists of numbers")
}

#[track_caller]
pub fn assert_near(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found}, not {expected}");
    }
}
