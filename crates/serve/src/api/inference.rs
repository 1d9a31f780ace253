//! Open Inference Protocol, version 2, so that clients of KServe, Triton or MLServer drive us as they are.
//!
//! A request has one tensor of shape `[rows, columns]` with all of the model's columns in their order, or one tensor of shape `[rows]` or
//! `[rows, 1]` for each column, by its name. Answers are the tensors `label`, `confidence` and `probabilities`.
//!
//! # Reference
//! *Open Inference Protocol*, REST, as of KServe 0.15: <https://github.com/kserve/open-inference-protocol>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State as With};
use flowgait_features::{Dataset, Schema};
use flowgait_model::answers::{AnswerParams, Answers, UNKNOWN};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::extract::{self, Path};
use super::refusals::{OfBody, Refusal, Usual};
use super::{App, Asking, Shared, jobs, predictions};
use crate::auth::Scope;
use crate::models::Loaded;
use crate::problem::Problem;

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

fn metadata(model: &Loaded) -> ModelMetadata {
    let tensor =
        |name: &str, datatype, shape| TensorMetadata { name: name.to_owned(), datatype, shape };
    let (schema, classes) = (model.model.schema(), model.model.classes());
    ModelMetadata {
        name: model.name.clone(),
        versions: vec![model.version.to_string()],
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
    |app| name => Ok(Json(metadata(&*named(&app, &name, None).await?)))
}
model_route! {
    /// What a version takes and gives.
    version "/v2/models/{name}/versions/{version}" (("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")) ModelMetadata, (String, String),
    |app| (name, version) => Ok(Json(metadata(&*named(&app, &name, Some(&version)).await?)))
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

/// A tensor of a request.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InputTensor {
    name: String,
    shape: Vec<u64>,
    /// BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64, or BYTES for text that holds a number.
    datatype: String,
    /// The values, flat or nested, in row-major order.
    #[schema(value_type = Object)]
    data: Value,
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
    #[schema(value_type = Vec<Object>)]
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
            extract::Json(request): extract::Json<InferRequest>,
        ) -> Result<Json<InferResponse>, Problem> {
            inferred(app, asking, $model, $version, request).await
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
    request: InferRequest,
) -> Result<Json<InferResponse>, Problem> {
    asking.caller()?.check(Scope::Predict)?;
    let model = named(&app, name, version.map(String::as_str)).await?;
    let most = app.limits.rows;
    let work = tokio::task::spawn_blocking(move || answer(&model, request, most));
    let answered = work
        .await
        .map_err(|_| Problem::internal("The log has the reason under this request's id."))??;
    Ok(Json(answered))
}

fn answer(model: &Loaded, request: InferRequest, most: usize) -> Result<InferResponse, Problem> {
    let dataset = dataset(model.model.schema(), &request.inputs, most)?;
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

/// Tensors as columns of a schema.
fn dataset(schema: &Schema, inputs: &[InputTensor], most: usize) -> Result<Dataset, Problem> {
    let features = schema.features.len();
    let columns = match inputs {
        [] => return Err(Problem::bad_request("There is no input.")),
        [all] if all.shape.len() == 2 && all.shape[1] as usize == features && all.shape[1] != 1 => {
            let values = values(all, most)?;
            (0..features)
                .map(|at| values.iter().skip(at).step_by(features).copied().collect())
                .collect()
        }
        each => {
            let mut columns: Vec<Vec<f32>> = Vec::with_capacity(features);
            let mut missing = Vec::new();
            for feature in &schema.features {
                match each.iter().find(|input| input.name == feature.name) {
                    Some(input) => columns.push(values(input, most)?),
                    None => missing.push(feature.name.as_str()),
                }
            }
            if !missing.is_empty() {
                let shown = missing.iter().take(10).copied().collect::<Vec<_>>().join(", ");
                return Err(Problem::bad_input(format!(
                    "Give one tensor of shape [rows, {features}], or one for each column; {} of them are missing: {shown}{}.",
                    missing.len(),
                    if missing.len() > 10 { ", …" } else { "" }
                )));
            }
            columns
        }
    };
    let rows = columns.first().map_or(0, Vec::len);
    if let Some(at) = columns.iter().position(|column| column.len() != rows) {
        let name = &schema.features[at].name;
        return Err(Problem::bad_input(format!(
            "The tensor '{name}' has another number of rows than the first."
        )));
    }
    Ok(Dataset { schema: schema.clone(), columns, rows, ..Dataset::default() })
}

/// The values of a tensor, as many as its shape says.
fn values(input: &InputTensor, most: usize) -> Result<Vec<f32>, Problem> {
    let name: String = input.name.chars().take(64).collect();
    let bad = |what: &str| Problem::bad_input(format!("The tensor '{name}' {what}."));
    const TYPES: [&str; 12] = [
        "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP32",
        "FP64", "BYTES",
    ];
    if !TYPES.contains(&input.datatype.as_str()) {
        return Err(bad("is of a type that is not read here"));
    }
    let rows = input.shape.first().copied().unwrap_or(0);
    if rows > most as u64 {
        return Err(Problem::too_large(format!(
            "There are more than {most} rows. Submit a job for larger tables: POST /v1/jobs."
        )));
    }
    let count = input.shape.iter().try_fold(1_u64, |all, side| all.checked_mul(*side));
    let mut values = Vec::new();
    flatten(&input.data, &mut values).map_err(|()| bad("holds something that is no number"))?;
    if Some(values.len() as u64) != count {
        return Err(bad(&format!("has {} values, which its shape does not say", values.len())));
    }
    Ok(values)
}

fn flatten(data: &Value, values: &mut Vec<f32>) -> Result<(), ()> {
    match data {
        Value::Array(items) => items.iter().try_for_each(|item| flatten(item, values)),
        Value::Null => {
            values.push(f32::NAN);
            Ok(())
        }
        Value::Bool(is) => {
            values.push(f32::from(u8::from(*is)));
            Ok(())
        }
        Value::Number(number) => {
            values.push(number.as_f64().ok_or(())? as f32);
            Ok(())
        }
        Value::String(text) if text.trim().is_empty() => {
            values.push(f32::NAN);
            Ok(())
        }
        Value::String(text) => {
            values.push(text.trim().parse().map_err(|_| ())?);
            Ok(())
        }
        Value::Object(_) => Err(()),
    }
}
