//! Learning to answer early: each flow as a whole, and as it is known after its first packets.

use flowgait_features::Schema;
use flowgait_features::extract::Early;

use super::Recipe;
use crate::Error;
use crate::estimator::Estimator;
use crate::training::Training;

/// After how many packets each flow is learnt from, beside the whole: closer where one packet more tells most.
pub const AFTER: [usize; 8] = [1, 2, 3, 4, 6, 8, 12, 20];

/// Fits a recipe on whole and early flows alike. Each weighs the same, so the whole flow is a ninth of what is learnt from.
pub(super) fn fit(
    recipe: &Recipe,
    schema: &Schema,
    training: &Training<'_>,
    seed: u64,
    unit_done: &(dyn Fn() + Sync),
) -> Result<Estimator, Error> {
    let early = Early::of(schema).map_err(|source| Error::NotEarly { source })?;
    let (rows, columns) = (training.rows, training.columns);
    let whole = |column: &Vec<f32>| -> Vec<f32> {
        let mut values = Vec::with_capacity(rows.len() * (1 + AFTER.len()));
        values.extend(rows.iter().map(|&row| column[row as usize]));
        values
    };
    let mut seen: Vec<Vec<f32>> = columns.iter().map(whole).collect();
    for packets in AFTER {
        let known = early.after(columns, rows, packets);
        seen.iter_mut().zip(known).for_each(|(column, known)| column.extend(known));
    }
    let codes: Vec<u32> = rows.iter().map(|&row| training.codes[row as usize]).collect();
    let codes = codes.repeat(1 + AFTER.len());
    let all: Vec<u32> = (0..codes.len() as u32).collect();
    let training = Training { columns: &seen, rows: &all, codes: &codes, ..*training };
    Recipe { early: false, ..*recipe }.fit(schema, &training, seed, unit_done)
}
