//! `flowgait evaluate`: how good a model is, with what must be beaten beside it.

mod drift;
mod export;
mod fitted;
mod measure;

use std::path::{Path, PathBuf};

use flowgait_features::Dataset;
use flowgait_features::extract::prefix;
use flowgait_features::table::{self, Untimed};
use flowgait_model::artifact::Model;
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::report::{Data, Evaluation, Fact, Groups, Origin};

pub use measure::Measuring;

use super::early;
use super::judging::{Candidates, Learner};
use super::learning::{self, Labelled, TableArgs};
use super::models;
use super::recipe::RecipeArgs;
use super::sources;
use super::splitting::SplitArg;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;

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
        (Some(model), None | Some(SplitArg::Given | SplitArg::Since(_))) => {
            fitted::given(args, model)?
        }
        (Some(model), _) => {
            let labelled = tables(args).read(&split_columns(args), Some(model.schema()))?;
            fitted::by_recipe(args, model, labelled)?
        }
        (None, _) => {
            let labelled = tables(args).read(&split_columns(args), None)?;
            judged(args, labelled, None, Origin::Recorded)?
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
