//! Jobs: submitted, watched, fetched, taken back, tried again.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Multipart, Path, Query, State as With};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flowgait_model::answers::AnswerParams;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::upload::{self, Received};
use super::{App, Asking, Shared, seconds_now, time_text};
use crate::auth::{Caller, Scope};
use crate::job::{
    Idempotency, Job, JobId, NewJob, Progress, Query as Wanted, Reason, State, Steer, Steered,
    Submitted,
};
use crate::order::{FitOrder, Format, Order, PredictOrder, PredictResult, SimulateOrder, names};
use crate::problem::Problem;
use crate::work::sink::hex;

/// Jobs shown at a time.
const PAGE_MAX: usize = 200;
/// Octets of an idempotency key.
const KEY_MAX: usize = 255;

/// A job, as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// Its id.
    #[schema(example = "019b1e6c-3a0f-7c3e-9d59-0c0f2b0c4f11")]
    id: String,
    /// What kind of work: predict, fit, simulate.
    kind: String,
    /// Where it is in its life.
    state: State,
    /// Which delivery it is on, from 1; 0 before the first.
    attempt: u32,
    /// When it was taken in.
    created: String,
    /// When a worker first had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// What was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<InputView>,
    /// The model that answers, `NAME@VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// How far it is.
    progress: Progress,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// What it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Where to go from here.
    links: Links,
    /// Grows with every change to any job.
    revision: u64,
}

/// What was uploaded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InputView {
    name: String,
    octets: u64,
    content: crate::order::Content,
    rows: u64,
}

/// Where to go from here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Links {
    /// The job.
    job: String,
    /// What it came to; signed, so that whoever has the link needs no key until it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    /// Newest first.
    jobs: Vec<JobView>,
    /// What to ask for as `before` to see older ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl JobView {
    pub(crate) fn of(app: &App, job: &Job) -> Self {
        let order = Order::of(&job.order).ok();
        let upload = match &order {
            Some(Order::Predict(order)) => Some(&order.input),
            Some(Order::Fit(order)) => Some(&order.input),
            Some(Order::Simulate(order)) => order.input.as_ref(),
            None => None,
        };
        let model = match &order {
            Some(Order::Predict(order)) => Some(order.model.clone()),
            _ => None,
        };
        let path = format!("/v1/jobs/{}", job.id);
        let has_result = job.state == State::Succeeded && matches!(order, Some(Order::Predict(_)));
        let link = has_result.then(|| {
            let path = format!("{path}/result");
            // Whole minutes, so that the same job is shown with the same link for a while.
            let expires = (seconds_now() + app.limits.link.as_secs()) / 60 * 60 + 60;
            format!("{path}?expires={expires}&signature={}", app.auth.sign(&path, expires))
        });
        Self {
            id: job.id.to_string(),
            kind: job.kind.clone(),
            state: job.state,
            attempt: job.attempt,
            created: time_text(job.created),
            started: job.started.map(time_text),
            ended: job.ended.map(time_text),
            input: upload.map(|upload| InputView {
                name: upload.name.clone(),
                octets: upload.octets,
                content: upload.content,
                rows: job.rows,
            }),
            model,
            progress: progress(job),
            reason: job.reason.clone(),
            result: job.result.as_ref().map(|result| shown(job, result)),
            links: Links { job: path, result: link },
            revision: job.revision,
        }
    }
}

/// How far a job is; one in chunks by how many of them are done.
fn progress(job: &Job) -> Progress {
    if job.parts <= 1 || job.state == State::Succeeded {
        return job.progress.clone();
    }
    let chunks = u64::from(job.parts - 2);
    let done = u64::from(job.parts_done.saturating_sub(1)).min(chunks);
    Progress {
        stage: if done == chunks { "joining" } else { "predicting" }.to_owned(),
        done,
        total: Some(chunks),
        unit: "chunks".to_owned(),
        ..Progress::default()
    }
}

/// What a job came to, without what only this program needs.
fn shown(job: &Job, result: &Value) -> Value {
    if job.kind != "predict" {
        return result.clone();
    }
    let Ok(result) = PredictResult::deserialize(result) else { return Value::Null };
    let classes: serde_json::Map<String, Value> = result
        .classes
        .iter()
        .zip(&result.tally.classes)
        .map(|(class, rows)| (class.clone(), (*rows).into()))
        .collect();
    serde_json::json!({
        "rows": result.tally.rows,
        "unknown": result.tally.unknown,
        "empty": result.tally.empty,
        "classes": classes,
        "confidence": result.tally.confidence,
        "model": result.model,
        "format": result.format,
        "octets": result.octets(),
        "notes": result.notes,
    })
}

/// The fields of a job's form.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only describes the form")]
pub(crate) struct JobForm {
    /// CSV, Parquet, JSONL or ARFF, plain, gzip or zstd; or a capture, which is metered first.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// predict (without saying), fit or simulate.
    kind: Option<String>,
    /// predict: the model, `NAME[@VERSION|@ALIAS]`; without one the starter model.
    model: Option<String>,
    /// predict: csv, jsonl or parquet.
    format: Option<Format>,
    /// predict: add the confidence and the three likeliest classes.
    proba: Option<bool>,
    /// predict: few columns instead of all of the input's.
    only_predictions: Option<bool>,
    /// predict: 'unknown' where the confidence is below this.
    reject: Option<f32>,
    /// predict: 'unknown' where an answer is more doubtful than all but this share.
    unknown: Option<f64>,
    /// predict: add a set of labels that misses the true one in no more than this share.
    conformal: Option<f64>,
    /// predict: the answer as after so many packets.
    after: Option<usize>,
    /// fit, simulate: the name that the model gets in the registry.
    name: Option<String>,
    /// fit: the column with the labels.
    label: Option<String>,
    /// fit: the column that says which rows belong together.
    group: Option<String>,
    /// fit: the column with the category of each label.
    category: Option<String>,
    /// fit: auto, forest, extra-trees, boost, linear, cnn, mlp and so on.
    estimator: Option<String>,
    /// fit: how many trees.
    trees: Option<u32>,
    /// fit: how deep they may be.
    depth: Option<u32>,
    /// fit: columns to leave out, with commas between them.
    drop: Option<String>,
    /// fit: identity columns to learn from all the same, with commas between them.
    keep: Option<String>,
    /// fit: the seed.
    seed: Option<u64>,
    /// fit: the alias that is to stand for the model.
    promote: Option<String>,
    /// simulate: the federation, as in federation.toml.
    configuration: Option<String>,
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
        (status = 202, description = "It is taken in, and on disk", body = JobView),
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The upload came too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The upload is beyond a limit", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The upload is of a kind that is not read", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The upload cannot be used, there is no such model, or the idempotency key was used for another request", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The queue is full, or too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "There is no room", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(crate) async fn submit(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let key = idempotency_key(&headers)?;
    let form = form.map_err(|error| Problem::bad_request(format!("{}.", error.body_text())))?;
    let received = upload::receive(&app, form).await?;
    let job = take_in(&app, &caller, received, key, order).await?;
    Ok(accepted(&app, &job))
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
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
        // Whether it was taken in is not known: what it needs stays, and goes with its job, or within an hour without one.
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

/// What a form orders.
async fn order(app: &App, form: &mut Received) -> Result<Order, Problem> {
    match form.take("kind").as_deref() {
        None | Some("predict") => predict_order(app, form).await,
        Some("fit") => fit_order(form),
        Some("simulate") => simulate_order(form),
        Some(_) => Err(Problem::bad_request("The field 'kind' takes predict, fit or simulate.")),
    }
}

fn no_file() -> Problem {
    Problem::bad_request("The form has no field 'file' with a table or a capture.")
}

async fn predict_order(app: &App, form: &mut Received) -> Result<Order, Problem> {
    let reference = form.take("model");
    let model = app.models.get(reference.as_deref()).await?;
    let format = match form.take("format").as_deref() {
        None | Some("csv") => Format::Csv,
        Some("jsonl") => Format::Jsonl,
        Some("parquet") => Format::Parquet,
        Some(_) => {
            return Err(Problem::bad_request("The field 'format' takes csv, jsonl or parquet."));
        }
    };
    let unknown = form.number("unknown")?;
    let answers = AnswerParams {
        proba: form.flag("proba")?,
        only_predictions: form.flag("only_predictions")?,
        reject: form.number("reject")?.or(model.reject.filter(|_| unknown.is_none())),
        unknown,
        conformal: form.number("conformal")?,
        after: form.number("after")?,
    };
    form.none_left(
        "file, kind, model, format, proba, only_predictions, reject, unknown, conformal, after",
    )?;
    flowgait_model::answers::Answers::new(&model.model, answers).map_err(crate::Error::from)?;
    let input = form.upload.clone().ok_or_else(no_file)?;
    Ok(Order::Predict(PredictOrder { input, model: model.pinned(), answers, format }))
}

fn fit_order(form: &mut Received) -> Result<Order, Problem> {
    let input = form.upload.clone().ok_or_else(no_file)?;
    if input.content == crate::order::Content::Capture {
        return Err(Problem::bad_input(
            "A capture has no labels: meter it first (flowgait meter --labels or --label-by), and send the table.",
        ));
    }
    let name = form.take("name").ok_or_else(|| {
        Problem::bad_request("The field 'name' is missing: what the model is to be called.")
    })?;
    check_name(&name)?;
    let label = form.take("label").ok_or_else(|| {
        Problem::bad_request("The field 'label' is missing: the column that says what each row is.")
    })?;
    let mut flags = vec![("--label".to_owned(), label)];
    for field in ["group", "category", "estimator", "seed", "trees", "depth"] {
        if let Some(value) = form.take(field) {
            flags.push((format!("--{field}"), value));
        }
    }
    for field in ["drop", "keep"] {
        for column in form.take(field).unwrap_or_default().split(',').filter(|c| !c.is_empty()) {
            flags.push((format!("--{field}"), column.trim().to_owned()));
        }
    }
    let promote = form.take("promote");
    if let Some(alias) = &promote {
        check_name(alias)?;
    }
    form.none_left("file, kind, name, label, group, category, estimator, trees, depth, drop, keep, seed, promote")?;
    Ok(Order::Fit(FitOrder { input, name, flags, promote }))
}

pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    use flowgait_model::registry::{Reference, Which};
    let is_name = name.parse::<Reference>().is_ok_and(|r| r.which == Which::Unsaid);
    if is_name {
        return Ok(());
    }
    let name = name.chars().take(64).collect();
    Err(crate::Error::from(flowgait_model::Error::ModelName { name }).into())
}

pub(crate) fn simulate_order(form: &mut Received) -> Result<Order, Problem> {
    let configuration = form.take("configuration").unwrap_or_default();
    let name = form.take("name");
    if let Some(name) = &name {
        check_name(name)?;
    }
    form.none_left("file, kind, configuration, name")?;
    let rounds = check_configuration(&configuration)?;
    if let Some(input) = &form.upload
        && input.content == crate::order::Content::Capture
    {
        return Err(Problem::bad_input(
            "A federation learns from a table with labels, not from a capture.",
        ));
    }
    Ok(Order::Simulate(SimulateOrder { configuration, input: form.upload.clone(), rounds, name }))
}

/// A federation's rounds. Files of this machine are nothing that a caller may name.
fn check_configuration(text: &str) -> Result<u64, Problem> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Problem::bad_input(format!("The configuration is no TOML: {}.", error.message()))
    })?;
    if let Some(data) = table.get("data").and_then(toml::Value::as_table)
        && let Some(named) = ["tables", "labels"].into_iter().find(|key| {
            data.get(*key).is_some_and(|v| match v {
                toml::Value::String(text) => !text.is_empty(),
                toml::Value::Array(list) => !list.is_empty(),
                _ => true,
            })
        })
    {
        return Err(Problem::bad_input(format!(
            "The configuration names files of this side (data.{named}): send the table as 'file', and leave that out."
        )));
    }
    let federation: flowgait_federate::federation::Federation = toml::from_str(text)
        .map_err(|error| Problem::bad_input(format!("The configuration: {}.", error.message())))?;
    Ok(federation.rounds)
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
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no job to begin before", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(crate) async fn list(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    params: Result<Query<ListParams>, QueryRejection>,
) -> Result<Json<JobPage>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let Query(params) = params.map_err(|error| Problem::bad_request(error.body_text()))?;
    let most = params.limit.unwrap_or(50).clamp(1, PAGE_MAX);
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
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
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
            let told = format!("The job is {}, which does not allow this.", state.name());
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
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has ended already", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
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
        (status = 202, description = "It waits again", body = JobView),
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has not ended, or succeeded", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
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

/// What makes a link hold without a key.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
    /// Until when the link holds, in seconds since 1970.
    expires: Option<u64>,
    /// What shows that this side made it.
    signature: Option<String>,
}

/// The answers: the input's rows, all its columns, then `prediction`. Ranges and ETags are honoured.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/result",
    tag = "jobs",
    params(
        ("id" = String, Path, description = "The job's id"),
        Signed,
        ("Range" = Option<String>, Header, description = "Some of it, such as bytes=0-1023"),
    ),
    responses(
        (status = 200, description = "The answers", content_type = "text/csv", body = String),
        (status = 206, description = "Some of the answers", content_type = "text/csv", body = String),
        (status = 304, description = "Not modified"),
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this, or the link does not hold", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has not succeeded", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "The range is beyond the end", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(crate) async fn result(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
    signed: Result<Query<Signed>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(signed) = signed.map_err(|error| Problem::bad_request(error.body_text()))?;
    let job = match asking.0 {
        Some(caller) => {
            caller.check(Scope::Jobs)?;
            find(&app, &caller, &id).await?
        }
        None => {
            let path = format!("/v1/jobs/{id}/result");
            let (expires, signature) =
                (signed.expires.unwrap_or(0), signed.signature.unwrap_or_default());
            if !app.auth.is_signed(&path, expires, &signature, seconds_now()) {
                return Err(Problem::forbidden(
                    "The link does not hold, or no longer: ask for the job anew.",
                ));
            }
            find(&app, &Caller::local(), &id).await?
        }
    };
    let result = succeeded(&job)?;
    download(&app, &job, result, &headers)
}

/// What a prediction came to.
pub(crate) fn succeeded(job: &Job) -> Result<PredictResult, Problem> {
    if job.state != State::Succeeded {
        let detail =
            job.reason.as_ref().map_or(String::new(), |reason| format!(" {}", reason.detail));
        return Err(Problem::conflict(format!("The job is {}.{detail}", job.state.name())));
    }
    let result = job.result.as_ref().and_then(|result| PredictResult::deserialize(result).ok());
    result.filter(|_| job.kind == "predict").ok_or_else(|| {
        Problem::conflict(
            "This kind of job has no table of answers; the job itself says what it came to.",
        )
    })
}

fn download(
    app: &Arc<App>,
    job: &Job,
    result: PredictResult,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let digest = result.pieces.iter().fold(Sha256::new(), |mut all, piece| {
        all.update(piece.sha256.as_bytes());
        all
    });
    let tag = format!("\"{}\"", &hex(&digest.finalize())[..32]);
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.split(',').any(|t| t.trim() == tag || t.trim() == "*"))
    {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let all = result.octets();
    // A range of another version would be put together with what it does not belong to.
    let same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = text(header::RANGE).filter(|_| same).map(|range| parse_range(range, all));
    let (status, range) = match range {
        Some(Asked::Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(Asked::Beyond) => {
            let mut response = Problem::bad_range(format!("It has {all} octets.")).into_response();
            if let Ok(of) = HeaderValue::from_str(&format!("bytes */{all}")) {
                response.headers_mut().insert(header::CONTENT_RANGE, of);
            }
            return Ok(response);
        }
        Some(Asked::All) | None => (StatusCode::OK, 0..all),
    };
    let name = format!("answers-{}.{}", job.id, result.format.ending());
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, result.format.media_type())
        .header(header::CONTENT_LENGTH, range.end - range.start)
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, "private, max-age=3600")
        .header(header::ETAG, tag);
    if status == StatusCode::PARTIAL_CONTENT {
        let of = format!("bytes {}-{}/{all}", range.start, range.end.saturating_sub(1));
        response = response.header(header::CONTENT_RANGE, of);
    }
    let body = Body::from_stream(pieces(app.clone(), job.id, result, range));
    response
        .body(body)
        .map_err(|_| Problem::internal("The log has the reason under this request's id."))
}

/// Octets of the pieces of a result, one after the other.
fn pieces(
    app: Arc<App>,
    job: JobId,
    result: PredictResult,
    range: std::ops::Range<u64>,
) -> impl futures_util::Stream<Item = Result<bytes::Bytes, crate::Error>> {
    use futures_util::{StreamExt as _, TryStreamExt as _};
    let mut begin = 0;
    let mut wanted = Vec::new();
    for piece in result.pieces {
        let end = begin + piece.octets;
        let (from, to) = (range.start.max(begin), range.end.min(end));
        if from < to {
            wanted.push((piece.sha256, from - begin..to - begin));
        }
        begin = end;
    }
    futures_util::stream::iter(wanted)
        .then(move |(sha256, range)| {
            let app = app.clone();
            async move { app.blobs.stream(&names::piece(job, &sha256), range).await }
        })
        .try_flatten()
}

/// Which octets are asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    All,
    Some(std::ops::Range<u64>),
    Beyond,
}

/// One range, by RFC 9110, 14.2; several at once, and what is no range, are passed over, as it allows.
fn parse_range(text: &str, all: u64) -> Asked {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|rest| rest.split_once('-'))
    else {
        return Asked::All;
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(all),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..all,
        (Err(_), Ok(suffix)) if first.trim().is_empty() => all.saturating_sub(suffix)..all,
        _ => return Asked::All,
    };
    if range.start >= range.end { Asked::Beyond } else { Asked::Some(range) }
}

/// The first rows of the answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// The columns.
    columns: Vec<String>,
    /// Rows of cells, as they stand in CSV.
    rows: Vec<Vec<String>>,
}

/// Rows shown before all of them are fetched.
const PREVIEW_ROWS: usize = 20;
/// Octets that are looked at for them.
const PREVIEW_OCTETS: u64 = 1 << 20;

/// The first 20 rows of the answers, as JSON.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/preview",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The first rows", body = Preview),
        (status = 400, description = "The request is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has not succeeded, or is not CSV", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(crate) async fn preview(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Result<Json<Preview>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = find(&app, &caller, &id).await?;
    let result = succeeded(&job)?;
    if result.format != Format::Csv {
        return Err(Problem::conflict("Only answers in CSV have a preview; fetch the result."));
    }
    let Some(first) = result.pieces.first() else {
        return Ok(Json(Preview { columns: Vec::new(), rows: Vec::new() }));
    };
    let name = names::piece(job.id, &first.sha256);
    let octets = app.blobs.range(&name, 0..first.octets.min(PREVIEW_OCTETS)).await?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&octets[..]);
    let mut records = reader.records().map_while(Result::ok);
    let texts = |record: csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = records.next().map(texts).unwrap_or_default();
    // A row that the end of what was looked at cuts through is none.
    let rows = records.map(texts).filter(|row| row.len() == columns.len());
    Ok(Json(Preview { rows: rows.take(PREVIEW_ROWS).collect(), columns }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        let check =
            |text: &str, expected: Asked| assert_eq!(parse_range(text, 100), expected, "{text}");
        check("bytes=0-9", Asked::Some(0..10));
        check("bytes=90-", Asked::Some(90..100));
        check("bytes=-10", Asked::Some(90..100));
        check("bytes=-1000", Asked::Some(0..100));
        check("bytes=50-1000", Asked::Some(50..100));
        check("bytes=100-", Asked::Beyond);
        check("bytes=-0", Asked::Beyond);
        for text in ["bytes=9-0", "bytes=a-b", "items=0-1", "bytes=", "bytes=0-1,3-4"] {
            check(text, Asked::All);
        }
    }
}
