//! Values on a common scale, one line each: what must be beaten, the folds, the classes, the features.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::page::{Pane, mark, table};
use super::plot::{Axis, put};
use super::words::{NONE, Text, count, counted, exact, gain, score, short};
use super::{Baseline, BaselineKind, Evaluation, Split};
use crate::metrics::ClassScore;
use crate::validation::{Spread, TrialScore};

/// More classes than this, and the weakest are shown first, the rest on request.
const CLASSES_OPEN: usize = 30;
const CLASSES_WEAKEST: usize = 20;

/// Features shown before the rest is a matter of request.
const FEATURES_OPEN: usize = 15;
const FEATURES_MAX: usize = 200;

/// One line of the leak meter.
struct Line<'a> {
    name: String,
    what: String,
    accuracy: Spread,
    f1_macro: Option<Spread>,
    lead: Option<&'a Baseline>,
    class: &'static str,
}

pub(super) fn baselines(evaluation: &Evaluation) -> Option<Pane> {
    let lines = lines(evaluation);
    if lines.len() < 2 {
        return None;
    }
    let ours = evaluation.accuracy();
    let axis = Axis::share();
    let mut body = String::from("<div class=\"strips\">");
    for line in &lines {
        let (low, high) = interval(&line.accuracy);
        put!(
            body,
            "<div class=\"strip {}\"><div class=\"who\"><span>{}</span><small>{}</small></div><svg height=\"28\" aria-hidden=\"true\">",
            line.class,
            Text(&short(&line.name, 40)),
            Text(&line.what)
        );
        grid(&mut body, &axis);
        if line.class == "leak" && line.accuracy.mean > ours {
            put!(
                body,
                "<rect class=\"flatter\" x=\"{:.2}%\" width=\"{:.2}%\" y=\"2\" height=\"24\"/>",
                ours * 100.0,
                (line.accuracy.mean - ours) * 100.0
            );
        }
        let mean = line.accuracy.mean * 100.0;
        put!(
            body,
            "<line class=\"stem\" x2=\"{mean:.2}%\" y1=\"14\" y2=\"14\"/><line class=\"range\" x1=\"{:.2}%\" x2=\"{:.2}%\" y1=\"14\" y2=\"14\"/>",
            low * 100.0,
            high * 100.0
        );
        put!(
            body,
            "<circle cx=\"{mean:.2}%\" cy=\"14\" r=\"5\"/></svg><output>{}</output></div>",
            Text(&score(line.accuracy.mean))
        );
    }
    body += &scale(&axis);
    body += "</div>";
    let row = |line: &Line<'_>| {
        let lead = line.lead.and_then(|baseline| baseline.lead);
        let (gap, p) = match lead {
            Some(lead) => (
                format!("{} ({} to {})", gain(lead.difference), gain(lead.low), gain(lead.high)),
                score(lead.p_value),
            ),
            None => (NONE.to_owned(), NONE.to_owned()),
        };
        let f1 = line.f1_macro.as_ref().map(|spread| spread.mean);
        vec![
            line.name.clone(),
            exact(Some(line.accuracy.mean)),
            exact(line.accuracy.sd),
            exact(f1),
            gap,
            p,
        ]
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    let heads = ["", "Accuracy", "± sd", "Macro-F1", "Lead of this model (95 %)", "p"];
    let leaks = lines.iter().any(|line| line.class == "leak")
        || evaluation.baselines.iter().any(|b| b.kind == BaselineKind::Address);
    let title = if leaks { "Leak meter" } else { "What it must beat" };
    let ways = lines.len();
    let pane = Pane::new(
        title,
        &format!("accuracy on the same rows, measured {ways} ways; line: ± 1 sd over trials"),
    )
    .body(body)
    .numbers(table(&heads, &rows));
    Some(pane)
}

fn lines(evaluation: &Evaluation) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let others = evaluation.other_splits.iter().filter(|other| other.split != evaluation.split);
    lines.extend(others.map(|other| {
        let (what, class) = match other.split {
            Split::Random => ("same model; flows of one session on both sides", "leak"),
            _ => ("same model, other rows to learn from", "other"),
        };
        Line {
            name: in_capitals(&other.split.words()),
            what: what.to_owned(),
            accuracy: other.accuracy,
            f1_macro: Some(other.f1_macro),
            lead: None,
            class,
        }
    }));
    let alone = |value: f64| Spread { mean: value, sd: None, low: value, high: value, trials: 1 };
    let own = |name: &str, value: f64| {
        evaluation.spreads.get(name).copied().unwrap_or_else(|| alone(value))
    };
    lines.push(Line {
        name: "This model".to_owned(),
        what: evaluation.split.words(),
        accuracy: own("accuracy", evaluation.scores.accuracy),
        f1_macro: Some(own("f1_macro", evaluation.scores.f1_macro)),
        lead: None,
        class: "own",
    });
    for baseline in &evaluation.baselines {
        lines.push(Line {
            name: baseline.name.clone(),
            what: baseline.what.clone(),
            accuracy: baseline.accuracy,
            f1_macro: Some(baseline.f1_macro),
            lead: Some(baseline),
            class: "",
        });
    }
    lines
}

/// With its first letter large.
pub(super) fn in_capitals(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// One standard deviation to each side, within 0 and 1.
fn interval(spread: &Spread) -> (f64, f64) {
    let sd = spread.sd.unwrap_or(0.0);
    ((spread.mean - sd).clamp(0.0, 1.0), (spread.mean + sd).clamp(0.0, 1.0))
}

/// The vertical rules of a strip at the ticks of its scale.
fn grid(out: &mut String, axis: &Axis) {
    for (at, _) in axis.marks() {
        put!(out, "<line class=\"rule\" x1=\"{at:.2}%\" x2=\"{at:.2}%\" y2=\"28\"/>");
    }
}

/// The scale under strips.
fn scale(axis: &Axis) -> String {
    let mut out = String::from(
        "<div class=\"strip scale\"><div class=\"who\"></div><svg height=\"18\" aria-hidden=\"true\">",
    );
    for (at, text) in axis.marks() {
        put!(out, "<text text-anchor=\"middle\" x=\"{at:.2}%\" y=\"13\">{text}</text>");
    }
    out + "</svg><output></output></div>"
}

pub(super) fn folds(evaluation: &Evaluation) -> Option<Pane> {
    let (folds, seeds) = evaluation.rounds();
    if evaluation.trials.len() < 2 {
        return None;
    }
    // Few folds get a line each; of many, each seed does.
    let key: fn(&TrialScore) -> (u64, &'static str) = match folds {
        2..=12 => |trial| (trial.fold as u64, "Fold"),
        _ => |trial| (trial.seed, "Seed"),
    };
    let mut lines: BTreeMap<(u64, &str), Vec<&TrialScore>> = BTreeMap::new();
    for trial in &evaluation.trials {
        lines.entry(key(trial)).or_default().push(trial);
    }
    let both = |trial: &TrialScore| [trial.scores.accuracy, trial.scores.f1_macro];
    let axis = Axis::around(evaluation.trials.iter().flat_map(both));
    let mut body = String::from("<div class=\"strips folds\">");
    for ((number, noun), trials) in lines.iter().take(24) {
        let shown = if *noun == "Fold" { number + 1 } else { *number };
        let rows = trials.iter().map(|trial| trial.scores.rows).sum::<u64>() / trials.len() as u64;
        let mean =
            trials.iter().map(|trial| trial.scores.accuracy).sum::<f64>() / trials.len() as f64;
        put!(
            body,
            "<div class=\"strip\"><div class=\"who\"><span>{noun} {shown}</span><small>{}</small></div><svg height=\"28\" aria-hidden=\"true\">",
            counted(rows, "row", "rows")
        );
        grid(&mut body, &axis);
        for trial in trials {
            let [accuracy, f1] = both(trial).map(|value| axis.percent(value));
            put!(body, "<circle class=\"f1\" cx=\"{f1:.2}%\" cy=\"19\" r=\"3\"/>");
            put!(body, "<circle cx=\"{accuracy:.2}%\" cy=\"9\" r=\"3.5\"/>");
        }
        put!(body, "</svg><output>{}</output></div>", Text(&score(mean)));
    }
    body += &scale(&axis);
    body += "</div>";
    let row = |trial: &TrialScore| {
        let scores = &trial.scores;
        vec![
            trial.seed.to_string(),
            (trial.fold + 1).to_string(),
            count(trial.train_rows),
            count(scores.rows),
            exact(Some(scores.accuracy)),
            exact(Some(scores.f1_macro)),
            exact(Some(scores.log_loss)),
        ]
    };
    let rows: Vec<_> = evaluation.trials.iter().take(500).map(row).collect();
    let heads = ["Seed", "Fold", "Learnt from", "Judged on", "Accuracy", "Macro-F1", "Log loss"];
    let (folds, seeds) =
        (counted(folds as u64, "fold", "folds"), counted(seeds as u64, "seed", "seeds"));
    let pane = Pane::new(
        "Does it hold everywhere?",
        &format!(
            "{folds}, {seeds}: ● accuracy, ○ macro-F1, a mark for each trial; number: mean accuracy"
        ),
    )
    .body(body)
    .numbers(table(&heads, &rows));
    Some(pane)
}

pub(super) fn classes(evaluation: &Evaluation) -> Pane {
    let mut order: Vec<usize> = (0..evaluation.per_class.len()).collect();
    let many = order.len() > CLASSES_OPEN;
    order.sort_by(|&a, &b| {
        let (a, b) = (&evaluation.per_class[a], &evaluation.per_class[b]);
        // Classes without rows have no score: they come last.
        (a.support == 0).cmp(&(b.support == 0)).then(a.f1.total_cmp(&b.f1))
    });
    let mut under = "share of each class found (recall, line: 95 % interval), share of its answers right (precision), both in one (F1); weakest first".to_owned();
    let mut body;
    if many {
        under = format!(
            "the {CLASSES_WEAKEST} weakest of {} by F1; recall with its 95 % interval",
            order.len()
        );
        body = class_table(evaluation, &order[..CLASSES_WEAKEST]);
        put!(
            body,
            "<details><summary>All {} classes</summary>{}</details>",
            order.len(),
            class_table(evaluation, &order)
        );
    } else {
        body = class_table(evaluation, &order);
    }
    Pane::new("Class by class", &under).wide().body(body)
}

fn class_table(evaluation: &Evaluation, order: &[usize]) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Scores of each class\"><table class=\"classes sortable\"><thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">Rows</th><th scope=\"col\" class=\"bars\">Recall</th><th scope=\"col\" class=\"bars\">Precision</th><th scope=\"col\" class=\"bars\">F1</th><th scope=\"col\">Mostly taken for</th></tr></thead><tbody>",
    );
    for &class in order {
        let score = &evaluation.per_class[class];
        let name = evaluation.classes.get(class).map_or("", |class| class.name.as_str());
        let slot = evaluation.classes.get(class).map_or(0, |class| class.kind.slot());
        put!(
            out,
            "<tr class=\"k{slot}\"><th scope=\"row\" title=\"{}\">{}<span>{}</span></th><td class=\"n\">{}</td>",
            Text(name),
            mark(evaluation, class),
            Text(&short(name, 32)),
            count(score.support)
        );
        out += &recall(score);
        out += &bar(score.precision, score.predicted > 0);
        out += &bar(score.f1, score.support + score.predicted > 0);
        put!(out, "<td class=\"taken\">{}</td></tr>", taken(evaluation, class));
    }
    out + "</tbody></table></div>"
}

/// A dot with its interval.
fn recall(score: &ClassScore) -> String {
    if score.support == 0 {
        return format!("<td class=\"b\"><div><span class=\"v\"></span>{NONE}</div></td>");
    }
    let [low, at, high] =
        [score.recall_low, score.recall, score.recall_high].map(|share| share * 100.0);
    format!(
        "<td class=\"b\"><div><span class=\"v\"><svg height=\"12\" aria-hidden=\"true\"><line class=\"track\" x2=\"100%\" y1=\"6\" y2=\"6\"/><line class=\"iv\" x1=\"{low:.1}%\" x2=\"{high:.1}%\" y1=\"6\" y2=\"6\"/><circle cx=\"{at:.1}%\" cy=\"6\" r=\"4\"/></svg></span>{}</div></td>",
        exact(Some(score.recall))
    )
}

fn bar(value: f64, defined: bool) -> String {
    if !defined {
        return format!("<td class=\"b\"><div><span class=\"v\"></span>{NONE}</div></td>");
    }
    format!(
        "<td class=\"b\"><div><span class=\"v bar\"><i style=\"width:{:.1}%\"></i></span>{}</div></td>",
        value * 100.0,
        exact(Some(value))
    )
}

/// What most of a class's missed rows were taken for.
pub(super) fn most_taken(evaluation: &Evaluation, class: usize) -> Option<(&str, u64)> {
    let row = evaluation.confusion.row(class).iter().enumerate();
    let others = row.filter(|&(said, &rows)| said != class && rows > 0);
    let (said, &rows) = others.max_by_key(|&(said, &rows)| (rows, std::cmp::Reverse(said)))?;
    Some((evaluation.classes.get(said)?.name.as_str(), rows))
}

fn taken(evaluation: &Evaluation, class: usize) -> String {
    match most_taken(evaluation, class) {
        Some((name, rows)) => format!("{} <span>{}</span>", Text(&short(name, 24)), count(rows)),
        None => NONE.to_owned(),
    }
}

pub(super) fn features(evaluation: &Evaluation) -> Option<Pane> {
    let importances = evaluation.importances.as_ref()?;
    let mut features: Vec<_> =
        importances.features.iter().filter(|feature| feature.value.is_finite()).collect();
    features.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.name.cmp(&b.name)));
    let most = features.first().map(|feature| feature.value).filter(|&most| most > 0.0)?;
    let mut body = String::from("<table class=\"features\">");
    if let Some(within) = &importances.within {
        put!(
            body,
            "<thead><tr><th></th><th></th><th class=\"n\">among all</th><th class=\"n\">within {}</th></tr></thead>",
            Text(&short(within, 20))
        );
    }
    body += "<tbody>";
    for feature in features.iter().take(FEATURES_OPEN) {
        let width = (feature.value / most * 100.0).clamp(0.0, 100.0);
        put!(
            body,
            "<tr><th scope=\"row\" title=\"{}\">{}<small>{}</small></th><td class=\"b\"><span class=\"bar\"><i style=\"width:{width:.1}%\"></i></span></td><td class=\"n\">{}</td>",
            Text(&feature.name),
            Text(&short(&feature.name, 34)),
            Text(&feature.unit),
            exact(Some(feature.value))
        );
        if importances.within.is_some() {
            put!(body, "<td class=\"n\">{}</td>", exact(feature.within));
        }
        body += "</tr>";
    }
    body += "</tbody></table>";
    let all: f64 = features.iter().map(|feature| feature.value.max(0.0)).sum();
    if features.len() > FEATURES_OPEN {
        let rest: f64 =
            features[FEATURES_OPEN..].iter().map(|feature| feature.value.max(0.0)).sum();
        let others =
            counted((features.len() - FEATURES_OPEN) as u64, "other feature", "other features");
        put!(
            body,
            "<p class=\"quiet\">{others}: {} together, of {}.</p>",
            exact(Some(rest)),
            exact(Some(all))
        );
    }
    let row = |feature: &&super::Importance| {
        let (all, within) = (exact(Some(feature.value)), exact(feature.within));
        vec![feature.name.clone(), feature.unit.clone(), all, within]
    };
    let rows: Vec<_> = features.iter().take(FEATURES_MAX).map(row).collect();
    let pane = Pane::new("What it looks at", &importances.measure)
        .body(body)
        .numbers(table(&["Feature", "Unit", "Importance", "Within groups"], &rows));
    Some(pane)
}
