//! Fits and predicts the table of `xtask/peers/forest.py` and prints CPU seconds and accuracy as JSON.
//!
//! `forest_speed TABLE [--trees N] [--classes N] [--seed N] [--threads N]`

#![allow(clippy::print_stdout)]

use std::{error::Error, fs, time::Instant};

use flowgait_features::{Feature, Schema};
use flowgait_model::{Card, Estimator, Model, Training, forest::ForestParams};

/// Columns, labels, and how many of the rows are for training.
struct Table {
    columns: Vec<Vec<f32>>,
    codes: Vec<u32>,
    train: usize,
}

/// Reads four little-endian u32 (rows for training, rows for testing, columns, classes), then the
/// columns as f32, then the labels as u32.
fn read(path: &str) -> Result<Table, Box<dyn Error>> {
    let octets = fs::read(path)?;
    let words: Vec<[u8; 4]> = octets.as_chunks().0.to_vec();
    let number = |at: usize| u32::from_le_bytes(words[at]) as usize;
    let (train, test, features) = (number(0), number(1), number(2));
    let rows = train + test;
    let column = |c: usize| &words[4 + c * rows..4 + (c + 1) * rows];
    let columns = (0..features)
        .map(|c| column(c).iter().map(|word| f32::from_le_bytes(*word)).collect())
        .collect();
    let codes = column(features).iter().map(|word| u32::from_le_bytes(*word)).collect();
    Ok(Table { columns, codes, train })
}

/// CPU seconds of this process, all threads, from the kernel's books (hundredths of a second).
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}

fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|a| a != name).skip(1);
    arguments.next().and_then(|a| a.parse().ok()).unwrap_or(default)
}

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
