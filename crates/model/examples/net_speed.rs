//! Fits the usual convolutional network on made flows and prints CPU seconds of an epoch and accuracy as JSON; writes the flows for another
//! program to learn from.
//!
//! `net_speed TABLE [--rows N] [--epochs N] [--threads N]`

#![allow(clippy::print_stdout)]

#[path = "timing/cost.rs"]
mod cost;

use std::error::Error;

use cost::{argument, cpu_seconds};
use flowgait_features::{Feature, Schema};
use flowgait_model::Training;
use flowgait_model::net::{Augmentation, NetKind, NetParams};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PACKETS: usize = 30;
const CLASSES: u32 = 6;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file to write the flows to?")?;
    let (columns, codes) = made(argument("--rows", 12_000));
    write(&path, &columns, &codes)?;
    rayon::ThreadPoolBuilder::new().num_threads(argument("--threads", 1)).build_global()?;
    let names =
        ["size", "gap"].iter().flat_map(|list| (0..PACKETS).map(move |k| format!("{list}_{k}")));
    let features = names.map(|name| Feature { name, unit: String::new() }).collect();
    let schema = Schema { name: "table".into(), features };
    let rows: Vec<u32> = (0..codes.len() as u32).collect();
    let (train, test) = rows.split_at(rows.len() * 5 / 6);
    let training = Training {
        columns: &columns,
        rows: train,
        codes: &codes,
        classes: CLASSES as usize,
        class_weights: None,
    };
    let epochs = argument("--epochs", 5);
    // As the peer, which changes no packets.
    let params = NetParams::new(NetKind::Cnn).epochs(epochs).augmentation(Augmentation::NONE);
    let begin = cpu_seconds();
    let network = params.check()?.fit(&schema, &training, 1, &|| ())?;
    let fit = cpu_seconds() - begin;
    let begin = cpu_seconds();
    let said = network.predict_proba(&columns, test)?;
    let predict = cpu_seconds() - begin;
    let right = test.iter().enumerate().filter(|&(at, &row)| said.best(at) == codes[row as usize]);
    println!(
        "{{\"epoch_cpu_s\": {:.4}, \"row_micros\": {:.2}, \"predict_rows_per_cpu_s\": {:.0}, \"parameters\": {}, \"accuracy\": {:.4}}}",
        fit / epochs as f64,
        fit * 1e6 / (epochs * train.len()) as f64,
        test.len() as f64 / predict,
        network.parameters().values().len(),
        right.count() as f64 / test.len() as f64,
    );
    Ok(())
}

/// Sizes and gaps of the first packets of flows of six classes, which differ in how large answers are and how often they come.
fn made(rows: usize) -> (Vec<Vec<f32>>, Vec<u32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut columns = vec![Vec::new(); 2 * PACKETS];
    let mut codes = Vec::with_capacity(rows);
    for _ in 0..rows {
        let class = rng.random_range(0..CLASSES);
        let packets = rng.random_range(6..=PACKETS);
        for k in 0..PACKETS {
            let answers = rng.random_bool(0.3 + 0.08 * f64::from(class));
            let large = rng.random_range(0..300 + 200 * class);
            let size = if answers {
                -f32::from(large as u16) - 60.0
            } else {
                60.0 + f32::from(large as u16 / 3)
            };
            let gap = rng.random_range(0..2_000 * (1 + class)) as f32;
            let known = k < packets;
            columns[k].push(if known { size } else { f32::NAN });
            columns[PACKETS + k].push(if known { gap } else { f32::NAN });
        }
        codes.push(class);
    }
    (columns, codes)
}

/// Rows and columns as little-endian u32, the columns as f32, the labels as u32.
fn write(path: &str, columns: &[Vec<f32>], codes: &[u32]) -> std::io::Result<()> {
    let head = [codes.len() as u32, columns.len() as u32];
    let mut octets: Vec<u8> = head.iter().flat_map(|number| number.to_le_bytes()).collect();
    octets.extend(columns.iter().flatten().flat_map(|value| value.to_le_bytes()));
    octets.extend(codes.iter().flat_map(|code| code.to_le_bytes()));
    std::fs::write(path, octets)
}
