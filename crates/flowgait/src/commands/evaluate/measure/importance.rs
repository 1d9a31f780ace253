//! What the learner looks at, measured on rows that it did not learn from.

use flowgait_features::Schema;
use flowgait_features::layout;
use flowgait_model::Estimator;
use flowgait_model::permutation::{self, Judged};
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::report::{Importance, Importances};

use super::{CURVE_TREES, Measuring};
use crate::failure::Failure;
use crate::progress::Progress;

/// Rows of a fold that are shuffled: enough for a mean over folds; fewer where an answer takes long.
const ROWS_MAX: usize = 1_000;
const SLOW_ROWS_MAX: usize = 150;

/// The accuracy that is lost when a column is shuffled among the rows of a fold, or a list of columns at once; and the same within the
/// groups that rows come in, where the table has them.
pub fn permuted(
    measuring: &Measuring<'_>,
    schema: &Schema,
    recipe: Recipe,
) -> Result<Importances, Failure> {
    let (dataset, labels) = (&measuring.labelled.dataset, measuring.labelled.labels());
    let together = layout::together(schema);
    let players: Vec<Vec<usize>> = together.iter().map(|(_, columns)| columns.clone()).collect();
    let groups =
        dataset.groups.iter().find(|group| group.name == "capture" && group.distinct() > 1);
    let groups = groups.or_else(|| dataset.groups.iter().find(|group| group.distinct() > 1));
    let most = match recipe.estimator {
        EstimatorKind::Linear | EstimatorKind::Stack => SLOW_ROWS_MAX,
        of if of.network().is_some() => SLOW_ROWS_MAX,
        _ => ROWS_MAX,
    };
    let repeat = &measuring.repeats[0];
    let progress = Progress::count("importance", repeat.folds.len() as u64);
    let (mut all, mut within, mut rows_judged) =
        (vec![0.0; players.len()], vec![0.0; players.len()], 0.0);
    for fold in &repeat.folds {
        let training = measuring.labelled.training(&fold.train);
        let fitted: Estimator =
            recipe.at_most(CURVE_TREES).fit(schema, &training, repeat.seed, &|| {})?;
        let stride = fold.test.len().div_ceil(most).max(1);
        let rows: Vec<u32> = fold.test.iter().step_by(stride).copied().collect();
        let weight = rows.len() as f64;
        let add = |groups: Option<&[u32]>, sums: &mut [f64]| -> Result<(), Failure> {
            let (columns, codes) = (&dataset.columns, &labels.codes);
            let judged = Judged { columns, rows: &rows, codes, groups };
            let lost = permutation::importance(&fitted, &judged, &players, repeat.seed)?;
            sums.iter_mut().zip(lost).for_each(|(sum, lost)| *sum += lost * weight);
            Ok(())
        };
        add(None, &mut all)?;
        if let Some(groups) = groups {
            add(Some(&groups.codes), &mut within)?;
        }
        rows_judged += weight;
        progress.advance(1);
    }
    progress.finish();
    let feature = |(at, (name, columns)): (usize, (String, Vec<usize>))| Importance {
        name: match columns.len() {
            1 => name,
            count => format!("{name} (list of {count})"),
        },
        unit: schema.features[columns[0]].unit.clone(),
        value: all[at] / rows_judged,
        within: groups.map(|_| within[at] / rows_judged),
    };
    Ok(Importances {
        measure: "accuracy lost on rows that were not learnt from, when a column is shuffled"
            .to_owned(),
        within: groups.map(|group| group.name.clone()),
        features: together.into_iter().enumerate().map(feature).collect(),
    })
}

/// What a fitted model says it looks at, by the schema's names; nothing where its estimator does not know.
pub fn of_model(schema: &Schema, values: &[f32]) -> Option<Importances> {
    if values.is_empty() {
        return None;
    }
    let feature = |(feature, &value): (&flowgait_features::Feature, &f32)| Importance {
        name: feature.name.clone(),
        unit: feature.unit.clone(),
        value: f64::from(value),
        within: None,
    };
    Some(Importances {
        measure: "share of what splits on it removed or gained, in training".to_owned(),
        within: None,
        features: schema.features.iter().zip(values).map(feature).collect(),
    })
}
