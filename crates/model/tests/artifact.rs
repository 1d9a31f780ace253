//! Model files: what was saved comes back, and what is damaged or hostile does no harm.

#![allow(clippy::unwrap_used)]

use std::{fs, sync::LazyLock};

use flowgait_features::{Codes, Dataset, Feature, Schema};
use flowgait_model::{
    Card, Categories, Doubt, Error, Estimator, Model, Probabilities, Sharpness, Training,
    artifact::{TrainingTable, fingerprint},
    calibrate::EarlySharpness,
    conformal::Strangeness,
    forest::ForestParams,
    seen::Seen,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn dataset(rows: usize, features: usize, classes: u32) -> Dataset {
    let feature = |c| Feature { name: format!("column {c}"), unit: "octets".into() };
    let value = |row: usize, c: usize| match (row * 31 + c * 17) % 23 {
        0 => f32::NAN,
        v => v as f32 * (c + 1) as f32,
    };
    Dataset {
        schema: Schema { name: "table".into(), features: (0..features).map(feature).collect() },
        columns: (0..features).map(|c| (0..rows).map(|row| value(row, c)).collect()).collect(),
        labels: Some(Codes {
            name: "application".into(),
            values: (0..classes).map(|c| format!("class {c}")).collect(),
            codes: (0..rows as u32).map(|row| (row * row / 7) % classes).collect(),
        }),
        rows,
        ..Dataset::default()
    }
}

fn model(dataset: &Dataset, params: ForestParams) -> Model {
    let labels = dataset.labels.as_ref().unwrap();
    let rows: Vec<u32> = (0..dataset.rows as u32).collect();
    let training = Training {
        columns: &dataset.columns,
        rows: &rows,
        codes: &labels.codes,
        classes: labels.values.len(),
        class_weights: None,
    };
    let params = params.check().unwrap();
    let forest = params.fit(&training, 5).unwrap();
    let card = Card {
        created: Some(1_795_000_000),
        label: labels.name.clone(),
        tables: vec![TrainingTable { name: "flows.csv".into(), rows: dataset.rows as u64 }],
        rows: dataset.rows as u64,
        fingerprint: fingerprint(dataset),
        scores: [("accuracy".into(), 0.5)].into(),
        parameters: serde_json::to_value(params.params()).unwrap(),
        kept_columns: vec!["dst_port".into()],
        ..Card::default()
    };
    let schema = dataset.schema.clone();
    Model::new(schema, labels.values.clone(), Estimator::Forest(forest), card).unwrap()
}

/// A small model with pure and mixed leaves and both kinds of split on missing values; its wide twin.
static SMALL: LazyLock<(Dataset, Vec<u8>)> = LazyLock::new(|| {
    let data = dataset(120, 3, 5);
    let bytes = model(&data, ForestParams::new().trees(3).leaf_rows_min(2)).to_bytes();
    (data, bytes)
});
static WIDE: LazyLock<(Dataset, Vec<u8>)> = LazyLock::new(|| {
    let data = dataset(120, 300, 5);
    let bytes = model(&data, ForestParams::new().trees(12).leaf_rows_min(2)).to_bytes();
    (data, bytes)
});

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let content = bytes.len().saturating_sub(32);
    let sum = Sha256::digest(&bytes[..content]);
    bytes[content..].copy_from_slice(&sum);
    bytes
}

fn refusal(bytes: &[u8]) -> (usize, String) {
    match Model::from_bytes(bytes) {
        Err(Error::Artifact { offset, reason }) => (offset, reason),
        other => panic!("{other:?}"),
    }
}

/// A file that passes may be wrong, but must be safe to use.
fn use_if_read(bytes: &[u8]) -> bool {
    let Ok(model) = Model::from_bytes(bytes) else { return false };
    let Estimator::Forest(forest) = model.estimator() else { unreachable!() };
    let columns = vec![
        vec![f32::NAN, -1e9, 0.0, 7.0, 30.0, 90.0, 1e9, f32::INFINITY, 3.0];
        forest.features()
    ];
    let p = forest.predict_proba(&columns, &[0, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    assert_eq!(p.rows(), 9);
    assert!(p.values.iter().all(|p| p.is_finite()));
    assert_eq!(forest.predict_row(&vec![f32::NAN; forest.features()]).unwrap(), p.row(0));
    assert_eq!(Model::from_bytes(&model.to_bytes()).unwrap(), model);
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_saved_comes_back(
        rows in 1_usize..200, features in 1_usize..20, classes in 1_u32..40,
        trees in 1_usize..6, leaf in 1_usize..9,
    ) {
        let data = dataset(rows, features, classes);
        let model = model(&data, ForestParams::new().trees(trees).leaf_rows_min(leaf));
        let bytes = model.to_bytes();
        let back = Model::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&back, &model);
        prop_assert_eq!(back.to_bytes(), bytes);
        prop_assert_eq!(back.predict_proba(&data).unwrap(), model.predict_proba(&data).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_flipped_bit_is_noticed(at: prop::sample::Index, bit in 0_u8..8) {
        let mut bytes = SMALL.1.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let refused = matches!(Model::from_bytes(&bytes), Err(Error::Artifact { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn forged_octets_do_no_harm(
        wide: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = if wide { WIDE.1.clone() } else { SMALL.1.clone() };
        let content = bytes.len() - 32;
        for (at, octet) in changes {
            bytes[at.index(content)] = octet;
        }
        use_if_read(&with_checksum(bytes));
    }

    #[test]
    fn forged_numbers_do_no_harm(
        wide: bool,
        at: prop::sample::Index,
        number in prop_oneof![
            Just(u32::MAX), Just(u32::MAX - 1), Just(i32::MAX as u32), Just(0), Just(1), 0_u32..200,
        ],
    ) {
        let mut bytes = if wide { WIDE.1.clone() } else { SMALL.1.clone() };
        let at = at.index(bytes.len() - 36);
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        use_if_read(&with_checksum(bytes));
    }

    #[test]
    fn forged_nodes_do_no_harm(wide: bool, back in 0_usize..200, pair in 0_u16..120) {
        // The file ends with a tree's nodes, then the checksum; the pair is a node's low half.
        let mut bytes = if wide { WIDE.1.clone() } else { SMALL.1.clone() };
        let node = if wide { 8 } else { 4 };
        let at = bytes.len() - 32 - node * (back + 1);
        bytes[at..at + 2].copy_from_slice(&pair.to_le_bytes());
        use_if_read(&with_checksum(bytes));
    }

    #[test]
    fn a_forged_cut_does_no_harm(wide: bool, at: prop::sample::Index) {
        let bytes = if wide { &WIDE.1 } else { &SMALL.1 };
        let cut = 32 + at.index(bytes.len() - 32);
        prop_assert!(!use_if_read(&with_checksum(bytes[..cut].to_vec())));
    }

    #[test]
    fn noise_is_no_model(mut bytes in prop::collection::vec(any::<u8>(), 0..400), head: bool) {
        if head {
            let keep = bytes.len().min(16);
            bytes[..keep].copy_from_slice(&SMALL.1[..keep]);
        }
        prop_assert!(Model::from_bytes(&bytes).is_err());
        if bytes.len() >= 32 {
            prop_assert!(!use_if_read(&with_checksum(bytes)));
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let bytes = &SMALL.1;
    for cut in 0..bytes.len() {
        assert!(matches!(Model::from_bytes(&bytes[..cut]), Err(Error::Artifact { .. })), "{cut}");
    }
}

#[test]
fn the_forged_files_reach_the_checks_behind_the_checksum() {
    assert!(use_if_read(&with_checksum(SMALL.1.clone())));
    assert!(use_if_read(&with_checksum(WIDE.1.clone())));
    // The last node is made to lead to its own pair: a walk would never end.
    let nodes = (SMALL.1.len() - 32) / 4;
    let mut circles = 0;
    for back in 1..60.min(nodes) {
        let mut bytes = SMALL.1.clone();
        let at = bytes.len() - 32 - 4 * back;
        if bytes[at + 3] != 255 {
            let own = 65_535 - back as u16;
            bytes[at..at + 2].copy_from_slice(&own.to_le_bytes());
            let (_, reason) = refusal(&with_checksum(bytes));
            assert!(reason.contains("leads outside"), "{reason}");
            circles += 1;
        }
    }
    assert!(circles > 0, "no split among the last nodes");
}

#[test]
fn refusals_say_what_and_where() {
    let bytes = &SMALL.1;
    assert_eq!(
        refusal(b"PK\x03\x04 something else"),
        (0, "it does not begin as a model does".into())
    );
    assert_eq!(refusal(b""), (0, "it does not begin as a model does".into()));
    let mut later = bytes.clone();
    later[8] = 2;
    let (offset, reason) = refusal(&with_checksum(later));
    assert_eq!((offset, &reason[..]), (8, "its format is version 2, this program reads 1"));
    let (offset, reason) = refusal(&bytes[..bytes.len() - 1]);
    assert_eq!(offset, bytes.len() - 33);
    assert!(reason.contains("checksum"));
    let mut unknown = bytes.clone();
    unknown[16..20].copy_from_slice(b"ABCD");
    let (offset, reason) = refusal(&with_checksum(unknown));
    assert_eq!((offset, &reason[..]), (28, "its section ABCD is unknown"));
    // A section that may be passed over is; then the schema is what lacks.
    let mut optional = bytes.clone();
    optional[16..20].copy_from_slice(b"abcd");
    assert!(refusal(&with_checksum(optional)).1.contains("no schema"));
    // A column's name is changed: the hash tells.
    let at = bytes.windows(8).position(|octets| octets == b"column 1").unwrap();
    let mut renamed = bytes.clone();
    renamed[at + 7] = b'9';
    assert!(refusal(&with_checksum(renamed)).1.contains("hash of its schema"));
}

#[test]
fn another_schema_is_refused_by_name() {
    let (data, bytes) = &*SMALL;
    let model = Model::from_bytes(bytes).unwrap();
    let refused = |schema: Schema| {
        let other = Dataset { schema, ..data.clone() };
        match model.predict_proba(&other) {
            Err(Error::SchemaDiffers { differences, .. }) => differences,
            other => panic!("{other:?}"),
        }
    };
    let mut schema = data.schema.clone();
    schema.features[1].name = "duration".into();
    assert_eq!(refused(schema), "missing column 1; not expected duration");
    let mut schema = data.schema.clone();
    schema.features.swap(0, 2);
    assert_eq!(refused(schema), "the columns are in another order");
    let mut schema = data.schema.clone();
    schema.features[2].unit = "s".into();
    assert_eq!(refused(schema), "in another unit column 2");
    let mut schema = data.schema.clone();
    schema.name = "flowgait/9".into();
    assert_eq!(refused(schema), "it is flowgait/9");
    assert!(model.predict_proba(data).is_ok());
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let (data, bytes) = &*SMALL;
    let model = Model::from_bytes(bytes).unwrap();
    let forest = || model.estimator().clone();
    let schema = data.schema.clone();
    let few = Model::new(schema.clone(), vec!["one".into()], forest(), Card::default());
    assert!(matches!(few, Err(Error::Length { expected: 5, got: 1, .. })));
    let narrow = Schema { features: schema.features[..2].to_vec(), ..schema };
    let narrow = Model::new(narrow, model.classes().to_vec(), forest(), Card::default());
    assert!(matches!(narrow, Err(Error::ColumnCount { found: 2, expected: 3 })));
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kinds.fgm");
    let (data, bytes) = &*SMALL;
    let model = Model::from_bytes(bytes).unwrap();
    fs::write(&path, "an older file").unwrap();
    model.save(&path).unwrap();
    let back = Model::load(&path).unwrap();
    assert_eq!(back.predict_proba(data).unwrap(), model.predict_proba(data).unwrap());
    assert_eq!(back.card().label, "application");
    assert_eq!(back.card().kept_columns, ["dst_port"]);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["kinds.fgm"], "nothing is left beside it");

    let nowhere = folder.path().join("nowhere").join("kinds.fgm");
    assert!(matches!(model.save(&nowhere), Err(Error::WriteModel { .. })));
    assert!(matches!(Model::load(&nowhere), Err(Error::ReadModel { .. })));
    // A folder stands where the file should: the write fails and leaves nothing behind.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    assert!(matches!(model.save(&taken), Err(Error::WriteModel { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    fs::write(&path, "hello").unwrap();
    let error = Model::load(&path).unwrap_err();
    assert!(error.to_string().contains("kinds.fgm"));
    assert!(matches!(error, Error::UseModel { .. }));
}

#[test]
fn a_model_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Model>();
}

#[test]
fn a_fingerprint_tells_tables_apart() {
    let data = dataset(20, 2, 3);
    let same = fingerprint(&data);
    assert_eq!(same, fingerprint(&data.clone()));
    let mut other = data.clone();
    other.columns[1][3] += 1.0;
    assert_ne!(same, fingerprint(&other));
    let mut other = data.clone();
    other.labels.as_mut().unwrap().codes[4] ^= 1;
    assert_ne!(same, fingerprint(&other));
    let mut other = data;
    other.schema.features[0].name = "else".into();
    assert_ne!(same, fingerprint(&other));
}

#[test]
fn a_model_keeps_its_doubt_and_its_categories() {
    let dataset = dataset(60, 3, 4);
    let model = model(&dataset, ForestParams::new().trees(5));
    let said = model.predict_proba(&dataset).unwrap();
    let names = vec!["first".to_owned(), "second".to_owned()];
    let categories = Categories::of(names.clone(), vec![0, 1, 1, 0], &said).unwrap();
    let whole = model.clone().with_doubt(Doubt::of(&said).unwrap());
    let whole = whole.with_categories(categories).unwrap();
    let whole = whole.with_seen(Seen::of(&dataset));
    let blunt = Sharpness::new(0.5).unwrap();
    let whole =
        whole.with_early(EarlySharpness::new(vec![(1, blunt), (4, Sharpness::NONE)]).unwrap());
    let bytes = whole.to_bytes();
    let read = Model::from_bytes(&bytes).unwrap();
    assert!(read == whole && read != model);
    assert!(read.doubt().is_some() && read.categories().unwrap().names() == names);
    // A class of a category that is not there.
    let place = bytes.windows(4).position(|four| four == b"catg").unwrap() + 12;
    let first = place + 4 + (4 + 5) + (4 + 6) + 4;
    let mut hostile = bytes.clone();
    hostile[first] = 2;
    assert!(refusal(&with_checksum(hostile)).1.contains("category"));
    let few =
        Categories::of(names, vec![0, 1], &Probabilities { classes: 2, values: vec![0.5, 0.5] });
    assert!(model.with_categories(few.unwrap()).is_err());
    for cut in 0..bytes.len() {
        assert!(Model::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_calibrated_model_keeps_its_sharpness_and_its_answers() {
    let dataset = dataset(60, 3, 4);
    let model = model(&dataset, ForestParams::new().trees(5));
    let strangeness = Strangeness::new(vec![0.0, 0.25, 0.5]).unwrap();
    let sharp =
        model.clone().calibrated(Sharpness::new(2.5).unwrap()).with_strangeness(strangeness);
    let bytes = sharp.to_bytes();
    assert!(Model::from_bytes(&bytes).unwrap() == sharp);
    let (raw, said) =
        (model.predict_proba(&dataset).unwrap(), sharp.predict_proba(&dataset).unwrap());
    let mut changed = 0;
    for row in 0..raw.rows() {
        assert_eq!(raw.best(row), said.best(row));
        assert!((said.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5);
        changed += usize::from(raw.row(row) != said.row(row));
    }
    assert!(changed > 0);
    let place = bytes.windows(4).position(|four| four == b"SHRP").unwrap() + 12;
    for power in [0.0_f32, -1.0, f32::NAN, f32::INFINITY] {
        let mut hostile = bytes.clone();
        hostile[place..place + 4].copy_from_slice(&power.to_le_bytes());
        assert!(Model::from_bytes(&with_checksum(hostile)).is_err(), "{power}");
    }
}
