//! A process dies at any moment, in mid-chunk, in mid-capture, or because of the job itself: what was done stays done, the rest is done again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::backing::Backing;
use crate::service::{Service, answers, rows, trained, until};
use crate::support::Place;

/// Small chunks and short leases, so that there is much to lose in little time; a log that can be read.
const HASTY: [(&str, &str); 3] = [
    ("FLOWGAIT_SERVE_CHUNK_OCTETS", "20k"),
    ("FLOWGAIT_SERVE_LEASE", "1s"),
    ("FLOWGAIT_SERVE_LOG", "json"),
];

/// How long after 202 each process dies: nothing at first, then up to so many milliseconds, drawn anew in every run.
const MOMENTS: [u64; 9] = [0, 5, 20, 40, 80, 120, 200, 300, 400];

fn at_any_moment(backing: &Backing) {
    let place = Place::new();
    let trained = trained(&place, 20_000);
    let undisturbed = answers(&place, &trained.table);
    let mut service = backing.serve(&place, &[], &HASTY);
    for most in MOMENTS {
        let delay = Duration::from_millis(most * (rand::random::<u64>() % 1_000) / 1_000);
        let id = service.submit("kinds", &trained.table);
        // The moment is what is tried here: nothing is waited for.
        std::thread::sleep(delay);
        service.process.kill();
        let mut said = service.process.logged(&id, "part ended");
        service = backing.serve(&place, &[], &HASTY);
        let job = service.job_that(&id, "succeeded");
        assert!(job["attempt"].as_u64().unwrap() <= 2, "after {delay:?}: {job}");
        assert_eq!(job["result"]["rows"], 20_000, "after {delay:?}");
        assert!(service.result(&id) == undisturbed, "the answers differ after {delay:?}");
        // No chunk that was done is done again: the log of both processes has each once.
        said.extend(service.process.logged(&id, "part ended"));
        let mut ends: HashMap<u64, usize> = HashMap::new();
        for line in said.iter().filter(|line| line["end"] == "chunk") {
            *ends.entry(line["part"].as_u64().unwrap()).or_default() += 1;
        }
        assert!(ends.values().all(|times| *times == 1), "after {delay:?}: {ends:?}");
    }
}

#[test]
fn each_moment_gives_the_same_answers() {
    at_any_moment(&Backing::Sqlite);
}

#[test]
fn each_moment_gives_the_same_answers_over_redis() {
    let Some(backing) = Backing::redis() else { return };
    at_any_moment(&backing);
}

#[test]
fn a_capture_that_was_half_read_is_read_again() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "600", "--seed", "7"]);
    let capture = place.bytes("made.pcap");
    let send = |service: &Service| {
        let job = service.send("/v1/jobs", &[], Some(("made.pcap", &capture))).with(202);
        job["id"].as_str().unwrap().to_owned()
    };
    let mut service = Backing::Sqlite.serve(&place, &[], &HASTY);
    let id = send(&service);
    service.job_that(&id, "succeeded");
    let undisturbed = service.result(&id);
    for most in [0, 50, 150, 300] {
        let delay = Duration::from_millis(most * (rand::random::<u64>() % 1_000) / 1_000);
        let id = send(&service);
        until("its start", || (service.job(&id)["state"] != "queued").then_some(()));
        std::thread::sleep(delay);
        let meters = service.process.children();
        service.process.kill();
        service = Backing::Sqlite.serve(&place, &[], &HASTY);
        service.job_that(&id, "succeeded");
        assert!(service.result(&id) == undisturbed, "the answers differ after {delay:?}");
        until("the end of the meter of the process that died", || gone(&meters));
    }
}

/// Whether none of these processes is there any more.
fn gone(processes: &[String]) -> Option<()> {
    let is_there = |pid: &String| {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // One that ended and that nobody asked for yet is not there.
        state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    };
    (!processes.iter().any(is_there)).then_some(())
}

/// Waits until a job's own program runs; its process.
fn program(service: &Service, id: &str) -> Vec<String> {
    until("the program", || {
        assert!(service.job(id)["state"] != "succeeded", "it was too fast to be caught");
        Some(service.process.children()).filter(|children| !children.is_empty())
    })
}

fn ends_three_processes(backing: &Backing) {
    let place = Place::new();
    let table = rows(30_000, true);
    let mut service = backing.serve(&place, &[], &HASTY);
    let id = service.fit("poison", &table, "400");
    for delivery in 1..=3 {
        let children = program(&service, &id);
        assert_eq!(service.job(&id)["attempt"], delivery);
        service.process.kill();
        until("the end of the program", || gone(&children));
        service = backing.serve(&place, &[], &HASTY);
    }
    let job = service.job_that(&id, "dead");
    assert_eq!(job["attempt"], 3);
    assert_eq!(job["reason"]["kind"], "lost-workers");
    let dead = service.get("/v1/jobs?state=dead").with(200);
    assert_eq!(dead["jobs"][0]["id"], id.as_str());
    let store = backing.store();
    let listed = place.ok(&["jobs", "list", "--state", "dead", "--store", &store]);
    listed.says(&[&id, "dead"]);
    service.post(&format!("/v1/jobs/{id}/retry"), "text/plain", b"").with(202);
    let job = service.job_that(&id, "succeeded");
    assert_eq!((&job["attempt"], &job["result"]["model"]), (&1.into(), &"poison@1".into()));
}

#[test]
fn a_job_that_ends_three_processes_is_dead_and_can_be_tried_again() {
    ends_three_processes(&Backing::Sqlite);
}

#[test]
fn a_job_that_ends_three_processes_is_dead_over_redis() {
    let Some(backing) = Backing::redis() else { return };
    ends_three_processes(&backing);
}

fn takes_longer_than_its_lease(backing: &Backing) {
    let place = Place::new();
    let table = rows(10_000, true);
    let service = backing.serve(&place, &[], &HASTY);
    let id = service.fit("slow", &table, "400");
    let children = program(&service, &id);
    signal("STOP", &children);
    let begun = Instant::now();
    until("three leases", || (begun.elapsed() > Duration::from_secs(3)).then_some(()));
    let job = service.job(&id);
    assert_eq!((&job["state"], &job["attempt"]), (&"running".into(), &1.into()), "{job}");
    signal("CONT", &children);
    let job = service.job_that(&id, "succeeded");
    assert_eq!(job["attempt"], 1);
    assert_eq!(service.process.logged(&id, "part begun").len(), 1, "{}", service.process.log());
    assert!(!service.process.log().contains("delivered again"), "{}", service.process.log());
}

fn signal(name: &str, processes: &[String]) {
    let mut kill = std::process::Command::new("kill");
    assert!(kill.arg(format!("-{name}")).args(processes).status().unwrap().success());
}

#[test]
fn work_that_takes_longer_than_its_lease_stays_where_it_is() {
    takes_longer_than_its_lease(&Backing::Sqlite);
}

#[test]
fn work_that_takes_longer_than_its_lease_stays_where_it_is_over_redis() {
    let Some(backing) = Backing::redis() else { return };
    takes_longer_than_its_lease(&backing);
}

#[test]
fn a_program_ends_when_its_job_is_taken_back() {
    let place = Place::new();
    let service = Backing::Sqlite.serve(&place, &["--workers", "1"], &HASTY);
    let id = service.fit("unwanted", &rows(30_000, true), "300");
    let children = program(&service, &id);
    // One that waits behind it is taken back at once.
    let waiting = service.fit("waiting", &rows(300, true), "5");
    assert_eq!(service.delete(&format!("/v1/jobs/{waiting}")).with(200)["state"], "cancelled");
    assert_eq!(service.job(&waiting)["attempt"], 0);
    assert_eq!(service.delete(&format!("/v1/jobs/{id}")).with(200)["state"], "cancelled");
    until("the end of the program", || gone(&children));
    // Its place is free, and what was taken back can be had all the same.
    service.post(&format!("/v1/jobs/{waiting}/retry"), "text/plain", b"").with(202);
    service.job_that(&waiting, "succeeded");
    assert_eq!(service.job(&id)["state"], "cancelled");
    service.get("/v1/models/unwanted").with(404);
}
