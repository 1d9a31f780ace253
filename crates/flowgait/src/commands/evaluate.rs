//! `flowgait evaluate`: how good a model is, with what must be beaten beside it.

use std::path::{Path, PathBuf};

use flowgait_features::dataset::Codes;
use flowgait_features::extract::prefix;
use flowgait_features::{Dataset, Schema};
use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema, TableWriter};
use flowgait_model::Probabilities;
use flowgait_model::artifact::{Model, fingerprint};
use flowgait_model::baseline::{AddressLookup, Majority, NearestParams};
use flowgait_model::recipe::Recipe;
use flowgait_model::report::{
    Baseline, BaselineKind, Class, Data, Evaluation, Fact, Groups, Importance, Importances, Origin,
};
use flowgait_model::validation::{CrossValidation, Repeat, after_packets};

use super::learning::{
    self, Labelled, RecipeArgs, SplitArg, TableArgs, judge, judge_columns, trials,
};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;

/// Packets of the raw nearest neighbour.
const NEAREST_PACKETS: usize = 10;
/// Where the curve over the first packets is measured.
const CURVE_PACKETS: [u32; 9] = [1, 2, 3, 4, 6, 8, 12, 20, 30];
/// Trees of each point of the curve.
const CURVE_TREES: usize = 50;
/// The column of the far address in our flow table.
const FAR_ADDRESS: &str = "responder_address";

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait evaluate --model mine.fgm tuesday.csv --label category -o report.html
  flowgait evaluate flows.csv --label category --split group:initiator_address --folds 5 --repeats 5

Without --model, or with another split than given, the model is fitted anew on each fold: the scores are of the recipe.
Default split: given for a table that the model was not trained on, else group:capture (or --group).")]
pub struct Args {
    /// The model to judge, or whose recipe to judge; without it the recipe is that of the flags below
    #[arg(short, long, value_name = "MODEL")]
    model: Option<PathBuf>,

    #[command(flatten)]
    table: TableArgs,

    /// How rows to learn from and rows to be judged on come apart: given, random, group:COLUMN, time, time:COLUMN or block:N
    #[arg(long, value_name = "SPLIT")]
    split: Option<SplitArg>,

    /// Number of folds
    #[arg(long, value_name = "N", default_value_t = 5)]
    folds: usize,

    /// How often to draw the folds anew
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeats: u64,

    /// Judge what is known after the first K packets
    #[arg(long, value_name = "K")]
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
    let model = args.model.as_deref().map(Model::load).transpose()?;
    let evaluation = match (&model, &args.split) {
        (Some(model), None | Some(SplitArg::Given)) => given(args, model)?,
        (model, _) => {
            let recipe = model.as_ref().map(recipe_of).transpose()?;
            let origin = model.as_ref().map_or(Origin::Recorded, |m| m.card().origin);
            let labelled =
                args.table.read(&split_columns(args), model.as_ref().map(Model::schema))?;
            judged(args, labelled, recipe, origin)?
        }
    };
    save(&evaluation, args.output.as_deref())?;
    Ok(Outcome::Done)
}

fn check(args: &Args) -> Result<(), Failure> {
    let report_is_known = args
        .output
        .as_ref()
        .is_none_or(|path| path.extension().is_some_and(|e| e == "html" || e == "json"));
    if !report_is_known {
        return Err(Failure::usage("A report ends in .html or .json"));
    }
    if args.folds < 2 || args.repeats == 0 {
        return Err(Failure::usage("It takes at least 2 --folds and 1 of --repeats"));
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
    let labelled = args.table.read(&split_columns(args), Some(model.schema()))?;
    if args.split.is_none() && model.card().fingerprint == fingerprint(&labelled.dataset) {
        output::warn(
            "the model was trained on this very table, so its recipe is judged on folds instead",
        );
        return judged(args, labelled, Some(recipe_of(model)?), model.card().origin);
    }
    let said = model.predict_proba(&labelled.dataset)?;
    let (classes, truth, said, strangers) =
        common_classes(model.classes(), labelled.labels(), said);
    let mut evaluation = Evaluation::new(&title(args), classes, &truth, &said)?;
    evaluation.data = data(args, &labelled.dataset, model.card().origin);
    evaluation.model = facts(model);
    evaluation.importances = Some(importances(model.schema(), model.importance()));
    if !strangers.is_empty() {
        let names: Vec<&str> = strangers.iter().map(String::as_str).collect();
        evaluation.notes.push(format!(
            "The model never learnt {}; every such row counts as wrong.",
            learning::shortened(&names)
        ));
    }
    Ok(evaluation)
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
    if let Some(packets) = args.packets {
        labelled.dataset = prefix(&labelled.dataset, packets)?;
    }
    let split = match args.split.clone() {
        Some(split) => split,
        None => SplitArg::default_for(&labelled.dataset),
    };
    let seeds: Vec<u64> = (args.seed..).take(args.repeats as usize).collect();
    let repeats = split.repeats(&labelled, args.folds, &seeds)?;
    let mut chosen = false;
    let recipe = match recipe {
        Some(recipe) => recipe,
        None => match args.recipe.recipe()? {
            Some(recipe) => recipe,
            None => {
                chosen = true;
                learning::choose(&args.recipe, &labelled, &repeats[..1])?.0
            }
        },
    };
    if let Some(path) = &args.export {
        export(path, &labelled, recipe, &repeats)?;
    }
    let judging = Judging { labelled: &labelled, whole: &whole, recipe, repeats: &repeats };
    let mut evaluation = judging.evaluation(&title(args), &split)?;
    evaluation.data = data(args, &labelled.dataset, origin);
    evaluation.data.groups = group_count(&labelled.dataset, &split);
    if chosen {
        evaluation.notes.push(
            "The estimator was chosen between two on the first repeat's own folds, which flatters a little; name it with --estimator."
                .to_owned(),
        );
    }
    if let Some(packets) = args.packets {
        evaluation.notes.push(format!("Judged on what is known after {packets} packets."));
    }
    Ok(evaluation)
}

/// Everything that is measured when a recipe is judged on folds.
pub struct Judging<'a> {
    /// The rows as the model sees them.
    pub labelled: &'a Labelled,
    /// The same rows with all columns.
    pub whole: &'a Dataset,
    /// What learns.
    pub recipe: Recipe,
    /// On what.
    pub repeats: &'a [Repeat],
}

impl Judging<'_> {
    /// The scores, what must be beaten, the curve over packets, and how much a random split would flatter.
    pub fn evaluation(&self, title: &str, split: &SplitArg) -> Result<Evaluation, Failure> {
        let (dataset, labels) = (&self.labelled.dataset, self.labelled.labels());
        let model = judge("evaluate", self.labelled, self.recipe, self.repeats)?;
        let classes = labels.values.iter().map(|name| Class::named(name)).collect();
        let mut evaluation = Evaluation::of(title, classes, &model)?;
        evaluation.split = split.named();
        evaluation.model = recipe_facts(self.recipe);
        evaluation.baselines = self.baselines(&model)?;
        if *split != SplitArg::Random {
            evaluation.random_split = self.random_split()?;
        }
        evaluation.after_packets = self.curve()?;
        evaluation.importances = self.importances(&dataset.schema)?;
        Ok(evaluation)
    }

    fn baselines(&self, model: &CrossValidation) -> Result<Vec<Baseline>, Failure> {
        let columns = &self.whole.columns;
        let labels = self.labelled.labels();
        let majority = trials(columns, labels, self.repeats, |training, trial| {
            Ok(Majority::fit(training)?.probabilities(trial.test.len()))
        })?;
        let what = "the most frequent class, always";
        let mut found =
            vec![Baseline::new(BaselineKind::Majority, "majority", what, &majority, model)?];
        let nearest: Vec<usize> = (0..NEAREST_PACKETS)
            .map_while(|k| self.whole.schema.position(&format!("packet_octets_{k}")))
            .collect();
        if nearest.len() == NEAREST_PACKETS {
            let params = NearestParams::new(nearest);
            let judged = trials(columns, labels, self.repeats, |training, trial| {
                Ok(params.fit(training)?.probabilities(columns, trial.test)?)
            })?;
            let what = "the training flow whose first ten packets have the nearest sizes";
            found.push(Baseline::new(
                BaselineKind::Nearest,
                "nearest neighbour",
                what,
                &judged,
                model,
            )?);
        }
        if let Some(addresses) = self.whole.groups.iter().find(|g| g.name == FAR_ADDRESS) {
            let judged = trials(columns, labels, self.repeats, |training, trial| {
                Ok(AddressLookup::fit(training, addresses)?.probabilities(addresses, trial.test)?)
            })?;
            let what = "what most training flows to the same far address were";
            found.push(Baseline::new(BaselineKind::Address, "far address", what, &judged, model)?);
        }
        Ok(found)
    }

    /// How the same recipe would look under a random split, once.
    fn random_split(&self) -> Result<Option<flowgait_model::validation::Spread>, Failure> {
        let folds = self.repeats[0].folds.len().max(2);
        let seed = self.repeats[0].seed;
        let repeats = SplitArg::Random.repeats(self.labelled, folds, &[seed])?;
        Ok(judge("random", self.labelled, self.recipe, &repeats)?.spread(|s| s.accuracy))
    }

    /// Accuracy after the first packets, where the table has their sequences: fitted for each length on the folds of the first repeat.
    fn curve(&self) -> Result<Vec<flowgait_model::validation::PacketPoint>, Failure> {
        if prefix(self.whole, 1).is_err() {
            return Ok(Vec::new());
        }
        let recipe = self.recipe.at_most(CURVE_TREES);
        after_packets(&CURVE_PACKETS, |packets| {
            let known = prefix(self.whole, packets as usize)?;
            let what = format!("{packets} packets");
            judge_columns(&what, &known.columns, self.labelled.labels(), recipe, &self.repeats[..1])
        })
    }

    fn importances(&self, schema: &Schema) -> Result<Option<Importances>, Failure> {
        let (dataset, labels) = (&self.labelled.dataset, self.labelled.labels());
        let rows = all_rows(dataset.rows);
        let training = flowgait_model::Training {
            columns: &dataset.columns,
            rows: &rows,
            codes: &labels.codes,
            classes: labels.values.len(),
            class_weights: None,
        };
        let forest =
            self.recipe.at_most(CURVE_TREES).fit(&training, self.repeats[0].seed, &|| {})?;
        Ok(Some(importances(schema, forest.importance())))
    }
}

fn importances(schema: &Schema, values: &[f32]) -> Importances {
    let features = schema
        .features
        .iter()
        .zip(values)
        .map(|(feature, &value)| Importance {
            name: feature.name.clone(),
            unit: feature.unit.clone(),
            value: f64::from(value),
        })
        .collect();
    Importances {
        measure: "share of the impurity that splits on it removed, in training".to_owned(),
        features,
    }
}

/// The facts of a recipe.
pub fn recipe_facts(recipe: Recipe) -> Vec<Fact> {
    vec![
        Fact::new("Estimator", recipe.estimator.name()),
        Fact::new("Trees", recipe.trees),
        Fact::new(
            "Depth",
            recipe.depth_max.map_or("as many as it takes".to_owned(), |d| d.to_string()),
        ),
        Fact::new("Class weights", if recipe.balanced { "balanced" } else { "equal" }),
    ]
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
    facts.push(Fact::new("Trained on", format!("{} rows", units::grouped(card.rows))));
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
    Some(Groups { by: by.clone(), count: groups.values.len() as u64 })
}

fn title(args: &Args) -> String {
    match &args.model {
        Some(path) => super::sources::name(path),
        None => args.table.label.clone(),
    }
}

/// The columns that splitting and baselines need beside the group.
fn split_columns(args: &Args) -> Vec<String> {
    match &args.split {
        Some(SplitArg::Group(column)) => vec![column.clone()],
        _ => Vec::new(),
    }
}

fn all_rows(rows: usize) -> Vec<u32> {
    (0..rows as u32).collect()
}

/// Writes the columns, the label, and for each repeat the fold in which a row is judged (`fold_SEED`) and what was answered there
/// (`ours_SEED`). The fits are made once more for it, with the same seeds and so the same answers.
fn export(
    path: &Path,
    labelled: &Labelled,
    recipe: Recipe,
    repeats: &[Repeat],
) -> Result<(), Failure> {
    let (dataset, labels) = (&labelled.dataset, labelled.labels());
    let columns = &dataset.columns;
    let mut judged = vec![vec![None; dataset.rows]; repeats.len()];
    let place =
        |seed| repeats.iter().position(|r| r.seed == seed).expect("trials have the repeats' seeds");
    trials(columns, labels, repeats, |training, trial| {
        let said = recipe.fit(training, trial.seed, &|| {})?.predict_proba(columns, trial.test)?;
        let judged = &mut judged[place(trial.seed)];
        for (at, &row) in trial.test.iter().enumerate() {
            judged[row as usize] = Some((trial.fold as i64, said.best(at)));
        }
        Ok(said)
    })?;
    let column = |name: String, kind| ColumnSpec { name, kind };
    let mut specs: Vec<ColumnSpec> =
        dataset.schema.features.iter().map(|f| column(f.name.clone(), Kind::Float)).collect();
    specs.push(column("label".to_owned(), Kind::Text));
    for repeat in repeats {
        specs.push(column(format!("fold_{}", repeat.seed), Kind::Integer));
        specs.push(column(format!("ours_{}", repeat.seed), Kind::Text));
    }
    let mut writer =
        TableWriter::create(path, RowSchema { columns: specs, ..RowSchema::default() })?;
    for row in 0..dataset.rows {
        for values in columns {
            writer.float(values[row]);
        }
        writer.text(labels.text(row).unwrap_or_default());
        for judged in &judged {
            match judged[row] {
                Some((fold, answer)) => {
                    writer.integer(fold);
                    writer.text(&labels.values[answer as usize]);
                }
                None => {
                    writer.missing();
                    writer.missing();
                }
            }
        }
        writer.end_row()?;
    }
    writer.finish()?;
    Ok(())
}
