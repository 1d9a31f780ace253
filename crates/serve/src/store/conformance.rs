//! What every store is held to; each store's tests call [`all`] with a way to make a fresh store of it.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{JobStore, KeyRecord, Limits};
use crate::job::{
    Claim, End, Idempotency, JobId, Lease, NewJob, Progress, Query, Reason, Standing, State, Steer,
    Steered, Submitted, Wish,
};

/// Long enough for a busy machine not to lose a lease that nobody meant to lose.
const LEASE: Duration = Duration::from_millis(1500);
const SHORT: Duration = Duration::from_millis(150);
const NO_WAIT: Duration = Duration::ZERO;

pub type Store = Arc<dyn JobStore>;

fn limits(lease: Duration) -> Limits {
    Limits { lease, ..Limits::default() }
}

/// Holds a store to all; `fresh` makes an empty one with these limits.
pub async fn all<F: Future<Output = Store>>(fresh: impl Fn(Limits) -> F) {
    a_job_lives_from_submission_to_success(fresh(limits(LEASE)).await).await;
    a_job_is_claimed_once(fresh(limits(LEASE)).await).await;
    the_oldest_is_first(fresh(limits(LEASE)).await).await;
    a_claim_waits_for_work(fresh(limits(LEASE)).await).await;
    a_stale_owner_changes_nothing(fresh(limits(SHORT)).await).await;
    a_renewed_lease_holds(fresh(limits(LEASE)).await).await;
    the_last_delivery_is_death(fresh(limits(SHORT)).await).await;
    a_part_given_back_is_the_same_attempt(fresh(limits(LEASE)).await).await;
    a_retry_waits_and_counts(fresh(limits(LEASE)).await).await;
    failure_is_final_until_somebody_retries(fresh(limits(LEASE)).await).await;
    chunks_are_joined_once(fresh(limits(LEASE)).await).await;
    a_lost_chunk_costs_that_chunk(fresh(limits(SHORT)).await).await;
    no_chunks_are_joined_at_once(fresh(limits(LEASE)).await).await;
    a_retry_keeps_finished_chunks(fresh(limits(LEASE)).await).await;
    cancelling_ends_at_once(fresh(limits(LEASE)).await).await;
    pausing_keeps_what_there_is(fresh(limits(LEASE)).await).await;
    stopping_ends_with_what_there_is(fresh(limits(LEASE)).await).await;
    the_same_key_is_the_same_job(fresh(limits(LEASE)).await).await;
    fifty_callers_with_one_key_get_one_job(fresh(limits(LEASE)).await).await;
    a_full_queue_refuses(
        fresh(Limits { jobs: 3, octets: 1_000, rows: 100, ..limits(LEASE) }).await,
    )
    .await;
    progress_is_shown(fresh(limits(LEASE)).await).await;
    changes_come_in_order(fresh(limits(LEASE)).await).await;
    jobs_are_listed_newest_first(fresh(limits(LEASE)).await).await;
    what_was_kept_long_enough_goes(
        fresh(Limits { keep: SHORT, keep_keys: SHORT, ..limits(LEASE) }).await,
    )
    .await;
    the_load_is_told(fresh(limits(LEASE)).await).await;
    keys_are_kept(fresh(limits(LEASE)).await).await;
    many_workers_do_each_part_once(fresh(limits(LEASE)).await).await;
}

pub async fn new_job(store: &Store, order: Value) -> NewJob {
    let id = JobId::new(store.now().await.unwrap());
    NewJob {
        id,
        kind: "predict".into(),
        order,
        owner: String::new(),
        rows: 10,
        octets: 100,
        idempotency: None,
    }
}

pub async fn submit(store: &Store) -> JobId {
    let job = new_job(store, json!({"a": 1})).await;
    let id = job.id;
    assert_eq!(store.submit(job).await.unwrap(), Submitted::New);
    id
}

pub async fn claim(store: &Store) -> Option<Lease> {
    let mut leases = store.claim("w", 1, NO_WAIT).await.unwrap();
    assert!(leases.len() <= 1);
    leases.pop()
}

async fn claimed(store: &Store) -> Lease {
    claim(store).await.expect("there is work")
}

async fn state(store: &Store, id: JobId) -> State {
    store.job(id).await.unwrap().expect("the job is there").state
}

async fn finish(store: &Store, claim: &Claim, end: End) {
    assert!(store.finish(claim, end).await.unwrap().is_held());
}

/// Tidies until something holds; far more often than any lease needs.
async fn tidied_until(store: &Store, what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..400 {
        store.tidy().await.unwrap();
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} never came");
}

async fn a_job_lives_from_submission_to_success(store: Store) {
    let id = submit(&store).await;
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.started, job.ended), (State::Queued, None, None));
    assert_eq!((job.rows, job.octets, job.parts, job.parts_done), (10, 100, 1, 0));
    assert_eq!(job.order, json!({"a": 1}));
    let lease = claimed(&store).await;
    assert_eq!((lease.claim.job, lease.claim.part, lease.attempt), (id, 0, 1));
    assert_eq!(lease.payload, Value::Null);
    assert!(!lease.is_join);
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempt, job.worker.as_deref()), (State::Running, 1, Some("w")));
    assert!(job.started.unwrap() >= job.created);
    finish(&store, &lease.claim, End::Succeeded(json!({"rows": 10}))).await;
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.result), (State::Succeeded, Some(json!({"rows": 10}))));
    assert!(job.ended.unwrap() >= job.started.unwrap());
    assert_eq!(store.finish(&lease.claim, End::Succeeded(json!(2))).await.unwrap(), Standing::Lost);
    assert!(claim(&store).await.is_none());
    let unknown = JobId::new(1);
    assert!(store.job(unknown).await.unwrap().is_none());
}

async fn a_job_is_claimed_once(store: Store) {
    submit(&store).await;
    claimed(&store).await;
    assert!(claim(&store).await.is_none());
    assert!(store.claim("v", 8, NO_WAIT).await.unwrap().is_empty());
}

async fn the_oldest_is_first(store: Store) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(submit(&store).await);
    }
    let some = store.claim("w", 3, NO_WAIT).await.unwrap();
    let some: Vec<JobId> = some.into_iter().map(|lease| lease.claim.job).collect();
    assert_eq!(some, ids[..3]);
    assert_eq!(claimed(&store).await.claim.job, ids[3]);
}

async fn a_claim_waits_for_work(store: Store) {
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { store.claim("w", 1, Duration::from_secs(20)).await.unwrap() })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let id = submit(&store).await;
    let leases = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert_eq!(leases[0].claim.job, id);
}

async fn a_stale_owner_changes_nothing(store: Store) {
    let id = submit(&store).await;
    let first = claimed(&store).await;
    tidied_until(&store, "the end of the lease", async || state(&store, id).await == State::Queued)
        .await;
    let second = claimed(&store).await;
    assert_eq!((second.attempt, second.claim.part), (2, 0));
    assert_ne!(second.claim.fence, first.claim.fence);
    let before = store.job(id).await.unwrap().unwrap();
    assert_eq!(before.attempt, 2);
    assert_eq!(store.renew(std::slice::from_ref(&first.claim)).await.unwrap(), [Standing::Lost]);
    let progress = Progress { done: 7, ..Progress::default() };
    assert_eq!(store.progress(&first.claim, &progress).await.unwrap(), Standing::Lost);
    for end in [
        End::Succeeded(json!("stale")),
        End::Failed(Reason::new("x", "stale")),
        End::Split(vec![json!(1)]),
        End::Chunk(json!(1)),
        End::GivenBack,
        End::Retry(Reason::new("x", "stale"), NO_WAIT),
        End::Paused(json!(1)),
    ] {
        assert_eq!(store.finish(&first.claim, end).await.unwrap(), Standing::Lost);
    }
    assert_eq!(store.job(id).await.unwrap().unwrap(), before);
    finish(&store, &second.claim, End::Succeeded(json!("fresh"))).await;
    assert_eq!(store.job(id).await.unwrap().unwrap().result, Some(json!("fresh")));
}

async fn a_renewed_lease_holds(store: Store) {
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    let begun = std::time::Instant::now();
    while begun.elapsed() < LEASE * 2 {
        let standing = store.renew(std::slice::from_ref(&lease.claim)).await.unwrap();
        assert_eq!(standing, [Standing::Held(Wish::Run)]);
        store.tidy().await.unwrap();
        assert_eq!(state(&store, id).await, State::Running);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    finish(&store, &lease.claim, End::Succeeded(Value::Null)).await;
    assert_eq!(store.job(id).await.unwrap().unwrap().attempt, 1);
}

async fn the_last_delivery_is_death(store: Store) {
    let id = submit(&store).await;
    for attempt in 1..=3 {
        let lease = claimed(&store).await;
        assert_eq!(lease.attempt, attempt);
        let expected = if attempt == 3 { State::Dead } else { State::Queued };
        tidied_until(&store, "the end of the lease", async || state(&store, id).await == expected)
            .await;
    }
    assert!(claim(&store).await.is_none());
    let job = store.job(id).await.unwrap().unwrap();
    assert!(job.ended.is_some());
    assert_eq!(job.reason.unwrap().kind, "lost-workers");
    assert_eq!(store.load().await.unwrap().dead, 1);
    let Steered::Done(job) = store.steer(id, Steer::Retry).await.unwrap() else { panic!() };
    assert_eq!((job.state, job.reason, job.ended), (State::Queued, None, None));
    let lease = claimed(&store).await;
    assert_eq!(lease.attempt, 1);
    finish(&store, &lease.claim, End::Succeeded(Value::Null)).await;
    assert_eq!(store.load().await.unwrap().dead, 0);
}

async fn a_part_given_back_is_the_same_attempt(store: Store) {
    let id = submit(&store).await;
    for _ in 0..5 {
        let lease = claimed(&store).await;
        assert_eq!(lease.attempt, 1);
        finish(&store, &lease.claim, End::GivenBack).await;
        assert_eq!(state(&store, id).await, State::Queued);
        let late = store.finish(&lease.claim, End::Succeeded(Value::Null)).await.unwrap();
        assert_eq!(late, Standing::Lost);
    }
}

async fn a_retry_waits_and_counts(store: Store) {
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    let reason = Reason::new("storage", "the bucket did not answer");
    finish(&store, &lease.claim, End::Retry(reason.clone(), Duration::from_secs(3600))).await;
    store.tidy().await.unwrap();
    assert!(claim(&store).await.is_none());
    assert_eq!(state(&store, id).await, State::Queued);
    let id = submit(&store).await;
    for attempt in 1..=3 {
        let mut lease = None;
        while lease.is_none() {
            store.tidy().await.unwrap();
            lease = claim(&store).await;
        }
        let lease = lease.unwrap();
        assert_eq!((lease.claim.job, lease.attempt), (id, attempt));
        finish(&store, &lease.claim, End::Retry(reason.clone(), Duration::from_millis(30))).await;
    }
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.reason), (State::Dead, Some(reason)));
}

async fn failure_is_final_until_somebody_retries(store: Store) {
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    let reason = Reason::new("bad-input", "line 3 has 2 cells where the header has 3");
    finish(&store, &lease.claim, End::Failed(reason.clone())).await;
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.reason), (State::Failed, Some(reason)));
    store.tidy().await.unwrap();
    assert!(claim(&store).await.is_none());
    for steer in [Steer::Cancel, Steer::Pause, Steer::Resume, Steer::Stop] {
        assert_eq!(store.steer(id, steer).await.unwrap(), Steered::NotNow(State::Failed));
    }
    assert!(matches!(store.steer(id, Steer::Retry).await.unwrap(), Steered::Done(_)));
    assert_eq!(store.steer(id, Steer::Retry).await.unwrap(), Steered::NotNow(State::Queued));
    claimed(&store).await;
    assert_eq!(store.steer(JobId::new(1), Steer::Retry).await.unwrap(), Steered::Unknown);
}

/// A job that was split into chunks `0 … n-1`, and their leases.
async fn split(store: &Store, chunks: usize) -> (JobId, Vec<Lease>) {
    let id = submit(store).await;
    let lease = claimed(store).await;
    finish(store, &lease.claim, End::Split((0..chunks).map(|n| json!(n)).collect())).await;
    let leases = store.claim("w", 100, NO_WAIT).await.unwrap();
    (id, leases)
}

async fn chunks_are_joined_once(store: Store) {
    let (id, leases) = split(&store, 4).await;
    let parts: Vec<u32> = leases.iter().map(|lease| lease.claim.part).collect();
    assert_eq!(parts, [1, 2, 3, 4]);
    assert_eq!(leases[2].payload, json!(2));
    for (done, lease) in leases.iter().enumerate().rev() {
        assert!(claim(&store).await.is_none(), "no join before all chunks");
        finish(&store, &lease.claim, End::Chunk(json!({"chunk": lease.payload}))).await;
        let job = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.parts, job.parts_done), (6, 5 - done as u32));
        assert_eq!(job.state, State::Running);
    }
    let join = claimed(&store).await;
    assert!(join.is_join && claim(&store).await.is_none());
    assert_eq!((join.claim.part, join.attempt), (5, 1));
    let came_to = store.chunks(id).await.unwrap();
    assert_eq!(came_to, (0..4).map(|n| Some(json!({"chunk": n}))).collect::<Vec<_>>());
    finish(&store, &join.claim, End::Succeeded(json!("joined"))).await;
    assert_eq!(state(&store, id).await, State::Succeeded);
}

async fn a_lost_chunk_costs_that_chunk(store: Store) {
    let (id, leases) = split(&store, 2).await;
    finish(&store, &leases[0].claim, End::Chunk(json!("a"))).await;
    let mut again = None;
    tidied_until(&store, "the chunk", async || store.load().await.unwrap().queued == 1).await;
    while again.is_none() {
        store.tidy().await.unwrap();
        again = claim(&store).await;
    }
    let again = again.unwrap();
    assert_eq!((again.claim.part, again.attempt, &again.payload), (2, 2, &json!(1)));
    let stale = store.finish(&leases[1].claim, End::Chunk(json!("stale"))).await.unwrap();
    assert_eq!(stale, Standing::Lost);
    finish(&store, &again.claim, End::Chunk(json!("b"))).await;
    assert_eq!(store.chunks(id).await.unwrap(), [Some(json!("a")), Some(json!("b"))]);
    assert!(claimed(&store).await.is_join);
}

async fn no_chunks_are_joined_at_once(store: Store) {
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    finish(&store, &lease.claim, End::Split(Vec::new())).await;
    let join = claimed(&store).await;
    assert!(join.is_join);
    assert!(store.chunks(id).await.unwrap().is_empty());
    finish(&store, &join.claim, End::Succeeded(Value::Null)).await;
    assert_eq!(state(&store, id).await, State::Succeeded);
}

async fn a_retry_keeps_finished_chunks(store: Store) {
    let (id, leases) = split(&store, 3).await;
    finish(&store, &leases[1].claim, End::Chunk(json!("kept"))).await;
    finish(&store, &leases[0].claim, End::Failed(Reason::new("bad-input", "row 7"))).await;
    assert_eq!(state(&store, id).await, State::Failed);
    let other = store.finish(&leases[2].claim, End::Chunk(json!("too late"))).await.unwrap();
    assert_eq!(other, Standing::Lost);
    store.steer(id, Steer::Retry).await.unwrap();
    let again = store.claim("w", 10, NO_WAIT).await.unwrap();
    let mut parts: Vec<u32> = again.iter().map(|lease| lease.claim.part).collect();
    parts.sort_unstable();
    assert_eq!(parts, [1, 3]);
    for lease in &again {
        finish(&store, &lease.claim, End::Chunk(json!("new"))).await;
    }
    let kept = store.chunks(id).await.unwrap();
    assert_eq!(kept, [Some(json!("new")), Some(json!("kept")), Some(json!("new"))]);
    assert!(claimed(&store).await.is_join);
}

async fn cancelling_ends_at_once(store: Store) {
    let id = submit(&store).await;
    let Steered::Done(job) = store.steer(id, Steer::Cancel).await.unwrap() else { panic!() };
    assert_eq!(job.state, State::Cancelled);
    assert!(claim(&store).await.is_none());
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    assert!(matches!(store.steer(id, Steer::Cancel).await.unwrap(), Steered::Done(_)));
    assert_eq!(state(&store, id).await, State::Cancelled);
    assert_eq!(store.renew(std::slice::from_ref(&lease.claim)).await.unwrap(), [Standing::Lost]);
    let late = store.finish(&lease.claim, End::Succeeded(Value::Null)).await.unwrap();
    assert_eq!(late, Standing::Lost);
    assert_eq!(store.steer(id, Steer::Cancel).await.unwrap(), Steered::NotNow(State::Cancelled));
    let (id, leases) = split(&store, 3).await;
    finish(&store, &leases[0].claim, End::Chunk(Value::Null)).await;
    store.steer(id, Steer::Cancel).await.unwrap();
    assert_eq!(
        store.renew(std::slice::from_ref(&leases[1].claim)).await.unwrap(),
        [Standing::Lost]
    );
    store.tidy().await.unwrap();
    assert!(claim(&store).await.is_none());
}

async fn pausing_keeps_what_there_is(store: Store) {
    let id = submit(&store).await;
    store.steer(id, Steer::Pause).await.unwrap();
    assert_eq!(state(&store, id).await, State::Paused);
    store.tidy().await.unwrap();
    assert!(claim(&store).await.is_none());
    store.steer(id, Steer::Resume).await.unwrap();
    let lease = claimed(&store).await;
    let Steered::Done(job) = store.steer(id, Steer::Pause).await.unwrap() else { panic!() };
    assert_eq!((job.state, job.wish), (State::Running, Wish::Pause));
    let standing = store.renew(std::slice::from_ref(&lease.claim)).await.unwrap();
    assert_eq!(standing, [Standing::Held(Wish::Pause)]);
    store.steer(id, Steer::Resume).await.unwrap();
    let standing = store.renew(std::slice::from_ref(&lease.claim)).await.unwrap();
    assert_eq!(standing, [Standing::Held(Wish::Run)]);
    store.steer(id, Steer::Pause).await.unwrap();
    finish(&store, &lease.claim, End::Paused(json!({"round": 5}))).await;
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.wish), (State::Paused, Wish::Run));
    assert!(claim(&store).await.is_none());
    assert_eq!(store.steer(id, Steer::Pause).await.unwrap(), Steered::NotNow(State::Paused));
    store.steer(id, Steer::Resume).await.unwrap();
    let lease = claimed(&store).await;
    assert_eq!((lease.attempt, lease.payload), (1, json!({"round": 5})));
    store.steer(id, Steer::Pause).await.unwrap();
    store.steer(id, Steer::Cancel).await.unwrap();
    assert_eq!(state(&store, id).await, State::Cancelled);
    let id = submit(&store).await;
    store.steer(id, Steer::Pause).await.unwrap();
    store.steer(id, Steer::Cancel).await.unwrap();
    assert_eq!(state(&store, id).await, State::Cancelled);
}

async fn stopping_ends_with_what_there_is(store: Store) {
    let id = submit(&store).await;
    store.steer(id, Steer::Stop).await.unwrap();
    assert_eq!(state(&store, id).await, State::Cancelled, "nothing was there");
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    store.steer(id, Steer::Stop).await.unwrap();
    let standing = store.progress(&lease.claim, &Progress::default()).await.unwrap();
    assert_eq!(standing, Standing::Held(Wish::Stop));
    finish(&store, &lease.claim, End::Succeeded(json!("some"))).await;
    assert_eq!(state(&store, id).await, State::Succeeded);
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    store.steer(id, Steer::Pause).await.unwrap();
    finish(&store, &lease.claim, End::Paused(json!(3))).await;
    store.steer(id, Steer::Stop).await.unwrap();
    let lease = claimed(&store).await;
    assert_eq!((lease.job.wish, &lease.payload), (Wish::Stop, &json!(3)));
}

async fn keyed(store: &Store, key: &str, digest: &str, owner: &str) -> NewJob {
    let idempotency = Some(Idempotency { key: key.into(), digest: digest.into() });
    NewJob { idempotency, owner: owner.into(), ..new_job(store, Value::Null).await }
}

async fn the_same_key_is_the_same_job(store: Store) {
    let first = keyed(&store, "k", "d", "").await;
    let id = first.id;
    assert_eq!(store.submit(first).await.unwrap(), Submitted::New);
    let second = keyed(&store, "k", "d", "").await;
    assert_eq!(store.submit(second.clone()).await.unwrap(), Submitted::Known(id));
    assert!(store.job(second.id).await.unwrap().is_none());
    let other = keyed(&store, "k", "e", "").await;
    assert_eq!(store.submit(other).await.unwrap(), Submitted::KeyReused(id));
    let somebody = keyed(&store, "k", "e", "somebody").await;
    assert_eq!(store.submit(somebody).await.unwrap(), Submitted::New);
    let lease = claimed(&store).await;
    finish(&store, &lease.claim, End::Succeeded(Value::Null)).await;
    let after = keyed(&store, "k", "d", "").await;
    assert_eq!(store.submit(after).await.unwrap(), Submitted::Known(id));
}

async fn fifty_callers_with_one_key_get_one_job(store: Store) {
    let mut calls = Vec::new();
    for _ in 0..50 {
        let (store, job) = (store.clone(), keyed(&store, "k", "d", "").await);
        calls.push(tokio::spawn(async move { (job.id, store.submit(job).await.unwrap()) }));
    }
    let (mut made, mut told) = (Vec::new(), HashSet::new());
    for call in calls {
        match call.await.unwrap() {
            (id, Submitted::New) => made.push(id),
            (_, Submitted::Known(id)) => {
                told.insert(id);
            }
            (_, other) => panic!("{other:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(told, HashSet::from([made[0]]));
}

async fn a_full_queue_refuses(store: Store) {
    let with = async |rows, octets| NewJob { rows, octets, ..new_job(&store, Value::Null).await };
    let full = |submitted: Submitted| matches!(submitted, Submitted::Full { retry_after } if !retry_after.is_zero());
    assert!(full(store.submit(with(1, 1_001).await).await.unwrap()));
    assert!(full(store.submit(with(101, 1).await).await.unwrap()));
    assert_eq!(store.submit(with(60, 10).await).await.unwrap(), Submitted::New);
    assert!(full(store.submit(with(41, 10).await).await.unwrap()));
    assert!(full(store.submit(with(1, 991).await).await.unwrap()));
    for _ in 0..2 {
        assert_eq!(store.submit(with(1, 10).await).await.unwrap(), Submitted::New);
    }
    assert!(full(store.submit(with(1, 10).await).await.unwrap()));
    let lease = claimed(&store).await;
    assert!(full(store.submit(with(1, 10).await).await.unwrap()), "what runs counts");
    finish(&store, &lease.claim, End::Succeeded(Value::Null)).await;
    assert_eq!(store.submit(with(60, 10).await).await.unwrap(), Submitted::New);
}

async fn progress_is_shown(store: Store) {
    let id = submit(&store).await;
    let lease = claimed(&store).await;
    let progress = Progress {
        stage: "predicting".into(),
        done: 5,
        total: Some(10),
        unit: "rows".into(),
        rate: Some(2.5),
        seconds_left: Some(2.0),
    };
    let standing = store.progress(&lease.claim, &progress).await.unwrap();
    assert_eq!(standing, Standing::Held(Wish::Run));
    assert_eq!(store.job(id).await.unwrap().unwrap().progress, progress);
}

async fn changes_come_in_order(store: Store) {
    assert!(store.changes(0, 10).await.unwrap().is_empty());
    assert_eq!(store.latest().await.unwrap(), 0);
    let (a, b) = (submit(&store).await, submit(&store).await);
    let mut seen = store.revision();
    let all = store.changes(0, 10).await.unwrap();
    assert_eq!(all.iter().map(|job| job.id).collect::<Vec<_>>(), [a, b]);
    assert!(all[0].revision < all[1].revision);
    let since = all[1].revision;
    assert!(store.changes(since, 10).await.unwrap().is_empty());
    assert_eq!(store.latest().await.unwrap(), since);
    let lease = claimed(&store).await;
    finish(&store, &lease.claim, End::Succeeded(Value::Null)).await;
    let now = store.changes(since, 10).await.unwrap();
    assert_eq!(now.len(), 1, "a job that changed twice comes once");
    assert_eq!((now[0].id, now[0].state), (a, State::Succeeded));
    let order: Vec<JobId> = store.changes(0, 10).await.unwrap().iter().map(|job| job.id).collect();
    assert_eq!(order, [b, a]);
    assert_eq!(store.changes(0, 1).await.unwrap()[0].id, b);
    let woken = tokio::time::timeout(Duration::from_secs(10), seen.wait_for(|&r| r > since));
    assert_eq!(*woken.await.unwrap().unwrap(), now[0].revision);
}

async fn jobs_are_listed_newest_first(store: Store) {
    let mut ids = Vec::new();
    for n in 0..6 {
        let (kind, owner) = if n % 2 == 0 { ("predict", "a") } else { ("fit", "b") };
        let job =
            NewJob { kind: kind.into(), owner: owner.into(), ..new_job(&store, Value::Null).await };
        ids.push(job.id);
        store.submit(job).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    ids.reverse();
    let lease = claimed(&store).await;
    finish(&store, &lease.claim, End::Succeeded(Value::Null)).await;
    let list = async |query: Query| -> Vec<JobId> {
        store.jobs(&query).await.unwrap().iter().map(|job| job.id).collect()
    };
    let query = Query { most: 10, ..Query::default() };
    assert_eq!(list(query.clone()).await, ids);
    assert_eq!(list(Query { most: 2, ..query.clone() }).await, ids[..2]);
    assert_eq!(list(Query { before: Some(ids[1]), most: 2, ..query.clone() }).await, ids[2..4]);
    let of = |n: usize| ids.iter().copied().skip(n).step_by(2).collect::<Vec<_>>();
    assert_eq!(list(Query { owner: Some("b".into()), ..query.clone() }).await, of(0));
    assert_eq!(list(Query { kind: Some("predict".into()), ..query.clone() }).await, of(1));
    let states = vec![State::Succeeded, State::Failed];
    assert_eq!(list(Query { states, ..query.clone() }).await, ids[5..]);
    let states = vec![State::Queued];
    assert_eq!(list(Query { states, ..query }).await, ids[..5]);
}

async fn what_was_kept_long_enough_goes(store: Store) {
    let job = keyed(&store, "k", "d", "").await;
    let id = job.id;
    store.submit(job).await.unwrap();
    let waiting = submit(&store).await;
    let lease = claimed(&store).await;
    finish(&store, &lease.claim, End::Succeeded(json!("r"))).await;
    let (mut gone, mut keys) = (Vec::new(), 0);
    for _ in 0..400 {
        let tidied = store.tidy().await.unwrap();
        gone.extend(tidied.gone);
        keys += tidied.keys;
        if !gone.is_empty() && keys > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!((gone.len(), gone[0].id, keys), (1, id, 1));
    assert_eq!(gone[0].result, Some(json!("r")), "what it had tells what else is to go");
    assert!(store.job(id).await.unwrap().is_none());
    assert_eq!(state(&store, waiting).await, State::Queued, "what waits is kept");
    let again = keyed(&store, "k", "other", "").await;
    assert_eq!(store.submit(again).await.unwrap(), Submitted::New);
    assert!(store.changes(0, 10).await.unwrap().iter().all(|job| job.id != id));
    assert_eq!(store.jobs(&Query { most: 10, ..Query::default() }).await.unwrap().len(), 2);
}

async fn the_load_is_told(store: Store) {
    assert_eq!(store.load().await.unwrap(), crate::job::Load::default());
    submit(&store).await;
    submit(&store).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let load = store.load().await.unwrap();
    assert_eq!((load.queued, load.running, load.rows, load.octets), (2, 0, 20, 200));
    assert!(load.oldest >= 10, "{load:?}");
    let lease = claimed(&store).await;
    let load = store.load().await.unwrap();
    assert_eq!((load.queued, load.running, load.rows), (1, 1, 20));
    finish(&store, &lease.claim, End::Succeeded(Value::Null)).await;
    let load = store.load().await.unwrap();
    assert_eq!((load.queued, load.running, load.rows, load.octets), (1, 0, 10, 100));
    store.ready().await.unwrap();
}

async fn keys_are_kept(store: Store) {
    let key = |name: &str| KeyRecord {
        name: name.into(),
        digest: "ab".repeat(32),
        scopes: vec!["jobs".into(), "predict".into()],
        created: 5,
    };
    assert!(store.add_key(&key("a")).await.unwrap());
    assert!(!store.add_key(&key("a")).await.unwrap());
    assert!(store.add_key(&key("b")).await.unwrap());
    assert_eq!(store.keys().await.unwrap(), [key("a"), key("b")]);
    assert!(store.revoke_key("a").await.unwrap());
    assert!(!store.revoke_key("a").await.unwrap());
    assert_eq!(store.keys().await.unwrap(), [key("b")]);
    let secret = store.secret().await.unwrap();
    assert_eq!(store.secret().await.unwrap(), secret);
    assert_ne!(secret, [0; 32]);
}

async fn many_workers_do_each_part_once(store: Store) {
    const JOBS: usize = 40;
    let mut ids = HashSet::new();
    for _ in 0..JOBS {
        ids.insert(submit(&store).await);
    }
    let workers: Vec<_> = (0..6)
        .map(|worker| {
            let store = store.clone();
            tokio::spawn(async move {
                let (name, mut done) = (format!("w{worker}"), Vec::new());
                loop {
                    let leases = store.claim(&name, 2, Duration::from_millis(300)).await.unwrap();
                    if leases.is_empty() {
                        return done;
                    }
                    for lease in leases {
                        done.push((lease.claim.job, lease.claim.part));
                        let end = match (lease.claim.part, lease.is_join) {
                            (0, _) => End::Split(vec![json!(1), json!(2)]),
                            (_, true) => End::Succeeded(json!("done")),
                            _ => End::Chunk(lease.payload.clone()),
                        };
                        finish(&store, &lease.claim, end).await;
                    }
                }
            })
        })
        .collect();
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await.unwrap());
    }
    assert_eq!(done.len(), JOBS * 4);
    assert_eq!(done.iter().collect::<HashSet<_>>().len(), JOBS * 4);
    for id in ids {
        assert_eq!(state(&store, id).await, State::Succeeded);
    }
}
