//! `POST /v1/predictions`: answers at once, for few rows.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State as With};
use axum::http::HeaderMap;
use flowgait_model::answers::{AnswerParams, Answers};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::extract::{self, Query};
use super::refusals::{OfBody, Refusal, Usual};
use super::table::{self, Written};
use super::{Asking, Shared};
use crate::auth::Scope;
use crate::models::Loaded;
use crate::problem::Problem;
use crate::work::predict_count;

/// What is asked for, beside rows of CSV.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The model: `NAME`, `NAME@VERSION` or `NAME@ALIAS`; without one the starter model.
    model: Option<String>,
    /// 'unknown' where the confidence is below this.
    reject: Option<f32>,
    /// 'unknown' where an answer is more doubtful than all but this share of answers to what was learnt.
    unknown: Option<f64>,
    /// The answer as after so many packets, of a model that was fitted early.
    after: Option<usize>,
}

/// Rows as JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rows {
    /// The model: `NAME`, `NAME@VERSION` or `NAME@ALIAS`; without one the starter model.
    model: Option<String>,
    /// The columns, where rows are lists.
    columns: Option<Vec<String>>,
    /// Objects by column, or lists in the order of `columns`; at most 1,000.
    rows: Vec<Value>,
    /// 'unknown' where the confidence is below this.
    reject: Option<f32>,
    /// 'unknown' where an answer is more doubtful than all but this share of answers to what was learnt.
    unknown: Option<f64>,
    /// The answer as after so many packets, of a model that was fitted early.
    after: Option<usize>,
}

/// Answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Predictions {
    /// The model that answered, `NAME@VERSION`.
    model: String,
    /// One for each row, in order.
    predictions: Vec<Prediction>,
}

/// The answer for a row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Prediction {
    /// The likeliest class, or 'unknown'.
    label: String,
    /// The probability of the likeliest class.
    confidence: f32,
    /// The likeliest classes.
    top: Vec<Likely>,
}

/// A class and its probability.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Likely {
    /// The class.
    label: String,
    /// Its probability.
    confidence: f32,
}

/// Answers up to 1,000 rows at once.
///
/// Rows come as CSV with a header (`text/csv`) or as JSON. Columns are found by name, in any order; those that the model does not look at are passed over.
#[utoipa::path(
    post,
    path = "/v1/predictions",
    tag = "predictions",
    params(Asked),
    request_body(content((Rows = "application/json"), (String = "text/csv"))),
    responses(
        (status = 200, description = "An answer for each row", body = Predictions),
        Usual, OfBody, Refusal<422>,
    ),
    security(("key" = []))
)]
pub(crate) async fn predict(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Predictions>, Problem> {
    asking.caller()?.check(Scope::Predict)?;
    let kind = extract::media_type(&headers).unwrap_or_default();
    let bytes = table::body(body, app.limits.body_octets, app.limits.idle).await?;
    let (asked, written, bytes) = match kind.as_str() {
        "text/csv" => (asked, Written::Csv, bytes),
        "application/json" => {
            let Rows { model, columns, rows, reject, unknown, after } = extract::json(&bytes)?;
            check_rows(rows.len(), app.limits.rows)?;
            let asked = Asked {
                model: model.or(asked.model),
                reject: reject.or(asked.reject),
                unknown: unknown.or(asked.unknown),
                after: after.or(asked.after),
            };
            (asked, Written::Json, table::csv_of_json(columns, rows, &app.tables)?)
        }
        _ => {
            return Err(Problem::unsupported("Send rows as text/csv or application/json."));
        }
    };
    let model = app.models.get(asked.model.as_deref()).await?;
    let params = AnswerParams {
        reject: asked.reject.or(model.reject.filter(|_| asked.unknown.is_none())),
        unknown: asked.unknown,
        after: asked.after,
        ..AnswerParams::default()
    };
    let (most, limits) = (app.limits.rows, app.tables.clone());
    // Few rows take less than a thread of their own; more would keep other requests waiting.
    let predictions = tokio::task::spawn_blocking(move || {
        let mut rows = table::Rows::of(bytes, written, &model, &limits)?;
        answer(&model, params, &mut rows, most)
    });
    let predictions = predictions
        .await
        .map_err(|_| Problem::internal("The log has the reason under this request's id."))??;
    Ok(Json(predictions))
}

pub(crate) fn check_rows(rows: usize, most: usize) -> Result<(), Problem> {
    if rows > most {
        let told = format!(
            "There are more than {most} rows. Submit a job for larger tables: POST /v1/jobs."
        );
        return Err(Problem::too_large(told));
    }
    Ok(())
}

fn answer(
    model: &Arc<Loaded>,
    params: AnswerParams,
    rows: &mut table::Rows,
    most: usize,
) -> Result<Predictions, Problem> {
    let mut answers = Answers::new(&model.model, params).map_err(crate::Error::from)?;
    let mut predictions = Vec::new();
    while let Some(batch) = rows.next_batch(most + 1)? {
        check_rows(predictions.len() + batch.rows(), most)?;
        let said = answers.said(&batch).map_err(crate::Error::from)?;
        let classes = model.model.classes();
        for row in 0..batch.rows() {
            let probabilities = said.row(row);
            let is_empty = batch.dataset.columns.iter().all(|column| column[row].is_nan());
            let (withheld, ranked) = answers.verdict(probabilities, is_empty);
            let top: Vec<Likely> = ranked
                .iter()
                .map(|&class| Likely {
                    label: classes[class].clone(),
                    confidence: probabilities[class],
                })
                .collect();
            let label = if withheld {
                flowgait_model::answers::UNKNOWN.to_owned()
            } else {
                classes[ranked[0]].clone()
            };
            predictions.push(Prediction { label, confidence: probabilities[ranked[0]], top });
        }
    }
    predict_count(model, answers.tally());
    Ok(Predictions { model: model.pinned(), predictions })
}

/// Counts answers for whoever watches.
pub(crate) fn count(model: &Loaded, answers: &Answers<'_>) {
    predict_count(model, answers.tally());
}
