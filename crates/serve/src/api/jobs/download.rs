//! What predictions came to, fetched: all of it, or a range of it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State as With};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::find;
use crate::api::extract::{Path, Query};
use crate::api::refusals::{Refusal, Usual};
use crate::api::{App, Asking, Shared, seconds_now};
use crate::auth::{Caller, Scope};
use crate::job::{Job, JobId, State};
use crate::order::{PredictResult, names};
use crate::problem::Problem;
use crate::work::sink::hex;

/// The route of downloads: the only one that a signed link is for.
pub(crate) const PATH: &str = "/v1/jobs/{id}/result";

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

/// The answers: the input's rows, all its columns, then the prediction. Ranges and ETags are honoured.
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
        Usual, Refusal<404>, Refusal<409>, Refusal<416>,
    ),
    // A signed link needs no key.
    security((), ("key" = []))
)]
pub(crate) async fn result(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
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

/// What tells a result from every other.
pub(crate) fn digest(result: &PredictResult) -> String {
    let digest = result.pieces.iter().fold(Sha256::new(), |mut all, piece| {
        all.update(piece.sha256.as_bytes());
        all
    });
    hex(&digest.finalize())[..32].to_owned()
}

/// Whether whoever asks has what one of these tags stands for.
pub(crate) fn is_known(headers: &HeaderMap, tags: &[&str]) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_one = |tag: &str| tag == "*" || tags.contains(&tag.trim_start_matches("W/"));
    known.is_some_and(|known| known.split(',').any(|tag| is_one(tag.trim())))
}

fn download(
    app: &Arc<App>,
    job: &Job,
    result: PredictResult,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", digest(&result));
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if is_known(headers, &[&tag]) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let all = result.octets();
    // A range of another version would be put together with what it does not belong to.
    let same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = text(header::RANGE).filter(|_| same).map(|range| parse_range(range, all));
    let (status, range) = match range {
        Some(Asked::Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(Asked::Beyond) => {
            let mut response = Problem::bad_range(format!(
                "The answers are {all} octets, from 0 to {}.",
                all.saturating_sub(1)
            ))
            .into_response();
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
