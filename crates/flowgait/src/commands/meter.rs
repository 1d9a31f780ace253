//! `flowgait meter`: captures to a table of flow records.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use flowgait_flow::export::Format;
use flowgait_flow::label::{LabelReport, Labeller, NameReport, TruthReport, TruthRow};
use flowgait_flow::pseudonym::{KEY_OCTETS_MIN, Pseudonyms};

use super::flow_table::{Addresses, Columns, FlowTable, is_address};
use super::metering::MeterArgs;
use super::sources::{self, FilterArgs};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait meter office.pcap -o flows.csv --label-by sni
  flowgait meter mon.pcap.gz tue.pcap.gz -o flows.parquet --labels truth.csv --no-addresses

docs/FEATURES.md defines every column. The same captures give the same bytes for any number of threads.")]
pub struct Args {
    /// Capture files (pcap or pcapng, plain, gzip or zstd); - is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,

    /// The table to write: .csv, .csv.zst, .jsonl or .parquet; - is CSV on standard output
    #[arg(short, long, value_name = "FLOWS")]
    output: PathBuf,

    /// The columns to write
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    schema: Columns,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    meter: MeterArgs,

    /// Name the flows by a table of truth: capture, transport, both ends, start, application, category
    #[arg(long, value_name = "TRUTH.csv", help_heading = "Labels", conflicts_with = "label_by")]
    labels: Option<PathBuf>,

    /// Name the flows by the server name of their handshake, else by DNS answers seen before them
    #[arg(long, value_name = "sni", help_heading = "Labels")]
    label_by: Option<LabelBy>,

    /// Write pseudonyms of addresses, that keep prefixes, under the key in this file
    #[arg(long, value_name = "KEYFILE", help_heading = "Privacy", conflicts_with = "no_addresses")]
    pseudonyms: Option<PathBuf>,

    /// Write no addresses; server names, DNS names and JA4 stay
    #[arg(long, help_heading = "Privacy")]
    no_addresses: bool,
}

/// What names a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LabelBy {
    /// Server name, else DNS name
    Sni,
}

/// Meters them.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    if !sources::is_standard_input(&args.output) && Format::of(&args.output).is_none() {
        return Err(Failure::usage(format!("Cannot tell the format of {}", args.output.display()))
            .help("Its name must end in .csv, .csv.zst, .jsonl or .parquet; - is CSV on standard output."));
    }
    sources::check_output(&args.output, args.captures.iter().chain(&args.labels))?;
    let metering = args.meter.metering(&args.captures, args.filter.params()?, &mut config)?;
    let mut labeller = args.labeller(&config)?;
    let addresses = args.addresses()?;
    let mut table = FlowTable::create_as(&args.output, args.schema, labeller.is_some(), addresses)?;
    let account = metering.run(&mut |mut record| {
        if let Some(labeller) = &mut labeller {
            labeller.label(&mut record);
        }
        table.push(record)
    })?;
    table.finish()?;
    output::note(&account.text());
    let mut bad = account.is_bad();
    if let Some(labeller) = labeller {
        bad |= tell_labels(&labeller.report(), args.hides_ends());
    }
    Ok(Outcome::from_bad(bad))
}

impl Args {
    fn labeller(&self, config: &Config) -> Result<Option<Labeller>, Failure> {
        if let Some(path) = &self.labels {
            return Ok(Some(Labeller::truth(path)?));
        }
        let Some(LabelBy::Sni) = self.label_by else { return Ok(None) };
        let own =
            Some(config.text("labels.suffixes")).filter(|path| !path.is_empty()).map(Path::new);
        Ok(Some(Labeller::names(own)?))
    }

    /// Whether the ends of flows are nobody's business.
    fn hides_ends(&self) -> bool {
        self.no_addresses || self.pseudonyms.is_some()
    }

    fn addresses(&self) -> Result<Addresses, Failure> {
        match &self.pseudonyms {
            Some(path) => Ok(Addresses::Pseudonyms(Box::new(key(path)?))),
            None if self.no_addresses => Ok(Addresses::Absent),
            None => Ok(Addresses::Kept),
        }
    }
}

fn key(path: &Path) -> Result<Pseudonyms, Failure> {
    let secret = std::fs::read(path)
        .map_err(|e| Failure::usage(format!("Cannot read the key {}", path.display())).because(e))
        .map_err(|f| {
            f.help(format!("Make one: head -c {KEY_OCTETS_MIN} /dev/urandom > {}", path.display()))
        })?;
    Pseudonyms::new(&secret).ok_or_else(|| {
        Failure::usage(format!("The key {} has {} octets", path.display(), secret.len())).help(format!(
            "It needs at least {KEY_OCTETS_MIN} random ones: head -c {KEY_OCTETS_MIN} /dev/urandom > {}",
            path.display()
        ))
    })
}

/// Says what found a label and what did not; whether something of the truth table was bad.
fn tell_labels(report: &LabelReport, hides_ends: bool) -> bool {
    match report {
        LabelReport::Truth(report) => {
            tell_truth(report, hides_ends);
            let fits_nothing = report.rows > 0 && report.flows_labelled == 0;
            fits_nothing || !report.rows_unreadable.is_empty()
        }
        LabelReport::Names(report) => {
            tell_names(report, hides_ends);
            false
        }
    }
}

fn tell_truth(report: &TruthReport, hides_ends: bool) {
    output::note(&format!(
        "labels: {} of {} flows, by {} of {} rows of truth",
        units::grouped(report.flows_labelled),
        units::grouped(report.flows),
        units::grouped(report.rows_matched),
        units::grouped(report.rows)
    ));
    if report.flows_ambiguous > 0 {
        let fit = if report.flows_ambiguous == 1 { "fits" } else { "fit" };
        output::note(&format!(
            "{} {fit} rows that disagree",
            units::counted(report.flows_ambiguous, "flow")
        ));
    }
    if report.flows_labelled == 0 && report.rows > 0 {
        output::warn(
            "no row of the truth table fits any flow: its column capture must name the capture's file, without folders, or be empty",
        );
    }
    list("rows that fit no flow", &report.rows_unmatched, hides_ends);
    list(
        "rows that fit a flow as well as others that disagree",
        &report.rows_ambiguous,
        hides_ends,
    );
    list("rows that cannot be read", &report.rows_unreadable, hides_ends);
}

fn tell_names(report: &NameReport, hides_ends: bool) {
    const SHOWN: usize = 5;
    let named = report.flows_by_sni + report.flows_by_dns + report.flows_nameless;
    output::note(&format!(
        "labels: {} of {} flows by server name, {} by DNS, {} had a name that says nothing, {} had none",
        units::grouped(report.flows_by_sni),
        units::grouped(report.flows),
        units::grouped(report.flows_by_dns),
        units::grouped(report.flows.saturating_sub(named)),
        units::grouped(report.flows_nameless)
    ));
    let mut unknown: Vec<(&String, &u64)> = report.unknown.iter().collect();
    unknown.sort_by_key(|(name, flows)| (std::cmp::Reverse(**flows), *name));
    if !unknown.is_empty() {
        let shown = unknown.iter().filter(|(name, _)| !hides_ends && !is_address(name));
        let shown: Vec<String> =
            shown.take(SHOWN).map(|(name, flows)| format!("{name} ({flows})")).collect();
        let such = if shown.is_empty() {
            String::new()
        } else {
            format!(", such as {}", shown.join(", "))
        };
        output::note(&format!(
            "{} to no known application{such}; setting labels.suffixes names a table of your own",
            if unknown.len() == 1 {
                "1 name belongs".to_owned()
            } else {
                format!("{} names belong", units::grouped(unknown.len() as u64))
            },
        ));
    }
}

/// Rows of the person's own truth table; by their lines alone where ends are not to be shown.
fn list(what: &str, rows: &[TruthRow], hides_ends: bool) {
    const SHOWN: usize = 10;
    if rows.is_empty() {
        return;
    }
    output::note(&format!("{} {what}:", units::grouped(rows.len() as u64)));
    for row in rows.iter().take(SHOWN) {
        let text = if hides_ends { String::new() } else { format!(": {}", row.text) };
        output::note(&format!("  line {}{text}", row.line));
    }
    if rows.len() > SHOWN {
        output::note(&format!("  and {} more", rows.len() - SHOWN));
    }
}
