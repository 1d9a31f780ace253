//! Much is asked of a service: thousands of jobs at once, a job that ends whoever takes it, a disk without room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::service::{Service, rows, trained, until};
use crate::support::Place;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

#[test]
fn thousands_of_jobs_at_once_are_all_done() {
    const JOBS: usize = 10_000;
    let place = Place::new();
    let trained = trained(&place, 2);
    let service = Arc::new(Service::start(&place, &SQLITE, &[]));
    let id = service.submit("kinds", &trained.table);
    service.job_that(&id, "succeeded");
    let before = service.process.memory();
    let begun = std::time::Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (service, next, table) = (service.clone(), next.clone(), trained.table.clone());
            std::thread::spawn(move || {
                while next.fetch_add(1, Ordering::Relaxed) < JOBS {
                    service
                        .send("/v1/jobs", &[("model", "kinds")], Some(("r.csv", &table)))
                        .with(202);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    let taken_in = begun.elapsed();
    until("the end of all", || {
        let waiting = service.get("/v1/jobs?state=queued,running&limit=1").with(200);
        waiting["jobs"].as_array().unwrap().is_empty().then_some(())
    });
    let listed = |state: &str| {
        let args =
            ["jobs", "list", "--state", state, "--limit", "100000", "--store", "sqlite:data"];
        // Below the heading.
        place.ok(&args).out.lines().skip(1).count()
    };
    assert_eq!(listed("succeeded"), JOBS + 1);
    let after = service.process.memory();
    assert!(after < before + 100_000, "{before} kB before, {after} kB after");
    eprintln!(
        "{JOBS} jobs taken in after {taken_in:?}, done after {:?}; {before} kB before, {after} kB after",
        begun.elapsed()
    );
}

#[test]
fn a_job_that_ends_its_workers_dies_and_can_be_tried_again() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[("FLOWGAIT_SERVE_LEASE", "1s")]);
    let table = rows(30_000, true);
    let fields = [
        ("kind", "fit"),
        ("name", "poison"),
        ("label", "kind"),
        ("estimator", "forest"),
        ("trees", "100"),
    ];
    let job = service.send("/v1/jobs", &fields, Some(("rows.csv", &table))).with(202);
    let id = job["id"].as_str().unwrap().to_owned();
    // The system ends its program each time, as for want of memory.
    let parent = service.process.id().to_string();
    let job = until("its death", || {
        let _ = std::process::Command::new("pkill").args(["-KILL", "-P", &parent]).status();
        let job = service.job(&id);
        assert_ne!(job["state"], "succeeded");
        (job["state"] == "dead").then_some(job)
    });
    assert_eq!(job["attempt"], 3);
    assert_eq!(job["reason"]["kind"], "lost-program");
    let listed = place.ok(&["jobs", "list", "--state", "dead", "--store", "sqlite:data"]);
    listed.says(&[&id, "dead"]);
    place.ok(&["jobs", "retry", &id, "--store", "sqlite:data"]);
    let job = service.job_that(&id, "succeeded");
    assert_eq!(job["result"]["model"], "poison@1");
    assert_eq!(job["attempt"], 1);
}

#[test]
fn memory_does_not_grow_with_the_rows_that_were_answered() {
    let place = Place::new();
    let trained = trained(&place, 1_000_000);
    let service = Service::start(&place, &["--store", "sqlite:data", "--blobs", "data"], &[]);
    let answer = || {
        let fields = [("model", "kinds"), ("only_predictions", "true")];
        let job = service.send("/v1/jobs", &fields, Some(("r.csv", &trained.table))).with(202);
        service.job_that(job["id"].as_str().unwrap(), "succeeded");
    };
    // What is taken once, such as buffers, is taken by then.
    (0..2).for_each(|_| answer());
    let before = service.process.memory();
    (0..4).for_each(|_| answer());
    let after = service.process.memory();
    assert!(after < before + 40_000, "{before} kB before 4,000,000 rows, {after} kB after");
    let counted = service.get("/metrics").text();
    let value = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
    let of = |name: &str| -> Vec<u64> {
        counted.lines().filter(|line| line.starts_with(name)).map(value).collect()
    };
    assert_eq!(of("flowgait_rows_total{"), [6_000_000]);
    assert_eq!(of("flowgait_predictions_total{").iter().sum::<u64>(), 6_000_000);
    // Twenty buckets and the last, which holds them all; each holds those below it.
    let buckets = of("flowgait_confidence_bucket{");
    assert_eq!((buckets.len(), buckets.iter().max()), (21, Some(&6_000_000)), "{counted}");
    for end in ["le=\"0.05\"", "le=\"0.35\"", "le=\"1\"", "le=\"+Inf\""] {
        assert!(counted.contains(end), "{end} in {counted}");
    }
}

/// A small disk, gone with this.
struct Disk(std::path::PathBuf);

impl Disk {
    /// None, and that said aloud, where this user may not mount one.
    fn mount(place: &Place, name: &str) -> Option<Self> {
        let folder = place.path(name);
        std::fs::create_dir(&folder).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(&folder)
            .stderr(std::process::Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("skipped: this user may not mount a small disk");
            return None;
        }
        Some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn does_not_fit(store: &str) {
    let place = Place::new();
    let trained = trained(&place, 10);
    let Some(disk) = Disk::mount(&place, "small") else { return };
    let service = Service::start(&place, &["--store", store, "--blobs", "small"], &[]);
    let bytes = std::fs::read(&trained.model).unwrap();
    service.post("/v1/models/kinds", "application/octet-stream", &bytes).with(201);
    let mut table = rows(200_000, false);
    while table.len() < 6_000_000 {
        table.extend_from_within(6..);
    }
    let refused = service.send("/v1/jobs", &[("model", "kinds")], Some(("big.csv", &table)));
    assert_eq!(refused.status, 507, "{}", refused.text());
    let jobs = service.get("/v1/jobs").with(200);
    assert!(jobs["jobs"].as_array().unwrap().is_empty());
    let left = std::fs::read_dir(disk.0.join("jobs")).map_or(0, |entries| entries.count());
    assert_eq!(left, 0, "nothing of it is left");
    // There is room for a small one.
    let id = service.submit("kinds", &trained.table);
    service.job_that(&id, "succeeded");
    // No room at all: nothing is said to be taken in, and it is ready again when there is some.
    let filling = disk.0.join("filling");
    let mut full = std::fs::File::create(&filling).unwrap();
    while std::io::Write::write_all(&mut full, &[0; 4_096]).is_ok() {}
    let refused = service.send("/v1/jobs", &[("model", "kinds")], Some(("r.csv", &trained.table)));
    assert!(matches!(refused.status, 503 | 507), "{}", refused.text());
    drop(full);
    std::fs::remove_file(&filling).unwrap();
    let next = service.submit("kinds", &trained.table);
    service.job_that(&next, "succeeded");
    assert!(service.result(&next) == service.result(&id), "the answers differ");
    let jobs = service.get("/v1/jobs").with(200);
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing() {
    does_not_fit("sqlite:data");
}

#[test]
fn what_does_not_fit_where_the_jobs_are_is_refused_too() {
    does_not_fit("sqlite:small");
}
