//! Samples: tables of made traffic, for whoever has no capture at hand.
//!
//! A table is made when it is first wanted and kept among the blobs; a job gets a copy, as if it had been uploaded.

use axum::Json;
use axum::extract::{Extension, State as With};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::refusals::Usual;
use super::upload::{Received, counted};
use super::{App, Asking, Shared};
use crate::blobs::Blobs;
use crate::order::{Content, Packed, Upload, names};
use crate::problem::Problem;
use crate::work::Sample;
use crate::work::sink::hex;

/// A sample.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SampleView {
    /// What `POST /v1/jobs` takes as `sample`.
    name: &'static str,
    title: &'static str,
    /// What it is, in a few words.
    says: &'static str,
    /// Flows in it.
    flows: u64,
    /// Always true: its scores measure the generator, and no network.
    made: bool,
}

/// Samples.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SampleList {
    samples: Vec<SampleView>,
}

/// Tables of made traffic that a job may be given instead of a file.
#[utoipa::path(
    get,
    path = "/v1/samples",
    tag = "samples",
    responses((status = 200, description = "All samples", body = SampleList), Usual),
    security(("key" = []))
)]
pub(crate) async fn list(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
) -> Result<Json<SampleList>, Problem> {
    asking.caller()?;
    let view = |sample: &Sample| {
        let Sample { name, title, says, flows } = *sample;
        SampleView { name, title, says, flows, made: true }
    };
    Ok(Json(SampleList { samples: app.programs.samples().iter().map(view).collect() }))
}

/// Gives a form the table of a sample, where it names one.
///
/// # Errors
/// When there is no such sample, or there is a file, too.
pub(crate) async fn fill(app: &App, form: &mut Received) -> Result<(), Problem> {
    let Some(name) = form.take("sample") else { return Ok(()) };
    if form.upload.is_some() {
        return Err(Problem::bad_request("The form has a file and a sample; a job takes one."));
    }
    let samples = app.programs.samples();
    let Some(sample) = samples.iter().find(|sample| sample.name == name) else {
        let names: Vec<&str> = samples.iter().map(|sample| sample.name).collect();
        let known = names.join(", ");
        return Err(Problem::bad_request(format!("The field 'sample' takes one of: {known}.")));
    };
    let table = table(app, sample).await?;
    let mut writing = app.blobs.begin(&names::input(form.id)).await?;
    writing.write(table.clone()).await?;
    writing.finish().await?;
    form.rows = counted(&table);
    form.upload = Some(Upload {
        name: format!("{}.csv", sample.name),
        content: Content::Csv,
        packed: Packed::Plain,
        octets: table.len() as u64,
        sha256: hex(&Sha256::digest(&table)),
        made: true,
    });
    Ok(())
}

/// The table. One is made at a time: whoever wants the same meanwhile finds it made.
async fn table(app: &App, sample: &Sample) -> Result<bytes::Bytes, Problem> {
    let kept = format!("samples/{}-{}.csv", sample.name, env!("CARGO_PKG_VERSION"));
    if let Some(table) = app.blobs.get(&kept).await? {
        return Ok(table);
    }
    let _one = app.making.lock().await;
    if let Some(table) = app.blobs.get(&kept).await? {
        return Ok(table);
    }
    let table = made(app, sample).await?;
    keep(&app.blobs, &kept, &table).await;
    Ok(table)
}

/// What cannot be kept is made again the next time.
async fn keep(blobs: &Blobs, name: &str, table: &bytes::Bytes) {
    if let Err(error) = blobs.put(name, table.to_vec()).await {
        tracing::warn!(%error, "a sample could not be kept");
    }
}

async fn made(app: &App, sample: &Sample) -> Result<bytes::Bytes, Problem> {
    let refused = |what: &str, error: &dyn std::fmt::Display| {
        tracing::error!(%error, sample = sample.name, "{what}");
        Problem::internal("The log has the reason under this request's id.")
    };
    let folder = tempfile::tempdir().map_err(|e| refused("no place for a sample", &e))?;
    let file = folder.path().join("sample.csv");
    let mut command = tokio::process::Command::from(app.programs.sample(sample, &file));
    let output = command.kill_on_drop(true).output().await;
    let output = output.map_err(|e| refused("a sample could not be made", &e))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(refused("a sample could not be made", &words));
    }
    let table = tokio::fs::read(&file).await.map_err(|e| refused("a sample is not there", &e))?;
    Ok(table.into())
}
