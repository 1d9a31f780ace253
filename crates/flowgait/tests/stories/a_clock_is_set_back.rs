//! A machine's clock is set back by an hour, in mid-job or between two runs: jobs keep their order, leases end, links hold.

use std::path::PathBuf;

use serde_json::Value;

use crate::backing::Backing;
use crate::service::{Service, answers, trained};
use crate::support::Place;

const HASTY: [(&str, &str); 2] =
    [("FLOWGAIT_SERVE_CHUNK_OCTETS", "20k"), ("FLOWGAIT_SERVE_LEASE", "1s")];

/// A clock that programs are shown instead of the machine's; none, and that said aloud, where faketime is not installed.
struct Clock {
    library: String,
    file: PathBuf,
}

impl Clock {
    fn new(place: &Place) -> Option<Self> {
        let found = std::fs::read_dir("/usr/lib").unwrap().flatten().find_map(|entry| {
            let library = entry.path().join("faketime/libfaketimeMT.so.1");
            library.exists().then(|| library.display().to_string())
        });
        let Some(library) = found else {
            eprintln!("skipped: there is no libfaketime (Debian's package faketime)");
            return None;
        };
        let clock = Self { library, file: place.path("clock") };
        clock.set("+0");
        Some(clock)
    }

    /// So far from the machine's clock, for all that were started with it.
    fn set(&self, offset: &str) {
        // Renamed, so that nobody reads half of it.
        let whole = self.file.with_extension("new");
        std::fs::write(&whole, offset).unwrap();
        std::fs::rename(&whole, &self.file).unwrap();
    }

    /// Only the wall's time is set back: the time since the start of the machine never is.
    fn environment(&self) -> Vec<(String, String)> {
        let file = self.file.display().to_string();
        [
            ("LD_PRELOAD", self.library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

fn time<'a>(job: &'a Value, which: &str) -> &'a str {
    job[which].as_str().unwrap()
}

fn set_back(clock: &Clock, place: &Place, backing: &Backing) {
    let trained = trained(place, 40_000);
    let undisturbed = answers(place, &trained.table);
    let environment = clock.environment();
    let mut all = HASTY.to_vec();
    all.extend(environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let start = || -> Service { backing.serve(place, &[], &all) };
    let mut service = start();
    let first = service.submit("kinds", &trained.table);
    service.job_with_chunks(&first, 2);
    clock.set("-3600");
    let job = service.job_that(&first, "succeeded");
    assert_eq!(job["attempt"], 1, "no lease ended by it: {job}");
    assert!(service.result(&first) == undisturbed, "the answers differ");
    let link = job["links"]["result"].as_str().unwrap();
    assert_eq!(crate::service::status(&format!("{}{link}", service.url())), Some(200));
    // What comes later is later.
    let second = service.submit("kinds", &trained.table);
    let later = service.job_that(&second, "succeeded");
    assert!(time(&later, "created") >= time(&job, "created"), "{later} after {job}");
    assert!(time(&later, "ended") >= time(&later, "started"), "{later}");
    let newest = service.get("/v1/jobs").with(200);
    assert_eq!(newest["jobs"][0]["id"], second.as_str());
    // A worker's death is noticed by its lease, on a clock that was set back, too.
    let third = service.submit("kinds", &trained.table);
    service.job_with_chunks(&third, 1);
    service.process.kill();
    clock.set("-7200");
    service = start();
    let job = service.job_that(&third, "succeeded");
    assert!(job["attempt"].as_u64().unwrap() <= 2, "{job}");
    assert!(time(&job, "created") >= time(&later, "created"), "{job} after {later}");
    assert!(service.result(&third) == undisturbed, "the answers differ");
    let last = service.submit("kinds", &trained.table);
    let newest = service.get("/v1/jobs").with(200);
    assert_eq!(newest["jobs"][0]["id"], last.as_str(), "the newest is the newest");
    service.job_that(&last, "succeeded");
}

#[test]
fn the_clock_of_the_service() {
    let place = Place::new();
    let Some(clock) = Clock::new(&place) else { return };
    set_back(&clock, &place, &Backing::Sqlite);
}

// Redis does not start under libfaketime; its own clock, set back, is tried by the store's tests.
#[test]
fn the_clock_of_the_service_over_redis() {
    let place = Place::new();
    let Some(clock) = Clock::new(&place) else { return };
    let Some(backing) = Backing::redis() else { return };
    set_back(&clock, &place, &backing);
}
