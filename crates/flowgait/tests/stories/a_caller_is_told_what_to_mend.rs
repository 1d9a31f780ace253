//! A caller does something wrong, and is told where, what, and what to do; and nothing of how this machine is arranged.

use std::fmt::Write as _;

use serde_json::Value;

use crate::service::{Service, form, rows, trained, until};
use crate::support::Place;
use crate::wire::{self, Told};

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

struct Asked<'a> {
    service: &'a Service,
    told: String,
}

impl Asked<'_> {
    fn note(&mut self, what: &str, told: &Told) {
        let problem = told.problem();
        let kind = problem["type"].as_str().unwrap().rsplit(':').next().unwrap();
        self.write(what, &format!("{} {kind}", told.status), problem["detail"].as_str().unwrap());
    }

    fn write(&mut self, what: &str, kind: &str, detail: &str) {
        for sign in ["/tmp", "data/", "flowgait-", ".rs", "Error", "error:"] {
            assert!(!detail.contains(sign), "{what}: {detail}");
        }
        assert!(detail.ends_with(['.', '!', '?', '…']), "{what}: {detail}");
        writeln!(self.told, "{what}\n  {kind}\n  {detail}").unwrap();
    }

    fn get(&mut self, path: &str) {
        let told = wire::say(self.service, &format!("GET {path}"), "", b"");
        self.note(&format!("GET {path}"), &told);
    }

    fn json(&mut self, path: &str, body: &str) {
        let kind = "Content-Type: application/json\r\n";
        let told = wire::say(self.service, &format!("POST {path}"), kind, body.as_bytes());
        self.note(&format!("POST {path} {body}"), &told);
    }

    fn csv(&mut self, path: &str, body: &str) {
        let kind = "Content-Type: text/csv\r\n";
        let told = wire::say(self.service, &format!("POST {path}"), kind, body.as_bytes());
        self.note(&format!("POST {path} {body:?}"), &told);
    }

    /// A form that is refused, or whose job fails.
    fn form(&mut self, path: &str, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) {
        let told = wire::form(self.service, path, "", &form(fields, file));
        let what = format!("POST {path} {fields:?} {:?}", file.map(|(name, _)| name));
        if told.status != 202 {
            self.note(&what, &told);
            return;
        }
        let job: Value = serde_json::from_str(&told.body).unwrap();
        let id = job["id"].as_str().unwrap().to_owned();
        let job = until("its end", || {
            let job = self.service.job(&id);
            let state = job["state"].as_str().unwrap();
            assert!(!["succeeded", "dead"].contains(&state), "{what}: {job}");
            (state == "failed").then_some(job)
        });
        let reason = &job["reason"];
        let kind = format!("failed {}", reason["kind"].as_str().unwrap());
        self.write(&what, &kind, reason["detail"].as_str().unwrap());
    }
}

#[test]
fn every_refusal_says_where_what_and_what_to_do() {
    let place = Place::new();
    let trained = trained(&place, 5);
    let service = Service::start(&place, &SQLITE, &[]);
    let mut asked = Asked { service: &service, told: String::new() };
    let id = service.submit("kinds", &trained.table);
    service.job_that(&id, "succeeded");
    asked.get("/v1/nothing");
    asked.get("/v1/jobs/nothing");
    asked.get("/v1/jobs?limit=many");
    asked.get("/v1/jobs?limit=1000");
    asked.get("/v1/jobs?state=gone");
    asked.get("/v1/jobs?before=x");
    asked.get("/v1/jobs?colour=red");
    asked.get("/v1/events?topics=flows");
    asked.get("/v1/models/nothing");
    asked.get("/v1/models/kinds/versions/9");
    asked.get("/v1/models/kinds/versions/x/file");
    asked.get("/v1/models/starter/versions/0/file?");
    asked.get("/v1/federations/nothing");
    asked.get("/v2/models/nothing/ready");
    let told = wire::say(&service, &format!("DELETE /v1/jobs/{id}"), "", b"");
    asked.note("DELETE /v1/jobs/ID", &told);
    let told = wire::say(&service, &format!("POST /v1/jobs/{id}/retry"), "", b"");
    asked.note("POST /v1/jobs/ID/retry", &told);
    let told =
        wire::say(&service, &format!("GET /v1/jobs/{id}/result"), "Range: bytes=9999-\r\n", b"");
    asked.note("GET /v1/jobs/ID/result, bytes=9999-", &told);
    let told = wire::say(&service, &format!("GET /v1/jobs/{id}/result?signature=x"), "", b"");
    asked.note("GET /v1/jobs/ID/result?signature=x", &told);
    let told = wire::say(&service, "POST /v1/models/kinds", "", b"hello");
    asked.note("POST /v1/models/kinds hello", &told);
    let told = wire::say(&service, "POST /v1/models/No%20Name", "", &place.bytes("kinds.fgm"));
    asked.note("POST /v1/models/No%20Name", &told);
    asked.json("/v1/models/kinds/promote", "{\"version\":9}");
    asked.json("/v1/models/kinds/promote", "{\"alias\":\"Best One\"}");
    asked.json("/v1/models/nothing/promote", "{}");
    asked.json("/v1/models/kinds/promote", "{\"versio\":9}");
    asked.json("/v1/predictions", "{\"rows\":");
    asked.json("/v1/predictions", "{\"rows\":[1]}");
    asked.json("/v1/predictions", "{\"rows\":[{\"a\":{}}]}");
    asked.json("/v1/predictions", "{\"rows\":[],\"model\":\"nothing\"}");
    asked.json("/v1/predictions", "{\"rows\":[{\"a\":1}],\"model\":\"kinds\"}");
    asked.json("/v1/predictions", "{\"columns\":[\"a\",\"b\"],\"rows\":[[1]],\"model\":\"kinds\"}");
    asked.json("/v1/predictions", "{\"rows\":[{\"a\":1,\"b\":\"x\",\"c\":1}],\"model\":\"kinds\"}");
    asked.json(
        "/v1/predictions",
        "{\"rows\":[{\"a\":1,\"b\":2,\"c\":3}],\"model\":\"kinds\",\"reject\":7}",
    );
    asked.json(
        "/v1/predictions",
        "{\"rows\":[{\"a\":1,\"b\":2,\"c\":3}],\"model\":\"kinds\",\"after\":3}",
    );
    asked.csv("/v1/predictions?model=kinds", "");
    asked.csv("/v1/predictions?model=kinds", "a,c\n1,2\n");
    asked.csv("/v1/predictions?model=kinds", "a,b\n1,2,3\n");
    asked.csv("/v1/predictions?model=kinds", "a,b\n1,x\n");
    asked.csv("/v1/predictions?model=kinds@nobody", "a,b\n1,2\n");
    asked.csv("/v1/predictions?model=kinds@7", "a,b\n1,2\n");
    asked.csv("/v1/predictions?model=Kinds/..", "a,b\n1,2\n");
    asked.csv("/v1/predictions?reject=x", "a,b\n1,2\n");
    asked.json("/v2/models/kinds/infer", "{}");
    asked.json("/v2/models/kinds/infer", "{\"inputs\":[]}");
    let tensor = |rest: &str| format!("{{\"inputs\":[{{\"name\":\"a\",{rest}}}]}}");
    asked.json(
        "/v2/models/kinds/infer",
        &tensor("\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]"),
    );
    asked.json(
        "/v2/models/kinds/infer",
        &tensor("\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1]"),
    );
    asked.json(
        "/v2/models/kinds/infer",
        &tensor("\"shape\":[1,2],\"datatype\":\"COLOUR\",\"data\":[1,2]"),
    );
    let table = &rows(30, true)[..];
    let file = Some(("t.csv", table));
    asked.form("/v1/jobs", &[], None);
    asked.form("/v1/jobs", &[("model", "nothing")], file);
    asked.form("/v1/jobs", &[("model", "kinds"), ("proba", "perhaps")], file);
    asked.form("/v1/jobs", &[("model", "kinds"), ("reject", "much")], file);
    asked.form("/v1/jobs", &[("model", "kinds"), ("reject", "7")], file);
    asked.form("/v1/jobs", &[("model", "kinds"), ("format", "xlsx")], file);
    asked.form("/v1/jobs", &[("model", "kinds"), ("colour", "red")], file);
    asked.form("/v1/jobs", &[("kind", "think")], file);
    asked.form("/v1/jobs", &[("kind", "fit")], file);
    asked.form("/v1/jobs", &[("kind", "fit"), ("name", "x")], file);
    asked.form("/v1/jobs", &[("kind", "fit"), ("name", "X"), ("label", "kind")], file);
    let fit = [("kind", "fit"), ("name", "x"), ("label", "kind")];
    asked.form("/v1/jobs", &[("kind", "fit"), ("name", "x"), ("label", "sort")], file);
    asked.form("/v1/jobs", &[&fit[..], &[("estimator", "oracle")]].concat(), file);
    asked.form("/v1/jobs", &[&fit[..], &[("trees", "many")]].concat(), file);
    asked.form("/v1/jobs", &[&fit[..], &[("trees", "0")]].concat(), file);
    asked.form("/v1/jobs", &[&fit[..], &[("drop", "nothing")]].concat(), file);
    asked.form("/v1/jobs", &fit, Some(("t.csv", b"kind\nx\n")));
    asked.form("/v1/jobs", &fit, Some(("t.csv", b"a,kind\n1,x\n2,x\n")));
    asked.form("/v1/jobs", &[("model", "kinds")], Some(("t.csv", b"a,b,c\n1,2,3\n1,x,3\n")));
    asked.form("/v1/jobs", &[("model", "kinds")], Some(("t.csv", b"a,b,c\n1,2\n")));
    asked.form("/v1/jobs", &[("model", "kinds")], Some(("t.csv", b"a,c\n1,2\n")));
    asked.form("/v1/jobs", &[("model", "kinds")], Some(("t.jsonl", b"{\"a\":1}\n{\n")));
    asked.form("/v1/jobs", &[("model", "kinds")], Some(("t.zip", b"PK\x03\x04")));
    let federations = "/v1/federations";
    asked.form(federations, &[("configuration", "rounds = [")], None);
    asked.form(federations, &[("configuration", "rounds = -1")], None);
    asked.form(federations, &[("configuration", "rounds = 0")], None);
    asked.form(federations, &[("configuration", "colour = 1")], None);
    asked.form(federations, &[("configuration", "[data]\ntables = [\"/etc/passwd\"]")], None);
    asked.form(federations, &[("colour", "red")], None);
    asked.form(federations, &[], Some(("t.csv", b"a,b\n1,2\n")));
    insta::assert_snapshot!("refusals", asked.told);
}

#[test]
fn storage_that_fails_is_told_without_where_it_lies() {
    let place = Place::new();
    let trained = trained(&place, 5);
    let service = Service::start(&place, &[&SQLITE[..], &["--workers", "0"]].concat(), &[]);
    let id = service.submit("kinds", &trained.table);
    drop(service);
    // Somebody cleaned up.
    std::fs::remove_file(place.path(&format!("data/jobs/{id}/input"))).unwrap();
    let environment = [("FLOWGAIT_SERVE_DELIVERIES", "1")];
    let service = Service::start(&place, &SQLITE, &environment);
    let job = service.job_that(&id, "dead");
    let detail = job["reason"]["detail"].as_str().unwrap();
    assert_eq!(job["reason"]["kind"], "storage");
    assert!(!detail.contains("data/") && !detail.contains("/tmp"), "{detail}");
    assert!(detail.contains("log"), "{detail}");
    assert!(service.process.log().contains("input"), "{}", service.process.log());
}
