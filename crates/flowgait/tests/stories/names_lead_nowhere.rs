//! Names from outside lead nowhere: not in paths, queries, forms, files' names or headers.

use std::collections::BTreeSet;
use std::path::Path;

use crate::service::{Service, rows, trained, until};
use crate::support::Place;
use crate::wire;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

/// What would lead elsewhere if it became a path, as a path of HTTP has it.
const TRICKS: [&str; 14] = [
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "..%5c..%5cx",
    "%2e%2e",
    "%2e",
    ".hidden",
    "kinds%00",
    "kinds%0d%0aX-Evil:%201",
    "%f0%9f%90%8d",
    "k%C3%AFnds",
    "aliases",
    "kinds@..%2f..%2f1",
    "*",
    "%25s%25n",
];

/// Every file and folder in a story's place, but what the service may write.
fn elsewhere(place: &Place) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![place.path("")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let shown = path.strip_prefix(place.path("")).unwrap().display().to_string();
            let own = |below: &str| Path::new(&shown).starts_with(below);
            if own("data/jobs") || own("data/models/kinds") || shown.starts_with("data/jobs.") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            }
            found.insert(shown);
        }
    }
    found
}

#[test]
fn paths_and_queries_lead_nowhere() {
    let place = Place::new();
    let trained = trained(&place, 5);
    let service = Service::start(&place, &SQLITE, &[]);
    service.job_that(&service.submit("kinds", &trained.table), "succeeded");
    let before = elsewhere(&place);
    let model = std::fs::read(&trained.model).unwrap();
    let long = "x".repeat(5_000);
    let json = "Content-Type: application/json\r\n";
    for trick in TRICKS.iter().copied().chain([&*long]) {
        let check = |line: &str, headers: &str, body: &[u8]| {
            let told = wire::say(&service, line, headers, body);
            let expected = [400, 404, 415, 422];
            assert!(expected.contains(&told.status), "{line}: {told:?}");
            assert!(!told.head.contains("x-evil"), "{line}: {}", told.head);
            let detail = told.problem()["detail"].as_str().unwrap().to_owned();
            assert!(detail.len() < 500, "{line}: {detail}");
        };
        for line in [
            "GET /v1/jobs/{}",
            "DELETE /v1/jobs/{}",
            "POST /v1/jobs/{}/retry",
            "GET /v1/jobs/{}/result",
            "GET /v1/jobs/{}/preview",
            "GET /result/{}",
            "GET /v1/federations/{}",
            "GET /v1/federations/{}/rounds",
            "GET /v1/federations/{}/files/summary.json",
            "POST /v1/federations/{}/pause",
            "GET /v1/models/{}",
            "GET /v1/models/{}/versions/1",
            "GET /v1/models/kinds/versions/{}",
            "GET /v1/models/kinds/versions/{}/file",
            "GET /v2/models/{}",
            "GET /v2/models/{}/ready",
            "GET /v2/models/kinds/versions/{}",
            "GET /v1/jobs?state={}",
            "GET /v1/jobs?before={}",
            "GET /v1/events?topics={}",
            "GET /v1/events?topics=jobs/{}",
            "GET /v1/%2e%2e/{}",
            "GET /docs/{}",
        ] {
            let line = line.replace("{}", trick);
            if line.starts_with("GET /docs/") {
                assert_eq!(wire::say(&service, &line, "", b"").status, 404, "{line}");
            } else {
                check(&line, "", b"");
            }
        }
        check(&format!("POST /predict/{trick}"), "", b"");
        check(&format!("POST /v1/models/{trick}"), "", &model);
        check(&format!("POST /v1/models/{trick}/promote"), json, b"{}");
        check(&format!("POST /v2/models/{trick}/infer"), json, b"{\"inputs\":[]}");
        check(
            &format!("POST /v1/predictions?model={trick}"),
            "Content-Type: text/csv\r\n",
            &trained.table,
        );
        // A kind that nobody knows is the kind of no job.
        let line = format!("GET /v1/jobs?kind={trick}");
        assert!(wire::say(&service, &line, "", b"").body.starts_with("{\"jobs\":[]"), "{line}");
    }
    assert_eq!(elsewhere(&place), before);
}

#[test]
fn fields_of_forms_and_names_of_files_lead_nowhere() {
    let place = Place::new();
    let trained = trained(&place, 5);
    let service = Service::start(&place, &SQLITE, &[]);
    service.job_that(&service.submit("kinds", &trained.table), "succeeded");
    let before = elsewhere(&place);
    let table = rows(30, true);
    let long = "x".repeat(300);
    let tricks = ["../../x", "/etc/passwd", "a\0b", "..", "a b", "ä", "7", "aliases", "-o", &long];
    for trick in tricks {
        for field in ["model", "name", "promote", "kind", "format"] {
            let mut fields = vec![("kind", "fit"), ("name", "own"), ("label", "kind")];
            if ["model", "format"].contains(&field) {
                fields = vec![("model", "kinds")];
            }
            fields.retain(|(name, _)| *name != field);
            fields.push((field, trick));
            let told = service.send("/v1/jobs", &fields, Some(("t.csv", &table)));
            assert!([400, 422].contains(&told.status), "{field} {trick:?}: {}", told.text());
            assert!(told.body.len() < 1_000, "{}", told.text());
        }
        let alias = serde_json::json!({ "alias": trick }).to_string();
        let told = service.post("/v1/models/kinds/promote", "application/json", alias.as_bytes());
        assert_eq!(told.status, 400, "{trick:?}: {}", told.text());
    }
    // What a program is told as an argument is never a flag of its own, nor more than it takes.
    for (field, value) in [
        ("label", "--model=/etc/passwd"),
        ("estimator", "-o/tmp/x"),
        ("seed", "--help"),
        ("drop", "a\0"),
    ] {
        let mut fields = vec![("kind", "fit"), ("name", "own"), ("label", "kind")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let told = service.send("/v1/jobs", &fields, Some(("t.csv", &table)));
        if told.status == 202 {
            let id = told.json()["id"].as_str().unwrap().to_owned();
            let job = service.job_that(&id, "failed");
            assert_eq!(job["reason"]["kind"], "bad-input", "{job}");
            assert!(!job["reason"]["detail"].as_str().unwrap().contains("/tmp/."), "{job}");
        } else {
            assert_eq!(told.status, 400, "{field} {value:?}: {}", told.text());
        }
    }
    let names = [
        ("../../../x.csv", "x.csv"),
        ("/etc/passwd", "passwd"),
        ("C:\\\\x\\\\y.csv", "y.csv"),
        ("..", ".."),
        ("a%00b.csv", "a%00b.csv"),
        ("ein Föhn 🐍.csv", "ein Föhn 🐍.csv"),
        ("", "upload"),
        ("--help", "--help"),
        ("/", "upload"),
    ];
    for (name, shown) in names {
        let job = service.send("/v1/jobs", &[("model", "kinds")], Some((name, &trained.table)));
        let job = job.with(202);
        assert_eq!(job["input"]["name"], shown);
        let id = job["id"].as_str().unwrap();
        service.job_that(id, "succeeded");
        let told = wire::say(&service, &format!("GET /v1/jobs/{id}/result"), "", b"");
        let disposition =
            format!("\ncontent-disposition: attachment; filename=\"answers-{id}.csv\"");
        assert!(told.head.contains(&disposition), "{}", told.head);
    }
    assert_eq!(elsewhere(&place), before);
}

#[test]
fn headers_are_taken_for_what_they_are() {
    let place = Place::new();
    let trained = trained(&place, 5);
    let service = Service::start(&place, &SQLITE, &[]);
    let id = service.submit("kinds", &trained.table);
    service.job_that(&id, "succeeded");
    let whole = service.result(&id);
    let form = crate::service::form(&[("model", "kinds")], Some(("t.csv", &trained.table)));
    for (key, status) in [
        ("a".repeat(255), 202),
        ("a".repeat(256), 400),
        ("a".repeat(100_000), 400),
        (String::new(), 400),
        ("\u{e9}".to_owned(), 400),
        ("a\tb".to_owned(), 400),
        ("'; drop table jobs; --".to_owned(), 202),
    ] {
        let told = wire::form(&service, "/v1/jobs", &format!("Idempotency-Key: {key}\r\n"), &form);
        assert_eq!(told.status, status, "{key:.30}: {told:?}");
    }
    let all = whole.len();
    for (range, status) in [
        ("bytes=0-0", 206),
        ("bytes=-1", 206),
        ("bytes=0-18446744073709551615", 206),
        ("bytes=0-99999999999999999999999", 200),
        ("bytes=18446744073709551615-", 416),
        (&format!("bytes={all}-"), 416),
        ("bytes=-0", 416),
        ("bytes=5-2", 200),
        ("bytes=0-1,4-5", 200),
        (&format!("bytes={}", "0-0,".repeat(2_000)), 200),
        ("bytes=", 200),
        ("rows=0-1", 200),
        ("\u{e9}", 200),
    ] {
        let line = format!("GET /v1/jobs/{id}/result");
        let told = wire::say(&service, &line, &format!("Range: {range}\r\n"), b"");
        assert_eq!(told.status, status, "{range:.30}: {}", told.head);
    }
    for (header, status) in [
        ("If-None-Match: *", 304),
        ("If-None-Match: \"x\", W/\"y\"", 200),
        ("If-None-Match: \u{e9}", 200),
        ("Range: bytes=0-0\r\nIf-Range: \"x\"", 200),
        ("Authorization: Bearer x", 401),
        // What cannot be a key is none, and none is needed here.
        ("Authorization: Bearer \u{e9}", 200),
        ("X-Api-Key: x", 401),
        ("Accept: nonsense/\u{e9};q=x", 200),
        ("Accept-Encoding: br", 200),
        ("Expect: nonsense", 200),
    ] {
        let line = format!("GET /v1/jobs/{id}/result");
        let told = wire::say(&service, &line, &format!("{header}\r\n"), b"");
        assert_eq!(told.status, status, "{header}: {told:?}");
    }
    for given in ["x".repeat(65), "a b".to_owned(), "\u{e9}".to_owned(), String::new()] {
        let told = wire::say(&service, "GET /livez", &format!("X-Request-Id: {given}\r\n"), b"");
        let id = told.head.split("\nx-request-id: ").nth(1).unwrap().lines().next().unwrap();
        assert_eq!(id.trim().len(), 16, "{given}: {id}");
    }
    let log = until("the log", || Some(service.process.log()));
    assert!(!log.contains("panicked"), "{log}");
}
