//! `GET /v1/jobs/{id}/rows/{n}`: one row of the answers, and why it got its answer.
//!
//! Sketch: 100,000 flows of our own are 200 MB of CSV, whose rows are found by their ends; a hundred of them are read, and 200 trees
//! walked through a hundred times.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, State as With};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use flowgait_model::answers;
use flowgait_model::why::{self, Gathered, Held, OfClass, Others, Part};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::columns::predict_order;
use super::looking::{self, Asked};
use super::{download, find};
use crate::api::extract::Path;
use crate::api::refusals::{Refusal, Usual};
use crate::api::{App, Asking, Shared};
use crate::auth::Scope;
use crate::error::Error;
use crate::job::JobId;
use crate::models::Loaded;
use crate::order::{PredictOrder, PredictResult};
use crate::problem::Problem;
use crate::result::{Picked, Stored};

/// How long it may take to find a row and explain it.
const TIME: Duration = Duration::from_secs(10);
/// Classes that are shown with their probability.
const CLASSES: usize = 5;
/// Columns that are shown with their share.
const CONTRIBUTIONS: usize = 8;
/// The seed of `flowgait explain`, so that both say the same where chance has a part in it.
const SEED: u64 = 1;

/// A row of the answers, and why it got its answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowView {
    /// Its number, from 1.
    row: u64,
    /// Its cells by their column, in the order of the table.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    cells: Cells,
    /// The answer.
    prediction: String,
    /// The likeliest classes, at most five.
    probabilities: Vec<ClassProbability>,
    /// The class that is explained: the likeliest, also where the answer is withheld.
    class: String,
    /// What is explained: the probability before it is made true, or what boosting sums up.
    measure: Measure,
    /// What the rows that it is held against get on average.
    base: f64,
    /// What the row gets: the base, all contributions and the others, added.
    value: f64,
    /// What moved it most, at most eight, the largest amount first.
    contributions: Vec<Contribution>,
    /// What all other columns did together.
    others: OtherColumns,
    /// What it is held against: rows of the same answers, evenly spread.
    against: Against,
}

/// What an explanation explains.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Measure {
    /// The probability of the class, before it is made true.
    Probability,
    /// The logarithm of the probability, but for what all classes share.
    Margin,
}

/// A class and its probability.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClassProbability {
    class: String,
    probability: f32,
}

/// What a column, or a list of columns, did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contribution {
    /// The column, or what the names of the list begin with.
    feature: String,
    /// Its unit; empty where nobody says.
    unit: String,
    /// How many columns it is.
    columns: usize,
    /// The row's value; null for lists, and where it is missing.
    value: Option<f32>,
    /// What is usual among the rows that it is held against; null likewise.
    usual: Option<f32>,
    /// How much it moved the answer.
    share: f64,
}

/// What several columns did together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OtherColumns {
    /// How many columns and lists they are.
    count: usize,
    /// How much they moved the answer.
    share: f64,
}

/// What a row is held against.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Against {
    rows: usize,
}

/// Cells by their column, in the order of the table.
#[derive(Debug)]
struct Cells(Vec<(String, String)>);

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(column, cell)| (column, cell)))
    }
}

/// One row of the answers, and why it got its answer.
///
/// The model is the one that answered. The row's likeliest class is explained by Shapley values against up to 100 rows of the same answers,
/// evenly spread: the base, the contributions and the others add up to the value. What cannot be explained within seconds is refused.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/rows/{n}",
    tag = "jobs",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("n" = u64, Path, minimum = 1, description = "The row's number, from 1"),
    ),
    responses(
        (status = 200, description = "The row", body = RowView),
        Usual, Refusal<404>, Refusal<409>, Refusal<422>,
    ),
    security(("key" = []))
)]
pub(crate) async fn row(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = find(&app, &caller, &id).await?;
    let result = download::succeeded(&job)?;
    let order = predict_order(&job)?;
    let number: u64 = number
        .parse()
        .map_err(|_| Problem::bad_request("The number of a row is a whole number, from 1."))?;
    check(&order)?;
    let rows = result.tally.rows;
    if !(1..=rows).contains(&number) {
        return Err(no_such_row(rows));
    }
    let model = app.models.get(Some(&result.model)).await?;
    let looking = app.looking.rows.clone();
    let looked = Looked { app, job: job.id, result, model, number };
    let view = looking::compute(&looking, TIME, move |asked| looked.view(asked)).await?;
    Ok(([(header::CACHE_CONTROL, "private, max-age=3600")], Json(view)).into_response())
}

fn no_such_row(rows: u64) -> Problem {
    Problem::not_found(match rows {
        0 => "The answers have no rows.".to_owned(),
        rows => format!("The answers have rows 1 to {rows}."),
    })
}

/// Answers that lack what an explanation needs.
fn check(order: &PredictOrder) -> Result<(), Problem> {
    let told = if order.answers.only_predictions {
        "The answers have few of the input's columns, so nobody can say why they are what they are. Submit it again without 'only_predictions'."
    } else if order.answers.after.is_some() {
        "The answers are those after some packets; only those to whole flows are explained. Submit it again without 'after'."
    } else {
        return Ok(());
    };
    Err(Problem::conflict(told))
}

/// A row that is looked at.
struct Looked {
    app: Arc<App>,
    job: JobId,
    result: PredictResult,
    model: Arc<Loaded>,
    number: u64,
}

impl Looked {
    fn view(&self, asked: &Asked) -> Result<RowView, Problem> {
        let number = self.number;
        let mut numbers = why::spread(self.result.tally.rows);
        if let Err(place) = numbers.binary_search(&number) {
            numbers.insert(place, number);
        }
        let stored = Stored { blobs: &self.app.blobs, job: self.job, result: &self.result };
        let schema = self.model.model.schema();
        let picked = stored.pick(schema, &numbers, &|| asked.goes_on())?;
        let picked = picked.ok_or_else(|| self.too_slow("the row is not found among so many"))?;
        let model = &self.model.model;
        let (own, held) = self.held(picked).ok_or_else(|| no_such_row(self.result.tally.rows))?;
        if held.is_alone() {
            let told =
                "The answers have one row, and none to hold it against. Submit more rows together.";
            return Err(Problem::conflict(told));
        }
        let said = held.said(model).map_err(Error::from)?;
        let ranked = answers::ranked(&said, CLASSES.min(said.len()));
        let explained = held.why(model, &[ranked[0] as u32], SEED, &|| asked.goes_on());
        let mut explained = explained.map_err(|error| match error {
            flowgait_model::Error::GivenUp => {
                self.too_slow("an answer of this model is not explained (one of a forest would be)")
            }
            other => Error::from(other).into(),
        })?;
        let of = explained.pop().expect("invariant: one for each class that is asked for");
        let likely = |&class: &usize| ClassProbability {
            class: model.classes()[class].clone(),
            probability: said[class],
        };
        let probabilities = ranked.iter().map(likely).collect();
        Ok(view(own, number, probabilities, of, held.background_rows()))
    }

    /// The row's cells by their column, and the row among those that it is held against.
    fn held(&self, picked: Picked) -> Option<(Cells, Held)> {
        let mut gathered = Gathered::new(&self.model.model);
        let spread = why::spread(self.result.tally.rows);
        let mut own = None;
        for row in picked.rows {
            if spread.binary_search(&row.number).is_ok() {
                gathered.hold(row.number, None, &row.values);
            }
            if row.number == self.number {
                gathered.ask(row.number, None, &row.values, Others::Spread);
                own = Some(Cells(picked.header.iter().cloned().zip(row.cells).collect()));
            }
        }
        Some((own?, gathered.held(&self.model.model)?))
    }

    /// What is told where the time is over.
    fn too_slow(&self, what: &str) -> Problem {
        let (seconds, row) = (TIME.as_secs(), self.number);
        Problem::conflict(format!(
            "Within {seconds} seconds {what}. Fetch the result and the model ({}), and ask 'flowgait explain --model MODEL RESULT --row {row}', which takes its time.",
            self.result.model
        ))
    }
}

fn view(
    cells: Cells,
    row: u64,
    probabilities: Vec<ClassProbability>,
    of: OfClass,
    against: usize,
) -> RowView {
    let mut parts: Vec<Part> = of.columns;
    parts.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    let shown = parts.iter().take(CONTRIBUTIONS).filter(|part| part.contribution != 0.0).count();
    let others = parts.split_off(shown);
    let contribution = |part: Part| Contribution {
        feature: part.name,
        unit: part.unit,
        columns: part.columns,
        value: part.value,
        usual: part.usual,
        share: part.contribution,
    };
    // The input may have a column of that name, too; the answer stands behind it.
    let prediction = cells.0.iter().rev().find(|(column, _)| is_prediction(column));
    RowView {
        row,
        prediction: prediction.map(|(_, cell)| cell.clone()).unwrap_or_default(),
        cells,
        probabilities,
        class: of.class,
        measure: match of.measure {
            "margin" => Measure::Margin,
            _ => Measure::Probability,
        },
        base: of.base,
        value: of.value,
        contributions: parts.into_iter().map(contribution).collect(),
        others: OtherColumns {
            count: others.len(),
            share: others.iter().map(|part| part.contribution).sum(),
        },
        against: Against { rows: against },
    }
}

/// Whether a column of the answers is the answer; where the input had one of that name it has a number behind it.
fn is_prediction(column: &str) -> bool {
    let rest = column.strip_prefix("prediction");
    rest.is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('.').is_some_and(|n| n.parse::<u32>().is_ok())
    })
}
