//! What SQLite keeps, beside what every store keeps.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::job::State;
use crate::store::conformance;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, Limits::default(), Visit::Serve).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_what_every_store_promises() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    conformance::all(|limits| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = folder.path().join(number.to_string());
        async move {
            let store = SqliteStore::open(&path, limits, Visit::Serve).unwrap();
            Arc::new(store) as conformance::Store
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_outlive_the_process_and_leases_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let store: conformance::Store = Arc::new(open(folder.path()));
    let (running, queued) = (conformance::submit(&store).await, conformance::submit(&store).await);
    let stale = conformance::claim(&store).await.unwrap();
    let secret = store.secret().await.unwrap();
    drop(store);
    let store: conformance::Store = Arc::new(open(folder.path()));
    assert_eq!(store.secret().await.unwrap(), secret);
    let late = store.finish(&stale.claim, End::Succeeded(json!(1))).await.unwrap();
    assert_eq!(late, Standing::Lost);
    let again = conformance::claim(&store).await.unwrap();
    assert_eq!((again.claim.job, again.attempt), (running, 2), "the oldest, as a second delivery");
    assert_eq!(conformance::claim(&store).await.unwrap().claim.job, queued);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_serves_and_others_look() {
    let folder = tempfile::tempdir().unwrap();
    let store: conformance::Store = Arc::new(open(folder.path()));
    let refused = SqliteStore::open(folder.path(), Limits::default(), Visit::Serve).err().unwrap();
    assert!(refused.to_string().contains("another flowgait serves"), "{refused}");
    let visitor = SqliteStore::open(folder.path(), Limits::default(), Visit::Look).unwrap();
    let id = conformance::submit(&store).await;
    let lease = conformance::claim(&store).await.unwrap();
    assert_eq!(visitor.job(id).await.unwrap().unwrap().state, State::Running);
    let mut seen = store.revision();
    assert!(matches!(visitor.steer(id, Steer::Cancel).await.unwrap(), Steered::Done(_)));
    assert_eq!(store.renew(&[lease.claim]).await.unwrap(), [Standing::Lost]);
    store.tidy().await.unwrap();
    let before = *seen.borrow_and_update();
    assert_eq!(before, store.changes(0, 10).await.unwrap()[0].revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_whole_and_a_newer_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder.path().join("a")));
    let as_store: conformance::Store = store.clone();
    let id = conformance::submit(&as_store).await;
    let copy = folder.path().join("b");
    std::fs::create_dir(&copy).unwrap();
    store.back_up(&copy.join(FILE)).unwrap();
    assert!(store.back_up(&copy.join(FILE)).is_err());
    conformance::submit(&as_store).await;
    let restored = open(&copy);
    let all = restored.jobs(&Query { most: 10, ..Query::default() }).await.unwrap();
    assert_eq!(all.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
    drop(restored);
    let connection = Connection::open(copy.join(FILE)).unwrap();
    connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
    let refused = SqliteStore::open(&copy, Limits::default(), Visit::Serve).err().unwrap();
    assert!(refused.to_string().contains("newer flowgait"), "{refused}");
}

#[test]
fn the_clock_begins_no_earlier_than_what_is_known() {
    let far = u64::MAX >> 8;
    assert!(Clock::start(far).now() >= far);
    let clock = Clock::start(0);
    let before = clock.now();
    std::thread::sleep(Duration::from_millis(2));
    assert!(clock.now() > before);
}
