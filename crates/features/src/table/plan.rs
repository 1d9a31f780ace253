//! What each column of a table is for, told from the header before the first row is read.

mod origin;
mod outcome;

use std::path::{Path, PathBuf};

use super::builder::{Builder, Guess, Strangers};
use super::known::Known;
use super::source::{Source, Twin};
use super::{LeftOut, ReadParams, ReadReport, Why, check, native, spelling};
use crate::Error;
use crate::schema::{Column, FLOW_SCHEMA, Role, Schema, TABLE_SCHEMA};
use flowgait_flow::export::Kind;

/// What each column is for, by name, so that it holds for every table with these columns.
pub(super) struct Plan {
    /// The first table.
    path: PathBuf,
    native: bool,
    known: Option<Known>,
    inputs: Vec<Input>,
    /// The model's columns, when it is they that are read.
    pub(super) schema: Option<Schema>,
    label: Option<String>,
    pub(super) groups: Vec<String>,
    /// So many of `groups`, the first, must be in every table; the others are read where they are.
    groups_needed: usize,
    pub(super) time: Option<String>,
    pub(super) time_named: bool,
    /// Every column of the first table.
    header: Vec<String>,
    twins: Vec<Twin>,
}

/// What several tables have in common.
#[derive(Default)]
pub(super) struct Survey {
    /// The columns that all tables have, where there are several.
    everywhere: Option<Vec<String>>,
    /// Columns that hold times by their type in some table.
    times: Vec<String>,
}

/// A column of the table that becomes features.
struct Input {
    column: String,
    form: Form,
    /// For a model's columns: which of its features come from here, and from which of this input's columns.
    targets: Vec<(usize, usize)>,
}

enum Form {
    Number,
    List,
    OneHot(Vec<String>),
    Guess,
    /// As `Guess`, and text with many values is hashed.
    GuessHashing,
    Hash,
}

/// Where a table has the plan's columns.
pub(super) struct Places {
    pub(super) inputs: Vec<usize>,
    pub(super) label: Option<usize>,
    pub(super) groups: Vec<Option<usize>>,
    pub(super) time: Option<usize>,
}

impl Survey {
    /// Opens each of the tables.
    pub(super) fn of(paths: &[&Path]) -> Result<Self, Error> {
        let mut survey = Self::default();
        if paths.len() < 2 {
            return Ok(survey);
        }
        for path in paths {
            let source = Source::open(path)?;
            survey.times.extend(source.times().map(str::to_string));
            match &mut survey.everywhere {
                Some(names) => names.retain(|name| source.header().contains(name)),
                none => *none = Some(source.header().to_vec()),
            }
        }
        Ok(survey)
    }
}

impl Plan {
    pub(super) fn new(
        source: &Source,
        params: &ReadParams,
        survey: &Survey,
        report: &mut ReadReport,
    ) -> Result<Self, Error> {
        let header = source.header().to_vec();
        // What a table is, is told by the columns that all have.
        let everywhere = survey.everywhere.as_ref();
        let common = everywhere.unwrap_or(&header);
        let has = |name: &str| common.iter().any(|column| column == name);
        let native = native::recognise(has);
        if native {
            check::stated(source)?;
        }
        check::named(source, params, native)?;
        let time_named = params.time.is_some();
        let time = params
            .time
            .clone()
            .or_else(|| header.iter().find(|name| spelling::is_start(name)).cloned());
        let (groups, groups_needed) = groups(&header, params);
        let known = match &params.schema {
            Some(schema) => Known::of_schema(&schema.name),
            None => Known::recognise(common).filter(|_| !native),
        };
        let inputs = match &params.schema {
            Some(schema) => origin::inputs(source, schema, report)?,
            None => {
                let mut inputs = Vec::new();
                let times = source.times().chain(survey.times.iter().map(String::as_str));
                let telling = Telling { native, times: times.collect(), params };
                for name in &header {
                    if everywhere.is_some_and(|names| !names.contains(name)) {
                        leave_out(report, name, Why::NotEverywhere);
                    } else {
                        inputs.extend(input(name, &telling, report));
                    }
                }
                inputs
            }
        };
        Ok(Self {
            path: source.path().to_path_buf(),
            twins: source.twins().to_vec(),
            native,
            known,
            inputs,
            schema: params.schema.clone(),
            label: params.label.clone().filter(|_| params.labels.is_none()),
            groups,
            groups_needed,
            time,
            time_named,
            header,
        })
    }

    /// Name of the data set's schema.
    pub(super) fn schema_name(&self) -> &str {
        match &self.schema {
            Some(schema) => &schema.name,
            None if self.native => FLOW_SCHEMA,
            None => self.known.map_or(TABLE_SCHEMA, Known::schema_name),
        }
    }

    pub(super) fn builders(&self) -> Vec<Builder> {
        self.inputs
            .iter()
            .map(|input| match &input.form {
                Form::Number => Builder::Number(Vec::new()),
                Form::List => Builder::list(),
                Form::Guess => Builder::Guess(Box::default()),
                Form::GuessHashing => Builder::Guess(Box::new(Guess::hashing())),
                Form::Hash => Builder::Hash(Vec::new()),
                Form::OneHot(values) => {
                    let places = values.iter().cloned().zip(0..).collect();
                    let columns = vec![Vec::new(); values.len()];
                    Builder::OneHot { places, columns, strangers: Strangers::default() }
                }
            })
            .collect()
    }

    /// Finds the plan's columns in a table; its other columns are ignored, and said.
    pub(super) fn places(&self, source: &Source, report: &mut ReadReport) -> Result<Places, Error> {
        let header = source.header();
        let find = |name: &String| header.iter().position(|column| column == name);
        let lacks = |name: &&String| find(name).is_none();
        if let Some(label) = self.label.iter().find(lacks) {
            return Err(check::no_label(source, label));
        }
        let groups =
            self.groups[..self.groups_needed].iter().map(|name| (name, check::TO_GROUP_BY));
        let time = self.time.iter().filter(|_| self.time_named).map(|name| (name, check::TO_TIME));
        if let Some((name, asked)) = groups.chain(time).find(|(name, _)| lacks(name)) {
            return Err(check::no_column(source, name, asked));
        }
        let inputs = || self.inputs.iter().map(|input| &input.column);
        let missing: Vec<&str> = inputs().filter(lacks).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(check::missing_columns(source, &missing, inputs().count()));
        }
        let extra: Vec<&str> =
            header.iter().filter(|name| !self.header.contains(name)).map(String::as_str).collect();
        if !extra.is_empty() {
            let names = extra.join(", ");
            report.notices.push(format!(
                "{}: ignored columns that not every table has: {names}",
                source.path().display()
            ));
        }
        Ok(Places {
            inputs: self.inputs.iter().filter_map(|input| find(&input.column)).collect(),
            label: self.label.as_ref().and_then(find),
            groups: self.groups.iter().map(find).collect(),
            time: self.time.as_ref().and_then(find),
        })
    }

    /// The columns of a model's schema, in its order.
    pub(super) fn arrange(
        &self,
        builders: Vec<Builder>,
        schema: &Schema,
        rows: usize,
        report: &mut ReadReport,
    ) -> Vec<Vec<f32>> {
        let mut columns = vec![Vec::new(); schema.features.len()];
        for (input, builder) in self.inputs.iter().zip(builders) {
            let mut built = match builder {
                Builder::Number(values) => vec![values],
                Builder::List(columns) => columns,
                Builder::OneHot { columns, strangers, .. } => {
                    report.add_strangers(&input.column, strangers);
                    columns
                }
                Builder::Hash(buckets) => Builder::hashed(&buckets),
                Builder::Guess(_) => unreachable!("a model's columns are not guessed"),
            };
            for &(feature, place) in &input.targets {
                columns[feature] = std::mem::take(&mut built[place]);
            }
        }
        if let Some(known) = self.known {
            known.complete(&schema.features, &mut columns, rows);
        }
        columns
    }
}

/// The columns that say which rows belong together, and how many of them must be in every table.
fn groups(header: &[String], params: &ReadParams) -> (Vec<String>, usize) {
    let mut groups = match params.groups.is_empty() {
        true => header.iter().filter(|name| *name == "capture").cloned().collect(),
        false => params.groups.clone(),
    };
    let needed = groups.len();
    if params.beside {
        let beside = |name: &str| {
            name == "capture" || spelling::is_near_address(name) || spelling::is_far_address(name)
        };
        let more = header.iter().filter(|name| beside(name) && !groups.contains(name));
        groups.extend(more.cloned().collect::<Vec<_>>());
    }
    (groups, needed)
}

/// What tells a column's use beside its name.
struct Telling<'a> {
    native: bool,
    /// Columns that are times by their type.
    times: Vec<&'a str>,
    params: &'a ReadParams,
}

/// What a column becomes; `None` when it is left out.
fn input(name: &str, telling: &Telling<'_>, report: &mut ReadReport) -> Option<Input> {
    let &Telling { native, params, ref times } = telling;
    let named = |names: &[String]| names.iter().any(|n| n == name);
    let known = native::column(name).filter(|_| native);
    let targets = Vec::new();
    let why = if params.label.as_deref() == Some(name) {
        Some(Why::Label)
    } else if named(&params.drop) {
        Some(Why::Asked)
    } else if named(&params.keep) {
        None
    } else if let Some(column) = known {
        match column.role {
            Role::Feature => None,
            Role::Label => Some(Why::OtherLabel),
            Role::Identity | Role::Group | Role::Time => Some(Why::Identity),
        }
    } else if native {
        Some(Why::Unknown)
    } else if spelling::is_identity(name)
        || named(&params.groups)
        || params.time.as_deref() == Some(name)
    {
        Some(Why::Identity)
    } else if spelling::is_label(name) {
        Some(Why::OtherLabel)
    } else if spelling::is_row_number(name) {
        Some(Why::RowNumber)
    } else if times.contains(&name) {
        Some(Why::Time)
    } else {
        None
    };
    if let Some(why) = why {
        leave_out(report, name, why);
        return None;
    }
    let guess = if named(&params.keep) { Form::GuessHashing } else { Form::Guess };
    let form = known.filter(|column| column.role == Role::Feature).map_or(guess, form);
    Some(Input { column: name.to_string(), form, targets })
}

fn form(column: &Column) -> Form {
    if column.kind == Kind::IntegerList { Form::List } else { Form::Number }
}

fn leave_out(report: &mut ReadReport, column: &str, why: Why) {
    report.left_out.push(LeftOut { column: column.to_string(), why, first: None });
}
