//! What changed at a moment: a model on what was before, held against the same model on what is since.

use flowgait_model::drift::{Drift, Sides};
use flowgait_model::report::Class;
use flowgait_model::validation::Fold;
use flowgait_model::{Model, Probabilities};

use crate::commands::learning::Labelled;
use crate::commands::splitting;
use crate::failure::Failure;
use crate::units;

/// A model, and what it says of rows of both sides.
pub struct Answered<'a> {
    /// The model.
    pub model: &'a Model,
    /// The rows.
    pub labelled: &'a Labelled,
    /// The model's classes, and then those that it never learnt.
    pub classes: &'a [Class],
    /// The class of each row.
    pub truth: &'a [u32],
    /// What the model says of each.
    pub said: &'a Probabilities,
}

impl Answered<'_> {
    /// What changed between the two sides of a moment.
    pub fn drift(&self, fold: &Fold, moment: i64, seed: u64) -> Result<Drift, Failure> {
        let dataset = &self.labelled.dataset;
        let mut since = vec![false; dataset.rows];
        fold.test.iter().for_each(|&row| since[row as usize] = true);
        let names: Vec<String> = self.classes.iter().map(|class| class.name.clone()).collect();
        let sides = Sides {
            features: &dataset.schema.features,
            columns: &dataset.columns,
            importance: self.model.importance(),
            classes: &names,
            learnt: self.model.classes().len(),
            truth: self.truth,
            said: self.said,
            since: &since,
        };
        let mut drift = Drift::of(&sides, seed)?;
        drift.moment = splitting::utc(moment);
        drift
            .notes
            .push("All other parts of this report are about the flows since then.".to_owned());
        if self.labelled.rows_untimed > 0 {
            let rows = units::counted(self.labelled.rows_untimed, "row");
            drift.notes.push(format!("Left out, as nothing tells when they began: {rows}."));
        }
        Ok(drift)
    }
}

/// The answers to some of the rows.
pub fn select(rows: &[u32], truth: &[u32], said: &Probabilities) -> (Vec<u32>, Probabilities) {
    let truth = rows.iter().map(|&row| truth[row as usize]).collect();
    let values = rows.iter().flat_map(|&row| said.row(row as usize)).copied().collect();
    (truth, Probabilities { classes: said.classes, values })
}
