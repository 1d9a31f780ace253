//! What changed at a moment: answers to what was before, held against answers to what is since.
//!
//! Answers to rows that a model learnt from flatter it, and every class would seem to have got worse since. So where what was before was
//! learnt from, both sides are answered on folds of it: by the same models, as the confidence of one says nothing about another's.

use flowgait_features::Codes;
use flowgait_model::drift::{Drift, Sides};
use flowgait_model::recipe::Recipe;
use flowgait_model::report::Class;
use flowgait_model::validation::{Fold, Repeat};
use flowgait_model::{Model, Probabilities};

use super::fitted::{ALIKE_BY_CHANCE, learnt_share};
use super::{Args, recipe_of};
use crate::commands::judging::{Candidates, Learner, judge};
use crate::commands::learning::Labelled;
use crate::commands::splitting::{self, SplitArg};
use crate::failure::Failure;
use crate::output;
use crate::units;

/// The classes, those that were learnt first, and how much is looked at each column.
struct Known {
    classes: Vec<String>,
    learnt: usize,
    importance: Vec<f32>,
}

/// Rows of one side, and what is said of them over the known classes.
struct Answers {
    rows: Vec<u32>,
    said: Probabilities,
}

/// What changed for a model. `said` is what it says of all rows, over its own classes and then those that it never learnt.
pub fn of_model(
    args: &Args,
    model: &Model,
    labelled: &Labelled,
    fold: &Fold,
    (classes, said): (&[Class], &Probabilities),
) -> Result<Drift, Failure> {
    let known = Known {
        classes: classes.iter().map(|class| class.name.clone()).collect(),
        learnt: model.classes().len(),
        importance: model.importance().to_vec(),
    };
    let pick = |rows: &[u32]| Answers { rows: rows.to_vec(), said: select(rows, said) };
    let before = labelled.select(&fold.train);
    // Up to a share that chance makes alike, it did not learn from them.
    if learnt_share(model, &before.dataset) <= ALIKE_BY_CHANCE {
        let answers = [pick(&fold.train), pick(&fold.test)];
        return hold(args, labelled, &known, answers, None);
    }
    output::note(
        "the model learnt from what was before, so drift is told by its recipe on folds of that",
    );
    let (answers, folds) = on_folds(args, labelled, fold, recipe_of(model)?, &known)?;
    hold(args, labelled, &known, answers, Some(folds))
}

/// What changed for a recipe.
pub fn of_recipe(
    args: &Args,
    labelled: &Labelled,
    fold: &Fold,
    recipe: Recipe,
) -> Result<Drift, Failure> {
    let (dataset, labels) = (&labelled.dataset, labelled.labels());
    let mut is_learnt = vec![false; labels.values.len()];
    fold.train.iter().for_each(|&row| is_learnt[labels.codes[row as usize] as usize] = true);
    let of = |learnt: bool| {
        let names = labels.values.iter().zip(&is_learnt).filter(move |(_, is)| **is == learnt);
        names.map(|(name, _)| name.clone())
    };
    let training = labelled.training(&fold.train);
    let fitted = recipe.fit(&dataset.schema, &training, args.seed, &|| {})?;
    let known = Known {
        classes: of(true).chain(of(false)).collect(),
        learnt: of(true).count(),
        importance: fitted.importance().to_vec(),
    };
    let (answers, folds) = on_folds(args, labelled, fold, recipe, &known)?;
    hold(args, labelled, &known, answers, Some(folds))
}

/// The answers to some of the rows.
pub fn select(rows: &[u32], said: &Probabilities) -> Probabilities {
    let values = rows.iter().flat_map(|&row| said.row(row as usize)).copied().collect();
    Probabilities { classes: said.classes, values }
}

/// Answers to both sides by models of the recipe that learnt from other rows of before, and how those came apart.
fn on_folds(
    args: &Args,
    labelled: &Labelled,
    sides: &Fold,
    recipe: Recipe,
    known: &Known,
) -> Result<([Answers; 2], String), Failure> {
    let own = labelled.select(&sides.train);
    let split = SplitArg::each_row(&own, args.table.group.as_ref());
    let mut repeats = split.repeats(&own, args.folds, &[args.seed])?;
    repeats.iter_mut().for_each(|repeat| add_since(repeat, sides));
    let learner = Learner { candidates: Candidates::Fixed(recipe), split: &split, after: None };
    let judged = judge("drift", labelled, &learner, &repeats)?.scores;
    let said = arranged(&judged.probabilities, labelled.labels(), &known.classes);
    let of = |side: &[u32]| {
        let places = (0..judged.rows.len() as u32)
            .filter(|&at| side.binary_search(&judged.rows[at as usize]).is_ok());
        let places: Vec<u32> = places.collect();
        let rows = places.iter().map(|&at| judged.rows[at as usize]).collect();
        Answers { rows, said: select(&places, &said) }
    };
    let answers = [of(&sides.train), of(&sides.test)];
    Ok((answers, split.named().words()))
}

/// Folds of the rows before as folds of the table, in which each model also answers its share of the rows since.
fn add_since(repeat: &mut Repeat, sides: &Fold) {
    let count = repeat.folds.len();
    for (number, fold) in repeat.folds.iter_mut().enumerate() {
        for rows in [&mut fold.train, &mut fold.test] {
            rows.iter_mut().for_each(|row| *row = sides.train[*row as usize]);
        }
        fold.test.extend(sides.test.iter().skip(number).step_by(count));
    }
}

/// Probabilities over a table's labels, in the order of these classes.
fn arranged(said: &Probabilities, labels: &Codes, classes: &[String]) -> Probabilities {
    let places = places(labels, classes);
    let mut values = vec![0.0; classes.len() * said.rows()];
    for row in 0..said.rows() {
        for (&place, p) in places.iter().zip(said.row(row)) {
            values[row * classes.len() + place] = *p;
        }
    }
    Probabilities { classes: classes.len(), values }
}

/// The place of each of the table's labels among the classes.
fn places(labels: &Codes, classes: &[String]) -> Vec<usize> {
    let place = |name| classes.iter().position(|class| class == name);
    labels.values.iter().map(|name| place(name).expect("every label is a known class")).collect()
}

fn hold(
    args: &Args,
    labelled: &Labelled,
    known: &Known,
    [before, since]: [Answers; 2],
    folds: Option<String>,
) -> Result<Drift, Failure> {
    let rows = [before.rows.as_slice(), &since.rows].concat();
    let both = labelled.select(&rows);
    let places = places(both.labels(), &known.classes);
    let truth: Vec<u32> =
        both.labels().codes.iter().map(|&code| places[code as usize] as u32).collect();
    let values = [before.said.values, since.said.values].concat();
    let said = Probabilities { classes: known.classes.len(), values };
    let marks: Vec<bool> = (0..rows.len()).map(|at| at >= before.rows.len()).collect();
    let sides = Sides {
        features: &both.dataset.schema.features,
        columns: &both.dataset.columns,
        importance: &known.importance,
        classes: &known.classes,
        learnt: known.learnt,
        truth: &truth,
        said: &said,
        since: &marks,
    };
    let mut drift = Drift::of(&sides, args.seed)?;
    drift.moment = args.since.map_or_else(String::new, splitting::utc);
    drift.folds = folds;
    drift.notes.push("All other parts of this report are about the flows since then.".to_owned());
    if labelled.rows_untimed > 0 {
        let rows = units::counted(labelled.rows_untimed, "row");
        drift.notes.push(format!("Left out, as nothing tells when they began: {rows}."));
    }
    Ok(drift)
}
