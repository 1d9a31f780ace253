//! Empty jobs a second, from submission to success, and the processor's time for each: what the queue itself costs.
//!
//! Prints one line a store. Redis is measured where `FLOWGAIT_TEST_REDIS` names one (`redis://127.0.0.1:PORT`).
#![allow(clippy::print_stdout, reason = "a bench says what it measured")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot run should say where")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use flowgait_serve::hold::Hold;
use flowgait_serve::job::{End, JobId, Lease, NewJob, Submitted};
use flowgait_serve::server::open_store;
use flowgait_serve::store::sqlite::Visit;
use flowgait_serve::store::{JobStore, Limits};
use flowgait_serve::worker::{self, Hands, WorkerParams};
use serde_json::Value;
use tokio::sync::watch;

/// Jobs of a measurement.
const JOBS: usize = 20_000;
/// Callers that submit at a time.
const CALLERS: usize = 64;
/// Parts at a time.
const SLOTS: usize = 64;

/// Does nothing.
struct Idle;

impl Hands for Idle {
    fn run(&self, _lease: &Lease, _hold: &Hold) -> Option<End> {
        Some(End::Succeeded(Value::Null))
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir_in("target").or_else(|_| tempfile::tempdir()).unwrap();
    let sqlite = format!("sqlite:{}", folder.path().display());
    runtime.block_on(measure("sqlite, in this process", &sqlite));
    match std::env::var("FLOWGAIT_TEST_REDIS") {
        Ok(url) => {
            let url = format!("{url}?prefix=bench-{}", std::process::id());
            runtime.block_on(measure("redis", &url));
        }
        Err(_) => println!("redis: not measured; name one by FLOWGAIT_TEST_REDIS"),
    }
}

async fn measure(name: &str, place: &str) {
    let (store, _) = open_store(place, &Limits::default(), Visit::Serve).await.unwrap();
    let (begun, before) = (Instant::now(), processor_seconds());
    let (end, ends) = watch::channel(false);
    let params = WorkerParams {
        name: "bench".to_owned(),
        slots: SLOTS,
        lease: Duration::from_secs(30),
        grace: Duration::from_secs(5),
    };
    let worker = tokio::spawn(worker::run(store.clone(), Arc::new(Idle), params, ends));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..JOBS / CALLERS {
                    submit(&*store).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let submitted = begun.elapsed();
    loop {
        let load = store.load().await.unwrap();
        if load.queued + load.running == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), processor_seconds() - before);
    let jobs = (JOBS / CALLERS * CALLERS) as f64;
    println!(
        "{name}: {jobs} empty jobs, {:.0} a second from submission to success ({:.0} a second submitted), {:.3} CPU-ms each in this process",
        jobs / seconds,
        jobs / submitted.as_secs_f64(),
        cpu / jobs * 1_000.0
    );
    end.send(true).unwrap();
    worker.await.unwrap().unwrap();
}

async fn submit(store: &dyn JobStore) {
    let job = NewJob {
        id: JobId::new(store.now().await.unwrap()),
        kind: "empty".to_owned(),
        order: Value::Null,
        owner: String::new(),
        rows: 0,
        octets: 0,
        idempotency: None,
    };
    assert_eq!(store.submit(job).await.unwrap(), Submitted::New);
}

/// Seconds of processor that this process has used.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
