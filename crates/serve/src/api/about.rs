//! `GET /v1/about`: what a page has to know of the service before it asks for anything else.

use axum::Json;
use axum::extract::{Extension, State as With};
use serde::Serialize;
use utoipa::ToSchema;

use super::refusals::Usual;
use super::{Asking, Shared};
use crate::problem::Problem;

/// What a page has to know of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct About {
    /// The program's version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Whether only this machine can ask, so that nothing that is sent leaves it.
    is_local: bool,
    /// Octets that an upload may have.
    upload_octets: u64,
    /// The model that answers where none is named, `NAME@VERSION`; null where there is none.
    model: Option<String>,
}

/// What a page has to know of the service.
#[utoipa::path(
    get,
    path = "/v1/about",
    tag = "health",
    responses((status = 200, description = "It", body = About), Usual),
    security(("key" = []))
)]
pub(crate) async fn about(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
) -> Result<Json<About>, Problem> {
    asking.caller()?;
    Ok(Json(About {
        version: env!("CARGO_PKG_VERSION"),
        is_local: app.auth.is_open(),
        upload_octets: app.limits.upload_octets,
        model: app.models.get(None).await.ok().map(|model| model.pinned()),
    }))
}
