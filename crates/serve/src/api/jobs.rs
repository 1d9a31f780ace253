//! Jobs: submitted, watched, taken back, tried again.

pub(crate) mod columns;
pub(crate) mod download;
pub(crate) mod form;
pub(crate) mod looking;
pub(crate) mod preview;
pub(crate) mod row;
mod view;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State as With};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Multipart, Path, Query};
use super::refusals::{OfBody, Refusal, Usual};
use super::upload::{self, Received};
use super::{App, Asking, Shared};
use crate::auth::{Caller, Scope};
use crate::job::{Idempotency, Job, JobId, NewJob, Query as Wanted, Steer, Steered, Submitted};
use crate::order::Order;
use crate::problem::Problem;
use crate::work::sink::hex;
pub(crate) use form::{JobForm, check_name};
pub(crate) use view::JobView;

/// Jobs shown at a time where nobody says how many.
const PAGE_USUAL: usize = 50;
/// Jobs shown at a time.
const PAGE_MAX: usize = 200;
/// Octets of an idempotency key.
const KEY_MAX: usize = 255;

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    /// Newest first.
    jobs: Vec<JobView>,
    /// What to ask for as `before` to see older ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A job was taken in.
fn accepted(app: &App, job: &Job) -> Response {
    let view = JobView::of(app, job);
    let location = HeaderValue::from_str(&view.links.job);
    let mut response = (StatusCode::ACCEPTED, Json(view)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Takes a job in: a table or capture to answer, a model to fit, or a federation to run.
///
/// `202` means that it is on disk. With an `Idempotency-Key` the same request may be sent again and is the same job.
#[utoipa::path(
    post,
    path = "/v1/jobs",
    tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again safe, for 24 hours")),
    request_body(content = JobForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "It is taken in, and on disk", body = JobView, headers(("Location" = String, description = "Where it is"))),
        Usual, OfBody, Refusal<422>, Refusal<507>,
    ),
    security(("key" = []))
)]
pub(crate) async fn submit(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    headers: HeaderMap,
    form: Multipart,
) -> Result<Response, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let key = idempotency_key(&headers)?;
    let received = upload::receive(&app, form).await?;
    let job = take_in(&app, &caller, received, key, form::order).await?;
    Ok(accepted(&app, &job))
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let is_plain = |key: &&str| key.bytes().all(|c| (b' '..=b'~').contains(&c));
    let fits = |key: &&str| (1..=KEY_MAX).contains(&key.len());
    let key = key.to_str().ok().filter(is_plain).filter(fits);
    key.map(|key| Some(key.to_owned())).ok_or_else(|| {
        Problem::bad_request(format!(
            "An Idempotency-Key is 1 to {KEY_MAX} printable ASCII characters."
        ))
    })
}

/// Makes a job of a form; of what was uploaded nothing is left when it does not become one.
pub(crate) async fn take_in(
    app: &Arc<App>,
    caller: &Caller,
    mut received: Received,
    key: Option<String>,
    order: impl AsyncFnOnce(&App, &mut Received) -> Result<Order, Problem>,
) -> Result<Job, Problem> {
    let made = async {
        let order = order(app, &mut received).await?;
        if order.makes_a_model() {
            caller.check(Scope::Models)?;
        }
        let idempotency = key.map(|key| {
            // The model that an alias stands for may be another by now; what was asked for is the same.
            let asked = received_digest(&order);
            Idempotency { key, digest: asked }
        });
        let job = NewJob {
            id: received.id,
            kind: order.kind().to_owned(),
            order: order.to_value(),
            owner: caller.name.clone(),
            rows: received.rows,
            octets: received.upload.as_ref().map_or(0, |upload| upload.octets),
            idempotency,
        };
        Ok::<_, Problem>(app.store.submit(job).await)
    };
    let (keep, outcome) = match made.await {
        Ok(Ok(Submitted::New)) => (true, Ok(received.id)),
        Ok(Ok(Submitted::Known(id))) => (false, Ok(id)),
        Ok(Ok(Submitted::KeyReused(_))) => {
            let told = "This Idempotency-Key came with another request before. Use a new key for a new request.";
            (false, Err(Problem::key_reused(told)))
        }
        Ok(Ok(Submitted::Full { retry_after })) => {
            let told = "As much waits as may wait. Nothing of this was kept: send it again later.";
            (false, Err(Problem::queue_full(told).after(retry_after.as_secs())))
        }
        // Whether it was taken in is not known: what it needs stays, and goes with its job, or within a day without one.
        Ok(Err(error)) => (true, Err(Problem::from(error))),
        Err(problem) => (false, Err(problem)),
    };
    if !keep {
        received.forget(app).await;
    }
    let id = outcome?;
    if keep {
        tracing::info!(job.id = %id, "job taken in");
    }
    app.store
        .job(id)
        .await?
        .ok_or_else(|| Problem::gone("The job that came with this key before is no longer kept."))
}

/// The digest of all that was asked for.
fn received_digest(order: &Order) -> String {
    let mut asked = order.to_value();
    if let Some(model) = asked.get_mut("model")
        && let Some(text) = model.as_str()
    {
        *model = text.split('@').next().unwrap_or_default().into();
    }
    hex(&Sha256::digest(asked.to_string().as_bytes()))
}

/// Which jobs to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// Only those in these states, with commas between them.
    state: Option<String>,
    /// Only those of this kind.
    kind: Option<String>,
    /// Only those made before this one.
    before: Option<String>,
    /// At most so many, up to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Jobs, newest first: those of the key that asks; all for an admin.
#[utoipa::path(
    get,
    path = "/v1/jobs",
    tag = "jobs",
    params(ListParams),
    responses(
        (status = 200, description = "A page of jobs", body = JobPage),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn list(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Query(params): Query<ListParams>,
) -> Result<Json<JobPage>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let most = params.limit.unwrap_or(PAGE_USUAL);
    if !(1..=PAGE_MAX).contains(&most) {
        return Err(Problem::bad_request(format!("'limit' is a number from 1 to {PAGE_MAX}.")));
    }
    let mut states = Vec::new();
    for name in params.state.as_deref().unwrap_or_default().split(',').filter(|n| !n.is_empty()) {
        states.push(name.parse()?);
    }
    let before = params.before.as_deref().map(str::parse).transpose()?;
    let query = Wanted { owner: caller.sees(), states, kind: params.kind, before, most };
    let jobs = app.store.jobs(&query).await?;
    let next = (jobs.len() == most).then(|| jobs.last().map(|job| job.id.to_string())).flatten();
    let jobs = jobs.iter().map(|job| JobView::of(&app, job)).collect();
    Ok(Json(JobPage { jobs, next }))
}

/// A job that the caller may see; others' are as if they were not there.
pub(crate) async fn find(app: &App, caller: &Caller, id: &str) -> Result<Job, Problem> {
    let nobody = || Problem::not_found("There is no job of that id, or it is no longer kept.");
    let id: JobId = id.parse().map_err(|_| nobody())?;
    let job = app.store.job(id).await?.ok_or_else(nobody)?;
    match caller.sees() {
        Some(owner) if job.owner != owner => Err(nobody()),
        _ => Ok(job),
    }
}

/// A job as it is now.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job", body = JobView),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn show(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = find(&app, &caller, &id).await?;
    Ok(Json(JobView::of(&app, &job)))
}

/// Does something to a job of the caller's.
pub(crate) async fn steer(
    app: &App,
    caller: &Caller,
    id: &str,
    steer: Steer,
) -> Result<Job, Problem> {
    let job = find(app, caller, id).await?;
    match app.store.steer(job.id, steer).await? {
        Steered::Done(job) => Ok(*job),
        Steered::NotNow(state) => {
            let rule = match steer {
                Steer::Cancel => "that waits, runs or is paused can be taken back",
                Steer::Retry => "that failed, was cancelled or died can be tried again",
                Steer::Pause => "that waits or runs can be paused",
                Steer::Resume => "that is paused can go on",
                Steer::Stop => "that waits, runs or is paused can be stopped",
            };
            let told = format!("Only one {rule}; the state of this one is '{}'.", state.name());
            Err(Problem::conflict(told))
        }
        Steered::Unknown => {
            Err(Problem::not_found("There is no job of that id, or it is no longer kept."))
        }
    }
}

/// Takes a job back: one that waits at once, one that runs within a batch.
#[utoipa::path(
    delete,
    path = "/v1/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job, cancelled", body = JobView),
        Usual, Refusal<404>, Refusal<409>,
    ),
    security(("key" = []))
)]
pub(crate) async fn cancel(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = steer(&app, &caller, &id, Steer::Cancel).await?;
    metrics::counter!("flowgait_jobs_ended_total", "kind" => job.kind.clone(), "state" => "cancelled").increment(1);
    Ok(Json(JobView::of(&app, &job)))
}

/// Tries a job again that failed, was cancelled, or died. What is done of it stays done.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/retry",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 202, description = "It waits again", body = JobView, headers(("Location" = String, description = "Where it is"))),
        Usual, Refusal<404>, Refusal<409>,
    ),
    security(("key" = []))
)]
pub(crate) async fn retry(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = steer(&app, &caller, &id, Steer::Retry).await?;
    Ok(accepted(&app, &job))
}
