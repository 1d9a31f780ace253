//! The two routes of the system that this replaces, with honest answers: a failed task says so, an unknown one is not there, and an
//! unknown kind of task is refused.

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Extension, Multipart, Path, State as With};
use serde::Serialize;
use utoipa::ToSchema;

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
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such kind of task", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The upload came too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The upload is beyond a limit", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The upload is of a kind that is not read", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The upload cannot be used, or there is no model for the task", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The queue is full, or too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "There is no room", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(crate) async fn predict(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(task_type): Path<String>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<Task>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let kinds = || app.tasks.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>().join(", ");
    let (_, model) = app.tasks.iter().find(|(kind, _)| *kind == task_type).ok_or_else(|| {
        Problem::not_found(format!("There is no such kind of task; there are: {}.", kinds()))
    })?;
    let form = form.map_err(|error| Problem::bad_request(format!("{}.", error.body_text())))?;
    let received = upload::receive(&app, form).await?;
    let order = async |app: &App, form: &mut upload::Received| {
        let model = app.models.get(Some(model)).await?;
        let input = form.upload.clone().ok_or_else(|| {
            Problem::bad_request("The form has no field 'file' with a table or a capture.")
        })?;
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
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such task", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Too many labels for one answer", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
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
        let result = jobs::succeeded(&job)?;
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
