//! Rows of a shared table, by column name.

use std::collections::HashMap;
use std::path::PathBuf;

pub type Row = HashMap<String, String>;

/// The rows of a reference table; none, and a word about it, where this machine has none.
#[allow(clippy::print_stdout, reason = "a test says why it did nothing")]
pub fn rows(name: &str) -> Vec<Row> {
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let data = std::env::var_os("FLOWGAIT_DATA").map_or(default, PathBuf::from);
    let path = data.join("reference").join(name);
    let Ok(mut reader) = csv::Reader::from_path(&path) else {
        println!("skipped: {} is not there", path.display());
        return Vec::new();
    };
    reader.deserialize().map(|row| row.expect("a row of text")).collect()
}

pub fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?} is no number"))
}

/// The largest distance seen, for the record.
#[derive(Default)]
pub struct Worst(f64);

impl Worst {
    #[track_caller]
    pub fn see(&mut self, found: f64, expected: f64, tolerance: f64, row: &Row) {
        let off = (found - expected).abs();
        assert!(off <= tolerance, "{found} is not {expected} (off by {off:e}) in {row:?}");
        self.0 = self.0.max(off);
    }

    #[allow(clippy::print_stdout, reason = "a test says how near it came")]
    pub fn tell(&self, what: &str) {
        println!("{what}: at most {:.1e} off", self.0);
    }
}
