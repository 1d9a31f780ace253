//! What a run costs: CPU seconds of a program and its children, and its peak memory.
//!
//! Read from `/proc`, so that nothing must be installed and no code is unsafe. CPU time comes in ticks of 10 ms, which
//! is enough for runs of seconds.

use std::collections::HashMap;
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

/// CPU seconds so far of processes that go on, of all below them, and of those of them that are gone and were waited for.
pub fn so_far(roots: &[u32]) -> f64 {
    let ticks: u64 = family(roots).into_iter().filter_map(|id| Some(read_stat(id)?.ticks)).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// Processes and all below them.
pub fn family(roots: &[u32]) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: HashMap<u32, u32> =
        ids.filter_map(|id| Some((id, read_stat(id)?.parent))).collect();
    below(&parents, roots)
}

fn below(parents: &HashMap<u32, u32>, roots: &[u32]) -> Vec<u32> {
    let is_ours = |id: u32| {
        // No process has more ancestors than there are processes.
        let ancestors = std::iter::successors(Some(id), |id| parents.get(id).copied());
        ancestors.take(parents.len() + 1).any(|id| roots.contains(&id))
    };
    parents.keys().copied().filter(|&id| is_ours(id)).collect()
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
    parse_stat(&fs::read_to_string("/proc/self/stat").unwrap_or_default())
        .map_or(0, |stat| stat.children_ticks)
}

fn read_stat(process: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// What is asked of proc(5)'s `stat`.
#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    /// Its own time and that of the children it waited for.
    ticks: u64,
    children_ticks: u64,
}

/// Fields 4 and 14 to 17; the second field may hold spaces, so counting starts behind its bracket.
fn parse_stat(stat: &str) -> Option<Stat> {
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let mut times = fields.skip(9).map(|field| field.parse::<u64>().ok());
    let own = times.next()?? + times.next()??;
    let children_ticks = times.next()?? + times.next()??;
    Some(Stat { parent, ticks: own + children_ticks, children_ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 130 14 20 0 1 0";
        assert_eq!(parse_stat(stat), Some(Stat { parent: 1, ticks: 167, children_ticks: 144 }));
        assert_eq!(parse_stat("7 (a"), None);
        assert_eq!(parse_stat("7 (a) S 1 2"), None);
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

    #[test]
    fn a_family_is_a_process_and_all_below_it() {
        let parents = HashMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 9), (9, 6)]);
        let mut found = below(&parents, &[2, 5]);
        found.sort_unstable();
        assert_eq!(found, [2, 3, 4, 5]);
    }

    #[test]
    fn this_process_has_cost_something_and_is_of_its_own_family() {
        let own = std::process::id();
        assert!(family(&[own]).contains(&own));
        assert!(so_far(&[own]) >= 0.0 && so_far(&[]) == 0.0);
    }
}
