//! What a person sees of a run on the terminal.

pub mod words;

use std::fmt::Write as _;

use flowgait_federate::cohort::Sampling;
use flowgait_federate::coordinator::{Mechanism, ValidPlan};
use flowgait_federate::federation::{Federation, ForestPlan, ForestWay};
use flowgait_federate::measure::{Measured, spread};
use flowgait_federate::network::{Effort, NetLearner, Stepping};
use flowgait_federate::partition::skew;
use flowgait_federate::record::Record;
use flowgait_federate::run::Ended;

use super::homes::Prepared;
use super::runs::Outcome;
use crate::units;

/// Lines of rounds that are shown; of more, some are left out, evenly.
const LINES_MAX: usize = 20;

/// What is about to be run.
pub fn head(
    federation: &Federation,
    prepared: &Prepared,
    learner: &NetLearner<'_>,
    plan: &ValidPlan,
) -> String {
    let rows: Vec<usize> = prepared.homes.rows.iter().map(Vec::len).collect();
    let all: usize = rows.iter().sum();
    let (least, most) = (rows.iter().min().unwrap_or(&0), rows.iter().max().unwrap_or(&0));
    let clients = units::counted(prepared.clients.len() as u64, "client");
    let uneven = skew(&prepared.homes.rows, &prepared.homes.codes, prepared.homes.classes);
    let (least, most) = (units::grouped(*least as u64), units::grouped(*most as u64));
    let each = if least == most { least } else { format!("{least} to {most}") };
    let mut text = format!(
        "\n{clients}, {} to learn from ({each} each), {} held out; {}, clients {}\n",
        units::counted(all as u64, "row"),
        units::grouped(prepared.held_out.rows().len() as u64),
        units::counted(prepared.classes.len() as u64, "class"),
        how_uneven(uneven),
    );
    let learning = &federation.learning;
    let effort = match learning.effort {
        Effort::Epochs(count) => units::counted(count.into(), "epoch"),
        Effort::Steps(count) => units::counted(count.into(), "step"),
    };
    let stepping = match learning.stepping {
        Stepping::Sgd => "SGD",
        Stepping::AdamW => "AdamW",
    };
    let is_buffered = plan.strategy().buffer().is_some();
    let asked = match federation.cohort {
        Sampling::Everyone if is_buffered => "everyone learns at any time".to_owned(),
        Sampling::Fixed { size } if is_buffered => {
            format!("{} learn at any time", units::grouped(size as u64))
        }
        Sampling::Everyone => "everyone asked".to_owned(),
        Sampling::Fixed { size } => format!("{} asked a round", units::grouped(size as u64)),
        Sampling::Poisson { rate } => format!("each asked with a chance of {rate}"),
    };
    let _ = writeln!(
        text,
        "network of {} parameters · {} · {asked} · {effort} a round, batch {}, {stepping} at {}",
        units::grouped(learner.start().len() as u64),
        federation.strategy.name(),
        learning.batch,
        learning.rate,
    );
    if let Some(privacy) = plan.privacy() {
        let whose = whose(privacy.mechanism);
        let _ = writeln!(
            text,
            "privacy of clients: epsilon {} at delta {:e}, clip norm {}, noise multiplier {:.3} {whose}",
            privacy.epsilon, privacy.delta, privacy.clip_norm, privacy.noise_multiplier
        );
    }
    if let Some(follow) = federation.adaptive_clipping {
        let share = follow.quantile * 100.0;
        let _ =
            writeln!(text, "the clip norm follows: {share:.0} % of the updates need no clipping");
    }
    if let Some(compression) = plan.compression() {
        let share = compression
            .top_k
            .map(|share| format!("the largest {} % of entries", (share * 1e5).round() / 1e3));
        let bits = compression.bits.map(|bits| format!("{} bits each", u8::from(bits)));
        let how: Vec<String> = share.into_iter().chain(bits).collect();
        let _ = writeln!(text, "updates packed: {}", how.join(", "));
    }
    if let Some(buffer) = plan.strategy().buffer() {
        let size = units::counted(buffer.size as u64, "update");
        let (rate, spread) = (buffer.rate, buffer.spread);
        let _ = writeln!(
            text,
            "a step of the server for each {size}, at a rate of {rate}; speeds spread by {spread} (logarithm)"
        );
    }
    if plan.secure().is_some() {
        text += "secure aggregation: the coordinator sees sums only\n";
    }
    for words in [
        federation.robust.map(|rule| format!("robust: {}", words::robust(rule))),
        federation.personal.as_ref().map(words::own),
        words::liars(federation, prepared.clients.len()).ok(),
    ] {
        words.into_iter().for_each(|words| text += &format!("{words}\n"));
    }
    text
}

/// What a federation that makes a forest is about to do.
pub fn forest_head(federation: &Federation, prepared: &Prepared, plan: &ValidPlan) -> String {
    let forest = federation.forest.expect("called for a forest");
    let rows: usize = prepared.homes.rows.iter().map(Vec::len).sum();
    let uneven = skew(&prepared.homes.rows, &prepared.homes.codes, prepared.homes.classes);
    let kind = if forest.extra_trees { "extra-trees" } else { "random forest" };
    let mut text = format!(
        "\n{}, {} to learn from, {} held out; {}, clients {}\n{kind} of {} trees · {}\n",
        units::counted(prepared.clients.len() as u64, "client"),
        units::counted(rows as u64, "row"),
        units::grouped(prepared.held_out.rows().len() as u64),
        units::counted(prepared.classes.len() as u64, "class"),
        how_uneven(uneven),
        forest.trees,
        forest_way(federation, forest),
    );
    if let Some(privacy) = plan.privacy() {
        let _ = writeln!(
            text,
            "privacy of clients: epsilon {} at delta {:e}, {} of {} trees, each under noise multiplier {:.3} {}; \
             {} of a client in a tree at most, columns cut at fixed values",
            privacy.epsilon,
            privacy.delta,
            units::counted(forest.depth_private() as u64, "level"),
            forest.trees,
            privacy.noise_multiplier,
            whose(privacy.mechanism),
            units::counted(forest.rows_max.into(), "draw"),
        );
    }
    text
}

/// How a forest is made, in words.
pub fn forest_way(federation: &Federation, forest: ForestPlan) -> &'static str {
    match (forest.way, federation.secure.is_some()) {
        (ForestWay::Histogram, false) => "grown from summed counts",
        (ForestWay::Histogram, true) => "grown from summed counts, each sum under masks",
        (ForestWay::Pooled, _) => "trees of each client put together",
    }
}

fn whose(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Central => "added by the coordinator",
        Mechanism::Distributed => "added by the clients",
    }
}

/// How far clients are from all having the same classes, in words.
fn how_uneven(skew: f64) -> String {
    let words = match skew {
        ..0.1 => "much alike",
        ..0.3 => "a little unlike",
        ..0.6 => "unlike",
        _ => "very unlike",
    };
    format!("{words} ({skew:.2} of 1 apart)")
}

/// The rounds, one line each.
pub fn rounds(outcome: &Outcome) -> String {
    let records = &outcome.records;
    let has_epsilon = records.iter().any(|record| record.epsilon.is_some());
    let has_own = records.iter().any(|record| record.own.is_some());
    let has_backdoor = records.iter().any(|record| record.backdoor.is_some());
    let answered = |record: &Record| {
        let [survivors, cohort] = [record.survivors, record.cohort].map(|n| n as u64);
        format!("{} of {}", units::grouped(survivors), units::grouped(cohort))
    };
    let lines = shown(records);
    let wide = lines.iter().map(|record| answered(record).len()).max().unwrap_or(0).max(8);
    let mut text = format!(
        "\nround  accuracy  macro-F1  learning loss  worst client  median   best  {:>wide$}",
        "answered"
    );
    for (is_there, head) in
        [(has_own, "  own median"), (has_backdoor, "  backdoor"), (has_epsilon, "  epsilon")]
    {
        text += if is_there { head } else { "" };
    }
    text.push('\n');
    for record in lines {
        let [worst, median, best] = spread(&record.clients).map_or([None; 3], |s| s.map(Some));
        let _ = write!(
            text,
            "{:>5}  {:>8}  {:>8}  {:>13}  {:>12}  {:>6}  {:>5}  {:>wide$}",
            record.round,
            score(record.accuracy, 3),
            score(record.f1_macro, 3),
            loss(record.loss),
            score(worst, 3),
            score(median, 3),
            score(best, 3),
            answered(record),
        );
        if has_own {
            let own = record.own.as_ref().and_then(|own| spread(own)).map(|[_, median, _]| median);
            let _ = write!(text, "  {:>10}", score(own, 3));
        }
        if has_backdoor {
            let _ = write!(text, "  {:>8}", score(record.backdoor, 3));
        }
        if has_epsilon {
            let _ = write!(text, "  {:>7}", score(record.epsilon, 3));
        }
        text += if record.is_done { "\n" } else { "  abandoned\n" };
    }
    text
}

/// The first and the last round, and some between.
fn shown(records: &[Record]) -> Vec<&Record> {
    let count = records.len();
    if count <= LINES_MAX {
        return records.iter().collect();
    }
    let place = |line: usize| line * (count - 1) / (LINES_MAX - 1);
    (0..LINES_MAX).map(|line| &records[place(line)]).collect()
}

fn score(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

/// A loss: of one that ran away, the size only.
fn loss(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() && value >= 1e4 => format!("{value:.1e}"),
        value => score(value, 3),
    }
}

/// What it came to, beside what it is held against.
pub fn closing(outcome: &Outcome) -> String {
    let mut text = format!("\n{:<23}  accuracy  macro-F1  worst client  median   best\n", "");
    let mut line = |name: &str, scores: [Option<f64>; 2], clients: &[Option<f64>]| {
        let [worst, median, best] = spread(clients).map_or([None; 3], |s| s.map(Some));
        let _ = writeln!(
            text,
            "{name:<23}  {:>8}  {:>8}  {:>12}  {:>6}  {:>5}",
            score(scores[0], 3),
            score(scores[1], 3),
            score(worst, 3),
            score(median, 3),
            score(best, 3)
        );
    };
    let both = |measured: &Measured| {
        [measured.scores.map(|s| s.accuracy), measured.scores.map(|s| s.f1_macro)]
    };
    if let Some(last) = outcome.records.last() {
        line("federated", [last.accuracy, last.f1_macro], &last.clients);
        if let Some(own) = &last.own {
            line("own models", [None, None], own);
        }
    }
    if let Some(central) = &outcome.baselines.central {
        line("one place", both(central), &central.clients);
    }
    if let Some(local) = &outcome.baselines.local {
        line("each alone", [Some(local.accuracy), Some(local.f1_macro)], &local.clients);
    }
    if let Some(majority) = &outcome.baselines.majority {
        line("the most frequent class", both(majority), &majority.clients);
    }
    text += "accuracy and macro-F1 are on the rows held out for all, the client columns on each client's own\n";
    let sum = |of: fn(&Record) -> u64| outcome.records.iter().map(of).sum::<u64>();
    let _ = writeln!(
        text,
        "\nsent: {} to clients, {} from them",
        units::octets(sum(|record| record.octets_down)),
        units::octets(sum(|record| record.octets_up)),
    );
    if let Some(time) = outcome.records.last().and_then(|last| last.time) {
        let stale = outcome.records.iter().filter_map(|record| record.staleness).sum::<f64>();
        let stale = stale / outcome.records.len() as f64;
        let _ = writeln!(
            text,
            "took {time:.2} times what a client of middling speed takes; updates {stale:.2} steps old on average"
        );
    }
    if let Some(epsilon) = outcome.records.last().and_then(|last| last.epsilon) {
        let _ = writeln!(text, "epsilon spent: {epsilon:.3}");
    }
    if let Ended::BudgetSpent(why) = &outcome.ended {
        let _ = writeln!(text, "ended before its last round: {why}");
    }
    text
}
