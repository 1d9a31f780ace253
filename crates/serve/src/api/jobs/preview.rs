//! The first rows of answers, also of those that are still being made.

use axum::Json;
use axum::extract::{Extension, State as With};
use serde::Serialize;
use utoipa::ToSchema;

use super::columns::predict_order;
use super::download::succeeded;
use super::find;
use crate::api::extract::Path;
use crate::api::refusals::{Refusal, Usual};
use crate::api::{App, Asking, Shared};
use crate::auth::Scope;
use crate::job::{Job, State};
use crate::order::{Format, Piece, names};
use crate::problem::Problem;
use crate::work::predict::Answered;

/// The first rows of the answers.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// The columns; none before the first rows are there.
    columns: Vec<String>,
    /// Rows of cells, as they stand in CSV.
    rows: Vec<Vec<String>>,
}

/// Rows shown before all of them are fetched.
const ROWS: usize = 20;
/// Octets that are looked at for them.
const OCTETS: u64 = 1 << 20;

/// The first 20 rows of the answers, as JSON; of a job that still runs, once its first part is done.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/preview",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The first rows", body = Preview),
        Usual, Refusal<404>, Refusal<409>,
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
    if predict_order(&job)?.format != Format::Csv {
        return Err(Problem::conflict("Only answers in CSV have a preview; fetch the result."));
    }
    let Some(first) = first_piece(&app, &job).await? else {
        return Ok(Json(Preview::default()));
    };
    let name = names::piece(job.id, &first.sha256);
    let octets = app.blobs.range(&name, 0..first.octets.min(OCTETS)).await?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&octets[..]);
    let mut records = reader.records().map_while(Result::ok);
    let texts = |record: csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = records.next().map(texts).unwrap_or_default();
    // A row that the end of what was looked at cuts through is none.
    let rows = records.map(texts).filter(|row| row.len() == columns.len());
    Ok(Json(Preview { rows: rows.take(ROWS).collect(), columns }))
}

/// Where the answers begin, if they have begun.
async fn first_piece(app: &App, job: &Job) -> Result<Option<Piece>, Problem> {
    let pieces = match job.state {
        State::Queued | State::Running => {
            let chunks = app.store.chunks(job.id).await?;
            chunks
                .into_iter()
                .next()
                .flatten()
                .map(Answered::pieces_of)
                .transpose()?
                .unwrap_or_default()
        }
        _ => succeeded(job)?.pieces,
    };
    Ok(pieces.into_iter().next())
}
