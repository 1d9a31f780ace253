//! What a run costs: CPU seconds of a program and its children, and its peak memory.
//!
//! Read from `/proc`, so that nothing must be installed and no code is unsafe. CPU time comes in ticks of 10 ms, which
//! is enough for runs of seconds.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::process;

/// What one run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// User and system time of the program and of every child it waited for.
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
    /// Peak resident memory of the program itself, in MiB.
    pub memory_mib: f64,
}

/// Runs a command to its end and tells what it cost.
pub fn measure(command: &mut Command) -> Result<Cost, Error> {
    let shown = process::show(command);
    eprintln!("$ {shown}");
    let ticks_before = children_ticks();
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child =
        command.spawn().map_err(|source| Error::Start { program: shown.clone(), source })?;
    let (status, memory_kib) =
        wait(&mut child).map_err(|source| Error::Start { program: shown.clone(), source })?;
    if !status.success() {
        return Err(Error::Failed { command: shown, status });
    }
    let ticks = children_ticks().saturating_sub(ticks_before);
    Ok(Cost {
        cpu_seconds: ticks as f64 / TICKS_PER_SECOND,
        wall_seconds: start.elapsed().as_secs_f64(),
        memory_mib: memory_kib as f64 / 1024.0,
    })
}

/// `USER_HZ`: 100 on every Linux that Rust runs on by default.
const TICKS_PER_SECOND: f64 = 100.0;

/// Waits, and asks now and then how much memory the child has needed so far.
fn wait(child: &mut Child) -> std::io::Result<(std::process::ExitStatus, u64)> {
    let mut memory_kib = 0;
    loop {
        memory_kib = memory_kib.max(peak_kib(child.id()));
        if let Some(status) = child.try_wait()? {
            return Ok((status, memory_kib));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    parse_peak_kib(&status).unwrap_or_default()
}

fn parse_peak_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn children_ticks() -> u64 {
    parse_children_ticks(&fs::read_to_string("/proc/self/stat").unwrap_or_default())
        .unwrap_or_default()
}

/// Fields 16 and 17 of proc(5)'s `stat`; the second field may hold spaces, so counting starts behind its bracket.
fn parse_children_ticks(stat: &str) -> Option<u64> {
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 130 14 20 0 1 0";
        assert_eq!(parse_children_ticks(stat), Some(144));
        assert_eq!(parse_children_ticks("7 (a"), None);
        assert_eq!(parse_peak_kib("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n"), Some(2048));
        assert_eq!(parse_peak_kib("Name:\tx\n"), None);
    }

    #[test]
    fn a_program_that_works_costs_something_and_a_failing_one_is_an_error() {
        let cost = measure(
            Command::new("sh").args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]),
        );
        let cost = cost.expect("the shell counts");
        assert!(
            cost.cpu_seconds > 0.0 && cost.wall_seconds > 0.0 && cost.memory_mib > 0.0,
            "{cost:?}"
        );
        assert!(measure(Command::new("sh").args(["-c", "exit 3"])).is_err());
    }
}
