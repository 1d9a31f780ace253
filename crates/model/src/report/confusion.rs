//! The confusion matrix: each row one true class, in percent of it.

use std::fmt::Write;

use super::Evaluation;
use super::page::{Pane, mark, table};
use super::palette::{Fill, digits, opacity};
use super::plot::put;
use super::words::{Text, count, percent, short};
use crate::metrics::Confusion;

/// More classes than this, and the matrix shows the [`SHOWN`] that are confused most.
const ALL_MAX: usize = 24;
const SHOWN: usize = 20;

/// Smallest share that gets a digit; below, the shade must do.
const DIGITS_FROM: f64 = 0.045;

/// Pixels of a cell of the whole matrix, and of its label strips.
const CELL: usize = 10;
const STRIP: usize = 130;

pub(super) fn pane(evaluation: &Evaluation) -> Pane {
    let confusion = &evaluation.confusion;
    let classes = confusion.classes();
    let shown = shown(confusion);
    let whole = shown.len() == classes;
    let under = if whole {
        "% of each true class (rows) by what it was taken for (columns)".to_owned()
    } else {
        format!(
            "% of each true class (rows); the {SHOWN} of {classes} classes confused most, the rest as “other”"
        )
    };
    let mut body = matrix(evaluation, &shown, whole);
    let mistakes = confusion.mistakes(200);
    if mistakes.is_empty() {
        body += "<p class=\"quiet\">No row was taken for another class.</p>";
    } else {
        body += "<ul class=\"mistakes\" aria-label=\"Largest mistakes\">";
        for mistake in mistakes.iter().take(4) {
            let [truth, said] =
                [mistake.truth, mistake.predicted].map(|class| name(evaluation, class as usize));
            put!(
                body,
                "<li>{} <span class=\"to\">→</span> {} <b>{}</b> <span>{} of it</span></li>",
                Text(&short(truth, 28)),
                Text(&short(said, 28)),
                count(mistake.rows),
                percent(mistake.share)
            );
        }
        body += "</ul>";
    }
    if !whole {
        put!(
            body,
            "<details><summary>All {classes} classes</summary>{}</details>",
            picture(evaluation)
        );
    }
    let row = |mistake: &crate::metrics::Mistake| {
        let [truth, said] = [mistake.truth, mistake.predicted]
            .map(|class| Text(name(evaluation, class as usize)).to_string());
        vec![truth, said, count(mistake.rows), percent(mistake.share)]
    };
    let rows: Vec<_> = mistakes.iter().map(row).collect();
    Pane::new("What it confuses", &under)
        .body(body)
        .numbers(table(&["Is", "Taken for", "Rows", "Of the class"], &rows))
}

fn name(evaluation: &Evaluation, class: usize) -> &str {
    evaluation.classes.get(class).map_or("", |class| &class.name)
}

/// The classes to show, by code: all of a few, the most confused of many.
fn shown(confusion: &Confusion) -> Vec<usize> {
    let classes = confusion.classes();
    if classes <= ALL_MAX {
        return (0..classes).collect();
    }
    let mut wrong = vec![(0, 0); classes];
    for (class, wrong) in wrong.iter_mut().enumerate() {
        wrong.1 = class;
    }
    for mistake in confusion.mistakes(usize::MAX) {
        wrong[mistake.truth as usize].0 += mistake.rows;
        wrong[mistake.predicted as usize].0 += mistake.rows;
    }
    wrong.sort_by_key(|&(rows, class)| (std::cmp::Reverse(rows), class));
    let mut most: Vec<usize> = wrong.into_iter().take(SHOWN).map(|each| each.1).collect();
    most.sort_unstable();
    most
}

fn matrix(evaluation: &Evaluation, shown: &[usize], whole: bool) -> String {
    let confusion = &evaluation.confusion;
    let size = if shown.len() <= 8 { "large" } else { "" };
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\"><table class=\"matrix {size}\"><thead><tr><th scope=\"col\"><span class=\"corner\">is ↓ taken for →</span></th>"
    );
    for &class in shown {
        let (name, mark) = (name(evaluation, class), mark(evaluation, class));
        put!(
            out,
            "<th scope=\"col\" title=\"{}\"><span class=\"up\">{}</span>{mark}</th>",
            Text(name),
            Text(&short(name, 18))
        );
    }
    if !whole {
        out += "<th scope=\"col\"><span class=\"up\">other</span></th>";
    }
    out += "</tr></thead><tbody>";
    for &truth in shown {
        let support: u64 = confusion.row(truth).iter().sum();
        let (name, mark) = (name(evaluation, truth), mark(evaluation, truth));
        put!(
            out,
            "<tr><th scope=\"row\" title=\"{}\">{mark}<span>{}</span></th>",
            Text(name),
            Text(&short(name, 24))
        );
        let mut rest = support;
        for &said in shown {
            let rows = confusion.at(truth, said);
            rest -= rows;
            out += &cell(if said == truth { Fill::Right } else { Fill::Wrong }, rows, support);
        }
        if !whole {
            out += &cell(Fill::Wrong, rest, support);
        }
        out += "</tr>";
    }
    out + "</tbody></table></div>"
}

fn cell(fill: Fill, rows: u64, support: u64) -> String {
    if rows == 0 {
        return "<td></td>".to_owned();
    }
    let share = rows as f64 / support as f64;
    let (opacity, kind) = (opacity(share), if fill == Fill::Right { "r" } else { "w" });
    let digit = if share >= DIGITS_FROM { format!("{:.0}", share * 100.0) } else { String::new() };
    format!(
        "<td class=\"{kind}{}\" style=\"--o:{:.0}%\" title=\"{} of {}\">{digit}</td>",
        digits(fill, opacity),
        opacity * 100.0,
        count(rows),
        count(support)
    )
}

/// All classes as one picture: a path for each shade, so that 200 classes stay small.
fn picture(evaluation: &Evaluation) -> String {
    let confusion = &evaluation.confusion;
    let classes = confusion.classes();
    let mut shades = vec![String::new(); 2 * SHADES];
    let mut labels = String::new();
    for truth in 0..classes {
        let support: u64 = confusion.row(truth).iter().sum();
        let y = STRIP + truth * CELL;
        let name = Text(&short(name(evaluation, truth), 22)).to_string();
        put!(
            labels,
            "<text text-anchor=\"end\" x=\"{}\" y=\"{}\">{name}</text>",
            STRIP - 4,
            y + CELL - 2
        );
        put!(
            labels,
            "<text transform=\"translate({} {}) rotate(-90)\">{name}</text>",
            y + CELL - 2,
            STRIP - 4
        );
        for (said, &rows) in confusion.row(truth).iter().enumerate().filter(|cell| *cell.1 > 0) {
            let shade = (opacity(rows as f64 / support as f64) * SHADES as f64).ceil() as usize - 1;
            let place = shade.min(SHADES - 1) + if said == truth { 0 } else { SHADES };
            put!(shades[place], "M{} {y}h9v9h-9z", STRIP + said * CELL);
        }
    }
    let side = STRIP + classes * CELL;
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Whole confusion matrix\"><svg class=\"whole\" width=\"{side}\" height=\"{side}\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-labelledby=\"wholet wholed\"><title id=\"wholet\">All classes</title><desc id=\"wholed\">Each row one true class, each column what it was taken for. The table below lists the largest mistakes.</desc>"
    );
    for (place, d) in shades.iter().enumerate().filter(|shade| !shade.1.is_empty()) {
        let class = if place < SHADES { "r" } else { "w" };
        let opacity = (place % SHADES + 1) as f64 / SHADES as f64;
        put!(out, "<path class=\"{class}\" opacity=\"{opacity:.2}\" d=\"{d}\"/>");
    }
    out + &labels + "</svg></div>"
}

/// Steps of opacity in the whole picture.
const SHADES: usize = 20;
