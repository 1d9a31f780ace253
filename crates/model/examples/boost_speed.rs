//! Fits and predicts the table of `xtask/peers/forest.py` by boosting and prints CPU seconds, log loss and accuracy as JSON.
//!
//! `boost_speed TABLE [--trees N] [--classes N] [--seed N] [--threads N]`

#![allow(clippy::print_stdout)]

#[path = "timing/cost.rs"]
mod cost;
#[path = "made_table/table.rs"]
mod made_table;

use std::error::Error;

use cost::{argument, cpu_seconds};
use flowgait_model::{Training, boost::BoostParams};
use made_table::read;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which table?")?;
    let table = read(&path)?;
    let classes = argument("--classes", 128);
    let codes: Vec<u32> = table.codes.iter().map(|code| code % classes as u32).collect();
    let rows: Vec<u32> = (0..codes.len() as u32).collect();
    let (train, test) = rows.split_at(table.train);
    rayon::ThreadPoolBuilder::new().num_threads(argument("--threads", 1)).build_global()?;

    let params = BoostParams::new().rounds(argument("--trees", 100)).patience(None);
    let params = params.leaves(argument("--leaves", 127));
    let params = params.check()?;
    let seed = argument("--seed", 0) as u64;
    let training = Training {
        columns: &table.columns,
        rows: train,
        codes: &codes,
        classes,
        class_weights: None,
    };
    let begin = cpu_seconds();
    let boost = params.fit(&training, seed, &|| {})?;
    let fit = cpu_seconds() - begin;

    let begin = cpu_seconds();
    let mut predicted = 0;
    let mut said = boost.predict_proba(&table.columns, test)?;
    while cpu_seconds() - begin < 1.0 {
        said = boost.predict_proba(&table.columns, test)?;
        predicted += test.len();
    }
    let rate = predicted as f64 / (cpu_seconds() - begin);
    let truth = || test.iter().map(|row| codes[*row as usize]).enumerate();
    let hits = truth().filter(|(at, code)| said.best(*at) == *code).count();
    let loss: f64 =
        truth().map(|(at, code)| -f64::from(said.row(at)[code as usize].max(1e-7)).ln()).sum();
    println!(
        "{{\"fit_cpu_s\": {fit:.3}, \"predict_rows_per_cpu_s\": {rate:.0}, \"log_loss\": {:.5}, \"accuracy\": {:.5}}}",
        loss / test.len() as f64,
        hits as f64 / test.len() as f64,
    );
    Ok(())
}
