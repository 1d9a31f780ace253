//! An explanation in a terminal.

use std::fmt::Write;

use flowgait_model::why::{Alike, OfClass, Part};

use super::Why;
use crate::units;

/// Widest bar, in cells.
const BAR: usize = 16;

/// All of it as text.
pub fn text(why: &Why, top: usize, width: usize) -> String {
    let mut out = String::new();
    let label = match &why.label {
        Some(label) if *label == why.prediction => ", as its label says".to_owned(),
        Some(label) => format!("; its label says {label}"),
        None => String::new(),
    };
    let _ = writeln!(
        out,
        "{}, row {}: {}, confidence {:.2}{label}",
        why.input,
        units::grouped(why.row),
        why.prediction,
        why.confidence
    );
    for of in &why.classes {
        out.push_str(&of_class(of, why, top, width));
    }
    out.push_str(&neighbours(&why.neighbours, &why.against));
    out
}

fn of_class(of: &OfClass, why: &Why, top: usize, width: usize) -> String {
    let mut out = String::new();
    let what = match of.measure {
        "margin" => "log-odds of",
        _ => "probability, before calibration, of",
    };
    let _ = writeln!(
        out,
        "\n{what} {}: {}, where {} of {} get {} on average",
        of.class,
        number(of.value),
        units::counted(why.against_rows as u64, "other row"),
        why.against,
        number(of.base),
    );
    let most = of.columns.iter().map(|part| part.contribution.abs()).fold(0.0, f64::max);
    let mut any_usual = false;
    for (title, sign) in [("for it", 1.0), ("against it", -1.0)] {
        let mut parts: Vec<&Part> =
            of.columns.iter().filter(|part| part.contribution * sign > most * 1e-3).collect();
        if parts.is_empty() {
            continue;
        }
        parts.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        let _ = writeln!(out, "  {title}");
        for part in parts.iter().take(top) {
            out.push_str(&line(part, most, width));
            any_usual |= is_usual(part);
        }
        let rest = &parts[top.min(parts.len())..];
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|part| part.contribution).sum();
            let others = units::counted(rest.len() as u64, "other column");
            let _ = writeln!(out, "    {others} together {sum:+.3}");
        }
    }
    if any_usual {
        // A usual value is no news about the row, and yet it can speak for a class: it is what rows of other classes do not have.
        out.push_str(
            "  as usual: what most rows have; it counts only because some rows have other values\n",
        );
    }
    out
}

/// What a column is in this row, as people read it.
fn value(value: Option<f32>) -> String {
    value.map_or("missing".to_owned(), |v| number(f64::from(v)))
}

/// The same with its unit, where it has one that tells.
fn measured(of: Option<f32>, unit: &str) -> String {
    match unit {
        "" | "1" | "number" | "yes or no" => value(of),
        _ if of.is_none() => value(of),
        _ => format!("{} {unit}", value(of)),
    }
}

/// Whether a column is in this row what it is in most, as far as the digits tell.
fn is_usual(part: &Part) -> bool {
    part.columns == 1 && value(part.value) == value(part.usual)
}

/// A column's line: its amount, a bar, its name, what it is here and what it usually is.
fn line(part: &Part, most: f64, width: usize) -> String {
    let cells = (part.contribution.abs() / most * (BAR * 8) as f64).round() as usize;
    let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let bar = format!("{}{}", "█".repeat(cells / 8), eighths[cells % 8]);
    let error = part.error.map_or_else(String::new, |error| format!(" ±{error:.3}"));
    let what = if part.columns > 1 {
        format!("the list of {}", part.columns)
    } else if is_usual(part) {
        format!("{}, as usual", measured(part.value, &part.unit))
    } else {
        // The unit once is enough.
        let of_usual = if part.value.is_some() { "" } else { &part.unit };
        format!("{}, usually {}", measured(part.value, &part.unit), measured(part.usual, of_usual))
    };
    let head = format!("    {:+.3}{error} {bar:<BAR$} {}", part.contribution, part.name);
    let room = width.saturating_sub(head.chars().count() + 4);
    if what.chars().count() <= room { format!("{head}  ({what})\n") } else { format!("{head}\n") }
}

fn neighbours(neighbours: &[Alike], against: &str) -> String {
    if neighbours.is_empty() {
        return String::new();
    }
    let mut out = format!("\nmost like it in what decided, of {against}\n");
    for alike in neighbours {
        let what = match &alike.label {
            Some(label) if *label == alike.prediction => format!("{label}, answered so"),
            Some(label) => format!("{label}, answered {}", alike.prediction),
            None => format!("answered {}", alike.prediction),
        };
        let _ = writeln!(
            out,
            "    row {:<8} {what}  (distance {:.2})",
            units::grouped(alike.row),
            alike.distance
        );
    }
    out
}

/// A number with as many digits as tell something.
fn number(value: f64) -> String {
    let size = value.abs();
    if size < 1e15 && (value.fract() == 0.0 || size >= 1_000.0) {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", units::grouped(size.round() as u64));
    }
    match size {
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.001 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}
