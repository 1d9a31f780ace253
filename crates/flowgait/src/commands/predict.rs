//! `flowgait predict`: the input's rows, all its columns, then the prediction.

mod limit;

use std::path::{Path, PathBuf};

use flowgait_features::table::RowReader;
use flowgait_flow::export::{CellSink, ColumnSpec, Format, Kind, RowSchema, TableWriter};
use flowgait_model::artifact::Model;
use flowgait_model::report::Origin;
use flowgait_model::{Categories, conformal};

use super::early;
use super::learning::{self, Labelled};
use super::metering::{Account, MeterArgs, Metering};
use super::models;
use super::rows::{self, METERED, Trouble, bad_input, bad_output};
use super::sources::{self, FilterArgs};
use super::starter;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;
use limit::Limit;

/// Rows predicted at a time.
const BATCH_ROWS: usize = 8_192;
/// How many of the likeliest classes `--proba` shows.
const TOP: usize = 3;
/// The answer of a model that is not sure enough.
const UNKNOWN: &str = "unknown";

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait predict tuesday.pcap -o answers.csv
  flowgait predict --model mine.fgm tuesday.pcap -o answers.csv --proba
  flowgait predict --model mine.fgm flows.parquet --unknown 0.05 -o sure.csv")]
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

    /// Add the confidence and the three likeliest classes
    #[arg(long)]
    proba: bool,

    /// Answer as after each flow's first K packets, by a model that was fitted with --early; the rates of --unknown and --conformal are of whole flows
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
    let set_from = set_from(args, &model)?;
    match &args.model {
        Some(named) => introduce(args, named, &model),
        None => starter::introduce(&model),
    }
    let limit = Limit::of(args, model.doubt())?;
    let category_limit =
        Limit::of(args, model.categories().map(Categories::doubt).or(model.doubt()))?;
    let mut answers = Answers {
        args,
        model: &model,
        set_from,
        limit,
        category_limit,
        writer: None,
        header: Vec::new(),
        rows: 0,
        unknown: 0,
        empty: 0,
    };
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

/// The least probability of a label in a set, where sets are asked for.
fn set_from(args: &Args, model: &Model) -> Result<Option<f32>, Failure> {
    let Some(missed) = args.conformal else { return Ok(None) };
    let strangeness = model.strangeness().ok_or_else(|| {
        Failure::work("The model was fitted without what sets are made by")
            .help("Fit it anew with this version.")
    })?;
    Ok(Some(strangeness.least_probability(missed)))
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

/// The table of answers being written; its header is that of the first input.
struct Answers<'a> {
    args: &'a Args,
    model: &'a Model,
    /// The least probability of a label in a set.
    set_from: Option<f32>,
    /// When the answer is "unknown", and when the category's is.
    limit: Limit,
    category_limit: Limit,
    writer: Option<TableWriter>,
    header: Vec<String>,
    rows: u64,
    unknown: u64,
    /// Rows with no value in any of the model's columns.
    empty: u64,
}

impl Answers<'_> {
    /// Answers a table or a capture; whether some of it was damaged.
    fn input(&mut self, path: &Path, metering: Metering) -> Result<bool, Trouble> {
        if sources::is_capture(path) {
            let account = self.capture(metering)?;
            output::note(&format!("{}: {}", path.display(), account.text()));
            return Ok(account.is_bad());
        }
        self.table(rows::open(path, self.model.schema()).map_err(bad_input)?, path)
    }

    fn capture(&mut self, metering: Metering) -> Result<Account, Trouble> {
        let name = Path::new(METERED);
        rows::metered(metering, self.model.schema(), |flows| self.table(flows, name))
            .map(|(_, account)| account)
    }

    /// Answers a table; whether it has columns that cannot be carried over.
    fn table(&mut self, mut reader: RowReader, path: &Path) -> Result<bool, Trouble> {
        for (column, kind) in reader.unread() {
            output::warn(&format!(
                "column '{column}' is of a type that is not read ({kind}) and not among the answers"
            ));
        }
        self.begin(reader.written_header(), path)?;
        while let Some(batch) = reader.next_batch(BATCH_ROWS).map_err(bad_input)? {
            let said = match self.args.after {
                Some(packets) => self.model.predict_proba_after(&batch.dataset, packets),
                None => self.model.predict_proba(&batch.dataset),
            };
            let said = said.map_err(bad_output)?;
            let of_categories = self.model.categories().map(|c| c.probabilities(&said));
            for row in 0..batch.rows() {
                let answer = Answer {
                    probabilities: said.row(row),
                    of_categories: of_categories
                        .as_ref()
                        .map(|of| (of.row(row), of.best(row) as usize)),
                    is_empty: batch.dataset.columns.iter().all(|column| column[row].is_nan()),
                };
                self.row(batch.cells(row), &answer).map_err(bad_output)?;
            }
        }
        let report = reader.report();
        learning::tell_strangers(report);
        if report.infinities > 0 {
            output::note(&format!(
                "{} taken as missing: infinite, or beyond 32 bits",
                units::counted(report.infinities, "value")
            ));
        }
        Ok(!reader.unread().is_empty())
    }

    fn begin(&mut self, header: &[String], path: &Path) -> Result<(), Trouble> {
        if self.writer.is_some() {
            if self.header == header {
                return Ok(());
            }
            return Err(bad_input(
                Failure::work(format!(
                    "{} has other columns than the inputs before it",
                    path.display()
                ))
                .help("Predict inputs with other columns apart."),
            ));
        }
        self.header = header.to_vec();
        let mut columns: Vec<ColumnSpec> =
            header.iter().map(|name| ColumnSpec { name: name.clone(), kind: Kind::Text }).collect();
        let mut add = |name: &str, kind| columns.push(ColumnSpec { name: name.to_owned(), kind });
        add("prediction", Kind::Text);
        if self.args.proba {
            add("confidence", Kind::Float);
            for place in 2..=TOP.min(self.model.classes().len()) {
                add(&format!("prediction_{place}"), Kind::Text);
                add(&format!("confidence_{place}"), Kind::Float);
            }
        }
        if self.model.categories().is_some() {
            let mut add =
                |name: &str, kind| columns.push(ColumnSpec { name: name.to_owned(), kind });
            add("prediction_category", Kind::Text);
            if self.args.proba {
                add("confidence_category", Kind::Float);
            }
        }
        if self.set_from.is_some() {
            columns.push(ColumnSpec { name: "prediction_set".to_owned(), kind: Kind::Text });
        }
        let schema = RowSchema { columns, ..RowSchema::default() };
        self.writer = Some(if sources::is_standard_input(&self.args.output) {
            TableWriter::stream("standard output", Box::new(std::io::stdout()), schema)
        } else {
            TableWriter::create(&self.args.output, schema).map_err(bad_output)?
        });
        Ok(())
    }

    fn row<'b>(
        &mut self,
        cells: impl Iterator<Item = &'b str>,
        answer: &Answer<'_>,
    ) -> Result<(), Failure> {
        let writer = self.writer.as_mut().expect("the header was written before any row");
        for cell in cells {
            writer.text(cell);
        }
        let Answer { probabilities, of_categories, is_empty } = *answer;
        let mut ranked: Vec<usize> = (0..probabilities.len()).collect();
        ranked.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]).then(a.cmp(&b)));
        let confidence = probabilities[ranked[0]];
        self.rows += 1;
        self.empty += u64::from(is_empty);
        if self.limit.withholds(probabilities, is_empty) {
            self.unknown += 1;
            writer.text(UNKNOWN);
        } else {
            writer.text(&self.model.classes()[ranked[0]]);
        }
        if self.args.proba {
            writer.float(confidence);
            for &class in ranked.iter().take(TOP).skip(1) {
                writer.text(&self.model.classes()[class]);
                writer.float(probabilities[class]);
            }
        }
        if let (Some(categories), Some((of_categories, best))) =
            (self.model.categories(), of_categories)
        {
            let withheld = self.category_limit.withholds(of_categories, is_empty);
            writer.text(if withheld { UNKNOWN } else { &categories.names()[best] });
            if self.args.proba {
                writer.float(of_categories[best]);
            }
        }
        if let Some(least) = self.set_from {
            let set = conformal::set(probabilities, least);
            let names: Vec<&str> = set.iter().map(|&c| self.model.classes()[c].as_str()).collect();
            writer.text(&names.join("|"));
        }
        Ok(writer.end_row()?)
    }

    fn finish(self) -> Result<(), Failure> {
        if let Some(writer) = self.writer {
            writer.finish()?;
        }
        let mut text = format!("{} predicted", units::counted(self.rows, "row"));
        if self.unknown > 0 {
            text.push_str(&format!(", {} of them unknown", units::grouped(self.unknown)));
        }
        output::note(&text);
        if self.empty > 0 {
            output::warn(&format!(
                "{} no value in any of the model's columns: what is answered there is a guess",
                if self.empty == 1 {
                    "1 row has".to_owned()
                } else {
                    format!("{} rows have", units::grouped(self.empty))
                }
            ));
        }
        Ok(())
    }
}

/// What the model says of one row.
struct Answer<'a> {
    probabilities: &'a [f32],
    /// The probabilities of the categories, and which is the likeliest.
    of_categories: Option<(&'a [f32], usize)>,
    /// Whether nothing is known of the row.
    is_empty: bool,
}

/// Answers for rows whose label is known, as a table of the label, the prediction and the confidence; gives the share that is right, in percent.
pub fn held_out(model: &Model, labelled: &Labelled, path: &Path) -> Result<f64, Failure> {
    let (dataset, labels) = (&labelled.dataset, labelled.labels());
    let said = model.predict_proba(dataset)?;
    let column = |name: &str, kind| ColumnSpec { name: name.to_owned(), kind };
    let mut columns: Vec<ColumnSpec> =
        dataset.groups.iter().map(|g| column(&g.name, Kind::Text)).collect();
    columns.extend([
        column(&labels.name, Kind::Text),
        column("prediction", Kind::Text),
        column("confidence", Kind::Float),
    ]);
    let mut writer = TableWriter::create(path, RowSchema { columns, ..RowSchema::default() })?;
    let mut right = 0;
    for row in 0..dataset.rows {
        let best = said.best(row) as usize;
        let truth = labels.text(row).unwrap_or_default();
        right += usize::from(truth == model.classes()[best]);
        for group in &dataset.groups {
            writer.text(group.text(row).unwrap_or_default());
        }
        writer.text(truth);
        writer.text(&model.classes()[best]);
        writer.float(said.row(row)[best]);
        writer.end_row()?;
    }
    writer.finish()?;
    Ok(100.0 * right as f64 / dataset.rows.max(1) as f64)
}
