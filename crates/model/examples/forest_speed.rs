//! Fits and predicts the table of `xtask/peers/forest.py` and prints CPU seconds and accuracy as JSON.
//!
//! `forest_speed TABLE [--trees N] [--classes N] [--seed N] [--threads N]`

#![allow(clippy::print_stdout)]

#[path = "timing/cost.rs"]
mod cost;
#[path = "made_table/table.rs"]
mod made_table;

use std::{error::Error, time::Instant};

use cost::{argument, cpu_seconds};
use flowgait_features::{Feature, Schema};
use flowgait_model::{Card, Estimator, Model, Training, forest::ForestParams};
use made_table::read;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which table?")?;
    let table = read(&path)?;
    let classes = argument("--classes", 128);
    let codes: Vec<u32> = table.codes.iter().map(|code| code % classes as u32).collect();
    let rows: Vec<u32> = (0..codes.len() as u32).collect();
    let (train, test) = rows.split_at(table.train);
    rayon::ThreadPoolBuilder::new().num_threads(argument("--threads", 1)).build_global()?;

    let params = ForestParams::new().trees(argument("--trees", 20)).check()?;
    let seed = argument("--seed", 0) as u64;
    let training = Training {
        columns: &table.columns,
        rows: train,
        codes: &codes,
        classes,
        class_weights: None,
    };
    let begin = cpu_seconds();
    let forest = params.fit(&training, seed)?;
    let fit = cpu_seconds() - begin;

    let begin = cpu_seconds();
    let mut predicted = 0;
    let mut probabilities = forest.predict_proba(&table.columns, test)?;
    while cpu_seconds() - begin < 1.0 {
        probabilities = forest.predict_proba(&table.columns, test)?;
        predicted += test.len();
    }
    let rate = predicted as f64 / (cpu_seconds() - begin);
    let hits = test.iter().enumerate();
    let hits = hits.filter(|(at, row)| probabilities.best(*at) == codes[**row as usize]).count();

    let row: Vec<f32> = table.columns.iter().map(|column| column[table.train]).collect();
    let mut single = Vec::new();
    for _ in 0..201 {
        let begin = Instant::now();
        std::hint::black_box(forest.predict_row(std::hint::black_box(&row))?);
        single.push(begin.elapsed().as_secs_f64());
    }
    single.sort_by(f64::total_cmp);
    let features =
        (0..table.columns.len()).map(|c| Feature { name: c.to_string(), ..Feature::default() });
    let schema = Schema { name: "made".into(), features: features.collect() };
    let labels = (0..classes).map(|class| class.to_string()).collect();
    let model = Model::new(schema, labels, Estimator::Forest(forest), Card::default())?;
    println!(
        "{{\"fit_cpu_s\": {fit:.3}, \"predict_rows_per_cpu_s\": {rate:.0}, \"one_row_us\": {:.1}, \
         \"accuracy\": {:.5}, \"model_octets\": {}}}",
        single[single.len() / 2] * 1e6,
        hits as f64 / test.len() as f64,
        model.to_bytes().len()
    );
    Ok(())
}
