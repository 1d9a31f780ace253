//! The charts with lines: calibration, accuracy after the first packets, refusing, unknown traffic.

use std::fmt::Write;

use super::page::{Pane, table};
use super::plot::{Axis, Plot, put};
use super::words::{count, counted, exact, list, percent, score};
use super::{BaselineKind, Confidence, Evaluation};
use crate::validation::{CLOSE, PacketPoint, soon_enough};

/// Tallest bar of the confidence histogram, in pixels.
const MASS_PIXELS: f64 = 44.0;

pub(super) fn calibration(evaluation: &Evaluation) -> Pane {
    let calibration = &evaluation.calibration;
    let mut plot = Plot::new(Axis::share(), Axis::share(), 332.0);
    let tallest = calibration.histogram.iter().copied().max().unwrap_or(0).max(1);
    let bins = calibration.histogram.len().max(1) as f64;
    for (bin, &rows) in calibration.histogram.iter().enumerate().filter(|bin| *bin.1 > 0) {
        let pixels = (MASS_PIXELS * rows as f64 / tallest as f64).max(1.0);
        plot.bar(bin as f64 / bins, (bin as f64 + 1.0) / bins, pixels);
    }
    plot.line(&[(0.0, 0.0), (1.0, 1.0)], "dotted");
    let points: Vec<(f64, f64)> =
        calibration.bins.iter().map(|bin| (bin.confidence, bin.right)).collect();
    plot.line(&points, "thin");
    let mut rows = Vec::new();
    for bin in &calibration.bins {
        plot.whisker(bin.confidence, bin.right_low, bin.right_high);
        let tip = format!(
            "stated {}, right {}, {}",
            score(bin.confidence),
            score(bin.right),
            counted(bin.rows, "row", "rows")
        );
        plot.dot((bin.confidence, bin.right), 3.5, "", &tip);
        let range =
            format!("{} – {}", exact(Some(bin.confidence_low)), exact(Some(bin.confidence_high)));
        let interval = format!("{} – {}", exact(Some(bin.right_low)), exact(Some(bin.right_high)));
        rows.push(vec![
            range,
            count(bin.rows),
            exact(Some(bin.confidence)),
            exact(Some(bin.right)),
            interval,
        ]);
    }
    // The corner that the points leave free: they lie above the diagonal where it is too modest.
    let modest = calibration
        .bins
        .iter()
        .map(|bin| bin.rows as f64 * (bin.right - bin.confidence))
        .sum::<f64>()
        > 0.0;
    let (corner, anchor, dx) =
        if modest { ((1.0, 0.34), "end", -6.0) } else { ((0.0, 1.0), "start", 10.0) };
    let says = if modest {
        "above the dotted line: right more often than it says"
    } else {
        "below the dotted line: right less often than it says"
    };
    plot.label(
        corner,
        (dx, 14.0),
        anchor,
        "note strong",
        &format!("calibration error (ECE) {}", score(calibration.ece)),
    );
    plot.label(corner, (dx, 30.0), anchor, "note aside", says);
    let about = format!(
        "Share right against stated confidence in {} bins of equal mass; expected calibration error {}.",
        calibration.bins.len(),
        score(calibration.ece)
    );
    let stated = match evaluation.confidence {
        Confidence::Raw => "raw confidence",
        Confidence::Calibrated => "calibrated confidence",
    };
    let bins = calibration.bins.len();
    let heads = ["Confidence", "Rows", "Mean stated", "Right", "95 % interval"];
    Pane::new(
        "Is its confidence true?",
        &format!(
            "share right (y) by {stated} (x), {bins} bins of equal mass; grey: rows by confidence"
        ),
    )
    .body(plot.finish("calibration", "Is its confidence true?", &about))
    .numbers(table(&heads, &rows))
}

/// How many packets a point has seen.
fn packets_of(point: &PacketPoint) -> String {
    counted(u64::from(point.packets), "packet", "packets")
}

/// What is said of the fewest packets that do as well as the best.
pub(super) fn enough(soon: &PacketPoint) -> String {
    let verb = if soon.packets == 1 { "does" } else { "do" };
    format!(
        "{} {verb} as well as any more, within chance (one standard error of the best) or {CLOSE}.",
        packets_of(soon)
    )
}

pub(super) fn packets(evaluation: &Evaluation) -> Option<Pane> {
    let curve = &evaluation.after_packets;
    let (first, last) = (curve.first()?, curve.last()?);
    let of_kind = |kind| evaluation.baselines.iter().find(move |baseline| baseline.kind == kind);
    let sides = [
        (of_kind(BaselineKind::Nearest), "dashed", "raw k-NN"),
        (of_kind(BaselineKind::Majority), "dotted", "majority"),
    ];
    let edge = |sign: f64| {
        let at = move |p: &PacketPoint| {
            (f64::from(p.packets), p.accuracy.mean + sign * p.accuracy.sd.unwrap_or(0.0))
        };
        curve.iter().map(at).collect::<Vec<_>>()
    };
    let (lower, middle, upper) = (edge(-1.0), edge(0.0), edge(1.0));
    let beside = sides.iter().filter_map(|side| Some(side.0?.accuracy.mean));
    let reach = lower.iter().chain(&upper).map(|point| point.1.clamp(0.0, 1.0)).chain(beside);
    let axis = Axis::whole(first.packets, last.packets, "packets");
    let mut plot = Plot::new(axis, Axis::around(reach), 272.0);
    plot.band(&lower, &upper, "");
    let ends = (f64::from(first.packets), f64::from(last.packets));
    for (baseline, class, name) in sides {
        if let Some(baseline) = baseline {
            let mean = baseline.accuracy.mean;
            plot.line(&[(ends.0, mean), (ends.1, mean)], class);
            plot.end(mean, "", format!("{name} {}", score(mean)));
        }
    }
    plot.line(&middle, "main");
    for point in curve {
        let place = (f64::from(point.packets), point.accuracy.mean);
        plot.dot(
            place,
            5.0,
            "touch",
            &format!("{}: {}", packets_of(point), score(point.accuracy.mean)),
        );
    }
    plot.end(last.accuracy.mean, "strong", format!("this model {}", score(last.accuracy.mean)));
    let mut about = format!(
        "Accuracy {} after {}, {} after {}.",
        score(first.accuracy.mean),
        packets_of(first),
        score(last.accuracy.mean),
        last.packets
    );
    if let Some(soon) = soon_enough(curve).filter(|soon| soon.packets < last.packets) {
        let label = format!("{} after {}", score(soon.accuracy.mean), packets_of(soon));
        let place = (f64::from(soon.packets), soon.accuracy.mean);
        plot.drop(place, &label);
        plot.dot(place, 4.0, "you", &label);
        put!(about, " {}", enough(soon));
    }
    let row = |p: &PacketPoint| {
        vec![
            p.packets.to_string(),
            exact(Some(p.accuracy.mean)),
            exact(p.accuracy.sd),
            exact(Some(p.f1_macro.mean)),
            exact(p.f1_macro.sd),
        ]
    };
    let rows: Vec<_> = curve.iter().map(row).collect();
    let heads = ["Packets", "Accuracy", "± sd", "Macro-F1", "± sd"];
    let pane = Pane::new(
        "How soon it knows",
        "accuracy after the first k packets; band: ± 1 sd over trials",
    )
    .body(plot.finish("packets", "How soon it knows", &about))
    .numbers(table(&heads, &rows));
    Some(pane)
}

pub(super) fn refusing(evaluation: &Evaluation) -> Pane {
    let curve = &evaluation.risk_coverage;
    let points: Vec<(f64, f64)> =
        curve.points.iter().map(|point| (point.coverage, point.accuracy)).collect();
    let reach = points.iter().map(|point| point.1);
    let mut plot = Plot::new(Axis::share(), Axis::around(reach), 272.0);
    plot.line(&points, "main");
    let mut rows = Vec::new();
    for share in [0.5, 0.7, 0.8, 0.9, 0.95, 1.0] {
        let Some(point) = curve.at_coverage(share) else { continue };
        let kept = percent(point.coverage);
        rows.push(vec![kept.clone(), exact(Some(point.threshold)), exact(Some(point.accuracy))]);
        if matches!(share, 0.5 | 0.8 | 0.9) {
            let tip = format!(
                "kept {kept} (confidence {} and above): accuracy {}",
                score(point.threshold),
                score(point.accuracy)
            );
            plot.dot((point.coverage, point.accuracy), 3.5, "", &tip);
            plot.label(
                (point.coverage, point.accuracy),
                (7.0, -6.0),
                "start",
                "note",
                &score(point.accuracy),
            );
        }
    }
    rows.dedup();
    let all = evaluation.scores.accuracy;
    plot.end(all, "strong", format!("keep all {}", score(all)));
    let mut about = format!("Accuracy {} when every answer is kept", score(all));
    if let Some(half) = curve.at_coverage(0.5) {
        put!(about, ", {} when the surest {} are", score(half.accuracy), percent(half.coverage));
    }
    about.push('.');
    Pane::new(
        "What refusing buys",
        "accuracy of the answers kept (y) by share kept, surest first (x)",
    )
    .body(plot.finish("refusing", "What refusing buys", &about))
    .numbers(table(&["Kept", "Confidence at least", "Accuracy"], &rows))
}

pub(super) fn unknown(evaluation: &Evaluation) -> Option<Pane> {
    let unknown = evaluation.unknown.as_ref()?;
    let found = &unknown.score;
    let mut plot = Plot::new(Axis::share(), Axis::share(), 272.0);
    plot.line(&[(0.0, 0.0), (1.0, 1.0)], "dotted");
    let points: Vec<(f64, f64)> =
        found.points.iter().map(|point| (point.false_alarms, point.found)).collect();
    plot.line(&points, "main");
    let label =
        format!("finds {} at {} false alarms", percent(found.found), percent(found.false_alarms));
    let place = (found.false_alarms, found.found);
    plot.drop(place, &label);
    plot.dot(place, 4.0, "you", &label);
    let names: Vec<&str> = unknown.left_out.iter().map(String::as_str).collect();
    let about =
        format!("{label}; area {}. Left out of training: {}.", score(found.auroc), list(&names));
    let rows = [
        vec!["Refused above a doubt (entropy, nats) of".to_owned(), exact(Some(-found.threshold))],
        vec![
            "Known rows refused".to_owned(),
            format!("{} of {}", percent(found.false_alarms), count(found.known_rows)),
        ],
        vec![
            "Unknown rows found".to_owned(),
            format!("{} of {}", percent(found.found), count(found.unknown_rows)),
        ],
        vec!["Area under the curve".to_owned(), exact(Some(found.auroc))],
    ];
    let under =
        format!("left out one at a time: {}; unknown found (y) by false alarms (x)", list(&names));
    let pane = Pane::new("Traffic it never learnt", &under)
        .body(plot.finish("unknown", "Traffic it never learnt", &about))
        .numbers(table(&["", ""], &rows));
    Some(pane)
}
