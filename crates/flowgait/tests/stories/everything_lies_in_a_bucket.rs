//! Uploads, results and models lie in a bucket, so that machines need share no folder.

use std::thread;

use crate::backing::{Redis, worker_over};
use crate::bucket::Bucket;
use crate::service::{Service, answers, trained, until};
use crate::support::Place;

/// Small chunks and short leases, and how the bucket is reached.
fn environment(bucket: &Bucket) -> Vec<(String, String)> {
    let mut all = bucket.environment();
    let own = [("FLOWGAIT_SERVE_CHUNK_OCTETS", "20k"), ("FLOWGAIT_SERVE_LEASE", "1s")];
    all.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    all
}

fn pairs(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Takes a model in over the API; what is said of it.
fn import(service: &Service, name: &str, model: &[u8], status: u16) -> serde_json::Value {
    let path = format!("/v1/models/{name}");
    service.post(&path, "application/octet-stream", model).with(status)
}

#[test]
fn jobs_are_done_and_models_kept_in_it() {
    let (place, bucket) = (Place::new(), Bucket::start());
    let trained = trained(&place, 30_000);
    let undisturbed = answers(&place, &trained.table);
    let environment = environment(&bucket);
    let args = ["--store", "sqlite:jobs", "--blobs", &bucket.place()];
    let mut service = Service::start(&place, &args, &pairs(&environment));
    let model = std::fs::read(&trained.model).unwrap();
    assert_eq!(import(&service, "kinds", &model, 201)["version"], 1);
    // The same file again is the same version.
    assert_eq!(import(&service, "kinds", &model, 200)["version"], 1);

    let id = service.submit("kinds", &trained.table);
    service.job_with_chunks(&id, 3);
    service.process.kill();
    service = Service::start(&place, &args, &pairs(&environment));
    service.job_that(&id, "succeeded");
    assert!(service.result(&id) == undisturbed, "the answers differ");
    until("the end of the upload", || {
        let left = bucket.files(&format!("jobs/{id}"));
        left.iter().all(|path| path.parent().unwrap().ends_with("results")).then_some(())
    });

    // A capture, which is fetched and metered.
    place.ok(&["synth", "demo", "-o", "made.pcap", "--flows", "50", "--seed", "7"]);
    place.ok(&["predict", "made.pcap", "-o", "made.csv"]);
    let job = service.send("/v1/jobs", &[], Some(("made.pcap", &place.bytes("made.pcap"))));
    let id = job.with(202)["id"].as_str().unwrap().to_owned();
    service.job_that(&id, "succeeded");
    assert!(service.result(&id) == place.bytes("made.csv"), "the answers differ");
}

#[test]
fn versions_that_come_at_once_get_numbers_of_their_own_and_can_be_promoted() {
    let (place, bucket) = (Place::new(), Bucket::start());
    let trained = trained(&place, 100);
    let environment = environment(&bucket);
    let args = ["--store", "sqlite:jobs", "--blobs", &bucket.place()];
    let service = Service::start(&place, &args, &pairs(&environment));
    let fit = |seed: usize| {
        let (seed, name) = (seed.to_string(), format!("{seed}.fgm"));
        let args = ["fit", "train.csv", "--label", "kind", "--drop", "c", "--estimator", "forest"];
        place.ok(&[&args[..], &["--trees", "3", "--seed", &seed, "-o", &name]].concat());
        place.bytes(&name)
    };
    let models: Vec<Vec<u8>> = (1..=4).map(fit).collect();
    let mut versions: Vec<u64> = thread::scope(|scope| {
        let callers = models.iter().map(|model| {
            let service = &service;
            scope.spawn(move || import(service, "raced", model, 201)["version"].as_u64().unwrap())
        });
        let callers: Vec<_> = callers.collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4]);

    let promote = |version: u64| {
        let body = format!("{{\"alias\":\"live\",\"version\":{version}}}");
        service.post("/v1/models/raced/promote", "application/json", body.as_bytes()).with(200)
    };
    let answered_by = || {
        let answer = service.post("/v1/predictions?model=raced", "text/csv", &trained.table);
        answer.with(200)["model"].as_str().unwrap().to_owned()
    };
    promote(4);
    assert_eq!(answered_by(), "raced@4");
    promote(2);
    assert_eq!(answered_by(), "raced@2");
    // Another process sees the same, and what is asked for and not there is told.
    let other = Service::start(
        &place,
        &["--store", "sqlite:other", "--blobs", &bucket.place()],
        &pairs(&environment),
    );
    let listed = other.get("/v1/models").with(200);
    assert_eq!(
        listed["models"].as_array().unwrap().iter().filter(|m| m["name"] == "raced").count(),
        4
    );
    other.get("/v1/models/raced@9").with(404);
}

#[test]
fn workers_elsewhere_need_nothing_but_redis_and_the_bucket() {
    let Some(redis) = Redis::start() else { return };
    let (place, bucket) = (Place::new(), Bucket::start());
    let trained = trained(&place, 30_000);
    let undisturbed = answers(&place, &trained.table);
    let environment = environment(&bucket);
    let url = redis.url();
    let args = ["--store", &url, "--blobs", &bucket.place(), "--workers", "0"];
    let service = Service::start(&place, &args, &pairs(&environment));
    import(&service, "kinds", &std::fs::read(&trained.model).unwrap(), 201);
    let (there, elsewhere) = (Place::new(), Place::new());
    let mut first = worker_over(&there, &redis, &bucket.place(), &pairs(&environment));
    let _second = worker_over(&elsewhere, &redis, &bucket.place(), &pairs(&environment));
    let id = service.submit("kinds", &trained.table);
    service.job_with_chunks(&id, 2);
    first.kill();
    service.job_that(&id, "succeeded");
    assert!(service.result(&id) == undisturbed, "the answers differ");
    assert!(there.files().is_empty() && elsewhere.files().is_empty(), "they keep nothing");
}

#[test]
fn a_bucket_that_cannot_be_reached_is_told_before_anything_is_taken_in() {
    let (place, bucket) = (Place::new(), Bucket::start());
    let mut environment = bucket.environment();
    environment.retain(|(name, _)| name != "AWS_SECRET_ACCESS_KEY");
    environment.push(("AWS_SECRET_ACCESS_KEY".to_owned(), "another".to_owned()));
    let service = Service::start(
        &place,
        &["--store", "sqlite:jobs", "--blobs", &bucket.place()],
        &pairs(&environment),
    );
    let refused = service.send("/v1/jobs", &[], Some(("r.csv", b"a,b\n1,2\n")));
    assert_eq!(refused.status, 503, "{}", refused.text());
    let told = refused.text();
    assert!(!told.contains("another") && !told.contains("127.0.0.1"), "{told}");
    let jobs = service.get("/v1/jobs").with(200);
    assert!(jobs["jobs"].as_array().unwrap().is_empty());
}
