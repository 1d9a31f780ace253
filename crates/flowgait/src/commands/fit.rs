//! `flowgait fit`: a table with labels to a model.

mod categories;

use std::path::{Path, PathBuf};

use flowgait_model::artifact::{Card, Model, fingerprint};
use flowgait_model::baseline::Majority;
use flowgait_model::metrics::Scores;
use flowgait_model::report::Origin;
use flowgait_model::seen::Seen;
use flowgait_model::validation::CrossValidation;

use super::judging::{self, CHOOSING_FOLDS, Candidates, Choice};
use super::learning::{self, Labelled, TableArgs};
use super::recipe::RecipeArgs;
use super::sources;
use super::splitting::SplitArg;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::progress::Progress;
use crate::units;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait fit flows.csv --label category --group initiator_address -o mine.fgm
  flowgait fit theirs.parquet --label app --drop flow_id --estimator extra-trees --trees 500 -o theirs.fgm

Addresses, ports, server names and times are left out, aloud, unless --keep names them.")]
pub struct Args {
    #[command(flatten)]
    table: TableArgs,

    /// The model to write, one .fgm file
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,

    #[command(flatten)]
    recipe: RecipeArgs,

    /// The column with the category of each label: the model then answers both, and the category where the label is unsure
    #[arg(long, value_name = "COLUMN")]
    category: Option<String>,

    /// A sentence for the model's card, such as where the data is from; may be repeated
    #[arg(long, value_name = "TEXT")]
    note: Vec<String>,

    /// What the card calls a table, in place of its file's name; once for each table, in their order
    #[arg(long, value_name = "NAME")]
    table_name: Vec<String>,

    /// The seed; the same table and seed always give the same model
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Threads; the model is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<String>,
}

/// Fits.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    config.flag("run.threads", "--threads", args.threads.as_ref())?;
    learning::use_threads(config.threads());
    args.recipe.recipe()?;
    args.recipe.open_device()?;
    sources::check_output(&args.output, args.table.files())?;
    if args.output.extension().is_none_or(|e| e != "fgm") {
        return Err(Failure::usage(format!("{} does not end in .fgm", args.output.display()))
            .help("A model is one file whose name ends in .fgm, such as mine.fgm."));
    }
    let also: Vec<String> = args.category.iter().cloned().collect();
    let mut labelled = args.table.read(&also, None)?;
    for (table, name) in labelled.tables.iter_mut().zip(&args.table_name) {
        table.name.clone_from(name);
    }
    let fitting = Fitting {
        labelled: &labelled,
        table: &args.table,
        args: &args.recipe,
        seed: args.seed,
        origin: Origin::Recorded,
        notes: &args.note,
        category: args.category.as_deref(),
    };
    let model = fitting.model()?;
    save(&model, &args.output)?;
    Ok(Outcome::Done)
}

/// Writes a model and says so.
pub fn save(model: &Model, path: &Path) -> Result<(), Failure> {
    model.save(path)?;
    let octets = std::fs::metadata(path).map_or(0, |m| m.len());
    output::note(&format!("model: {} ({})", path.display(), units::octets(octets)));
    Ok(())
}

/// Below this power probabilities are nearly all alike.
const LEAST_POWER: f32 = 0.2;

/// What a recipe does on rows that it did not learn from.
struct Expectation {
    choice: Choice,
    split: SplitArg,
    majority: CrossValidation,
}

impl Expectation {
    /// The scores, and what always saying the most frequent class would score.
    fn tell(&self) {
        let said = |judged: &CrossValidation, score: fn(&Scores) -> f64| {
            judged.spread(score).map_or(String::new(), |spread| {
                let doubt = spread.sd.map_or(String::new(), |sd| format!(" ± {sd:.3}"));
                format!("{:.3}{doubt}", spread.mean)
            })
        };
        output::note(&format!(
            "expect accuracy {} (the most frequent class alone: {}), macro-F1 {} ({}); {}, {}",
            said(&self.choice.judged, |s| s.accuracy),
            said(&self.majority, |s| s.accuracy),
            said(&self.choice.judged, |s| s.f1_macro),
            said(&self.majority, |s| s.f1_macro),
            units::counted(self.choice.judged.trials.len() as u64, "trial"),
            self.split.named().words(),
        ));
        let recipe = &self.choice.recipe;
        if recipe.estimator.boosts() && recipe.boosters > 1 {
            output::note(&format!(
                "on those folds one booster answered; the model has {}, which as a rule do as well or a little better",
                recipe.boosters
            ));
        }
        let tried: Vec<String> = self
            .choice
            .tried
            .iter()
            .map(|(kind, score)| format!("{} {score:.3}", kind.name()))
            .collect();
        if tried.len() > 1 {
            output::note(&format!("chosen by macro-F1 on those folds: {}", tried.join(", ")));
        }
        let accuracy =
            |judged: &CrossValidation| judged.spread(|s| s.accuracy).map_or(0.0, |s| s.mean);
        if accuracy(&self.choice.judged) <= accuracy(&self.majority) {
            output::warn(
                "always answering the most frequent class does as well: this model is not worth its cost",
            );
        }
        if self.choice.sharpness.power() < LEAST_POWER {
            output::warn(
                "on rows that it did not learn from its confidence told next to nothing, so it is made to say so: all answers come with about the \
                 same low confidence, and --reject cannot tell good ones from bad",
            );
        }
        if let Some(network) = &self.choice.network_as_well {
            output::note(&format!(
                "a convolutional network does about as well here (macro-F1 {}); it learns with other round-trip times and lost packets, so it may \
                 stand traffic of other days better: --estimator cnn",
                said(network, |s| s.f1_macro)
            ));
        }
    }
}

/// What is to be learnt.
pub struct Fitting<'a> {
    /// From which rows.
    pub labelled: &'a Labelled,
    /// How a person named them.
    pub table: &'a TableArgs,
    /// How, as far as a person said.
    pub args: &'a RecipeArgs,
    /// The seed.
    pub seed: u64,
    /// Who made the traffic.
    pub origin: Origin,
    /// What else the card is to say.
    pub notes: &'a [String],
    /// The column with the category of each label.
    pub category: Option<&'a str>,
}

impl Fitting<'_> {
    /// Chooses the recipe on folds, says what to expect, and fits it on all rows.
    pub fn model(&self) -> Result<Model, Failure> {
        let (dataset, labels) = (&self.labelled.dataset, self.labelled.labels());
        self.tell_small_classes();
        let expectation = self.expectation()?;
        let recipe = expectation.choice.recipe;
        let rows: Vec<u32> = (0..dataset.rows as u32).collect();
        let training = self.labelled.training(&rows);
        let progress = Progress::count("fit", recipe.units(rows.len()) as u64);
        let estimator =
            recipe.fit(&dataset.schema, &training, self.seed, &|| progress.advance(1))?;
        progress.finish();
        output::note(&format!(
            "{} learnt {} from {} × {}",
            recipe.words(),
            units::counted(labels.values.len() as u64, "class"),
            units::counted(dataset.rows as u64, "row"),
            units::counted(dataset.columns.len() as u64, "column"),
        ));
        expectation.tell();
        let card = self.card(&expectation);
        let model = Model::new(dataset.schema.clone(), labels.values.clone(), estimator, card)?;
        let model = model.with_seen(Seen::of(dataset));
        let categories = match self.category {
            Some(column) => Some(categories::of(self.labelled, column, &expectation.choice)?),
            None => None,
        };
        let Choice { sharpness, strangeness, doubt, early, .. } = expectation.choice;
        let model = model.calibrated(sharpness).with_strangeness(strangeness).with_doubt(doubt);
        let model = match early {
            Some(early) => model.with_early(early),
            None => model,
        };
        match categories {
            Some(categories) => Ok(model.with_categories(categories)?),
            None => Ok(model),
        }
    }

    fn card(&self, expectation: &Expectation) -> Card {
        let recipe = expectation.choice.recipe;
        let dataset = &self.labelled.dataset;
        // The folds were judged before confidence was made true, so what they say of confidence is not true of the model.
        let of_confidence = |name: &str| matches!(name, "log_loss" | "brier" | "ece");
        let spreads = expectation.choice.judged.spreads().into_iter();
        let spreads = spreads.filter(|(name, _)| !of_confidence(name));
        Card {
            made_by: concat!("flowgait ", env!("CARGO_PKG_VERSION")).to_owned(),
            label: self.labelled.labels().name.clone(),
            tables: self.labelled.tables.clone(),
            rows: dataset.rows as u64,
            fingerprint: fingerprint(dataset),
            origin: self.origin,
            split: Some(expectation.split.named()),
            scores: spreads.map(|(name, spread)| (name, spread.mean)).collect(),
            estimator: recipe.estimator.name().to_owned(),
            parameters: serde_json::to_value(recipe).expect("a recipe has plain fields"),
            seed: Some(self.seed),
            kept_columns: self.table.keep.clone(),
            dropped_columns: self.table.drop.clone(),
            notes: self.notes.to_vec(),
            ..Card::default()
        }
    }

    /// The recipe, how it was judged, and its scores there; on a sample when there are many rows.
    fn expectation(&self) -> Result<Expectation, Failure> {
        let sample = judging::sample(self.labelled, self.seed)?;
        let labelled = sample.as_ref().unwrap_or(self.labelled);
        let (columns, labels) = (&labelled.dataset.columns, labelled.labels());
        let split = SplitArg::default_for(labelled, self.table.group.as_ref());
        split.warn_of_lone_rows(labelled);
        let seeds = judging::choosing_seeds(&split, labelled.dataset.rows, self.seed);
        let repeats = split.repeats(labelled, CHOOSING_FOLDS, &seeds)?;
        let rows = self.labelled.dataset.rows;
        let choice = judging::choose(&Candidates::Best(self.args), labelled, rows, &repeats)?;
        let majority = judging::trials(columns, labels, &repeats, |training, trial| {
            Ok(Majority::fit(training)?.probabilities(trial.test.len()))
        })?;
        Ok(Expectation { choice, split, majority })
    }

    fn tell_small_classes(&self) {
        let labels = self.labelled.labels();
        let counts = self.labelled.class_rows();
        let small: Vec<&str> = labels
            .values
            .iter()
            .zip(&counts)
            .filter(|(_, n)| **n < 2)
            .map(|(v, _)| v.as_str())
            .collect();
        if !small.is_empty() {
            let have = if small.len() == 1 { "has" } else { "have" };
            output::warn(&format!(
                "{} of {} classes {have} a single row and can hardly be learnt: {}",
                small.len(),
                counts.len(),
                learning::shortened(&small)
            ));
        }
    }
}
