//! Errors as callers see them: RFC 9457 problem documents with stable types. What lies beneath goes to the log, with the request's id.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::work::{sentence, told};

/// How problem documents are called in HTTP.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: `urn:flowgait:problem:` and a stable word.
    #[serde(rename = "type")]
    #[schema(example = "urn:flowgait:problem:bad-input")]
    pub kind: String,
    /// What kind of problem, for people.
    #[schema(example = "The input cannot be used")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What happened, where, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds after which another try is worth it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// What happened, once more, where clients of the Open Inference Protocol look for it; only below /v2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $status:ident $kind:literal $title:literal;)*) => {
        impl Problem {
            $($(#[$doc])*
            pub(crate) fn $name(detail: impl Into<String>) -> Self {
                Self::new(StatusCode::$status, $kind, $title, Some(detail.into()))
            })*
        }

        /// Every type of problem, with its status and title.
        pub const TYPES: &[(&str, u16, &str)] = &[$(($kind, StatusCode::$status.as_u16(), $title)),*];
    };
}

problems! {
    /// The request is not understood.
    bad_request BAD_REQUEST "bad-request" "The request is not understood";
    /// No key, or one that is not known.
    unauthorized UNAUTHORIZED "unauthorized" "A key is needed";
    /// The key does not allow it.
    forbidden FORBIDDEN "forbidden" "This is not allowed";
    /// There is no such thing.
    not_found NOT_FOUND "not-found" "There is no such thing";
    /// The method is not for this path.
    method_not_allowed METHOD_NOT_ALLOWED "method-not-allowed" "This path knows other methods";
    /// Nothing came for too long.
    too_slow REQUEST_TIMEOUT "too-slow" "The request came too slowly";
    /// The state of things does not allow it.
    conflict CONFLICT "conflict" "Not possible as things are";
    /// It is gone.
    gone GONE "gone" "It is no longer there";
    /// It is beyond a limit.
    too_large PAYLOAD_TOO_LARGE "too-large" "The input is beyond a limit";
    /// It is of a kind that is not read.
    unsupported UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The input is of a kind that is not read here";
    /// The range is beyond the end.
    bad_range RANGE_NOT_SATISFIABLE "bad-range" "The range is beyond the end";
    /// The input cannot be used.
    bad_input UNPROCESSABLE_ENTITY "bad-input" "The input cannot be used";
    /// The key was used before, for something else.
    key_reused UNPROCESSABLE_ENTITY "idempotency-key-reused" "The idempotency key was used for another request";
    /// The registry has no such model.
    no_such_model UNPROCESSABLE_ENTITY "no-such-model" "There is no such model";
    /// Too many requests.
    too_many TOO_MANY_REQUESTS "too-many-requests" "Too many requests";
    /// The queue is full.
    queue_full TOO_MANY_REQUESTS "queue-full" "The queue is full";
    /// Something broke here.
    internal INTERNAL_SERVER_ERROR "internal" "Something broke on this side";
    /// The store or the blobs cannot be had now.
    unavailable SERVICE_UNAVAILABLE "unavailable" "The service cannot do this now";
    /// There is no room.
    no_room INSUFFICIENT_STORAGE "no-room" "There is no room left on this side";
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &str, detail: Option<String>) -> Self {
        Self {
            kind: format!("urn:flowgait:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            retry_after: None,
            error: None,
        }
    }

    /// It as JSON.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("invariant: plain fields")
    }

    /// Another try is worth it after so many seconds.
    #[must_use]
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, self.text()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Whoever passes it on may have something to add.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = told(&error);
        match &error {
            Error::JobName { .. } => Self::not_found("There is no job of that id."),
            Error::StateName { .. } => Self::bad_request(sentence(&text)),
            Error::Model(model) => Self::of_model(model, &text),
            Error::Table(_) => Self::bad_input(sentence(&text)),
            Error::Store { .. } | Error::Blob { .. } | Error::System { .. } => {
                tracing::error!(error = text, "the store or the blobs failed");
                if is_full(&error) {
                    return Self::no_room("Nothing was taken in. Make room, then send it again.");
                }
                Self::unavailable("The store did not answer. Nothing is lost: send it again, with the same Idempotency-Key.")
                    .after(2)
            }
            _ => {
                tracing::error!(error = text, "an error that nobody expected");
                Self::internal("The log has the reason under this request's id.")
            }
        }
    }
}

impl Problem {
    fn of_model(model: &flowgait_model::Error, text: &str) -> Self {
        use flowgait_model::Error;
        match model {
            Error::NoSuchModel { .. } => Self::no_such_model(sentence(text)),
            Error::Parameter { name, value, rule } => {
                Self::bad_request(format!("'{name}' is {value}, but {rule}."))
            }
            Error::ModelName { .. } => Self::bad_request(sentence(text)),
            Error::Evaluation { .. } => Self::bad_input(sentence(text)),
            Error::Registry { .. } | Error::ReadModel { .. } | Error::WriteModel { .. } => {
                tracing::error!(error = text, "the registry failed");
                Self::unavailable("The registry of models cannot be used now.").after(5)
            }
            // Where it lies on this side is nobody's business.
            Error::UseModel { source, .. } => Self::bad_input(sentence(&told(&**source))),
            _ => Self::bad_input(sentence(text)),
        }
    }
}

/// Whether the disk or the store has no room.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            )
        {
            return true;
        }
        if let Some(rusqlite::Error::SqliteFailure(failure, _)) =
            error.downcast_ref::<rusqlite::Error>()
            && failure.code == rusqlite::ErrorCode::DiskFull
        {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_stable_and_each_is_once() {
        let mut kinds: Vec<&str> = TYPES.iter().map(|(kind, ..)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), TYPES.len());
        let problem = Problem::queue_full("x").after(0);
        assert_eq!(problem.kind, "urn:flowgait:problem:queue-full");
        let response = problem.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}
