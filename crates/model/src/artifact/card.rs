//! The model card: what a model was trained on, how, and how it scored.

use std::collections::BTreeMap;

use flowgait_features::{Codes, Dataset};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::{Origin, Split};

/// What a model was trained on, how, and how it scored. Facts only; what is unknown is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// When the training ended, in seconds since 1970, as the caller's clock says.
    pub created: Option<i64>,
    /// Program and version that made it.
    pub made_by: String,
    /// The column that was learned.
    pub label: String,
    /// The tables that were learned from.
    pub tables: Vec<TrainingTable>,
    /// Number of rows that were learned from.
    pub rows: u64,
    /// [`fingerprint`] of what was learned from.
    pub fingerprint: String,
    /// Whether a program made the traffic.
    pub origin: Origin,
    /// How the rows to be judged on were kept apart for `scores`.
    pub split: Option<Split>,
    /// Scores on rows that were not learned from, by name.
    pub scores: BTreeMap<String, f64>,
    /// Name of the estimator.
    pub estimator: String,
    /// Its parameters.
    pub parameters: serde_json::Value,
    /// The seed of its chance.
    pub seed: Option<u64>,
    /// Identity columns that a person asked to keep as inputs.
    pub kept_columns: Vec<String>,
    /// Columns that a person asked to leave out.
    pub dropped_columns: Vec<String>,
    /// What else a reader must know, as sentences.
    pub notes: Vec<String>,
}

/// A table that was learned from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingTable {
    /// Its name, without a path.
    pub name: String,
    /// Its number of rows.
    pub rows: u64,
}

impl Card {
    /// The card as it stands in a model file.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Not-a-number scores become null, and null is no f64: leave them out instead.
        let mut card = self.clone();
        card.scores.retain(|_, score| score.is_finite());
        serde_json::to_string(&card)
            .expect("invariant: a card has text keys and finite numbers only")
    }

    /// Reads a card; fields of later versions are passed over.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

/// SHA-256, in lower-case hexadecimal, over a data set's schema, values and labels: the same rows in the
/// same order have the same fingerprint, wherever they were read from.
#[must_use]
pub fn fingerprint(dataset: &Dataset) -> String {
    let mut hash = Sha256::new();
    hash.update(dataset.schema.hash());
    hash.update((dataset.rows as u64).to_le_bytes());
    for column in &dataset.columns {
        // Any NaN is the same missing value.
        let bits = |v: &f32| if v.is_nan() { f32::NAN.to_bits() } else { v.to_bits() };
        let octets: Vec<u8> = column.iter().flat_map(|v| bits(v).to_le_bytes()).collect();
        hash.update(octets);
    }
    if let Some(Codes { values, codes, .. }) = &dataset.labels {
        for value in values {
            hash.update((value.len() as u64).to_le_bytes());
            hash.update(value);
        }
        let octets: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
        hash.update(octets);
    }
    hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect()
}
