//! What a reader must know before quoting a number.

use super::words::{count, counted, list, score};
use super::{Baseline, BaselineKind, Confidence, Evaluation, Origin, Split};
use crate::metrics::wilson;

/// Fewer rows of a class than this, and its scores are guesses.
const CLASS_ROWS_MIN: u64 = 10;

/// A sentence or two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) weight: Weight,
    pub(super) text: String,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Good to know.
    Plain,
    /// Who quotes a number without it misleads.
    Warn,
}

/// Every note that the numbers call for, and those that came with the evaluation.
pub(super) fn notes(evaluation: &Evaluation) -> Vec<Note> {
    let mut notes = vec![split(&evaluation.split)];
    if evaluation.data.origin == Origin::Made {
        let text = "Made traffic: it shows that the parts work together, not how well they do on a real network.";
        notes.insert(0, Note { weight: Weight::Warn, text: text.to_owned() });
    }
    notes.extend(random_split(evaluation));
    notes.extend(few_rows(evaluation));
    notes.extend(evaluation.baselines.iter().filter_map(|baseline| beaten(evaluation, baseline)));
    notes.extend(folds(evaluation));
    notes.extend(never_predicted(evaluation));
    notes.extend(tells_where(evaluation));
    notes.extend(confidence(evaluation));
    notes.extend(
        evaluation.notes.iter().map(|text| Note { weight: Weight::Plain, text: text.clone() }),
    );
    notes
}

fn split(split: &Split) -> Note {
    let (weight, text) = match split {
        Split::Given => (
            Weight::Plain,
            "Judged on a table of its own. Whether it shares captures, clients or sessions with what the model learnt from is not known here."
                .to_owned(),
        ),
        Split::Random => (
            Weight::Warn,
            "Random split: flows of one session lie on both sides, which flatters every model. Split by group or by time before quoting these numbers."
                .to_owned(),
        ),
        Split::Grouped { by } => (
            Weight::Plain,
            format!("Grouped by {by}: none has rows on both sides, so this is what to expect where the {by} was never seen."),
        ),
        Split::Time { by } => {
            (Weight::Plain, format!("Learnt from earlier rows and judged on later ones, by {by}."))
        }
        Split::TimeInClass { by } => (
            Weight::Warn,
            format!("Learnt from the earlier rows of each class and judged on its later ones, by {by}: where classes were recorded on different days, the day gives the class away, and the scores flatter."),
        ),
        Split::Blocks { count } => (
            Weight::Plain,
            format!("Split into {count} runs of neighbouring rows; only rows at the edge of a run have neighbours on the other side."),
        ),
    };
    Note { weight, text }
}

fn random_split(evaluation: &Evaluation) -> Option<Note> {
    let random = evaluation.random_split()?.accuracy.mean;
    let ours = evaluation.accuracy();
    let points = ((random - ours) * 100.0).round();
    if points < 1.0 || evaluation.split == Split::Random {
        return None;
    }
    let noun = if points >= 2.0 { "points" } else { "point" };
    let (ours, random) = (score(ours), score(random));
    let text = format!(
        "A random split would flatter this model by {points:.0} {noun}. Quote {ours}, not {random}."
    );
    Some(Note { weight: Weight::Warn, text })
}

/// Columns that matter among all rows and hardly within groups.
fn tells_where(evaluation: &Evaluation) -> Option<Note> {
    const LOST_MIN: f64 = 0.02;
    const KEPT_MAX: f64 = 0.2;
    let importances = evaluation.importances.as_ref()?;
    let by = importances.within.as_ref()?;
    let mut found: Vec<_> = importances
        .features
        .iter()
        .filter(|f| f.value >= LOST_MIN && f.within.is_some_and(|w| w < f.value * KEPT_MAX))
        .collect();
    found.sort_by(|a, b| b.value.total_cmp(&a.value));
    let names: Vec<&str> = found.iter().take(4).map(|f| f.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let (verb, pronoun) =
        if names.len() == 1 { ("matters", "it tells") } else { ("matter", "they tell") };
    let text = format!(
        "{} {verb} among all rows and hardly within one {by}: {pronoun} which {by} a row is from rather than what it is. Leave out by --drop what will not be the same elsewhere.",
        list(&names)
    );
    Some(Note { weight: Weight::Warn, text })
}

fn few_rows(evaluation: &Evaluation) -> Option<Note> {
    let rows = evaluation.scores.rows;
    let occurring = evaluation.per_class.iter().filter(|class| class.support > 0).count() as u64;
    let few = evaluation
        .per_class
        .iter()
        .filter(|class| (1..CLASS_ROWS_MIN).contains(&class.support))
        .count() as u64;
    let mut text = String::new();
    if rows < 200 {
        let (low, high) = wilson(evaluation.scores.accuracy * rows as f64, rows as f64);
        let judged = counted(rows, "row was", "rows were");
        text = format!(
            "Only {judged} judged: the 95 % interval of the accuracy is {} to {}, and wider where rows belong together.",
            score(low),
            score(high)
        );
    }
    if few > 0 {
        let (verb, of) = (if few == 1 { "has" } else { "have" }, count(occurring));
        let lead = if text.is_empty() { "" } else { " " };
        let few = count(few);
        text += &format!(
            "{lead}{few} of {of} classes {verb} fewer than {CLASS_ROWS_MIN} rows; read their scores as guesses."
        );
    }
    (!text.is_empty()).then_some(Note { weight: Weight::Warn, text })
}

fn beaten(evaluation: &Evaluation, baseline: &Baseline) -> Option<Note> {
    let (ours, theirs) = (evaluation.accuracy(), baseline.accuracy.mean);
    let name = &baseline.name;
    if baseline.kind == BaselineKind::Address {
        let text = format!(
            "{name} gives {} without looking at any packet. Where the same servers come back, a model could learn who instead of what.",
            score(theirs)
        );
        // What the most frequent class gives as well is no knowledge of addresses.
        let majority = evaluation.baselines.iter().find(|of| of.kind == BaselineKind::Majority);
        let is_more = majority.is_none_or(|of| theirs > of.accuracy.mean + 0.02);
        return (is_more && theirs >= ours - 0.05).then_some(Note { weight: Weight::Warn, text });
    }
    let text = match baseline.lead {
        _ if theirs >= ours => {
            format!(
                "{name} does as well or better ({} against {}): the model is not worth its cost on this data.",
                score(theirs),
                score(ours)
            )
        }
        Some(lead) if lead.p_value > 0.05 => {
            let (low, high) = (super::words::gain(lead.low), super::words::gain(lead.high));
            format!(
                "The lead over {name} may be chance: {low} to {high} (corrected resampled t-test, p = {}).",
                score(lead.p_value)
            )
        }
        _ => return None,
    };
    Some(Note { weight: Weight::Warn, text })
}

fn folds(evaluation: &Evaluation) -> Option<Note> {
    let spread = evaluation.spreads.get("accuracy")?;
    if spread.high - spread.low < 0.2 {
        return None;
    }
    let text = format!(
        "Folds differ much: accuracy from {} to {}. Quote the range with the mean.",
        score(spread.low),
        score(spread.high)
    );
    Some(Note { weight: Weight::Warn, text })
}

fn never_predicted(evaluation: &Evaluation) -> Option<Note> {
    let scores = evaluation.per_class.iter().zip(&evaluation.classes);
    let never = scores.filter(|(score, _)| score.support > 0 && score.predicted == 0);
    let names: Vec<&str> = never.map(|(_, class)| class.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let verb = if names.len() == 1 { "is" } else { "are" };
    Some(Note { weight: Weight::Plain, text: format!("Never predicted {verb} {}.", list(&names)) })
}

fn confidence(evaluation: &Evaluation) -> Option<Note> {
    let bins = &evaluation.calibration.bins;
    let rows: f64 = bins.iter().map(|bin| bin.rows as f64).sum();
    let off =
        bins.iter().map(|bin| bin.rows as f64 * (bin.confidence - bin.right)).sum::<f64>() / rows;
    if !off.is_finite() || off.abs() < 0.05 {
        return None;
    }
    let way = if off > 0.0 { "high" } else { "low" };
    let what = match evaluation.confidence {
        Confidence::Raw => "calibrate it before setting a threshold.",
        Confidence::Calibrated => {
            "it was calibrated on rows that these are unlike, or on too few. Set no threshold by it."
        }
    };
    let text = format!("Its confidence is too {way} by {} on average; {what}", score(off.abs()));
    Some(Note { weight: Weight::Plain, text })
}
