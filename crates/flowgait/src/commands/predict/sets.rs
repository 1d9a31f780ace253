//! The sets of labels of `--conformal`, and whether they tell anything.

use flowgait_model::Model;
use flowgait_model::conformal;

use crate::output;

/// From such a share of the labels beside the one that every answer has, sets tell next to nothing. Of two labels a set of one tells all.
const USELESS_FROM: f64 = 0.5;

/// Sets as they are written.
pub(super) struct Sets {
    /// The least probability of a label in a set.
    least: f32,
    rows: u64,
    /// Labels in all sets together.
    labels: u64,
}

impl Sets {
    pub(super) fn new(least: f32) -> Self {
        Self { least, rows: 0, labels: 0 }
    }

    /// The set of a row, as it stands in its cell.
    pub(super) fn cell(&mut self, model: &Model, probabilities: &[f32]) -> String {
        let set = conformal::set(probabilities, self.least);
        self.rows += 1;
        self.labels += set.len() as u64;
        let names: Vec<&str> = set.iter().map(|&class| model.classes()[class].as_str()).collect();
        names.join("|")
    }

    /// Says how large the sets are; that they are of no use, where they are so large.
    pub(super) fn tell(&self, model: &Model) {
        if self.rows == 0 {
            return;
        }
        let (classes, mean) = (model.classes().len(), self.labels as f64 / self.rows as f64);
        let size = format!("a prediction_set holds {mean:.1} of {classes} labels on average");
        if mean - 1.0 >= USELESS_FROM * (classes as f64 - 1.0) {
            output::warn(&format!(
                "{size}, so it tells next to nothing: allow more misses (a larger share by --conformal), or fit a model that knows more"
            ));
        } else {
            output::note(&size);
        }
    }
}
