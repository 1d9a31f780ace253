//! The routes, and what each of them shares: who asks, a request's id, what is counted.

mod about;
mod coding;
pub mod events;
mod extract;
pub mod federations;
pub mod health;
pub mod inference;
pub mod jobs;
mod linger;
pub mod models;
pub mod original;
mod page;
pub mod predictions;
mod refusals;
pub mod samples;
pub mod session;
mod table;
pub(crate) mod upload;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State as With};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;
use tracing::Instrument as _;
use utoipa::OpenApi;
use utoipa::openapi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{self, Auth, Caller, Rate};
use crate::blobs::Blobs;
use crate::config::ApiLimits;
use crate::models::Models;
use crate::problem::Problem;
use crate::store::JobStore;
use crate::work::TableLimits;

/// What all handlers share.
pub struct App {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) blobs: Blobs,
    pub(crate) models: Arc<Models>,
    pub(crate) programs: Arc<dyn crate::work::Programs>,
    /// Samples are made one at a time.
    pub(crate) making: tokio::sync::Mutex<()>,
    pub(crate) auth: Auth,
    pub(crate) rate: Rate,
    pub(crate) limits: ApiLimits,
    pub(crate) tables: TableLimits,
    /// Whether the process is about to end: nothing new should come here.
    pub(crate) ends: watch::Receiver<bool>,
    pub(crate) is_overdue: AtomicBool,
    pub(crate) looking: jobs::looking::Looking,
    pub(crate) backlog: crate::backlog::Backlog,
    pub(crate) metrics: metrics_exporter_prometheus::PrometheusHandle,
    /// Task types of the original routes, and the models they mean.
    pub(crate) tasks: Vec<(String, String)>,
    /// Whether clients speak TLS with this process.
    pub(crate) is_encrypted: bool,
    /// Whether /metrics is here, too, or only at the management address.
    pub(crate) shows_metrics: bool,
}

/// The application, as handlers have it.
pub(crate) type Shared = With<Arc<App>>;

/// The document's head.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "flowgait",
        description = "Which application an encrypted flow belongs to, from how it moves: tables and captures in, verdicts out.",
        license(name = "MIT OR Apache-2.0")
    ),
    // These two are no business of keys, and so no routes of the rest.
    paths(health::livez, health::readyz),
    components(schemas(Problem)),
    tags(
        (name = "predictions", description = "Answers at once, for up to 1,000 rows"),
        (name = "jobs", description = "Tables and captures of any size, and training: accepted is durable"),
        (name = "events", description = "What changes, as it changes"),
        (name = "models", description = "The registry: names, versions, aliases"),
        (name = "federations", description = "Many that learn together, simulated"),
        (name = "samples", description = "Made traffic, for whoever has no capture at hand"),
        (name = "session", description = "For browsers: a key, shown once"),
        (name = "inference", description = "Open Inference Protocol, version 2"),
        (name = "original", description = "The two routes of the system that this replaces"),
        (name = "health", description = "For orchestrators")
    )
)]
struct Head;

/// The routes with their description.
fn described() -> OpenApiRouter<Arc<App>> {
    let mut head = Head::openapi();
    let components = head.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let described = OpenApiRouter::with_openapi(head)
        .routes(routes!(predictions::predict))
        .routes(routes!(jobs::submit, jobs::list))
        .routes(routes!(jobs::show, jobs::cancel))
        .routes(routes!(jobs::download::result))
        .routes(routes!(jobs::preview::preview))
        .routes(routes!(jobs::columns::view))
        .routes(routes!(jobs::row::row))
        .routes(routes!(jobs::retry))
        .routes(routes!(samples::list))
        .routes(routes!(about::about))
        .routes(routes!(session::show, session::begin, session::end))
        .routes(routes!(events::follow))
        .routes(routes!(models::list))
        .routes(routes!(models::versions, models::import))
        .routes(routes!(models::show))
        .routes(routes!(models::download))
        .routes(routes!(models::promote))
        .routes(routes!(models::evaluation, models::attach))
        .routes(routes!(federations::list, federations::create))
        .routes(routes!(federations::show))
        .routes(routes!(federations::rounds))
        .routes(routes!(federations::pause))
        .routes(routes!(federations::resume))
        .routes(routes!(federations::stop))
        .routes(routes!(federations::file))
        .routes(routes!(inference::server))
        .routes(routes!(inference::live))
        .routes(routes!(inference::ready))
        .routes(routes!(inference::model))
        .routes(routes!(inference::version))
        .routes(routes!(inference::model_ready))
        .routes(routes!(inference::version_ready))
        .routes(routes!(inference::infer))
        .routes(routes!(inference::infer_version))
        .routes(routes!(original::predict))
        .routes(routes!(original::result));
    named(described)
}

/// Gives every operation a name of its own: those of the handlers are alike from one resource to the next.
fn named(mut described: OpenApiRouter<Arc<App>>) -> OpenApiRouter<Arc<App>> {
    for operation in operations(described.get_openapi_mut()) {
        let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
        operation.operation_id = operation.operation_id.take().map(|id| {
            // As most descriptions write them, `jobsSubmit`; the page takes an underscore for a space.
            id.split('_').fold(tag.clone(), |mut name, word| {
                name.extend(word.chars().take(1).flat_map(char::to_uppercase));
                name.extend(word.chars().skip(1));
                name
            })
        });
    }
    described
}

fn operations(
    document: &mut openapi::OpenApi,
) -> impl Iterator<Item = &mut openapi::path::Operation> {
    document.paths.paths.values_mut().flat_map(|path| {
        let openapi::PathItem { get, put, post, delete, patch, .. } = path;
        [get, put, post, delete, patch].into_iter().flatten()
    })
}

/// The document, as text: what `/openapi.json` shows.
#[must_use]
pub fn document() -> String {
    let (_, document) = described().split_for_parts();
    document.to_pretty_json().expect("invariant: the document is plain")
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, mut document) = described().split_for_parts();
    if app.auth.is_open() {
        // Where no key is needed the description does not ask for one.
        operations(&mut document).for_each(|operation| operation.security = None);
        if let Some(components) = &mut document.components {
            components.security_schemes.clear();
        }
    }
    // No bar with somebody's name and a box for other addresses, and no picture from a validator elsewhere.
    let config = utoipa_swagger_ui::Config::default()
        .use_base_layout()
        .validator_url("none")
        .display_request_duration(true)
        .default_models_expand_depth(0);
    let docs =
        utoipa_swagger_ui::SwaggerUi::new("/docs").url("/openapi.json", document).config(config);
    router
        .route_layer(axum::middleware::from_fn_with_state(app.clone(), admitted))
        .merge(Router::from(docs).route_layer(axum::middleware::from_fn(documents)))
        .merge(health::routes(app.shows_metrics))
        .fallback(page::page)
        .method_not_allowed_fallback(other_method)
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(inference::errors))
        .layer(axum::middleware::from_fn(linger::lingering))
        .layer(axum::middleware::from_fn_with_state(app.clone(), observed))
        .with_state(app)
}

async fn other_method() -> Problem {
    Problem::method_not_allowed("/docs lists the methods of each path.")
}

/// The API page needs styles and pictures of its own; nothing from elsewhere. It is called what it is the page of.
async fn documents(request: Request, next: Next) -> Response {
    const PAGE_OCTETS: usize = 64 << 10;
    let mut response = next.run(request).await;
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("text/html")) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(page) = axum::body::to_bytes(body, PAGE_OCTETS).await else {
        return Problem::internal("The log has the reason under this request's id.")
            .into_response();
    };
    let page = String::from_utf8_lossy(&page).replace("Swagger UI", "flowgait API");
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(page))
}

/// Lets in who may ask.
async fn admitted(With(app): Shared, mut request: Request, next: Next) -> Response {
    // A signed link stands for a key; its handler looks at the signature.
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let is_signed = path == Some(jobs::download::PATH)
        && request.uri().query().is_some_and(|query| query.contains("signature="))
        && request.method() == Method::GET
        && !request.headers().contains_key(header::AUTHORIZATION);
    // A session begins with a key in its body, and ends without one.
    let is_door = path == Some(session::PATH) && request.method() != Method::GET;
    let asks = check_origin(&app, &request)
        .and_then(|()| check_coding(request.headers()))
        .map(|()| request.headers().clone());
    let admitted = match asks {
        Err(problem) => Err(problem),
        Ok(_) if is_signed => Ok(None),
        Ok(headers) if is_door => match auth::is_of_this_origin(&headers) {
            true => Ok(None),
            false => Err(Problem::forbidden("Pages of other origins may not ask.")),
        },
        Ok(headers) => app.auth.caller(&headers).await.and_then(|caller| {
            app.rate.check(&caller)?;
            Ok(Some(caller))
        }),
    };
    match admitted {
        Ok(caller) => {
            request.extensions_mut().insert(Asking(caller));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Who asks; nobody in particular where a link is signed.
#[derive(Clone, Debug)]
pub(crate) struct Asking(pub(crate) Option<Caller>);

impl Asking {
    pub(crate) fn caller(self) -> Result<Caller, Problem> {
        self.0.ok_or_else(|| Problem::unauthorized("A signed link is for downloads only."))
    }
}

/// Where no key is needed, a page of another site in this machine's browser must not be able to ask either: its requests name another
/// host (a name that was made to point here), or come from another origin.
fn check_origin(app: &App, request: &Request) -> Result<(), Problem> {
    if !app.auth.is_open() {
        return Ok(());
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let name = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    });
    if let Some(name) = name
        && !matches!(name, "localhost" | "127.0.0.1" | "[::1]")
        && !name
            .strip_prefix("127.")
            .is_some_and(|rest| rest.bytes().all(|c| c == b'.' || c.is_ascii_digit()))
    {
        return Err(Problem::forbidden(
            "Without keys only this machine may ask, by the name localhost or its loopback address.",
        ));
    }
    let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if let (Some(origin), Some(host)) = (origin, host)
        && origin.split_once("://").map(|(_, rest)| rest) != Some(host)
    {
        return Err(Problem::forbidden("Pages of other origins may not ask."));
    }
    Ok(())
}

/// Bodies are read as they come: one that is packed would otherwise be told to be broken.
fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(coding) if coding != "identity" && !coding.is_empty() => Err(Problem::unsupported(
            "Send the body without a Content-Encoding; the file in a form may itself be gzip or zstd.",
        )),
        _ => Ok(()),
    }
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every request an id, a line in the log, and a place in the counts; and every answer the headers that keep browsers careful.
async fn observed(
    With(app): Shared,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let given = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
    };
    let id = given
        .filter(is_plain)
        .map_or_else(|| format!("{:016x}", rand::random::<u64>()), str::to_owned);
    let method = request.method().clone();
    let route = path.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", request.id = %id, %method, route);
    let answer = std::panic::AssertUnwindSafe(next.run(request));
    let caught = futures_util::FutureExt::catch_unwind(answer).instrument(span.clone()).await;
    let mut response = caught.unwrap_or_else(|_| {
        Problem::internal("The log has the reason under this request's id.").into_response()
    });
    let (status, seconds) = (response.status(), begun.elapsed().as_secs_f64());
    span.in_scope(|| tracing::info!(status = status.as_u16(), seconds, "request"));
    let labels = [
        ("method", method.as_str().to_owned()),
        ("route", route.clone()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("flowgait_http_requests_total", &labels).increment(1);
    // A stream of events is as long as somebody listens, which is no duration of ours.
    if route != events::PATH {
        let labels = [("method", method.as_str().to_owned()), ("route", route)];
        metrics::histogram!("flowgait_http_request_seconds", &labels).record(seconds);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(&REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if app.is_overdue.load(Ordering::Acquire) || *app.ends.borrow() {
        // Whoever keeps connections open is to go elsewhere with the next request.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Seconds since 1970, by the wall.
pub(crate) fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A time as RFC 3339, in UTC, with milliseconds.
pub(crate) fn time_text(millis: u64) -> String {
    let time = i64::try_from(millis).ok().and_then(chrono::DateTime::from_timestamp_millis);
    time.unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_rfc_3339() {
        assert_eq!(time_text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(time_text(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(time_text(1_795_851_080_000), "2026-11-28T07:31:20.000Z");
    }
}
