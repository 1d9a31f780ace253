//! Open Inference Protocol, version 2, so that clients of KServe, Triton or MLServer drive us as they are.
//!
//! A request has one tensor of shape `[rows, columns]` with all of the model's columns in their order, or one tensor of shape `[rows]` or
//! `[rows, 1]` for each column, by its name; as JSON, or as octets behind it. Answers are the tensors `label`, `confidence` and
//! `probabilities`, always as JSON.
//!
//! # Reference
//! *Open Inference Protocol*, REST, as of KServe 0.15: <https://github.com/kserve/open-inference-protocol>.

mod tensor;

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State as With};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use flowgait_model::answers::{AnswerParams, Answers, UNKNOWN};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::extract::{self, Path};
use super::refusals::{OfBody, Refusal, Usual};
use super::{App, Asking, Shared, jobs, predictions, table};
use crate::auth::Scope;
use crate::models::Loaded;
use crate::problem::Problem;
use tensor::InputTensor;

/// Says how many octets of a body are JSON, where tensors follow it as they are.
const HEADER_LENGTH: &str = "inference-header-content-length";

/// Says what is wrong where the protocol's clients look for it: they know no problem documents.
pub(crate) async fn errors(request: Request, next: Next) -> Response {
    let is_own = request.uri().path().starts_with("/v2");
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) if is_own => {
            let error = problem.detail.clone().or_else(|| Some(problem.title.clone()));
            let text = Problem { error, ..problem }.text();
            let (mut head, _) = response.into_parts();
            head.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(head, Body::from(text))
        }
        _ => response,
    }
}

/// The server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Server {
    name: &'static str,
    version: &'static str,
    extensions: Vec<String>,
}

/// What the server is.
#[utoipa::path(
    get, path = "/v2", tag = "inference",
    responses(
        (status = 200, description = "It", body = Server),
        Usual,
    ),
    security(("key" = []))
)]
pub(crate) async fn server() -> Json<Server> {
    let extensions = Vec::new();
    Json(Server { name: "flowgait", version: env!("CARGO_PKG_VERSION"), extensions })
}

/// Whether the server lives.
#[utoipa::path(
    get, path = "/v2/health/live", tag = "inference",
    responses(
        (status = 200, description = "It does", body = Live),
        Usual,
    ),
    security(("key" = []))
)]
pub(crate) async fn live() -> Json<Live> {
    Json(Live { live: true })
}

/// Whether the server lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Live {
    live: bool,
}

/// Whether something is ready.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    ready: bool,
}

/// Whether the server is ready.
#[utoipa::path(
    get, path = "/v2/health/ready", tag = "inference",
    responses(
        (status = 200, description = "It is", body = Ready),
        Usual,
    ),
    security(("key" = []))
)]
pub(crate) async fn ready(With(app): Shared) -> Result<Json<Ready>, Problem> {
    super::health::readiness(&app)
        .await
        .map_err(|why| Problem::unavailable(format!("Not ready: {why}.")).after(2))?;
    Ok(Json(Ready { name: None, ready: true }))
}

/// What a model takes and gives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelMetadata {
    name: String,
    versions: Vec<String>,
    platform: &'static str,
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
    #[schema(value_type = Object)]
    parameters: Value,
}

/// What a tensor is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TensorMetadata {
    name: String,
    datatype: &'static str,
    shape: Vec<i64>,
}

/// What is told of a model with these versions.
async fn metadata(app: &App, model: &Loaded) -> Result<ModelMetadata, Problem> {
    let all = app.models.list().await?;
    let of = all.into_iter().filter(|entry| entry.name == model.name);
    let mut versions: Vec<u32> = of.map(|entry| entry.version).collect();
    if versions.is_empty() {
        versions.push(model.version);
    }
    Ok(described(model, versions.iter().map(u32::to_string).collect()))
}

fn described(model: &Loaded, versions: Vec<String>) -> ModelMetadata {
    let tensor =
        |name: &str, datatype, shape| TensorMetadata { name: name.to_owned(), datatype, shape };
    let (schema, classes) = (model.model.schema(), model.model.classes());
    ModelMetadata {
        name: model.name.clone(),
        versions,
        platform: "flowgait",
        inputs: vec![tensor("input", "FP32", vec![-1, schema.features.len() as i64])],
        outputs: vec![
            tensor("label", "BYTES", vec![-1]),
            tensor("confidence", "FP32", vec![-1]),
            tensor("probabilities", "FP32", vec![-1, classes.len() as i64]),
        ],
        parameters: json!({
            "columns": schema.features.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
            "classes": classes,
            "schema": schema.name,
        }),
    }
}

async fn named(app: &App, name: &str, version: Option<&str>) -> Result<Arc<Loaded>, Problem> {
    let none = || Problem::not_found("There is no such model.");
    jobs::check_name(name).map_err(|_| none())?;
    let reference = match version {
        None => name.to_owned(),
        Some(version) => {
            version.parse::<u32>().map_err(|_| none())?;
            format!("{name}@{version}")
        }
    };
    match app.models.get(Some(&reference)).await {
        Err(crate::Error::Model(flowgait_model::Error::NoSuchModel { .. })) => Err(none()),
        other => Ok(other?),
    }
}

macro_rules! model_route {
    ($(#[$doc:meta])* $name:ident $path:literal ($($param:tt)*) $body:ty, $of:ty, |$app:ident| $args:pat => $answer:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            get, path = $path, tag = "inference",
            params($($param)*),
            responses(
                (status = 200, description = "It", body = $body),
                Usual, Refusal<404>, Refusal<422>,
            ),
            security(("key" = []))
        )]
        pub(crate) async fn $name(
            With($app): Shared,
            Path($args): Path<$of>,
        ) -> Result<Json<$body>, Problem> {
            $answer
        }
    };
}

model_route! {
    /// What a model takes and gives.
    model "/v2/models/{name}" (("name" = String, Path, description = "The model's name")) ModelMetadata, String,
    |app| name => Ok(Json(metadata(&app, &*named(&app, &name, None).await?).await?))
}
model_route! {
    /// What a version takes and gives.
    version "/v2/models/{name}/versions/{version}" (("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")) ModelMetadata, (String, String),
    |app| (name, version) => Ok(Json(metadata(&app, &*named(&app, &name, Some(&version)).await?).await?))
}
model_route! {
    /// Whether a model is ready.
    model_ready "/v2/models/{name}/ready" (("name" = String, Path, description = "The model's name")) Ready, String,
    |app| name => {
        let model = named(&app, &name, None).await?;
        Ok(Json(Ready { name: Some(model.name.clone()), ready: true }))
    }
}
model_route! {
    /// Whether a version is ready.
    version_ready "/v2/models/{name}/versions/{version}/ready" (("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")) Ready, (String, String),
    |app| (name, version) => {
        let model = named(&app, &name, Some(&version)).await?;
        Ok(Json(Ready { name: Some(model.name.clone()), ready: true }))
    }
}

/// Rows as tensors.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InferRequest {
    /// Given back as it is.
    id: Option<String>,
    /// One tensor with all columns, or one for each.
    inputs: Vec<InputTensor>,
    /// The tensors to give; without it all.
    outputs: Option<Vec<OutputWanted>>,
}

impl InferRequest {
    /// A request of JSON alone, or of JSON with tensors as plain octets behind it (the protocol's extension for binary data).
    fn read(headers: &HeaderMap, mut bytes: Bytes) -> Result<Self, Problem> {
        let Some(length) = headers.get(HEADER_LENGTH) else {
            extract::check_json(headers)?;
            return extract::json(&bytes);
        };
        let length = length.to_str().ok().and_then(|length| length.parse::<usize>().ok());
        let length = length.filter(|length| *length <= bytes.len()).ok_or_else(|| {
            Problem::bad_request(format!(
                "{HEADER_LENGTH} is how many octets of the body are JSON."
            ))
        })?;
        let mut tensors = bytes.split_off(length);
        let mut request: Self = extract::json(&bytes)?;
        for input in &mut request.inputs {
            input.take_binary(&mut tensors)?;
        }
        if tensors.is_empty() {
            return Ok(request);
        }
        let told = format!("{} octets of the body belong to no tensor.", tensors.len());
        Err(Problem::bad_request(told))
    }
}

/// A tensor that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct OutputWanted {
    name: String,
}

/// Answers as tensors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InferResponse {
    model_name: String,
    model_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<OutputTensor>,
}

/// A tensor of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutputTensor {
    name: &'static str,
    shape: Vec<u64>,
    datatype: &'static str,
    /// Numbers, or labels as text.
    data: Vec<Value>,
}

macro_rules! infer_route {
    ($(#[$doc:meta])* $name:ident $path:literal ($($param:tt)*) $of:ty, $args:pat => $version:expr, $model:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            post, path = $path, tag = "inference",
            params($($param)*),
            request_body = InferRequest,
            responses(
                (status = 200, description = "An answer for each row", body = InferResponse),
                Usual, OfBody, Refusal<404>, Refusal<422>,
            ),
            security(("key" = []))
        )]
        pub(crate) async fn $name(
            With(app): Shared,
            Extension(asking): Extension<Asking>,
            Path($args): Path<$of>,
            headers: HeaderMap,
            body: Body,
        ) -> Result<Json<InferResponse>, Problem> {
            inferred(app, asking, $model, $version, (headers, body)).await
        }
    };
}

infer_route! {
    /// Answers rows by a model.
    infer "/v2/models/{name}/infer" (("name" = String, Path, description = "The model's name")) String, name => None, &name
}
infer_route! {
    /// Answers rows by a version of a model.
    infer_version "/v2/models/{name}/versions/{version}/infer" (("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")) (String, String), (name, version) => Some(&version), &name
}

async fn inferred(
    app: Arc<App>,
    asking: Asking,
    name: &str,
    version: Option<&String>,
    (headers, body): (HeaderMap, Body),
) -> Result<Json<InferResponse>, Problem> {
    asking.caller()?.check(Scope::Predict)?;
    let model = named(&app, name, version.map(String::as_str)).await?;
    let bytes = table::body(body, app.limits.body_octets, app.limits.idle).await?;
    let request = InferRequest::read(&headers, bytes)?;
    let most = app.limits.rows;
    let work = tokio::task::spawn_blocking(move || answer(&model, request, most));
    let answered = work
        .await
        .map_err(|_| Problem::internal("The log has the reason under this request's id."))??;
    Ok(Json(answered))
}

fn answer(model: &Loaded, request: InferRequest, most: usize) -> Result<InferResponse, Problem> {
    let dataset = tensor::dataset(model.model.schema(), &request.inputs, most)?;
    let said = model.model.predict_proba(&dataset).map_err(crate::Error::from)?;
    let params = AnswerParams { reject: model.reject, ..AnswerParams::default() };
    let mut answers = Answers::new(&model.model, params).map_err(crate::Error::from)?;
    let classes = model.model.classes();
    let rows = dataset.rows;
    let (mut labels, mut confidences) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for row in 0..rows {
        let is_empty = dataset.columns.iter().all(|column| column[row].is_nan());
        let (withheld, ranked) = answers.verdict(said.row(row), is_empty);
        labels.push(if withheld { UNKNOWN.into() } else { classes[ranked[0]].as_str().into() });
        confidences.push(json!(said.row(row)[ranked[0]]));
    }
    predictions::count(model, &answers);
    let probabilities = (0..rows).flat_map(|row| said.row(row).iter().map(|p| json!(p))).collect();
    let shape = vec![rows as u64];
    let of = |name, shape, datatype, data| OutputTensor { name, shape, datatype, data };
    let mut outputs = vec![
        of("label", shape.clone(), "BYTES", labels),
        of("confidence", shape, "FP32", confidences),
        of("probabilities", vec![rows as u64, classes.len() as u64], "FP32", probabilities),
    ];
    if let Some(wanted) = &request.outputs {
        if let Some(unknown) = wanted.iter().find(|w| outputs.iter().all(|o| o.name != w.name)) {
            let name: String = unknown.name.chars().take(64).collect();
            return Err(Problem::bad_request(format!(
                "There is no output '{name}': label, confidence, probabilities."
            )));
        }
        outputs.retain(|output| wanted.iter().any(|w| w.name == output.name));
    }
    Ok(InferResponse {
        model_name: model.name.clone(),
        model_version: model.version.to_string(),
        id: request.id,
        outputs,
    })
}
