//! A newcomer runs the demo and gets a report that opens without a network.

use crate::support::Place;

#[test]
fn the_demo_ends_with_a_report_and_an_honest_word() {
    let place = Place::new();
    let run = place.ok(&["demo", "--no-serve", "--flows", "500", "--seed", "1"]);
    assert!(run.out.contains("report.html"), "{}", run.out);
    assert!(
        run.out.contains("made traffic"),
        "it says that it measures the generator: {}",
        run.out
    );
    let report = place.text("flowgait-demo/report.html");
    assert!(report.starts_with("<!doctype html>") || report.starts_with("<!DOCTYPE html>"));
    for reference in ["src=\"http", "href=\"http", "url(", "@import", "//cdn"] {
        assert!(!report.contains(reference), "it needs no network: {reference}");
    }
    for name in ["traffic.pcap", "truth.csv", "flows.csv", "model.fgm", "answers.csv"] {
        assert!(place.path("flowgait-demo").join(name).is_file(), "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let place = Place::new();
    for folder in ["a", "b"] {
        place.ok(&["demo", "--no-serve", "--flows", "300", "--seed", "7", "-o", folder]);
    }
    for name in
        ["traffic.pcap", "truth.csv", "flows.csv", "model.fgm", "answers.csv", "report.html"]
    {
        let read = |folder: &str| std::fs::read(place.path(folder).join(name)).unwrap();
        assert!(read("a") == read("b"), "{name} differs");
    }
}

#[test]
fn a_model_of_made_traffic_says_so_whenever_it_answers() {
    let place = Place::new();
    place.ok(&["demo", "--no-serve", "--flows", "300", "--seed", "1"]);
    let demo = place.path("flowgait-demo");
    let (model, capture) = (demo.join("model.fgm"), demo.join("traffic.pcap"));
    let (model, capture) = (model.to_str().unwrap(), capture.to_str().unwrap());
    let run = place.ok(&["predict", "--model", model, capture, "-o", "p.csv"]);
    run.tells(&["made traffic only", "classes: chat", "--unknown 0.05"]);
}
