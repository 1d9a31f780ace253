//! A model is promoted and rolled back while many ask: no request fails, and each job is answered by the version it was pinned to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::service::{Service, trained};
use crate::support::Place;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

#[test]
fn nobody_notices_but_by_the_version() {
    let place = Place::new();
    let trained = trained(&place, 50);
    // A second version that says otherwise.
    place.write(
        "swapped.csv",
        String::from_utf8(crate::service::rows(300, true)).unwrap().replace(",web", ",chat"),
    );
    place.ok(&[
        "fit",
        "swapped.csv",
        "--label",
        "kind",
        "--drop",
        "c",
        "--estimator",
        "forest",
        "--trees",
        "5",
        "-o",
        "other.fgm",
    ]);
    let service = Arc::new(Service::start(&place, &SQLITE, &[]));
    let bytes = place.bytes("other.fgm");
    let taken = service.post("/v1/models/kinds", "application/octet-stream", &bytes).with(201);
    assert_eq!(taken["version"], 2);
    assert_eq!(
        service.post("/v1/models/kinds", "application/octet-stream", &bytes).with(200)["version"],
        2
    );
    let promote = |version: u32| {
        let body = json!({ "version": version }).to_string();
        service.post("/v1/models/kinds/promote", "application/json", body.as_bytes()).with(200)
    };
    promote(1);
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let table = Arc::new(trained.table);
    let callers: Vec<_> = (0..6)
        .map(|caller| {
            let (service, stop, asked, table) =
                (service.clone(), stop.clone(), asked.clone(), table.clone());
            std::thread::spawn(move || {
                let mut jobs = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    if caller == 0 {
                        let job = service
                            .send("/v1/jobs", &[("model", "kinds@live")], Some(("r.csv", &table)))
                            .with(202);
                        jobs.push((
                            job["id"].as_str().unwrap().to_owned(),
                            job["model"].as_str().unwrap().to_owned(),
                        ));
                    } else {
                        let said = service
                            .post("/v1/predictions?model=kinds@live", "text/csv", &table)
                            .with(200);
                        let first = said["predictions"][0]["label"].as_str().unwrap();
                        let expected = if said["model"] == "kinds@1" { "web" } else { "chat" };
                        assert_eq!(first, expected, "{}", said["model"]);
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                jobs
            })
        })
        .collect();
    for round in 0..12 {
        let before = asked.load(Ordering::Relaxed);
        let promoted = promote(2 - round % 2);
        assert_eq!(promoted["before"], 1 + round % 2);
        crate::service::until("some requests", || {
            (asked.load(Ordering::Relaxed) > before + 20).then_some(())
        });
    }
    stop.store(true, Ordering::Relaxed);
    let jobs: Vec<_> = callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect();
    assert!(!jobs.is_empty());
    let mut versions = std::collections::HashSet::new();
    for (id, pinned) in jobs {
        let job = service.job_that(&id, "succeeded");
        assert_eq!(job["result"]["model"], pinned.as_str());
        let text = String::from_utf8(service.result(&id)).unwrap();
        let first = crate::support::column(&text, "prediction").remove(0);
        assert_eq!(first, if pinned == "kinds@1" { "web" } else { "chat" });
        versions.insert(pinned);
    }
    assert_eq!(versions.len(), 2, "both were asked");
}
