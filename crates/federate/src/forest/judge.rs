//! How good a forest is for all and for each client, as networks are judged.

use crate::error::Error;
use crate::homes::{HeldOut, Homes};
use crate::measure::{Measured, measured, scores};
use flowgait_model::Estimator;

/// Judges one estimator for all, on rows that nobody learnt from.
///
/// # Errors
/// [`Error::Model`] for an estimator of other columns or classes.
pub fn judge(homes: &Homes, held_out: &HeldOut, estimator: &Estimator) -> Result<Measured, Error> {
    let answer = |rows: &[u32]| Ok(estimator.predict_proba(&homes.columns, rows)?);
    let rows = held_out.rows();
    let scores = match rows.as_slice() {
        [] => None,
        rows => Some(scores(homes, rows, &answer(rows)?)?),
    };
    measured(homes, held_out, scores, answer)
}
