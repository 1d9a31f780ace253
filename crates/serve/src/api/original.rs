//! The two routes of the system that this replaces, with honest answers: a failed task says so, an unknown one is not there, and an
//! unknown kind of task is refused.

use axum::Json;
use axum::extract::{Extension, State as With};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{Multipart, Path};
use super::refusals::{OfBody, Refusal, Usual};
use super::{App, Asking, Shared, jobs, upload};
use crate::auth::Scope;
use crate::job::{Job, State};
use crate::order::{Format, Order, PredictOrder, PredictResult, names};
use crate::problem::Problem;

/// Labels shown in one answer: what there is beyond is fetched as a file.
const LABELS_MAX: u64 = 1_000_000;

/// A task that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Task {
    task_id: String,
}

/// Takes a table in for a kind of task: `app` or `att`, each the model of that name.
#[utoipa::path(
    post,
    path = "/predict/{task_type}",
    tag = "original",
    params(("task_type" = String, Path, description = "app or att")),
    request_body(content = jobs::JobForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "It is taken in, and on disk", body = Task),
        Usual, OfBody, Refusal<404>, Refusal<422>, Refusal<507>,
    ),
    security(("key" = []))
)]
pub(crate) async fn predict(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(task_type): Path<String>,
    form: Multipart,
) -> Result<Json<Task>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let kinds = || app.tasks.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>().join(", ");
    let (_, model) = app.tasks.iter().find(|(kind, _)| *kind == task_type).ok_or_else(|| {
        Problem::not_found(format!("There is no such kind of task; there are: {}.", kinds()))
    })?;
    let received = upload::receive(&app, form).await?;
    let order = async |app: &App, form: &mut upload::Received| {
        let model = app.models.get(Some(model)).await?;
        let input = form.upload.clone().ok_or_else(jobs::form::no_file)?;
        form.none_left("file")?;
        let (answers, format) = (flowgait_model::answers::AnswerParams::default(), Format::Csv);
        Ok(Order::Predict(PredictOrder { input, model: model.pinned(), answers, format }))
    };
    let job = jobs::take_in(&app, &caller, received, None, order).await?;
    Ok(Json(Task { task_id: job.id.to_string() }))
}

/// How a task stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskResult {
    task_id: String,
    /// PENDING, STARTED, SUCCESS, FAILURE or REVOKED.
    status: &'static str,
    /// The labels, in the order of the rows; null before.
    result: Option<Vec<String>>,
    /// Why it failed; null otherwise.
    error: Option<String>,
    /// The model that answered, `NAME@VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

/// How a task stands, and its labels once it has succeeded.
#[utoipa::path(
    get,
    path = "/result/{task_id}",
    tag = "original",
    params(("task_id" = String, Path, description = "As the task was called when it was taken in")),
    responses(
        (status = 200, description = "How it stands", body = TaskResult),
        Usual, Refusal<404>, Refusal<409>,
    ),
    security(("key" = []))
)]
pub(crate) async fn result(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(task_id): Path<String>,
) -> Result<Json<TaskResult>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = jobs::find(&app, &caller, &task_id).await?;
    let status = match job.state {
        State::Queued | State::Paused => "PENDING",
        State::Running => "STARTED",
        State::Succeeded => "SUCCESS",
        State::Failed | State::Dead => "FAILURE",
        State::Cancelled => "REVOKED",
    };
    let mut answer = TaskResult {
        task_id,
        status,
        result: None,
        error: job
            .reason
            .as_ref()
            .filter(|_| job.state.is_end())
            .map(|reason| reason.detail.clone()),
        model: None,
    };
    if job.state == State::Succeeded {
        let result = jobs::download::succeeded(&job)?;
        answer.model = Some(result.model.clone());
        answer.result = Some(labels(&app, &job, &result).await?);
    }
    Ok(Json(answer))
}

/// The answers alone, row by row.
async fn labels(app: &App, job: &Job, result: &PredictResult) -> Result<Vec<String>, Problem> {
    if result.tally.rows > LABELS_MAX || result.format != Format::Csv {
        return Err(Problem::conflict(format!(
            "The labels are more than fit one answer, or not CSV: fetch /v1/jobs/{}/result.",
            job.id
        )));
    }
    // Pieces need not end at the end of a row, so they are read as one.
    let (app, id, pieces) = (app.blobs.clone(), job.id, result.pieces.clone());
    let read = tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let empty: Box<dyn std::io::Read> = Box::new(std::io::empty());
        let all = pieces.iter().fold(empty, |all, piece| {
            Box::new(all.chain(app.reader(&names::piece(id, &piece.sha256), 0..piece.octets)))
        });
        let mut reader = csv::Reader::from_reader(all);
        let place = (0_usize..)
            .zip(reader.headers()?)
            .filter(|(_, name)| *name == "prediction")
            .last()
            .map(|(at, _)| at);
        let mut labels = Vec::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            labels.push(place.and_then(|place| record.get(place)).unwrap_or_default().to_owned());
        }
        Ok::<_, csv::Error>(labels)
    });
    let read = read
        .await
        .map_err(|_| Problem::internal("The log has the reason under this request's id."))?;
    read.map_err(|error| {
        tracing::error!(%error, "a result could not be read");
        Problem::unavailable("The answers could not be read now.").after(2)
    })
}
