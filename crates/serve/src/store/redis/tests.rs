//! The suite of all stores against a real Redis, and what only Redis can do to a store.

mod daemon;

use serde_json::json;

use super::*;
use crate::job::{Idempotency, Reason};
use crate::store::conformance::{self, Store};
use daemon::Daemon;

const NO_WAIT: Duration = Duration::ZERO;

fn limits(lease: u64) -> Limits {
    Limits { lease: Duration::from_millis(lease), ..Limits::default() }
}

async fn store(url: &str, lease: u64) -> (Arc<RedisStore>, Store) {
    let store = Arc::new(RedisStore::open(url, limits(lease)).await.unwrap());
    (store.clone(), store)
}

/// A job with a known id.
fn small(id: JobId) -> NewJob {
    let (kind, order) = ("predict".to_owned(), json!(1));
    NewJob { id, kind, order, owner: String::new(), rows: 1, octets: 0, idempotency: None }
}

async fn claimed(store: &Store) -> Lease {
    conformance::claim(store).await.expect("there is work")
}

/// Tidies as a process would, until there is work.
async fn claimed_after_tidying(store: &Store) -> Lease {
    for _ in 0..400 {
        store.tidy().await.unwrap();
        if let Some(lease) = conformance::claim(store).await {
            return lease;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the work never came");
}

/// Does it again while Redis is away.
async fn in_the_end<T>(mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> T {
    for _ in 0..100 {
        if let Ok(done) = attempt().await {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_keeps_what_every_store_promises() {
    let (place, _daemon) = match std::env::var("FLOWGAIT_TEST_REDIS") {
        Ok(place) => (place, None),
        Err(_) => match Daemon::start("what every store promises, for Redis").await {
            Some(daemon) => (daemon.place(), Some(daemon)),
            None => return,
        },
    };
    conformance::all(async |limits| {
        Arc::new(RedisStore::open(&daemon::fresh(&place), limits).await.unwrap()) as Store
    })
    .await;
}

#[tokio::test]
async fn killed_and_started_again_it_has_lost_nothing() {
    let Some(mut daemon) = Daemon::lasting("Redis killed and started again").await else { return };
    let (_, store) = store(&daemon.url(), 20_000).await;
    let whole = conformance::submit(&store).await;
    let split = conformance::submit(&store).await;
    let leases = store.claim("w", 2, NO_WAIT).await.unwrap();
    assert!(
        store
            .finish(&leases[1].claim, End::Split(vec![json!(1), json!(2)]))
            .await
            .unwrap()
            .is_held()
    );
    let chunk = claimed(&store).await;
    store.finish(&chunk.claim, End::Chunk(json!("kept"))).await.unwrap();
    let waits = conformance::submit(&store).await;
    let secret = store.secret().await.unwrap();
    let before = store.jobs(&Query { most: 10, ..Query::default() }).await.unwrap();
    let seen = store.revision();

    daemon.kill();
    assert!(store.ready().await.is_err());
    daemon.again().await;

    let after =
        in_the_end(async || store.jobs(&Query { most: 10, ..Query::default() }).await).await;
    assert_eq!(before, after);
    assert_eq!(in_the_end(async || store.secret().await).await, secret);
    // The lease outlived it, and the scripts are there anew.
    let standing =
        in_the_end(async || store.renew(std::slice::from_ref(&leases[0].claim)).await).await;
    assert!(standing[0].is_held());
    assert!(store.finish(&leases[0].claim, End::Succeeded(json!(1))).await.unwrap().is_held());
    let other = claimed(&store).await;
    assert_eq!((other.claim.job, other.claim.part, other.attempt), (split, 2, 1));
    store.finish(&other.claim, End::Chunk(json!("new"))).await.unwrap();
    let join = claimed(&store).await;
    assert!(join.is_join, "a join goes before jobs that have not begun");
    assert_eq!(store.chunks(split).await.unwrap(), [Some(json!("kept")), Some(json!("new"))]);
    store.finish(&join.claim, End::Succeeded(json!(2))).await.unwrap();
    assert_eq!(claimed(&store).await.claim.job, waits);
    assert_eq!(store.job(whole).await.unwrap().unwrap().state, State::Succeeded);
    let woken = store.job(split).await.unwrap().unwrap().revision;
    let mut seen = seen;
    tokio::time::timeout(Duration::from_secs(10), seen.wait_for(|&r| r >= woken))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_waiting_worker_outlives_a_restart() {
    let Some(mut daemon) = Daemon::start("Redis killed while a worker waits").await else { return };
    let (_, store) = store(&daemon.url(), 20_000).await;
    let worker = {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                // While Redis is away it cannot wait for work either.
                match store.claim("w", 1, Duration::from_secs(10)).await {
                    Ok(leases) if !leases.is_empty() => return leases,
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    daemon.kill();
    daemon.again().await;
    let job = conformance::new_job(&store, json!(1)).await;
    let id = job.id;
    in_the_end(async || store.submit(job.clone()).await).await;
    let leases = tokio::time::timeout(Duration::from_secs(20), worker).await.unwrap().unwrap();
    assert_eq!(leases[0].claim.job, id);
}

/// Works until it is told to end; an error is tried again, a lost claim is left.
async fn work(store: Store, name: String, ended: watch::Receiver<bool>) {
    while !*ended.borrow() {
        let claimed = store.claim(&name, 3, Duration::from_millis(100)).await;
        for lease in claimed.unwrap_or_default() {
            let end = match (lease.claim.part, lease.is_join) {
                (0, _) => End::Split(vec![json!(1), json!(2)]),
                (_, true) => End::Succeeded(json!(store.chunks(lease.claim.job).await.ok())),
                _ => End::Chunk(lease.payload.clone()),
            };
            for _ in 0..20 {
                if store.finish(&lease.claim, end.clone()).await.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        let _ = store.tidy().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_every_job_is_done_once() {
    const JOBS: usize = 300;
    let Some(mut daemon) = Daemon::lasting("Redis killed again and again").await else { return };
    let limits = Limits { deliveries: 100, ..limits(1_000) };
    let store: Store = Arc::new(RedisStore::open(&daemon.url(), limits).await.unwrap());
    let (end, ended) = watch::channel(false);
    let workers: Vec<_> =
        (0..3).map(|n| tokio::spawn(work(store.clone(), format!("w{n}"), ended.clone()))).collect();
    let mut ids = Vec::new();
    for n in 0..JOBS {
        let id = JobId::new(1_700_000_000_000 + n as u64);
        let job = small(id);
        ids.push(id);
        assert_eq!(in_the_end(async || store.submit(job.clone()).await).await, Submitted::New);
        if n % 75 == 50 {
            daemon.kill();
            daemon.again().await;
        }
    }
    let all = async || in_the_end(async || store.load().await).await == Load::default();
    for _ in 0..600 {
        if all().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    end.send_replace(true);
    for worker in workers {
        worker.await.unwrap();
    }
    for id in ids {
        let job = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.state, job.parts, job.parts_done), (State::Succeeded, 4, 4));
        assert!(job.result.is_some());
    }
    assert!(conformance::claim(&store).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_redis_takes_no_lease_away() {
    let Some(daemon) = Daemon::start("a paused Redis").await else { return };
    let url = daemon.url();
    let (_, worker) = store(&url, 2_000).await;
    let (_, other) = store(&url, 2_000).await;
    let id = conformance::submit(&worker).await;
    let lease = claimed(&worker).await;
    other.tidy().await.unwrap();
    daemon.signal("STOP");
    // These reach Redis before the worker does, in the first moment after the pause.
    let tidying = tokio::spawn(async move {
        for _ in 0..20 {
            assert_eq!(other.tidy().await.unwrap(), Tidied::default());
        }
        other
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    daemon.signal("CONT");
    let other = tidying.await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    other.tidy().await.unwrap();
    let standing = worker.renew(std::slice::from_ref(&lease.claim)).await.unwrap();
    assert_eq!(standing, [Standing::Held(Wish::Run)]);
    // Whoever does not come back loses its lease all the same.
    let again = claimed_after_tidying(&other).await;
    assert_eq!((again.claim.job, again.attempt), (id, 2));
    assert_eq!(worker.renew(&[lease.claim]).await.unwrap(), [Standing::Lost]);
}

#[tokio::test]
async fn a_restart_longer_than_a_lease_takes_none_away() {
    let Some(mut daemon) = Daemon::lasting("a long restart").await else { return };
    let (_, store) = store(&daemon.url(), 1_000).await;
    conformance::submit(&store).await;
    let lease = claimed(&store).await;
    store.tidy().await.unwrap();
    daemon.kill();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    daemon.again().await;
    assert_eq!(in_the_end(async || store.tidy().await).await, Tidied::default());
    assert!(store.renew(&[lease.claim]).await.unwrap()[0].is_held());
}

#[tokio::test]
async fn a_store_that_is_tidied_seldom_takes_leases_back() {
    let Some(daemon) = Daemon::start("seldom tidied").await else { return };
    let (_, store) = store(&daemon.url(), 200).await;
    conformance::submit(&store).await;
    claimed(&store).await;
    let mut redelivered = 0;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        redelivered += store.tidy().await.unwrap().redelivered;
    }
    assert_eq!(redelivered, 1);
}

#[tokio::test]
async fn a_clock_set_back_makes_no_lease_eternal() {
    let Some(daemon) = Daemon::start("a clock that was set back").await else { return };
    let (redis, store) = store(&daemon.url(), 200).await;
    conformance::submit(&store).await;
    claimed(&store).await;
    let future = (store.now().await.unwrap() + 3_600_000).to_string();
    let meta = redis.link.key("meta");
    let _: u32 = daemon.tell(&["HSET", &meta, "tidied", &future]).await;
    assert_eq!(claimed_after_tidying(&store).await.attempt, 2);
}

#[tokio::test]
async fn a_full_redis_takes_no_jobs_and_ends_those_it_has() {
    let Some(daemon) = Daemon::start("a full Redis").await else { return };
    let (_, store) = store(&daemon.url(), 20_000).await;
    conformance::submit(&store).await;
    conformance::submit(&store).await;
    conformance::submit(&store).await;
    let first = claimed(&store).await;
    let keys: u64 = daemon.tell(&["DBSIZE"]).await;
    let load = store.load().await.unwrap();
    let _: () = daemon.tell(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let job = NewJob {
        idempotency: Some(Idempotency { key: "k".into(), digest: "d".into() }),
        owner: "o".into(),
        ..conformance::new_job(&store, json!(1)).await
    };
    let refused = store.submit(job.clone()).await.unwrap();
    assert!(matches!(refused, Submitted::Full { .. }), "{refused:?}");
    assert_eq!(daemon.tell::<u64>(&["DBSIZE"]).await, keys, "nothing was half written");
    let now = store.load().await.unwrap();
    assert_eq!(Load { oldest: 0, ..now }, Load { oldest: 0, ..load });
    store.ready().await.unwrap();
    assert!(store.renew(std::slice::from_ref(&first.claim)).await.unwrap()[0].is_held());
    assert!(store.progress(&first.claim, &Progress::default()).await.unwrap().is_held());
    store.tidy().await.unwrap();
    let split = End::Split(vec![json!(1)]);
    assert!(store.finish(&first.claim, split).await.unwrap().is_held());
    while let Some(lease) = conformance::claim(&store).await {
        let end = match (lease.claim.part, lease.is_join) {
            (1, false) => End::Chunk(json!(1)),
            _ => End::Succeeded(json!(1)),
        };
        assert!(store.finish(&lease.claim, end).await.unwrap().is_held());
    }
    let all = store.jobs(&Query { most: 10, ..Query::default() }).await.unwrap();
    assert!(all.len() == 3 && all.iter().all(|job| job.state == State::Succeeded));
    let _: () = daemon.tell(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(store.submit(job).await.unwrap(), Submitted::New);
}

#[tokio::test]
async fn a_redis_that_may_lose_jobs_is_refused() {
    let unfit = async |settings: &[&str], says: &str| {
        let Some(daemon) = Daemon::with("an unfit Redis", settings).await else { return };
        match RedisStore::open(&daemon.url(), Limits::default()).await {
            Err(Error::StoreUnfit { problem }) => assert!(problem.contains(says), "{problem}"),
            other => panic!("{:?}", other.err()),
        }
    };
    unfit(&[], "CONFIG SET appendonly yes").await;
    unfit(&["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"], "noeviction").await;
    let Some(daemon) = Daemon::start("a fit Redis").await else { return };
    let open = async || RedisStore::open(&daemon.url(), Limits::default()).await.unwrap();
    assert!(open().await.warning().unwrap().contains("appendfsync always"));
    let _: () = daemon.tell(&["CONFIG", "SET", "appendfsync", "always"]).await;
    assert_eq!(open().await.warning(), None);
    // As with managed services.
    let _: () = daemon.tell(&["ACL", "SETUSER", "default", "-config"]).await;
    assert_eq!(open().await.warning(), None);
}

#[tokio::test]
async fn lost_tickets_are_made_anew() {
    let Some(daemon) = Daemon::start("lost tickets").await else { return };
    let (redis, store) = store(&daemon.url(), 20_000).await;
    let mut ids: Vec<JobId> = Vec::new();
    for _ in 0..4 {
        ids.push(conformance::submit(&store).await);
    }
    let running = claimed(&store).await;
    let late = claimed(&store).await;
    let reason = Reason::new("storage", "x");
    store.finish(&late.claim, End::Retry(reason, Duration::from_millis(50))).await.unwrap();
    let streams = ["first", "work", "delayed"].map(|name| redis.link.key(name));
    let _: u32 = daemon.tell(&["DEL", &streams[0], &streams[1], &streams[2]]).await;
    let mut found = Vec::new();
    while found.len() < 3 {
        let lease = claimed_after_tidying(&store).await;
        found.push(lease.claim.job);
    }
    found.sort();
    // Jobs of one millisecond have ids in any order.
    let mut expected = ids[1..].to_vec();
    expected.sort();
    assert_eq!(found, expected);
    assert!(store.renew(std::slice::from_ref(&running.claim)).await.unwrap()[0].is_held());
    assert!(conformance::claim(&store).await.is_none(), "a lease is no offer");
    assert!(store.finish(&running.claim, End::Succeeded(json!(1))).await.unwrap().is_held());
}

#[tokio::test]
async fn a_lease_whose_ticket_was_lost_still_ends() {
    let Some(daemon) = Daemon::start("a lost ticket of a lost worker").await else { return };
    let (redis, store) = store(&daemon.url(), 300).await;
    let id = conformance::submit(&store).await;
    let lost = claimed(&store).await;
    let _: u32 = daemon.tell(&["DEL", &redis.link.key("work")]).await;
    let again = claimed_after_tidying(&store).await;
    assert_eq!((again.claim.job, again.attempt), (id, 2));
    assert_eq!(store.renew(&[lost.claim]).await.unwrap(), [Standing::Lost]);
}

#[tokio::test]
async fn a_worker_that_died_before_it_began_costs_no_attempt() {
    let Some(daemon) = Daemon::start("a worker that died before it began").await else { return };
    let (redis, store) = store(&daemon.url(), 200).await;
    assert!(conformance::claim(&store).await.is_none());
    let id = conformance::submit(&store).await;
    let tickets = redis.link.wait(Duration::from_secs(5)).await.unwrap();
    assert_eq!(tickets.len(), 1);
    assert!(conformance::claim(&store).await.is_none());
    let lease = claimed_after_tidying(&store).await;
    assert_eq!((lease.claim.job, lease.attempt), (id, 1));
    // It was only slow, and begins after all: its ticket is void.
    assert!(redis.start("slow", 1, tickets).await.unwrap().0.is_empty());
    assert!(store.renew(&[lease.claim]).await.unwrap()[0].is_held());
}

#[tokio::test]
async fn nobody_gets_more_than_there_is_room_for() {
    let Some(daemon) = Daemon::start("more tickets than room").await else { return };
    let (redis, store) = store(&daemon.url(), 20_000).await;
    let begun = conformance::submit(&store).await;
    let lease = claimed(&store).await;
    let other = conformance::submit(&store).await;
    store.finish(&lease.claim, End::GivenBack).await.unwrap();
    let tickets = redis.link.wait(Duration::from_secs(5)).await.unwrap();
    assert_eq!(tickets.len(), 2, "one of each stream");
    let (leases, _) = redis.start("w", 1, tickets).await.unwrap();
    assert_eq!(leases.len(), 1);
    assert_eq!((leases[0].claim.job, leases[0].attempt), (begun, 1));
    let lease = claimed(&store).await;
    assert_eq!((lease.claim.job, lease.attempt), (other, 1));
}

#[tokio::test]
async fn a_submission_sent_twice_is_one_job() {
    let Some(daemon) = Daemon::start("a submission sent twice").await else { return };
    let (_, store) = store(&daemon.url(), 20_000).await;
    let plain = conformance::new_job(&store, json!({"b": 1.0, "a": [1]})).await;
    let idempotency = Some(Idempotency { key: "k".into(), digest: "a digest".into() });
    let keyed =
        NewJob { idempotency, rows: 0, octets: 0, ..conformance::new_job(&store, json!(2)).await };
    for job in [&plain, &keyed] {
        for _ in 0..3 {
            assert_eq!(store.submit(job.clone()).await.unwrap(), Submitted::New);
        }
        let lease = claimed(&store).await;
        assert_eq!((lease.claim.job, &lease.job.order), (job.id, &job.order));
        assert!(conformance::claim(&store).await.is_none());
        store.finish(&lease.claim, End::Succeeded(json!(1))).await.unwrap();
        assert_eq!(store.submit(job.clone()).await.unwrap(), Submitted::New);
        assert!(conformance::claim(&store).await.is_none());
    }
    assert!(store.submit(NewJob { order: json!(3), ..plain }).await.is_err());
    assert_eq!(store.load().await.unwrap(), Load::default());
}
