//! An operator ends a service that works: it says that it is not ready, finishes what it can, and gives the rest back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::backing::Backing;
use crate::service::{Service, answers, rows, status, trained, until};
use crate::support::Place;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];
const HASTY: [(&str, &str); 1] = [("FLOWGAIT_SERVE_CHUNK_OCTETS", "20k")];

#[test]
fn a_store_that_is_not_there_is_told_and_not_made() {
    let place = Place::new();
    place.ok(&["keys", "add", "first", "--store", "sqlite:made"]);
    for args in [
        &["jobs", "list"][..],
        &["jobs", "drain"],
        &["jobs", "backup", "copy.db"],
        &["keys", "list"],
    ] {
        let run = place.run(&[args, &["--store", "sqlite:tpyo"]].concat());
        assert_eq!(run.status, 1, "{args:?}: {}", run.err);
        run.tells(&["There is no store of jobs in tpyo", "--store"]);
    }
    assert_eq!(place.files(), ["made"], "nothing was made but for the first key");
}

#[cfg(unix)]
#[test]
fn what_others_sent_is_not_for_everybody_on_the_machine() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let _service =
        Service::start(&place, &["--store", "sqlite:data/store", "--blobs", "blobs"], &[]);
    for folder in ["data", "data/store", "blobs"] {
        let mode = std::fs::metadata(place.path(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}

#[test]
fn it_drains_and_goes_on_after_its_restart() {
    let place = Place::new();
    let trained = trained(&place, 60_000);
    let undisturbed = answers(&place, &trained.table);
    let mut service = Service::start(&place, &SQLITE, &HASTY);
    // A stream of events that nobody closes.
    let mut events = TcpStream::connect(service.address()).unwrap();
    write!(events, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = [0; 12];
    events.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let id = service.submit("kinds", &trained.table);
    service.job_with_chunks(&id, 2);
    service.process.signal("TERM");
    assert!(service.process.ended().success(), "{}", service.process.log());
    let log = service.process.log();
    assert!(log.contains("draining") && log.contains("drained"), "{log}");
    let service = Service::start(&place, &SQLITE, &HASTY);
    let job = service.job_that(&id, "succeeded");
    assert_eq!(job["attempt"], 1, "what was given back is the same attempt");
    assert!(service.result(&id) == undisturbed, "the answers differ");
}

#[test]
fn what_takes_longer_than_the_grace_is_given_back() {
    let place = Place::new();
    let table = rows(30_000, true);
    let args = [&SQLITE[..], &["--grace", "200ms"]].concat();
    let mut service = Service::start(&place, &args, &[]);
    let fields = [
        ("kind", "fit"),
        ("name", "big"),
        ("label", "kind"),
        ("estimator", "forest"),
        ("trees", "60"),
    ];
    let job = service.send("/v1/jobs", &fields, Some(("rows.csv", &table))).with(202);
    let id = job["id"].as_str().unwrap().to_owned();
    until("its start", || (service.job(&id)["state"] == "running").then_some(()));
    service.process.signal("TERM");
    assert!(service.process.ended().success(), "{}", service.process.log());
    let service = Service::start(&place, &SQLITE, &[]);
    let job = service.job_that(&id, "succeeded");
    assert_eq!(job["attempt"], 1);
    assert_eq!(job["result"]["model"], "big@1");
    let models = service.get("/v1/models/big").with(200);
    assert_eq!(models["models"].as_array().unwrap().len(), 1);
}

#[test]
fn a_job_is_taken_back_and_tried_again() {
    let place = Place::new();
    let trained = trained(&place, 60_000);
    let service = Service::start(&place, &SQLITE, &HASTY);
    let id = service.submit("kinds", &trained.table);
    service.job_with_chunks(&id, 2);
    let job = service.delete(&format!("/v1/jobs/{id}")).with(200);
    assert_eq!(job["state"], "cancelled");
    service.delete(&format!("/v1/jobs/{id}")).with(409);
    service.get(&format!("/v1/jobs/{id}/result")).with(409);
    let job = service.post(&format!("/v1/jobs/{id}/retry"), "text/plain", b"").with(202);
    assert_eq!(job["state"], "queued");
    assert!(job["progress"]["done"].as_u64().unwrap() >= 2, "what was done stays done: {job}");
    service.job_that(&id, "succeeded");
    assert!(service.result(&id) == answers(&place, &trained.table), "the answers differ");
}

fn finishes_what_runs(backing: &Backing) {
    let place = Place::new();
    let mut service = backing.serve(&place, &["--management", "127.0.0.1:0"], &[]);
    let ready = format!("{}/readyz", service.management());
    assert_eq!(status(&ready), Some(200));
    let id = service.fit("last", &rows(10_000, true), "200");
    // Its program stands still until it was seen that the service waits for it.
    let children = until("the program", || {
        Some(service.process.children()).filter(|children| !children.is_empty())
    });
    let signal = |name: &str| {
        let mut kill = std::process::Command::new("kill");
        assert!(kill.arg(format!("-{name}")).args(&children).status().unwrap().success());
    };
    signal("STOP");
    service.process.signal("TERM");
    until("503", || (status(&ready) == Some(503)).then_some(()));
    signal("CONT");
    assert!(service.process.ended().success(), "{}", service.process.log());
    let service = backing.serve(&place, &[], &[]);
    let job = service.job(&id);
    assert_eq!(job["state"], "succeeded", "it was done before the process ended: {job}");
    assert_eq!(job["attempt"], 1);
}

#[test]
fn what_runs_is_finished_and_readiness_is_denied_first() {
    finishes_what_runs(&Backing::Sqlite);
}

#[test]
fn what_runs_is_finished_over_redis() {
    let Some(backing) = Backing::redis() else { return };
    finishes_what_runs(&backing);
}

#[test]
fn what_waits_is_taken_back_at_once_and_can_be_had_again() {
    let place = Place::new();
    let trained = trained(&place, 100);
    let service = Backing::Sqlite.serve(&place, &["--workers", "0"], &[]);
    let id = service.submit("kinds", &trained.table);
    let job = service.delete(&format!("/v1/jobs/{id}")).with(200);
    assert_eq!((&job["state"], &job["attempt"]), (&"cancelled".into(), &0.into()));
    service.post(&format!("/v1/jobs/{id}/retry"), "text/plain", b"").with(202);
    drop(service);
    let service = Backing::Sqlite.serve(&place, &[], &[]);
    service.job_that(&id, "succeeded");
    assert!(service.result(&id) == answers(&place, &trained.table), "the answers differ");
}
