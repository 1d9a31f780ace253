//! Where a model's columns come from in a table: a column of that name, a place of a list, or a value of a text column.

use std::collections::{HashMap, HashSet};

use super::{Form, Input, leave_out};
use crate::Error;
use crate::schema::{DERIVED, Feature, HASHED, LIST_PLACE, ONE_HOT, SEQUENCE_LENGTH, Schema};
use crate::table::builder::BUCKETS;
use crate::table::source::Source;
use crate::table::{ReadReport, Why, check, native};
use flowgait_flow::export::Kind;

/// Which part of a column a feature is.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    Whole,
    Place(usize),
    Bucket(usize),
    Value(&'a str),
}

/// The inputs that a model's columns are read from.
pub(super) fn inputs(
    source: &Source,
    schema: &Schema,
    report: &mut ReadReport,
) -> Result<Vec<Input>, Error> {
    let mut inputs: Vec<Input> = Vec::new();
    let (mut missing, mut seen) = (Vec::new(), HashSet::new());
    let mut by_column = HashMap::new();
    let own = schema.features.iter().enumerate().filter(|(_, f)| f.unit != DERIVED);
    for (target, feature) in own {
        if !seen.insert(&feature.name) {
            return Err(Error::RepeatedFeature { feature: feature.name.clone() });
        }
        let Some((column, part)) = origin(source.header(), feature) else {
            missing.push(feature.name.as_str());
            continue;
        };
        let place = *by_column.entry(column).or_insert_with(|| {
            inputs.push(Input {
                column: column.to_string(),
                form: form(part),
                targets: Vec::new(),
            });
            inputs.len() - 1
        });
        let input = &mut inputs[place];
        let place = match (part, &mut input.form) {
            (Part::Whole, Form::Number) => 0,
            (Part::Place(place), Form::List) | (Part::Bucket(place), Form::Hash) => place,
            (Part::Value(value), Form::OneHot(values)) => {
                values.push(value.to_string());
                values.len() - 1
            }
            // A column is one thing: this one cannot be what the model means.
            _ => {
                missing.push(feature.name.as_str());
                continue;
            }
        };
        if input.targets.iter().any(|&(_, taken)| taken == place) {
            return Err(Error::RepeatedFeature { feature: feature.name.clone() });
        }
        input.targets.push((target, place));
    }
    if !missing.is_empty() {
        return Err(check::missing_columns(source, &missing, schema.features.len()));
    }
    for name in source.header() {
        if !by_column.contains_key(name.as_str()) {
            leave_out(report, name, Why::Unknown);
        }
    }
    Ok(inputs)
}

fn form(part: Part<'_>) -> Form {
    match part {
        Part::Whole => Form::Number,
        Part::Place(_) => Form::List,
        Part::Value(_) => Form::OneHot(Vec::new()),
        Part::Bucket(_) => Form::Hash,
    }
}

/// The column of a header that a feature comes from, and which part of it.
pub(super) fn origin<'a>(
    header: &'a [String],
    feature: &'a Feature,
) -> Option<(&'a str, Part<'a>)> {
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
    // The list goes first: a column `sizes_0` beside it was no input, or the table had been refused.
    let place = list_place(feature).and_then(|(list, place)| Some((find(list)?, place)));
    match place {
        Some((column, place)) => Some((column, Part::Place(place))),
        None => find(name).map(|column| (column, Part::Whole)),
    }
}

/// The list that a feature is a place of, where it is one, and the place.
fn list_place(feature: &Feature) -> Option<(&str, usize)> {
    let (list, place) = feature.name.rsplit_once('_')?;
    let place: usize = place.parse().ok().filter(|&place| place < SEQUENCE_LENGTH)?;
    let is_place = feature.unit == LIST_PLACE
        || native::column(list)
            .is_some_and(|column| column.kind == Kind::IntegerList && column.unit == feature.unit);
    is_place.then_some((list, place))
}
