//! A program reads the API's description, and finds the API as it is described.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::service::Service;
use crate::support::Place;
use crate::wire;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

/// What orchestrators ask, who have no key and want no document.
fn is_health(path: &str) -> bool {
    ["/livez", "/readyz"].contains(&path)
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_description_is_kept_as_it_is() {
    insta::assert_snapshot!("openapi", flowgait_serve::api::document());
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_how_it_refuses() {
    let document: Value = serde_json::from_str(&flowgait_serve::api::document()).unwrap();
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name), "{method} {path}: {}", operation["operationId"]);
        if is_health(&path) {
            continue;
        }
        for status in ["400", "401", "403", "429", "500", "503"] {
            let content = &operation["responses"][status]["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{path}");
        }
    }
}

#[test]
fn a_service_without_keys_asks_for_none() {
    let place = Place::new();
    let document = |args: &[&str]| -> Value {
        let service = Service::start(&place, args, &[]);
        service.get("/openapi.json").with(200)
    };
    let asks = |document: &Value| {
        operations(document).iter().filter(|(.., o)| !o["security"].is_null()).count()
    };
    let open = document(&SQLITE);
    assert_eq!(asks(&open), 0);
    assert!(
        open["components"]["securitySchemes"].as_object().is_none_or(serde_json::Map::is_empty)
    );
    place.write("keys", format!("ops:admin:{}\n", "k".repeat(40)));
    let closed = document(&[&SQLITE[..], &["--keys-file", "keys"]].concat());
    // A session begins with a key in its body, and ends without one.
    let is_door = |method: &str, path: &str| path == "/v1/session" && method != "GET";
    let asking =
        |(method, path, _): &&(String, String, _)| !is_health(path) && !is_door(method, path);
    let with_key = operations(&closed).iter().filter(asking).count();
    assert_eq!(asks(&closed), with_key);
}

#[test]
fn a_person_reads_it_on_a_page_that_needs_no_network() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let told = wire::say(&service, "GET /docs/", "", b"");
    assert!(told.body.contains("<title>flowgait API</title>"), "{}", told.body);
    assert!(told.head.contains("\ncontent-security-policy: default-src 'self';"), "{}", told.head);
    let script = service.get("/docs/swagger-initializer.js").text();
    for part in ["\"/openapi.json\"", "BaseLayout", "\"validatorUrl\": \"none\""] {
        assert!(script.contains(part), "{script}");
    }
    for page in [told.body, script] {
        assert!(!page.contains("petstore") && !page.contains("://"), "{page}");
    }
    assert_eq!(service.get("/docs/swagger-ui-bundle.js").status, 200);
}

#[test]
fn what_leads_nowhere_is_told_as_a_problem() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let document = service.get("/openapi.json").with(200);
    let paths: BTreeSet<String> =
        operations(&document).into_iter().map(|(_, path, _)| path).collect();
    for path in &paths {
        let told = wire::say(&service, &format!("PATCH {}", path.replace(['{', '}'], "")), "", b"");
        assert_eq!(told.status, 405, "{path}");
        assert_eq!(told.problem()["type"], "urn:flowgait:problem:method-not-allowed");
        assert!(told.head.contains("\nallow: "), "{path}: {}", told.head);
        // Clients of the Open Inference Protocol look for the text there.
        assert_eq!(told.problem()["error"].is_string(), path.starts_with("/v2"), "{path}");
    }
    let check = |line: &str, headers: &str, body: &str, status: u16| {
        let told = wire::say(&service, line, headers, body.as_bytes());
        assert_eq!(told.status, status, "{line}: {told:?}");
        told.problem();
    };
    let json = "Content-Type: application/json\r\n";
    check("GET /", "", "", 404);
    check("GET /v1", "", "", 404);
    check("GET /v1/jobs/", "", "", 404);
    check("GET /v1/jobs/%ff", "", "", 400);
    check("GET /v1/models/%c3%28/versions/1", "", "", 400);
    check("GET /v1/jobs?limit=x", "", "", 400);
    check("GET /v1/jobs?limit=0", "", "", 400);
    check("GET /v1/jobs?limit=201", "", "", 400);
    check("GET /v1/jobs?other=1", "", "", 400);
    check("GET /v1/jobs?limit=1&limit=2", "", "", 400);
    check("GET /v1/events?since=-1", "", "", 400);
    check("POST /v1/models/kinds/promote", "", "{}", 404);
    check("POST /v1/models/kinds/promote", json, "{", 400);
    check("POST /v1/models/kinds/promote", json, "{\"version\":-1}", 400);
    check("POST /v1/models/kinds/promote", json, "{\"other\":1}", 400);
    check("POST /v1/models/kinds/promote", json, " [null, null]", 400);
    check("POST /v1/models/kinds/promote", "Content-Type: text/plain\r\n", "{}", 415);
    check("POST /v2/models/starter/infer", "Content-Type: text/csv\r\n", "a\n1\n", 415);
    check("POST /v1/predictions", "Content-Type: text/plain\r\n", "a\n1\n", 415);
    check("POST /v1/predictions", "", "a\n1\n", 415);
    check("POST /v1/jobs", json, "{}", 415);
    let packed = "Content-Type: text/csv\r\nContent-Encoding: gzip\r\n";
    check("POST /v1/predictions", packed, "\u{1f}", 415);
    check("POST /v1/jobs", "", "x", 415);
    check("POST /v1/jobs", "Content-Type: multipart/form-data\r\n", "x", 400);
}
