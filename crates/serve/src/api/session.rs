//! `/v1/session`: a browser shows a key once, and then a cookie that no script can read.
//!
//! A stream of events and a followed link carry no header of their own making, so a page cannot show its key each time. The cookie holds the
//! key itself: there is nothing to keep on this side, and a key that is revoked is revoked here, too. It is sent by pages of this origin
//! only (`SameSite=Strict`), not read by scripts (`HttpOnly`), and under TLS never without it (`Secure`).

use axum::Json;
use axum::extract::{Extension, State as With};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract;
use super::refusals::{OfBody, Usual};
use super::{App, Asking, Shared};
use crate::auth::{Caller, SESSION};
use crate::problem::Problem;

pub(crate) const PATH: &str = "/v1/session";
/// How long a browser keeps it, in seconds.
const AGE: u32 = 12 * 3600;

/// A key, shown once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    key: String,
}

/// Who asks, and what it may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// The key's name; empty where no key is needed.
    name: String,
    /// predict, jobs, models, admin.
    scopes: Vec<&'static str>,
}

impl Session {
    fn of(caller: &Caller) -> Self {
        let scopes = caller.scopes().iter().map(|scope| scope.name()).collect();
        Self { name: caller.name.clone(), scopes }
    }
}

fn cookie(value: &str, age: u32, is_encrypted: bool) -> HeaderValue {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let text =
        format!("{SESSION}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    let mut cookie = HeaderValue::from_str(&text).expect("invariant: a known key is plain text");
    cookie.set_sensitive(true);
    cookie
}

/// Whether the page came over TLS: from this program, or through a proxy that ends it. The browser says so itself.
fn is_encrypted(app: &App, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    app.is_encrypted || origin.is_some_and(|origin| origin.starts_with("https://"))
}

/// Whether an octet may stand in a cookie (RFC 6265, 4.1.1).
fn fits_a_cookie(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'"' | b',' | b';' | b'\\')
}

/// Who asks.
#[utoipa::path(
    get,
    path = "/v1/session",
    tag = "session",
    responses((status = 200, description = "Who", body = Session), Usual),
    security(("key" = []))
)]
pub(crate) async fn show(Extension(asking): Extension<Asking>) -> Result<Json<Session>, Problem> {
    Ok(Json(Session::of(&asking.caller()?)))
}

/// Begins a session: the key goes into a cookie that no script can read. It needs no key of its own.
#[utoipa::path(
    post,
    path = "/v1/session",
    tag = "session",
    request_body = Shown,
    responses(
        (status = 200, description = "Who that is", body = Session, headers(("Set-Cookie" = String, description = "The session"))),
        Usual, OfBody,
    )
)]
pub(crate) async fn begin(
    With(app): Shared,
    headers: HeaderMap,
    extract::Json(Shown { key }): extract::Json<Shown>,
) -> Result<Response, Problem> {
    let mut shown = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Bearer {}", key.trim()))
        .map_err(|_| Problem::unauthorized("The key is not known, or was revoked."))?;
    shown.insert(header::AUTHORIZATION, value);
    let caller = app.auth.caller(&shown).await?;
    app.rate.check(&caller)?;
    // Those that this program makes all fit; one of a file may be written otherwise.
    if !key.trim().bytes().all(fits_a_cookie) {
        return Err(Problem::bad_request(
            "This key has characters that no cookie can hold (spaces, quotes, commas, semicolons, backslashes). Ask an operator for another.",
        ));
    }
    tracing::info!(key = caller.name, "a session begins");
    let set = [(header::SET_COOKIE, cookie(key.trim(), AGE, is_encrypted(&app, &headers)))];
    Ok((set, Json(Session::of(&caller))).into_response())
}

/// Ends a session: the cookie goes.
#[utoipa::path(
    delete,
    path = "/v1/session",
    tag = "session",
    responses((status = 204, description = "It is gone"), Usual)
)]
pub(crate) async fn end(With(app): Shared, headers: HeaderMap) -> Response {
    let gone = [(header::SET_COOKIE, cookie("", 0, is_encrypted(&app, &headers)))];
    (StatusCode::NO_CONTENT, gone).into_response()
}
