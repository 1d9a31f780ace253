//! What a person or a rule says a flow is.
//!
//! A [`Labeller`] asks a truth table (`--labels`) or the names that a flow shows (`--label-by sni`). Each flow is judged alone, so the labels do not depend
//! on the order of the flows or the number of threads.

mod names;
mod time;
mod truth;

use std::path::Path;
use std::sync::Arc;

use crate::{Error, FlowRecord};

pub use names::{NameReport, NameTable};
pub use time::time_micros;
pub use truth::{TruthReport, TruthRow, TruthTable};

/// A label and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The application.
    pub application: Arc<str>,
    /// The kind of use, when known.
    pub category: Option<Arc<str>>,
    /// Who says so.
    pub source: LabelSource,
}

/// Who says what a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelSource {
    /// A row of a truth table (`--labels`).
    Truth,
    /// The server name of its handshake.
    Sni,
    /// A DNS answer seen before it.
    Dns,
}

/// Gives flows their labels and keeps account of what found none.
#[derive(Debug)]
pub enum Labeller {
    /// By the rows of a truth table.
    Truth(TruthTable),
    /// By server name, or else by the name of an earlier DNS answer.
    Names(NameTable),
}

/// What a [`Labeller`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelReport {
    /// By the rows of a truth table.
    Truth(TruthReport),
    /// By names.
    Names(NameReport),
}

impl Labeller {
    /// Labels by a truth table; see [`TruthTable::read`].
    ///
    /// # Errors
    /// When the table cannot be read or lacks a column.
    pub fn truth(path: &Path) -> Result<Self, Error> {
        TruthTable::read(path).map(Self::Truth)
    }

    /// Labels by names; `own` is a person's table that goes before the one that is built in; see [`NameTable`].
    ///
    /// # Errors
    /// When the person's table cannot be read.
    pub fn names(own: Option<&Path>) -> Result<Self, Error> {
        let mut table = NameTable::built_in();
        if let Some(path) = own {
            table.extend(path)?;
        }
        Ok(Self::Names(table))
    }

    /// Sets a flow's label, or clears it where there is none.
    pub fn label(&mut self, record: &mut FlowRecord) {
        record.label = match self {
            Self::Truth(table) => table.label(record),
            Self::Names(table) => table.label(record),
        };
    }

    /// What found a label and what did not.
    #[must_use]
    pub fn report(&self) -> LabelReport {
        match self {
            Self::Truth(table) => LabelReport::Truth(table.report()),
            Self::Names(table) => LabelReport::Names(table.report().clone()),
        }
    }
}
