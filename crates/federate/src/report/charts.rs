//! The charts of a run: how good, for whom, at what cost, and who has what.

use std::fmt::Write;

use flowgait_model::report::parts::{Axis, Pane, Plot, Text, count, counted, exact, score, table};

use super::RunReport;
use crate::measure::spread;
use crate::record::Record;

/// Clients whose lines are drawn one by one, and whose mix is shown; of more, some are taken evenly.
const CLIENTS_SHOWN: usize = 40;
/// Lines of the table of numbers.
const ROWS_SHOWN: usize = 200;

/// The first and the last record, where there is a curve between them.
fn ends(records: &[Record]) -> Option<(&Record, &Record)> {
    match records {
        [first, .., last] => Some((first, last)),
        _ => None,
    }
}

/// Accuracy round by round, with the band of clients.
pub(super) fn accuracy(report: &RunReport<'_>) -> Option<Pane> {
    let records = report.records;
    let (first, last) = ends(records)?;
    let middle: Vec<(f64, f64)> =
        records.iter().filter_map(|r| Some((r.round as f64, r.accuracy?))).collect();
    let edge = |at: usize| -> Vec<(f64, f64)> {
        let of = |r: &Record| Some((r.round as f64, spread(&r.clients)?[at]));
        records.iter().filter_map(of).collect()
    };
    let (lower, upper) = (edge(0), edge(2));
    let central = report.central.and_then(|central| central.scores).map(|scores| scores.accuracy);
    let local = report.local.map(|local| local.accuracy);
    let sides = [(central, "dashed", "one place"), (local, "dotted", "each alone")];
    let values = middle.iter().chain(&lower).chain(&upper).map(|point| point.1);
    let values = values.chain(sides.iter().filter_map(|side| side.0));
    let x = Axis::whole(first.round as u32, last.round as u32, "rounds");
    let mut plot = Plot::new(x, Axis::around(values), 272.0);
    plot.band(&lower, &upper, "");
    if last.clients.len() <= CLIENTS_SHOWN {
        for client in 0..last.clients.len() {
            let of = |r: &Record| Some((r.round as f64, (*r.clients.get(client)?)?));
            let line: Vec<(f64, f64)> = records.iter().filter_map(of).collect();
            plot.line(&line, "thin");
        }
    }
    let (from, to) = (first.round as f64, last.round as f64);
    for (value, class, name) in sides {
        if let Some(value) = value {
            plot.line(&[(from, value), (to, value)], class);
            plot.end(value, "", format!("{name} {}", score(value)));
        }
    }
    plot.line(&middle, "main");
    for &(round, value) in &middle {
        plot.dot((round, value), 5.0, "touch", &format!("round {round}: {}", score(value)));
    }
    let (_, value) = *middle.last()?;
    plot.end(value, "strong", format!("common {}", score(value)));
    let about = format!("Accuracy {} after {}.", score(value), report.rounds());
    let row = |r: &Record| {
        let [worst, median, best] = spread(&r.clients).map_or([None; 3], |s| s.map(Some));
        let mut cells = vec![r.round.to_string()];
        cells.extend([r.accuracy, r.f1_macro, worst, median, best].map(exact));
        cells.push(format!("{} of {}", count(r.survivors as u64), count(r.cohort as u64)));
        cells
    };
    let rows: Vec<_> = evenly(records, ROWS_SHOWN).into_iter().map(row).collect();
    let heads = ["Round", "Accuracy", "Macro-F1", "Worst client", "Median", "Best", "Answered"];
    Some(
        Pane::new(
            "How it learnt",
            "accuracy on rows held out; band and thin lines: clients on their own",
        )
        .body(plot.finish("learnt", "How it learnt", &about))
        .numbers(table(&heads, &rows)),
    )
}

/// Clients from the worst to the best.
pub(super) fn clients(report: &RunReport<'_>) -> Option<Pane> {
    let last = report.records.last()?;
    let sorted = |values: &[Option<f64>]| -> Vec<(usize, f64)> {
        let known = values.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?)));
        let mut known: Vec<(usize, f64)> = known.collect();
        known.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        known
    };
    let common = sorted(&last.clients);
    if common.len() < 2 {
        return None;
    }
    let mut lines = vec![(common, "main", "common")];
    if let Some(own) = &last.own {
        lines.push((sorted(own), "", "their own"));
    }
    if let Some(central) = report.central {
        lines.push((sorted(&central.clients), "dashed", "one place"));
    }
    if let Some(local) = report.local {
        lines.push((sorted(&local.clients), "dotted", "alone"));
    }
    let values = lines.iter().flat_map(|line| &line.0).map(|client| client.1);
    let x = Axis::whole(1, lines[0].0.len() as u32, "clients");
    let mut plot = Plot::new(x, Axis::around(values), 272.0);
    for (of, class, name) in lines.iter().rev() {
        let points: Vec<(f64, f64)> =
            (1..).zip(of).map(|(rank, client)| (f64::from(rank), client.1)).collect();
        plot.line(&points, class);
        let end = points.last().map_or(0.0, |point| point.1);
        let strong = if *class == "main" { "strong" } else { "" };
        let values: Vec<Option<f64>> = of.iter().map(|client| Some(client.1)).collect();
        let median = spread(&values).map_or(0.0, |[_, median, _]| median);
        plot.end(end, strong, format!("{name}, median {}", score(median)));
    }
    for (rank, &(client, value)) in (1..).zip(&lines[0].0) {
        let name = report.clients.get(client).map_or("", String::as_str);
        let tip = format!("{name}: {}", score(value));
        plot.dot((f64::from(rank), value), 4.0, "touch", &tip);
    }
    let (worst, value) = lines[0].0[0];
    let name = report.clients.get(worst).map_or("", String::as_str);
    let about = format!("The worst client, {name}, has an accuracy of {}.", score(value));
    let cell = |values: Option<&[Option<f64>]>, client: usize| {
        exact(values.and_then(|values| values.get(client).copied().flatten()))
    };
    let row = |&(client, value): &(usize, f64)| {
        vec![
            report.clients.get(client).cloned().unwrap_or_default(),
            exact(Some(value)),
            cell(report.central.map(|central| &central.clients[..]), client),
            cell(report.local.map(|local| &local.clients[..]), client),
        ]
    };
    let rows: Vec<_> = evenly(&lines[0].0, ROWS_SHOWN).into_iter().map(row).collect();
    Some(
        Pane::new(
            "For whom",
            "accuracy of each client on its own rows, each line sorted by itself",
        )
        .body(plot.finish("whom", "For whom", &about))
        .numbers(table(&["Client", "Common", "One place", "Alone"], &rows)),
    )
}

/// The loss while clients learn.
pub(super) fn loss(report: &RunReport<'_>) -> Option<Pane> {
    let points = |of: fn(&Record) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |r: &Record| Some((r.round as f64, of(r).filter(|v| v.is_finite())?));
        report.records.iter().filter_map(point).collect()
    };
    let (learning, held_out) = (points(|r| r.loss), points(|r| r.log_loss));
    let (first, last) = ends(report.records)?;
    if learning.len().max(held_out.len()) < 2 {
        return None;
    }
    let most = learning.iter().chain(&held_out).map(|point| point.1).fold(0.0, f64::max);
    let x = Axis::whole(first.round as u32, last.round as u32, "rounds");
    let mut plot = Plot::new(x, Axis::from_zero(most, ""), 220.0);
    plot.line(&held_out, "main");
    plot.line(&learning, "dashed");
    if let Some(end) = held_out.last() {
        plot.end(end.1, "strong", format!("held out {}", short(end.1)));
    }
    if let Some(end) = learning.last() {
        plot.end(end.1, "", format!("learning {}", short(end.1)));
    }
    let about =
        "Log loss of the common model on rows held out, and mean loss of clients while they learn.";
    Some(
        Pane::new("Loss", "nats; held out: of the common model; learning: of clients, each step before it is made")
            .body(plot.finish("loss", "Loss", about)),
    )
}

/// Epsilon round by round.
pub(super) fn privacy(report: &RunReport<'_>) -> Option<Pane> {
    let spent: Vec<(f64, f64)> =
        report.records.iter().filter_map(|r| Some((r.round as f64, r.epsilon?))).collect();
    let (first, last) = ends(report.records)?;
    let &(_, epsilon) = spent.last()?;
    let x = Axis::whole(first.round as u32, last.round as u32, "rounds");
    let mut plot = Plot::new(x, Axis::from_zero(epsilon, ""), 220.0);
    plot.line(&spent, "main");
    plot.end(epsilon, "strong", format!("ε {epsilon:.2}"));
    let about = format!("Epsilon {epsilon:.2} after {}.", report.rounds());
    Some(
        Pane::new("Privacy spent", "epsilon of each client as a whole, by Rényi divergence")
            .body(plot.finish("spent", "Privacy spent", &about)),
    )
}

/// Which client has how much of which class.
pub(super) fn mix(report: &RunReport<'_>) -> Option<Pane> {
    if report.mix.is_empty() || report.classes.len() > 60 {
        return None;
    }
    let numbered: Vec<(usize, &Vec<u64>)> = report.mix.iter().enumerate().collect();
    let shown = evenly(&numbered, CLIENTS_SHOWN);
    let mut out = String::from(
        "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th class=\"corner\">rows</th>",
    );
    for class in report.classes {
        let _ = write!(out, "<th scope=\"col\"><span class=\"up\">{}</span></th>", Text(class));
    }
    out += "</tr></thead><tbody>";
    for &&(client, counts) in &shown {
        let all: u64 = counts.iter().sum();
        let name = report.clients.get(client).map_or("", String::as_str);
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", Text(name));
        for &rows in counts {
            let share = if all == 0 { 0.0 } else { rows as f64 / all as f64 };
            let digits = if share > 0.55 { "l" } else { "d" };
            let text = if rows == 0 { String::new() } else { count(rows) };
            let _ = write!(
                out,
                "<td class=\"r {digits}\" style=\"--o:{:.0}%\">{text}</td>",
                4.0 + 90.0 * share
            );
        }
        out += "</tr>";
    }
    out += "</tbody></table></div>";
    let under = if shown.len() < report.mix.len() {
        format!(
            "rows that clients learn from, {} of {}; the darker, the larger its share of the client",
            shown.len(),
            counted(report.mix.len() as u64, "client", "clients")
        )
    } else {
        "rows that clients learn from; the darker, the larger its share of the client".to_owned()
    };
    Some(Pane::new("Who has what", &under).body(out).wide())
}

/// A loss: of one that ran away, the size only.
fn short(loss: f64) -> String {
    if loss < 1e4 { format!("{loss:.3}") } else { format!("{loss:.1e}") }
}

/// So many of some things, the first and the last among them.
fn evenly<T>(of: &[T], most: usize) -> Vec<&T> {
    if of.len() <= most {
        return of.iter().collect();
    }
    (0..most).map(|at| &of[at * (of.len() - 1) / (most - 1)]).collect()
}
