//! For orchestrators and Prometheus: whether the process lives, whether it is ready, and what it counts.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as With;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::{App, Shared};
use crate::auth::Scope;
use crate::problem::Problem;
use crate::work::told;

/// The routes; with what is counted where there is no address apart for it.
pub(crate) fn routes(with_metrics: bool) -> Router<Arc<App>> {
    let routes = Router::new().route("/livez", get(livez)).route("/readyz", get(readyz));
    if with_metrics { routes.route("/metrics", get(metrics_for_admins)) } else { routes }
}

/// The routes at the management address, where no key is needed.
pub(crate) fn management(app: Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(app)
}

/// Whether the process lives.
#[utoipa::path(
    get, path = "/livez", tag = "health",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain"))
)]
pub(crate) async fn livez() -> &'static str {
    "alive\n"
}

/// Whether requests can be served: the store of jobs answers, and the process is not ending.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "They can", body = String, content_type = "text/plain"),
        (status = 503, description = "They cannot, and why", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn readyz(With(app): Shared) -> Response {
    match readiness(&app).await {
        Ok(()) => {
            metrics::gauge!("flowgait_ready").set(1.0);
            "ready\n".into_response()
        }
        Err(why) => {
            metrics::gauge!("flowgait_ready").set(0.0);
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response()
        }
    }
}

/// Whether requests can be served.
pub(crate) async fn readiness(app: &App) -> Result<(), &'static str> {
    if *app.ends.borrow() {
        return Err("it is ending");
    }
    let asked = tokio::time::timeout(std::time::Duration::from_secs(5), app.store.ready());
    match asked.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(error = told(&error), "not ready");
            Err("the store of jobs does not answer")
        }
        Err(_) => Err("the store of jobs does not answer in time"),
    }
}

async fn metrics_for_admins(
    With(app): Shared,
    headers: axum::http::HeaderMap,
) -> Result<Response, Problem> {
    app.auth.caller(&headers).await?.check(Scope::Admin)?;
    Ok(metrics(With(app)).await)
}

async fn metrics(With(app): Shared) -> Response {
    if let Ok(load) = app.store.load().await {
        let jobs = |state: &'static str| metrics::gauge!("flowgait_jobs", "state" => state);
        jobs("queued").set(load.queued as f64);
        jobs("running").set(load.running as f64);
        jobs("dead").set(load.dead as f64);
        metrics::gauge!("flowgait_queue_rows").set(load.rows as f64);
        metrics::gauge!("flowgait_queue_octets").set(load.octets as f64);
        metrics::gauge!("flowgait_queue_oldest_seconds").set(load.oldest as f64 / 1_000.0);
        metrics::gauge!("flowgait_backlog_seconds").set(app.backlog.seconds(&load));
    }
    let ready = readiness(&app).await.is_ok();
    metrics::gauge!("flowgait_ready").set(f64::from(u8::from(ready)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], app.metrics.render()).into_response()
}
