//! Packets a second through the meter, on made blocks.
//!
//! `cargo bench -p flowgait-flow --bench meter`. The stream is made from a seed before the clock starts: flows of 12 packets on the
//! average (half of them 1 to 6, one in twenty above 60), 1,000 of them alive at a time in `few` and 100,000 in `many`.

use std::convert::Infallible;

use divan::Bencher;
use divan::counter::ItemsCount;
use flowgait_capture::Block;
use flowgait_flow::{FlowRecord, Meter, MeterParams};

const PACKETS: usize = 500_000;

mod stream;

use stream::stream;

fn main() {
    divan::main();
}

fn run(blocks: &mut [Block], threads: usize) -> u64 {
    let params = MeterParams::new().threads(threads).check().expect("these can be");
    let mut meter = Meter::new(&params);
    let mut sum = 0;
    let mut emit = |flow: FlowRecord| {
        sum += flow.both.octets.sum;
        Ok::<(), Infallible>(())
    };
    for block in blocks {
        let Ok(()) = meter.block(block, &mut emit);
    }
    let Ok(()) = meter.finish(&mut emit);
    sum
}

fn bench(bencher: Bencher<'_, '_>, alive: usize, threads: usize) {
    let blocks: Vec<Block> = stream(PACKETS, alive).collect();
    let copy = || {
        let copy = |b: &Block| Block { bytes: b.bytes.clone(), packets: b.packets.clone() };
        blocks.iter().map(copy).collect::<Vec<_>>()
    };
    bencher
        .counter(ItemsCount::new(PACKETS))
        .with_inputs(copy)
        .bench_local_refs(|blocks| run(blocks, threads));
}

#[divan::bench(args = [1, 2], sample_count = 5, sample_size = 1)]
fn few(bencher: Bencher<'_, '_>, threads: usize) {
    bench(bencher, 1_000, threads);
}

#[divan::bench(args = [1, 2], sample_count = 5, sample_size = 1)]
fn many(bencher: Bencher<'_, '_>, threads: usize) {
    bench(bencher, 100_000, threads);
}
