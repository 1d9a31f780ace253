//! Tables, recipes and splits as a person names them, the same for every command that learns or judges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use flowgait_features::dataset::{Codes, Dataset};
use flowgait_features::table::{self, ReadParams, ReadReport, Why};
use flowgait_features::{Schema, split};
use flowgait_model::Training;
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::report::Split;
use flowgait_model::validation::{CrossValidation, Fold, Repeat, Trial, cross_validate};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::failure::{Failure, sentence};
use crate::output;
use crate::progress::Progress;
use crate::units;

/// Tables with labels.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TableArgs {
    /// Tables with the same columns: our flows, or anybody's CSV, Parquet, JSONL or ARFF
    #[arg(required = true, value_name = "TABLE")]
    pub tables: Vec<PathBuf>,

    /// The column that says what each row is
    #[arg(long, value_name = "COLUMN")]
    pub label: String,

    /// The column that says which rows belong together (capture, client, session) [default: capture]
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,

    /// Learn from this column although it is identity or text; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub keep: Vec<String>,

    /// Do not learn from this column; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub drop: Vec<String>,
}

/// An estimator and its parameters.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[command(next_help_heading = "Learning")]
pub struct RecipeArgs {
    /// What learns; auto tries them on folds and keeps the better
    #[arg(long, value_enum, value_name = "NAME")]
    pub estimator: Option<EstimatorArg>,

    /// Number of trees [default: 200]
    #[arg(long, value_name = "N")]
    pub trees: Option<usize>,

    /// Most splits between a tree's root and its leaves [default: as many as it takes]
    #[arg(long, value_name = "N")]
    pub depth: Option<usize>,

    /// Let all classes weigh alike, however many rows they have
    #[arg(long)]
    pub balanced: bool,
}

/// What learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimatorArg {
    /// Whichever does better on folds
    Auto,
    /// A random forest
    Forest,
    /// Extremely randomised trees
    ExtraTrees,
}

/// A table that was read, every row with a label.
#[derive(Debug)]
pub struct Labelled {
    /// The rows, with labels.
    pub dataset: Dataset,
}

impl TableArgs {
    /// Reads the tables and tells what was left out. `groups` are further columns to have at hand for splitting.
    pub fn read(&self, groups: &[String], schema: Option<&Schema>) -> Result<Labelled, Failure> {
        let (labelled, report) = self.read_quietly(groups, schema)?;
        tell(&report);
        Ok(labelled)
    }

    /// The same without telling.
    pub fn read_quietly(
        &self,
        groups: &[String],
        schema: Option<&Schema>,
    ) -> Result<(Labelled, ReadReport), Failure> {
        let mut asked: Vec<String> = self.group.iter().cloned().collect();
        asked.extend(groups.iter().filter(|g| Some(*g) != self.group.as_ref()).cloned());
        let params = ReadParams {
            label: Some(self.label.clone()),
            groups: asked,
            keep: self.keep.clone(),
            drop: self.drop.clone(),
            schema: schema.cloned(),
            ..ReadParams::default()
        };
        let paths: Vec<&Path> = self.tables.iter().map(PathBuf::as_path).collect();
        let (dataset, report) = table::read(&paths, &params)?;
        let labelled = Labelled { dataset };
        let labels = labelled.labels();
        if labels.values.len() < 2 {
            let only = labels.values.first().map_or("", String::as_str);
            return Err(Failure::work(format!(
                "Every row of column '{}' says '{only}': there is nothing to tell apart",
                self.label
            )));
        }
        Ok((labelled, report))
    }
}

impl Labelled {
    /// The label of every row.
    pub fn labels(&self) -> &Codes {
        self.dataset.labels.as_ref().expect("a label column was asked for")
    }

    /// The rows at the given places, in that order.
    pub fn select(&self, rows: &[u32]) -> Self {
        Self { dataset: self.dataset.select(rows) }
    }
}

/// Says which columns were left out and why, and what else a person should know.
pub fn tell(report: &ReadReport) {
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for left in report.left_out.iter().filter(|l| l.why != Why::Label && l.why != Why::Unknown) {
        by_reason.entry(left.why.to_string()).or_default().push(&left.column);
    }
    for (why, columns) in by_reason {
        output::note(&format!("left out ({why}): {}", shortened(&columns)));
    }
    for (column, values) in &report.one_hot {
        output::note(&format!("column {column} became {values} columns, one for each value"));
    }
    if report.rows_unlabelled > 0 {
        output::note(&format!(
            "{} rows have no label and were not used",
            units::grouped(report.rows_unlabelled)
        ));
    }
    if report.infinities > 0 {
        output::note(&format!(
            "{} infinite values count as missing",
            units::grouped(report.infinities)
        ));
    }
    for notice in &report.notices {
        output::note(notice);
    }
}

/// The first names of a list, and how many more there are.
pub fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 24;
    let mut text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

impl RecipeArgs {
    /// The recipe, or `None` where it is to be chosen on folds.
    pub fn recipe(&self) -> Result<Option<Recipe>, Failure> {
        let kind = match self.estimator {
            None | Some(EstimatorArg::Auto) => {
                return self.with(EstimatorKind::Forest).map(|_| None);
            }
            Some(EstimatorArg::Forest) => EstimatorKind::Forest,
            Some(EstimatorArg::ExtraTrees) => EstimatorKind::ExtraTrees,
        };
        self.with(kind).map(Some)
    }

    /// The parameters as typed with one estimator.
    pub fn with(&self, estimator: EstimatorKind) -> Result<Recipe, Failure> {
        let base = Recipe::new(estimator);
        let recipe = Recipe {
            trees: self.trees.unwrap_or(base.trees),
            depth_max: self.depth,
            balanced: self.balanced,
            ..base
        };
        recipe.check().map_err(|error| Failure::usage(sentence(&error.to_string())))?;
        Ok(recipe)
    }
}

/// How rows to learn from and rows to be judged on come apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitArg {
    /// The model on the table as it is.
    Given,
    /// Row by row, by chance.
    Random,
    /// All rows of a column's value on one side.
    Group(String),
    /// Earlier and later rows.
    Time(Option<String>),
    /// Runs of neighbouring rows.
    Block(usize),
}

impl std::str::FromStr for SplitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest))) {
            ("given", None) => Ok(Self::Given),
            ("random", None) => Ok(Self::Random),
            ("group", Some(column)) if !column.is_empty() => Ok(Self::Group(column.to_owned())),
            ("time", column) => Ok(Self::Time(column.map(str::to_owned))),
            ("block", Some(n)) => match n.parse() {
                Ok(n) if n >= 2 => Ok(Self::Block(n)),
                _ => Err(format!("'{n}' is not a number of blocks; use 2 or more, as in block:50")),
            },
            _ => Err(format!(
                "'{text}' is no split; use given, random, group:COLUMN, time, time:COLUMN or block:N"
            )),
        }
    }
}

impl SplitArg {
    /// How a report names it.
    pub fn named(&self) -> Split {
        match self {
            Self::Given => Split::Given,
            Self::Random => Split::Random,
            Self::Group(by) => Split::Grouped { by: by.clone() },
            Self::Time(by) => Split::Time { by: by.clone().unwrap_or_else(|| "start".to_owned()) },
            Self::Block(count) => Split::Blocks { count: *count as u64 },
        }
    }

    /// The grouped split where there are groups enough, else the random one, which is then said.
    pub fn default_for(dataset: &Dataset) -> Self {
        match dataset.groups.iter().find(|g| g.values.len() >= 2) {
            Some(groups) => Self::Group(groups.name.clone()),
            None => {
                output::warn(
                    "no column says which rows belong together (--group), so the split is random and flatters",
                );
                Self::Random
            }
        }
    }

    /// The folds, drawn anew for every seed; at most `folds`, fewer where there are fewer groups.
    pub fn repeats(
        &self,
        labelled: &Labelled,
        folds: usize,
        seeds: &[u64],
    ) -> Result<Vec<Repeat>, Failure> {
        seeds
            .iter()
            .map(|&seed| Ok(Repeat { seed, folds: self.folds(labelled, folds, seed)? }))
            .collect()
    }

    fn folds(&self, labelled: &Labelled, folds: usize, seed: u64) -> Result<Vec<Fold>, Failure> {
        let (dataset, labels) = (&labelled.dataset, labelled.labels());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let codes = Some(labels.codes.as_slice());
        let grouped = |groups: &[u32], count: usize, rng: &mut ChaCha8Rng| {
            split::group_folds(groups, codes, folds.min(count.max(2)), rng)
        };
        let folds = match self {
            Self::Given => return Err(Failure::usage("--split given has no folds")),
            Self::Random => {
                split::random_folds(dataset.rows, codes, folds.min(dataset.rows), &mut rng)?
            }
            Self::Group(column) => {
                let groups =
                    dataset.groups.iter().find(|g| g.name == *column).ok_or_else(|| {
                        Failure::work(format!("The table has no column '{column}' to group by"))
                    })?;
                grouped(&groups.codes, groups.values.len(), &mut rng)?
            }
            Self::Block(count) => {
                let groups = split::block_groups(dataset.rows, dataset.rows.div_ceil(*count));
                grouped(&groups, *count, &mut rng)?
            }
            Self::Time(_) => {
                let times = dataset.times.as_ref().ok_or_else(|| {
                    Failure::work("The table has no column with times to split by")
                })?;
                vec![split::time_hold_out(times, 0.3)?]
            }
        };
        Ok(folds)
    }
}

/// Judges a recipe over folds.
pub fn judge(
    what: &str,
    labelled: &Labelled,
    recipe: Recipe,
    repeats: &[Repeat],
) -> Result<CrossValidation, Failure> {
    judge_columns(what, &labelled.dataset.columns, labelled.labels(), recipe, repeats)
}

/// Judges a recipe over folds, on other columns for the same rows.
pub fn judge_columns(
    what: &str,
    columns: &[Vec<f32>],
    labels: &Codes,
    recipe: Recipe,
    repeats: &[Repeat],
) -> Result<CrossValidation, Failure> {
    let fits: usize = repeats.iter().map(|r| r.folds.len()).sum();
    let progress = Progress::count(what, (fits * recipe.trees) as u64);
    let judged = trials(columns, labels, repeats, |training, trial| {
        let forest = recipe.fit(training, trial.seed, &|| progress.advance(1))?;
        Ok(forest.predict_proba(columns, trial.test)?)
    });
    progress.finish();
    judged
}

/// Runs something that learns and answers over all trials.
pub fn trials(
    columns: &[Vec<f32>],
    labels: &Codes,
    repeats: &[Repeat],
    mut answer: impl FnMut(&Training<'_>, Trial<'_>) -> Result<flowgait_model::Probabilities, Failure>,
) -> Result<CrossValidation, Failure> {
    let classes = labels.values.len();
    cross_validate(&labels.codes, classes, repeats, |trial| {
        let training = Training {
            columns,
            rows: trial.train,
            codes: &labels.codes,
            classes,
            class_weights: None,
        };
        answer(&training, trial)
    })
}

/// The better of forest and extra-trees by macro-F1 over folds, with its scores there.
pub fn choose(
    args: &RecipeArgs,
    labelled: &Labelled,
    repeats: &[Repeat],
) -> Result<(Recipe, CrossValidation), Failure> {
    /// Trees while choosing: enough to rank two estimators, few enough to be quick.
    const TREES: usize = 60;
    let candidates = match args.recipe()? {
        Some(recipe) => vec![recipe],
        None => vec![args.with(EstimatorKind::Forest)?, args.with(EstimatorKind::ExtraTrees)?],
    };
    let mut best: Option<(Recipe, CrossValidation, f64)> = None;
    for recipe in candidates {
        let judged = judge("choose", labelled, recipe.at_most(TREES), repeats)?;
        let score = judged.spread(|s| s.f1_macro).map_or(0.0, |s| s.mean);
        if best.as_ref().is_none_or(|(_, _, other)| score > *other) {
            best = Some((recipe, judged, score));
        }
    }
    let (recipe, judged, _) = best.expect("there is at least one candidate");
    Ok((recipe, judged))
}

/// Runs everything that learns on so many threads; results do not depend on it.
pub fn use_threads(threads: usize) {
    // A pool can be built once only; a second call in one process keeps the first, which changes nothing but the speed.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}
