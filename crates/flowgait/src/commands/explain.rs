//! `flowgait explain`: why a row got its answer.

mod show;

use std::path::{Path, PathBuf};

use flowgait_model::answers;
use flowgait_model::artifact::Model;
use flowgait_model::why::{Alike, Gathered, Held, OfClass, Others};
use serde::Serialize;

use super::metering::MeterArgs;
use super::models;
use super::rows;
use super::sources::{self, FilterArgs};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;

/// Rows that are shown as most alike.
const NEIGHBOURS: usize = 5;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait explain --model mine.fgm tuesday.csv --row 17
  flowgait explain --model mine.fgm tuesday.pcap --row 3 --among monday.csv -o why.json

A row's answer is held against what other rows get on average: each column is given its share of the difference (Shapley values, exact \
for forests and boosting). Numbered columns, such as the sizes of the first packets, count as one.")]
pub struct Args {
    /// A table with the model's columns, or a capture, which is metered first
    #[arg(value_name = "TABLE|CAPTURE")]
    input: PathBuf,

    /// The model: an .fgm file, or NAME or NAME@VERSION of the registry
    #[arg(short, long, value_name = "MODEL")]
    model: PathBuf,

    /// Which row: 1 is the first below the header, or the first flow
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row: u64,

    /// Hold the row against this table, such as the one the model learnt from, and look for rows like it there [default: the input]
    #[arg(long, value_name = "TABLE")]
    among: Option<PathBuf>,

    /// Explain this answer [default: the one that was given, and the next likeliest]
    #[arg(long, value_name = "LABEL")]
    class: Option<String>,

    /// How many columns to show for and against
    #[arg(long, value_name = "N", default_value_t = 8)]
    top: usize,

    /// Write all of it as JSON
    #[arg(short, long, value_name = "WHY.json")]
    output: Option<PathBuf>,

    /// The seed of orders that are drawn where the model is neither a forest nor boosting
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    meter: MeterArgs,
}

/// Explains.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    if args.output.as_ref().is_some_and(|path| path.extension().is_none_or(|e| e != "json")) {
        return Err(Failure::usage("An explanation is written as JSON: its name ends in .json"));
    }
    let model = models::load(&args.model, &config)?;
    let metering = args.meter.metering(
        std::slice::from_ref(&args.input),
        args.filter.params()?,
        &mut config,
    )?;
    let mut gathered = Gathered::new(&model);
    let name = sources::name(&args.input);
    let others = if args.among.is_none() { Others::Spread } else { Others::None };
    let mut bad = false;
    if sources::is_capture(&args.input) {
        let read = |reader| gathered.read(reader, Some(args.row), others).map_err(rows::bad_input);
        let ((), account) = rows::metered(metering, model.schema(), read)?;
        bad = account.is_bad();
    } else {
        let reader = rows::open(&args.input, model.schema())?;
        gathered.read(reader, Some(args.row), others)?;
    }
    if let Some(among) = &args.among {
        gathered.read(rows::open(among, model.schema())?, None, Others::Spread)?;
    }
    let against = args.among.as_deref().map_or_else(|| name.clone(), sources::name);
    let rows_read = gathered.rows_read();
    let held = gathered.held(&model).ok_or_else(|| {
        Failure::usage(format!(
            "{name} has {}, so there is no row {}",
            units::counted(rows_read, "row"),
            args.row
        ))
    })?;
    let why = why(args, &model, &held, &name, &against)?;
    output::out(&show::text(&why, args.top, output::terminal_width()))?;
    if let Some(path) = &args.output {
        save(&why, path)?;
    }
    Ok(Outcome::from_bad(bad))
}

/// Everything that is said about a row.
#[derive(Debug, Serialize)]
struct Why {
    /// The input's name and the row's number.
    input: String,
    row: u64,
    /// The row's own label, where the input has one.
    label: Option<String>,
    /// The answer and how sure it is.
    prediction: String,
    confidence: f32,
    /// What the row is held against: its name and number of rows.
    against: String,
    against_rows: usize,
    classes: Vec<OfClass>,
    neighbours: Vec<Alike>,
}

fn why(args: &Args, model: &Model, held: &Held, name: &str, against: &str) -> Result<Why, Failure> {
    if held.is_alone() {
        return Err(Failure::work(format!("{against} has no other row to hold it against"))
            .help("Name a table with more rows by --among."));
    }
    let said = held.said(model)?;
    let classes = held.why(model, &classes(args, model, &said)?, args.seed, &|| true)?;
    let best = answers::ranked(&said, 1)[0];
    Ok(Why {
        input: name.to_owned(),
        row: args.row,
        label: held.label().map(str::to_owned),
        prediction: model.classes()[best].clone(),
        confidence: said[best],
        against: against.to_owned(),
        against_rows: held.background_rows(),
        neighbours: held.alike(model, &classes[0], NEIGHBOURS)?,
        classes,
    })
}

/// The classes to explain: what was asked for, or the two likeliest.
fn classes(args: &Args, model: &Model, said: &[f32]) -> Result<Vec<u32>, Failure> {
    let Some(wanted) = &args.class else {
        return Ok(answers::ranked(said, 2).into_iter().map(|class| class as u32).collect());
    };
    match model.classes().iter().position(|class| class == wanted) {
        Some(class) => Ok(vec![class as u32]),
        None => {
            let known: Vec<&str> = model.classes().iter().map(String::as_str).collect();
            Err(Failure::usage(format!("The model knows no '{wanted}'"))
                .help(format!("It knows {}.", super::learning::shortened(&known))))
        }
    }
}

fn save(why: &Why, path: &Path) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(why).expect("the keys of every map are strings");
    output::save(path, &text)?;
    output::note(&format!("explanation: {}", path.display()));
    Ok(())
}
