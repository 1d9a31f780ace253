//! `flowgait synth`: made traffic from a seed, with the truth about it.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flowgait_capture::ReaderParams;
use flowgait_flow::export::AtomicFile;
use flowgait_flow::label::Labeller;
use flowgait_synth::scenario::{self, Params};
use flowgait_synth::table;
use flowgait_synth::truth::Truth;

use super::flow_table::{Addresses, FlowTable};
use super::metering::{Account, MeterArgs};
use super::sources;
use crate::config::Config;
use crate::failure::{Failure, Outcome, sentence};
use crate::output;
use crate::units;

/// The table preset, which is no capture.
const FOUR_CLASSES: &str = "four-classes";

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait synth list
  flowgait synth homes -o homes.pcap --labels homes-truth.csv --flows 5000 --seed 7
  flowgait synth homes -o homes.csv      (metered at once: a table of flows with their labels)
  flowgait synth four-classes -o four.csv

Accuracy on made traffic measures the generator.")]
pub struct Args {
    /// A scenario's name; list shows them all
    scenario: String,

    /// The capture to write (pcap), or where it ends in .csv the table of its flows, metered and labelled; for four-classes the table
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Write the truth about each flow to this table
    #[arg(long, value_name = "OUT.csv")]
    labels: Option<PathBuf>,

    /// How many flows; for four-classes, rows of each client
    #[arg(long, value_name = "N")]
    flows: Option<u64>,

    /// Of a table of flows, only those that are an application's own: no look-ups of names
    #[arg(long)]
    labelled: bool,

    /// The seed; the same seed always gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// For four-classes: skew the classes of each client
    #[arg(long)]
    skewed: bool,
}

/// Makes it.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    if args.scenario == "list" {
        output::out(&list())?;
        return Ok(Outcome::Done);
    }
    let Some(out) = &args.output else {
        return Err(Failure::usage("Where should it go?")
            .help("Add -o OUT.pcap (or -o OUT.csv for four-classes)."));
    };
    if args.scenario == FOUR_CLASSES {
        return four_classes(args, out);
    }
    if out.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv")) {
        return flows(args, out, &mut config);
    }
    let truth = capture(&args.scenario, args.flows, args.seed, out)?;
    if let Some(labels) = &args.labels {
        save_truth(&truth, &sources::name(out), labels)?;
    }
    output::note(&format!(
        "{}: {} flows, {} packets, {} of made traffic",
        out.display(),
        units::grouped(truth.rows.len() as u64),
        units::grouped(truth.packets),
        units::octets(truth.octets)
    ));
    Ok(Outcome::Done)
}

/// Writes the flows of a scenario as a table with the truth as labels; the capture is put aside and forgotten.
fn flows(args: &Args, out: &Path, config: &mut Config) -> Result<Outcome, Failure> {
    let cannot = |e: std::io::Error| Failure::work("Cannot put the capture aside").because(e);
    let aside = tempfile::tempdir().map_err(cannot)?;
    let file = aside.path().join("made.pcap");
    let truth = capture(&args.scenario, args.flows, args.seed, &file)?;
    let labels = match &args.labels {
        Some(labels) => labels.clone(),
        None => aside.path().join("truth.csv"),
    };
    save_truth(&truth, &sources::name(&file), &labels)?;
    let account = metered(&file, &labels, out, args.labelled, config)?;
    output::note(&format!("{}: {} of made traffic", out.display(), account.text()));
    Ok(Outcome::Done)
}

/// Meters a capture into a table of flows with the truth as labels; of all flows, or of those only that have one.
pub fn metered(
    capture: &Path,
    truth: &Path,
    table: &Path,
    only_labelled: bool,
    config: &mut Config,
) -> Result<Account, Failure> {
    let captures = [capture.to_path_buf()];
    let metering = MeterArgs::default().metering(&captures, ReaderParams::default(), config)?;
    let mut labeller = Labeller::truth(truth)?;
    let mut table = FlowTable::create(table, Addresses::Kept)?;
    let account = metering.run(&mut |mut record| {
        labeller.label(&mut record);
        if only_labelled && record.label.is_none() { Ok(()) } else { table.push(record) }
    })?;
    table.finish()?;
    Ok(account)
}

/// Writes a scenario's capture.
pub fn capture(name: &str, flows: Option<u64>, seed: u64, out: &Path) -> Result<Truth, Failure> {
    let wrong = |error: flowgait_synth::Error| Failure::usage(sentence(&error.to_string()));
    let mut params = Params::new(
        scenario::find(name).map_err(|e| wrong(e).help("flowgait synth list shows them."))?,
    );
    params = params.seed(seed);
    if let Some(flows) = flows {
        params = params.flows(flows);
    }
    let params = params.check().map_err(wrong)?;
    save(out, |file| Ok(scenario::write(&params, file)?))
}

/// Writes the truth beside a capture.
pub fn save_truth(truth: &Truth, capture: &str, out: &Path) -> Result<(), Failure> {
    save(out, |file| Ok(truth.write_csv(capture, file)?))
}

fn save<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let cannot =
        |e: std::io::Error| Failure::work(format!("Cannot write {}", path.display())).because(e);
    let mut file = BufWriter::with_capacity(1 << 20, AtomicFile::create(path).map_err(cannot)?);
    let made = write(&mut file)?;
    let file = file.into_inner().map_err(|e| cannot(e.into_error()))?;
    file.commit().map_err(cannot)?;
    Ok(made)
}

fn list() -> String {
    let mut text = String::new();
    for (name, about) in scenario::names() {
        let _ = writeln!(text, "{name:14} {about}");
    }
    let _ = writeln!(
        text,
        "{FOUR_CLASSES:14} a table, no capture: the four overlapping classes of a simple federated demo"
    );
    text
}

fn four_classes(args: &Args, out: &Path) -> Result<Outcome, Failure> {
    let split = if args.skewed { table::Split::Skewed } else { table::Split::Iid };
    let mut params = table::Params::new().seed(args.seed).split(split);
    if let Some(rows) = args.flows {
        params = params.rows(rows);
    }
    let rows = params.check().map_err(|e| Failure::usage(sentence(&e.to_string())))?.rows();
    let mut made = 0;
    save(out, |file| Ok(table::write_csv(rows.inspect(|_| made += 1), file)?))?;
    output::note(&format!("{}: {} rows of made values", out.display(), units::grouped(made)));
    Ok(Outcome::Done)
}
