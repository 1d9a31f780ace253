//! Grows forests of made rows at clients, and prints seconds and octets of each way as JSON.
//!
//! `federated_forest_speed [ROWS [COLUMNS [CLIENTS [TREES [BINS [DEPTH]]]]]]`; without a depth, trees grow until leaves are pure.

#![allow(clippy::print_stdout, reason = "an example tells what it measured")]

use std::error::Error;
use std::time::Instant;

use flowgait_federate::forest::{
    EdgeParams, Ground, Plain, TreeShares, central_forest, histogram_forest, pooled_forest,
    shared_edges,
};
use flowgait_federate::homes::Homes;
use flowgait_model::forest::ForestParams;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const CLASSES: usize = 6;

/// Columns of which a third tells about the class, dealt to clients by turns.
fn homes(rows: usize, columns: usize, clients: usize) -> Homes {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut number = || rng.next_u32() as f32 / u32::MAX as f32;
    let codes: Vec<u32> =
        (0..rows).map(|_| (number() * number() * CLASSES as f32 * 0.999) as u32).collect();
    let columns = (0..columns)
        .map(|column| {
            let told = if column % 3 == 0 { 0.4 } else { 0.0 };
            let centre: Vec<f32> = (0..CLASSES).map(|_| number() * 4.0 * told).collect();
            codes.iter().map(|&code| centre[code as usize] + number() + number()).collect()
        })
        .collect();
    let of_client = |client| (0..rows as u32).skip(client).step_by(clients).collect();
    let rows = (0..clients).map(of_client).collect();
    Homes { columns, codes, classes: CLASSES, rows, ..Homes::default() }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<usize> =
        std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let argument = |at: usize, or| arguments.get(at).copied().unwrap_or(or);
    let homes = homes(argument(0, 20_000), argument(1, 20), argument(2, 10));
    let params = ForestParams::new().trees(argument(3, 100));
    let params = match arguments.get(5) {
        Some(&depth) => params.depth_max(depth),
        None => params,
    };
    let params = params.check()?;
    let begin = Instant::now();
    let bins = EdgeParams { bins_max: argument(4, 255), ..EdgeParams::default() };
    let shared = shared_edges(&homes, bins, &mut Plain)?;
    let edges_s = begin.elapsed().as_secs_f64();
    let ground = Ground { homes: &homes, params: &params, edges: &shared.edges, seed: 1 };
    let begin = Instant::now();
    let central = central_forest(&ground)?;
    let central_s = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let grown = histogram_forest(&ground, &mut Plain)?;
    let histogram_s = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let pooled = pooled_forest(&ground, TreeShares::ByRows)?;
    let pooled_s = begin.elapsed().as_secs_f64();
    println!(
        "{{\"edges_s\": {edges_s:.3}, \"edges_up\": {}, \"central_s\": {central_s:.3}, \
         \"histogram_s\": {histogram_s:.3}, \"same\": {}, \"rounds\": {}, \"up\": {}, \"down\": {}, \
         \"pooled_s\": {pooled_s:.3}, \"pooled_up\": {}}}",
        shared.traffic.up,
        grown.forest == central,
        grown.rounds,
        grown.traffic.up,
        grown.traffic.down,
        pooled.traffic.up,
    );
    Ok(())
}
