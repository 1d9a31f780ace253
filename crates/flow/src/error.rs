//! What can go wrong while metering.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter of the meter is out of its range.
    #[error("{name} {rule}")]
    Param {
        /// The parameter.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// The capture could not be read on.
    #[error("cannot read the capture")]
    Capture(#[from] flowgait_capture::Error),
}
