//! `flowgait meter`: captures to a table of flow records.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use flowgait_flow::export::Format;
use flowgait_flow::label::{LabelReport, Labeller, NameReport, TruthReport, TruthRow};
use flowgait_flow::pseudonym::{KEY_OCTETS_MIN, Pseudonyms};

use super::flow_table::{Addresses, Columns, FlowTable};
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

    /// Write no addresses
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
    sources::refuse_overwriting(&args.output, &args.captures)?;
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
        bad |= tell_labels(&labeller.report());
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
fn tell_labels(report: &LabelReport) -> bool {
    match report {
        LabelReport::Truth(report) => {
            tell_truth(report);
            !report.rows_unreadable.is_empty()
        }
        LabelReport::Names(report) => {
            tell_names(report);
            false
        }
    }
}

fn tell_truth(report: &TruthReport) {
    output::note(&format!(
        "labels: {} of {} flows, by {} of {} rows of truth",
        units::grouped(report.flows_labelled),
        units::grouped(report.flows),
        units::grouped(report.rows_matched),
        units::grouped(report.rows)
    ));
    if report.flows_ambiguous > 0 {
        output::note(&format!(
            "{} flows fit rows that disagree",
            units::grouped(report.flows_ambiguous)
        ));
    }
    list("rows that fit no flow", &report.rows_unmatched);
    list("rows that fit a flow as well as others that disagree", &report.rows_ambiguous);
    list("rows that cannot be read", &report.rows_unreadable);
}

fn tell_names(report: &NameReport) {
    const SHOWN: usize = 5;
    output::note(&format!(
        "labels: {} of {} flows by server name, {} by DNS, {} had no name",
        units::grouped(report.flows_by_sni),
        units::grouped(report.flows),
        units::grouped(report.flows_by_dns),
        units::grouped(report.flows_nameless)
    ));
    let mut unknown: Vec<(&String, &u64)> = report.unknown.iter().collect();
    unknown.sort_by_key(|(name, flows)| (std::cmp::Reverse(**flows), *name));
    if !unknown.is_empty() {
        let shown: Vec<String> =
            unknown.iter().take(SHOWN).map(|(name, flows)| format!("{name} ({flows})")).collect();
        output::note(&format!(
            "{} names belong to no known application, such as {}; setting labels.suffixes names a table of your own",
            units::grouped(unknown.len() as u64),
            shown.join(", ")
        ));
    }
}

fn list(what: &str, rows: &[TruthRow]) {
    const SHOWN: usize = 10;
    if rows.is_empty() {
        return;
    }
    output::note(&format!("{} {what}:", units::grouped(rows.len() as u64)));
    for row in rows.iter().take(SHOWN) {
        output::note(&format!("  line {}: {}", row.line, row.text));
    }
    if rows.len() > SHOWN {
        output::note(&format!("  and {} more", rows.len() - SHOWN));
    }
}
