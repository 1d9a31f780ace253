//! What a job is to do: written by the API, read by a worker, opaque to the store.

use flowgait_model::answers::{AnswerParams, Tally};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::job::JobId;

/// What was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// What the uploader called it; shown, and used for nothing else.
    pub name: String,
    /// What it is.
    pub content: Content,
    /// How it is packed.
    pub packed: Packed,
    /// Its octets as uploaded.
    pub octets: u64,
    /// SHA-256 of it, lower-case hexadecimal.
    pub sha256: String,
    /// Whether it is known to be made traffic: a sample.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made: bool,
}

/// What an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Comma-separated values.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Parquet.
    Parquet,
    /// Weka's ARFF.
    Arff,
    /// pcap or pcapng, which is metered first.
    Capture,
}

/// How an upload is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packed {
    /// Not at all.
    Plain,
    /// By gzip.
    Gzip,
    /// By zstd.
    Zstd,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values.
    #[default]
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Parquet.
    Parquet,
}

impl Format {
    /// The end of a file's name.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// The type in HTTP.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// A job's order, by its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Order {
    /// Answers for the rows of a table, or the flows of a capture.
    Predict(PredictOrder),
    /// A model from a table with labels.
    Fit(FitOrder),
    /// A federation.
    Simulate(SimulateOrder),
}

impl Order {
    /// The job's kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Predict(_) => "predict",
            Self::Fit(_) => "fit",
            Self::Simulate(_) => "simulate",
        }
    }

    /// What was uploaded with it.
    #[must_use]
    pub fn input(&self) -> Option<&Upload> {
        match self {
            Self::Predict(order) => Some(&order.input),
            Self::Fit(order) => Some(&order.input),
            Self::Simulate(order) => order.input.as_ref(),
        }
    }

    /// Whether it adds a version to the registry when it succeeds.
    #[must_use]
    pub fn makes_a_model(&self) -> bool {
        match self {
            Self::Predict(_) => false,
            Self::Fit(_) => true,
            Self::Simulate(order) => order.name.is_some(),
        }
    }

    /// As the store keeps it.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("invariant: plain fields only")
    }

    /// As the store kept it.
    ///
    /// # Errors
    /// [`Error::StoreContent`] when another program wrote it.
    pub fn of(value: &serde_json::Value) -> Result<Self, Error> {
        Self::deserialize(value)
            .map_err(|error| Error::StoreContent { what: format!("an order ({error})") })
    }
}

/// Answers for the rows of a table, or the flows of a capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictOrder {
    /// What was uploaded.
    pub input: Upload,
    /// The model, `NAME@VERSION`: the one that was meant when the job was submitted.
    pub model: String,
    /// What is asked for.
    pub answers: AnswerParams,
    /// How the answers are written.
    pub format: Format,
}

/// A model from a table with labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitOrder {
    /// What was uploaded.
    pub input: Upload,
    /// The name that the model gets in the registry.
    pub name: String,
    /// What `flowgait fit` is told, flag by flag.
    pub flags: Vec<(String, String)>,
    /// The alias that is to stand for it, if any.
    pub promote: Option<String>,
}

/// A federation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimulateOrder {
    /// The configuration, as in `federation.toml`.
    pub configuration: String,
    /// The table it learns from, where it is not made.
    pub input: Option<Upload>,
    /// Its rounds.
    pub rounds: u64,
    /// The name that the common model gets in the registry, if any.
    pub name: Option<String>,
}

/// What answering a table came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictResult {
    /// The pieces of the answers, in order.
    pub pieces: Vec<Piece>,
    /// What the answers come to.
    pub tally: Tally,
    /// The model's classes, in the order of the tally.
    pub classes: Vec<String>,
    /// `NAME@VERSION` of the model.
    pub model: String,
    /// How the answers are written.
    pub format: Format,
    /// What a person should know: columns that were not used, damaged packets.
    pub notes: Vec<String>,
}

impl PredictResult {
    /// Octets of all pieces.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.octets).sum()
    }
}

/// A piece of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// SHA-256 of its octets, lower-case hexadecimal; also its name.
    pub sha256: String,
    /// Its octets.
    pub octets: u64,
}

/// Names of what belongs to a job among the blobs.
pub mod names {
    use super::JobId;

    /// All that belongs to a job.
    #[must_use]
    pub fn folder(job: JobId) -> String {
        format!("jobs/{job}")
    }

    /// What was uploaded.
    #[must_use]
    pub fn input(job: JobId) -> String {
        format!("jobs/{job}/input")
    }

    /// All pieces of it that were cut anew.
    #[must_use]
    pub fn chunks(job: JobId) -> String {
        format!("jobs/{job}/chunks")
    }

    /// A piece of it that was cut anew.
    #[must_use]
    pub fn chunk(job: JobId, number: usize) -> String {
        format!("{}/{number}", chunks(job))
    }

    /// A piece of the result.
    #[must_use]
    pub fn piece(job: JobId, sha256: &str) -> String {
        format!("jobs/{job}/results/{sha256}")
    }

    /// A view of the result of this digest, plain or packed.
    #[must_use]
    pub fn view(job: JobId, digest: &str, ending: &str) -> String {
        format!("jobs/{job}/views/{digest}.{ending}")
    }

    /// Something that training made.
    #[must_use]
    pub fn made(job: JobId, what: &str) -> String {
        format!("jobs/{job}/run/{what}")
    }
}
