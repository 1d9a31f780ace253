//! Speed of fitting and predicting forests on a seeded table; `examples/forest_speed.rs` is the comparison
//! with scikit-learn.

use divan::{Bencher, counter::ItemsCount};
use flowgait_model::{Training, forest::Forest, forest::ForestParams};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

const ROWS: usize = 20_000;
const FEATURES: usize = 60;

fn main() {
    divan::main();
}

/// Columns of which a third tells about the class, and the classes.
fn table(classes: usize) -> (Vec<Vec<f32>>, Vec<u32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut number = || rng.next_u32() as f32 / u32::MAX as f32;
    let codes: Vec<u32> =
        (0..ROWS).map(|_| (number() * number() * classes as f32 * 0.999) as u32).collect();
    let columns = (0..FEATURES)
        .map(|column| {
            let told = if column % 3 == 0 { 1.0 } else { 0.0 };
            let centre: Vec<f32> = (0..classes).map(|_| number() * 4.0 * told).collect();
            codes.iter().map(|&code| centre[code as usize] + number() + number()).collect()
        })
        .collect();
    (columns, codes)
}

fn fit(columns: &[Vec<f32>], codes: &[u32], classes: usize, trees: usize) -> Forest {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let training = Training { columns, rows: &rows, codes, classes, class_weights: None };
    let params = ForestParams::new().trees(trees).check().expect("the parameters are valid");
    params.fit(&training, 1).expect("the table is well-formed")
}

#[divan::bench(args = [6, 128], sample_count = 3)]
fn fit_five_trees(bencher: Bencher, classes: usize) {
    let (columns, codes) = table(classes);
    bencher.counter(ItemsCount::new(5 * ROWS)).bench(|| fit(&columns, &codes, classes, 5));
}

#[divan::bench(args = [20, 100], sample_count = 3)]
fn predict(bencher: Bencher, trees: usize) {
    let (columns, codes) = table(128);
    let forest = fit(&columns, &codes, 128, trees);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    bencher.counter(ItemsCount::new(ROWS)).bench(|| forest.predict_proba(&columns, &rows));
}

#[divan::bench]
fn predict_one_row(bencher: Bencher) {
    let (columns, codes) = table(128);
    let forest = fit(&columns, &codes, 128, 100);
    let row: Vec<f32> = columns.iter().map(|column| column[7]).collect();
    bencher.bench(|| forest.predict_row(divan::black_box(&row)));
}
