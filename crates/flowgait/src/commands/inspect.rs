//! `flowgait inspect`: what is in a capture, what was skipped and why.

use std::fmt::Write as _;
use std::path::PathBuf;

use flowgait_capture::{Block, CaptureReport};

use super::sources;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::progress::Progress;
use crate::units;

/// Up to so many captures each get their own account; more get a line each and one account of all.
const DETAILED_MAX: usize = 3;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait inspect office.pcap
  flowgait inspect --filter 'tcp port 443' *.pcapng")]
pub struct Args {
    /// Capture files (pcap or pcapng, plain, gzip or zstd); - is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,

    #[command(flatten)]
    filter: sources::FilterArgs,
}

/// Reads them all and prints the account.
pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let params = args.filter.params()?;
    let progress = Progress::octets("inspect", sources::octets(&args.captures));
    let mut reports = Vec::new();
    let mut failed = None;
    let mut block = Block::default();
    for path in &args.captures {
        let report = sources::open(path, &params, &progress).and_then(|mut reader| {
            while reader.read_block(&mut block)? {}
            Ok(reader.report())
        });
        match report {
            Ok(report) => reports.push((sources::name(path), report)),
            // With several captures, one that cannot be read does not hide the others.
            Err(failure) if args.captures.len() == 1 => return Err(failure),
            Err(failure) => {
                output::warn(&format!("{failure}"));
                failed = Some(failure);
            }
        }
    }
    progress.finish();
    let unreadable = failed.is_some();
    if let (true, Some(failure)) = (reports.is_empty(), failed.take()) {
        return Err(failure);
    }
    output::out(&text(&reports))?;
    let bad = unreadable || reports.iter().any(|(_, r)| !r.damage.is_empty());
    Ok(Outcome::from_bad(bad))
}

fn text(reports: &[(String, CaptureReport)]) -> String {
    let mut text = String::new();
    if reports.len() <= DETAILED_MAX {
        for (name, report) in reports {
            text.push_str(&account(name, report, &timeline(report)));
        }
    }
    if reports.len() > 1 {
        let mut all = CaptureReport::default();
        for (name, report) in reports {
            all.merge(report);
            if reports.len() > DETAILED_MAX {
                let _ = writeln!(text, "{}", line(name, report));
            }
        }
        text.push('\n');
        // Captures are timelines of their own: from the first of one to the last of another says nothing.
        text.push_str(&account(&format!("all {} captures", reports.len()), &all, ""));
    }
    text
}

fn line(name: &str, report: &CaptureReport) -> String {
    let skipped = report.packets_skipped();
    let links: Vec<_> = report.link_types.keys().map(ToString::to_string).collect();
    let mut line = format!(
        "{:>11} packets {:>9}  {}  {}",
        units::grouped(report.packets_read),
        units::octets(report.octets),
        name,
        links.join(", ")
    );
    if skipped > 0 {
        let _ = write!(line, ", {} skipped", units::grouped(skipped));
    }
    line
}

/// `timeline` is what is to be said of its times, if anything.
fn account(name: &str, report: &CaptureReport, timeline: &str) -> String {
    let mut rows: Vec<(usize, String, u64)> = Vec::new();
    for ((version, protocol), count) in &report.protocols {
        rows.push((2, format!("IPv{version} {}", protocol.keyword()), *count));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.2));
    rows.insert(0, (1, "used".into(), report.packets_used));
    let extras = [
        ("with a VLAN tag", report.vlan),
        ("with two VLAN tags", report.qinq),
        ("under MPLS", report.mpls),
        ("in PPPoE", report.pppoe),
        ("first fragments", report.fragments_first),
        ("later fragments, attributed", report.fragments_later),
        ("later fragments whose first is missing", report.fragments_unattributed),
        ("captured short (sizes from the headers)", report.captured_short),
    ];
    for (tunnel, count) in &report.tunnels {
        rows.push((2, format!("through {tunnel:?}"), *count));
    }
    rows.extend(
        extras.into_iter().filter(|e| e.1 > 0).map(|(what, count)| (2, what.to_owned(), count)),
    );
    rows.push((1, "skipped".into(), report.packets_skipped()));
    let mut skipped: Vec<_> =
        report.skipped.iter().map(|(why, n)| (2, why.to_string(), *n)).collect();
    skipped.sort_by_key(|row| std::cmp::Reverse(row.2));
    rows.extend(skipped);
    if report.packets_filtered > 0 {
        rows.push((1, "held back by the filter".into(), report.packets_filtered));
    }

    let mut text = format!("{name}\n");
    let links: Vec<_> = report.link_types.keys().map(ToString::to_string).collect();
    let _ = writeln!(
        text,
        "  {}, {}, {}",
        units::counted(report.packets_read, "packet"),
        units::octets(report.octets),
        if links.is_empty() { "no link type".to_owned() } else { links.join(", ") },
    );
    text.push_str(timeline);
    for (depth, what, count) in rows {
        let share =
            if report.packets_read > 0 { count as f64 / report.packets_read as f64 } else { 0.0 };
        let what = format!("{}{what}", "  ".repeat(depth));
        let _ = writeln!(text, "{what:<56} {:>12} {:>6.1} %", units::grouped(count), 100.0 * share);
    }
    if report.unknown_blocks > 0 {
        let _ = writeln!(
            text,
            "  {} of unknown types passed over",
            units::counted(report.unknown_blocks, "pcapng block")
        );
    }
    for damage in &report.damage {
        let _ = writeln!(text, "  damaged: {damage}");
    }
    text
}

/// When it begins and how long it lasts.
fn timeline(report: &CaptureReport) -> String {
    let mut text = String::new();
    if let (Some(first), Some(last)) = (report.time_first, report.time_last) {
        let lasted = u64::try_from(last.0.saturating_sub(first.0)).unwrap_or(0);
        let lasted = units::span(std::time::Duration::from_nanos(lasted));
        let _ = writeln!(text, "  from {} for {lasted}", units::utc(first.0));
    }
    if report.times_backwards > 0 {
        let _ = writeln!(
            text,
            "  the clock went back {}",
            units::counted(report.times_backwards, "time")
        );
    }
    text
}
