//! Somebody opens the page of a service, and what the page asks for is there: its files, a session, samples, how good a model is.

use serde_json::{Value, json};

use crate::service::{Process, Service, trained};
use crate::support::Place;
use crate::wire::{Told, say};

const STORE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];
const BROWSER: &str = "Accept: text/html,*/*;q=0.8\r\n";

fn json(told: &Told) -> Value {
    assert_eq!(told.status, 200, "{told:?}");
    serde_json::from_str(&told.body).unwrap_or_else(|e| panic!("{e}: {told:?}"))
}

#[test]
fn the_page_and_all_that_it_names_come_from_the_binary() {
    let place = Place::new();
    let service = Service::start(&place, &STORE, &[]);
    let page = say(&service, "GET /classify/some-job", BROWSER, b"");
    assert_eq!(page.status, 200);
    for told in [
        "content-security-policy: default-src 'self'; object-src 'none'; base-uri 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-cache",
    ] {
        assert!(page.head.contains(told), "{told}: {}", page.head);
    }
    let mut named = 0;
    for part in page.body.split('"').filter(|part| part.starts_with('/') && part.contains('.')) {
        let file = say(&service, &format!("GET {part}"), "", b"");
        assert_eq!(file.status, 200, "{part}");
        assert!(!file.head.contains("text/html"), "{part}: {}", file.head);
        named += 1;
    }
    assert!(named >= 4, "an icon, a style, and scripts: {}", page.body);
    assert!(!page.body.contains("http"), "nothing from elsewhere: {}", page.body);
    let told = say(&service, "GET /no/such/file.js", "", b"");
    assert_eq!(told.problem()["status"], 404);
    assert_eq!(say(&service, "POST /", BROWSER, b"").problem()["status"], 404);
}

#[test]
fn a_browser_shows_its_key_once() {
    let place = Place::new();
    let key = place.ok(&["keys", "add", "anna", "--scope", "jobs", "--store", "sqlite:data"]).out;
    let key = key.trim();
    let unfit = "a;key=with what;no cookie holds";
    place.write("keys", format!("ben:jobs:{unfit}\n"));
    let more = ["--bind", "0.0.0.0:0", "--keys-file", "keys"];
    let service = Service::start(&place, &[&STORE[..], &more].concat(), &[]);
    assert_eq!(say(&service, "GET /", BROWSER, b"").status, 200, "the page itself needs none");
    assert_eq!(say(&service, "GET /v1/session", "", b"").status, 401);
    let begin = |key: &str, more: &str| {
        let head = format!("Content-Type: application/json\r\n{more}");
        say(&service, "POST /v1/session", &head, json!({ "key": key }).to_string().as_bytes())
    };
    assert_eq!(begin("fgk_no", "").status, 401);
    assert_eq!(begin(unfit, "").status, 400);
    assert_eq!(begin(key, "Origin: http://elsewhere.example\r\n").status, 403);
    let begun = begin(key, &format!("Origin: http://{}\r\n", service.address()));
    assert_eq!(json(&begun), json!({ "name": "anna", "scopes": ["jobs"] }));
    let set = begun.head.lines().find(|line| line.starts_with("set-cookie: ")).unwrap();
    for told in ["httponly", "samesite=strict", "path=/"] {
        assert!(set.contains(told), "{set}");
    }
    assert!(!set.contains("secure"), "{set}");
    // As it comes through a proxy that ends TLS.
    let secured = begin(key, &format!("Origin: https://{}\r\n", service.address()));
    assert!(secured.head.contains("; samesite=strict; secure"), "{}", secured.head);
    // The head is told in small letters, as keys are anyway.
    let cookie = set.trim_start_matches("set-cookie: ").split(';').next().unwrap();
    let with = format!("Cookie: other=1; {cookie}\r\n");
    assert_eq!(json(&say(&service, "GET /v1/session", &with, b""))["name"], "anna");
    assert_eq!(say(&service, "GET /v1/jobs", &with, b"").status, 200);
    let from_elsewhere = format!("{with}Origin: http://elsewhere.example\r\n");
    assert_eq!(say(&service, "GET /v1/jobs", &from_elsewhere, b"").status, 401);
    let ended = say(&service, "DELETE /v1/session", &with, b"");
    assert_eq!(ended.status, 204);
    assert!(ended.head.contains("set-cookie: flowgait=; path=/; max-age=0"), "{}", ended.head);
    assert!(!service.process.log().contains("fgk_"), "no key is in the log");
}

#[test]
fn a_sample_is_classified_without_a_file() {
    let place = Place::new();
    let service = Service::start(&place, &STORE, &[]);
    let about = service.get("/v1/about").with(200);
    assert_eq!((&about["model"], &about["is_local"]), (&json!("starter@0"), &json!(true)));
    let samples = service.get("/v1/samples").with(200);
    let samples = samples["samples"].as_array().unwrap();
    assert!(samples.len() >= 3 && samples.iter().all(|sample| sample["made"] == true));
    let name = samples[2]["name"].as_str().unwrap();
    let send = |fields: &[(&str, &str)], file| service.send("/v1/jobs", fields, file);
    let first = send(&[("sample", name), ("proba", "true")], None).with(202);
    let again = send(&[("sample", name)], None).with(202);
    for job in [first, again] {
        assert_eq!(
            (&job["input"]["made"], &job["input"]["content"]),
            (&json!(true), &json!("csv"))
        );
        let job = service.job_that(job["id"].as_str().unwrap(), "succeeded");
        let flows = samples[2]["flows"].as_u64().unwrap();
        // One that is cut by the active timeout counts twice.
        let rows = job["result"]["rows"].as_u64().unwrap();
        assert!((flows..flows + flows / 20).contains(&rows), "{job}");
        assert_eq!(job["answers"]["reject"].as_f64().map(|r| r as f32), Some(0.8));
    }
    let refused = send(&[("sample", "no-such")], None).with(400);
    assert!(refused["detail"].as_str().unwrap().contains(name), "{refused}");
    send(&[("sample", name)], Some(("t.csv", b"a\n1\n"))).with(400);
    // What was refused left nothing.
    assert_eq!(std::fs::read_dir(place.path("data/jobs")).unwrap().count(), 2);
}

#[test]
fn how_good_a_model_is_stands_beside_it() {
    let place = Place::new();
    trained(&place, 10);
    let evaluate = |model: &[&str], out: &str| {
        let args =
            ["evaluate", "train.csv", "--label", "kind", "--drop", "c", "--brief", "-o", out];
        place.ok(&[&args[..], model].concat());
    };
    evaluate(&["--estimator", "forest", "--trees", "5", "--split", "random"], "evaluation.json");
    let service = Service::start(&place, &STORE, &[]);
    let at = "/v1/models/kinds/versions/1/evaluation";
    let none = service.get(at).with(404);
    assert!(none["detail"].as_str().unwrap().contains("flowgait evaluate"), "{none}");
    let model = service.get("/v1/models/kinds/versions/1").with(200);
    assert_eq!((&model["is_evaluated"], &model["features"]), (&json!(false), &json!(2)));
    assert_eq!(model["card"]["label"], "kind");
    let columns = model["columns"].as_array().unwrap();
    assert_eq!((columns.len(), &columns[0]["name"]), (2, &json!("a")));
    let number = |name: &str| columns[0][name].as_f64().unwrap();
    assert!(0.0 <= number("low") && number("low") < number("usual"), "{columns:?}");
    assert!(number("usual") < number("high") && number("high") <= 300.0, "{columns:?}");
    // By the command line, and then by the service.
    place.ok(&["models", "attach", "kinds@1", "evaluation.json", "--registry", "data/models"]);
    let evaluation = service.get(at).with(200);
    assert_eq!(evaluation["format"], "flowgait-evaluation/1");
    let sent = say(
        &service,
        &format!("PUT {at}"),
        "Content-Type: application/json\r\n",
        evaluation.to_string().as_bytes(),
    );
    assert_eq!(json(&sent)["is_evaluated"], true);
    assert_eq!(service.get("/v1/models").with(200)["models"][1]["is_evaluated"], true);
    // One of other classes is none of this model.
    let other = json!({ "format": "flowgait-evaluation/1", "classes": [{ "name": "chess" }] });
    let put = |at: &str, body: &Value| {
        say(&service, &format!("PUT {at}"), "", body.to_string().as_bytes()).problem()
    };
    let refused = put(at, &other);
    assert_eq!(refused["status"], 422);
    assert!(refused["detail"].as_str().unwrap().contains("'chess'"), "{refused}");
    assert_eq!(put(at, &json!({ "format": "x", "classes": [] }))["status"], 422);
    assert_eq!(put("/v1/models/kinds/versions/9/evaluation", &other)["status"], 404);
}

#[test]
fn the_demo_ends_on_a_page_with_something_to_show() {
    let place = Place::new();
    let command = place.command(&["demo", "--flows", "300", "--port", "0"]);
    let (process, line) = Process::start(command, "the dashboard: http://");
    let base = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let ask = |path: &str| -> Value {
        let mut answer = ureq::get(format!("{}{path}", base.trim_end_matches('/'))).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    };
    assert_eq!(ask("/v1/about")["model"], "demo@1");
    let evaluation = ask("/v1/models/demo/versions/1/evaluation");
    assert_eq!(evaluation["data"]["origin"], "made");
    let jobs = crate::service::until("the first jobs' ends", || {
        let jobs = ask("/v1/jobs")["jobs"].as_array().unwrap().clone();
        (jobs.len() == 3 && jobs.iter().all(|job| job["state"] == "succeeded")).then_some(jobs)
    });
    let kinds: Vec<&str> = jobs.iter().map(|job| job["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["simulate", "simulate", "predict"]);
    assert_eq!((&jobs[2]["model"], &jobs[2]["input"]["made"]), (&json!("demo@1"), &json!(true)));
    let rounds = ask(jobs[0]["links"]["rounds"].as_str().unwrap());
    assert!(rounds["rounds"].as_array().unwrap().len() >= 30, "{rounds}");
    drop(process);
}

#[test]
fn made_flows_are_metered_at_once_where_a_table_is_asked_for() {
    let place = Place::new();
    let run =
        place.ok(&["synth", "tiny", "-o", "flows.csv", "--labels", "truth.csv", "--seed", "3"]);
    run.tells(&["flows.csv", "of made traffic"]);
    place.ok(&["synth", "tiny", "-o", "made.pcap", "--labels", "truth-2.csv", "--seed", "3"]);
    place.ok(&["meter", "made.pcap", "--labels", "truth-2.csv", "-o", "by-hand.csv"]);
    assert_eq!(place.text("flows.csv"), place.text("by-hand.csv"));
    assert!(place.text("flows.csv").lines().nth(1).is_some());
}
