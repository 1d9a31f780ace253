//! An operator loses the process in mid-job, and a worker, and then Redis: nothing is lost, and every answer is what it would have been.

use crate::backing::{Redis, worker};
use crate::service::{Service, answers, trained};
use crate::support::Place;

/// Small chunks and short leases, so that there is much to lose in little time.
const HASTY: [(&str, &str); 2] =
    [("FLOWGAIT_SERVE_CHUNK_OCTETS", "20k"), ("FLOWGAIT_SERVE_LEASE", "1s")];
const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

#[test]
fn the_process_dies_at_every_moment_and_the_answers_are_the_same() {
    let place = Place::new();
    let trained = trained(&place, 60_000);
    let undisturbed = answers(&place, &trained.table);
    let mut service = Service::start(&place, &SQLITE, &HASTY);
    let id = service.submit("kinds", &trained.table);
    // Right after 202, while it is being cut, and after more and more chunks.
    for chunks in [0, 0, 1, 5, 15, 30] {
        if chunks > 0 {
            service.job_with_chunks(&id, chunks);
        }
        service.process.kill();
        service = Service::start(&place, &SQLITE, &HASTY);
        // What was done is not done again.
        let job = service.job(&id);
        let done = job["progress"]["done"].as_u64().unwrap_or(0);
        assert!(job["state"] == "succeeded" || chunks == 0 || done >= chunks, "{job}");
    }
    let job = service.job_that(&id, "succeeded");
    assert_eq!(job["result"]["rows"], 60_000);
    assert!(job["attempt"].as_u64().unwrap() <= 3, "{job}");
    assert!(service.result(&id) == undisturbed, "the answers differ");
    // What only the work needed is gone.
    let left = crate::service::until("the upload's end", || {
        let left: Vec<_> = std::fs::read_dir(place.path(&format!("data/jobs/{id}")))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        (left.len() == 1).then_some(left)
    });
    assert_eq!(left, ["results"]);
}

/// A service over Redis with so many workers of its own, a table of so many rows, and what it is answered undisturbed.
fn over_redis(
    place: &Place,
    redis: &Redis,
    rows: u64,
    workers: &str,
) -> (Service, Vec<u8>, Vec<u8>) {
    let trained = trained(place, rows);
    let undisturbed = answers(place, &trained.table);
    let args = ["--store", &redis.url(), "--blobs", "data", "--workers", workers];
    (Service::start(place, &args, &HASTY), trained.table, undisturbed)
}

#[test]
fn a_worker_dies_and_then_redis_and_nothing_is_lost() {
    let Some(mut redis) = Redis::start() else { return };
    let place = Place::new();
    let (service, table, undisturbed) = over_redis(&place, &redis, 60_000, "0");
    let mut first = worker(&place, &redis, &HASTY);
    let second = worker(&place, &redis, &HASTY);
    let jobs: Vec<String> = (0..3).map(|_| service.submit("kinds", &table)).collect();
    service.job_with_chunks(&jobs[0], 3);
    first.kill();
    service.job_with_chunks(&jobs[0], 10);
    redis.kill();
    redis.again();
    // It says that it is not ready while Redis is away, and comes back by itself.
    crate::service::until("readiness", || {
        service.try_get("/readyz").filter(|answer| answer.status == 200)
    });
    let _third = worker(&place, &redis, &HASTY);
    for id in &jobs {
        let job = service.job_that(id, "succeeded");
        assert_eq!(job["result"]["rows"], 60_000);
        assert!(service.result(id) == undisturbed, "the answers differ");
    }
    assert!(second.log().contains("works for"));
}

#[test]
fn a_worker_that_was_asleep_changes_nothing() {
    let Some(redis) = Redis::start() else { return };
    let place = Place::new();
    let (service, table, undisturbed) = over_redis(&place, &redis, 60_000, "0");
    let sleeper = worker(&place, &redis, &HASTY);
    let id = service.submit("kinds", &table);
    service.job_with_chunks(&id, 2);
    sleeper.signal("STOP");
    let _other = worker(&place, &redis, &HASTY);
    service.job_that(&id, "succeeded");
    sleeper.signal("CONT");
    let next = service.submit("kinds", &table);
    service.job_that(&next, "succeeded");
    for id in [&id, &next] {
        assert!(service.result(id) == undisturbed, "the answers differ");
    }
}

#[test]
fn redis_stands_still_and_goes_on() {
    let Some(redis) = Redis::start() else { return };
    let place = Place::new();
    let (service, table, undisturbed) = over_redis(&place, &redis, 30_000, "1");
    let id = service.submit("kinds", &table);
    service.job_with_chunks(&id, 1);
    redis.signal("STOP");
    // Longer than a lease: when it goes on, nobody's lease has ended for that.
    std::thread::sleep(std::time::Duration::from_secs(3));
    redis.signal("CONT");
    service.job_that(&id, "succeeded");
    assert!(service.result(&id) == undisturbed, "the answers differ");
}

#[test]
fn redis_is_full_and_has_room_again() {
    let Some(redis) = Redis::start() else { return };
    let place = Place::new();
    let (service, table, undisturbed) = over_redis(&place, &redis, 60_000, "1");
    let id = service.submit("kinds", &table);
    service.job_with_chunks(&id, 1);
    redis.limit_memory("1mb");
    // Nothing is taken in, and nothing of it is left; what runs goes on to its end.
    let refused = service.send("/v1/jobs", &[("model", "kinds")], Some(("r.csv", &table)));
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.json()["retry_after"].as_u64().unwrap() > 0, "{}", refused.text());
    service.job_that(&id, "succeeded");
    assert!(service.result(&id) == undisturbed, "the answers differ");
    let kept = std::fs::read_dir(place.path("data/jobs")).unwrap().count();
    assert_eq!(kept, 1, "nothing is left of what was refused");
    redis.limit_memory("0");
    let next = service.submit("kinds", &table);
    service.job_that(&next, "succeeded");
    assert!(service.result(&next) == undisturbed, "the answers differ");
}
