//! The registry: names, versions, aliases; taken in, promoted, rolled back.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State as With};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flowgait_model::registry::{Entry, Import, Reference, Which};
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
    /// Scores on rows that it had not learnt from.
    #[schema(value_type = Object)]
    scores: Value,
}

impl ModelView {
    fn of(entry: Entry) -> Self {
        let Entry { name, version, aliases, manifest } = entry;
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
            scores: serde_json::to_value(manifest.scores).unwrap_or_default(),
        }
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

/// A version of a model.
#[utoipa::path(
    get,
    path = "/v1/models/{name}/versions/{version}",
    tag = "models",
    params(("name" = String, Path, description = "The model's name"), ("version" = u32, Path, description = "Its version")),
    responses(
        (status = 200, description = "It", body = ModelView),
        Usual, Refusal<404>,
    ),
    security(("key" = []))
)]
pub(crate) async fn show(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<ModelView>, Problem> {
    asking.caller()?;
    if let Some(starter) = starter(&app).filter(|s| s.name == name && version == "0") {
        return Ok(Json(starter));
    }
    jobs::check_name(&name).map_err(|_| Problem::not_found("There is no model of that name."))?;
    let entry = app.models.find(&reference(name, &version)?).await.map_err(in_path)?;
    Ok(Json(ModelView::of(entry)))
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
