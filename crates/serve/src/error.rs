//! What can go wrong in the service.

use std::io;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no job's id.
    #[error("'{text}' is no job's id")]
    JobName {
        /// The text.
        text: String,
    },
    /// A text is no state.
    #[error(
        "'{text}' is no state of a job: queued, running, paused, succeeded, failed, cancelled, dead"
    )]
    StateName {
        /// The text.
        text: String,
    },
    /// The store of jobs did not do what it was asked.
    #[error("the store of jobs failed while {doing}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store of jobs cannot be used as it is.
    #[error("{problem}")]
    StoreUnfit {
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// What is kept in the store is not what this program writes.
    #[error("the store of jobs holds what cannot be read: {what}")]
    StoreContent {
        /// What it holds.
        what: String,
    },
    /// Uploads, results or models could not be read or written.
    #[error("cannot {doing} {name}")]
    Blob {
        /// What was being done.
        doing: &'static str,
        /// To what.
        name: String,
        /// What it said.
        source: object_store::Error,
    },
    /// A place was named in a way that is not understood.
    #[error("cannot understand {what} '{text}': {problem}")]
    Place {
        /// Which place.
        what: &'static str,
        /// What was written.
        text: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A model is not there or cannot be used.
    #[error(transparent)]
    Model(#[from] flowgait_model::Error),
    /// A table is not what it should be.
    #[error(transparent)]
    Table(#[from] flowgait_features::Error),
    /// A table of answers could not be written.
    #[error(transparent)]
    Write(#[from] flowgait_flow::Error),
    /// The operating system refused something.
    #[error("cannot {doing}")]
    System {
        /// What was being done.
        doing: String,
        /// What it said.
        source: io::Error,
    },
    /// The configuration does not go together.
    #[error("{problem}")]
    Configuration {
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl Error {
    /// The store failed.
    pub(crate) fn store(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Store { doing, source: source.into() }
    }
}
