//! Refusals as the API's description has them: problem documents, each described once, from the table of their types.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{ContentBuilder, Object, Ref, RefOr, Type};
use utoipa::{IntoResponses, ToSchema as _};

use crate::problem::{self, MEDIA_TYPE, Problem};

/// What every route may refuse with: it is not understood, nobody known asks, or may not, or too often, or something here is broken.
pub(crate) struct Usual;

/// What a route that reads a body may refuse with beside: it is too slow, too large, or of a kind that is not read.
pub(crate) struct OfBody;

/// One status.
pub(crate) struct Refusal<const STATUS: u16>;

impl IntoResponses for Usual {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        all(&[400, 401, 403, 429, 500, 503])
    }
}

impl IntoResponses for OfBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        all(&[408, 413, 415])
    }
}

impl<const STATUS: u16> IntoResponses for Refusal<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        all(&[STATUS])
    }
}

fn all(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    statuses.iter().map(|&status| (status.to_string(), RefOr::T(response(status)))).collect()
}

fn response(status: u16) -> Response {
    let titles: Vec<&str> = problem::TYPES
        .iter()
        .filter(|(_, of, _)| *of == status)
        .map(|(_, _, title)| *title)
        .collect();
    let schema = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let header = |description: &str, kind: Type| {
        let schema = Object::with_type(kind);
        HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
    };
    let response = ResponseBuilder::new().description(titles.join("; or: "));
    let response = match status {
        401 => {
            response.header("WWW-Authenticate", header("How to say who asks: Bearer", Type::String))
        }
        429 | 503 => response.header(
            "Retry-After",
            header("Seconds after which another try is worth it", Type::Integer),
        ),
        _ => response,
    };
    response.content(MEDIA_TYPE, content).build()
}
