//! `flowgait explain`: why a row got its answer.

mod gather;
mod show;

use std::path::{Path, PathBuf};

use flowgait_features::layout;
use flowgait_model::artifact::Model;
use flowgait_model::explain::{self, Explanation, Measure, Neighbour, Question};
use serde::Serialize;

use super::metering::MeterArgs;
use super::models;
use super::rows;
use super::sources::{self, FilterArgs};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;
use gather::Gathered;

/// Rows that the answer is held against: enough for a mean, few enough to be quick.
const BACKGROUND_ROWS: usize = 100;
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

    /// The seed of what is drawn: rows of large tables, and orders where the model is no forest
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
    let mut gathered = Gathered::new(&model, args.seed);
    let name = sources::name(&args.input);
    let keep_others = args.among.is_none();
    let mut bad = false;
    if sources::is_capture(&args.input) {
        let read =
            |reader| gathered.read(reader, Some(args.row), keep_others).map_err(rows::bad_input);
        let ((), account) = rows::metered(metering, model.schema(), read)?;
        bad = account.is_bad();
    } else {
        let reader = rows::open(&args.input, model.schema())?;
        gathered.read(reader, Some(args.row), keep_others)?;
    }
    if let Some(among) = &args.among {
        gathered.read(rows::open(among, model.schema())?, None, true)?;
    }
    let against = args.among.as_deref().map_or_else(|| name.clone(), sources::name);
    let why = why(args, &model, &gathered, &name, &against)?;
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

/// Why one class got what it got.
#[derive(Debug, Serialize)]
struct OfClass {
    class: String,
    /// `probability` or `margin`.
    measure: &'static str,
    base: f64,
    value: f64,
    columns: Vec<Part>,
}

/// What a column, or a list of them, did.
#[derive(Debug, Serialize)]
struct Part {
    name: String,
    unit: String,
    /// How many columns it is.
    columns: usize,
    /// The row's value, and the middle one of the rows it is held against; none for lists, and where it is missing.
    value: Option<f32>,
    usual: Option<f32>,
    contribution: f64,
    /// The standard error, where chance had a part in it.
    error: Option<f64>,
}

/// A row that is like it.
#[derive(Debug, Serialize)]
struct Alike {
    row: u64,
    label: Option<String>,
    prediction: String,
    distance: f64,
}

fn why(
    args: &Args,
    model: &Model,
    gathered: &Gathered,
    name: &str,
    against: &str,
) -> Result<Why, Failure> {
    let Some(own) = gathered.own() else {
        return Err(Failure::usage(format!(
            "{name} has {}, so there is no row {}",
            units::counted(gathered.rows_read(), "row"),
            args.row
        )));
    };
    let others = gathered.others();
    if others.is_empty() {
        return Err(Failure::work(format!("{against} has no other row to hold it against"))
            .help("Name a table with more rows by --among."));
    }
    let background = gathered.background(BACKGROUND_ROWS);
    let dataset = gathered.dataset(model);
    let said = model.predict_proba_of(&dataset, &[own])?;
    let classes = classes(args, model, said.row(0))?;
    let together = layout::together(model.schema());
    let players: Vec<Vec<usize>> = together.iter().map(|(_, columns)| columns.clone()).collect();
    let question = Question {
        columns: &dataset.columns,
        row: own,
        background: &background,
        classes: &classes,
        players: &players,
    };
    let explained = explain::explain(model.estimator(), &question, args.seed)?;
    let parts = |of: &Explanation| -> Vec<Part> {
        let part = |(at, (name, columns)): (usize, &(String, Vec<usize>))| {
            let alone = columns.len() == 1;
            let values = &dataset.columns[columns[0]];
            let value = values[own as usize];
            Part {
                name: name.clone(),
                unit: model.schema().features[columns[0]].unit.clone(),
                columns: columns.len(),
                value: (alone && !value.is_nan()).then_some(value),
                usual: if alone { gather::middle(values, &background) } else { None },
                contribution: of.contributions[at],
                error: of.errors.get(at).copied(),
            }
        };
        together.iter().enumerate().map(part).collect()
    };
    let label = |class: u32| model.classes()[class as usize].clone();
    let of_class = |(of, &class): (&Explanation, &u32)| OfClass {
        class: label(class),
        measure: match of.measure {
            Measure::Probability => "probability",
            Measure::Margin => "margin",
        },
        base: of.base,
        value: of.value,
        columns: parts(of),
    };
    let weights = weights(&explained[0], &players, dataset.columns.len());
    let found = explain::nearest(&dataset.columns, &weights, own, &others, NEIGHBOURS);
    let near: Vec<u32> = found.iter().map(|neighbour| neighbour.row).collect();
    let answers = model.predict_proba_of(&dataset, &near)?;
    let alike = |(at, neighbour): (usize, &Neighbour)| Alike {
        row: gathered.number(neighbour.row),
        label: gathered.label(neighbour.row),
        prediction: label(answers.best(at)),
        distance: neighbour.distance,
    };
    Ok(Why {
        input: name.to_owned(),
        row: args.row,
        label: gathered.label(own),
        prediction: label(said.best(0)),
        confidence: said.row(0)[said.best(0) as usize],
        against: against.to_owned(),
        against_rows: background.len(),
        classes: explained.iter().zip(&classes).map(of_class).collect(),
        neighbours: found.iter().enumerate().map(alike).collect(),
    })
}

/// The classes to explain: what was asked for, or the two likeliest.
fn classes(args: &Args, model: &Model, said: &[f32]) -> Result<Vec<u32>, Failure> {
    let Some(wanted) = &args.class else {
        let mut order: Vec<u32> = (0..said.len() as u32).collect();
        order.sort_by(|&a, &b| said[b as usize].total_cmp(&said[a as usize]).then(a.cmp(&b)));
        order.truncate(2);
        return Ok(order);
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

/// How much each column decided; a list's share is spread over its columns.
fn weights(of: &Explanation, players: &[Vec<usize>], columns: usize) -> Vec<f64> {
    let mut weights = vec![0.0; columns];
    for (contribution, player) in of.contributions.iter().zip(players) {
        player.iter().for_each(|&c| weights[c] = contribution.abs() / player.len() as f64);
    }
    weights
}

fn save(why: &Why, path: &Path) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(why).expect("the keys of every map are strings");
    output::save(path, &text)?;
    output::note(&format!("explanation: {}", path.display()));
    Ok(())
}
