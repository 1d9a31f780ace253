//! A client that does not know whether it was heard sends it again, and gets one job.

use std::collections::HashSet;
use std::sync::Arc;

use crate::backing::Backing;
use crate::service::{Service, answers, trained};
use crate::support::Place;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

#[test]
fn fifty_at_once_with_one_key_are_one_job() {
    fifty_at_once(&Backing::Sqlite);
}

#[test]
fn fifty_at_once_with_one_key_are_one_job_over_redis() {
    let Some(backing) = Backing::redis() else { return };
    fifty_at_once(&backing);
}

fn fifty_at_once(backing: &Backing) {
    let place = Place::new();
    let trained = trained(&place, 100);
    let service = Arc::new(backing.serve(&place, &[], &[]));
    let table = Arc::new(trained.table);
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let (service, table) = (service.clone(), table.clone());
            std::thread::spawn(move || {
                let file = Some(("rows.csv", &table[..]));
                let answer = service.send_as("/v1/jobs", &[("model", "kinds")], file, Some("one"));
                answer.unwrap().with(202)["id"].as_str().unwrap().to_owned()
            })
        })
        .collect();
    let ids: HashSet<String> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    let id = ids.into_iter().next().unwrap();
    service.job_that(&id, "succeeded");
    let jobs = service.get("/v1/jobs").with(200);
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1);
    let folders = std::fs::read_dir(place.path("data/jobs")).unwrap().count();
    assert_eq!(folders, 1, "of the others nothing is left");
    let other = Some(("rows.csv", &b"a,b,c\n1,2,3\n"[..]));
    let refused = service.send_as("/v1/jobs", &[("model", "kinds")], other, Some("one")).unwrap();
    let problem = refused.with(422);
    assert_eq!(problem["type"], "urn:flowgait:problem:idempotency-key-reused");
}

#[test]
fn a_service_that_dies_before_it_answers_has_one_job_or_none() {
    let place = Place::new();
    let trained = trained(&place, 20_000);
    let undisturbed = answers(&place, &trained.table);
    let mut service = Service::start(&place, &SQLITE, &[]);
    for round in 0..5_u64 {
        let key = format!("round-{round}");
        let file = Some(("rows.csv", &trained.table[..]));
        std::thread::scope(|scope| {
            let asking = scope
                .spawn(|| service.send_as("/v1/jobs", &[("model", "kinds")], file, Some(&key)));
            // Somewhere between the first octet and the answer.
            std::thread::sleep(std::time::Duration::from_millis(3 * round));
            assert!(
                std::process::Command::new("kill")
                    .args(["-KILL", &service.process.id().to_string()])
                    .status()
                    .unwrap()
                    .success()
            );
            let _ = asking.join().unwrap();
        });
        service.process.ended();
        service = Service::start(&place, &SQLITE, &[]);
        let again = service.send_as("/v1/jobs", &[("model", "kinds")], file, Some(&key)).unwrap();
        let id = again.with(202)["id"].as_str().unwrap().to_owned();
        service.job_that(&id, "succeeded");
        assert!(service.result(&id) == undisturbed, "the answers differ");
    }
    let jobs = service.get("/v1/jobs").with(200);
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 5);
    // Of an upload that broke off with its process no more is left than its octets, in a folder that no job has: the collector takes
    // it when it is a day old, since an upload may take that long.
    let ids: HashSet<&str> =
        jobs["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
    let mut orphans = 0;
    for entry in std::fs::read_dir(place.path("data/jobs")).unwrap() {
        let folder = entry.unwrap();
        if ids.contains(folder.file_name().to_str().unwrap()) {
            continue;
        }
        orphans += 1;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(name == "input" || name.starts_with("input#"), "{name}");
        }
    }
    assert!(orphans <= 5, "{orphans}");
}
