//! The numbers of a flow: the one computation that training, serving and the flow table all use.
//!
//! Sketch: about 200 numbers and 180 places of sequences; some 1.5 µs a flow.

mod burst;
mod early;
mod handshake;
mod prefix;
mod sequence;
mod timing;
mod volume;

use flowgait_flow::export::Kind;
use flowgait_flow::record::FlowRecord;

use crate::dataset::{Codes, Dataset};
use crate::schema::{Column, Role, SEQUENCE_LENGTH, Scope, Value, flow_columns, flow_schema};

pub use early::Early;
pub use prefix::prefix;

/// Appends a flow's features to `values`, in the order of [`flow_schema`]; NaN where there is none.
pub fn extract(record: &FlowRecord, values: &mut Vec<f32>) {
    each(record, |value| values.push(value));
}

/// Flows as a data set under [`flow_schema`], with their captures as groups and their starts as times; no labels.
#[must_use]
pub fn dataset<'a>(records: impl IntoIterator<Item = &'a FlowRecord>) -> Dataset {
    let schema = flow_schema().clone();
    let mut columns = vec![Vec::new(); schema.features.len()];
    let mut captures = Vec::new();
    let mut times = Vec::new();
    for record in records {
        let mut column = 0;
        each(record, |value| {
            columns[column].push(value);
            column += 1;
        });
        captures.push((!record.capture.is_empty()).then_some(&*record.capture));
        times.push(record.start.micros());
    }
    let rows = times.len();
    let groups = vec![Codes::from_texts("capture", &captures)];
    Dataset { schema, columns, labels: None, groups, times: Some(times), rows }
}

fn each(record: &FlowRecord, mut give: impl FnMut(f32)) {
    let mut list = Vec::with_capacity(SEQUENCE_LENGTH);
    for column in flow_columns().iter().filter(|column| column.role == Role::Feature) {
        match column.value {
            Value::Integer(value) => give(value(&column.view(record)).map_or(f32::NAN, integer)),
            Value::Float(value) => give(value(&column.view(record)).map_or(f32::NAN, float)),
            Value::List(value) => {
                list.clear();
                value(record, &mut list);
                let known = list.len().min(SEQUENCE_LENGTH);
                list[..known].iter().for_each(|&value| give(value as f32));
                (known..SEQUENCE_LENGTH).for_each(|_| give(f32::NAN));
            }
            Value::Cell(_) => unreachable!("a feature is a number"),
        }
    }
}

/// What an integer cell becomes for a model; the table holds at most 2^63 − 1, so a larger one must not differ here.
fn integer(value: u64) -> f32 {
    value.min(i64::MAX as u64) as f32
}

/// What a float cell becomes, here and in the table; not finite is missing.
pub(crate) fn float(value: f64) -> f32 {
    let value = value as f32;
    if value.is_finite() { value } else { f32::NAN }
}

/// A row of the tables in `volume`, `timing`, `sequence`, `burst` and `handshake`: one column, or three when `{}` in its name stands for the direction.
pub(crate) struct Row {
    name: &'static str,
    unit: &'static str,
    scopes: &'static [Scope],
    rule: &'static str,
    source: &'static str,
    index: usize,
    value: Value,
}

pub(crate) const SIDES: &[Scope] = &[Scope::Forward, Scope::Backward, Scope::Both];
pub(crate) const ENDS: &[Scope] = &[Scope::Forward, Scope::Backward];
pub(crate) const FLOW: &[Scope] = &[Scope::Flow];

/// Appends every feature column of the flow table.
pub(crate) fn columns(columns: &mut Vec<Column>) {
    for rows in [volume::ROWS, timing::ROWS, burst::ROWS, handshake::ROWS, sequence::ROWS] {
        for row in rows {
            columns.extend(row.scopes.iter().map(|&scope| row.column(scope)));
        }
    }
}

impl Row {
    fn column(&self, scope: Scope) -> Column {
        let Row { unit, rule, source, index, value, .. } = *self;
        let kind = match value {
            Value::Integer(_) => Kind::Integer,
            Value::Float(_) => Kind::Float,
            Value::List(_) => Kind::IntegerList,
            Value::Cell(_) => unreachable!("a feature is a number"),
        };
        let name = self.name.replace("{}", scope.name());
        Column { name, kind, role: Role::Feature, unit, scope, rule, source, index, value }
    }
}

#[cfg(test)]
mod tests;
