//! What can go wrong while making traffic.

/// Everything this crate can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No scenario has that name.
    #[error("there is no scenario `{name}`; there are {known}")]
    UnknownScenario {
        /// The name that was asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// A parameter is outside its limits.
    #[error("{parameter} is {value}, but must be from {least} to {most}")]
    OutOfRange {
        /// Which parameter.
        parameter: &'static str,
        /// What it was.
        value: u64,
        /// The least value allowed.
        least: u64,
        /// The greatest value allowed.
        most: u64,
    },
    /// The output refused what was written to it.
    #[error("cannot write the {what}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// Checks that a parameter lies within its limits.
pub(crate) fn within(
    parameter: &'static str,
    value: u64,
    least: u64,
    most: u64,
) -> Result<u64, Error> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Error::OutOfRange { parameter, value, least, most })
    }
}
