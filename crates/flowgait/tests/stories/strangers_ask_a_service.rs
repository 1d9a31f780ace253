//! Strangers ask a service: without a key, with one that was taken away, with one that may not; and nobody sees another's jobs.

use crate::service::{Service, rows, trained};
use crate::support::Place;

const STORE: [&str; 2] = ["--store", "sqlite:data"];

#[test]
fn a_service_that_others_reach_needs_keys() {
    let place = Place::new();
    let run =
        place.run(&["serve", "--bind", "0.0.0.0:0", "--store", "sqlite:data", "--blobs", "data"]);
    assert_eq!(run.status, 2);
    run.tells(&["can be reached from other machines", "flowgait keys add"]);
}

#[test]
fn keys_open_what_they_are_for() {
    let place = Place::new();
    let trained = trained(&place, 10);
    let make = |name: &str, scopes: &str| {
        let args = [&["keys", "add", name, "--scope", scopes], &STORE[..]].concat();
        place.ok(&args).out.trim().to_owned()
    };
    let (ops, web, lab) = (make("ops", "admin"), make("web", "predict,jobs"), make("lab", "jobs"));
    assert!(ops.starts_with("fgk_"));
    place
        .run(&[&["keys", "add", "ops"], &STORE[..]].concat())
        .tells(&["There is a key 'ops' already"]);
    let args = [&STORE[..], &["--blobs", "data", "--bind", "0.0.0.0:0"]].concat();
    let service = Service::start(&place, &args, &[]);
    let problem = service.get("/v1/jobs").with(401);
    assert_eq!(problem["type"], "urn:flowgait:problem:unauthorized");
    assert_eq!(service.get("/livez").status, 200);
    assert_eq!(service.get("/metrics").status, 401);
    let service = service.with_key("fgk_0000");
    service.get("/v1/jobs").with(401);
    let service = service.with_key(&lab);
    let id = service.submit("kinds", &trained.table);
    service.job_that(&id, "succeeded");
    service.post("/v1/predictions?model=kinds", "text/csv", &trained.table).with(403);
    service.post("/v1/models/x", "application/octet-stream", b"x").with(403);
    // What training makes is a model too, and may change what others are answered by.
    let fit = [("kind", "fit"), ("name", "kinds"), ("label", "kind"), ("promote", "live")];
    service.send("/v1/jobs", &fit, Some(("t.csv", &rows(30, true)))).with(403);
    service.send("/v1/federations", &[("name", "kinds")], None).with(403);
    assert_eq!(service.get("/metrics").status, 403);
    let link = service.job(&id)["links"]["result"].as_str().unwrap().to_owned();
    // Another's job is as if it were not there.
    let service = service.with_key(&web);
    service.get(&format!("/v1/jobs/{id}")).with(404);
    service.delete(&format!("/v1/jobs/{id}")).with(404);
    assert_eq!(service.get("/v1/jobs").with(200)["jobs"].as_array().unwrap().len(), 0);
    service.post("/v1/predictions?model=kinds", "text/csv", &trained.table).with(200);
    // A signed link needs no key, and only as it was signed.
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let status = |path: &str| {
        config.new_agent().get(format!("{}{path}", service.url())).call().unwrap().status().as_u16()
    };
    assert_eq!(status(&link), 200);
    assert_eq!(status(&link.replace("expires=1", "expires=2")), 403);
    assert_eq!(status(&format!("/v1/jobs/{id}/result")), 401);
    assert_eq!(status(&format!("/v1/jobs/{id}?signature=0")), 401);
    assert_eq!(status("/v1/jobs?signature=0"), 401);
    assert_eq!(status("/v2?signature=0"), 401);
    assert_eq!(status("/v2/models/kinds?signature=0"), 401);
    let service = service.with_key(&ops);
    assert_eq!(service.get("/v1/jobs").with(200)["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(service.get("/metrics").status, 200);
    // A key that is taken away is noticed while the service runs.
    place.ok(&[&["keys", "revoke", "lab"], &STORE[..]].concat());
    let service = service.with_key(&lab);
    crate::service::until("the end of the key", || {
        (service.get("/v1/jobs").status == 401).then_some(())
    });
    let listed = place.ok(&[&["keys", "list"], &STORE[..]].concat());
    listed.says(&["ops admin", "web predict, jobs"]);
    assert!(!service.process.log().contains("fgk_"), "no key is in the log");
}

#[test]
fn a_proxy_says_who_asks() {
    let place = Place::new();
    let args = [&STORE[..], &["--blobs", "data", "--trusted-header", "X-Who"]].concat();
    let service = Service::start(&place, &args, &[]);
    let ask = |who: &str| {
        let head = format!("X-Who: {who}\r\n");
        crate::wire::say(&service, "GET /v1/jobs", &head, b"").status
    };
    assert_eq!(ask("anna@example.org"), 200);
    assert_eq!(ask(""), 401);
    // Two that begin alike must not become one.
    assert_eq!(ask(&"a".repeat(256)), 200);
    assert_eq!(ask(&"a".repeat(257)), 401);
}

#[test]
fn a_page_of_another_site_cannot_ask_where_no_key_is_needed() {
    use std::io::{Read as _, Write as _};
    let place = Place::new();
    let service = Service::start(&place, &[&STORE[..], &["--blobs", "data"]].concat(), &[]);
    let status = |head: &str| {
        let mut stream = std::net::TcpStream::connect(service.address()).unwrap();
        write!(stream, "GET /v1/jobs HTTP/1.1\r\n{head}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let own = service.address().to_owned();
    assert_eq!(status(&format!("Host: {own}\r\n")), "200");
    assert_eq!(status("Host: rebound.example:80\r\n"), "403");
    assert_eq!(status(&format!("Host: {own}\r\nOrigin: https://evil.example\r\n")), "403");
    assert_eq!(status(&format!("Host: {own}\r\nOrigin: http://{own}\r\n")), "200");
}

#[test]
fn the_two_routes_of_the_old_system_answer_honestly() {
    let place = Place::new();
    let trained = trained(&place, 30);
    let service = Service::start(&place, &[&STORE[..], &["--blobs", "data"]].concat(), &[]);
    let send = |task: &str, table: &[u8]| {
        service.send(&format!("/predict/{task}"), &[], Some(("t.csv", table)))
    };
    send("app", &trained.table).with(422);
    send("other", &trained.table).with(404);
    let bytes = std::fs::read(&trained.model).unwrap();
    service.post("/v1/models/app", "application/octet-stream", &bytes).with(201);
    let task = send("app", &trained.table).with(200)["task_id"].as_str().unwrap().to_owned();
    let ended = |task: &str| {
        crate::service::until("the task", || {
            let result = service.get(&format!("/result/{task}")).with(200);
            (!["PENDING", "STARTED"].contains(&result["status"].as_str().unwrap()))
                .then_some(result)
        })
    };
    let result = ended(&task);
    assert_eq!(result["status"], "SUCCESS");
    assert_eq!(result["result"].as_array().unwrap().len(), 30);
    assert_eq!(result["result"][1], "video");
    let mut bad = rows(5, false);
    bad.extend_from_slice(b"1,x,3\n");
    let result = ended(send("app", &bad).with(200)["task_id"].as_str().unwrap());
    assert_eq!(result["status"], "FAILURE");
    assert!(
        result["error"].as_str().unwrap().contains("line 7, column 2 (b): 'x' is not"),
        "{result}"
    );
    assert_eq!(result["result"], serde_json::Value::Null);
    service.get("/result/019b1e6c-3a0f-7c3e-9d59-0c0f2b0c4f11").with(404);
    service.get("/result/nonsense").with(404);
}
