//! The dashboard: the files that `web/` builds, as they were built, and for every address of the page its one document.
//!
//! Names below `assets/` hold a hash of what is in them, so a browser may keep them for ever; all else is asked for again each time, and
//! answered with "as before" where it is. Nothing here tells of anybody's flows, so no key is needed; what the page asks for is another
//! matter.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::coding;
use super::jobs::download::is_known;
use crate::problem::Problem;
use crate::work::sink::hex;

/// What `npm run build` wrote; `cargo xtask web` makes it anew.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// The document.
const DOCUMENT: &str = "index.html";
/// Where files are whose names hold their hash.
const HASHED: &str = "assets/";
/// The first words of the page's addresses; any other gets the document, too, which then says that there is no such page.
const PLACES: [&str; 7] = ["", "classify", "what-if", "federation", "flows", "models", "jobs"];
/// Scripts, styles and pictures from here and from nowhere else, and nothing that is written into the document.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What a file may be packed by, the smallest first: the end of its name, and the word for it.
const CODINGS: [(&str, &str); 2] = [("br", "br"), ("gz", "gzip")];

/// A file of the page, or its document where a person asks for an address.
pub(crate) async fn page(method: Method, uri: axum::http::Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let is_asked = method == Method::GET || method == Method::HEAD;
    if is_asked
        && is_file(path)
        && let Some(response) = file(path, StatusCode::OK, &headers)
    {
        return response;
    }
    if is_asked && wants_a_page(&headers) {
        let first = path.split('/').next().unwrap_or_default();
        let status = if PLACES.contains(&first) { StatusCode::OK } else { StatusCode::NOT_FOUND };
        if let Some(response) = file(DOCUMENT, status, &headers) {
            return response;
        }
    }
    Problem::not_found("This path leads nowhere; /docs lists those that do.").into_response()
}

/// Whether a path may name a file: not the document, which has no address of its own, and not what is packed, which is chosen by what is
/// accepted.
fn is_file(path: &str) -> bool {
    path != DOCUMENT && !CODINGS.iter().any(|(end, _)| path.ends_with(&format!(".{end}")))
}

/// Whether somebody wants to look at a page: browsers say so of what is typed or followed, programs do not.
fn wants_a_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

fn file(path: &str, status: StatusCode, headers: &HeaderMap) -> Option<Response> {
    let (coding, file) = chosen(path, headers)?;
    let tag = format!("\"{}\"", &hex(&file.metadata.sha256_hash())[..32]);
    let keep =
        if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let is_same = status == StatusCode::OK && is_known(headers, &[&tag]);
    let mut response = if is_same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (status, file.data.into_owned()).into_response()
    };
    let told = response.headers_mut();
    told.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    told.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    told.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    told.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
    told.extend(coding.map(|coding| (header::CONTENT_ENCODING, HeaderValue::from_static(coding))));
    Some(response)
}

/// The smallest form of a file that is accepted.
fn chosen(path: &str, headers: &HeaderMap) -> Option<(Option<&'static str>, EmbeddedFile)> {
    for (end, coding) in CODINGS {
        if coding::takes(headers, coding)
            && let Some(file) = Dist::get(&format!("{path}.{end}"))
        {
            return Some((Some(coding), file));
        }
    }
    Some((None, Dist::get(path)?))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    async fn asked(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            sent.insert(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        let response = page(Method::GET, path.parse().unwrap(), sent).await;
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status, head.headers, body.to_vec())
    }

    const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

    #[tokio::test]
    async fn addresses_of_the_page_get_its_document_and_others_say_that_they_are_none() {
        for path in ["/", "/classify", "/models/kinds/7", "/federation/compare?runs=a,b"] {
            let (status, headers, body) = asked(path, &[BROWSER]).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers["content-type"], "text/html; charset=utf-8");
            assert_eq!(headers["content-security-policy"], POLICY);
            assert_eq!(headers["cache-control"], "no-cache");
            assert!(String::from_utf8(body).unwrap().contains("<div id=\"app\">"));
        }
        assert_eq!(asked("/nowhere", &[BROWSER]).await.0, StatusCode::NOT_FOUND);
        // A program gets a problem, not a page.
        let (status, headers, _) = asked("/", &[("accept", "*/*")]).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers["content-type"], "application/problem+json");
    }

    #[tokio::test]
    async fn files_come_packed_as_they_are_accepted_and_once() {
        let packed = Dist::iter().find(|name| name.starts_with(HASHED) && name.ends_with(".js.br"));
        let packed = packed.expect("the page has a script that is worth packing");
        let path = format!("/{}", packed.trim_end_matches(".br"));
        let (status, headers, plain) = asked(&path, &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(headers.get("content-encoding").is_none());
        assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
        let (_, headers, packed) = asked(&path, &[("accept-encoding", "gzip, br;q=0")]).await;
        assert_eq!(headers["content-encoding"], "gzip");
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
        let (_, headers, smaller) = asked(&path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(headers["content-encoding"], "br");
        assert!(smaller.len() < packed.len());
        let tag = headers["etag"].to_str().unwrap();
        let again = [("accept-encoding", "gzip, br"), ("if-none-match", tag)];
        let (status, headers, body) = asked(&path, &again).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(headers["etag"].to_str().unwrap(), tag);
    }

    #[tokio::test]
    async fn nothing_is_found_by_another_name() {
        for path in
            ["/index.html", "/assets/../index.html", "/assets/", "//etc/passwd", "/theme.js.br"]
        {
            assert_eq!(asked(path, &[]).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
