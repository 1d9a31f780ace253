//! Octets a flow takes in the meter: resident memory with 200,000 flows in the table, as the operating system counts it.
//!
//! `cargo bench -p flowgait-flow --bench memory`. Only where there is `/proc`.
#![expect(clippy::print_stdout, reason = "a bench tells its figure")]

use std::convert::Infallible;
use std::time::Duration;

use flowgait_flow::{FlowRecord, Meter, MeterParams};

mod stream;

const PACKETS: usize = 2_400_000;

fn main() {
    let day = Duration::from_secs(86_400);
    let params = MeterParams::new().idle_timeout(day).linger(day).check().expect("these can be");
    let mut meter = Meter::new(&params);
    let mut flows = 0_u64;
    let mut emit = |_: FlowRecord| {
        flows += 1;
        Ok::<(), Infallible>(())
    };
    let mut blocks = stream::stream(PACKETS, 1_000).peekable();
    blocks.peek();
    let before = resident();
    for mut block in blocks {
        let Ok(()) = meter.block(&mut block, &mut emit);
    }
    let after = resident();
    let Ok(()) = meter.finish(&mut emit);
    let packets = meter.report().packets;
    match before.zip(after) {
        Some((before, after)) => println!(
            "{} octets a flow: {flows} flows of {:.1} packets",
            (after - before) / flows,
            packets as f64 / flows as f64
        ),
        None => println!("skipped: no /proc/self/status"),
    }
}

/// Octets of resident memory.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1_024)
}
