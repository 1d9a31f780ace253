//! Parts of a request, whose faults are problem documents as all others are, and not the framework's plain text.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, ready};

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::App;
use super::table::body;
use crate::problem::Problem;
use crate::work::sentence;

/// What a path names.
pub(crate) struct Path<T>(pub(crate) T);

/// What stands behind a path's question mark.
pub(crate) struct Query<T>(pub(crate) T);

/// A body of JSON.
pub(crate) struct Json<T>(pub(crate) T);

/// A form with files.
pub(crate) struct Multipart {
    pub(crate) form: axum::extract::Multipart,
    pub(crate) pace: Pace,
    /// Octets of all of it, as it says before it is sent.
    pub(crate) length: Option<u64>,
}

/// Octets that a form may need for one step: the head of a field, or the next piece of one.
const STEP_OCTETS: usize = 1 << 20;

/// How much of a body a form took for a step.
///
/// The library takes all that is there before it looks at it, and keeps the head of a field until it has an end, so without this a head
/// that has none would fill the memory.
#[derive(Clone, Default)]
pub(crate) struct Pace(Arc<AtomicUsize>);

impl Pace {
    /// A step begins.
    pub(crate) fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// A body that gives a piece and then has the taker look at it, and ends when a step takes too much.
    fn body(&self, body: Body) -> Body {
        let (taken, mut pieces, mut has_given) = (self.0.clone(), body.into_data_stream(), false);
        Body::from_stream(futures_util::stream::poll_fn(move |context| {
            if std::mem::take(&mut has_given) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let next = ready!(pieces.poll_next_unpin(context));
            has_given = true;
            let octets = next.as_ref().and_then(|piece| Some(piece.as_ref().ok()?.len()));
            let octets = octets.unwrap_or(0);
            if taken.fetch_add(octets, Ordering::Relaxed) + octets > STEP_OCTETS {
                let told = format!("the head of a field has no end within {STEP_OCTETS} octets");
                return Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other(told)))));
            }
            Poll::Ready(next)
        }))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        let axum::extract::Path(named) = found.map_err(|error: PathRejection| {
            tracing::debug!(error = error.body_text(), "a path cannot be read");
            Problem::bad_request("The path is not UTF-8, or has too many or too few parts.")
        })?;
        Ok(Self(named))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Query::from_request_parts(parts, state).await;
        let axum::extract::Query(asked) = found.map_err(|error: QueryRejection| {
            let told = error.body_text();
            let told = told.rsplit("string: ").next().unwrap_or_default();
            Problem::bad_request(format!(
                "What stands behind '?' is not understood: {}",
                sentence(told)
            ))
        })?;
        Ok(Self(asked))
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        check_json(request.headers())?;
        // The framework's own reader knows neither our limit nor our patience.
        let bytes = body(request.into_body(), app.limits.body_octets, app.limits.idle).await?;
        json(&bytes).map(Self)
    }
}

/// Refuses what says that it is something else than JSON.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    // `…+json` is JSON, too. Clients of the Open Inference Protocol send no type at all.
    let is_json = |kind: String| kind == "application/json" || kind.ends_with("+json");
    if media_type(headers).is_none_or(is_json) {
        return Ok(());
    }
    Err(Problem::unsupported("Send JSON as application/json."))
}

/// What an object of JSON says.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A list would be taken for an object whose members stand in order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::bad_request("The JSON is a list where an object is expected."));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format!("The JSON is not as it should be: {error}.")))
}

impl<S: Send + Sync> FromRequest<S> for Multipart {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()).is_none_or(|kind| kind != "multipart/form-data") {
            return Err(Problem::unsupported(
                "Send a form as multipart/form-data; curl does by -F file=@YOURS.csv.",
            ));
        }
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let pace = Pace::default();
        let request = request.map(|body| pace.body(body));
        let form = axum::extract::Multipart::from_request(request, state).await;
        let told = "The form's Content-Type says no boundary between its fields.";
        let form = form.map_err(|_| Problem::bad_request(told))?;
        Ok(Self { form, pace, length })
    }
}

/// A request's media type, in small letters, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}
