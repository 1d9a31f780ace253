//! A registry keeps versions as they were, and aliases move in one step.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use flowgait_features::{Feature, Schema};
use flowgait_model::forest::ForestParams;
use flowgait_model::registry::{Entry, Import, Reference, Registry};
use flowgait_model::{Card, Error, Estimator, Model, Training};

fn model(seed: u64) -> Model {
    let columns =
        vec![(0..60).map(|r| r as f32).collect(), (0..60).map(|r| (r % 7) as f32).collect()];
    let rows: Vec<u32> = (0..60).collect();
    let codes: Vec<u32> = (0..60).map(|row| u32::from(row % 7 > 3)).collect();
    let training =
        Training { columns: &columns, rows: &rows, codes: &codes, classes: 2, class_weights: None };
    let forest = ForestParams::new().trees(5).check().unwrap().fit(&training, seed).unwrap();
    let feature = |name: &str| Feature { name: name.into(), unit: "1".into() };
    let schema = Schema { name: "made".into(), features: vec![feature("a"), feature("b")] };
    let card = Card { rows: seed, ..Card::default() };
    Model::new(schema, vec!["x".into(), "y".into()], Estimator::Forest(forest), card).unwrap()
}

fn saved(folder: &Path, seed: u64) -> PathBuf {
    let path = folder.join(format!("{seed}.fgm"));
    model(seed).save(&path).unwrap();
    path
}

/// The new version that an import gives.
fn added(import: Import) -> Entry {
    match import {
        Import::New(entry) => entry,
        Import::Known(entry) => panic!("version {} is the same", entry.version),
    }
}

fn at(text: &str) -> Reference {
    text.parse().unwrap()
}

#[test]
fn versions_count_up_and_aliases_move_back_and_forth() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(&folder.path().join("models"));
    assert!(registry.list().unwrap().is_empty());
    for seed in 1..=3 {
        let file = saved(folder.path(), seed);
        let entry = added(registry.import("kinds", &file, 1_000 + seed as i64).unwrap());
        assert_eq!(u64::from(entry.version), seed);
    }
    // The same file again is no new version, but under another name it is one.
    let same = saved(folder.path(), 2);
    match registry.import("kinds", &same, 9_000).unwrap() {
        Import::Known(entry) => assert_eq!((entry.version, entry.manifest.imported), (2, 1_002)),
        Import::New(entry) => panic!("added as version {}", entry.version),
    }
    assert_eq!(registry.list().unwrap().len(), 3);
    assert_eq!(added(registry.import("others", &same, 0).unwrap()).version, 1);
    fs::remove_dir_all(folder.path().join("models/others")).unwrap();
    // Without an alias the latest is meant.
    assert_eq!(registry.find(&at("kinds")).unwrap().version, 3);
    assert_eq!(registry.promote(&at("kinds@2"), "live").unwrap().1, None);
    assert_eq!(registry.load(&at("kinds")).unwrap().1, model(2));
    assert_eq!(registry.promote(&at("kinds@3"), "live").unwrap().1, Some(2));
    assert_eq!(registry.load(&at("kinds@live")).unwrap().0.version, 3);
    registry.promote(&at("kinds@1"), "old").unwrap();
    let listed: Vec<(u32, Vec<String>)> =
        registry.list().unwrap().into_iter().map(|e| (e.version, e.aliases)).collect();
    assert_eq!(listed, [(1, vec!["old".into()]), (2, vec![]), (3, vec!["live".into()])]);
    let out = folder.path().join("out.fgm");
    registry.export(&at("kinds@2"), &out).unwrap();
    assert_eq!(Model::load(&out).unwrap(), model(2));
}

#[test]
fn what_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(folder.path());
    let why = |text: &str| registry.find(&at(text)).unwrap_err().to_string();
    assert!(why("kinds").contains("no model of that name"));
    registry.import("kinds", &saved(folder.path(), 1), 0).unwrap();
    assert!(why("kinds@9").contains("versions go from 1 to 1"));
    assert!(why("kinds@best").contains("no alias 'best'"));
    assert!(matches!(
        registry.import("../kinds", &saved(folder.path(), 1), 0),
        Err(Error::ModelName { .. })
    ));
    fs::write(folder.path().join("no.fgm"), "no model").unwrap();
    assert!(registry.import("kinds", &folder.path().join("no.fgm"), 0).is_err());
    assert_eq!(registry.list().unwrap().len(), 1);
}

#[test]
fn a_file_that_changed_and_a_model_that_answers_otherwise_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(&folder.path().join("models"));
    registry.import("kinds", &saved(folder.path(), 1), 0).unwrap();
    let place = folder.path().join("models/kinds/1");
    let refusal = || {
        let error = registry.load(&at("kinds")).unwrap_err();
        std::error::Error::source(&error).map(ToString::to_string).unwrap()
    };
    // Another whole model in its place.
    let own = fs::read(place.join("model.fgm")).unwrap();
    fs::write(place.join("model.fgm"), model(2).to_bytes()).unwrap();
    assert!(refusal().contains("checksum"), "{}", refusal());
    fs::write(place.join("model.fgm"), own).unwrap();
    assert!(registry.load(&at("kinds")).is_ok());
    // As if the program had come to answer otherwise.
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(place.join("manifest.json")).unwrap()).unwrap();
    let first = manifest["golden"][0][0].as_f64().unwrap();
    manifest["golden"][0][0] = serde_json::json!(first + 0.01);
    fs::write(place.join("manifest.json"), manifest.to_string()).unwrap();
    assert!(refusal().contains("golden"), "{}", refusal());
    fs::write(place.join("manifest.json"), "{").unwrap();
    assert!(registry.list().is_err());
}

#[test]
fn what_a_run_that_died_left_never_shows() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("models");
    // What another left half-written beside them never shows.
    for seed in 0..4 {
        let registry = Registry::new(&root);
        registry.import("kinds", &saved(folder.path(), seed), 0).unwrap();
        fs::create_dir_all(root.join("kinds/.999999.partial")).unwrap();
        assert!(registry.list().unwrap().iter().all(|entry| entry.manifest.octets > 0));
    }
    assert_eq!(Registry::new(&root).list().unwrap().len(), 4);
}

#[test]
fn those_who_import_at_once_get_a_version_each() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("models");
    let files: Vec<PathBuf> = (1..=8).map(|seed| saved(folder.path(), seed)).collect();
    let mut versions: Vec<u32> = std::thread::scope(|scope| {
        let root = &root;
        let import =
            |file: &PathBuf| added(Registry::new(root).import("kinds", file, 0).unwrap()).version;
        let running: Vec<_> = files.iter().map(|file| scope.spawn(move || import(file))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<u32>>());
    let registry = Registry::new(&root);
    for version in 1..=8 {
        registry.load(&at(&format!("kinds@{version}"))).unwrap();
    }
    let left: Vec<_> = fs::read_dir(root.join("kinds")).unwrap().collect();
    assert_eq!(left.len(), 8, "nothing half-written is left: {left:?}");
}
