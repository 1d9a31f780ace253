//! What became of each class, and which of it is more than chance.

use super::significance::{fisher_exact, holm, rank_sum};
use super::{Alarm, AlarmKind, Change, ClassDrift, LEVEL, Measure, Sides};
use crate::report::words::{count, counted, exact, percent};

/// A mean that moves by less is told as a change of its values, not of itself.
const MEAN_MOVE_MIN: f64 = 0.005;

/// What is counted of one class on one side.
#[derive(Clone, Default)]
struct Counts {
    rows: u64,
    said: u64,
    hits: u64,
    confidence: Vec<f64>,
    /// What its rows were taken for, by class.
    taken: Vec<u64>,
}

impl Counts {
    fn recall(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.hits as f64 / self.rows as f64)
    }

    fn confidence(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.confidence.iter().sum::<f64>() / self.rows as f64)
    }
}

/// Every class that occurs on either side, in truth or in what the model says.
pub(super) fn classes(sides: &Sides<'_>, rows: &Change<Vec<u32>>) -> Vec<ClassDrift> {
    let counted = Change { before: counts(sides, &rows.before), since: counts(sides, &rows.since) };
    let all = (rows.before.len() as u64, rows.since.len() as u64);
    let mut tests: Vec<(usize, Measure, f64)> = Vec::new();
    for class in 0..sides.classes.len() {
        let (before, since) = (&counted.before[class], &counted.since[class]);
        tests.extend(compare(before, since, all, class < sides.learnt).map(|(m, p)| (class, m, p)));
    }
    let adjusted = holm(&tests.iter().map(|test| test.2).collect::<Vec<f64>>());
    let mut found = Vec::new();
    for (class, name) in sides.classes.iter().enumerate() {
        let (before, since) = (&counted.before[class], &counted.since[class]);
        if before.rows + since.rows + before.said + since.said == 0 {
            continue;
        }
        let own = tests.iter().zip(&adjusted).filter(|(test, p)| test.0 == class && **p <= LEVEL);
        let changed: Vec<(Measure, f64)> = own.map(|(test, &p)| (test.1, p)).collect();
        let mut drift = describe(name, class < sides.learnt, (before, since), all);
        drift.alarm = alarm(&drift, &changed, since, sides.classes);
        found.push(drift);
    }
    found.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.class.cmp(&b.class)));
    found
}

fn counts(sides: &Sides<'_>, rows: &[u32]) -> Vec<Counts> {
    let classes = sides.classes.len();
    let mut counts = vec![Counts { taken: vec![0; classes], ..Counts::default() }; classes];
    for &row in rows {
        let (truth, said) = (sides.truth[row as usize] as usize, sides.said.best(row as usize));
        counts[said as usize].said += 1;
        let own = &mut counts[truth];
        own.rows += 1;
        own.hits += u64::from(truth == said as usize);
        own.confidence.push(f64::from(sides.said.row(row as usize)[said as usize]));
        own.taken[said as usize] += 1;
    }
    counts
}

/// What can be tested of a class, and the p-value of each.
fn compare(
    before: &Counts,
    since: &Counts,
    all: (u64, u64),
    learnt: bool,
) -> impl Iterator<Item = (Measure, f64)> {
    let rows = (before.rows, since.rows);
    // A class that was never learnt and is only there since has an alarm of its own.
    let volume = (rows.0 + rows.1 > 0 && (learnt || rows.0 > 0))
        .then(|| (Measure::Volume, fisher_exact(rows, all)));
    let both = learnt && rows.0 > 0 && rows.1 > 0;
    let recall = both.then(|| (Measure::Recall, fisher_exact((before.hits, since.hits), rows)));
    let confidence =
        both.then(|| (Measure::Confidence, rank_sum(&before.confidence, &since.confidence)));
    [volume, recall, confidence].into_iter().flatten()
}

fn describe(
    name: &str,
    learnt: bool,
    (before, since): (&Counts, &Counts),
    all: (u64, u64),
) -> ClassDrift {
    let share = |before: u64, since: u64| Change {
        before: before as f64 / all.0 as f64,
        since: since as f64 / all.1 as f64,
    };
    ClassDrift {
        class: name.to_owned(),
        learnt,
        rows: Change { before: before.rows, since: since.rows },
        volume: share(before.rows, since.rows),
        said: share(before.said, since.said),
        recall: Change { before: before.recall(), since: since.recall() },
        confidence: Change { before: before.confidence(), since: since.confidence() },
        alarm: None,
    }
}

fn alarm(
    drift: &ClassDrift,
    changed: &[(Measure, f64)],
    since: &Counts,
    names: &[String],
) -> Option<Alarm> {
    let taken = taken_for(drift, since, names);
    if !drift.learnt && drift.rows.before == 0 && drift.rows.since > 0 {
        let taken = taken.map_or(String::new(), |name| format!(", answered as {name} most often"));
        let reason = format!(
            "not among what was learnt: {} ({}){taken}",
            counted(drift.rows.since, "flow", "flows"),
            percent(drift.volume.since)
        );
        return Some(Alarm {
            kind: AlarmKind::NeverLearnt,
            measures: Vec::new(),
            reason,
            p_value: None,
        });
    }
    let p_value = changed.iter().map(|(_, p)| *p).min_by(f64::total_cmp)?;
    let reasons: Vec<String> =
        changed.iter().map(|(measure, _)| reason(drift, *measure, taken)).collect();
    let measures = changed.iter().map(|(measure, _)| *measure).collect();
    let reason = reasons.join("; ");
    Some(Alarm { kind: AlarmKind::Changed, measures, reason, p_value: Some(p_value) })
}

fn reason(drift: &ClassDrift, measure: Measure, taken: Option<&str>) -> String {
    fn way<T: PartialOrd>(before: T, since: T) -> &'static str {
        if since < before { "fell" } else { "rose" }
    }
    let (rows, volume) = (drift.rows, drift.volume);
    match measure {
        Measure::Volume if rows.before == 0 => {
            format!("new: {} ({})", counted(rows.since, "flow", "flows"), percent(volume.since))
        }
        Measure::Volume if rows.since == 0 => {
            format!(
                "gone: no flow since, {} before ({})",
                count(rows.before),
                percent(volume.before)
            )
        }
        Measure::Volume => format!(
            "volume {} from {} to {}",
            way(volume.before, volume.since),
            percent(volume.before),
            percent(volume.since)
        ),
        Measure::Recall => {
            let before = drift.recall.before;
            let since = drift.recall.since;
            let taken = match taken.filter(|_| since < before) {
                Some(name) => format!(", now mostly missed as {name}"),
                None => String::new(),
            };
            format!(
                "recall {} from {} to {}{taken}",
                way(before, since),
                exact(before),
                exact(since)
            )
        }
        Measure::Confidence => {
            let before = drift.confidence.before;
            let since = drift.confidence.since;
            let difference = before.unwrap_or_default() - since.unwrap_or_default();
            let moved = difference.abs() >= MEAN_MOVE_MIN;
            let (from, to) = (exact(before), exact(since));
            if moved {
                format!("confidence {} from {from} to {to}", way(before, since))
            } else {
                format!("confidence is spread otherwise (mean {from} before, {to} since)")
            }
        }
    }
}

/// What most of a class's missed rows were taken for, the lowest class among equals.
fn taken_for<'a>(drift: &ClassDrift, since: &Counts, names: &'a [String]) -> Option<&'a str> {
    let others =
        since.taken.iter().zip(names).filter(|(rows, name)| **rows > 0 && **name != drift.class);
    let most = others.clone().map(|(rows, _)| *rows).max()?;
    others.into_iter().find(|(rows, _)| **rows == most).map(|(_, name)| name.as_str())
}

/// How far in front a class stands: never learnt, then changed, each by the largest change; then the others by their rows.
fn weight(drift: &ClassDrift) -> f64 {
    let change = |change: Change<Option<f64>>| match (change.before, change.since) {
        (Some(before), Some(since)) => (before - since).abs(),
        _ => 0.0,
    };
    let volume = (drift.volume.before - drift.volume.since).abs();
    match &drift.alarm {
        Some(alarm) if alarm.kind == AlarmKind::NeverLearnt => 4.0 + volume,
        Some(_) => 2.0 + change(drift.recall).max(change(drift.confidence)).max(volume),
        None => drift.volume.since.max(drift.volume.before),
    }
}
