//! `flowgait predict`: the input's rows, all its columns or few of them, then the prediction.

mod answers;
mod held_out;
mod sets;

use std::path::{Path, PathBuf};

use flowgait_flow::export::Format;
use flowgait_model::artifact::Model;
use flowgait_model::report::Origin;

pub use held_out::held_out;

use super::early;
use super::learning;
use super::metering::MeterArgs;
use super::models;
use super::rows::Trouble;
use super::sources::{self, FilterArgs};
use super::starter;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;
use answers::AnswerTable;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait predict tuesday.pcap -o answers.csv
  flowgait predict --model mine.fgm tuesday.pcap -o answers.csv --proba
  flowgait predict --model mine.fgm flows.parquet --unknown 0.05 -o sure.csv
  flowgait predict --model mine.fgm flows.parquet --only-predictions -o few.csv")]
pub struct Args {
    /// Tables with the model's columns, or captures, which are metered first; - is CSV on standard input
    #[arg(required = true, value_name = "TABLE|CAPTURE")]
    inputs: Vec<PathBuf>,

    /// The model: an .fgm file, or NAME or NAME@VERSION of the registry [default: the starter model, which knows little]
    #[arg(short, long, value_name = "MODEL")]
    model: Option<PathBuf>,

    /// The table to write: .csv, .csv.zst, .jsonl or .parquet; - is CSV on standard output
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    output: PathBuf,

    /// Write few columns: the number of the row, those that tell which flow it is (addresses, ports, times, ids), and the answer
    #[arg(long)]
    only_predictions: bool,

    /// Add the confidence and the three likeliest classes
    #[arg(long)]
    proba: bool,

    /// Answer as after each flow's first K packets, by a model that was fitted with --early; not with --unknown or --conformal, whose rates are of whole flows
    #[arg(long, value_name = "K", value_parser = early::packets, conflicts_with_all = ["unknown", "conformal"])]
    after: Option<usize>,

    /// Answer 'unknown' where the confidence is below this
    #[arg(long, value_name = "P")]
    reject: Option<f32>,

    /// Answer 'unknown' where an answer is more doubtful than all but this share of answers to what the model learnt (false alarms)
    #[arg(long, value_name = "A", conflicts_with = "reject")]
    unknown: Option<f64>,

    /// Add a set of labels that misses the true one in no more than this share of rows like those learnt from
    #[arg(long, value_name = "A")]
    conformal: Option<f64>,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    meter: MeterArgs,
}

/// Predicts.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    if args.reject.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
        return Err(Failure::usage("--reject takes a probability from 0 to 1"));
    }
    if !sources::is_standard_input(&args.output) && Format::of(&args.output).is_none() {
        return Err(Failure::usage(format!("Cannot tell the format of {}", args.output.display()))
            .help("Its name must end in .csv, .csv.zst, .jsonl or .parquet; - is CSV on standard output."));
    }
    sources::check_output(&args.output, args.inputs.iter().chain(&args.model))?;
    let reader = args.filter.params()?;
    if args.conformal.is_some_and(|missed| !(missed > 0.0 && missed < 1.0)) {
        return Err(Failure::usage("--conformal takes a share above 0 and below 1, such as 0.1"));
    }
    if args.unknown.is_some_and(|alarms| !(alarms > 0.0 && alarms < 1.0)) {
        return Err(Failure::usage("--unknown takes a share above 0 and below 1, such as 0.05"));
    }
    let model = match &args.model {
        Some(named) => models::load(named, &config)?,
        None => starter::model()?,
    };
    if args.after.is_some() {
        early::check(&model)?;
    }
    match &args.model {
        Some(named) => introduce(args, named, &model),
        None => starter::introduce(&model, args.reject.is_some() || args.unknown.is_some()),
    }
    let mut answers = AnswerTable::new(args, &model)?;
    let mut metering = |input: &PathBuf| {
        args.meter.metering(std::slice::from_ref(input), reader.clone(), &mut config)
    };
    let (mut bad, mut left_out) = (false, Vec::new());
    for input in &args.inputs {
        match answers.input(input, metering(input)?) {
            Ok(damaged) => bad |= damaged,
            Err(Trouble::Output(failure)) => return Err(failure),
            Err(Trouble::Input(failure)) if args.inputs.len() == 1 => return Err(failure),
            Err(Trouble::Input(failure)) => {
                output::warn(&format!("{failure}; the rest of this input is left out"));
                left_out.push(failure);
            }
        }
    }
    if left_out.len() == args.inputs.len() {
        return Err(left_out.swap_remove(0));
    }
    answers.finish()?;
    if !left_out.is_empty() {
        let (count, all) = (left_out.len() as u64, args.inputs.len() as u64);
        output::warn(&format!("{} of {all} could not be read", units::counted(count, "input")));
    }
    Ok(Outcome::from_bad(bad || !left_out.is_empty()))
}

/// Says what the model can answer at all, and whether it ever saw a network.
fn introduce(args: &Args, named: &Path, model: &Model) {
    let classes: Vec<&str> = model.classes().iter().map(String::as_str).collect();
    let otherwise = if args.reject.is_some() || args.unknown.is_some() {
        ""
    } else {
        "; whatever else it sees gets one of these too (--unknown 0.05 answers 'unknown' instead, with 5 % false alarms)"
    };
    output::note(&format!(
        "{} knows {}: {}{otherwise}",
        sources::name(named),
        units::counted(classes.len() as u64, "class"),
        learning::shortened(&classes)
    ));
    if model.card().origin == Origin::Made {
        output::warn(
            "the model learnt from made traffic only: what it says of real traffic shows that it runs, not what the traffic is",
        );
    }
}
