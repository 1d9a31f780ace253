//! The leak meter: the same recipe under every other split that the table allows.

use flowgait_features::table::spelling;
use flowgait_model::recipe::Recipe;
use flowgait_model::report::OtherSplit;

use super::Measuring;
use crate::commands::judging::judge_columns;
use crate::commands::splitting::SplitArg;
use crate::failure::Failure;

/// By chance, by capture, by client and by time, as far as the table allows, without the split that is quoted.
pub fn other_splits(measuring: &Measuring<'_>, recipe: Recipe) -> Result<Vec<OtherSplit>, Failure> {
    let Measuring { labelled, learner, repeats, .. } = measuring;
    let groups = labelled.dataset.groups.iter().filter(|group| group.distinct() >= 2);
    let groups =
        groups.filter(|group| group.name == "capture" || spelling::is_near_address(&group.name));
    let mut splits = vec![SplitArg::Random];
    splits.extend(groups.map(|group| SplitArg::Group(group.name.clone())));
    let times = labelled.dataset.times.as_deref().unwrap_or_default();
    if !matches!(learner.split, SplitArg::Since(_)) && times.iter().any(|time| *time != times[0]) {
        splits.push(SplitArg::Time(None));
    }
    splits.retain(|split| split.named() != learner.split.named());
    let folds = repeats[0].folds.len().max(2);
    let mut found = Vec::new();
    for split in splits {
        // A split under which most classes are judged without having been learnt says nothing.
        if split != SplitArg::Random && !split.is_learnable(labelled) {
            continue;
        }
        let Ok(repeats) = split.repeats(labelled, folds, &[repeats[0].seed]) else { continue };
        let (dataset, labels) = (&labelled.dataset, labelled.labels());
        let what = split.named().words();
        let judged = judge_columns(&what, dataset, labels, recipe, &repeats)?;
        let spreads = (judged.spread(|s| s.accuracy), judged.spread(|s| s.f1_macro));
        if let (Some(accuracy), Some(f1_macro)) = spreads {
            found.push(OtherSplit { split: split.named(), accuracy, f1_macro });
        }
    }
    Ok(found)
}
