//! `GET /v1/jobs/{id}/view`: all rows of the answers as columns, for a page that shows them all.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State as With};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flowgait_features::Schema;
use flowgait_model::Sharpness;
use flowgait_model::answers::Answers;

use super::looking::{self, Asked};
use super::{download, find};
use crate::api::extract::Path;
use crate::api::refusals::{Refusal, Usual};
use crate::api::{App, Asking, Shared, coding};
use crate::auth::Scope;
use crate::error::Error;
use crate::job::{Job, JobId};
use crate::models::Loaded;
use crate::order::{Order, PredictOrder, PredictResult, names};
use crate::problem::Problem;
use crate::result::Stored;
use crate::view::make::{self, Answered, ROWS_MAX};
use crate::view::{About, View};
use crate::work::wait;

/// How long a view may be in the making: 200,000 flows of our own take some seconds.
const TIME: Duration = Duration::from_secs(120);
/// A packed view is kept where it is smaller than this share of the plain one.
const PAYS: f64 = 0.8;
/// Level of gzip: the higher ones take several times as long for a tenth less.
const LEVEL: u32 = 1;
/// The end of a plain view's name, and of a packed one's. The number goes up when views become others for the same answers.
const PLAIN: &str = "1";
const PACKED: &str = "1.gz";

/// The rows of the answers as columns, made for pages: the first 200,000.
///
/// Little-endian: the octets `FGV1`, the header's length (u32), the header, and columns, each of which begins at a multiple of 8. The header is
/// JSON: `rows` (how many are here), `of` (how many there are), `job`, `model`, `classes`, `categories`, `calibrated`, `gait_of` (`payload`, or whole
/// `packets`), `dictionaries`, `missing`, and `columns`: of each its `name`, `kind` (u16, i16, u32, f32 or f64), `offset` from where the
/// first column begins, and `count`.
///
/// - `prediction`, `second`, `truth`: places in `classes`, 65535 for none; `category`: a place in `categories`.
/// - `confidence`, `second_confidence`: NaN for none.
/// - `server` (4294967295 for none), `protocol` (65535): places in the dictionary of that name.
/// - `bytes_up`, `bytes_down`, `duration` (seconds), `start` (seconds since 1970): NaN for none.
/// - `gait_size`: octets of the first packets of all rows, from the client positive, from the server negative; `gait_time`: seconds since the
///   flow's first packet; `gait_begin`: where each row's begin among them, and behind the last row where they end.
///
/// A column without a value in any row is left out, and named in `missing`; `prediction` is always there.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/view",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The rows as columns", content_type = "application/octet-stream", body = String),
        (status = 304, description = "Not modified"),
        Usual, Refusal<404>, Refusal<409>, Refusal<422>, Refusal<507>,
    ),
    security(("key" = []))
)]
pub(crate) async fn view(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let job = find(&app, &caller, &id).await?;
    let result = download::succeeded(&job)?;
    let digest = download::digest(&result);
    let tags = [PLAIN, PACKED].map(|ending| format!("\"{digest}-{ending}\""));
    if download::is_known(&headers, &[&tags[0], &tags[1]]) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, &tags[0])]).into_response());
    }
    let plain = names::view(job.id, &digest, PLAIN);
    if app.blobs.octets(&plain).await?.is_none() {
        let order = predict_order(&job)?;
        let model = app.models.get(Some(&result.model)).await?;
        let making =
            Making { app: app.clone(), job: job.id, result, order, model, digest: digest.clone() };
        looking::compute(&app.looking.views, TIME, move |asked| making.make(asked)).await?;
    }
    let packed = names::view(job.id, &digest, PACKED);
    let is_packed = coding::takes(&headers, "gzip") && app.blobs.octets(&packed).await?.is_some();
    let (name, tag) = if is_packed { (packed, &tags[1]) } else { (plain, &tags[0]) };
    // It may have been collected with its job since.
    let gone = || Problem::not_found("There is no job of that id, or it is no longer kept.");
    let octets = app.blobs.octets(&name).await?.ok_or_else(gone)?;
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, octets)
        .header(header::CACHE_CONTROL, "private, max-age=3600")
        .header(header::VARY, "accept-encoding")
        .header(header::ETAG, tag);
    if is_packed {
        response = response.header(header::CONTENT_ENCODING, "gzip");
    }
    let body = Body::from_stream(app.blobs.stream(&name, 0..octets).await?);
    response
        .body(body)
        .map_err(|_| Problem::internal("The log has the reason under this request's id."))
}

/// What a prediction was to be.
pub(super) fn predict_order(job: &Job) -> Result<PredictOrder, Problem> {
    match Order::of(&job.order)? {
        Order::Predict(order) => Ok(order),
        _ => Err(Problem::conflict("This kind of job has no table of answers.")),
    }
}

/// A view that is being made.
struct Making {
    app: Arc<App>,
    job: JobId,
    result: PredictResult,
    order: PredictOrder,
    model: Arc<Loaded>,
    digest: String,
}

impl Making {
    /// Makes it, unless somebody else has meanwhile, and keeps it.
    fn make(&self, asked: &Asked) -> Result<(), Problem> {
        let blobs = &self.app.blobs;
        let plain = names::view(self.job, &self.digest, PLAIN);
        if wait(blobs.octets(&plain))?.is_some() {
            return Ok(());
        }
        let octets = self
            .view(asked)?
            .ok_or_else(|| {
                Problem::unavailable(
                    "To look at so many rows took too long here. Fetch the result instead.",
                )
            })?
            .encode();
        if let Some(packed) = pack(&octets) {
            wait(blobs.put(&names::view(self.job, &self.digest, PACKED), packed))?;
        }
        // At last, since where it is nothing is made any more.
        Ok(wait(blobs.put(&plain, octets))?)
    }

    /// `None` where it was given up.
    fn view(&self, asked: &Asked) -> Result<Option<View>, Error> {
        let goes_on = || asked.goes_on();
        let model = &self.model.model;
        let answered = Answered {
            classes: model.classes().to_vec(),
            categories: model.categories().map(|categories| categories.names().to_vec()),
            label: model.card().label.clone(),
            own: Answers::new(model, self.order.answers)?.added(),
        };
        let about = About {
            of: self.result.tally.rows,
            job: self.job.to_string(),
            model: self.result.model.clone(),
            calibrated: model.sharpness() != Sharpness::NONE
                || self.order.answers.after.is_some() && model.is_early(),
            ..About::default()
        };
        if self.result.pieces.is_empty() {
            return Ok(Some(make::nothing(about, &answered)));
        }
        let stored = Stored { blobs: &self.app.blobs, job: self.job, result: &self.result };
        let no_columns = Schema { name: String::new(), features: Vec::new() };
        let Some(mut reader) = stored.rows(&no_columns, &goes_on)? else { return Ok(None) };
        make::view(about, &answered, &mut reader, ROWS_MAX, &goes_on)
    }
}

/// Octets packed by gzip, where that pays.
fn pack(octets: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(LEVEL));
    let packed = encoder.write_all(octets).and_then(|()| encoder.finish());
    let packed = packed.expect("invariant: writing to memory does not fail");
    ((packed.len() as f64) < octets.len() as f64 * PAYS).then_some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_packed_stays_plain() {
        assert!(pack(&[7; 10_000]).is_some());
        let noise: Vec<u8> = (0..10_000_u64)
            .map(|n| {
                (n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(n | 1) >> 40)
                    as u8
            })
            .collect();
        assert!(pack(&noise).is_none());
    }
}
