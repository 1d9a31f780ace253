//! Every score as a number, and the model card.

use std::fmt::Write;

use super::page::{Pane, table};
use super::plot::put;
use super::words::{NONE, Text, count, counted, exact};
use super::{Confidence, Evaluation, Origin, drift};

/// The scores' names in words.
const NAMES: [(&str, &str); 14] = [
    ("accuracy", "Accuracy"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("f1_macro", "Macro-F1"),
    ("precision_macro", "Macro precision"),
    ("recall_macro", "Macro recall"),
    ("f1_weighted", "Weighted F1"),
    ("precision_weighted", "Weighted precision"),
    ("recall_weighted", "Weighted recall"),
    ("top3_accuracy", "Among the top 3"),
    ("top5_accuracy", "Among the top 5"),
    ("auroc_macro", "Area under the curve, macro"),
    ("log_loss", "Log loss, nats"),
    ("brier", "Brier score, 0 to 2"),
    ("ece", "Calibration error (ECE)"),
];

/// One score: its name in words, over all rows, mean, standard deviation, lowest and highest trial.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) pooled: Option<f64>,
    pub(super) mean: Option<f64>,
    pub(super) sd: Option<f64>,
    pub(super) range: Option<(f64, f64)>,
}

pub(super) fn rows(evaluation: &Evaluation) -> Vec<Row> {
    let named = evaluation.scores.named();
    let row = |&(field, name): &(&'static str, &'static str)| {
        let pooled = named.iter().find(|score| score.0 == field).and_then(|score| score.1);
        let spread = evaluation.spreads.get(field);
        Row {
            name,
            pooled,
            mean: spread.map(|spread| spread.mean),
            sd: spread.and_then(|spread| spread.sd),
            range: spread.map(|spread| (spread.low, spread.high)),
        }
    };
    NAMES.iter().map(row).collect()
}

pub(super) fn scores(evaluation: &Evaluation) -> Pane {
    let spread = !evaluation.spreads.is_empty();
    let line = |row: Row| {
        let mut cells = vec![row.name.to_owned()];
        if spread {
            cells.extend([exact(row.mean), exact(row.sd)]);
            let range = row
                .range
                .map(|(low, high)| format!("{} – {}", exact(Some(low)), exact(Some(high))));
            cells.push(range.unwrap_or_else(|| NONE.to_owned()));
        }
        cells.push(exact(row.pooled));
        cells
    };
    let lines: Vec<_> = rows(evaluation).into_iter().map(line).collect();
    let (heads, under): (&[&str], _) = if spread {
        (
            &["", "Mean", "± sd", "Lowest – highest", "All rows"],
            "over trials; “all rows” pools the first seed's folds",
        )
    } else {
        (&["", "All rows"], "over all judged rows")
    };
    let whose = drift::whose_others(evaluation).map_or(String::new(), |whose| format!("; {whose}"));
    Pane::new("Every score", &format!("{under}{whose}")).body(table(heads, &lines))
}

pub(super) fn card(evaluation: &Evaluation) -> Pane {
    let data = &evaluation.data;
    let (folds, seeds) = evaluation.rounds();
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    for own in &evaluation.model {
        fact(&own.name, own.value.clone());
    }
    if !data.source.is_empty() {
        fact("Judged on", data.source.clone());
    }
    fact("Rows judged", count(evaluation.scores.rows));
    fact("Classes", count(evaluation.classes.len() as u64));
    if data.features > 0 {
        fact("Features", count(data.features));
    }
    if let Some(groups) = &data.groups {
        fact("Groups", format!("{} by {}", count(groups.count), groups.by));
    }
    fact("Split", evaluation.split.words());
    if !evaluation.trials.is_empty() {
        fact(
            "Trials",
            format!(
                "{} ({} × {})",
                evaluation.trials.len(),
                counted(folds as u64, "fold", "folds"),
                counted(seeds as u64, "seed", "seeds")
            ),
        );
    }
    let confidence = match evaluation.confidence {
        Confidence::Raw => "raw: the estimator's own probabilities",
        Confidence::Calibrated => "calibrated on rows kept apart",
    };
    fact("Confidence", confidence.to_owned());
    let origin = match data.origin {
        Origin::Recorded => "recorded",
        Origin::Made => "made by a program",
    };
    fact("Traffic", origin.to_owned());
    let mut body = String::from("<dl>");
    for (name, value) in facts {
        put!(body, "<div><dt>{}</dt><dd>{}</dd></div>", Text(&name), Text(&value));
    }
    Pane::new("Model card", "what it is and what it was judged on").body(body + "</dl>")
}
