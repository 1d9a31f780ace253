//! Laws of neural networks: what a fit must be whatever the table, and what federation needs of one.

#![allow(clippy::unwrap_used)]

use flowgait_features::{Feature, Schema};
use flowgait_model::net::{
    Augmentation, Device, NetKind, NetParams, Network, Optimizer, ValidNetParams,
};
use flowgait_model::{Card, Error, Estimator, Model, Training};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// A made table: twelve sizes and gaps of each flow, and its duration. Class 1 answers requests with large packets.
struct Made {
    schema: Schema,
    columns: Vec<Vec<f32>>,
    codes: Vec<u32>,
}

fn made(rows: usize, seed: u64) -> Made {
    let mut state = seed;
    let mut draw = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let mut columns = vec![Vec::new(); 25];
    let mut codes = Vec::new();
    for class in (0..2).cycle().take(rows) {
        let packets = 4 + (draw() * 8.0) as usize;
        for k in 0..12 {
            let large = if k % 2 == 1 && class == 1 { 900.0 } else { 60.0 };
            let size = large + (draw() * 400.0).round();
            let (size, gap) = (if k % 2 == 0 { size } else { -size }, (draw() * 20_000.0).round());
            columns[k].push(if k < packets { size } else { f32::NAN });
            columns[12 + k].push(if k < packets { gap } else { f32::NAN });
        }
        columns[24].push(draw());
        codes.push(class);
    }
    let names = (0..12).map(|k| format!("size_{k}")).chain((0..12).map(|k| format!("gap_{k}")));
    let names = names.chain(["duration".to_owned()]);
    let features = names.map(|name| Feature { name, unit: String::new() }).collect();
    Made { schema: Schema { name: "table".into(), features }, columns, codes }
}

impl Made {
    fn training<'a>(&'a self, rows: &'a [u32]) -> Training<'a> {
        let (columns, codes) = (&self.columns, &self.codes);
        Training { columns, rows, codes, classes: 2, class_weights: None }
    }

    fn right(&self, network: &Network, rows: &[u32]) -> f64 {
        let said = network.predict_proba(&self.columns, rows).unwrap();
        let right = (0..rows.len()).filter(|&at| said.best(at) == self.codes[rows[at] as usize]);
        right.count() as f64 / rows.len() as f64
    }
}

fn small(kind: NetKind) -> ValidNetParams {
    NetParams::new(kind).hidden(&[16]).width(8).blocks(2).epochs(120).check().unwrap()
}

const KINDS: [NetKind; 2] = [NetKind::Mlp, NetKind::Cnn];

#[test]
fn both_kinds_learn_what_can_be_learnt() {
    let made = made(400, 1);
    let (train, test): (Vec<u32>, Vec<u32>) = (0..400).partition(|row| row % 4 < 2);
    for kind in KINDS {
        let network = small(kind).fit(&made.schema, &made.training(&train), 5, &|| ()).unwrap();
        let right = made.right(&network, &test);
        assert!(right > 0.95, "{kind:?}: {right}");
    }
}

#[test]
fn a_graphics_card_learns_as_well_or_is_refused() {
    let made = made(400, 1);
    let (train, test): (Vec<u32>, Vec<u32>) = (0..400).partition(|row| row % 4 < 2);
    for kind in KINDS {
        let params = NetParams::new(kind).hidden(&[16]).width(8).blocks(1).epochs(40);
        let params = params.device(Device::Gpu).check().unwrap();
        match params.fit(&made.schema, &made.training(&train), 5, &|| ()) {
            Ok(network) => {
                let right = made.right(&network, &test);
                assert!(right > 0.9, "{kind:?}: {right}");
            }
            Err(Error::NoGpu(why)) => eprintln!("skipped: no graphics card: {why}"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_fit_is_the_same_on_one_thread_or_many_and_differs_by_seed() {
    let made = made(150, 2);
    let rows: Vec<u32> = (0..150).collect();
    let fit = |kind, threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let params =
            NetParams::new(kind).hidden(&[16]).width(8).epochs(3).batch(128).check().unwrap();
        pool.install(|| params.fit(&made.schema, &made.training(&rows), seed, &|| ())).unwrap()
    };
    for kind in KINDS {
        let one = fit(kind, 1, 9);
        assert_eq!(one, fit(kind, 2, 9));
        assert_eq!(one, fit(kind, 4, 9));
        assert_ne!(one.parameters().values(), fit(kind, 2, 10).parameters().values());
    }
}

#[test]
fn a_hook_sees_parameters_and_gradient_and_may_change_the_step() {
    let made = made(64, 3);
    let rows: Vec<u32> = (0..64).collect();
    let training = made.training(&rows);
    let params = NetParams::new(NetKind::Cnn)
        .width(8)
        .hidden(&[8])
        .augmentation(Augmentation::NONE)
        .check()
        .unwrap();
    let begin = params.begin(&made.schema, &training, 1).unwrap();
    let step = |hook: &mut dyn FnMut(&[f32], &mut [f32])| {
        let mut network = begin.clone();
        let mut local = params.local(&network, &training, Optimizer::Sgd, 4).unwrap();
        let loss = local.step(&mut network, 0.1, hook);
        assert!(loss.is_finite() && loss > 0.0);
        network.parameters().values().to_vec()
    };
    let still = step(&mut |_, gradient| gradient.fill(0.0));
    assert_eq!(still, begin.parameters().values());
    let mut seen = Vec::new();
    let moved = step(&mut |values, gradient| {
        assert_eq!(values, begin.parameters().values());
        seen = gradient.to_vec();
    });
    for ((after, before), gradient) in moved.iter().zip(begin.parameters().values()).zip(&seen) {
        assert_eq!(*after, before - 0.1 * gradient);
    }
    assert!(seen.iter().any(|g| *g != 0.0));
}

#[test]
fn the_vector_is_its_named_slices_without_gaps_and_sets_the_answer() {
    let made = made(40, 4);
    let rows: Vec<u32> = (0..40).collect();
    for kind in KINDS {
        let params = small(kind);
        let training = made.training(&rows);
        let first = params.begin(&made.schema, &training, 1).unwrap();
        let mut end = 0;
        for slice in first.parameters().slices() {
            assert_eq!((slice.start, slice.count()), (end, slice.range().len()));
            end = slice.range().end;
        }
        assert_eq!(end, first.parameters().values().len());
        let mut second = params.begin(&made.schema, &training, 2).unwrap();
        second.parameters_mut().values_mut().copy_from_slice(first.parameters().values());
        assert_eq!(first, second);
    }
}

/// A file of a network, and one of its checksums made right again after a change.
fn file(kind: NetKind) -> (Model, Vec<u8>) {
    let made = made(40, 6);
    let rows: Vec<u32> = (0..40).collect();
    let params = NetParams::new(kind).hidden(&[4]).width(4).epochs(2).check().unwrap();
    let network = params.fit(&made.schema, &made.training(&rows), 1, &|| ()).unwrap();
    let classes = vec!["a".to_owned(), "b".to_owned()];
    let estimator = Estimator::Network(Box::new(network));
    let model = Model::new(made.schema, classes, estimator, Card::default()).unwrap();
    let bytes = model.to_bytes();
    (model, bytes)
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let content = bytes.len().saturating_sub(32);
    let sum = Sha256::digest(&bytes[..content]);
    bytes[content..].copy_from_slice(&sum);
    bytes
}

#[test]
fn a_network_comes_back_from_its_file_and_cuts_are_refused() {
    for kind in KINDS {
        let (model, bytes) = file(kind);
        assert!(Model::from_bytes(&bytes).unwrap() == model);
        for cut in (32..bytes.len()).step_by(53) {
            let cut = with_checksum(bytes[..cut].to_vec());
            assert!(matches!(Model::from_bytes(&cut), Err(Error::Artifact { .. })));
        }
    }
}

#[test]
fn forged_octets_of_a_network_do_no_harm() {
    let table: Vec<Vec<f32>> =
        vec![vec![f32::NAN, -1e9, 0.0, 7.0, f32::INFINITY, f32::MIN_POSITIVE, f32::MAX]; 25];
    for kind in KINDS {
        let (_, bytes) = file(kind);
        let mut read = 0;
        for at in 0..bytes.len() - 32 {
            for octet in [0, 1, 0x7F, 0xFF] {
                // All of the head, and of the weights enough.
                if at > 3_000 && at % 17 != 0 {
                    continue;
                }
                let mut forged = bytes.clone();
                forged[at] = octet;
                if let Ok(model) = Model::from_bytes(&with_checksum(forged)) {
                    read += 1;
                    if model.estimator().features() == table.len() && read % 40 == 0 {
                        let said = model.estimator().predict_proba(&table, &[0, 1, 2, 3, 4, 5, 6]);
                        assert_eq!(said.unwrap().rows(), 7);
                    }
                }
            }
        }
        assert!(read > 0, "{kind:?}: no change passes, so nothing was tried");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let made = made(40, 5);
    let rows: Vec<u32> = (0..40).collect();
    let training = made.training(&rows);
    let mut plain = made.schema.clone();
    plain.features.iter_mut().for_each(|feature| feature.name = feature.name.replace('_', " of "));
    plain.features.iter_mut().for_each(|feature| feature.name.push('x'));
    let refused = small(NetKind::Cnn).fit(&plain, &training, 1, &|| ());
    assert!(matches!(refused, Err(Error::NoPackets)), "{refused:?}");
    let network = small(NetKind::Mlp).begin(&made.schema, &training, 1).unwrap();
    let few = network.predict_proba(&made.columns[..20], &rows);
    assert!(matches!(few, Err(Error::ColumnCount { found: 20, expected: 25 })), "{few:?}");
    let past = network.predict_proba(&made.columns, &[40]);
    assert!(matches!(past, Err(Error::RowOutOfRange { row: 40, .. })), "{past:?}");
    let wrong = |params: NetParams| params.check().unwrap_err().to_string();
    let usual = || NetParams::new(NetKind::Cnn);
    assert!(wrong(usual().dropout(1.0)).contains("dropout is 1"));
    assert!(wrong(usual().hidden(&[0])).contains("width is 0"));
    assert!(wrong(usual().blocks(0)).contains("blocks is 0"));
    assert!(wrong(usual().batch(0)).contains("batch is 0"));
    assert!(wrong(usual().epochs(0)).contains("epochs is 0"));
    assert!(wrong(usual().rate(f32::NAN)).contains("rate is NaN"));
    let often = Augmentation { cut: 1.5, ..Augmentation::NONE };
    assert!(wrong(usual().augmentation(often)).contains("1.5"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever stands in a table, a fit ends, and its answers are probabilities.
    #[test]
    fn answers_are_probabilities_of_any_table(
        cells in prop::collection::vec(
            prop_oneof![Just(f32::NAN), Just(0.0), any::<f32>().prop_filter("finite", |v| v.is_finite()), -1_500.0_f32..1_500.0],
            30..120,
        ),
        kind in prop_oneof![Just(NetKind::Mlp), Just(NetKind::Cnn)],
    ) {
        let rows = cells.len() / 10;
        let columns: Vec<Vec<f32>> =
            (0..10).map(|column| cells[column * rows..(column + 1) * rows].to_vec()).collect();
        let features =
            (0..10).map(|k| Feature { name: format!("size_{k}"), unit: String::new() }).collect();
        let schema = Schema { name: "table".into(), features };
        let codes: Vec<u32> = (0..rows as u32).map(|row| row % 3).collect();
        let all: Vec<u32> = (0..rows as u32).collect();
        let training =
            Training { columns: &columns, rows: &all, codes: &codes, classes: 3, class_weights: None };
        let params = NetParams::new(kind).hidden(&[4]).width(4).epochs(2).check().unwrap();
        match params.fit(&schema, &training, 1, &|| ()) {
            Ok(network) => {
                let said = network.predict_proba(&columns, &all).unwrap();
                for row in 0..rows {
                    let sum: f32 = said.row(row).iter().sum();
                    prop_assert!((sum - 1.0).abs() < 1e-4, "{:?}", said.row(row));
                }
            }
            Err(error) => prop_assert!(matches!(error, Error::NoPackets), "{error}"),
        }
    }
}
