//! Tables in files: ours and anybody's, in CSV, CSV.zst, JSONL, Parquet and ARFF, as data sets.
//!
//! Sketch: a row of our table is some 2 kB of CSV; finding its cells and reading 385 numbers takes about 10 µs.

mod builder;
mod cell;
mod check;
pub mod foreign;
pub mod glance;
mod known;
mod labels;
pub mod native;
mod plan;
mod report;
mod rows;
mod source;
pub mod spelling;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::dataset::{CodesBuilder, Dataset};
use crate::schema::Schema;
use builder::{Builder, Place};
use labels::Labels;
use plan::{Plan, Survey};
use source::Source;

pub use report::{LeftOut, List, ReadReport, UnknownText, Why};
pub use rows::{Batch, RowReader};

/// What to read of a table, and as what.
#[derive(Clone, Debug, Default)]
pub struct ReadParams {
    /// The column that says what a row is; rows without it are counted and left out.
    pub label: Option<String>,
    /// A file that has the labels, joined by the columns that it has in common with the tables, or row by row where there are none.
    pub labels: Option<PathBuf>,
    /// Columns that say which rows belong together; `capture` when none is named and it is there.
    pub groups: Vec<String>,
    /// Whether to read the capture and the addresses of both ends too, where the table has them: for splitting by capture and client whatever
    /// groups were named, and for telling how far the address alone would lead. They stand behind the other groups.
    pub beside: bool,
    /// The column with each row's start; one in a known spelling when none is named and it can be read.
    pub time: Option<String>,
    /// What becomes of a row whose time is missing.
    pub untimed: Untimed,
    /// Columns that become inputs although they are identity, a label or text.
    pub keep: Vec<String>,
    /// Columns that do not become inputs.
    pub drop: Vec<String>,
    /// The columns of a model: exactly these are read, in this order, and it is an error when one is missing.
    pub schema: Option<Schema>,
}

/// What becomes of a row whose time is missing, where a column has times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Untimed {
    /// A column that was named may lack none; one that was only guessed to be the time is given up at the first that is missing.
    #[default]
    Refuse,
    /// It is counted and left out: what comes next goes by time.
    LeaveOut,
}

/// Reads tables one below the other, their columns matched by name, in any order. Without a schema, columns that some table lacks are left
/// out.
///
/// # Errors
/// Any [`Error`] but [`Error::Split`]; a cell that cannot be read is told with file, row and column.
pub fn read(paths: &[&Path], params: &ReadParams) -> Result<(Dataset, ReadReport), Error> {
    let mut reading: Option<Reading> = None;
    let survey = Survey::of(paths)?;
    for path in paths {
        let mut source = Source::open(path)?;
        let reading = match &mut reading {
            Some(reading) => reading,
            empty => empty.insert(Reading::new(&source, params, &survey)?),
        };
        reading.take(&mut source)?;
    }
    if let Some(labels) = reading.as_mut().and_then(|reading| reading.labels.take()) {
        labels.check_all_used()?;
        if let Some(reading) = &mut reading {
            reading.tell_of(&labels);
        }
    }
    let list =
        || paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    reading
        .ok_or_else(|| Error::NoRows { paths: "no table".to_string(), why: String::new() })?
        .finish(list)
}

/// A text as a time, in microseconds since 1970, as the cells of a table are read: `2026-11-21T08:00:00Z`, or a number since 1970 whose size
/// tells whether it counts seconds, milliseconds, microseconds or nanoseconds.
#[must_use]
pub fn time_micros(text: &str) -> Option<i64> {
    cell::Cell::Text(text).time_micros()
}

/// The columns of a schema out of a data set, by name, whatever their order; and the names of those that the schema does not have.
///
/// # Errors
/// [`Error::MissingColumns`] when the data set lacks one.
pub fn align(dataset: Dataset, schema: &Schema) -> Result<(Dataset, Vec<String>), Error> {
    let mut found: Vec<Option<Vec<f32>>> = dataset.columns.into_iter().map(Some).collect();
    let (mut columns, mut missing) = (Vec::new(), Vec::new());
    for feature in &schema.features {
        match dataset.schema.position(&feature.name).and_then(|place| found[place].take()) {
            Some(column) => columns.push(column),
            None => missing.push(feature.name.as_str()),
        }
    }
    if !missing.is_empty() {
        let told = |name: &&str| (*name).to_string();
        let path = Path::new("the data set");
        return Err(missing_columns(path, &missing, schema.features.len(), told));
    }
    let extra = dataset
        .schema
        .features
        .into_iter()
        .zip(&found)
        .filter(|(_, column)| column.is_some())
        .map(|(feature, _)| feature.name)
        .collect();
    Ok((Dataset { schema: schema.clone(), columns, ..dataset }, extra))
}

fn missing_columns(
    path: &Path,
    missing: &[&str],
    needed: usize,
    told: impl Fn(&&str) -> String,
) -> Error {
    const SHOWN: usize = 10;
    let mut names = missing.iter().take(SHOWN).map(told).collect::<Vec<_>>().join(", ");
    if missing.len() > SHOWN {
        names.push_str(", …");
    }
    Error::MissingColumns { path: path.to_path_buf(), count: missing.len(), needed, names }
}

/// Tables on their way into a data set.
struct Reading {
    plan: Plan,
    builders: Vec<Builder>,
    label: Option<(String, CodesBuilder)>,
    labels: Option<Labels>,
    groups: Vec<(String, CodesBuilder)>,
    times: Option<Vec<i64>>,
    untimed: Untimed,
    rows: usize,
    report: ReadReport,
}

impl Reading {
    fn new(source: &Source, params: &ReadParams, survey: &Survey) -> Result<Self, Error> {
        let mut report = ReadReport::default();
        let plan = Plan::new(source, params, survey, &mut report)?;
        let labels = match (&params.labels, &params.label) {
            (Some(path), Some(label)) => Some(Labels::read(path, label, source.header())?),
            _ => None,
        };
        report.notices.extend(labels.as_ref().map(Labels::told));
        report.schema = plan.schema_name().to_string();
        let builders = plan.builders();
        let label = params.label.clone().map(|name| (name, CodesBuilder::default()));
        let groups =
            plan.groups.iter().map(|name| (name.clone(), CodesBuilder::default())).collect();
        let times = plan.time.is_some().then(Vec::new);
        let untimed = params.untimed;
        Ok(Self { plan, builders, label, labels, groups, times, untimed, rows: 0, report })
    }

    fn take(&mut self, source: &mut Source) -> Result<(), Error> {
        let before = self.rows;
        let places = self.plan.places(source, &mut self.report)?;
        self.report.notices.append(&mut source.notices);
        let joined_by = match &self.labels {
            Some(labels) => labels.places(source)?,
            None => Vec::new(),
        };
        while source.advance()? {
            self.report.rows += 1;
            let text = match (&self.label, &mut self.labels, places.label) {
                (Some(_), Some(labels), _) => {
                    labels.of(joined_by.iter().map(|&place| source.cell(place))).map(Cow::Owned)
                }
                (Some(_), None, Some(place)) => source.cell(place).text(),
                _ => None,
            };
            if self.label.is_some() && text.is_none() {
                self.report.rows_unlabelled += 1;
                continue;
            }
            if self.is_untimed(source, places.time) {
                self.report.rows_untimed += 1;
                continue;
            }
            if let Some((_, codes)) = &mut self.label {
                codes.push(text.as_deref());
            }
            for (&place, (_, codes)) in places.groups.iter().zip(&mut self.groups) {
                codes.push(place.and_then(|place| source.cell(place).text()).as_deref());
            }
            self.take_time(source, places.time)?;
            push_cells(source, &places.inputs, &mut self.builders, &mut self.report.infinities)?;
            self.rows += 1;
        }
        self.report.rows_used.push((self.rows - before) as u64);
        Ok(())
    }

    /// Whether the row is to be left out because its time is missing.
    fn is_untimed(&self, source: &Source, place: Option<usize>) -> bool {
        let left_out = self.untimed == Untimed::LeaveOut && self.times.is_some();
        left_out && place.is_some_and(|place| source.cell(place).text().is_none())
    }

    /// A named time column must be readable; one that was only guessed to be the time is given up at its first other cell.
    fn take_time(&mut self, source: &Source, place: Option<usize>) -> Result<(), Error> {
        let (Some(number), Some(times)) = (place, &mut self.times) else { return Ok(()) };
        let cell = source.cell(number);
        if let Some(micros) = cell.time_micros() {
            times.push(micros);
            return Ok(());
        }
        let error = Place { source, number }
            .error(&cell, "a time (seconds since 1970, or 2026-11-21T08:00:00Z)");
        if self.plan.time_named {
            return Err(error);
        }
        self.report.notices.push(format!("no times: {error}"));
        self.times = None;
        Ok(())
    }

    /// Says how many rows the file of labels did not serve.
    fn tell_of(&mut self, labels: &Labels) {
        let mut tell = |count: u64, one: &str, more: &str| match count {
            0 => {}
            1 => self.report.notices.push(format!("1 row {one}")),
            _ => self.report.notices.push(format!("{count} rows {more}")),
        };
        let unmatched = "found no label in the file of labels";
        tell(labels.unmatched, unmatched, unmatched);
        tell(
            labels.ambiguous,
            "has several labels in it, so none",
            "have several labels in it, so none",
        );
    }

    fn finish(mut self, paths: impl Fn() -> String) -> Result<(Dataset, ReadReport), Error> {
        if self.rows == 0 {
            let why = match (self.report.rows_unlabelled, self.report.rows_untimed) {
                (0, 0) => String::new(),
                (rows, 0) => format!(" with a label ({rows} without)"),
                (0, rows) => format!(" with a time ({rows} without)"),
                (unlabelled, untimed) => format!(
                    " with a label and a time ({unlabelled} without a label, {untimed} without a time)"
                ),
            };
            return Err(Error::NoRows { paths: paths(), why });
        }
        let (features, columns) = match self.plan.schema.take() {
            Some(schema) => {
                let columns =
                    self.plan.arrange(self.builders, &schema, self.rows, &mut self.report);
                (schema.features, columns)
            }
            None => self.plan.features(self.builders, self.rows, &mut self.report)?,
        };
        if features.is_empty() {
            let why = self.report.why_nothing();
            return Err(Error::NoFeatures { path: PathBuf::from(paths()), why });
        }
        let name = self.report.schema.clone();
        let dataset = Dataset {
            schema: Schema { name, features },
            columns,
            labels: self.label.map(|(name, codes)| codes.finish(&name)),
            groups: self.groups.into_iter().map(|(name, codes)| codes.finish(&name)).collect(),
            times: self.times,
            rows: self.rows,
        };
        Ok((dataset, self.report))
    }
}

/// Gives the row's cells to the builders.
fn push_cells(
    source: &Source,
    places: &[usize],
    builders: &mut [Builder],
    infinities: &mut u64,
) -> Result<(), Error> {
    for (&number, builder) in places.iter().zip(builders) {
        builder.push(&source.cell(number), &Place { source, number }, infinities)?;
    }
    Ok(())
}
