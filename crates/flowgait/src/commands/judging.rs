//! Learning and answering over the folds of a split, with an estimator that is named or chosen.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use flowgait_features::dataset::{Codes, Dataset};
use flowgait_features::extract::Early;
use flowgait_features::layout::Layout;
use flowgait_features::split;
use flowgait_model::calibrate::EarlySharpness;
use flowgait_model::conformal::Strangeness;
use flowgait_model::linear;
use flowgait_model::recipe::early::AFTER;
use flowgait_model::recipe::{EstimatorKind, Recipe, VOTERS};
use flowgait_model::validation::{CrossValidation, Repeat, Trial, cross_validate};
use flowgait_model::{Doubt, Estimator, Probabilities, Sharpness, Training, voting};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::learning::Labelled;
use super::recipe::RecipeArgs;
use super::splitting::SplitArg;
use crate::failure::Failure;
use crate::progress::Progress;

/// Trees while choosing: enough to rank estimators, few enough to be quick.
const CHOOSING_TREES: usize = 60;
/// Rows by classes, above which a linear classifier is not tried: it would take longer than all trees.
const LINEAR_WORK_MAX: usize = 500_000;
/// The same for a stack, which learns all of them on five folds more.
const STACK_WORK_MAX: usize = 150_000;
/// A stack is for many classes with few rows: so many classes at least, and so many rows of each at most, on average.
const STACK_CLASSES_MIN: usize = 10;
const STACK_ROWS_MAX: usize = 50;
/// Boosting is for rows enough to tell when to stop, and for tables that it does not take minutes to choose on.
const BOOST_ROWS_MIN: usize = 1_000;
const BOOST_WORK_MAX: usize = 2_000_000;
/// A network of convolutions is for tables with packets in order and rows enough for it; each fit takes it ten seconds of a core or more.
const CNN_ROWS_MIN: usize = 2_000;
/// Most rows for choosing; more would take longer than they tell.
const CHOOSING_ROWS_MAX: usize = 20_000;
/// Folds on which an estimator is chosen.
pub const CHOOSING_FOLDS: usize = 3;

/// What learns in each trial. What is chosen or calibrated, is so on folds of the trial's own training rows, which come apart as the
/// whole does, so that no row that is judged had a say.
pub struct Learner<'a> {
    /// What is tried.
    pub candidates: Candidates<'a>,
    /// How rows come apart.
    pub split: &'a SplitArg,
    /// After how many packets of each flow an early model answers; without it, of whole flows.
    pub after: Option<usize>,
}

/// What may learn.
pub enum Candidates<'a> {
    /// This.
    Fixed(Recipe),
    /// Whichever does best.
    Best(&'a RecipeArgs),
}

/// What did best, and what it did.
pub struct Choice {
    /// The recipe.
    pub recipe: Recipe,
    /// Its scores on the folds.
    pub judged: CrossValidation,
    /// What makes its confidence true, by the same folds.
    pub sharpness: Sharpness,
    /// What makes its sets of labels hold, by the same folds.
    pub strangeness: Strangeness,
    /// What tells when to answer "unknown", by the same folds.
    pub doubt: Doubt,
    /// What makes confidence true after few packets, where the recipe learns to answer so.
    pub early: Option<EarlySharpness>,
    /// What was tried and its macro-F1 on the folds, best first.
    pub tried: Vec<(EstimatorKind, f64)>,
    /// What a network of convolutions did on them, where one was tried, did worse, and cannot be told apart by so much.
    pub network_as_well: Option<CrossValidation>,
}

/// A cross-validation, and what learnt in each of its trials.
pub struct Judged {
    /// The scores and answers.
    pub scores: CrossValidation,
    /// The recipe of each trial, by seed and fold.
    pub recipes: BTreeMap<(u64, usize), Recipe>,
}

impl Judged {
    /// The recipe that learnt in most trials, and in how many.
    pub fn usual(&self) -> (Recipe, usize) {
        let count = |recipe: &Recipe| self.recipes.values().filter(|r| *r == recipe).count();
        let usual = self.recipes.values().max_by_key(|recipe| count(recipe));
        let usual = *usual.expect("a cross-validation has trials");
        (usual, count(&usual))
    }
}

/// Judges over folds.
pub fn judge(
    what: &str,
    labelled: &Labelled,
    learner: &Learner<'_>,
    repeats: &[Repeat],
) -> Result<Judged, Failure> {
    let mut recipes = BTreeMap::new();
    let (columns, labels) = (&labelled.dataset.columns, labelled.labels());
    let fits = repeats.iter().map(|r| r.folds.len()).sum::<usize>();
    let progress = Progress::count(what, fits as u64);
    let scores = trials(columns, labels, repeats, |training, trial| {
        let choice = choose_within(learner, labelled, trial.train, trial.seed)?;
        recipes.insert((trial.seed, trial.fold), choice.recipe);
        let said = match (learner.after, &choice.early) {
            (Some(packets), Some(early)) => {
                let dataset = &labelled.dataset;
                let model = choice.recipe.fit(&dataset.schema, training, trial.seed, &|| {})?;
                let mut said = answer_after(&model, dataset, trial.test, packets)?;
                early.after(packets).apply(&mut said);
                said
            }
            _ => {
                let mut said = fit_and_answer(choice.recipe, &labelled.dataset, training, trial)?;
                choice.sharpness.apply(&mut said);
                said
            }
        };
        progress.advance(1);
        Ok(said)
    })?;
    progress.finish();
    Ok(Judged { scores, recipes })
}

/// Judges a recipe over folds, on other columns for the same rows.
pub fn judge_columns(
    what: &str,
    dataset: &Dataset,
    labels: &Codes,
    recipe: Recipe,
    repeats: &[Repeat],
) -> Result<CrossValidation, Failure> {
    let fits: usize = repeats.iter().map(|r| r.folds.len()).sum();
    let progress = Progress::count(what, fits as u64);
    let judged = trials(&dataset.columns, labels, repeats, |training, trial| {
        let said = fit_and_answer(recipe, dataset, training, trial)?;
        progress.advance(1);
        Ok(said)
    });
    progress.finish();
    judged
}

fn fit_and_answer(
    recipe: Recipe,
    dataset: &Dataset,
    training: &Training<'_>,
    trial: Trial<'_>,
) -> Result<Probabilities, Failure> {
    let fitted = recipe.fit(&dataset.schema, training, trial.seed, &|| {})?;
    Ok(fitted.predict_proba(&dataset.columns, trial.test)?)
}

/// Runs something that learns and answers over all trials.
pub fn trials(
    columns: &[Vec<f32>],
    labels: &Codes,
    repeats: &[Repeat],
    mut answer: impl FnMut(&Training<'_>, Trial<'_>) -> Result<Probabilities, Failure>,
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

/// The best candidate by macro-F1 over folds, with its scores there.
///
/// `rows` is how many it will learn from; `labelled` may be a sample of them.
pub fn choose(
    candidates: &Candidates<'_>,
    labelled: &Labelled,
    rows: usize,
    repeats: &[Repeat],
) -> Result<Choice, Failure> {
    let recipes = match candidates {
        Candidates::Fixed(recipe) => vec![*recipe],
        Candidates::Best(args) => match args.recipe()? {
            Some(recipe) => vec![recipe],
            None => worth_trying(args, labelled, rows)?,
        },
    };
    let mut best: Option<(Recipe, CrossValidation, f64)> = None;
    let mut network = None;
    let mut tried = Vec::new();
    let mut voters = Vec::new();
    let is_open = recipes.len() > 1;
    for recipe in recipes {
        let few_trees = recipe.at_most(CHOOSING_TREES);
        let labels = labelled.labels();
        let judged = judge_columns("choose", &labelled.dataset, labels, few_trees, repeats)?;
        let score = judged.spread(|s| s.f1_macro).map_or(0.0, |s| s.mean);
        tried.push((recipe.estimator, score));
        if recipe.estimator == EstimatorKind::Cnn {
            network = Some(judged.clone());
        }
        if is_open && VOTERS.contains(&recipe.estimator) {
            voters.push(judged.clone());
        }
        if best.as_ref().is_none_or(|(_, _, other)| score > *other) {
            best = Some((recipe, judged, score));
        }
    }
    if let (Candidates::Best(args), true) = (candidates, voters.len() == VOTERS.len())
        && let Some(judged) = judge_mean(&voters, labelled.labels(), repeats)?
    {
        let recipe = args.with(EstimatorKind::Voting)?;
        let score = judged.spread(|s| s.f1_macro).map_or(0.0, |s| s.mean);
        tried.push((recipe.estimator, score));
        if best.as_ref().is_none_or(|(_, _, other)| score > *other) {
            best = Some((recipe, judged, score));
        }
    }
    let (recipe, judged, _) = best.expect("there is at least one candidate");
    let sharpness = Sharpness::fit(&judged.truth, &judged.probabilities)?;
    let mut said = judged.probabilities.clone();
    sharpness.apply(&mut said);
    let strangeness = Strangeness::of(&judged.truth, &said)?;
    let doubt = Doubt::of(&said)?;
    let network_as_well = network
        .filter(|of| recipe.estimator != EstimatorKind::Cnn && cannot_be_told_apart(&judged, of));
    let early = match recipe.early {
        true => Some(early_sharpness(recipe.at_most(CHOOSING_TREES), labelled, repeats)?),
        false => None,
    };
    tried.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(Choice { recipe, judged, sharpness, strangeness, doubt, early, tried, network_as_well })
}

/// What a vote of several does on folds that each of them was judged on: the mean of what they said there, so it needs no fit of its own.
/// None where folds were drawn more than once, since what was said is kept of the first draw alone.
fn judge_mean(
    judged: &[CrossValidation],
    labels: &Codes,
    repeats: &[Repeat],
) -> Result<Option<CrossValidation>, Failure> {
    if repeats.len() != 1 {
        return Ok(None);
    }
    let said: Vec<&Probabilities> = judged.iter().map(|judged| &judged.probabilities).collect();
    let mut said = &voting::mean(&said).values[..];
    let classes = labels.values.len();
    let judged = cross_validate(&labels.codes, classes, repeats, |trial| {
        let (own, rest) = said.split_at(trial.test.len() * classes);
        said = rest;
        Ok::<_, Failure>(Probabilities { classes, values: own.to_vec() })
    })?;
    Ok(Some(judged))
}

/// What makes confidence true after each number of packets that was learnt from, on folds.
fn early_sharpness(
    recipe: Recipe,
    labelled: &Labelled,
    repeats: &[Repeat],
) -> Result<EarlySharpness, Failure> {
    let judged = judge_after(recipe, labelled, repeats, &AFTER)?;
    let steps = AFTER.iter().zip(&judged).map(|(&packets, judged)| {
        Ok((packets as u32, Sharpness::fit(&judged.truth, &judged.probabilities)?))
    });
    let steps = steps.collect::<Result<_, Failure>>()?;
    Ok(EarlySharpness::new(steps).expect("packets ascend from 1"))
}

/// Judges one model of each fold after each of some numbers of packets.
pub fn judge_after(
    recipe: Recipe,
    labelled: &Labelled,
    repeats: &[Repeat],
    packets: &[usize],
) -> Result<Vec<CrossValidation>, Failure> {
    let dataset = &labelled.dataset;
    let mut fitted: BTreeMap<(u64, usize), Estimator> = BTreeMap::new();
    let mut judged = Vec::with_capacity(packets.len());
    for &packets in packets {
        judged.push(trials(&dataset.columns, labelled.labels(), repeats, |training, trial| {
            let model = match fitted.entry((trial.seed, trial.fold)) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => {
                    place.insert(recipe.fit(&dataset.schema, training, trial.seed, &|| {})?)
                }
            };
            answer_after(model, dataset, trial.test, packets)
        })?);
    }
    Ok(judged)
}

/// What a model says of some rows after their first packets.
fn answer_after(
    model: &Estimator,
    dataset: &Dataset,
    rows: &[u32],
    packets: usize,
) -> Result<Probabilities, Failure> {
    let known = Early::of(&dataset.schema)?.after(&dataset.columns, rows, packets);
    let all: Vec<u32> = (0..rows.len() as u32).collect();
    Ok(model.predict_proba(&known, &all)?)
}

/// Whether two macro-F1 differ by no more than chance does (corrected resampled t-test, 5 %).
fn cannot_be_told_apart(a: &CrossValidation, b: &CrossValidation) -> bool {
    let test = a.compare(b, |scores| scores.f1_macro);
    test.is_ok_and(|test| test.is_none_or(|test| test.p_value > 0.05))
}

/// What is tried where no estimator was named.
fn worth_trying(
    args: &RecipeArgs,
    labelled: &Labelled,
    rows: usize,
) -> Result<Vec<Recipe>, Failure> {
    let mut kinds = vec![EstimatorKind::Forest, EstimatorKind::ExtraTrees];
    let (dataset, classes) = (&labelled.dataset, labelled.labels().values.len());
    if args.early {
        // Nine times the rows, most of them half empty: for trees, which take both well.
        return kinds.into_iter().map(|kind| args.with(kind)).collect();
    }
    if rows >= BOOST_ROWS_MIN && dataset.rows * dataset.columns.len() <= BOOST_WORK_MAX {
        kinds.push(EstimatorKind::Boost);
    }
    let here: Vec<u32> = (0..dataset.rows as u32).collect();
    let has_packets = Layout::of(&dataset.schema, &dataset.columns, &here).sizes.is_some();
    if has_packets && rows >= CNN_ROWS_MIN {
        kinds.push(EstimatorKind::Cnn);
    }
    if has_packets && rows <= linear::ROWS_MAX && rows * classes <= LINEAR_WORK_MAX {
        kinds.push(EstimatorKind::Linear);
        let few = classes >= STACK_CLASSES_MIN && rows <= classes * STACK_ROWS_MAX;
        if few && rows * classes <= STACK_WORK_MAX {
            kinds.push(EstimatorKind::Stack);
        }
    }
    kinds.into_iter().map(|kind| args.with(kind)).collect()
}

/// Some of the rows, where there are more than choosing needs.
pub fn sample(labelled: &Labelled, seed: u64) -> Result<Option<Labelled>, Failure> {
    let (rows, labels) = (labelled.dataset.rows, labelled.labels());
    if rows <= CHOOSING_ROWS_MAX {
        return Ok(None);
    }
    let share = CHOOSING_ROWS_MAX as f64 / rows as f64;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let chosen = split::random_hold_out(rows, Some(&labels.codes), share, &mut rng)?.test;
    Ok(Some(labelled.select(&chosen)))
}

/// Seeds of the folds on which a recipe is chosen: of few rows one draw says little, and many cost little; where nothing is drawn, one is all.
pub fn choosing_seeds(split: &SplitArg, rows: usize, seed: u64) -> Vec<u64> {
    const FEW_ROWS: usize = 200;
    const DRAWS: usize = 10;
    (seed..).take(if rows <= FEW_ROWS && split.is_drawn() { DRAWS } else { 1 }).collect()
}

/// The best candidate on folds of some rows only, split as the whole is; by chance where so few rows cannot be split so.
fn choose_within(
    learner: &Learner<'_>,
    labelled: &Labelled,
    rows: &[u32],
    seed: u64,
) -> Result<Choice, Failure> {
    let known = labelled.select(rows);
    let known = sample(&known, seed)?.unwrap_or(known);
    let repeats = |split: &SplitArg| {
        let seeds = choosing_seeds(split, known.dataset.rows, seed);
        split.repeats(&known, CHOOSING_FOLDS, &seeds)
    };
    let repeats = repeats(learner.split).or_else(|_| repeats(&SplitArg::Random))?;
    choose(&learner.candidates, &known, rows.len(), &repeats)
}
