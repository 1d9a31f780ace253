//! Somebody trains through the API: a model from a table, and a federation that is watched, paused, stopped, and outlives its process.

use serde_json::Value;

use crate::service::{Service, rows, until};
use crate::support::Place;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

#[test]
fn a_model_is_fitted_promoted_and_asked() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let table = rows(600, true);
    let fields = [
        ("kind", "fit"),
        ("name", "mine"),
        ("label", "kind"),
        ("drop", "c"),
        ("estimator", "forest"),
        ("trees", "10"),
        ("promote", "live"),
    ];
    let job = service.send("/v1/jobs", &fields, Some(("rows.csv", &table))).with(202);
    let job = service.job_that(job["id"].as_str().unwrap(), "succeeded");
    assert_eq!(job["result"]["model"], "mine@1");
    let notes = job["result"]["notes"].to_string();
    assert!(notes.contains("expect accuracy"), "{notes}");
    let shown = service.get("/v1/models/mine/versions/1").with(200);
    assert_eq!(shown["aliases"][0], "live");
    assert_eq!(shown["classes"], serde_json::json!(["video", "voice", "web"]));
    assert_eq!(shown["card"]["tables"][0]["name"], "rows.csv", "as it was sent, not where it lay");
    let again = service.send("/v1/jobs", &fields, Some(("rows.csv", &table))).with(202);
    let again = service.job_that(again["id"].as_str().unwrap(), "succeeded");
    assert_eq!(again["result"]["model"], "mine@1", "the same table gives the same version");
    let said = service
        .post(
            "/v1/predictions?model=mine",
            "application/json",
            br#"{"rows": [{"a": 150, "b": 50}]}"#,
        )
        .with(200);
    assert_eq!(said["predictions"][0]["label"], "video");
    let body = br#"{"id": "7", "inputs": [{"name": "input", "shape": [2, 2], "datatype": "FP32", "data": [10, 10, 250, 50]}]}"#;
    let inferred = service.post("/v2/models/mine/infer", "application/json", body).with(200);
    assert_eq!(inferred["outputs"][0]["data"], serde_json::json!(["web", "voice"]));
    assert_eq!(inferred["id"], "7");
    // What cannot be learnt says why, as the command line does.
    let fields = [("kind", "fit"), ("name", "mine"), ("label", "nothing")];
    let job = service.send("/v1/jobs", &fields, Some(("rows.csv", &table))).with(202);
    let job = service.job_that(job["id"].as_str().unwrap(), "failed");
    let why = job["reason"]["detail"].as_str().unwrap();
    assert!(why.contains("rows.csv has no column 'nothing'"), "{why}");
    // However long it is, nothing breaks it into lines, which would become sentences.
    let fields = [("kind", "fit"), ("name", "mine"), ("label", "a_label_of_some_length")];
    let job = service.send("/v1/jobs", &fields, Some(("rows.csv", b"a,b\n1,2\n"))).with(202);
    let job = service.job_that(job["id"].as_str().unwrap(), "failed");
    let why = job["reason"]["detail"].as_str().unwrap();
    assert!(why.contains("none looks like a label; its columns are a, b."), "{why}");
}

fn rounds(service: &Service, id: &str) -> Vec<Value> {
    service.get(&format!("/v1/federations/{id}/rounds")).with(200)["rounds"]
        .as_array()
        .unwrap()
        .clone()
}

fn begin(service: &Service, rounds: u64) -> String {
    let configuration = format!("rounds = {rounds}\nseed = 5\n");
    let fields = [("configuration", configuration.as_str()), ("name", "together")];
    let job = service.send("/v1/federations", &fields, None).with(202);
    job["id"].as_str().unwrap().to_owned()
}

/// A run that nothing disturbed: its rounds, as the command line has them.
fn undisturbed(place: &Place, count: u64) -> Vec<Value> {
    place.write("f.toml", format!("rounds = {count}\nseed = 5\n"));
    place.ok(&["simulate", "f.toml", "-o", "alone"]);
    place
        .text("alone/metrics.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The model of that run.
fn undisturbed_model(place: &Place) -> Vec<u8> {
    place.bytes("alone/model.fgm")
}

#[test]
fn a_fit_says_how_far_it_is() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let id = service.fit("mine", &rows(30_000, true), "3000");
    let progress = until("progress", || {
        let job = service.job(&id);
        assert_ne!(job["state"], "succeeded", "nothing was seen of it: {job}");
        Some(job["progress"].clone()).filter(|progress| progress["done"].as_u64() > Some(0))
    });
    assert!(!progress["stage"].as_str().unwrap().is_empty(), "{progress}");
    service.job_that(&id, "succeeded");
}

#[test]
fn a_federation_is_paused_and_its_process_dies_and_it_ends_as_it_would_have() {
    let place = Place::new();
    let expected = undisturbed(&place, 400);
    let mut service = Service::start(&place, &SQLITE, &[]);
    let id = begin(&service, 400);
    until("some rounds", || (rounds(&service, &id).len() >= 3).then_some(()));
    let setup = service.get(&format!("/v1/federations/{id}/files/setup.json")).with(200);
    assert_eq!((setup["made"].as_bool(), setup["rounds"].as_u64()), (Some(true), Some(400)));
    assert_eq!(service.job(&id)["name"], "together");
    let brief = service.get(&format!("/v1/federations/{id}/rounds?brief=true")).with(200);
    let first = &brief["rounds"][0];
    assert!(
        first["accuracy"].is_number() && first["clients"].is_null() && first["asked"].is_null()
    );
    service.post(&format!("/v1/federations/{id}/pause"), "text/plain", b"").with(200);
    until("the pause", || (service.job(&id)["state"] == "paused").then_some(()));
    let kept = rounds(&service, &id).len();
    assert!((3..400).contains(&kept), "{kept}");
    service.post(&format!("/v1/federations/{id}/resume"), "text/plain", b"").with(200);
    until("more rounds", || (rounds(&service, &id).len() > kept).then_some(()));
    service.process.kill();
    service = Service::start(&place, &SQLITE, &[]);
    let job = service.job_that(&id, "succeeded");
    assert_eq!(job["result"]["rounds"], 400);
    assert_eq!(job["result"]["model"], "together@1");
    assert_eq!(rounds(&service, &id), expected, "as if nothing had happened");
    let model = service.get(&format!("/v1/federations/{id}/files/model.fgm"));
    assert!(model.body == undisturbed_model(&place), "the model is another one");
    let report = service.get(&format!("/v1/federations/{id}/files/report.html"));
    assert!(report.text().contains("<html"), "{}", report.text());
    service.get(&format!("/v1/federations/{id}/files/state.safetensors")).with(404);
    service.get(&format!("/v1/federations/{id}/files/..%2finput")).with(404);
}

#[test]
fn a_federation_is_stopped_and_keeps_what_it_learnt() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let id = begin(&service, 100_000);
    until("some rounds", || (rounds(&service, &id).len() >= 3).then_some(()));
    service.post(&format!("/v1/federations/{id}/stop"), "text/plain", b"").with(200);
    let job = service.job_that(&id, "succeeded");
    let count = job["result"]["rounds"].as_u64().unwrap();
    assert!((3..100_000).contains(&count), "{count}");
    assert_eq!(job["result"]["summary"]["ended"], "stopped");
    assert_eq!(job["result"]["model"], "together@1");
    let bad = [("configuration", "rounds = 3\n[data]\ntables = ['/etc/passwd']\n")];
    let refused = service.send("/v1/federations", &bad, None).with(422);
    assert!(refused["detail"].as_str().unwrap().contains("data.tables"), "{refused}");
    service.send("/v1/federations", &[("configuration", "rounds = 'x'")], None).with(422);
}
