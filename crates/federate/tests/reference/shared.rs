//! The shared reference values of one subject.

use std::path::PathBuf;

use serde_json::Value;

/// A reference file; nothing, and a word about it, where this machine has none.
#[allow(clippy::print_stdout, reason = "a test says why it did nothing")]
pub fn values(name: &str) -> Option<Value> {
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let data = std::env::var_os("FLOWGAIT_DATA").map_or(default, PathBuf::from);
    let path = data.join("reference").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("a reference file is JSON"))
}

pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap_or_else(|| panic!("{value} is no list"));
    list.iter().map(|entry| entry.as_f64().expect("a number")).collect()
}

pub fn count(value: &Value) -> usize {
    let count = value.as_u64().unwrap_or_else(|| panic!("{value} is no count"));
    usize::try_from(count).expect("a count fits")
}

pub fn counts(value: &Value) -> Vec<usize> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter().map(count).collect()
}

/// The largest distance seen, for the record: a share of the expected number where that is above 1.
#[derive(Default)]
pub struct Worst(f64);

impl Worst {
    #[track_caller]
    pub fn see(&mut self, found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            let off = (found - expected).abs() / expected.abs().max(1.0);
            assert!(off <= tolerance, "{found} is not {expected} (off by {off:e}) in {what}");
            self.0 = self.0.max(off);
        }
    }

    #[allow(clippy::print_stdout, reason = "a test says how near it came")]
    pub fn tell(&self, what: &str) {
        println!("{what}: at most {:.1e} off", self.0);
    }
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
