//! What changed at a moment: the verdict, the alarms, the scores, the classes and the features, in HTML and as text.

use std::fmt::Write;

use super::Evaluation;
use super::page::{Pane, table};
use super::plot::put;
use super::strips::in_capitals;
use super::text::{columns, wrap};
use super::words::{NONE, Text, clean, count, counted, exact, gain, percent, score, short};
use crate::drift::{Alarm, Change, ClassDrift, Drift, Extent, Moved};

/// Alarms told in a terminal.
const ALARMS: usize = 12;

/// Classes shown; those with an alarm stand in front.
const CLASSES: usize = 20;

/// Narrower than the first, and there is no room for confidence; than the second, for what the model says of volumes, nor for how often
/// features are missing.
const MIDDLE: usize = 72;
const WIDE: usize = 90;

const CLASS_HEADS: [&str; 5] = ["Before → since", "volume", "by model", "recall", "confidence"];
const SCORE_HEADS: [&str; 4] = ["All classes", "before", "since", "change"];

pub(super) fn pane(evaluation: &Evaluation) -> Option<Pane> {
    let drift = evaluation.drift.as_ref()?;
    let mut body = format!("<p>{}</p>", Text(&verdict(drift)));
    let alarms = alarms(drift);
    if !alarms.is_empty() {
        body += "<ul class=\"alarms\">";
        for (class, reason) in &alarms {
            put!(
                body,
                "<li><span aria-hidden=\"true\">▲</span><p><b>{}</b>: {}</p></li>",
                Text(class),
                Text(reason)
            );
        }
        body += "</ul>";
    }
    put!(body, "<p class=\"quiet\">{}</p>", Text(&whose(drift)));
    body += &numbers(&SCORE_HEADS, &scores(drift));
    body += &numbers(&CLASS_HEADS, &classes(drift));
    body += &others(drift)
        .map_or(String::new(), |others| format!("<p class=\"quiet\">{}</p>", Text(&others)));
    put!(body, "<p>{}</p>", Text(&together(drift)));
    put!(body, "<div class=\"scroll\">{}</div>", features_pane(&drift.shift.features));
    put!(body, "<p class=\"quiet\">{}</p>", Text(&how_tested(drift)));
    for note in &drift.notes {
        put!(body, "<p class=\"quiet\">{}</p>", Text(note));
    }
    let models = if drift.folds.is_some() { "the same models" } else { "the same model" };
    let under = format!("{models} on flows before {} and since", drift.moment);
    Some(Pane::new("Drift", &under).wide().body(format!("<div class=\"drift\">{body}</div>")))
}

/// A table whose heads begin with a capital, as those of other sections.
fn numbers(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = heads.iter().map(|head| in_capitals(head)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    table(&heads, rows)
}

pub(super) fn text(out: &mut String, evaluation: &Evaluation, width: usize) {
    let Some(drift) = &evaluation.drift else { return };
    put!(out, "\nDrift since {}\n", clean(&drift.moment));
    wrap(out, "", &verdict(drift), width);
    let alarms = alarms(drift);
    for (class, reason) in alarms.iter().take(ALARMS) {
        wrap(out, "▲ ", &format!("{class}: {reason}"), width);
    }
    if alarms.len() > ALARMS {
        let more = counted((alarms.len() - ALARMS) as u64, "more alarm", "more alarms");
        wrap(out, "▲ ", &format!("{more}; a report in a file (-o) has them all"), width);
    }
    columns(out, &SCORE_HEADS, &scores(drift), 32);
    wrap(out, "· ", &whose(drift), width);
    let (mut heads, mut rows) = (CLASS_HEADS.to_vec(), classes(drift));
    let mut leave_out = |column: usize| {
        heads.remove(column);
        rows.iter_mut().for_each(|cells| drop(cells.remove(column)));
    };
    if width < MIDDLE {
        leave_out(4);
    }
    if width < WIDE {
        leave_out(2);
    }
    // Two spaces and at most 19 letters of each volume, or 13 of a score.
    let taken = match width {
        WIDE.. => 72,
        MIDDLE.. => 51,
        _ => 36,
    };
    columns(out, &heads, &rows, width.saturating_sub(taken));
    if let Some(others) = others(drift) {
        wrap(out, "", &others, width);
    }
    let mut told: Vec<_> = drift.shift.features.iter().map(feature).collect();
    let mut heads = vec!["What moved most", "importance", "distance", "median", "missing"];
    if width < WIDE {
        told.iter_mut().for_each(|cells| cells.truncate(4));
        heads.truncate(4);
    }
    if !told.is_empty() {
        columns(out, &heads, &told, width.saturating_sub(if width < WIDE { 43 } else { 64 }));
    }
    wrap(out, "", &together(drift), width);
    wrap(out, "· ", &how_tested(drift), width);
    for note in &drift.notes {
        wrap(out, "· ", note, width);
    }
}

/// Whose scores those of the section are: a reader holds them against the other scores otherwise, which may be another model's.
fn whose(drift: &Drift) -> String {
    match &drift.folds {
        None => "These scores are of the model itself, as all others are.".to_owned(),
        Some(folds) => format!(
            "These scores are not of the model that all others are of: it learnt from what was before, so to be fair both sides are answered by models that each learnt from other flows of before ({}).",
            clean(folds)
        ),
    }
}

/// Whose the scores of the other sections are, in a report that has scores of other models under drift.
pub(super) fn whose_others(evaluation: &Evaluation) -> Option<String> {
    let drift = evaluation.drift.as_ref().filter(|drift| drift.folds.is_some())?;
    Some(format!(
        "of what is judged on flows since {}, not of the models under Drift",
        clean(&drift.moment)
    ))
}

/// The answer in a sentence.
fn verdict(drift: &Drift) -> String {
    let (alarms, moved) = (drift.alarms().count() as u64, drift.shift.all.is_beyond_chance());
    let classes = counted(drift.classes.len() as u64, "class", "classes");
    let verb = if alarms == 1 { "raises" } else { "raise" };
    match (moved, alarms) {
        (false, 0) => "No drift is seen: neither features nor any class changed beyond chance.".to_owned(),
        (true, 0) => "The traffic drifted, and the model bears it: features moved beyond chance, but no class raises an alarm.".to_owned(),
        (true, _) => format!("The traffic drifted: features moved beyond chance, and {} of {classes} {verb} an alarm.", count(alarms)),
        (false, _) => format!("Features did not move beyond chance on the whole, but {} of {classes} {verb} an alarm.", count(alarms)),
    }
}

/// How the features moved on the whole, beside chance.
fn together(drift: &Drift) -> String {
    let shift = &drift.shift;
    let weighed = if shift.weighed {
        "weighted by how much the model looks at each"
    } else {
        "all weighing alike, as this model does not tell which it looks at"
    };
    let chance = |extent: &Extent| {
        let verdict = if extent.is_beyond_chance() { "more than chance" } else { "maybe chance" };
        format!(
            "{verdict}, which stays at or below {} in 19 of 20 draws",
            exact(Some(extent.chance))
        )
    };
    let within = match &shift.within {
        None => "No class is on both sides, so the new mix of classes may be all of it.".to_owned(),
        Some(within) => {
            let sum = exact(Some(within.sum));
            format!("Between flows of the same class it is {sum}: {}.", chance(within))
        }
    };
    format!(
        "All features together moved by {} (0: not at all, 1: nothing in common), {weighed}: {}. {within}",
        exact(Some(shift.all.sum)),
        chance(&shift.all)
    )
}

/// The tests, for who wants to know.
fn how_tested(drift: &Drift) -> String {
    let shift = &drift.shift;
    let all = drift.before.rows == shift.rows.0 && drift.since.rows == shift.rows.1;
    let rows = if all {
        String::new()
    } else {
        format!(
            " on {} flows of before and {} since, drawn by chance",
            count(shift.rows.0),
            count(shift.rows.1)
        )
    };
    format!(
        "Alarms: volume and recall by Fisher's exact test, confidence of the answers to a class's own flows by the rank-sum test; all together at 5\u{202f}% by Holm's correction. Features: distance of Kolmogorov and Smirnov{rows}; chance is the 95\u{202f}% point of {} draws in which it says which flows are of before. Flows count as independent: where a few clients make most of them, a change may be theirs alone.",
        shift.draws
    )
}

fn alarms(drift: &Drift) -> Vec<(String, String)> {
    let words =
        |p: f64| if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {}", exact(Some(p))) };
    let alarm = |(class, alarm): (&ClassDrift, &Alarm)| {
        let p = alarm.p_value.map_or(String::new(), |p| format!(" ({})", words(p)));
        (clean(&class.class), format!("{}{p}", alarm.reason))
    };
    drift.alarms().map(alarm).collect()
}

fn scores(drift: &Drift) -> Vec<Vec<String>> {
    let (before, since) = (&drift.before, &drift.since);
    let row = |name: &str, before: f64, since: f64| {
        vec![name.to_owned(), exact(Some(before)), exact(Some(since)), gain(since - before)]
    };
    vec![
        vec!["Flows".to_owned(), count(before.rows), count(since.rows), String::new()],
        row("Accuracy", before.accuracy, since.accuracy),
        row("Macro-F1 of those that occur", before.f1_macro, since.f1_macro),
    ]
}

fn classes(drift: &Drift) -> Vec<Vec<String>> {
    let shares =
        |change: &Change<f64>| format!("{} → {}", percent(change.before), percent(change.since));
    let row = |class: &ClassDrift| {
        let mark = if class.alarm.is_some() { "▲ " } else { "" };
        vec![
            format!("{mark}{}", clean(&class.class)),
            shares(&class.volume),
            shares(&class.said),
            values(&class.recall, exact),
            values(&class.confidence, exact),
        ]
    };
    drift.classes.iter().take(CLASSES).map(row).collect()
}

fn others(drift: &Drift) -> Option<String> {
    let others = drift.classes.get(CLASSES..).filter(|others| !others.is_empty())?;
    let alarms = others.iter().filter(|class| class.alarm.is_some()).count() as u64;
    let others = counted(others.len() as u64, "other class", "other classes");
    Some(match alarms {
        0 => format!("{others} without an alarm."),
        _ => format!("{others}, {} of them with an alarm.", count(alarms)),
    })
}

fn values(change: &Change<Option<f64>>, words: fn(Option<f64>) -> String) -> String {
    format!("{} → {}", words(change.before), words(change.since))
}

fn feature(moved: &Moved) -> Vec<String> {
    let unit = if moved.unit.is_empty() { String::new() } else { format!(" ({})", moved.unit) };
    let missing = &moved.missing;
    vec![
        format!("{}{}", clean(&moved.name), clean(&unit)),
        percent(moved.importance),
        exact(Some(moved.distance)),
        values(&moved.median, measured),
        if is_missing_somewhere(moved) {
            format!("{} → {}", percent(missing.before), percent(missing.since))
        } else {
            NONE.to_owned()
        },
    ]
}

fn is_missing_somewhere(moved: &Moved) -> bool {
    moved.missing.before.max(moved.missing.since) > 0.0
}

/// The features as lines with a bar for the distance.
fn features_pane(features: &[Moved]) -> String {
    let mut out = String::from(
        "<table class=\"features\"><thead><tr><th>What moved most</th><th></th><th class=\"n\">distance</th><th class=\"n\">importance</th><th class=\"n\">median, before → since</th>",
    );
    // A column of dashes only takes room.
    let any_missing = features.iter().any(is_missing_somewhere);
    out += if any_missing { "<th class=\"n\">missing</th>" } else { "" };
    out += "</tr></thead><tbody>";
    for moved in features {
        let cells = feature(moved);
        put!(
            out,
            "<tr><th scope=\"row\" title=\"{}\">{}<small>{}</small></th><td class=\"b\"><span class=\"bar\"><i style=\"width:{:.1}%\"></i></span></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>",
            Text(&moved.name),
            Text(&short(&moved.name, 34)),
            Text(&moved.unit),
            moved.distance * 100.0,
            cells[2],
            Text(&cells[1]),
            cells[3]
        );
        if any_missing {
            put!(out, "<td class=\"n\">{}</td>", Text(&cells[4]));
        }
        out += "</tr>";
    }
    out + "</tbody></table>"
}

/// A measured value: as many digits as say enough.
fn measured(value: Option<f64>) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return NONE.to_owned() };
    let (sign, size) = (if value < 0.0 { "−" } else { "" }, value.abs());
    match size {
        v if v >= 1e12 => format!("{sign}{v:.1e}"),
        v if v >= 1e9 => format!("{sign}{:.1}\u{202f}G", v / 1e9),
        v if v >= 1e6 => format!("{sign}{:.1}\u{202f}M", v / 1e6),
        v if v >= 100.0 || v == v.round() => format!("{sign}{}", count(v.round() as u64)),
        v if v >= 1.0 => format!("{sign}{v:.1}"),
        v => format!("{sign}{}", score(v)),
    }
}
