//! The registry: names, versions, aliases; taken in, promoted, rolled back.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State as With};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flowgait_features::schema::Feature;
use flowgait_model::registry::{Entry, Import, Reference, Which};
use flowgait_model::report::Origin;
use flowgait_model::{Card, Model};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::extract::{self, Path};
use super::refusals::{OfBody, Refusal, Usual};
use super::{Asking, Shared, jobs, seconds_now, table, time_text};
use crate::auth::Scope;
use crate::problem::Problem;

/// A model file's octets.
const MODEL_OCTETS: usize = 1 << 30;

/// A version of a model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelView {
    name: String,
    /// From 1; 0 is the model that ships with the program.
    version: u32,
    /// The aliases that stand for it; `live` is meant where none is said.
    aliases: Vec<String>,
    /// SHA-256 of its file.
    sha256: String,
    octets: u64,
    imported: String,
    classes: Vec<String>,
    /// Its columns' name and hash.
    schema: String,
    schema_hash: String,
    estimator: String,
    /// Rows that it learnt from, and their fingerprint.
    rows: u64,
    fingerprint: String,
    /// Whether a program made them, or they were recorded, as far as anybody said.
    #[schema(value_type = String, example = "recorded")]
    origin: Origin,
    /// Number of its columns.
    features: u64,
    /// Whether its confidence was made true on rows that it had not learnt from.
    calibrated: bool,
    /// Whether an evaluation is attached to it.
    is_evaluated: bool,
    /// Scores on rows that it had not learnt from.
    #[schema(value_type = Object)]
    scores: Value,
}

impl ModelView {
    fn of(entry: Entry) -> Self {
        let Entry { name, version, aliases, is_evaluated, manifest } = entry;
        Self {
            name,
            version,
            aliases,
            sha256: manifest.sha256,
            octets: manifest.octets,
            imported: time_text(manifest.imported.max(0) as u64 * 1_000),
            classes: manifest.classes,
            schema: manifest.schema,
            schema_hash: manifest.schema_hash,
            estimator: manifest.estimator,
            rows: manifest.rows,
            fingerprint: manifest.fingerprint,
            origin: manifest.origin,
            features: manifest.features,
            calibrated: manifest.calibrated,
            is_evaluated,
            scores: serde_json::to_value(manifest.scores).unwrap_or_default(),
        }
    }
}

/// A version of a model, with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelDetail {
    #[serde(flatten)]
    model: ModelView,
    /// What it was trained on and how it scored.
    #[schema(value_type = Object)]
    card: Card,
    /// Its columns, in the order that it expects.
    columns: Vec<ColumnView>,
}

/// A column of a model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ColumnView {
    name: String,
    /// Its unit; empty where nobody says.
    unit: String,
    /// About where 1 % of the values that it learnt from end; null where it does not know.
    low: Option<f32>,
    /// About the middle one.
    usual: Option<f32>,
    /// About where 99 % end.
    high: Option<f32>,
    /// How much it matters to the model, as a share of 1; null where it does not know.
    importance: Option<f32>,
}

impl ModelDetail {
    fn of(model: ModelView, loaded: &Model) -> Self {
        let (ranges, importance) = (loaded.estimator().ranges(), loaded.importance());
        let column = |(at, feature): (usize, &Feature)| ColumnView {
            name: feature.name.clone(),
            unit: feature.unit.clone(),
            low: ranges[at].map(|range| range.low),
            usual: ranges[at].map(|range| range.usual),
            high: ranges[at].map(|range| range.high),
            importance: importance.get(at).copied(),
        };
        let columns = loaded.schema().features.iter().enumerate().map(column).collect();
        Self { model, card: loaded.card().clone(), columns }
    }
}

/// Models.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelList {
    models: Vec<ModelView>,
}

fn starter(app: &super::App) -> Option<ModelView> {
    app.models.built_in().map(|loaded| {
        ModelView::of(Entry {
            name: loaded.name.clone(),
            version: loaded.version,
            aliases: Vec::new(),
            is_evaluated: false,
            manifest: loaded.manifest.clone(),
        })
    })
}

/// Every version of every model, and the one that ships with the program.
#[utoipa::path(
    get,
    path = "/v1/models",
    tag = "models",
    responses(
        (status = 200, description = "All models", body = ModelList),
        Usual,
    ),
    security(("key" = []))
)]
pub(crate) async fn list(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
) -> Result<Json<ModelList>, Problem> {
    asking.caller()?;
    let mut models: Vec<ModelView> = starter(&app).into_iter().collect();
    models.extend(app.models.list().await?.into_iter().map(ModelView::of));
    Ok(Json(ModelList { models }))
}

/// The versions of a model.
#[utoipa::path(
    get,
    path = "/v1/models/{name}",
    tag = "models",
    params(("name" = String, Path, description = "The model's name")),
    responses(
        (status = 200, description = "Its versions", body = ModelList),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn versions(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(name): Path<String>,
) -> Result<Json<ModelList>, Problem> {
    asking.caller()?;
    let own = starter(&app).filter(|starter| starter.name == name);
    let all = app.models.list().await?.into_iter().filter(|entry| entry.name == name);
    let models: Vec<ModelView> = own.into_iter().chain(all.map(ModelView::of)).collect();
    if models.is_empty() {
        return Err(Problem::not_found("There is no model of that name."));
    }
    Ok(Json(ModelList { models }))
}

/// Takes a model in: the octets of an .fgm file. The same file twice is the same version.
#[utoipa::path(
    post,
    path = "/v1/models/{name}",
    tag = "models",
    params(("name" = String, Path, description = "The model's name")),
    request_body(content = String, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It was there already", body = ModelView),
        (status = 201, description = "A new version", body = ModelView),
        Usual, OfBody, Refusal<422>,
    ),
    security(("key" = []))
)]
pub(crate) async fn import(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(name): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    asking.caller()?.check(Scope::Models)?;
    jobs::check_name(&name)?;
    let bytes = table::body(body, MODEL_OCTETS, app.limits.idle).await?;
    let imported = app.models.import(&name, bytes.into(), seconds_now() as i64).await?;
    let (status, entry) = match imported {
        Import::New(entry) => (StatusCode::CREATED, entry),
        Import::Known(entry) => (StatusCode::OK, entry),
    };
    tracing::info!(model = %entry.name, version = entry.version, "model taken in");
    Ok((status, Json(ModelView::of(entry))).into_response())
}

fn reference(name: String, version: &str) -> Result<Reference, Problem> {
    let version = version.parse().map_err(|_| Problem::not_found("There is no such version."))?;
    Ok(Reference { name, which: Which::Version(version) })
}

/// No such model is an answer of its own where a path names it.
fn in_path(error: crate::Error) -> Problem {
    match &error {
        crate::Error::Model(
            flowgait_model::Error::NoSuchModel { .. } | flowgait_model::Error::ModelName { .. },
        ) => Problem::not_found(crate::work::sentence(&error.to_string())),
        _ => error.into(),
    }
}

/// A version of a model, with its card and its columns.
#[utoipa::path(
    get,
    path = "/v1/models/{name}/versions/{version}",
    tag = "models",
    params(("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")),
    responses(
        (status = 200, description = "It", body = ModelDetail),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn show(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<ModelDetail>, Problem> {
    asking.caller()?;
    if let (Some(view), Some(loaded)) = (starter(&app), app.models.built_in())
        && is_starter(&view, &name, &version)
    {
        return Ok(Json(ModelDetail::of(view, &loaded.model)));
    }
    jobs::check_name(&name).map_err(|_| Problem::not_found("There is no model of that name."))?;
    let reference = reference(name, &version)?;
    let entry = app.models.find(&reference).await.map_err(in_path)?;
    let loaded = app.models.get(Some(&reference.to_string())).await.map_err(in_path)?;
    Ok(Json(ModelDetail::of(ModelView::of(entry), &loaded.model)))
}

fn is_starter(starter: &ModelView, name: &str, version: &str) -> bool {
    starter.name == name && version == "0"
}

/// The file of a version.
#[utoipa::path(
    get,
    path = "/v1/models/{name}/versions/{version}/file",
    tag = "models",
    params(("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")),
    responses(
        (status = 200, description = "The .fgm file", content_type = "application/octet-stream", body = String),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn download(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    asking.caller()?.check(Scope::Models)?;
    jobs::check_name(&name).map_err(|_| Problem::not_found("There is no model of that name."))?;
    if starter(&app).is_some_and(|starter| starter.name == name && version == "0") {
        return Err(Problem::not_found(
            "This model ships with the program; only those of the registry have a file of their own.",
        ));
    }
    let (entry, bytes) = app.models.file(&reference(name, &version)?).await.map_err(in_path)?;
    let named = format!("attachment; filename=\"{}-{}.fgm\"", entry.name, entry.version);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, named),
        (header::ETAG, format!("\"{}\"", entry.manifest.sha256)),
    ];
    Ok((headers, bytes).into_response())
}

/// What is to stand for what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promotion {
    /// The version; without one the latest alias or version that the name means.
    version: Option<u32>,
    /// The alias; without one `live`, which is meant where none is said.
    alias: Option<String>,
}

/// What stands for what now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Promoted {
    model: ModelView,
    alias: String,
    /// What the alias stood for before: promote that to roll back.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<u32>,
}

/// Lets an alias stand for a version, in one step. To roll back, promote the version before.
///
/// Jobs that were submitted before keep the version that they were pinned to.
#[utoipa::path(
    post,
    path = "/v1/models/{name}/promote",
    tag = "models",
    params(("name" = String, Path, description = "The model's name")),
    request_body = Promotion,
    responses(
        (status = 200, description = "The alias stands for it", body = Promoted),
        Usual, OfBody, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn promote(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(name): Path<String>,
    extract::Json(promotion): extract::Json<Promotion>,
) -> Result<Json<Promoted>, Problem> {
    asking.caller()?.check(Scope::Models)?;
    jobs::check_name(&name).map_err(|_| Problem::not_found("There is no model of that name."))?;
    let which = promotion.version.map_or(Which::Unsaid, Which::Version);
    let alias = promotion.alias.unwrap_or_else(|| crate::models::usual_alias().to_owned());
    jobs::check_name(&alias)?;
    let reference = Reference { name, which };
    let (entry, before) = app.models.promote(&reference, &alias).await.map_err(in_path)?;
    tracing::info!(model = %entry.name, version = entry.version, alias, before, "model promoted");
    Ok(Json(Promoted { model: ModelView::of(entry), alias, before }))
}

/// Octets of an evaluation: one of a hundred classes has some 500 kB.
const EVALUATION_OCTETS: usize = 16 << 20;

fn not_evaluated() -> Problem {
    Problem::not_found(
        "No evaluation is attached to this version. 'flowgait evaluate --model MODEL … -o evaluation.json' makes one; PUT it here.",
    )
}

/// How good a version is: what `flowgait evaluate` found, where somebody attached it.
#[utoipa::path(
    get,
    path = "/v1/models/{name}/versions/{version}/evaluation",
    tag = "models",
    params(("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")),
    responses(
        (status = 200, description = "flowgait-evaluation/1", body = Value),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn evaluation(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    asking.caller()?;
    if starter(&app).is_some_and(|starter| is_starter(&starter, &name, &version)) {
        return Err(not_evaluated());
    }
    jobs::check_name(&name).map_err(|_| Problem::not_found("There is no model of that name."))?;
    let found = app.models.evaluation(&reference(name, &version)?).await.map_err(in_path)?;
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((json, found.ok_or_else(not_evaluated)?).into_response())
}

/// Attaches an evaluation to a version, in place of the one before: what `flowgait evaluate -o evaluation.json` wrote.
#[utoipa::path(
    put,
    path = "/v1/models/{name}/versions/{version}/evaluation",
    tag = "models",
    params(("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")),
    request_body(content = Value, content_type = "application/json"),
    responses(
        (status = 200, description = "It is attached", body = ModelView),
        Usual, OfBody, Refusal<404>, Refusal<422>,
    ),
    security(("key" = []))
)]
pub(crate) async fn attach(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path((name, version)): Path<(String, String)>,
    body: Body,
) -> Result<Json<ModelView>, Problem> {
    asking.caller()?.check(Scope::Models)?;
    jobs::check_name(&name).map_err(|_| Problem::not_found("There is no model of that name."))?;
    let reference = reference(name, &version)?;
    let json = table::body(body, EVALUATION_OCTETS, app.limits.idle).await?;
    let entry = app.models.attach(&reference, json.into()).await.map_err(in_path)?;
    tracing::info!(model = %entry.name, version = entry.version, "evaluation attached");
    Ok(Json(ModelView::of(entry)))
}
