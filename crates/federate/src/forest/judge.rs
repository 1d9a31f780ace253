//! How good a forest is for all and for each client, as networks are judged.

use flowgait_model::Estimator;
use flowgait_model::metrics::Scores;
use rayon::prelude::*;

use crate::error::Error;
use crate::homes::{HeldOut, Homes};
use crate::measure::{Measured, scores};

/// Judges one estimator for all, on rows that nobody learnt from.
///
/// # Errors
/// [`Error::Model`] for an estimator of other columns or classes.
pub fn judge(homes: &Homes, held_out: &HeldOut, estimator: &Estimator) -> Result<Measured, Error> {
    let of = |rows: &[u32]| -> Result<Option<Scores>, Error> {
        if rows.is_empty() {
            return Ok(None);
        }
        let said = estimator.predict_proba(&homes.columns, rows)?;
        Ok(Some(scores(homes, rows, &said)?))
    };
    let clients: Result<Vec<_>, Error> = held_out
        .of_clients
        .par_iter()
        .map(|rows| Ok(of(rows)?.map(|scores| scores.accuracy)))
        .collect();
    Ok(Measured { scores: of(&held_out.rows())?, clients: clients? })
}
