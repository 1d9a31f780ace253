//! What each column of a table is for, told from the header before the first row is read.

use super::builder::{BUCKETS, Builder, Guess, Guessed};
use super::known::Known;
use super::source::Source;
use super::{
    LeftOut, ReadParams, ReadReport, Why, check, hashed_feature, missing_columns, native,
    one_hot_feature, spelling,
};
use crate::Error;
use crate::schema::{
    self, Column, DERIVED, FLOW_SCHEMA, Feature, HASHED, LIST_PLACE, ONE_HOT, Role,
    SEQUENCE_LENGTH, Schema, TABLE_SCHEMA,
};
use flowgait_flow::export::Kind;

/// What each column is for, by name, so that it holds for every table with these columns.
pub(super) struct Plan {
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

impl Plan {
    pub(super) fn new(
        source: &Source,
        params: &ReadParams,
        everywhere: Option<&[String]>,
        report: &mut ReadReport,
    ) -> Result<Self, Error> {
        let header = source.header().to_vec();
        // What a table is, is told by the columns that all have.
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
            Some(schema) => schema_inputs(source, schema, report)?,
            None => {
                let mut inputs = Vec::new();
                for name in &header {
                    if everywhere.is_some_and(|names| !names.contains(name)) {
                        leave_out(report, name, Why::NotEverywhere);
                    } else {
                        inputs.extend(input(name, native, params, report));
                    }
                }
                inputs
            }
        };
        Ok(Self {
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
                    Builder::OneHot { places, columns: vec![Vec::new(); values.len()] }
                }
            })
            .collect()
    }

    /// Finds the plan's columns in a table; its other columns are ignored, and said.
    pub(super) fn places(&self, source: &Source, report: &mut ReadReport) -> Result<Places, Error> {
        let header = source.header();
        let find = |name: &String| header.iter().position(|column| column == name);
        let wanted = || {
            let inputs = self.inputs.iter().map(|input| &input.column);
            inputs
                .chain(&self.label)
                .chain(&self.groups[..self.groups_needed])
                .chain(self.time.iter().filter(|_| self.time_named))
        };
        let missing: Vec<&str> =
            wanted().filter(|name| find(name).is_none()).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(missing_columns(source.path(), &missing, wanted().count()));
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
    ) -> Vec<Vec<f32>> {
        let mut columns = vec![Vec::new(); schema.features.len()];
        for (input, builder) in self.inputs.iter().zip(builders) {
            let mut built = match builder {
                Builder::Number(values) => vec![values],
                Builder::List(columns) | Builder::OneHot { columns, .. } => columns,
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

    /// The features that the columns became, in the order of the first table's header.
    pub(super) fn features(
        &self,
        builders: Vec<Builder>,
        rows: usize,
        report: &mut ReadReport,
    ) -> Result<(Vec<Feature>, Vec<Vec<f32>>), Error> {
        let (mut features, mut columns) = (Vec::new(), Vec::new());
        for (input, builder) in self.inputs.iter().zip(builders) {
            let name = &input.column;
            let known = native::column(name).filter(|_| self.native);
            let unit = known.map_or("", |column| column.unit).to_string();
            match builder {
                Builder::Number(values) => {
                    features.push(Feature { name: name.clone(), unit });
                    columns.push(values);
                }
                Builder::List(lists) => {
                    for (index, values) in lists.into_iter().enumerate() {
                        features
                            .push(Feature { name: format!("{name}_{index}"), unit: unit.clone() });
                        columns.push(values);
                    }
                }
                Builder::OneHot { .. } | Builder::Hash(_) => {
                    unreachable!("only a model's schema has known values")
                }
                Builder::Guess(guess) => match guess.finish()? {
                    Guessed::Number(values) => {
                        features.push(Feature { name: name.clone(), unit });
                        columns.push(values);
                    }
                    Guessed::Text(values) => {
                        report.one_hot.push((name.clone(), values.len()));
                        for (value, values) in values {
                            features.push(one_hot_feature(name, &value));
                            columns.push(values);
                        }
                    }
                    Guessed::List(lists) => {
                        for (index, values) in lists.into_iter().enumerate() {
                            let name = format!("{name}_{index}");
                            features.push(Feature { name, unit: LIST_PLACE.to_string() });
                            columns.push(values);
                        }
                    }
                    Guessed::Hashed(buckets) => {
                        report.hashed.push((name.clone(), buckets.len()));
                        for (bucket, values) in buckets.into_iter().enumerate() {
                            features.push(hashed_feature(name, bucket));
                            columns.push(values);
                        }
                    }
                    Guessed::TooMany => leave_out(report, name, Why::TooManyValues),
                    Guessed::Empty => leave_out(report, name, Why::Empty),
                },
            }
        }
        self.order_as_the_flow_table(&mut features, &mut columns);
        if let Some(known) = self.known {
            let derived = known.derived(&features);
            columns.resize(columns.len() + derived.len(), Vec::new());
            features.extend(derived);
            known.complete(&features, &mut columns, rows);
        }
        Ok((features, columns))
    }

    /// Whatever the order of a file's columns, our own features come in the schema's order, and others behind them.
    fn order_as_the_flow_table(&self, features: &mut Vec<Feature>, columns: &mut Vec<Vec<f32>>) {
        if !self.native {
            return;
        }
        let order: std::collections::HashMap<&str, usize> = schema::flow_schema()
            .features
            .iter()
            .enumerate()
            .map(|(place, feature)| (feature.name.as_str(), place))
            .collect();
        let mut both: Vec<_> = features.drain(..).zip(columns.drain(..)).collect();
        both.sort_by_key(|(feature, _)| {
            order.get(feature.name.as_str()).copied().unwrap_or(usize::MAX)
        });
        (*features, *columns) = both.into_iter().unzip();
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

/// What a column becomes; `None` when it is left out.
fn input(name: &str, native: bool, params: &ReadParams, report: &mut ReadReport) -> Option<Input> {
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
    report.left_out.push(LeftOut { column: column.to_string(), why });
}

/// Finds where a model's columns come from: a column of that name, a place of a list, or a value of a text column.
fn schema_inputs(
    source: &Source,
    schema: &Schema,
    report: &mut ReadReport,
) -> Result<Vec<Input>, Error> {
    let mut inputs: Vec<Input> = Vec::new();
    let mut missing = Vec::new();
    let mut by_column = std::collections::HashMap::new();
    let own = schema.features.iter().enumerate().filter(|(_, f)| f.unit != DERIVED);
    for (target, feature) in own {
        let Some((column, part)) = origin(source.header(), feature) else {
            missing.push(feature.name.as_str());
            continue;
        };
        let place = *by_column.entry(column).or_insert_with(|| {
            let form = match part {
                Part::Whole => Form::Number,
                Part::Place(_) => Form::List,
                Part::Value(_) => Form::OneHot(Vec::new()),
                Part::Bucket(_) => Form::Hash,
            };
            inputs.push(Input { column: column.to_string(), form, targets: Vec::new() });
            inputs.len() - 1
        });
        let input = &mut inputs[place];
        let place = match (part, &mut input.form) {
            (Part::Place(place) | Part::Bucket(place), _) => place,
            (Part::Value(value), Form::OneHot(values)) => {
                values.push(value.to_string());
                values.len() - 1
            }
            _ => 0,
        };
        input.targets.push((target, place));
    }
    if !missing.is_empty() {
        return Err(missing_columns(source.path(), &missing, schema.features.len()));
    }
    for name in source.header() {
        if !by_column.contains_key(name.as_str()) {
            leave_out(report, name, Why::Unknown);
        }
    }
    Ok(inputs)
}

/// Which part of a column a feature is.
#[derive(Clone, Copy)]
enum Part<'a> {
    Whole,
    Place(usize),
    Bucket(usize),
    Value(&'a str),
}

fn origin<'a>(header: &'a [String], feature: &'a Feature) -> Option<(&'a str, Part<'a>)> {
    let find = |name: &str| header.iter().find(|column| *column == name).map(String::as_str);
    let name = feature.name.as_str();
    if feature.unit == ONE_HOT {
        return name
            .match_indices('=')
            .find_map(|(at, _)| Some((find(&name[..at])?, Part::Value(&name[at + 1..]))));
    }
    if feature.unit == HASHED {
        let (column, bucket) = name.rsplit_once('#')?;
        let bucket = bucket.parse().ok().filter(|&bucket| bucket < BUCKETS)?;
        return Some((find(column)?, Part::Bucket(bucket)));
    }
    if let Some(column) = find(name) {
        return Some((column, Part::Whole));
    }
    let (column, place) = name.rsplit_once('_')?;
    let place: usize = place.parse().ok().filter(|&place| place < SEQUENCE_LENGTH)?;
    if feature.unit != LIST_PLACE {
        native::column(column).filter(|column| column.kind == Kind::IntegerList)?;
    }
    Some((find(column)?, Part::Place(place)))
}
