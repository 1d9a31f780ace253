//! The evaluation as plain text: aligned columns, no colour.

use std::fmt::Write;

use super::notes::{Weight, notes};
use super::plot::put;
use super::strips::most_taken;
use super::words::{NONE, clean, count, counted, exact, gain, percent, score, short};
use super::{Evaluation, Origin, curves, drift, tables};
use crate::validation::{PacketPoint, soon_enough};

/// Classes, features and mistakes shown.
const WEAKEST: usize = 10;
const FEATURES: usize = 8;
const MISTAKES: usize = 8;

pub(super) fn text(evaluation: &Evaluation, width: usize) -> String {
    let mut out = String::new();
    head(&mut out, evaluation, width);
    drift::text(&mut out, evaluation, width);
    scores(&mut out, evaluation, width);
    baselines(&mut out, evaluation, width);
    packets(&mut out, evaluation, width);
    classes(&mut out, evaluation, width);
    mistakes(&mut out, evaluation, width);
    features(&mut out, evaluation, width);
    out += "\nBefore you quote a number\n";
    for note in notes(evaluation) {
        let glyph = if note.weight == Weight::Warn { "! " } else { "· " };
        wrap(&mut out, glyph, &note.text, width);
    }
    out
}

fn head(out: &mut String, evaluation: &Evaluation, width: usize) {
    let made = if evaluation.data.origin == Origin::Made { "   [made traffic]" } else { "" };
    put!(out, "{}{made}\n", short(&evaluation.title, width - made.len()));
    let mut facts = vec![
        counted(evaluation.scores.rows, "row", "rows"),
        counted(evaluation.classes.len() as u64, "class", "classes"),
    ];
    if evaluation.data.features > 0 {
        facts.push(counted(evaluation.data.features, "feature", "features"));
    }
    facts.push(evaluation.split.words());
    let (folds, seeds) = evaluation.rounds();
    if folds > 0 {
        facts.push(format!(
            "{}, {}",
            counted(folds as u64, "fold", "folds"),
            counted(seeds as u64, "seed", "seeds")
        ));
    }
    wrap(out, "", &facts.join(" · "), width);
}

fn scores(out: &mut String, evaluation: &Evaluation, width: usize) {
    let spread = !evaluation.spreads.is_empty();
    let heads = if spread {
        vec!["Scores", "mean", "± sd", "all rows"]
    } else {
        vec!["Scores", "all rows"]
    };
    let line = |row: tables::Row| {
        let mut cells = vec![row.name.to_owned()];
        if spread {
            cells.extend([exact(row.mean), exact(row.sd)]);
        }
        cells.push(exact(row.pooled));
        cells
    };
    let rows: Vec<_> = tables::rows(evaluation).into_iter().map(line).collect();
    columns(out, &heads, &rows, 32);
    if let Some(whose) = drift::whose_others(evaluation) {
        wrap(out, "· ", &format!("These scores are {whose}."), width);
    }
}

fn baselines(out: &mut String, evaluation: &Evaluation, width: usize) {
    if evaluation.baselines.is_empty() && evaluation.other_splits.is_empty() {
        return;
    }
    let (accuracy, sd) = evaluation.headline("accuracy");
    let own = [
        "this model".to_owned(),
        exact(accuracy),
        exact(sd),
        exact(evaluation.headline("f1_macro").0),
        String::new(),
        String::new(),
    ];
    let mut rows = vec![own.to_vec()];
    for baseline in &evaluation.baselines {
        let (lead, p) = match baseline.lead {
            Some(lead) => (gain(lead.difference), score(lead.p_value)),
            None => (NONE.to_owned(), NONE.to_owned()),
        };
        rows.push(vec![
            clean(&baseline.name),
            exact(Some(baseline.accuracy.mean)),
            exact(baseline.accuracy.sd),
            exact(Some(baseline.f1_macro.mean)),
            lead,
            p,
        ]);
    }
    for other in &evaluation.other_splits {
        rows.push(vec![
            format!("({})", other.split.words()),
            exact(Some(other.accuracy.mean)),
            exact(other.accuracy.sd),
            exact(Some(other.f1_macro.mean)),
            NONE.to_owned(),
            NONE.to_owned(),
        ]);
    }
    columns(
        out,
        &["Beside it", "accuracy", "± sd", "macro-F1", "lead", "p"],
        &rows,
        width.saturating_sub(46).min(40),
    );
}

fn features(out: &mut String, evaluation: &Evaluation, width: usize) {
    let Some(importances) = &evaluation.importances else { return };
    let mut features: Vec<_> = importances.features.iter().filter(|f| f.value > 0.0).collect();
    features.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.name.cmp(&b.name)));
    if features.is_empty() {
        return;
    }
    let within = importances.within.as_ref().map(|name| format!("within {}", clean(name)));
    // The first word says what the numbers are: accuracy lost without the column, or its share of what training gained.
    let measure = importances.measure.split(' ').find(|word| matches!(*word, "lost" | "share"));
    let mut heads = vec!["What it looks at", measure.unwrap_or("importance")];
    heads.extend(within.as_deref());
    let row = |feature: &&super::Importance| {
        let mut cells = vec![clean(&feature.name), exact(Some(feature.value))];
        cells.extend(within.is_some().then(|| exact(feature.within)));
        cells
    };
    let rows: Vec<_> = features.iter().take(FEATURES).map(row).collect();
    columns(out, &heads, &rows, width.saturating_sub(40).min(60));
}

fn packets(out: &mut String, evaluation: &Evaluation, width: usize) {
    if evaluation.after_packets.is_empty() {
        return;
    }
    let row = |point: &PacketPoint| {
        vec![
            format!("{:>5}", point.packets),
            exact(Some(point.accuracy.mean)),
            exact(point.accuracy.sd),
            exact(Some(point.f1_macro.mean)),
        ]
    };
    let rows: Vec<_> = evaluation.after_packets.iter().map(row).collect();
    columns(out, &["After so many packets", "accuracy", "± sd", "macro-F1"], &rows, 32);
    let last = evaluation.after_packets.last().map_or(0, |last| last.packets);
    if let Some(soon) = soon_enough(&evaluation.after_packets).filter(|s| s.packets < last) {
        wrap(out, "· ", &curves::enough(soon), width);
    }
}

fn classes(out: &mut String, evaluation: &Evaluation, width: usize) {
    let mut order: Vec<usize> = (0..evaluation.per_class.len()).collect();
    order.retain(|&class| evaluation.per_class[class].support > 0);
    order.sort_by(|&a, &b| evaluation.per_class[a].f1.total_cmp(&evaluation.per_class[b].f1));
    let all = order.len();
    order.truncate(WEAKEST);
    let title =
        if all > WEAKEST { format!("Weakest {WEAKEST} of {all}") } else { "Classes".to_owned() };
    // The four columns of numbers and the spaces between take 41; the names share the rest.
    let names = width - 41;
    let first = (names / 2).clamp(title.chars().count().min(names), 32);
    let taken_limit = (names - first).clamp("taken for".len(), 32);
    let row = |&class: &usize| {
        let scored = &evaluation.per_class[class];
        let precision =
            if scored.predicted > 0 { exact(Some(scored.precision)) } else { NONE.to_owned() };
        let taken = most_taken(evaluation, class)
            .map_or(NONE.to_owned(), |(name, _)| short(name, taken_limit));
        let name = evaluation.classes.get(class).map_or("", |class| class.name.as_str());
        vec![
            clean(name),
            count(scored.support),
            exact(Some(scored.recall)),
            precision,
            exact(Some(scored.f1)),
            format!("  {taken}"),
        ]
    };
    let rows: Vec<_> = order.iter().map(row).collect();
    columns(out, &[&title, "rows", "recall", "precision", "F1", "  taken for"], &rows, first);
}

fn mistakes(out: &mut String, evaluation: &Evaluation, width: usize) {
    let name =
        |class: u32| evaluation.classes.get(class as usize).map_or("", |class| class.name.as_str());
    let limit = (width.saturating_sub(30) / 2).clamp(10, 32);
    let mut rows = Vec::new();
    for mistake in evaluation.confusion.mistakes(MISTAKES) {
        let pair = format!(
            "{} → {}",
            short(name(mistake.truth), limit),
            short(name(mistake.predicted), limit)
        );
        rows.push(vec![pair, count(mistake.rows), percent(mistake.share)]);
    }
    if !rows.is_empty() {
        columns(out, &["Largest mistakes", "rows", "of the class"], &rows, 2 * limit + 3);
    }
}

/// An aligned table after an empty line: the first column to the left, and in it at most `first` characters.
pub(super) fn columns(out: &mut String, heads: &[&str], rows: &[Vec<String>], first: usize) {
    let wide = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = heads.iter().map(|head| wide(head)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(wide(cell));
        }
    }
    widths[0] = widths[0].min(first.max(wide(heads[0])));
    out.push('\n');
    let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        for (place, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            // A cell that begins with two spaces is text: it stands to the left.
            let pad = " ".repeat(width.saturating_sub(wide(cell)));
            match place {
                0 => put!(line, "{:<width$}", short(cell, width)),
                _ if cell.starts_with("  ") => put!(line, "{cell}"),
                _ => put!(line, "  {pad}{cell}"),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Text in lines of at most `width`, the first after `lead`, the others indented as far.
pub(super) fn wrap(out: &mut String, lead: &str, text: &str, width: usize) {
    let indent = " ".repeat(lead.chars().count());
    let (mut line, mut empty) = (lead.to_owned(), true);
    for word in clean(text).split_whitespace() {
        let word = short(word, width.saturating_sub(indent.len()));
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(line.trim_end());
            out.push('\n');
            line.clone_from(&indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line += &word;
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}
