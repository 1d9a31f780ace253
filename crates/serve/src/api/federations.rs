//! Federations: jobs that run for many rounds, whose rounds can be watched, and that can be paused and stopped.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State as With};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::extract::{Multipart, Path, Query};
use super::jobs::{self, JobView};
use super::refusals::{OfBody, Refusal, Usual};
use super::{App, Asking, Shared, upload};
use crate::auth::{Caller, Scope};
use crate::job::{Job, Query as Wanted, Steer};
use crate::order::names;
use crate::problem::Problem;

/// The kind of job that a federation is.
pub(crate) const KIND: &str = "simulate";
/// Federations shown.
const LIST_MAX: usize = 100;
/// Rounds shown at a time.
const ROUNDS_MAX: usize = 1_000;

/// Federations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FederationList {
    /// Newest first.
    federations: Vec<JobView>,
}

/// The federations of the key that asks; all for an admin.
#[utoipa::path(
    get,
    path = "/v1/federations",
    tag = "federations",
    responses(
        (status = 200, description = "The last 100", body = FederationList),
        Usual,
    ),
    security(("key" = []))
)]
pub(crate) async fn list(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
) -> Result<Json<FederationList>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let kind = Some(KIND.to_owned());
    let query = Wanted { owner: caller.sees(), kind, most: LIST_MAX, ..Wanted::default() };
    let jobs = app.store.jobs(&query).await?;
    let federations = jobs.iter().map(|job| JobView::of(&app, job)).collect();
    Ok(Json(FederationList { federations }))
}

/// The form of a federation.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only describes the form")]
pub(crate) struct FederationForm {
    /// The federation, as in federation.toml; without it the default one, on made rows.
    configuration: Option<String>,
    /// A table with labels, where it is not to learn from made rows.
    #[schema(value_type = Option<String>, format = Binary)]
    file: Option<Vec<u8>>,
    /// The name that the common model gets in the registry.
    name: Option<String>,
}

/// Begins a federation.
#[utoipa::path(
    post,
    path = "/v1/federations",
    tag = "federations",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again safe, for 24 hours")),
    request_body(content = FederationForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "It is taken in, and on disk", body = JobView, headers(("Location" = String, description = "Where it is"))),
        Usual, OfBody, Refusal<422>, Refusal<507>,
    ),
    security(("key" = []))
)]
pub(crate) async fn create(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    headers: HeaderMap,
    form: Multipart,
) -> Result<Response, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let key = jobs::idempotency_key(&headers)?;
    let received = upload::receive(&app, form).await?;
    let order = async |_: &App, form: &mut upload::Received| jobs::form::simulate_order(form);
    let job = jobs::take_in(&app, &caller, received, key, order).await?;
    let location = format!("/v1/federations/{}", job.id);
    let status = axum::http::StatusCode::ACCEPTED;
    Ok((status, [(header::LOCATION, location)], Json(JobView::of(&app, &job))).into_response())
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<Job, Problem> {
    let nobody = "There is no federation of that id, or it is no longer kept.";
    let found = jobs::find(app, caller, id).await;
    let job = found.map_err(|problem| match problem.status {
        404 => Problem::not_found(nobody),
        _ => problem,
    })?;
    if job.kind == KIND { Ok(job) } else { Err(Problem::not_found(nobody)) }
}

/// A federation as it is now.
#[utoipa::path(
    get,
    path = "/v1/federations/{id}",
    tag = "federations",
    params(("id" = String, Path, description = "The federation's id")),
    responses(
        (status = 200, description = "It", body = JobView),
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

/// Which rounds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// Rounds after this one.
    after: Option<u64>,
    /// Only what is of a round as a whole, nothing of single clients.
    #[serde(default)]
    brief: bool,
}

/// What a round tells of single clients.
const OF_CLIENTS: [&str; 5] = ["clients", "own", "asked", "recalls", "refused"];

/// Rounds of a federation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rounds {
    /// In order, at most 1,000: accuracy, loss, clients, octets, epsilon, as `metrics.jsonl` has them.
    #[schema(value_type = Vec<Object>)]
    rounds: Vec<Value>,
}

/// The rounds of a federation so far.
#[utoipa::path(
    get,
    path = "/v1/federations/{id}/rounds",
    tag = "federations",
    params(("id" = String, Path, description = "The federation's id"), After),
    responses(
        (status = 200, description = "Its rounds", body = Rounds),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn rounds(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
    Query(After { after, brief }): Query<After>,
) -> Result<Json<Rounds>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    if after > Some(i64::MAX as u64) {
        return Err(Problem::bad_request("'after' is the number of a round."));
    }
    let job = find(&app, &caller, &id).await?;
    let lines = app.blobs.get(&names::made(job.id, "metrics.jsonl")).await?.unwrap_or_default();
    let rounds = String::from_utf8_lossy(&lines)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|round| round["round"].as_u64() > after)
        .take(ROUNDS_MAX)
        .map(|mut round| {
            if brief && let Some(fields) = round.as_object_mut() {
                fields.retain(|name, _| !OF_CLIENTS.contains(&name.as_str()));
            }
            round
        })
        .collect();
    Ok(Json(Rounds { rounds }))
}

/// Files of a run that may be fetched, and what they are.
const FILES: &[(&str, &str)] = &[
    ("setup.json", "application/json"),
    ("report.html", "text/html; charset=utf-8"),
    ("summary.json", "application/json"),
    ("metrics.jsonl", "application/x-ndjson"),
    ("ledger.jsonl", "application/x-ndjson"),
    ("model.fgm", "application/octet-stream"),
];

/// A file that the run made: setup.json (what it begins with, before its first round), report.html, summary.json, metrics.jsonl, ledger.jsonl or model.fgm.
#[utoipa::path(
    get,
    path = "/v1/federations/{id}/files/{file}",
    tag = "federations",
    params(("id" = String, Path, description = "The federation's id"), ("file" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "It", content(
            (String = "text/html"), (Value = "application/json"), (String = "application/x-ndjson"), (String = "application/octet-stream"),
        )),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn file(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = find(&app, &caller, &id).await?;
    let none = || Problem::not_found("There is no such file of it, or not yet.");
    // Only names of this list reach the blobs.
    let (name, kind) = FILES.iter().find(|(name, _)| *name == file).ok_or_else(none)?;
    let octets = app.blobs.get(&names::made(job.id, name)).await?.ok_or_else(none)?;
    // The report brings its own styles; nothing in it may run or ask.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";
    let headers = [(header::CONTENT_TYPE, *kind), (header::CONTENT_SECURITY_POLICY, policy)];
    Ok((headers, octets).into_response())
}

async fn steered(
    app: &Arc<App>,
    asking: Asking,
    id: &str,
    steer: Steer,
) -> Result<Json<JobView>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = find(app, &caller, id).await?;
    let job = jobs::steer(app, &caller, &job.id.to_string(), steer).await?;
    Ok(Json(JobView::of(app, &job)))
}

/// Has a federation wait after its last kept round.
#[utoipa::path(
    post,
    path = "/v1/federations/{id}/pause",
    tag = "federations",
    params(("id" = String, Path, description = "The federation's id")),
    responses(
        (status = 200, description = "It waits, or will in a moment", body = JobView),
        Usual, Refusal<404>, Refusal<409>,
    ),
    security(("key" = []))
)]
pub(crate) async fn pause(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    steered(&app, asking, &id, Steer::Pause).await
}

/// Has a paused federation go on where it was.
#[utoipa::path(
    post,
    path = "/v1/federations/{id}/resume",
    tag = "federations",
    params(("id" = String, Path, description = "The federation's id")),
    responses(
        (status = 200, description = "It goes on", body = JobView),
        Usual, Refusal<404>, Refusal<409>,
    ),
    security(("key" = []))
)]
pub(crate) async fn resume(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    steered(&app, asking, &id, Steer::Resume).await
}

/// Ends a federation after its round, with what it has learnt so far.
#[utoipa::path(
    post,
    path = "/v1/federations/{id}/stop",
    tag = "federations",
    params(("id" = String, Path, description = "The federation's id")),
    responses(
        (status = 200, description = "It ends, or will in a moment", body = JobView),
        Usual, Refusal<404>, Refusal<409>,
    ),
    security(("key" = []))
)]
pub(crate) async fn stop(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    steered(&app, asking, &id, Steer::Stop).await
}
