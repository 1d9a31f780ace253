//! The table of `xtask/peers/forest.py`.

use std::{error::Error, fs};

/// Columns, labels, and how many of the rows are for training.
pub struct Table {
    pub columns: Vec<Vec<f32>>,
    pub codes: Vec<u32>,
    pub train: usize,
}

/// Reads four little-endian u32 (rows for training, rows for testing, columns, classes), then the
/// columns as f32, then the labels as u32.
pub fn read(path: &str) -> Result<Table, Box<dyn Error>> {
    let octets = fs::read(path)?;
    let words: Vec<[u8; 4]> = octets.as_chunks().0.to_vec();
    let number = |at: usize| u32::from_le_bytes(words[at]) as usize;
    let (train, test, features) = (number(0), number(1), number(2));
    let rows = train + test;
    let column = |c: usize| &words[4 + c * rows..4 + (c + 1) * rows];
    let columns = (0..features)
        .map(|c| column(c).iter().map(|word| f32::from_le_bytes(*word)).collect())
        .collect();
    let codes = column(features).iter().map(|word| u32::from_le_bytes(*word)).collect();
    Ok(Table { columns, codes, train })
}
