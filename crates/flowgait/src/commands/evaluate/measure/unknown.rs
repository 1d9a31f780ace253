//! How well classes that were never learnt are noticed: some are left out of what is learnt, and their rows asked about.

use flowgait_model::doubt::entropy;
use flowgait_model::metrics::unknown_score;
use flowgait_model::recipe::Recipe;
use flowgait_model::report::Unknown;
use flowgait_model::{Probabilities, Training};

use super::{CURVE_TREES, Measuring};
use crate::failure::Failure;
use crate::progress::Progress;

/// Classes that are left out, one at a time.
const LEFT_OUT_MAX: usize = 5;
/// Fewer rows of a class on the judged side say nothing.
const ROWS_MIN: usize = 5;
/// The false alarms that are allowed.
const FALSE_ALARMS: f64 = 0.05;

/// Leaves classes out one by one, the most frequent first, on the first folds.
pub fn unknown(measuring: &Measuring<'_>, recipe: Recipe) -> Result<Option<Unknown>, Failure> {
    let (dataset, labels) = (&measuring.labelled.dataset, measuring.labelled.labels());
    let classes = labels.values.len();
    if classes < 3 {
        return Ok(None);
    }
    let recipe = recipe.at_most(CURVE_TREES);
    let code = |row: u32| labels.codes[row as usize];
    let repeat = &measuring.repeats[0];
    let fold = &repeat.folds[0];
    let mut counts: Vec<(usize, u32)> = (0..classes as u32)
        .map(|class| (fold.test.iter().filter(|row| code(**row) == class).count(), class))
        .filter(|(count, _)| *count >= ROWS_MIN)
        .collect();
    counts.sort_by_key(|&(count, class)| (std::cmp::Reverse(count), class));
    counts.truncate(LEFT_OUT_MAX);
    let (mut known, mut strange, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let progress = Progress::count("unknown", counts.len() as u64);
    for (_, class) in counts {
        let rows: Vec<u32> = fold.train.iter().copied().filter(|row| code(*row) != class).collect();
        let training = Training {
            columns: &dataset.columns,
            rows: &rows,
            codes: &labels.codes,
            classes,
            class_weights: None,
        };
        let fitted = recipe.fit(&dataset.schema, &training, repeat.seed, &|| {})?;
        let said = fitted.predict_proba(&dataset.columns, &fold.test)?;
        for (at, &row) in fold.test.iter().enumerate() {
            if code(row) == class { &mut strange } else { &mut known }.push(surety(&said, at));
        }
        left_out.push(labels.values[class as usize].clone());
        progress.advance(1);
    }
    progress.finish();
    let score = unknown_score(&known, &strange, FALSE_ALARMS);
    Ok(score.map(|score| Unknown { left_out, score }))
}

/// The less doubt, the surer.
fn surety(said: &Probabilities, row: usize) -> f64 {
    -f64::from(entropy(said.row(row)))
}
