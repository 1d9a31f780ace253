//! Whether the sets of labels of `--conformal` tell anything.

use flowgait_model::Model;
use flowgait_model::answers::Tally;

use crate::output;

/// From such a share of the labels beside the one that every answer has, sets tell next to nothing. Of two labels a set of one tells all.
const USELESS_FROM: f64 = 0.5;

/// Says how large the sets are; that they are of no use, where they are so large.
pub(super) fn tell(model: &Model, tally: &Tally) {
    if tally.rows == 0 {
        return;
    }
    let (classes, mean) = (model.classes().len(), tally.set_labels as f64 / tally.rows as f64);
    let size = format!("a prediction_set holds {mean:.1} of {classes} labels on average");
    if mean - 1.0 >= USELESS_FROM * (classes as f64 - 1.0) {
        output::warn(&format!(
            "{size}, so it tells next to nothing: allow more misses (a larger share by --conformal), or fit a model that knows more"
        ));
    } else {
        output::note(&size);
    }
}
