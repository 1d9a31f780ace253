//! `flowgait evaluate`: how good a model is, with what must be beaten beside it.

mod drift;
mod export;
mod measure;

use std::path::{Path, PathBuf};

use flowgait_features::Dataset;
use flowgait_features::dataset::Codes;
use flowgait_features::extract::prefix;
use flowgait_features::table::{self, Untimed};
use flowgait_model::artifact::{Model, fingerprint};
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::report::{Class, Confidence, Data, Evaluation, Fact, Groups, Origin};
use flowgait_model::{Probabilities, Sharpness};

pub use measure::Measuring;

use super::early;
use super::judging::{Candidates, Learner};
use super::learning::{self, Labelled, RecipeArgs, TableArgs};
use super::models;
use super::sources;
use super::splitting::{self, SplitArg};
use crate::config::Config;
use crate::failure::{Failure, Outcome, sentence};
use crate::output;
use crate::units;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait evaluate --model mine.fgm tuesday.csv --label category -o report.html
  flowgait evaluate flows.csv --label category --split group:initiator_address --folds 5 --repeats 5
  flowgait evaluate --model mine.fgm flows.csv --label category --since 2026-11-21

Without --model, or with another split than given, the model is fitted anew on each fold: the scores are of the recipe.
Default split: given for a table that the model was not trained on; else the first that the table allows of --group, capture, client, \
time, and chance.")]
pub struct Args {
    /// The model to judge, or whose recipe to judge; without it the recipe is that of the flags below
    #[arg(short, long, value_name = "MODEL")]
    model: Option<PathBuf>,

    #[command(flatten)]
    table: TableArgs,

    /// How rows to learn from and rows to be judged on come apart: given, random, group:COLUMN, time, time:COLUMN, time-in-class or block:N
    #[arg(long, value_name = "SPLIT")]
    split: Option<SplitArg>,

    /// Judge what began at this time or later (2026-11-21T08:00:00Z, 2026-11-21, or seconds since 1970), and tell whether the traffic
    /// drifted: what changed since before. Without --model, what was before is learnt from
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<i64>,

    /// Number of folds
    #[arg(long, value_name = "N", default_value_t = 5)]
    folds: usize,

    /// How often to draw the folds anew
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeats: u64,

    /// Only the scores and the baselines: leaves out other splits, the curve over packets, importance, unknown traffic and, without --model, drift
    #[arg(long)]
    brief: bool,

    /// Judge what is known after the first K packets
    #[arg(long, value_name = "K", value_parser = early::packets)]
    packets: Option<usize>,

    /// Write the report: .html opens without a network, .json is for programs
    #[arg(short, long, value_name = "REPORT")]
    output: Option<PathBuf>,

    /// Write the columns, labels, folds and answers, so that another tool can be held against this one
    #[arg(long, value_name = "TABLE")]
    export: Option<PathBuf>,

    /// The seed of the first repeat
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Threads; the scores are the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<String>,

    #[command(flatten)]
    recipe: RecipeArgs,
}

/// Judges.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    config.flag("run.threads", "--threads", args.threads.as_ref())?;
    learning::use_threads(config.threads());
    check(args)?;
    args.recipe.open_device()?;
    let model = args.model.as_deref().map(|m| models::load(m, &config)).transpose()?;
    let split = args.since.map(SplitArg::Since).or_else(|| args.split.clone());
    let evaluation = match (&model, &split) {
        (Some(model), None | Some(SplitArg::Given | SplitArg::Since(_))) => given(args, model)?,
        (model, _) => {
            let recipe = model.as_ref().map(recipe_of).transpose()?;
            let origin = model.as_ref().map_or(Origin::Recorded, |m| m.card().origin);
            let labelled =
                tables(args).read(&split_columns(args), model.as_ref().map(Model::schema))?;
            judged(args, labelled, recipe, origin)?
        }
    };
    save(&evaluation, args.output.as_deref())?;
    Ok(Outcome::Done)
}

fn moment(text: &str) -> Result<i64, String> {
    // A day alone is its first moment; numbers are read in the unit that their size tells, as those in tables are.
    let day = || table::time_micros(&format!("{text}T00:00:00Z"));
    table::time_micros(text).or_else(day).ok_or_else(|| {
        format!(
            "'{text}' is no time; write 2026-11-21T08:00:00Z, 2026-11-21, or seconds since 1970"
        )
    })
}

fn check(args: &Args) -> Result<(), Failure> {
    let report_is_known = args
        .output
        .as_ref()
        .is_none_or(|path| path.extension().is_some_and(|e| e == "html" || e == "json"));
    if !report_is_known {
        return Err(Failure::usage("A report ends in .html or .json"));
    }
    for output in args.output.iter().chain(&args.export) {
        sources::check_output(output, args.table.files().chain(&args.model))?;
    }
    if args.folds < 2 || args.repeats == 0 {
        return Err(Failure::usage("It takes at least 2 --folds and 1 of --repeats"));
    }
    if args.since.is_some() && !matches!(args.split, None | Some(SplitArg::Time(Some(_)))) {
        return Err(Failure::usage("--since is a split by itself")
            .help("Beside it, --split can only name the column with times: --split time:COLUMN."));
    }
    if args.model.is_none() && args.split == Some(SplitArg::Given) {
        return Err(
            Failure::usage("--split given judges a fitted model").help("Name it with --model.")
        );
    }
    Ok(())
}

/// Prints the evaluation, and writes it where that was asked for.
pub fn save(evaluation: &Evaluation, path: Option<&Path>) -> Result<(), Failure> {
    output::out(&evaluation.to_text(output::terminal_width()))?;
    let Some(path) = path else { return Ok(()) };
    let text = if path.extension().is_some_and(|e| e == "json") {
        evaluation.to_json()
    } else {
        evaluation.to_html()
    };
    output::save(path, &text)?;
    output::note(&format!("report: {}", path.display()));
    Ok(())
}

/// The model on the table as it is; unless it was trained on this very table, which would flatter it beyond all use.
fn given(args: &Args, model: &Model) -> Result<Evaluation, Failure> {
    let mut labelled = tables(args).read(&split_columns(args), Some(model.schema()))?;
    let mut learnt = learnt_share(model, &labelled.dataset);
    if args.split != Some(SplitArg::Given) && learnt > NEARLY_ALL {
        output::warn(
            "the model was trained on these very rows, so its recipe is judged on folds instead",
        );
        let strangers: Vec<String> = never_learnt(model, &labelled);
        let mut evaluation = judged(args, labelled, Some(recipe_of(model)?), model.card().origin)?;
        evaluation.notes.push(
            "Not the model is judged, which was trained on these very rows, but its recipe: models that each learnt from some of them."
                .to_owned(),
        );
        if !strangers.is_empty() {
            let message = format!(
                "The table's labels are not those that the model was trained with: it never learnt {}.",
                learning::shortened(&strangers.iter().map(String::as_str).collect::<Vec<_>>())
            );
            output::warn(&message);
            evaluation.notes.push(message);
        }
        return Ok(evaluation);
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

/// Labels of a table that a model does not know.
fn never_learnt(model: &Model, labelled: &Labelled) -> Vec<String> {
    let names = labelled.labels().values.iter();
    names.filter(|name| !model.classes().contains(name)).cloned().collect()
}

/// A model as it is has no folds.
const NO_BASELINES: &str = "No baselines stand beside it: they would have to learn from what the model learnt from. On folds of this table, by --split, they do.";

/// Up to such a share of rows may be the same as rows learnt from by chance: short flows are often alike.
const ALIKE_BY_CHANCE: f64 = 0.05;

/// From such a share on, a table is taken for the one that was learnt from.
const NEARLY_ALL: f64 = 0.98;

/// About which share of a table's rows a model learnt from.
fn learnt_share(model: &Model, dataset: &Dataset) -> f64 {
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
    let strangers: Vec<String> =
        labels.values.iter().filter(|v| !known.contains(v)).cloned().collect();
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

/// A recipe fitted anew on every fold.
fn judged(
    args: &Args,
    mut labelled: Labelled,
    recipe: Option<Recipe>,
    origin: Origin,
) -> Result<Evaluation, Failure> {
    let whole = labelled.dataset.clone();
    // A model that answers early is asked early; any other is one of the first packets alone.
    let is_early = recipe.map_or(args.recipe.early, |recipe| recipe.early);
    if let Some(packets) = args.packets.filter(|_| !is_early) {
        labelled.dataset = prefix(&labelled.dataset, packets)?;
    }
    let split = match args.since.map(SplitArg::Since).or_else(|| args.split.clone()) {
        Some(split) => split,
        None => SplitArg::default_for(&labelled, args.table.group.as_ref()),
    };
    split.warn_of_lone_rows(&labelled);
    let seeds: Vec<u64> = (args.seed..).take(args.repeats as usize).collect();
    let repeats = split.repeats(&labelled, args.folds, &seeds)?;
    // A card's recipe does not say where to learn.
    let here = |recipe| Recipe { device: args.recipe.device.device(), ..recipe };
    let recipe = recipe.map_or_else(|| args.recipe.recipe(), |recipe| Ok(Some(here(recipe))))?;
    let candidates = match recipe {
        Some(recipe) => Candidates::Fixed(recipe),
        None => Candidates::Best(&args.recipe),
    };
    let after = args.packets.filter(|_| is_early);
    let learner = Learner { candidates, split: &split, after };
    let measuring = Measuring {
        labelled: &labelled,
        whole: &whole,
        learner,
        repeats: &repeats,
        brief: args.brief,
    };
    let (mut evaluation, judged) = measuring.evaluation(&title(args))?;
    if args.since.is_some() && !args.brief {
        let (fold, recipe) = (&repeats[0].folds[0], judged.usual().0);
        match drift::of_recipe(args, &labelled, fold, recipe) {
            Ok(drift) => evaluation.drift = Some(drift),
            // The scores stand without it.
            Err(why) => evaluation.notes.push(format!("Drift is not told: {why}.")),
        }
    }
    if let Some(path) = &args.export {
        export::export(path, &labelled, &judged, &repeats)?;
    }
    evaluation.data = data(args, &labelled.dataset, origin);
    evaluation.data.groups = group_count(&labelled.dataset, &split);
    evaluation.notes.extend(args.packets.map(early::note));
    Ok(evaluation)
}

/// The facts of a recipe.
pub fn recipe_facts(recipe: Recipe) -> Vec<Fact> {
    let mut facts = vec![Fact::new("Estimator", recipe.estimator.name())];
    if recipe.estimator.network().is_some() {
        let epochs = recipe.epochs.map_or("about 2,000 steps' worth".to_owned(), |n| n.to_string());
        facts.push(Fact::new("Epochs", epochs));
    } else if !matches!(recipe.estimator, EstimatorKind::Linear | EstimatorKind::Stack) {
        let depth = recipe.depth_max.map_or("as many as it takes".to_owned(), |d| d.to_string());
        facts.push(Fact::new("Trees", recipe.trees));
        facts.push(Fact::new("Depth", depth));
    }
    if recipe.early {
        facts.push(Fact::new("Learnt from", "flows as wholes and after their first packets"));
    }
    facts.push(Fact::new("Class weights", if recipe.balanced { "balanced" } else { "equal" }));
    facts
}

/// The recipe that a model's card keeps.
pub fn recipe_of(model: &Model) -> Result<Recipe, Failure> {
    serde_json::from_value(model.card().parameters.clone()).map_err(|e| {
        Failure::work(
            "The model's card does not say how it was fitted, so it cannot be fitted anew",
        )
        .because(e)
    })
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

fn data(args: &Args, dataset: &Dataset, origin: Origin) -> Data {
    let names: Vec<String> = args.table.tables.iter().map(|p| super::sources::name(p)).collect();
    Data { source: names.join(", "), origin, features: dataset.columns.len() as u64, groups: None }
}

fn group_count(dataset: &Dataset, split: &SplitArg) -> Option<Groups> {
    let SplitArg::Group(by) = split else { return None };
    let groups = dataset.groups.iter().find(|g| g.name == *by)?;
    Some(Groups { by: by.clone(), count: groups.distinct() as u64 })
}

fn title(args: &Args) -> String {
    match &args.model {
        Some(path) => super::sources::name(path),
        None => args.table.label.clone(),
    }
}

/// The tables, with the column that a split by time names.
fn tables(args: &Args) -> TableArgs {
    let time = match &args.split {
        Some(SplitArg::Time(column) | SplitArg::TimeInClass(column)) => column.clone(),
        _ => None,
    };
    let untimed = if args.since.is_some() { Untimed::LeaveOut } else { Untimed::Refuse };
    TableArgs { time, untimed, ..args.table.clone() }
}

/// The columns that splitting and baselines need beside the group.
fn split_columns(args: &Args) -> Vec<String> {
    match &args.split {
        Some(SplitArg::Group(column)) => vec![column.clone()],
        _ => Vec::new(),
    }
}
