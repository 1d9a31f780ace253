//! What a person or a rule says a flow is.

use std::sync::Arc;

mod time;

pub use time::time_micros;

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
