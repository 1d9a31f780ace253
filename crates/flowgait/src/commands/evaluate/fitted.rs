//! A fitted model judged: itself where it never saw the rows, its recipe where it did or where rows are to come apart.

use flowgait_features::Dataset;
use flowgait_features::dataset::Codes;
use flowgait_model::artifact::{Model, fingerprint};
use flowgait_model::report::{Class, Confidence, Evaluation, Fact};
use flowgait_model::{Probabilities, Sharpness};

use super::{
    Args, data, drift, judged, measure, recipe_facts, recipe_of, split_columns, tables, title,
};
use crate::commands::early;
use crate::commands::learning::{self, Labelled};
use crate::commands::splitting::{self, SplitArg};
use crate::failure::{Failure, sentence};
use crate::output;
use crate::units;

/// The model on the table as it is; unless it was trained on this very table, which would flatter it beyond all use.
pub(super) fn given(args: &Args, model: &Model) -> Result<Evaluation, Failure> {
    let mut labelled = tables(args).read(&split_columns(args), Some(model.schema()))?;
    let mut learnt = learnt_share(model, &labelled.dataset);
    if args.split != Some(SplitArg::Given) && learnt > NEARLY_ALL {
        output::warn(
            "the model was trained on these very rows, so its recipe is judged on folds instead",
        );
        return by_recipe(args, model, labelled);
    }
    let said = match args.packets {
        Some(packets) => {
            early::check(model)?;
            model.predict_proba_after(&labelled.dataset, packets)?
        }
        None => model.predict_proba(&labelled.dataset)?,
    };
    let (classes, mut truth, mut said, strangers) =
        common_classes(model.classes(), labelled.labels(), said);
    let mut drift = None;
    if let Some(moment) = args.since {
        let fold = splitting::since(&labelled, moment)?;
        drift = Some(drift::of_model(args, model, &labelled, &fold, (&classes, &said))?);
        truth = fold.test.iter().map(|&row| truth[row as usize]).collect();
        said = drift::select(&fold.test, &said);
        labelled = labelled.select(&fold.test);
        learnt = learnt_share(model, &labelled.dataset);
    }
    let flattered = (learnt > ALIKE_BY_CHANCE).then(|| {
        format!(
            "about {:.0} % of the rows judged are the same, value by value, as rows that the model learnt from: the scores flatter it",
            learnt * 100.0
        )
    });
    flattered.iter().for_each(|message| output::warn(message));
    if truth.iter().all(|&class| class as usize >= model.classes().len()) {
        output::warn(
            "the model never learnt any of these labels, so no answer can be right; --label may name another column than it learnt",
        );
    }
    let mut evaluation = Evaluation::new(&title(args), classes, &truth, &said)?;
    evaluation.drift = drift;
    evaluation.notes.extend(flattered.map(|message| sentence(&format!("{message}."))));
    evaluation.notes.extend(args.packets.map(early::note));
    evaluation.notes.push(NO_BASELINES.to_owned());
    evaluation.data = data(args, &labelled.dataset, model.card().origin);
    evaluation.model = facts(model);
    if model.sharpness() != Sharpness::NONE {
        evaluation.confidence = Confidence::Calibrated;
    }
    evaluation.importances = measure::importance::of_model(model.schema(), model.importance());
    if !strangers.is_empty() {
        let names: Vec<&str> = strangers.iter().map(String::as_str).collect();
        evaluation.notes.push(format!(
            "The model never learnt {}; every such row counts as wrong.",
            learning::shortened(&names)
        ));
    }
    Ok(evaluation)
}

/// A model's recipe on the table, where the model itself would be flattered or the rows are to come apart.
pub(super) fn by_recipe(
    args: &Args,
    model: &Model,
    labelled: Labelled,
) -> Result<Evaluation, Failure> {
    let strangers = never_learnt(model.classes(), labelled.labels());
    let mut evaluation = judged(args, labelled, Some(recipe_of(model)?), model.card().origin)?;
    evaluation.notes.push(
        "Not the model is judged but its recipe: models that each learnt from some of these rows and answer others."
            .to_owned(),
    );
    if !strangers.is_empty() {
        let names: Vec<&str> = strangers.iter().map(String::as_str).collect();
        let message = format!(
            "The table's labels are not those of the model: it never learnt {}.",
            learning::shortened(&names)
        );
        output::warn(&message);
        evaluation.notes.push(message);
    }
    Ok(evaluation)
}

/// Labels of a table that a model does not know.
fn never_learnt(known: &[String], labels: &Codes) -> Vec<String> {
    labels.values.iter().filter(|name| !known.contains(name)).cloned().collect()
}

/// A model as it is has no folds.
const NO_BASELINES: &str = "No baselines stand beside it: they would have to learn from what the model learnt from. On folds of this table, by --split, they do.";

/// Up to such a share of rows may be the same as rows learnt from by chance: short flows are often alike.
pub(super) const ALIKE_BY_CHANCE: f64 = 0.05;

/// From such a share on, a table is taken for the one that was learnt from.
const NEARLY_ALL: f64 = 0.98;

/// About which share of a table's rows a model learnt from.
pub(super) fn learnt_share(model: &Model, dataset: &Dataset) -> f64 {
    if model.card().fingerprint == fingerprint(dataset) {
        return 1.0;
    }
    model.seen().and_then(|seen| seen.share_in(dataset)).unwrap_or(0.0)
}

/// The model's classes and then those of the table that it never learnt: codes of the table's labels in that list, and probabilities widened by zeros.
fn common_classes(
    known: &[String],
    labels: &Codes,
    said: Probabilities,
) -> (Vec<Class>, Vec<u32>, Probabilities, Vec<String>) {
    let mut names = known.to_vec();
    let strangers = never_learnt(known, labels);
    names.extend(strangers.iter().cloned());
    let place =
        |name: &String| names.iter().position(|n| n == name).expect("every label was added") as u32;
    let places: Vec<u32> = labels.values.iter().map(place).collect();
    let truth = labels.codes.iter().map(|&code| places[code as usize]).collect();
    let mut values = Vec::with_capacity(names.len() * said.rows());
    for row in 0..said.rows() {
        values.extend_from_slice(said.row(row));
        values.extend(strangers.iter().map(|_| 0.0));
    }
    let said = Probabilities { classes: names.len(), values };
    (names.iter().map(|n| Class::named(n)).collect(), truth, said, strangers)
}

fn facts(model: &Model) -> Vec<Fact> {
    let card = model.card();
    let mut facts = recipe_of(model).map_or_else(|_| Vec::new(), recipe_facts);
    facts.push(Fact::new("Trained on", units::counted(card.rows, "row")));
    let tables: Vec<&str> = card.tables.iter().map(|table| table.name.as_str()).collect();
    facts.push(Fact::new("Tables", tables.join(", ")));
    if !card.kept_columns.is_empty() {
        facts.push(Fact::new("Identity kept as asked", card.kept_columns.join(", ")));
    }
    facts
}
