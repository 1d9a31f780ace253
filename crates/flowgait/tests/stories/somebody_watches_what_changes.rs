//! Somebody watches what changes: nothing is missed, however often the connection breaks, and only so many may watch.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::service::{Service, rows, trained, until};
use crate::support::Place;
use crate::wire;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

/// A stream of events.
struct Events {
    lines: BufReader<TcpStream>,
}

impl Events {
    fn follow(service: &Service, query: &str, last: Option<&str>) -> Self {
        let mut stream = wire::connect(service);
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let own = service.address();
        write!(stream, "GET /v1/events{query} HTTP/1.1\r\nHost: {own}\r\n{last}\r\n").unwrap();
        Self { lines: BufReader::new(stream) }
    }

    /// The next event: its name, its id, its data.
    fn next(&mut self) -> (String, String, Value) {
        let (mut name, mut id, mut data) = (String::new(), String::new(), Value::Null);
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "the stream ended");
            let line = line.trim_end();
            match line.split_once(": ") {
                Some(("event", text)) => name = text.to_owned(),
                Some(("id", text)) => id = text.to_owned(),
                Some(("data", text)) => data = serde_json::from_str(text).unwrap(),
                None if line.is_empty() && !id.is_empty() => return (name, id, data),
                _ => {}
            }
        }
    }
}

#[test]
fn whoever_comes_back_has_missed_nothing() {
    const JOBS: usize = 200;
    let place = Place::new();
    trained(&place, 1);
    let service = Service::start(&place, &SQLITE, &[]);
    let (name, mut last, _) = Events::follow(&service, "", None).next();
    assert_eq!(name, "hello");
    let table = rows(5, false);
    std::thread::scope(|scope| {
        let submitted =
            scope.spawn(|| (0..JOBS).map(|_| service.submit("kinds", &table)).collect::<Vec<_>>());
        let mut seen: BTreeMap<String, (String, u64)> = BTreeMap::new();
        let ended = |seen: &BTreeMap<String, (String, u64)>| {
            seen.values().filter(|(state, _)| state == "succeeded").count()
        };
        let mut connections = 0;
        while ended(&seen) < JOBS {
            // Each connection breaks after a few events, in the midst of what happens.
            let mut events = Events::follow(&service, "?topics=jobs", Some(&last));
            connections += 1;
            for _ in 0..1 + connections % 17 {
                let (name, id, job) = events.next();
                if name == "hello" {
                    assert_eq!(id, last, "it goes on where it was");
                    continue;
                }
                let (revision, before) = (id.parse::<u64>().unwrap(), last.parse::<u64>().unwrap());
                assert!(revision > before, "{revision} after {before}");
                assert_eq!(job["revision"], revision);
                let state = job["state"].as_str().unwrap().to_owned();
                seen.insert(job["id"].as_str().unwrap().to_owned(), (state, revision));
                last = id;
                if ended(&seen) == JOBS {
                    break;
                }
            }
        }
        let mut submitted = submitted.join().unwrap();
        submitted.sort();
        assert_eq!(seen.keys().cloned().collect::<Vec<_>>(), submitted);
        assert!(connections > 10, "{connections}");
    });
}

#[test]
fn whoever_comes_from_another_store_hears_what_changes_in_this_one() {
    let place = Place::new();
    trained(&place, 1);
    let service = Service::start(&place, &[&SQLITE[..], &["--workers", "0"]].concat(), &[]);
    for far in ["4711", "18446744073709551615"] {
        service.submit("kinds", &rows(5, false));
        let (_, now, _) = Events::follow(&service, "", None).next();
        let mut events = Events::follow(&service, "", Some(far));
        let (name, id, _) = events.next();
        assert_eq!((&*name, &id), ("hello", &now), "it begins at the end of this one");
        let id = service.submit("kinds", &rows(5, false));
        until("the new job", || (events.next().2["id"] == id.as_str()).then_some(()));
    }
}

#[test]
fn one_job_can_be_followed_alone() {
    let place = Place::new();
    trained(&place, 1);
    let service = Service::start(&place, &[&SQLITE[..], &["--workers", "0"]].concat(), &[]);
    let (first, second) =
        (service.submit("kinds", &rows(5, false)), service.submit("kinds", &rows(5, false)));
    let mut events = Events::follow(&service, &format!("?topics=jobs/{second}&since=0"), None);
    assert_eq!(events.next().0, "hello");
    assert_eq!(events.next().2["id"], second.as_str());
    service.delete(&format!("/v1/jobs/{first}")).with(200);
    service.delete(&format!("/v1/jobs/{second}")).with(200);
    let (_, _, job) = events.next();
    assert_eq!((job["id"].as_str(), job["state"].as_str()), (Some(&*second), Some("cancelled")));
}

#[test]
fn the_first_answers_are_shown_before_the_last_are_there() {
    let place = Place::new();
    trained(&place, 1);
    let settings = [("FLOWGAIT_SERVE_CHUNK_OCTETS", "20k")];
    let service = Service::start(&place, &[&SQLITE[..], &["--workers", "1"]].concat(), &settings);
    let preview = |id: &str| service.get(&format!("/v1/jobs/{id}/preview"));
    let id = service.submit("kinds", &rows(400_000, false));
    let early = until("the first rows", || {
        let shown = preview(&id).with(200);
        // Before them there are no columns either.
        let is_empty = shown["rows"].as_array().unwrap().is_empty();
        assert_eq!(shown["columns"].as_array().unwrap().is_empty(), is_empty);
        (!is_empty).then_some(shown)
    });
    assert_eq!(service.job(&id)["state"], "running", "it ended too soon to tell");
    assert_eq!(early["rows"].as_array().unwrap().len(), 20);
    service.job_that(&id, "succeeded");
    let whole = preview(&id).with(200);
    assert_eq!(whole, early);
    let csv = service.get(&format!("/v1/jobs/{id}/result")).text();
    let shown = whole["rows"].as_array().unwrap().iter().map(|row| {
        row.as_array()
            .unwrap()
            .iter()
            .map(|cell| cell.as_str().unwrap())
            .collect::<Vec<_>>()
            .join(",")
    });
    assert_eq!(shown.collect::<Vec<_>>(), csv.lines().skip(1).take(20).collect::<Vec<_>>());

    // What has no rows to show says so.
    let fields = [("model", "kinds"), ("format", "jsonl")];
    let table = rows(5, false);
    let lines = service.send("/v1/jobs", &fields, Some(("r.csv", &table))).with(202);
    assert_eq!(preview(lines["id"].as_str().unwrap()).status, 409);
    let bad =
        service.send("/v1/jobs", &[("model", "kinds")], Some(("r.csv", b"x,y\n1\n"))).with(202);
    let bad = bad["id"].as_str().unwrap();
    until("its end", || (service.job(bad)["state"] == "failed").then_some(()));
    assert_eq!(preview(bad).status, 409);
}

#[test]
fn only_so_many_may_watch_and_a_place_is_free_again() {
    const MOST: usize = 256;
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let mut open: Vec<Events> = (0..MOST).map(|_| Events::follow(&service, "", None)).collect();
    for events in &mut open {
        assert_eq!(events.next().0, "hello");
    }
    let told = wire::say(&service, "GET /v1/events", "", b"");
    assert_eq!(told.status, 429);
    assert!(told.head.contains("\nretry-after: 10"), "{}", told.head);
    assert!(told.problem()["detail"].as_str().unwrap().contains("256"), "{}", told.body);
    open.truncate(MOST - 1);
    until("a free place", || {
        let mut stream = wire::connect(&service);
        let own = service.address();
        write!(stream, "GET /v1/events HTTP/1.1\r\nHost: {own}\r\n\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.contains(" 200 ").then_some(())
    });
}

#[test]
fn what_is_no_place_in_the_stream_is_refused() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    for (line, header) in [
        ("GET /v1/events", "Last-Event-ID: x\r\n"),
        ("GET /v1/events", "Last-Event-ID: -1\r\n"),
        ("GET /v1/events", "Last-Event-ID: 99999999999999999999999\r\n"),
        ("GET /v1/events", "Last-Event-ID: \u{e9}\r\n"),
        ("GET /v1/events?topics=flows", ""),
        ("GET /v1/events?topics=jobs/..%2f..%2fetc", ""),
        ("GET /v1/events?topics=jobs/%00", ""),
        ("GET /v1/events?since=18446744073709551616", ""),
    ] {
        let told = wire::say(&service, line, header, b"");
        assert_eq!(told.status, 400, "{line} {header}: {told:?}");
        told.problem();
    }
}
