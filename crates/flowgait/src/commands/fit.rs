//! `flowgait fit`: a table with labels to a model.

use std::path::{Path, PathBuf};

use flowgait_features::split;
use flowgait_model::Training;
use flowgait_model::artifact::{Card, Estimator, Model, TrainingTable, fingerprint};
use flowgait_model::recipe::Recipe;
use flowgait_model::report::Origin;
use flowgait_model::validation::CrossValidation;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::learning::{self, Labelled, RecipeArgs, SplitArg, TableArgs};
use super::sources;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::progress::Progress;
use crate::units;

/// Folds on which a recipe is chosen and the card's scores are made.
const FOLDS: usize = 3;
/// Most rows for choosing; more would take longer than they tell.
const CHOOSE_ROWS_MAX: usize = 20_000;

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
    let labelled = args.table.read(&[], None)?;
    let fitting = Fitting {
        labelled: &labelled,
        args: &args.recipe,
        seed: args.seed,
        origin: Origin::Recorded,
    };
    let tables = args.table.tables.iter().map(|p| sources::name(p)).collect();
    let model = fitting.model(tables, &args.table.keep)?;
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

/// What is to be learnt.
pub struct Fitting<'a> {
    /// From which rows.
    pub labelled: &'a Labelled,
    /// How, as far as a person said.
    pub args: &'a RecipeArgs,
    /// The seed.
    pub seed: u64,
    /// Who made the traffic.
    pub origin: Origin,
}

impl Fitting<'_> {
    /// Chooses the recipe on folds, says what to expect, and fits it on all rows.
    pub fn model(&self, tables: Vec<String>, kept: &[String]) -> Result<Model, Failure> {
        let (dataset, labels) = (&self.labelled.dataset, self.labelled.labels());
        self.tell_small_classes();
        let (recipe, split, judged) = self.expectation()?;
        let rows: Vec<u32> = (0..dataset.rows as u32).collect();
        let training = Training {
            columns: &dataset.columns,
            rows: &rows,
            codes: &labels.codes,
            classes: labels.values.len(),
            class_weights: None,
        };
        let progress = Progress::count("fit", recipe.trees as u64);
        let forest = recipe.fit(&training, self.seed, &|| progress.advance(1))?;
        progress.finish();
        let expect = |score: fn(&flowgait_model::metrics::Scores) -> f64| judged.spread(score);
        let (accuracy, f1_macro) = (expect(|s| s.accuracy), expect(|s| s.f1_macro));
        output::note(&format!(
            "{}, {} trees, learnt {} classes from {} rows × {} columns",
            recipe.estimator.name(),
            recipe.trees,
            labels.values.len(),
            units::grouped(dataset.rows as u64),
            dataset.columns.len()
        ));
        if let (Some(accuracy), Some(f1)) = (accuracy, f1_macro) {
            output::note(&format!(
                "expect accuracy {:.3}{}, macro-F1 {:.3}{} ({FOLDS} folds, {})",
                accuracy.mean,
                accuracy.sd.map_or(String::new(), |sd| format!(" ± {sd:.3}")),
                f1.mean,
                f1.sd.map_or(String::new(), |sd| format!(" ± {sd:.3}")),
                split.named().words(),
            ));
        }
        let rows = |name: &String| TrainingTable { name: name.clone(), rows: 0 };
        let card = Card {
            made_by: concat!("flowgait ", env!("CARGO_PKG_VERSION")).to_owned(),
            label: labels.name.clone(),
            tables: tables.iter().map(rows).collect(),
            rows: dataset.rows as u64,
            fingerprint: fingerprint(dataset),
            origin: self.origin,
            split: Some(split.named()),
            scores: judged
                .spreads()
                .into_iter()
                .map(|(name, spread)| (name, spread.mean))
                .collect(),
            estimator: recipe.estimator.name().to_owned(),
            parameters: serde_json::to_value(recipe).expect("a recipe has plain fields"),
            seed: Some(self.seed),
            kept_columns: kept.to_vec(),
            ..Card::default()
        };
        Ok(Model::new(
            dataset.schema.clone(),
            labels.values.clone(),
            Estimator::Forest(forest),
            card,
        )?)
    }

    /// The recipe, how it was judged, and its scores there; on a sample when there are many rows.
    fn expectation(&self) -> Result<(Recipe, SplitArg, CrossValidation), Failure> {
        let sample = self.sample()?;
        let labelled = sample.as_ref().unwrap_or(self.labelled);
        let split = SplitArg::default_for(&labelled.dataset);
        let repeats = split.repeats(labelled, FOLDS, &[self.seed])?;
        let (recipe, judged) = learning::choose(self.args, labelled, &repeats)?;
        Ok((recipe, split, judged))
    }

    fn sample(&self) -> Result<Option<Labelled>, Failure> {
        let (dataset, labels) = (&self.labelled.dataset, self.labelled.labels());
        if dataset.rows <= CHOOSE_ROWS_MAX {
            return Ok(None);
        }
        let share = CHOOSE_ROWS_MAX as f64 / dataset.rows as f64;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let rows = split::random_hold_out(dataset.rows, Some(&labels.codes), share, &mut rng)?.test;
        Ok(Some(self.labelled.select(&rows)))
    }

    fn tell_small_classes(&self) {
        let labels = self.labelled.labels();
        let mut counts = vec![0_u64; labels.values.len()];
        for &code in &labels.codes {
            counts[code as usize] += 1;
        }
        let small: Vec<&str> = labels
            .values
            .iter()
            .zip(&counts)
            .filter(|(_, n)| **n < 2)
            .map(|(v, _)| v.as_str())
            .collect();
        if !small.is_empty() {
            output::warn(&format!(
                "{} of {} classes have a single row and can hardly be learnt: {}",
                small.len(),
                counts.len(),
                learning::shortened(&small)
            ));
        }
    }
}
