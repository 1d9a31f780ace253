//! What is known of a version: enough to choose it, and to find out that it is no longer what it was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::artifact::Model;
use crate::calibrate::Sharpness;
use crate::error::Error;
use crate::report::{self, Origin};

/// Golden rows that are asked.
const GOLDEN_ROWS: usize = 8;
/// Answers may differ by this much: what another order of adding up can do.
const GOLDEN_TOLERANCE: f32 = 1e-4;

/// What is known of a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// SHA-256 of the model file, lower-case hexadecimal.
    pub sha256: String,
    /// Its octets.
    pub octets: u64,
    /// When it was taken in, in seconds since 1970, as the caller's clock said.
    pub imported: i64,
    /// Its labels.
    pub classes: Vec<String>,
    /// Name and hash of its columns.
    pub schema: String,
    /// The hash of its columns.
    pub schema_hash: String,
    /// Name of its estimator.
    pub estimator: String,
    /// Fingerprint of what it learnt from.
    pub fingerprint: String,
    /// Rows that it learnt from.
    pub rows: u64,
    /// Whether a program made the traffic that it learnt from.
    pub origin: Origin,
    /// Number of its columns.
    pub features: u64,
    /// Whether its confidence was made true on rows that it had not learnt from.
    pub calibrated: bool,
    /// Scores of its card.
    pub scores: BTreeMap<String, f64>,
    /// Its answers to rows that follow from nothing but the number of its columns.
    pub golden: Vec<Vec<f32>>,
}

impl Manifest {
    /// What is to be known of a model whose file holds `bytes`, taken in at `now`.
    ///
    /// # Errors
    /// When the model cannot answer the golden rows.
    pub fn of(model: &Model, bytes: &[u8], now: i64) -> Result<Self, Error> {
        let card = model.card();
        Ok(Self {
            sha256: sha256(bytes),
            octets: bytes.len() as u64,
            imported: now,
            classes: model.classes().to_vec(),
            schema: model.schema().name.clone(),
            schema_hash: model.schema().hash(),
            estimator: card.estimator.clone(),
            fingerprint: card.fingerprint.clone(),
            rows: card.rows,
            origin: card.origin,
            features: model.schema().features.len() as u64,
            calibrated: model.sharpness() != Sharpness::NONE,
            scores: card.scores.clone(),
            golden: golden(model)?,
        })
    }

    /// Refuses what is no evaluation of this model: JSON of the form of [`report::FORMAT`], whose classes the model knows.
    ///
    /// # Errors
    /// [`Error::Evaluation`].
    pub fn check_evaluation(&self, json: &[u8]) -> Result<(), Error> {
        /// Of all that it says, what tells whether it is one.
        #[derive(Deserialize)]
        struct Head {
            format: String,
            classes: Vec<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let refused = |why: String| Error::Evaluation { why };
        let head: Head = serde_json::from_slice(json).map_err(|e| refused(e.to_string()))?;
        if head.format != report::FORMAT {
            let (found, expected) = (head.format, report::FORMAT);
            return Err(refused(format!("its format is '{found}', not '{expected}'")));
        }
        match head.classes.iter().find(|class| !self.classes.contains(&class.name)) {
            Some(other) => {
                let (known, other) = (self.classes.len(), &other.name);
                Err(refused(format!("'{other}' is none of the model's {known} classes")))
            }
            None => Ok(()),
        }
    }

    /// Whether a file holds the model that this is of.
    #[must_use]
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        self.sha256 == sha256(bytes)
    }

    /// Whether a model answers the golden rows as it did.
    ///
    /// # Errors
    /// When it cannot answer them at all.
    pub fn answers_alike(&self, model: &Model) -> Result<bool, Error> {
        let now = golden(model)?;
        let alike = |(a, b): (&Vec<f32>, &Vec<f32>)| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= GOLDEN_TOLERANCE)
        };
        Ok(now.len() == self.golden.len() && now.iter().zip(&self.golden).all(alike))
    }

    /// As it is kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("invariant: text keys and finite numbers only")
    }

    /// As it is kept, read.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// Answers to rows of small and large numbers of both signs, some missing: nobody's flows, so that a manifest tells of nobody.
fn golden(model: &Model) -> Result<Vec<Vec<f32>>, Error> {
    let value = |row: usize, column: usize| {
        let mixed = (row as u32 * 131 + column as u32 + 1).wrapping_mul(0x9e37_79b9);
        let mixed = (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b);
        match mixed >> 28 {
            0 | 1 => f32::NAN,
            2..=7 => (mixed >> 8 & 0xff) as f32,
            8..=12 => (mixed >> 8 & 0xffff) as f32 / 8.0,
            _ => -((mixed >> 8 & 0x5ff) as f32),
        }
    };
    let columns: Vec<Vec<f32>> = (0..model.schema().features.len())
        .map(|column| (0..GOLDEN_ROWS).map(|row| value(row, column)).collect())
        .collect();
    let rows: Vec<u32> = (0..GOLDEN_ROWS as u32).collect();
    let said = model.estimator().predict_proba(&columns, &rows)?;
    Ok((0..GOLDEN_ROWS).map(|row| said.row(row).to_vec()).collect())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|octet| format!("{octet:02x}")).collect()
}
