//! What little work already gives: an answer that a model must beat before it is worth a word.
//!
//! Three stand beside every evaluation: [`Majority`] (nothing looked at), [`Nearest`] on the raw sizes of the first ten packets
//! (nothing learnt), and [`AddressLookup`] (no gait at all: it measures how much the far address alone would give away).

mod nearest;

use std::collections::HashMap;

use flowgait_features::Codes;

pub use nearest::{Nearest, NearestParams};

use crate::metrics::check_codes;
use crate::{Error, Probabilities, Training};

/// Always says the class that most training rows have.
#[derive(Clone, Debug, PartialEq)]
pub struct Majority {
    shares: Vec<f32>,
}

impl Majority {
    /// Counts the classes; class weights are not looked at.
    ///
    /// # Errors
    /// [`Error::NoRows`] without rows, [`Error::OutOfRange`] for a code that is no class.
    pub fn fit(training: &Training<'_>) -> Result<Self, Error> {
        let counts = class_counts(training)?;
        let rows = training.rows.len() as f64;
        Ok(Self { shares: counts.iter().map(|&count| (f64::from(count) / rows) as f32).collect() })
    }

    /// The share of each class among the training rows, for every row.
    #[must_use]
    pub fn probabilities(&self, rows: usize) -> Probabilities {
        Probabilities { classes: self.shares.len(), values: self.shares.repeat(rows) }
    }
}

/// Says what most training flows to the same far address were; the majority of all for an address never seen.
///
/// No model: the meter of how far a data set can be solved by *who* instead of *what*.
#[derive(Clone, Debug)]
pub struct AddressLookup {
    by_address: HashMap<String, u32>,
    otherwise: u32,
    classes: usize,
}

impl AddressLookup {
    /// Learns each address's most frequent class, the lowest among equals; rows without an address only count for the rest.
    ///
    /// # Errors
    /// [`Error::NoRows`] without rows, [`Error::OutOfRange`] for a code that is no class or a row without a cell in `addresses`.
    pub fn fit(training: &Training<'_>, addresses: &Codes) -> Result<Self, Error> {
        let otherwise = most(&class_counts(training)?);
        let mut counts: HashMap<u32, HashMap<u32, u32>> = HashMap::new();
        for (place, &row) in training.rows.iter().enumerate() {
            let address = cell(addresses, place, row)?;
            if address != Codes::MISSING {
                let class = training.codes[row as usize];
                *counts.entry(address).or_default().entry(class).or_default() += 1;
            }
        }
        let mut by_address = HashMap::with_capacity(counts.len());
        for (address, classes) in counts {
            let most =
                classes.into_iter().max_by_key(|&(class, count)| (count, std::cmp::Reverse(class)));
            let name = addresses.values.get(address as usize);
            if let (Some((class, _)), Some(name)) = (most, name) {
                by_address.insert(name.clone(), class);
            }
        }
        Ok(Self { by_address, otherwise, classes: training.classes })
    }

    /// The answers, as certain as a lookup is.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a row without a cell in `addresses`.
    pub fn probabilities(&self, addresses: &Codes, rows: &[u32]) -> Result<Probabilities, Error> {
        let class = |name: &String| self.by_address.get(name).copied();
        let known: Vec<Option<u32>> = addresses.values.iter().map(class).collect();
        let mut answers = Vec::with_capacity(rows.len());
        for (place, &row) in rows.iter().enumerate() {
            let address = cell(addresses, place, row)? as usize;
            answers.push(known.get(address).copied().flatten().unwrap_or(self.otherwise));
        }
        Ok(certain(&answers, self.classes))
    }
}

/// Labels as probabilities: 1 for the class said, 0 for the others.
///
/// # Panics
/// When a label is not below `classes`.
#[must_use]
pub fn certain(labels: &[u32], classes: usize) -> Probabilities {
    let mut values = vec![0.0; labels.len() * classes];
    for (row, &label) in labels.iter().enumerate() {
        assert!((label as usize) < classes, "label {label} is not below {classes}");
        values[row * classes + label as usize] = 1.0;
    }
    Probabilities { classes, values }
}

/// One row's code.
fn cell(codes: &Codes, place: usize, row: u32) -> Result<u32, Error> {
    codes.codes.get(row as usize).copied().ok_or(Error::OutOfRange {
        what: "row",
        place,
        index: u64::from(row),
        limit: codes.codes.len(),
    })
}

/// Training rows by class, after checking both.
fn class_counts(training: &Training<'_>) -> Result<Vec<u32>, Error> {
    let classes = training_classes(training)?;
    let mut counts = vec![0; training.classes];
    for class in classes {
        counts[class as usize] += 1;
    }
    Ok(counts)
}

/// The class of each training row, after checking both.
fn training_classes(training: &Training<'_>) -> Result<Vec<u32>, Error> {
    if training.rows.is_empty() {
        return Err(Error::NoRows { what: "a baseline" });
    }
    let mut classes = Vec::with_capacity(training.rows.len());
    for (place, &row) in training.rows.iter().enumerate() {
        let class = training.codes.get(row as usize).copied();
        let limit = training.codes.len();
        let (what, index) = ("row", u64::from(row));
        classes.push(class.ok_or(Error::OutOfRange { what, place, index, limit })?);
    }
    check_codes(&classes, training.classes)?;
    Ok(classes)
}

/// The class with the highest count; the lowest class among equals.
fn most(counts: &[u32]) -> u32 {
    let best =
        counts.iter().enumerate().max_by_key(|&(class, &count)| (count, std::cmp::Reverse(class)));
    best.map_or(0, |(class, _)| class as u32)
}

#[cfg(test)]
mod tests;
